/*
 * Loop level in file tests: parameters with seeded data, and calls of the interpreter.
 */
#ifndef TESTS_FILETEST_LOOP_H
#define TESTS_FILETEST_LOOP_H

#include "tests/filetest.h"

void *ft_loop_parse(struct ft_run *r, const char *text);
void ft_loop_print(struct sn_buf *out, const void *ir, bool with_data);
bool ft_loop_verify(void *ir, struct sn_diags *d);
bool ft_loop_interp(struct ft_run *r, const void *ir);

/* Memory for the parameters of a function, aligned to 64 bytes, with a border on either side. */
struct ft_args {
	const struct sn_func *func;
	const int64_t *syms; /* by symbol id */
	void **bytes;
	size_t *counts; /* elements */
};

/* Inputs hold seeded data, the rest zeros. */
bool ft_args_make(struct ft_run *r, const struct sn_func *f, struct ft_args *out);
bool ft_args_interp(struct ft_run *r, const struct ft_args *args);
void ft_args_print(struct ft_run *r, const struct ft_args *args);

/* The memory of parameter I with its borders; returns where in it the parameter starts. */
size_t ft_args_whole(const struct ft_args *args, size_t i, void **out_bytes, size_t *out_size);

/* Has nothing been written beside the parameters? */
bool ft_args_check_borders(struct ft_run *r, const struct ft_args *args);

/* Are all results of GOT within TOLERANCE (of the largest magnitude of WANT) of WANT's? Integers
 * and TOLERANCE 0: equal bits, but for the payloads of NaN. */
bool ft_args_compare(struct ft_run *r, const struct ft_args *want, const struct ft_args *got,
		     double tolerance);

#endif
