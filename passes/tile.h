/*
 * The tile schedule: a block of rows times vectors held in registers.
 *
 * One schedule serves contractions (matrix products, convolutions), windows
 * (pooling, depthwise), global reductions and plain maps; they differ only in
 * which reads depend on the rows, on the vectors, or on both:
 *
 *	for outer axes, groups of vectors, row tiles
 *	  acc[rows][nv][lanes] = init
 *	  for reduction axes
 *	    load what depends on the vectors only        (weights)
 *	    for rows: load what depends on the row only  (activations, broadcast)
 *	      for nv, lanes: load the rest; acc = step(acc, ...)
 *	  for rows, nv, lanes: store finish(acc)
 */
#ifndef PASSES_TILE_H
#define PASSES_TILE_H

#include "passes/emit.h"

enum lane_use { LANE_SAME, LANE_UNIT, LANE_OTHER };

/* How one read of a stage moves with the chosen vector axis and row axes. */
struct tile_read {
	const struct sn_expr *read;
	enum lane_use lanes;
	bool has_row, has_row2;
};

/* The plan of a tile, as knobs of the kernel. Axes are numbers in the stage, -1: none. */
struct tile_knobs {
	int vec, row, row2;
	int64_t lanes, nv, rows, rows2;
	bool is_vec_outer; /* groups of vectors outside the rows: weights are read once */
	int outside;	   /* loops over rows outside those over groups, which then are read again */
	bool is_ahead;	   /* ask for the next group's weights */
};

void tile_knobs_get(const struct sn_kernel *k, struct tile_knobs *out);

/* Vectors of fewer lanes are not worth it. */
enum { TILE_FEWEST_LANES = 4 };

/* Tiles of fewer rows than this are not worth a version of their own. */
enum { TILE_FEWEST_ROWS = 4 };

/* The next smaller tile for an extent, not known at compile time, that ROWS does not suit. */
int64_t tile_fewer_rows(int64_t rows);

/* Lanes of a stage's vectors on a target without and with vectors. */
int64_t tile_lanes(const struct sn_sched_ctx *c, const struct sn_comp *m);

/* Does index IDX of T depend on axis V? */
bool tile_mentions(const struct sn_tensor *t, const struct sn_expr *const *idx,
		   const struct sn_axis *v);

/* How reading (or storing at) IDX of T moves with axis VEC in steps of LANES. A constant that
 * packing may lay out freely counts as LANE_UNIT. */
enum lane_use
tile_lane_use(struct sn_sched_ctx *c, const struct sn_tensor *t, const struct sn_expr *const *idx,
	      const struct sn_axis *vec, int64_t lanes);

/* Dimension of T that is indexed by exactly AXIS, or -1 if none or if AXIS occurs elsewhere too. */
int tile_plain_dim(struct sn_pool *p, const struct sn_tensor *t, const struct sn_expr *const *idx,
		   const struct sn_axis *axis);

/* One loop over a reduction axis: all of it, or the part outside or inside a block. */
struct red_loop {
	int axis;      /* number in the stage */
	int64_t block; /* 0: whole axis */
	bool is_inner;
};

/* Order of the reduction loops: blocks that layouts or indices cut an axis into go innermost. */
int tile_red_loops(struct sn_sched_ctx *c, const struct sn_comp *m, struct red_loop *out);

/* How far apart in memory two elements of T lie between which AXIS of M differs by STEP, in
 * elements; sizes that are not known are guessed. */
int64_t tile_stride(struct sn_sched_ctx *c, const struct sn_comp *m, const struct sn_tensor *t,
		    const struct sn_expr *const *idx, const struct sn_axis *axis, int64_t step);

/* How many of the loops over rows should go outside those over groups of vectors. */
int tile_loops_outside(struct sn_sched_ctx *c, const struct sn_comp *m,
		       const struct tile_knobs *k);

/* Order of the loops over the parallel axes, outermost first. */
void tile_order_axes(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k,
		     int *out);

/* Does it pay to ask for the next group's weights? */
bool tile_should_fetch_ahead(struct sn_sched_ctx *c, const struct sn_comp *m,
			     const struct tile_knobs *k);

double sn_tile_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_tile_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);
bool sn_tile_repeats(struct sn_sched_ctx *c, const struct sn_kernel *k);

#endif
