/*
 * Schedules: from a kernel of the tensor level to a function of the loop level.
 *
 * One row of passes/schedules.def each.  choose() decides whether a kernel fits
 * and at what cost, and sets knobs by arithmetic on the target; apply() builds
 * the loops.  Layouts are decided before (passes/assign_layouts.c), since knobs
 * depend on them.  The universal schedules, one of each kind, accept every legal
 * kernel.  A schedule speaks of shapes, never of operators.  docs/schedules.md
 * says what each does.
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

/* C turns to where K runs. */
static inline void
sn_sched_turn(struct sn_sched_ctx *c, const struct sn_kernel *k)
{
	c->target = sn_module_target(c->module, k->place);
}

/* What kind of target a schedule is for. */
enum sn_sched_kind { SK_CPU, SK_DEVICE };

struct sn_schedule {
	const char *name, *summary;
	enum sn_sched_kind kind;
	/* Estimated cycles (extents that are not known count as 64); negative: does not fit. Sets knobs. */
	double (*choose)(struct sn_sched_ctx *c, struct sn_kernel *k);
	/* Builds the loops of K into an empty function. */
	bool (*apply)(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
	/* Has it room for one slice of scratch tensor T, of constant size?  Otherwise T becomes a tensor
	 * of its own: on a CPU before schedules are tried, on a device once K has its knobs. */
	bool (*keeps)(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t);
	/* May apply compute an element a second time after it has been stored?  NULL: it may. */
	bool (*repeats)(struct sn_sched_ctx *c, const struct sn_kernel *k);
};

const struct sn_schedule *sn_schedules(int *out_n);
const struct sn_schedule *sn_schedule_find(const char *name); /* NULL: unknown, or NAME is NULL */

/* The kind that suits T. */
enum sn_sched_kind sn_sched_kind_of(const struct sn_target *t);

/* Bytes of one slice of scratch tensor T of K; -1: its size is not a number, or beyond measure. */
int64_t sn_slice_bytes(const struct sn_kernel *k, const struct sn_tensor *t);

/* For schedules with scratch on the stack. */
bool sn_stack_keeps(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t);

#endif
