/*
 * Running a module before and after passes, for the file tests.
 */
#ifndef TESTS_FILETEST_PASS_H
#define TESTS_FILETEST_PASS_H

#include "tests/filetest_data.h"

/* Results of a run: one array per output, in order. */
struct ft_results {
	struct sn_array *arrays;
	const char **names;
	size_t n;
};

/* Interprets M, at whatever level it stands, on seeded inputs; a graph is lowered for it. All in
 * f64 if IS_JUDGE. False after a reason. */
bool ft_run_module(struct ft_run *r, struct sn_module *m, bool is_judge, struct ft_results *out);

/* A program as it is. */
bool ft_run_program(struct ft_run *r, const struct sn_program *pr, bool is_judge,
		    struct ft_results *out);

/* The same for a module whose kernels have become functions: calls them step by step. */
bool ft_run_steps(struct ft_run *r, const struct sn_module *m, struct ft_results *out);

/* Arrays for the inputs (seeded) and outputs (zero) of a program; floats of outputs are f64 if
 * IS_JUDGE. */
bool ft_inputs_make(struct ft_run *r, const struct sn_program *pr, struct sn_array **out);
bool ft_results_make(struct ft_run *r, const struct sn_program *pr, bool is_judge,
		     struct ft_results *out);

#endif
