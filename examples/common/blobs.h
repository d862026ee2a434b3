/* Connected sets of pixels. */
#ifndef EXAMPLES_BLOBS_H
#define EXAMPLES_BLOBS_H

/* One set: COUNT entries of blobs.pixels from FIRST on. */
struct blob {
	int first, count;
};

/* Pixel numbers are y * width + x. */
struct blobs {
	int width, height, n;
	struct blob *list; /* in the order of their topmost pixels */
	int *pixels;
};

/* Finds the 8-connected sets of non-zero bytes of MASK (width * height, zero afterwards), at most
 * MOST of them. 0, or -1 for want of memory. Give back by blobs_free. */
int blobs_find(unsigned char *mask, int width, int height, int most, struct blobs *out);
void blobs_free(struct blobs *b);

#endif
