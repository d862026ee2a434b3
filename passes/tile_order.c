/* Order of a tile's loops, over reduction axes and over parallel axes. */
#include "passes/tile.h"
#include "ir/index.h"

struct cut {
	const struct sn_axis *axis;
	int64_t block;
};

/* Quotients and remainders by a constant cut the axis they are taken of. */
static void
find_cut(const struct sn_expr *x, void *arg)
{
	struct cut *c = arg;
	int64_t k;
	if (x->kind != EX_OP || (x->op != OP_FLOORDIV && x->op != OP_MOD)
	    || !sn_get_int(x->args[1], &k) || !sn_expr_has_axis(x->args[0], c->axis))
		return;
	if (c->block == 0 || k < c->block)
		c->block = k;
}

/* Into what blocks the reads' offsets cut a reduction axis; 0: not at all. */
static int64_t
block_of(struct sn_sched_ctx *c, const struct sn_comp *m, const struct sn_axis *axis)
{
	struct cut cut = { axis, 0 };
	for (int a = 0; a < m->reducer->nargs; a++) {
		struct sn_read_list reads = { 0 };
		sn_reads_of(m->args[a], c->scratch, &reads);
		for (size_t i = 0; i < reads.list.n; i++) {
			const struct sn_expr *x = reads.list.v[i];
			if (x->tensor->role == TR_CONST)
				continue;
			const struct sn_expr *off = sn_layout_offset(
				c->pool, sn_layout_of(c->pool, x->tensor), x->args);
			sn_expr_walk(off, c->scratch, find_cut, &cut);
		}
	}
	int64_t n;
	if (sn_get_int(axis->extent, &n) && n <= cut.block)
		return 0;
	return cut.block;
}

int
tile_red_loops(struct sn_sched_ctx *c, const struct sn_comp *m, struct red_loop *out)
{
	int64_t blocks[SN_MAX_AXES];
	int n = 0;
	for (int i = 0; i < m->nred; i++) {
		blocks[i] = block_of(c, m, m->red[i]);
		out[n++] = (struct red_loop){ i, blocks[i], false };
	}
	for (int i = 0; i < m->nred; i++)
		if (blocks[i])
			out[n++] = (struct red_loop){ i, blocks[i], true };
	return n;
}

/* A guess for sizes that are not known. */
enum { TYPICAL_EXTENT = 64 };

static const struct sn_expr *
guess_leaf(struct sn_subst *s, const struct sn_expr *e)
{
	return e->kind == EX_SYM ? sn_int(s->pool, TYPICAL_EXTENT) : NULL;
}

/* E where AXIS is AT and all other axes of the stage are 0. */
static const struct sn_expr *
value_at(struct sn_sched_ctx *c, const struct sn_comp *m, const struct sn_expr *e,
	 const struct sn_axis *axis, int64_t at)
{
	struct sn_subst s;
	sn_subst_init(&s, c->pool, c->scratch);
	s.leaf = guess_leaf;
	for (int i = 0; i < m->naxes + m->nred; i++) {
		const struct sn_axis *a = i < m->naxes ? m->axes[i] : m->red[i - m->naxes];
		sn_subst_put(&s, sn_axis_expr(c->pool, a), sn_int(c->pool, a == axis ? at : 0));
	}
	return sn_subst(&s, e);
}

int64_t
tile_stride(struct sn_sched_ctx *c, const struct sn_comp *m, const struct sn_tensor *t,
	    const struct sn_expr *const *idx, const struct sn_axis *axis, int64_t step)
{
	const struct sn_expr *off = sn_layout_offset(c->pool, sn_layout_of(c->pool, t), idx);
	int64_t a, b;
	return sn_get_int(value_at(c, m, off, axis, 0), &a)
			       && sn_get_int(value_at(c, m, off, axis, step), &b)
		       ? b - a
		       : 0;
}

/* Do constants or other reads that move with the vectors, but not with the rows, move with AXIS? */
static bool
is_weights_axis(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k,
		int axis)
{
	if (!k->is_vec_outer || axis == k->vec || axis == k->row || axis == k->row2)
		return false;
	for (int a = 0; a < m->reducer->nargs; a++) {
		struct sn_read_list reads = { 0 };
		sn_reads_of(m->args[a], c->scratch, &reads);
		for (size_t i = 0; i < reads.list.n; i++) {
			const struct sn_expr *x = reads.list.v[i];
			bool is_row = (k->row >= 0 && sn_expr_has_axis(x, m->axes[k->row]))
				      || (k->row2 >= 0 && sn_expr_has_axis(x, m->axes[k->row2]));
			if (sn_expr_has_axis(x, m->axes[k->vec]) && !is_row
			    && sn_expr_has_axis(x, m->axes[axis]))
				return true;
		}
	}
	return false;
}

/*
 * Contractions: the axes of the weights and the groups of vectors first, so that a group's weights
 * stay in the cache while all rows pass, but for K->outside loops over rows (passes/tile_traffic.c).
 * Otherwise the order of the result in memory.
 */
void
tile_order_axes(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k,
		int *out)
{
	int64_t key[SN_MAX_AXES];
	for (int i = 0; i < m->naxes; i++) {
		key[i] = tile_stride(c, m, m->results[0].tensor, m->results[0].idx, m->axes[i],
				     i == k->vec ? k->lanes * k->nv : 1);
		if (k->is_vec_outer && i == k->vec)
			key[i] = INT64_MAX - 1;
		if (is_weights_axis(c, m, k, i))
			key[i] = INT64_MAX;
		int at = i;
		for (; at > 0 && key[out[at - 1]] < key[i]; at--)
			out[at] = out[at - 1];
		out[at] = i;
	}
	/* some loops over rows go outside the groups */
	for (int i = 0, n = k->outside; k->is_vec_outer && n > 0 && i + 1 < m->naxes; i++) {
		if (out[i] != k->vec)
			continue;
		out[i] = out[i + 1];
		out[i + 1] = k->vec;
		n--;
	}
}
