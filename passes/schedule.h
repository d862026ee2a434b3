/*
 * Schedules: from a kernel of the tensor level to a function of the loop level.
 *
 * One row of passes/schedules.def each.  choose() decides whether a kernel fits
 * and at what cost, and sets knobs by arithmetic on the target; wish() says
 * which layouts would be good; apply() builds the loops.  The universal schedule
 * accepts every legal kernel.  A schedule speaks of shapes, never of operators.
 */
#ifndef PASSES_SCHEDULE_H
#define PASSES_SCHEDULE_H

#include "ir/layout.h"
#include "ir/module.h"

/* A wanted layout for one tensor, with the price in ns of not getting it. */
struct sn_wish {
	struct sn_tensor *tensor;
	const struct sn_layout *layout;	/* NULL: any layout whose innermost part runs along some axis */
	double price;
};

struct sn_sched_ctx {
	struct sn_module *module;
	const struct sn_target *target;
	struct sn_pool *pool;
	struct sn_arena *arena, *scratch;
};

struct sn_schedule {
	const char *name, *summary;
	/* Estimated ns (sizes that are not known count as 64); negative: does not fit. Sets knobs. */
	double (*choose)(struct sn_sched_ctx *c, struct sn_kernel *k);
	/* Appends wishes; NULL: has none. */
	void (*wish)(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_wish *out, int *n);
	/* Builds the loops into F, whose parameters are already there, one for each entry of MAP. */
	bool (*apply)(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
};

const struct sn_schedule *sn_schedules(int *out_n);
const struct sn_schedule *sn_schedule_find(const char *name);

#endif
