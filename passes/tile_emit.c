/* The tile schedule's loops over tiles (see passes/tile.h for their shape). */
#include "ir/index.h"
#include "passes/tile_impl.h"

/* A run of equal steps along a tiled axis: COUNT steps of SIZE from BASE. */
struct seg {
	const struct sn_expr *base, *count;
	int64_t size, lanes;
	int64_t rest;	       /* lanes of the last vector that are stored, 0: all */
	int64_t before, after; /* steps of the axis in other runs */
	const struct sn_expr
		*last; /* not NULL: the last step begins here and overlaps the one before */
};

static enum sn_loop_kind
outer_kind(struct tile *t, const struct sn_expr *extent)
{
	if (t->has_parallel || sn_is_int_const(extent, 1))
		return LK_SERIAL;
	t->has_parallel = true;
	return LK_PARALLEL;
}

/* The value of one element from its states, and the store. */
static void
finish(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	if (t->m->reducer)
		sn_emit_acc_states(&t->e, t->m->reducer, &t->sums[0].acc, idx, s);
	for (int i = 0; i < t->m->nresults; i++)
		sn_emit_result(&t->e, s, &t->m->results[i]);
}

static void
emit_tile(struct tile *t)
{
	t->scope = sn_scope_copy(&t->e, &t->outer);
	t->first_vec = 0;
	t->nvecs = t->nv;
	t->nlanes = t->lanes;
	if (t->m->reducer) {
		tile_ahead_begin(t);
		tile_reduce(t);
	}
	t->is_rolled = t->m->reducer && t->is_finished_in_loop && t->nsums > 1;
	if (t->rest) {
		/* the last vector is stored in part */
		t->nvecs = t->nv - 1;
		if (t->nvecs)
			tile_each_point(t, &t->scope, finish);
		t->first_vec = t->nv - 1;
		t->nvecs = 1;
		t->nlanes = t->rest;
	}
	tile_each_point(t, &t->scope, finish);
	t->is_rolled = false;
}

static void emit_axis(struct tile *t, int level);

static void
emit_segment(struct tile *t, int level, const struct seg *s)
{
	static const char *const names[] = { "v", "x", "y" };
	int a = t->order[level], which = a == t->k.vec ? 0 : a == t->k.row ? 1 : 2;
	bool had_parallel = t->has_parallel;
	if (sn_is_int_const(s->count, 0))
		return;
	/* overlapping steps store some elements twice, so they stay on one thread */
	enum sn_loop_kind kind = s->last ? LK_SERIAL : outer_kind(t, s->count);
	const struct sn_expr *i = sn_at_for(t->b, kind, names[which], s->count);
	const struct sn_expr *base = sn_add(t->pool, s->base,
					    sn_mulk(t->pool, i, s->size * s->lanes));
	t->at[level] = sn_addk(t->pool, i, s->before);
	t->count[level] = sn_addk(t->pool, s->count, s->before + s->after);
	if (s->last)
		base = sn_at_let(t->b, "at", sn_op2(t->pool, OP_MIN, base, s->last));
	if (which == 0) {
		t->vec_base = base;
		t->nv = s->size;
		t->lanes = s->lanes;
		t->rest = s->rest;
	} else if (which == 1) {
		t->row_base = base;
		t->rows = s->size;
	} else {
		t->row2_base = base;
		t->rows2 = s->size;
	}
	emit_axis(t, level + 1);
	sn_at_end(t->b);
	t->has_parallel = had_parallel;
}

/* Do COUNT steps of STEP suit EXTENT: one fits, and at most a quarter is done twice?  The smallest
 * step has no choice. */
static const struct sn_expr *
suits(struct sn_pool *p, const struct sn_expr *extent, const struct sn_expr *count, int64_t step,
      bool is_smallest)
{
	const struct sn_expr *fits = sn_op2(p, OP_LE, sn_int(p, step), extent);
	if (is_smallest)
		return fits;
	const struct sn_expr *done = sn_mulk(p, count, 4 * step);
	return sn_op2(p, OP_AND, fits, sn_op2(p, OP_LE, done, sn_mulk(p, extent, 5)));
}

/* EXTENT is not known: steps of SIZE * LANES of which the last overlaps, or smaller ones where those
 * don't suit, in the end single elements. */
static void
emit_unknown(struct tile *t, int level, const struct sn_expr *extent, int64_t size, int64_t lanes)
{
	struct sn_pool *p = t->pool;
	const struct sn_expr *zero = sn_int(p, 0);
	int64_t step = size * lanes, next = lanes == 1 ? tile_fewer_rows(size) : 1;
	if (step == 1) {
		emit_segment(t, level,
			     &(struct seg){ .base = zero, .count = extent, .size = 1, .lanes = 1 });
		return;
	}
	const struct sn_expr *count = sn_divk(p, sn_addk(p, extent, step - 1), step);
	sn_at_if(t->b, suits(p, extent, count, step, next == 1));
	emit_segment(t, level,
		     &(struct seg){ .base = zero,
				    .count = count,
				    .size = size,
				    .lanes = lanes,
				    .last = sn_addk(p, extent, -step) });
	sn_at_else(t->b);
	emit_unknown(t, level, extent, next, 1);
	sn_at_end(t->b);
}

