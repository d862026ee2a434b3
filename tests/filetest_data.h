/*
 * Seeded data for the interpreters.
 */
#ifndef TESTS_FILETEST_DATA_H
#define TESTS_FILETEST_DATA_H

#include "tests/filetest.h"

struct ft_random {
	uint64_t state;
};

struct ft_random ft_random_start(const char *name);
uint64_t ft_random_next(struct ft_random *r);

/* N elements that depend on NAME alone: floats in [-1, 1), integers in -8..7 or 0..7 or as
 * "; set range=lo..hi" says, both values of bool. */
void ft_fill(const struct ft_run *r, const char *name, enum sn_dtype t, void *bytes, size_t n);

/* Values of all symbols of the pool by id: "; set N=4", else a small odd number. */
const int64_t *ft_symbols(const struct ft_run *r);

/* The number that E is with those values of the symbols; -1 if it is none. */
int64_t ft_number(const struct ft_run *r, const struct sn_expr *e, const int64_t *syms);

/* Two arrays that should hold the same. */
struct ft_pair {
	const char *name;
	enum sn_dtype dtype;
	const void *want, *got;
	size_t n;
};

/* Within TOLERANCE of the largest magnitude of WANT? Integers, and TOLERANCE 0: equal, where all
 * NaN are one. */
bool ft_compare(struct ft_run *r, const struct ft_pair *p, double tolerance);

/* "y = 1 2 3", at most 64 of them. */
void
ft_print_values(struct sn_buf *out, const char *name, enum sn_dtype t, const void *bytes, size_t n);

#endif
