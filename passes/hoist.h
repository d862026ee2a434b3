/*
 * Inside of the hoist-invariants pass: its second half (passes/share_values.c).
 */
#ifndef PASSES_HOIST_H
#define PASSES_HOIST_H

#include "ir/loop.h"

/* Names what a block computes more than once by a let before its first use. True if F changed. */
bool sn_share_values(struct sn_func *f, struct sn_arena *scratch);

#endif
