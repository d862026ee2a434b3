/*
 * The group_tile schedule: sums of products by a work-group with shared tiles.
 *
 * A contraction is one whatever its operands' indices look like (a matrix
 * product, a convolution): the reducer's argument is a product a * b, and every
 * parallel axis moves a alone, b alone, or both.  Those of one operand, flattened,
 * are the rows or the columns of the result, those of both are the batch; the
 * columns are the side whose last axis the result is contiguous along.
 *
 *	grid g < batch * row tiles * column tiles
 *	  shared ys[2, bk, by+4], xs[2, bk, bx+4]
 *	  item i < (by/ty) * (bx/tx)
 *	    acc[ty, tx/lanes, lanes] = 0
 *	    load tile 0 of both operands, masks, casts and all, and store it in ys[0], xs[0]; barrier
 *	    for tiles kt of bk of the reduction axes
 *	      load tile kt+1
 *	      for k < bk: acc += ys[kt%2, k, ..] * xs[kt%2, k, ..] by ty rows and tx columns
 *	      store tile kt+1 in ys[(kt+1)%2], xs[(kt+1)%2]; barrier
 *	    guarded: the result's value, and its store
 */
#ifndef PASSES_DEVICE_TILE_H
#define PASSES_DEVICE_TILE_H

#include "passes/device.h"

enum { DT_Y, DT_X, DT_SIDES }; /* rows and columns */

/* Elements between rows of a shared tile, against bank conflicts. */
enum { DT_PAD = 4 };

/* One operand and its axes. */
struct dt_side {
	const struct sn_expr *value; /* what is staged */
	const struct sn_axis *axes[SN_MAX_AXES];
	int naxes;
};

/* A contraction taken apart. */
struct dt_shape {
	struct dt_side side[DT_SIDES];
	const struct sn_axis *batch[SN_MAX_AXES];
	int nbatch;
	const struct sn_axis *red[SN_MAX_AXES]; /* order of the loops, those that are tiled last */
	int nred, first_tiled;			/* red[first_tiled..] are flattened and tiled: their
						 * product is whole tiles if there are others */
};

/* False: K is no contraction with two sides. */
bool
dt_shape_of(struct sn_sched_ctx *c, const struct sn_kernel *k, int64_t bk, struct dt_shape *out);

struct dt_knobs {
	int64_t block[DT_SIDES], item[DT_SIDES], bk, lanes;
	bool is_double; /* two shared tiles: one is loaded while the other is used */
};
void dt_knobs_get(const struct sn_kernel *k, struct dt_knobs *out);

/* The constant stride of READ along AXIS; false: it has none. */
bool
dt_stride(struct sn_pool *p, const struct sn_expr *read, const struct sn_axis *axis, int64_t *out);

/* Is it 1? */
bool dt_is_unit(struct sn_pool *p, const struct sn_expr *read, const struct sn_axis *axis);

double sn_device_tile_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_device_tile_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);

/* The layout in which constant READ of K is staged best; NULL: as it is. */
const struct sn_layout *sn_device_tile_layout(struct sn_sched_ctx *c, const struct sn_kernel *k,
					      const struct sn_expr *read);

#endif
