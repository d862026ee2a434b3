/*
 * Runs a module that has been brought to the loop level step by step in the
 * loop interpreter, with memory of its own for every tensor, so that shadow
 * memory sees every access.  Constants are laid out element by element through
 * the layout's offset expression: slow, and independent of the code that writes
 * weights.
 */
#ifndef TESTS_RUN_LOOPS_H
#define TESTS_RUN_LOOPS_H

#include "ir/layout.h"
#include "ir/module.h"

struct loop_memory {
	struct sn_arena *arena;
	struct sn_module *m;
	void **bytes; /* by tensor id */
	size_t *counts;
	bool *is_full;
};

/* Value of an expression over symbols only. */
int64_t
loop_value(struct sn_module *m, const struct sn_expr *e, const int64_t *syms, struct sn_arena *a);

/* Runs all steps: IN by input number, OUT by output number, row-major. False with diagnostics. */
bool loops_run(struct sn_module *m, const int64_t *syms, const struct sn_array *in,
	       struct sn_array *out, struct sn_arena *a);

#endif
