/* How the operands of a group_tile come into its shared tiles. */
#include "passes/device_stage.h"
#include "ir/index.h"

/* Point AT of side I's tile as a point of the whole side: the last one for those beyond, or the first of
 * the last PIECE points. */
static const struct sn_expr *
inside(struct dt *t, int i, const struct sn_expr *at, int64_t piece)
{
	const struct sn_expr *x = sn_add(t->pool, t->base[i], at);
	if (sn_prove_divides(t->points[i], t->n.block[i]))
		return x;
	return sn_op2(t->pool, OP_MIN, x, sn_addk(t->pool, t->points[i], -piece));
}

static const struct sn_expr *
moving(struct dt *t, const struct sn_expr *base, const struct sn_expr *u, int64_t step)
{
	return sn_add(t->pool, base, sn_mulk(t->pool, u, step));
}

/* The first read of side I's value that moves with the side. */
static const struct sn_expr *
main_read(struct dt *t, int i)
{
	struct sn_read_list reads = { 0 };
	const struct dt_side *s = &t->s.side[i];
	sn_reads_of(s->value, t->c->scratch, &reads);
	for (size_t r = 0; r < reads.list.n; r++)
		for (int v = 0; v < s->naxes; v++)
			if (sn_expr_has_axis(reads.list.v[r], s->axes[v]))
				return reads.list.v[r];
	return NULL;
}

/* Strides that don't scatter items over memory. */
enum { SHORT_STRIDE = 4 };

/* Contiguous along the innermost reduction axis, and not nearly so along its own? */
static bool
is_red_fast(struct dt *t, int i)
{
	const struct dt_side *s = &t->s.side[i];
	const struct sn_expr *x = main_read(t, i);
	int64_t stride;
	if (!x || !dt_is_unit(t->pool, x, t->s.red[t->s.nred - 1]))
		return false;
	return !dt_stride(t->pool, x, s->axes[s->naxes - 1], &stride) || stride > SHORT_STRIDE;
}

/* Several axes that move with u: their values are worked out once, before the reduction. */
static void
plan_places(struct dt *t, int i)
{
	const struct dt_side *s = &t->s.side[i];
	struct stage *g = &t->stage[i];
	for (int v = 0; v < s->naxes; v++)
		g->places[v] = sn_at_alloc(t->b, SP_REG, s->axes[v]->name, DT_I64, 1, &g->count);
	struct sn_scope at = { 0 };
	const struct sn_expr *u = sn_at_for(t->b, LK_UNROLLED, "u", sn_int(t->pool, g->count));
	const struct sn_expr *x = inside(t, i, moving(t, g->at, u, g->step), 1);
	sn_device_spread(&t->e, &at, s->axes, 0, s->naxes, sn_device_named(t->b, "at", x));
	for (int v = 0; v < s->naxes; v++)
		sn_at_store(t->b, g->places[v], &u,
			    sn_emit_expr(&t->e, &at, sn_axis_expr(t->pool, s->axes[v])));
	sn_at_end(t->b);
}

/* Elements of side I side by side along AXIS, and of its tile's WIDE: as many as a vector has where all
 * that is read moves so, in whole vectors, inside its tensor; else 1. */
static int64_t
lanes_along(struct dt *t, int i, const struct sn_axis *axis, int64_t wide)
{
	int64_t lanes = t->n.lanes;
	struct sn_read_list reads = { 0 };
	if (lanes == 1 || !sn_prove_divides(axis->extent, lanes) || wide % lanes != 0
	    || t->items % (wide / lanes) != 0 || t->n.block[i] * t->n.bk % (t->items * lanes) != 0)
		return 1;
	sn_reads_of(t->s.side[i].value, t->c->scratch, &reads);
	for (size_t r = 0; r < reads.list.n; r++) {
		const struct sn_expr *x = reads.list.v[r];
		if (sn_expr_has_axis(x, axis)
		    && (sn_read_guards(t->pool, x) || !dt_is_unit(t->pool, x, axis)))
			return 1;
	}
	return lanes;
}

void
dt_plan_stage(struct dt *t, int i)
{
	const struct dt_side *s = &t->s.side[i];
	struct stage *g = &t->stage[i];
	g->is_own_fast = !is_red_fast(t, i);
	int64_t wide = g->is_own_fast ? t->n.block[i] : t->n.bk;
	g->lanes = lanes_along(
		t, i, g->is_own_fast ? s->axes[s->naxes - 1] : t->s.red[t->s.nred - 1], wide);
	const struct sn_expr *near = sn_modk(t->pool, t->item, wide / g->lanes);
	const struct sn_expr *far = sn_divk(t->pool, t->item, wide / g->lanes);
	near = sn_mulk(t->pool, near, g->lanes);
	g->count = t->n.block[i] * t->n.bk / (t->items * g->lanes);
	g->step = t->items / (wide / g->lanes);
	g->kk = g->is_own_fast ? far : near;
	g->at = g->is_own_fast ? near : far;
	if (g->is_own_fast)
		sn_device_spread(&t->e, &g->own, s->axes, 0, s->naxes,
				 sn_device_named(t->b, i == DT_Y ? "y" : "x",
						 inside(t, i, g->at, g->lanes)));
	else if (s->naxes > 1)
		plan_places(t, i);
}

void
dt_alloc_next(struct dt *t, int i)
{
	struct stage *g = &t->stage[i];
	bool is_flat = g->lanes == 1 || !g->is_own_fast;
	int64_t dims[2] = { is_flat ? g->count * g->lanes : g->count, g->lanes };
	g->next = sn_at_alloc(t->b, g->lanes > 1 && is_flat ? SP_STACK : SP_REG,
			      i == DT_Y ? "yn" : "xn", (enum sn_dtype)t->s.side[i].value->dtype,
			      is_flat ? 1 : 2, dims);
}

