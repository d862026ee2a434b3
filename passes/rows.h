/*
 * The rows schedule, and the universal one.
 *
 * Runs the stages of a kernel one after the other inside the loops over their
 * shared axes, with scratch tensors as one slice on the stack:
 *
 *	parallel shared axes
 *	  alloc scratch
 *	  for each stage: loops over its own axes, the reduction inside
 *
 * The last own axis of a map, or the last reduction axis of a reduction that
 * may be split (merge), runs in vectors when everything that is read moves by
 * one element or not at all.  Without vectors this is the universal schedule:
 * it accepts every legal kernel.
 */
#ifndef PASSES_ROWS_H
#define PASSES_ROWS_H

#include "passes/emit.h"

double sn_rows_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_rows_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
double sn_universal_choose(struct sn_sched_ctx *c, struct sn_kernel *k);

#endif
