/* Connected sets of pixels, by flooding; the queue of the flood is the list of the set's pixels. */
#include <stdlib.h>
#include "examples/common/blobs.h"

/* Appends the neighbours of pixel P that are set to the queue's end, returns the new end. */
static int
spread(unsigned char *mask, const struct blobs *b, int p, int end)
{
	int x = p % b->width, y = p / b->width;
	int left = x > 0 ? -1 : 0, right = x + 1 < b->width ? 1 : 0;
	int up = y > 0 ? -1 : 0, down = y + 1 < b->height ? 1 : 0;

	for (int dy = up; dy <= down; dy++)
		for (int dx = left; dx <= right; dx++) {
			int q = p + dy * b->width + dx;
			if (!mask[q])
				continue;
			mask[q] = 0;
			b->pixels[end++] = q;
		}
	return end;
}

int
blobs_find(unsigned char *mask, int width, int height, int most, struct blobs *out)
{
	int end = 0, size = width * height;

	*out = (struct blobs){ .width = width, .height = height };
	out->list = malloc((size_t)most * sizeof(*out->list));
	out->pixels = malloc((size_t)size * sizeof(*out->pixels));
	if (!out->list || !out->pixels) {
		blobs_free(out);
		return -1;
	}
	for (int p = 0; p < size && out->n < most; p++) {
		if (!mask[p])
			continue;
		int first = end;
		mask[p] = 0;
		out->pixels[end++] = p;
		for (int at = first; at < end; at++)
			end = spread(mask, out, out->pixels[at], end);
		out->list[out->n++] = (struct blob){ first, end - first };
	}
	return 0;
}

void
blobs_free(struct blobs *b)
{
	free(b->list);
	free(b->pixels);
	*b = (struct blobs){ 0 };
}
