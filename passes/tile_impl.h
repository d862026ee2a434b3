/*
 * Inside of the tile schedule: the loops over the points of a tile
 * (tile_point.c), over the reduction (tile_red.c), over the tiles (tile_emit.c).
 */
#ifndef PASSES_TILE_IMPL_H
#define PASSES_TILE_IMPL_H

#include "passes/tile.h"

/* A running sum of a tile, which is added to the one before it in tile.sums after so many steps of a
 * reduction loop (from its begin), and cleared. */
struct tile_sum {
	struct sn_acc acc;
	int loop;      /* of the first, which is the result's: none */
	int64_t every; /* steps */
};

enum { TILE_SUMS = 4 };

/* Weights of the next group, which a tile asks for while it computes. */
struct tile_ahead {
	const struct sn_expr *read, *base; /* offset of the tile's part */
	const struct sn_expr *step;	   /* elements to ask for in each step of the reduction */
	int64_t line, lines;		   /* elements of a cache line, and how many lines that is */
};

struct tile {
	struct sn_sched_ctx *c;
	struct sn_pool *pool;
	struct sn_builder *b;
	struct sn_emit e;
	const struct sn_kernel *kernel;
	const struct sn_comp *m;
	struct tile_knobs k;
	int order[SN_MAX_AXES]; /* axes, outermost first */
	bool has_parallel;	/* the parallel loop is open */
	struct sn_scope outer;	/* what the open loops stand for */
	/* of the tile being emitted */
	int64_t nv, lanes, rows, rows2;
	int64_t first_vec, nvecs, nlanes; /* what tile_open_lanes goes over: usually all of them */
	int64_t rest;			  /* lanes of the last vector that are stored, 0: all */
	const struct sn_expr *vec_base, *row_base, *row2_base;
	const struct sn_expr *at[SN_MAX_AXES], *count[SN_MAX_AXES]; /* by level: number of the step, how many */
	struct tile_sum sums[TILE_SUMS]; /* outermost first; products go to the last */
	int nsums, nopen;		 /* nopen: those whose loops are open */
	bool is_finished_in_loop;	 /* results over the rows, from memory */
	bool is_rolled;			 /* rows in a loop: no registers are indexed by them */
	struct red_loop red[2 * SN_MAX_AXES];
	int nred;
	bool is_flat;					 /* one loop over all reduction axes */
	const struct sn_expr *inner_extent[SN_MAX_AXES]; /* of the block loops now open */
	const struct sn_expr *outer_index[SN_MAX_AXES];
	struct sn_scope scope; /* outer plus reduction axes */
	struct tile_ahead ahead[2];
	int nahead;
	const struct sn_expr *steps; /* of the reduction that are done */
};

/* Reads by what they depend on; see the head of passes/tile.h. */
struct tile_reads {
	struct sn_read_list same, rows, vectors, both;
	SN_VEC(struct sn_buffer *) buffers; /* of vectors */
};

void tile_sort_reads(struct tile *t, struct tile_reads *out);

/* More rows than are worth writing out where much is done for each: a sigmoid for each vector of a tile
 * keeps the C compiler busy and gains nothing. */
static inline bool
tile_has_many_rows(const struct tile *t)
{
	return t->rows * t->rows2 > 4;
}

/* Opens the loops over the rows of a tile; returns the accumulators' row index, row2 * rows + row. */
const struct sn_expr *tile_open_rows(struct tile *t, struct sn_scope *s);
void tile_close_rows(struct tile *t);

/* Opens the loops over vectors and lanes (t->first_vec, nvecs, nlanes); IDX gets the accumulators' last two indices. */
void tile_open_lanes(struct tile *t, struct sn_scope *s, const struct sn_expr **idx);
void tile_close_lanes(struct tile *t);

/* Calls F inside the loops over rows, vectors and lanes. */
typedef void (*tile_point_fn)(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx);
void tile_each_point(struct tile *t, const struct sn_scope *s, tile_point_fn f);

/* One step of the reduction for the whole tile. */
void tile_step(struct tile *t);

/* Allocates the accumulators of a tile and sums over all reduction axes; the states are then in
 * t->sums[0]. */
void tile_reduce(struct tile *t);

/* Fetching ahead (tile_ahead.c): what the open tile asks for, and one step's part of it. */
void tile_ahead_begin(struct tile *t);
void tile_ahead_step(struct tile *t);

#endif
