/*
 * What the group_rows schedule keeps in registers between its stages.
 *
 * Stages that walk rows of one length in the same steps give each item the same
 * elements each time.  What several of them read there is loaded once, and a
 * scratch tensor that is stored and read only so is nowhere else:
 *
 *	s = max(j<4096) x[i, j]               reg f32x4 x_row[4], e_row[4]
 *	e[i, j] = exp(x[i, j] - s)     ->     step u of the first stage that reads x: x_row[u] = x[..]
 *	z = sum(j<4096) e[i, j]               step u of the map: e_row[u] = exp(x_row[u] - s)
 *	y[i, j] = e[i, j] / z                 step u of the sum and of the last map: e_row[u]
 */
#ifndef PASSES_DEVICE_KEPT_H
#define PASSES_DEVICE_KEPT_H

#include "passes/device_rows.h"

/* One row: element PLACE of T, where PLACE is T's index over the kernel's shared axes and the walk. */
struct kept_row {
	struct sn_tensor *tensor;
	const struct sn_expr *place[SN_MAX_RANK];
	const struct sn_comp *first; /* the stage that fills it */
	int nuses;		     /* stages that read it */
	struct sn_buffer *buffer;
};

struct kept {
	struct sn_sched_ctx *c;
	const struct sn_kernel *kernel;
	int nspread;
	int64_t across, most_lanes;    /* the kernel's; a stage may take fewer lanes */
	int64_t lanes, steps;	       /* of the rows; what is left after whole steps is one, too */
	const struct sn_expr *points;  /* elements of a row; NULL: nothing is kept */
	const struct sn_expr *element; /* stands for a stage's walked axis */
	SN_VEC(struct kept_row) rows;
	struct sn_map elsewhere; /* scratch tensors that need no memory, by id + 1 */
};

/* Finds what to keep of E's kernel, whose parameters have been made. */
void kept_find(struct kept *k, struct sn_emit *e, int nspread, int64_t across, int64_t lanes);

/* Makes the arrays. */
void kept_alloc(struct kept *k, struct sn_builder *b);

/* Does M walk in steps whose elements are kept, and in how many at most? */
bool kept_is_stage(const struct kept *k, const struct sn_comp *m);

/* Brings what is kept of M's reads into S, at lane L of step U; the stage that is the first loads it. */
void kept_bring(struct kept *k, struct sn_emit *e, const struct sn_comp *m, struct sn_scope *s,
		const struct sn_expr *u, const struct sn_expr *l);

/* Puts result R there; false: it is not kept. */
bool kept_put(struct kept *k, struct sn_emit *e, struct sn_scope *s, const struct sn_result *r,
	      const struct sn_expr *u, const struct sn_expr *l);

/* Have M's results gone nowhere else, so that no other item waits for them? */
bool kept_is_all(const struct kept *k, const struct sn_comp *m);

#endif
