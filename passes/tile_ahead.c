/*
 * The tile schedule fetches weights ahead.
 *
 * A network's weights are read once in a run, so a group's arrive from far away.  The hardware fetches
 * what lies in order, but only shortly before it is wanted and not across pages, and only while the
 * group's first tile is computed: the others find the group in the cache.  So each step of each tile of
 * a group asks for a piece of the next group, as large as it must be for the tiles of one group to ask
 * for all of it.
 */
#include "ir/index.h"
#include "passes/tile_impl.h"

/* With more tiles to a group its first one hardly matters; with fewer rows the weights are all there
 * is to wait for, and the hardware sees to that. */
enum { MOST_TILES = 64, FEWEST_ROWS = 4 };

static int64_t
constant_bytes(const struct sn_program *pr)
{
	int64_t sum = 0;
	for (size_t i = 0; i < pr->tensors.n; i++) {
		const struct sn_tensor *t = pr->tensors.v[i];
		int64_t n;
		if (t->role == TR_CONST && sn_type_is_static(&t->type, &n))
			sum += (int64_t)sn_dtype_bytes(t->type.dtype, (size_t)n);
	}
	return sum;
}

bool
tile_should_fetch_ahead(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k)
{
	double tiles = 1;
	int64_t n;
	/* plain C has no words for it */
	if (!c->module->has_vectors)
		return false;
	if (!k->is_vec_outer || k->outside || k->row < 0 || k->rows * k->rows2 < FEWEST_ROWS
	    || constant_bytes(c->module->program) <= c->target->l2_bytes)
		return false;
	for (int i = 0; i < m->naxes; i++) {
		int64_t rows = i == k->row ? k->rows : i == k->row2 ? k->rows2 : 1;
		if (i == k->vec || !sn_get_int(m->axes[i]->extent, &n))
			continue;
		int64_t count = (n + rows - 1) / rows;
		tiles *= (double)count;
	}
	return tiles <= MOST_TILES;
}

/* How many tiles a group has, and the number of the one that is open. */
static void
count_tiles(const struct tile *t, const struct sn_expr **out_count, const struct sn_expr **out_at)
{
	const struct sn_expr *count = sn_int(t->pool, 1), *at = sn_int(t->pool, 0);
	for (int i = t->m->naxes - 1; i >= 0 && t->order[i] != t->k.vec; i--) {
		at = sn_add(t->pool, at, sn_mul(t->pool, t->at[i], count));
		count = sn_mul(t->pool, count, t->count[i]);
	}
	*out_count = count;
	*out_at = at;
}

/* Offset of the first element of the next group. */
static const struct sn_expr *
next_group(struct tile *t, const struct sn_expr *read)
{
	struct sn_scope s = sn_scope_copy(&t->e, &t->outer);
	const struct sn_expr *idx[SN_MAX_RANK];
	int64_t group = t->k.nv * t->k.lanes;
	sn_scope_axis(&t->e, &s, t->m->axes[t->k.vec], sn_addk(t->pool, t->vec_base, group));
	for (int i = 0; i < t->m->nred; i++)
		sn_scope_axis(&t->e, &s, t->m->red[i], sn_int(t->pool, 0));
	for (int d = 0; d < read->tensor->type.rank; d++)
		idx[d] = sn_emit_expr(&t->e, &s, read->args[d]);
	return sn_emit_offset(&t->e, read->tensor, idx);
}

void
tile_ahead_begin(struct tile *t)
{
	struct sn_pool *p = t->pool;
	struct tile_reads r;
	const struct sn_expr *count, *at, *steps = sn_int(p, 1);
	t->nahead = 0;
	if (!t->k.is_ahead)
		return;
	count_tiles(t, &count, &at);
	for (int i = 0; i < t->m->nred; i++)
		steps = sn_mul(p, steps, t->m->red[i]->extent);
	tile_sort_reads(t, &r);
	for (size_t i = 0; i < r.vectors.list.n && t->nahead < (int)ARRAY_LEN(t->ahead); i++) {
		const struct sn_expr *x = r.vectors.list.v[i];
		struct tile_ahead *a = &t->ahead[t->nahead];
		int64_t group = t->k.nv * t->k.lanes, n;
		int64_t line = t->c->target->line_bytes
			       / (int64_t)sn_dtype_bytes(x->tensor->type.dtype, 1);
		if (x->tensor->role != TR_CONST || line < 1)
			continue;
		a->read = x;
		a->line = line;
		/* rows there are none of don't divide */
		const struct sn_expr *parts = sn_op2(p, OP_MAX, count, sn_int(p, 1));
		a->step = sn_op2(p, OP_FLOORDIV, sn_addk(p, parts, group - 1), parts);
		a->lines = sn_get_int(a->step, &n) ? (n + line - 1) / line : 1;
		if (a->lines > 1)
			a->step = sn_int(p, a->lines * line);
		if (!sn_get_int(a->step, &n))
			a->step = sn_at_let(t->b, "part", a->step);
		a->base = sn_at_let(t->b, "ahead",
				    sn_add(p, next_group(t, x),
					   sn_mul(p, at, sn_mul(p, steps, a->step))));
		t->nahead++;
	}
}

void
tile_ahead_step(struct tile *t)
{
	struct sn_pool *p = t->pool;
	for (int i = 0; i < t->nahead; i++) {
		const struct tile_ahead *a = &t->ahead[i];
		const struct sn_expr *at = sn_add(p, a->base, sn_mul(p, t->steps, a->step));
		for (int64_t l = 0; l < a->lines; l++)
			sn_emit_prefetch(&t->e, a->read->tensor, sn_addk(p, at, l * a->line));
	}
}
