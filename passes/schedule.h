/*
 * Schedules: from a kernel of the tensor level to a function of the loop level.
 *
 * One row of passes/schedules.def each.  choose() decides whether a kernel fits
 * and at what cost, and sets knobs by arithmetic on the target; apply() builds
 * the loops.  Layouts are decided before (passes/assign_layouts.c), since knobs
 * depend on them.  The universal schedule accepts every legal kernel.  A
 * schedule speaks of shapes, never of operators.
 */
#ifndef PASSES_SCHEDULE_H
#define PASSES_SCHEDULE_H

#include "ir/layout.h"
#include "ir/module.h"

struct sn_sched_ctx {
	struct sn_module *module;
	const struct sn_target *target;
	struct sn_pool *pool;
	struct sn_arena *arena, *scratch;
};

struct sn_schedule {
	const char *name, *summary;
	/* Estimated cycles (extents that are not known count as 64); negative: does not fit. Sets knobs. */
	double (*choose)(struct sn_sched_ctx *c, struct sn_kernel *k);
	/* Builds the loops of K into an empty function. */
	bool (*apply)(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
};

const struct sn_schedule *sn_schedules(int *out_n);
const struct sn_schedule *sn_schedule_find(const char *name); /* NULL: unknown, or NAME is NULL */

#endif
