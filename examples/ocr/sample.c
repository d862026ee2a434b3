/* Sampling of turned rectangles; resizing a picture is the case of no turn. */
#include <math.h>
#include <string.h>
#include "examples/ocr/sample.h"

struct box
box_whole(const struct picture *p)
{
	return (struct box){ .x = p->width / 2.0,
			     .y = p->height / 2.0,
			     .dx = 1,
			     .length = p->width,
			     .height = p->height };
}

static int
clamp(int v, int most)
{
	return v < 0 ? 0 : v > most ? most : v;
}

/* Adds the colour at (x, y) to SUM[3]. */
static void
add_colour(const struct picture *p, double x, double y, double *sum)
{
	/* Farther out the border repeats, and an int stays an int. */
	x = fmin(fmax(x - 0.5, -1), p->width);
	y = fmin(fmax(y - 0.5, -1), p->height);
	int x0 = (int)floor(x), y0 = (int)floor(y);
	double fx = x - x0, fy = y - y0;

	for (int i = 0; i < 4; i++) {
		int px = clamp(x0 + (i & 1), p->width - 1);
		int py = clamp(y0 + (i >> 1), p->height - 1);
		double weight = (i & 1 ? fx : 1 - fx) * (i >> 1 ? fy : 1 - fy);
		const unsigned char *q = p->rgb + 3 * ((size_t)py * (size_t)p->width + (size_t)px);
		for (int c = 0; c < 3; c++)
			sum[c] += weight * q[c];
	}
}

/* How many samples a side of an output pixel takes, so that shrinking leaves no pixel out. */
static int
samples_for(double source, int target)
{
	int n = (int)(source / target + 0.5);

	return n < 1 ? 1 : n > 8 ? 8 : n;
}

void
sample_box(const struct picture *p, const struct box *b, int rows, int columns, float *planes)
{
	int nu = samples_for(b->length, columns), nv = samples_for(b->height, rows);
	size_t plane = (size_t)rows * (size_t)columns;

	for (int i = 0; i < rows * columns; i++) {
		double sum[3] = { 0, 0, 0 };
		for (int s = 0; s < nu * nv; s++) {
			double u = (i % columns + (s % nu + 0.5) / nu) / columns - 0.5;
			double v = (i / columns + (s / nu + 0.5) / nv) / rows - 0.5;
			u *= b->length;
			v *= b->height;
			add_colour(p, b->x + u * b->dx - v * b->dy, b->y + u * b->dy + v * b->dx, sum);
		}
		for (int c = 0; c < 3; c++)
			planes[(size_t)(2 - c) * plane + (size_t)i] =
				(float)(sum[c] / (nu * nv * 127.5) - 1);
	}
}
