/* Order of the reduction loops of a tile: layouts and indices cut axes into blocks. */
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
