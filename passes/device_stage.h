/* The group_tile schedule inside: its state, and staging (passes/device_stage.c). */
#ifndef PASSES_DEVICE_STAGE_H
#define PASSES_DEVICE_STAGE_H

#include "passes/device_tile.h"

/* How one operand comes into its shared tile: piece u of an item, LANES elements side by side in memory,
 * begins at (kk, at), of which the one moves with u, the other is the same for all.  Lanes go along AT
 * where neighbouring items do, else along KK. */
struct stage {
	struct sn_buffer *shared;
	bool is_own_fast;	/* neighbouring items are neighbours along the operand's own axes */
	struct sn_buffer *next; /* elements on their way */
	int64_t count, step, lanes; /* pieces */
	const struct sn_expr *kk, *at;
	struct sn_scope own;		       /* its axes, where they don't move with u */
	struct sn_buffer *places[SN_MAX_AXES]; /* or their values for each u */
};

struct dt {
	struct sn_sched_ctx *c;
	struct sn_pool *pool;
	struct sn_builder *b;
	struct sn_emit e;
	const struct sn_comp *m;
	struct dt_shape s;
	struct dt_knobs n;
	int64_t items, nvecs;
	const struct sn_expr *item, *base[DT_SIDES], *first[DT_SIDES]; /* of group, of item in it */
	const struct sn_expr *points[DT_SIDES];
	struct stage stage[DT_SIDES];
	struct sn_scope scope; /* batch axes, reduction loops */
	struct sn_acc acc, total;
	bool has_total;
};

/* Works out, once for each item, which elements of side I it stages. */
void dt_plan_stage(struct dt *t, int i);

/* The registers through which they go. */
void dt_alloc_next(struct dt *t, int i);

/* Points of the reduction axes that are tiled. */
const struct sn_expr *dt_tiled_points(struct dt *t);

/* Loads the item's elements of whole tile KT of all reduction axes, or what is left after KT whole ones
 * (IS_REST), into registers; stores them in shared tile AT. */
void dt_fetch(struct dt *t, const struct sn_expr *kt, bool is_rest);
void dt_put(struct dt *t, const struct sn_expr *at);

#endif