/* May the lanes beyond the extent be computed, though not stored?  If what moves with them is constants
 * only: packing has padded those. */
static bool
can_pad(struct tile *t)
{
	struct tile_reads r;
	if (!t->m->reducer)
		return false;
	tile_sort_reads(t, &r);
	for (size_t i = 0; i < r.vectors.list.n; i++) {
		const struct sn_expr *x = r.vectors.list.v[i];
		if (x->tensor->role != TR_CONST
		    || tile_plain_dim(t->pool, x->tensor, x->args, t->m->axes[t->k.vec]) < 0)
			return false;
	}
	return r.both.list.n == 0;
}

/* Vectors: whole groups of nv, the remaining whole vectors, the remaining lanes. */
static void
emit_vec(struct tile *t, int level, const struct sn_expr *extent)
{
	struct sn_pool *p = t->pool;
	int64_t lanes = t->k.lanes, group = lanes * t->k.nv, n;
	if (!sn_get_int(extent, &n)) {
		emit_unknown(t, level, extent, t->k.nv, lanes);
		return;
	}
	const struct sn_expr *zero = sn_int(p, 0), *one = sn_int(p, 1);
	const struct sn_expr *base = sn_int(p, n / group * group);
	int64_t rest = n % group, part = rest % lanes;
	emit_segment(t, level,
		     &(struct seg){ .base = zero,
				    .count = sn_int(p, n / group),
				    .size = t->k.nv,
				    .lanes = lanes });
	if (part && can_pad(t)) {
		emit_segment(t, level,
			     &(struct seg){ .base = base,
					    .count = one,
					    .size = rest / lanes + 1,
					    .lanes = lanes,
					    .rest = part });
		return;
	}
	if (rest / lanes)
		emit_segment(
			t, level,
			&(struct seg){
				.base = base, .count = one, .size = rest / lanes, .lanes = lanes });
	if (part)
		emit_segment(t, level,
			     &(struct seg){ .base = sn_int(p, n - part),
					    .count = one,
					    .size = 1,
					    .lanes = part });
}

/* Rows: whole tiles and an exact tail. */
static void
emit_rows(struct tile *t, int level, const struct sn_expr *extent, int64_t rows)
{
	struct sn_pool *p = t->pool;
	int64_t n;
	if (!sn_get_int(extent, &n)) {
		emit_unknown(t, level, extent, rows, 1);
		return;
	}
	emit_segment(t, level,
		     &(struct seg){ .base = sn_int(p, 0),
				    .count = sn_int(p, n / rows),
				    .size = rows,
				    .lanes = 1,
				    .after = n % rows > 0 });
	if (n % rows)
		emit_segment(t, level,
			     &(struct seg){ .base = sn_int(p, n / rows * rows),
					    .count = sn_int(p, 1),
					    .size = n % rows,
					    .lanes = 1,
					    .before = n / rows });
}

static void
emit_axis(struct tile *t, int level)
{
	if (level == t->m->naxes) {
		emit_tile(t);
		return;
	}
	int a = t->order[level];
	const struct sn_axis *axis = t->m->axes[a];
	if (a == t->k.vec) {
		emit_vec(t, level, axis->extent);
	} else if (a == t->k.row) {
		emit_rows(t, level, axis->extent, t->k.rows);
	} else if (a == t->k.row2) {
		emit_rows(t, level, axis->extent, t->k.rows2);
	} else {
		size_t mark = t->outer.pairs.n;
		bool had_parallel = t->has_parallel;
		enum sn_loop_kind kind = outer_kind(t, axis->extent);
		t->at[level] = sn_at_for(t->b, kind, axis->name, axis->extent);
		t->count[level] = axis->extent;
		sn_scope_axis(&t->e, &t->outer, axis, t->at[level]);
		sn_emit_checks(&t->e, &t->outer, t->m);
		emit_axis(t, level + 1);
		sn_at_end(t->b);
		t->outer.pairs.n = mark;
		t->has_parallel = had_parallel;
	}
}

bool
sn_tile_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct tile t = { .c = c, .pool = c->pool, .b = b, .kernel = k, .m = k->stages.v[0] };
	tile_knobs_get(k, &t.k);
	t.nv = t.lanes = t.rows = t.rows2 = 1;
	t.vec_base = t.row_base = t.row2_base = sn_int(c->pool, 0);
	sn_emit_init(&t.e, c, k, b);
	sn_emit_halos(&t.e);
	tile_order_axes(c, t.m, &t.k, t.order);
	emit_axis(&t, 0);
	return true;
}

/* The last step along a tiled axis of unknown extent overlaps the one before. */
bool
sn_tile_repeats(struct sn_sched_ctx *c, const struct sn_kernel *k)
{
	const struct sn_comp *m = k->stages.v[0];
	struct tile_knobs t;
	(void)c;
	tile_knobs_get(k, &t);
	const int tiled[] = { t.vec, t.row, t.row2 };
	for (size_t i = 0; i < ARRAY_LEN(tiled); i++)
		if (tiled[i] >= 0 && !sn_is_const(m->axes[tiled[i]]->extent))
			return true;
	return false;
}
