/*
 * Loop-level passes on one function, for schedules' tests and for the pass functions that apply
 * them to all functions of a module.
 */
#ifndef PASSES_LOOP_PASSES_H
#define PASSES_LOOP_PASSES_H

#include "passes/pass.h"

/* Vector loops become statements on vectors; those that can't become serial loops. True if F changed. */
bool sn_vectorize_func(struct sn_func *f, const struct sn_target *t, struct sn_arena *scratch);

/* Vector loads and lane reductions become loops on scalars, for a dialect without vector types. */
bool sn_legalize_vectors_func(struct sn_func *f, struct sn_arena *scratch);

/* Names invariant and repeated parts of expressions by lets. */
bool sn_hoist_invariants_func(struct sn_func *f, struct sn_arena *scratch);

#endif
