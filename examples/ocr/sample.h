/* Cuts turned rectangles out of a picture, as the networks want them. */
#ifndef EXAMPLES_SAMPLE_H
#define EXAMPLES_SAMPLE_H

#include "examples/common/picture.h"

/* A rectangle in pixels of a picture, the middle of whose first pixel is (0.5, 0.5). */
struct box {
	double x, y;   /* centre */
	double dx, dy; /* unit vector along the text; (-dy, dx) points to the next line */
	double length, height;
};

struct box box_whole(const struct picture *p);

/* Fills PLANES[3][rows][columns] with the content of B, by bilinear interpolation: blue, green, red,
 * from -1 for black to 1 for white. What lies outside the picture repeats its border. */
void sample_box(const struct picture *p, const struct box *b, int rows, int columns, float *planes);

#endif
