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

/* Where rows.c stands: shared with the schedules for devices (passes/device_*.c). */
struct sn_rows {
	struct sn_sched_ctx *c;
	struct sn_pool *pool;
	struct sn_builder *b;
	struct sn_emit e;
	const struct sn_kernel *kernel;
	const struct sn_comp *m;     /* the stage being emitted */
	int64_t lanes;		     /* 1: universal */
	enum sn_loop_kind outermost; /* of a stage's first axis */
	struct sn_scope shared;
};

/* Stage M for one point of the shared axes, which are in R->shared. */
void sn_rows_stage(struct sn_rows *r, const struct sn_comp *m);

/* R->m for one point of all its parallel axes, which are in S. */
void sn_rows_point(struct sn_rows *r, struct sn_scope *s);

/* The last own axis of map M, if results and reads are contiguous along it in steps of LANES; the last
 * reduction axis, if what is read is and the reducer has a merge.  NULL: no such axis. */
const struct sn_axis *sn_rows_map_axis(struct sn_sched_ctx *c, const struct sn_kernel *k,
				       const struct sn_comp *m, int64_t lanes);
const struct sn_axis *sn_rows_red_axis(struct sn_sched_ctx *c, const struct sn_kernel *k,
				       const struct sn_comp *m, int64_t lanes);

/* Points of axes FROM to TO; an extent that is not known counts as 64. */
double sn_rows_points(const struct sn_axis *const *axes, int from, int to);

/* Cycles of all stages in scalar steps, by one thread. */
double sn_rows_scalar_cost(const struct sn_kernel *k);

double sn_rows_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_rows_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
bool sn_rows_repeats(struct sn_sched_ctx *c, const struct sn_kernel *k);
double sn_universal_choose(struct sn_sched_ctx *c, struct sn_kernel *k);

#endif
