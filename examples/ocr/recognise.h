/* Reads a line of text. */
#ifndef EXAMPLES_RECOGNISE_H
#define EXAMPLES_RECOGNISE_H

#include "examples/common/network.h"
#include "examples/ocr/alphabet.h"
#include "examples/ocr/sample.h"

enum { MOST_STEPS = 400 };

/* What was read: UTF-8 text of LETTERS letters; letter i begins at text[start[i]], and text ends at
 * start[letters]. */
struct line {
	int letters;
	int start[MOST_STEPS + 1];
	float likely[MOST_STEPS];
	double confidence; /* mean of likely, 0 if there are no letters */
	char text[MOST_STEPS * MOST_LETTER + 1];
};

/* Reads what is in BOX of P; where that gives nothing credible, also upside down and, unless the box
 * is long, from top to bottom. */
int recognise_line(struct network *n, const struct alphabet *a, const struct picture *p,
		   const struct box *box, struct line *out, struct sinter_error *error);

#endif
