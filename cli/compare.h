/*
 * How far two tensors are apart.
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "cli/value.h"

struct tolerance {
	double rtol, atol;
	bool is_by_magnitude; /* rtol is of the largest expected magnitude, not of each element */
};

struct difference {
	double max_abs, max_rel, max_ulp; /* of elements that are numbers in both */
	size_t nwrong;			  /* elements outside the tolerance */
	size_t first;			  /* the first of them */
	bool has_ulp;
};

/* |have - want| <= atol + rtol * |want|; NaN equals NaN, infinity itself. Types and numbers of
 * elements must be equal. */
struct difference
compare_values(const struct value *have, const struct value *want, const struct tolerance *t);

/* "[0, 3, 1]" of element number I; a number's text. */
const char *index_text(struct sn_arena *a, const struct value *v, size_t i);
const char *element_text(struct sn_arena *a, const struct value *v, size_t i);

#endif