/* Where element L of piece U waits in registers. */
static void
next_at(struct dt *t, const struct stage *g, const struct sn_expr *u, const struct sn_expr *l,
	const struct sn_expr **out)
{
	bool is_flat = g->lanes == 1 || !g->is_own_fast;
	out[0] = is_flat ? sn_add(t->pool, sn_mulk(t->pool, u, g->lanes), l) : u;
	out[1] = is_flat ? NULL : l;
}

/* The value of AXIS in S, L further on. */
static void
shift(struct dt *t, struct sn_scope *s, const struct sn_axis *axis, const struct sn_expr *l)
{
	const struct sn_expr *x = sn_axis_expr(t->pool, axis);
	for (size_t k = s->pairs.n; k-- > 0;)
		if (s->pairs.v[k].from == x) {
			s->pairs.v[k].to = sn_add(t->pool, s->pairs.v[k].to, l);
			return;
		}
}

/* The axes of side I for element U. */
static void
put_own(struct dt *t, int i, struct sn_scope *s, const struct sn_expr *u)
{
	const struct dt_side *side = &t->s.side[i];
	const struct stage *g = &t->stage[i];
	for (size_t k = 0; g->is_own_fast && k < g->own.pairs.n; k++)
		sn_scope_put(&t->e, s, g->own.pairs.v[k].from, g->own.pairs.v[k].to);
	if (g->is_own_fast)
		return;
	if (side->naxes == 1)
		sn_scope_axis(&t->e, s, side->axes[0],
			      inside(t, i, moving(t, g->at, u, g->step), 1));
	for (int v = 0; side->naxes > 1 && v < side->naxes; v++)
		sn_scope_axis(&t->e, s, side->axes[v],
			      sn_at_load(t->b, side->axes[v]->name, g->places[v], &u));
}

const struct sn_expr *
dt_tiled_points(struct dt *t)
{
	return sn_device_points(t->pool, t->s.red + t->s.first_tiled, t->s.nred - t->s.first_tiled);
}

/* Loads side I's elements of the tile at step KBASE of the tiled reduction axes. */
static void
fetch_side(struct dt *t, int i, const struct sn_expr *kbase, bool is_rest)
{
	struct stage *g = &t->stage[i];
	const struct dt_side *side = &t->s.side[i];
	int64_t piece = g->is_own_fast ? 1 : g->lanes;
	const struct sn_expr *u = sn_at_for(t->b, LK_UNROLLED, "u", sn_int(t->pool, g->count));
	const struct sn_expr *kk = g->is_own_fast ? moving(t, g->kk, u, g->step) : g->kk;
	const struct sn_expr *q = sn_add(t->pool, kbase, kk), *at[2];
	struct sn_scope s = sn_scope_copy(&t->e, &t->scope);
	if (is_rest)
		q = sn_op2(t->pool, OP_MIN, q, sn_addk(t->pool, dt_tiled_points(t), -piece));
	if (t->s.nred - t->s.first_tiled > 1)
		q = sn_device_named(t->b, "k", q);
	sn_device_spread(&t->e, &s, t->s.red, t->s.first_tiled, t->s.nred, q);
	put_own(t, i, &s, u);
	const struct sn_expr *l = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, g->lanes));
	if (g->lanes > 1)
		shift(t, &s, g->is_own_fast ? side->axes[side->naxes - 1] : t->s.red[t->s.nred - 1],
		      l);
	next_at(t, g, u, l, at);
	sn_at_store(t->b, g->next, at, sn_emit_expr(&t->e, &s, side->value));
	sn_at_end(t->b);
	sn_at_end(t->b);
}

/* Stores what was loaded in shared tile AT of side I: vectors along the tile's rows, else one by one. */
static void
put_side(struct dt *t, int i, const struct sn_expr *at)
{
	struct stage *g = &t->stage[i];
	const struct sn_expr *u = sn_at_for(t->b, LK_UNROLLED, "u", sn_int(t->pool, g->count));
	const struct sn_expr *l = sn_at_for(t->b, g->is_own_fast ? LK_VECTOR : LK_UNROLLED, "l",
					    sn_int(t->pool, g->lanes));
	const struct sn_expr *to[3] = { at, g->kk, g->at }, *from[2];
	int moved = g->is_own_fast ? 1 : 2;
	to[moved] = moving(t, to[moved], u, g->step);
	to[3 - moved] = sn_add(t->pool, to[3 - moved], l);
	next_at(t, g, u, l, from);
	sn_at_store(t->b, g->shared, to, sn_at_load(t->b, "next", g->next, from));
	sn_at_end(t->b);
	sn_at_end(t->b);
}

/* Whole tiles number KT of all reduction axes, or what is left after all of them (REST). */
void
dt_fetch(struct dt *t, const struct sn_expr *kt, bool is_rest)
{
	struct sn_pool *p = t->pool;
	size_t mark = t->scope.pairs.n;
	const struct sn_expr *tile = kt;
	if (t->s.first_tiled > 0) {
		const struct sn_expr *each = sn_divk(p, dt_tiled_points(t), t->n.bk);
		kt = sn_device_named(t->b, "kt", kt);
		tile = sn_op2(p, OP_MOD, kt, each);
		sn_device_spread(&t->e, &t->scope, t->s.red, 0, t->s.first_tiled,
				 sn_op2(p, OP_FLOORDIV, kt, each));
	}
	for (int i = 0; i < DT_SIDES; i++)
		fetch_side(t, i, sn_mulk(p, tile, t->n.bk), is_rest);
	t->scope.pairs.n = mark;
}

void
dt_put(struct dt *t, const struct sn_expr *at)
{
	for (int i = 0; i < DT_SIDES; i++)
		put_side(t, i, at);
}
