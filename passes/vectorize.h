/*
 * Inside of the vectorize pass: what checking (vectorize.c) tells rewriting (vectorize_widen.c).
 */
#ifndef PASSES_VECTORIZE_H
#define PASSES_VECTORIZE_H

#include "ir/loop.h"
#include "ir/module.h"

/* How the elements of one access lie over the lanes. */
enum access {
	AC_UNIFORM,
	AC_UNIT,
	AC_MOSTLY, /* side by side but at an edge (sn_vec_find_unit) */
	AC_PRIVATE,
	AC_STRIDED,
	AC_BAD
};

struct vloop {
	const struct sn_axis *axis;
	int extent, lanes;
	const char *why_not; /* NULL: can be vectorised */
	int nstrided, nops;
	bool has_registers; /* it works on buffers that could have vectors as elements */
};

/* A register buffer with a last dimension of constant extent. */
struct lanes {
	struct sn_buffer *buf;
	int64_t extent;
	int lanes;	/* of its elements: the next power of two */
	int64_t most;	/* most lanes that an access touches */
	bool is_vector; /* every access goes along the lanes */
};

/* Parts of indices that are floats made integers, and the values that they have in all lanes. */
struct rounded {
	int n;
	const struct sn_expr *parts[8];
	struct sn_buffer *lanes[8];
};

struct vec {
	struct sn_func *func;
	struct sn_pool *pool;
	struct sn_arena *scratch;
	struct sn_module *module; /* for remarks, or NULL */
	struct sn_map loops;	  /* axis id -> struct vloop */
	struct sn_map buffers;	  /* buffer id -> struct lanes */
	bool has_changed, is_on_device;

	/* of the loop at hand */
	struct vloop *loop;
	struct sn_map varying; /* locals that differ between lanes, by id */
	struct sn_map private; /* buffers allocated inside, by id */
	struct sn_subst values, indices;
	struct rounded rounded; /* of the block at hand */
};

/* Makes L the loop at hand: nothing is known to differ between its lanes but its axis. */
void sn_vec_start(struct vec *v, struct vloop *l);

/* Does E differ between lanes? set: LOCAL does. */
bool sn_vec_is_varying(const struct vec *v, const struct sn_expr *e);
void sn_vec_set_varying(struct vec *v, const struct sn_local *l);

enum access sn_vec_classify(struct vec *v, const struct sn_stmt *s);
int sn_vec_lanes_of(const struct sn_stmt *s);

/* An index that grows by one from lane to lane, from FIRST on, where CONDITION is true; neither moves with the lanes. */
struct unit {
	const struct sn_expr *first, *condition;
};

/* Is the index E of the loop at hand one, but at the edges that it has? */
bool sn_vec_find_unit(struct vec *v, const struct sn_expr *e, struct unit *out);

/* Puts into V->values what comparisons in E of indices that move with the lanes become. */
void sn_vec_narrow_compares(struct vec *v, const struct sn_expr *e);

/* What is known of BUF if its elements will be vectors, else NULL. */
const struct lanes *sn_vec_buffer(const struct vec *v, const struct sn_buffer *buf);

/* Replaces the loops of V in B by statements on vectors. */
void sn_vec_rewrite(struct vec *v, struct sn_block *b);

#endif
