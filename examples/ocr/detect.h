/* Finds the lines of text in a picture. */
#ifndef EXAMPLES_DETECT_H
#define EXAMPLES_DETECT_H

#include "examples/common/network.h"
#include "examples/ocr/sample.h"

enum { MOST_LINES = 1000 };

/* The sizes that the network is given for a picture. */
struct detect_size {
	int rows, columns;
};

struct detect_size detect_size(const struct picture *p);

/* Writes the boxes of the lines, in reading order, and their number. */
int detect_lines(struct network *n, const struct picture *p, struct box out[MOST_LINES],
		 int *out_count, struct sinter_error *error);

#endif
