/*
 * Schedules for devices with work-groups: what they share.
 *
 * Each builds one function of the shape that sn_func_launch (ir/loop.h) reads:
 * grid loops, shared buffers, item loops, the rest.  The number of groups may
 * depend on symbols, the number of items of a group is a constant.
 */
#ifndef PASSES_DEVICE_H
#define PASSES_DEVICE_H

#include "passes/rows.h"

/* Product of the extents of N axes. */
const struct sn_expr *sn_device_points(struct sn_pool *p, const struct sn_axis *const *axes, int n);

/*
 * Brings axes FROM <= i < TO of a stage into scope, at point FLAT of the product
 * of their extents, the last one running fastest, by // and %: what is linear in FLAT
 * becomes so again.  A sum is better given a name before, or its terms are
 * divided one by one.  Extents of 1 and 0 are index 0.
 */
void sn_device_spread(struct sn_emit *e, struct sn_scope *s, const struct sn_axis *const *axes,
		      int from, int to, const struct sn_expr *flat);

/* X by a name, if it is an operation. */
const struct sn_expr *
sn_device_named(struct sn_builder *b, const char *name, const struct sn_expr *x);

/*
 * The same for points of LANES elements each along the last axis, whose extent
 * they divide: opens a vector loop and returns its axis; NULL: LANES is 1, and
 * nothing is open.
 */
const struct sn_expr *
sn_device_spread_lanes(struct sn_emit *e, struct sn_scope *s, const struct sn_axis *const *axes,
		       int to, const struct sn_expr *flat, int64_t lanes);

/* Opens grid and item loop over POINTS, ITEMS a group, and a guard where the last group has fewer;
 * returns the point. sn_device_close_points ends all of it. */
const struct sn_expr *
sn_device_open_points(struct sn_builder *b, const struct sn_expr *points, int64_t items);
void sn_device_close_points(struct sn_builder *b, const struct sn_expr *points, int64_t items);

/* Does K store elements that share a byte? */
bool sn_device_shares_bytes(const struct sn_kernel *k);

/* How much more memory traffic M makes where neighbouring items are neighbours along AXIS, for reads
 * and results that move by more than one element then; 1: none. */
double
sn_device_scatter(struct sn_sched_ctx *c, const struct sn_comp *m, const struct sn_axis *axis);

/* Cycles of WORK in scalar steps (sn_rows_scalar_cost) by as many items as POINTS: of the units'
 * arithmetic, or of one item that waits for its loads. */
double sn_device_cost(const struct sn_target *t, double work, double points);

/* The items schedule: each item computes whole points, as rows does (passes/rows.h). */
double sn_device_items_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_device_items_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
bool
sn_device_items_keeps(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t);

/*
 * The group_rows schedule: some items of a group for each point of the shared axes (of all axes of a
 * single reduction), scratch in shared memory.
 */
double sn_device_rows_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_device_rows_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
bool
sn_device_rows_keeps(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t);

/* The turn schedule (passes/device_turn.c). */
double sn_device_turn_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_device_turn_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);

#endif
