/* Loops of the group_tile schedule (passes/device_tile.h draws them). */
#include "ir/index.h"
#include "passes/device_stage.h"

/* Products in one running sum before it is added to a total. */
enum { SUM_BLOCK = 64 };

typedef void (*point_fn)(struct dt *t, const struct sn_expr *const *idx);

/* All accumulators of an item. */
static void
each_acc(struct dt *t, point_fn f)
{
	const struct sn_expr *idx[3];
	idx[0] = sn_at_for(t->b, LK_UNROLLED, "p", sn_int(t->pool, t->n.item[DT_Y]));
	idx[1] = sn_at_for(t->b, LK_UNROLLED, "q", sn_int(t->pool, t->nvecs));
	idx[2] = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, t->n.lanes));
	f(t, idx);
	for (int i = 0; i < 3; i++)
		sn_at_end(t->b);
}

static void
init_acc(struct dt *t, const struct sn_expr *const *idx)
{
	sn_emit_acc_init(&t->e, t->m->reducer, &t->acc, idx);
}

static void
init_total(struct dt *t, const struct sn_expr *const *idx)
{
	sn_emit_acc_init(&t->e, t->m->reducer, &t->total, idx);
}

static void
flush(struct dt *t, const struct sn_expr *const *idx)
{
	sn_emit_acc_merge(&t->e, t->m->reducer, &t->total, idx, &t->acc, idx);
}

/* ---- the reduction ---- */

/* What the item needs of side I's tile AT[0], row AT[1], in registers: PIECES of LANES, side by side
 * (rows) or each among those of the other items (columns). Rows are used one by one, hence in an array
 * without vectors. */
static struct sn_buffer *
load_row(struct dt *t, int i, const struct sn_expr *const *at, int64_t pieces, int64_t lanes)
{
	static const char *const names[] = { "ya", "xa" };
	bool is_flat = i == DT_Y || lanes == 1;
	int64_t dims[2] = { is_flat ? pieces * lanes : pieces, lanes };
	int64_t every = i == DT_X ? t->n.block[i] / pieces : lanes;
	struct sn_buffer *buf = sn_at_alloc(t->b, is_flat ? SP_STACK : SP_REG, names[i],
					    (enum sn_dtype)t->s.side[i].value->dtype,
					    is_flat ? 1 : 2, dims);
	const struct sn_expr *idx[2], *from[3] = { at[0], at[1] };
	idx[0] = sn_at_for(t->b, LK_UNROLLED, "j", sn_int(t->pool, pieces));
	idx[1] = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, lanes));
	from[2] = sn_add(t->pool, t->first[i],
			 sn_add(t->pool, sn_mulk(t->pool, idx[0], every), idx[1]));
	const struct sn_expr *x = sn_at_load(t->b, names[i], t->stage[i].shared, from);
	if (is_flat)
		idx[0] = sn_add(t->pool, sn_mulk(t->pool, idx[0], lanes), idx[1]);
	sn_at_store(t->b, buf, idx, x);
	sn_at_end(t->b);
	sn_at_end(t->b);
	return buf;
}

/* One product each of row AT[1] of tile AT[0]. */
static void
products(struct dt *t, const struct sn_expr *const *at)
{
	int64_t rows = t->n.item[DT_Y], lanes = rows % t->n.lanes ? 1 : t->n.lanes;
	const struct sn_buffer *ya = load_row(t, DT_Y, at, rows / lanes, lanes);
	const struct sn_buffer *xa = load_row(t, DT_X, at, t->nvecs, t->n.lanes);
	const struct sn_expr *idx[3];
	idx[0] = sn_at_for(t->b, LK_UNROLLED, "p", sn_int(t->pool, t->n.item[DT_Y]));
	const struct sn_expr *y = sn_at_load(t->b, ya->name, ya, idx);
	idx[1] = sn_at_for(t->b, LK_UNROLLED, "q", sn_int(t->pool, t->nvecs));
	idx[2] = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, t->n.lanes));
	const struct sn_expr *x = sn_at_load(t->b, xa->name, xa, idx + 1);
	const struct sn_expr *arg = sn_op2(t->pool, OP_MUL, y, x);
	sn_emit_acc_step(&t->e, t->m->reducer, &t->acc, idx, &arg);
	for (int i = 0; i < 3; i++)
		sn_at_end(t->b);
}

/* STEPS rows of tile TILE; NULL: all. */
static void
multiply(struct dt *t, const struct sn_expr *tile, const struct sn_expr *steps)
{
	const struct sn_expr *at[2] = { tile, NULL };
	at[1] = steps ? sn_at_for(t->b, LK_SERIAL, "k", steps)
		      : sn_at_for(t->b, LK_UNROLLED, "k", sn_int(t->pool, t->n.bk));
	products(t, at);
	sn_at_end(t->b);
}

/* Whole tile KT of N: the next one is fetched meanwhile where there is a second shared tile for it. */
static void
tile_step(struct dt *t, const struct sn_expr *kt, const struct sn_expr *n)
{
	struct sn_pool *p = t->pool;
	const struct sn_expr *zero = sn_int(p, 0), *next = sn_addk(p, kt, 1);
	if (!t->n.is_double) {
		dt_fetch(t, kt, false);
		dt_put(t, zero);
		sn_at_barrier(t->b, SN_ORDERS_SHARED);
		multiply(t, zero, NULL);
		sn_at_barrier(t->b, SN_ORDERS_SHARED);
		return;
	}
	dt_fetch(t, sn_op2(p, OP_MIN, next, sn_addk(p, n, -1)), false);
	multiply(t, sn_modk(p, kt, 2), NULL);
	dt_put(t, sn_modk(p, next, 2));
	sn_at_barrier(t->b, SN_ORDERS_SHARED);
}

/* COUNT whole tiles from tile FIRST on, of N. */
static void
whole_tiles(struct dt *t, const struct sn_expr *first, const struct sn_expr *count,
	    const struct sn_expr *n)
{
	if (sn_is_int_const(count, 0))
		return;
	const struct sn_expr *i = sn_at_for(t->b, LK_SERIAL, "kt", count);
	tile_step(t, sn_add(t->pool, first, i), n);
	sn_at_end(t->b);
}

/* Opens an if unless N, which may be known, is more than 0; false: it is 0, nothing to do. */
static bool
open_any(struct dt *t, const struct sn_expr *n, bool *out_is_open)
{
	int64_t x;
	bool is_known = sn_get_int(n, &x);
	*out_is_open = !is_known;
	if (!is_known)
		sn_at_if(t->b, sn_op2(t->pool, OP_LT, sn_int(t->pool, 0), n));
	return !is_known || x > 0;
}

/* What is left after FULL whole tiles. */
static void
last_tile(struct dt *t, const struct sn_expr *full, const struct sn_expr *rest)
{
	const struct sn_expr *zero = sn_int(t->pool, 0);
	bool is_open;
	if (!open_any(t, rest, &is_open))
		return;
	dt_fetch(t, full, true);
	dt_put(t, zero);
	sn_at_barrier(t->b, SN_ORDERS_SHARED);
	multiply(t, zero, rest);
	if (is_open)
		sn_at_end(t->b);
}

/* The first tile, before any is multiplied. */
static void
first_tile(struct dt *t, const struct sn_expr *full)
{
	bool is_open;
	if (!t->n.is_double || !open_any(t, full, &is_open))
		return;
	dt_fetch(t, sn_int(t->pool, 0), false);
	dt_put(t, sn_int(t->pool, 0));
	sn_at_barrier(t->b, SN_ORDERS_SHARED);
	if (is_open)
		sn_at_end(t->b);
}

/* Tiles in one running sum: about SUM_BLOCK products; a number that divides FULL, so that the loops are
 * not written twice. */
static int64_t
tiles_of_sum(struct dt *t, const struct sn_expr *full)
{
	int64_t every = SUM_BLOCK / t->n.bk > 1 ? SUM_BLOCK / t->n.bk : 1, n;
	if (!sn_get_int(full, &n) || n == 0)
		return every;
	for (int64_t i = 0; i <= every; i++) {
		if (n % (every + i) == 0)
			return every + i;
		if (every - i > 1 && n % (every - i) == 0)
			return every - i;
	}
	return every;
}

/* All tiles, with a sum of its own for every SUM_BLOCK products. */
static void
all_tiles(struct dt *t)
{
	struct sn_pool *p = t->pool;
	int64_t n;
	const struct sn_expr *outer = sn_device_points(p, t->s.red, t->s.first_tiled);
	const struct sn_expr *full = sn_mul(p, outer, sn_divk(p, dt_tiled_points(t), t->n.bk));
	const struct sn_expr *rest = sn_modk(p, dt_tiled_points(t), t->n.bk), *zero = sn_int(p, 0);
	int64_t every = tiles_of_sum(t, full);
	first_tile(t, full);
	if (!t->has_total) {
		whole_tiles(t, zero, full, full);
		last_tile(t, full, rest);
		return;
	}
	const struct sn_expr *blocks = sn_divk(p, full, every);
	if (!sn_is_int_const(blocks, 0)) {
		const struct sn_expr *o = sn_at_for(t->b, LK_SERIAL, "o", blocks);
		each_acc(t, init_acc);
		whole_tiles(t, sn_mulk(p, o, every), sn_int(p, every), full);
		each_acc(t, flush);
		sn_at_end(t->b);
	}
	const struct sn_expr *more = sn_modk(p, full, every);
	if (sn_get_int(more, &n) && n == 0 && sn_is_int_const(rest, 0))
		return;
	each_acc(t, init_acc);
	whole_tiles(t, sn_mulk(p, blocks, every), more, full);
	last_tile(t, full, rest);
	each_acc(t, flush);
}

static bool
has_long_sum(struct dt *t)
{
	int64_t n;
	bool is_known = sn_get_int(sn_device_points(t->pool, t->s.red, t->s.nred), &n);
	return sn_is_float(t->m->reducer->state_types[0]) && (!is_known || n > SUM_BLOCK);
}

static void
reduce(struct dt *t)
{
	int64_t dims[3] = { t->n.item[DT_Y], t->nvecs, t->n.lanes };
	int rank = t->n.lanes == 1 ? 2 : 3;
	t->has_total = has_long_sum(t);
	sn_emit_acc_alloc(&t->e, t->m->reducer, SP_REG, rank, dims, &t->acc);
	if (t->has_total)
		sn_emit_acc_alloc(&t->e, t->m->reducer, SP_REG, rank, dims, &t->total);
	each_acc(t, t->has_total ? init_total : init_acc);
	for (int i = 0; i < DT_SIDES; i++)
		dt_alloc_next(t, i);
	all_tiles(t);
}

/* ---- results ---- */

static void
store_results(struct dt *t, struct sn_scope *s, const struct sn_acc *acc,
	      const struct sn_expr *const *idx)
{
	sn_emit_acc_states(&t->e, t->m->reducer, acc, idx, s);
	for (int i = 0; i < t->m->nresults; i++)
		sn_emit_result(&t->e, s, &t->m->results[i]);
}

/* Opens an if where point X of side I, and what follows in its piece, may lie outside. */
static bool
open_guard(struct dt *t, int i, const struct sn_expr *x, int64_t piece)
{
	if (sn_prove_divides(t->points[i], t->n.block[i] / piece))
		return false;
	sn_at_if(t->b, sn_op2(t->pool, OP_LT, x, t->points[i]));
	return true;
}

/* The columns as axes, at point X of them all. */
static void
put_columns(struct dt *t, struct sn_scope *s, const struct sn_expr *x)
{
	sn_device_spread(&t->e, s, t->s.side[DT_X].axes, 0, t->s.side[DT_X].naxes, x);
}

/* Do results move by one with the columns, all flattened, whole vectors being inside? */
static bool
stores_vectors(struct dt *t)
{
	struct sn_pool *p = t->pool;
	const struct sn_axis *flat = sn_axis_new(p, "x", t->points[DT_X]);
	struct sn_scope s = { 0 };
	if (t->n.lanes == 1 || !sn_prove_divides(t->points[DT_X], t->n.lanes))
		return false;
	put_columns(t, &s, sn_axis_expr(p, flat));
	for (int i = 0; i < t->m->nresults; i++) {
		const struct sn_result *r = &t->m->results[i];
		const struct sn_expr *idx[SN_MAX_RANK];
		for (int d = 0; d < r->tensor->type.rank; d++)
			idx[d] = sn_emit_expr(&t->e, &s, r->idx[d]);
		if (!dt_is_unit(p, sn_read(p, r->tensor, idx, r->tensor->type.rank, NULL), flat))
			return false;
	}
	return true;
}

static void
store_vector(struct dt *t, const struct sn_scope *row, const struct sn_expr *x,
	     const struct sn_expr **idx)
{
	struct sn_scope s = sn_scope_copy(&t->e, row);
	bool has_guard = open_guard(t, DT_X, x, 1);
	x = sn_device_named(t->b, "x", x);
	idx[2] = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, t->n.lanes));
	put_columns(t, &s, sn_add(t->pool, x, idx[2]));
	store_results(t, &s, t->has_total ? &t->total : &t->acc, idx);
	sn_at_end(t->b);
	if (has_guard)
		sn_at_end(t->b);
}

/* One element after the other: the states of a vector go through an array. */
static void
store_elements(struct dt *t, const struct sn_scope *row, const struct sn_expr *x,
	       const struct sn_expr **idx)
{
	const struct sn_acc *acc = t->has_total ? &t->total : &t->acc;
	struct sn_scope s = sn_scope_copy(&t->e, row);
	struct sn_acc out = { .n = 1 };
	out.buf[0] = sn_at_alloc(t->b, SP_STACK, "out", t->m->reducer->state_types[0], 1,
				 &t->n.lanes);
	idx[2] = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, t->n.lanes));
	sn_at_store(t->b, out.buf[0], &idx[2], sn_at_load(t->b, "sum", acc->buf[0], idx));
	sn_at_end(t->b);
	idx[2] = sn_at_for(t->b, LK_UNROLLED, "l", sn_int(t->pool, t->n.lanes));
	x = sn_device_named(t->b, "x", sn_add(t->pool, x, idx[2]));
	bool has_guard = open_guard(t, DT_X, x, 1);
	put_columns(t, &s, x);
	store_results(t, &s, &out, &idx[2]);
	if (has_guard)
		sn_at_end(t->b);
	sn_at_end(t->b);
}

static void
store_all(struct dt *t)
{
	const struct dt_side *side = &t->s.side[DT_Y];
	const struct sn_expr *idx[3];
	struct sn_scope row = sn_scope_copy(&t->e, &t->scope);
	idx[0] = sn_at_for(t->b, LK_UNROLLED, "p", sn_int(t->pool, t->n.item[DT_Y]));
	const struct sn_expr *y = sn_add(t->pool, t->base[DT_Y],
					 sn_add(t->pool, t->first[DT_Y], idx[0]));
	bool has_guard = open_guard(t, DT_Y, y, 1);
	if (side->naxes > 1)
		y = sn_device_named(t->b, "y", y);
	sn_device_spread(&t->e, &row, side->axes, 0, side->naxes, y);
	idx[1] = sn_at_for(t->b, LK_UNROLLED, "q", sn_int(t->pool, t->nvecs));
	const struct sn_expr *x = sn_add(t->pool, t->base[DT_X], t->first[DT_X]);
	x = sn_add(t->pool, x, sn_mulk(t->pool, idx[1], t->n.block[DT_X] / t->nvecs));
	if (stores_vectors(t))
		store_vector(t, &row, x, idx);
	else
		store_elements(t, &row, x, idx);
	sn_at_end(t->b);
	if (has_guard)
		sn_at_end(t->b);
	sn_at_end(t->b);
}

/* ---- the function ---- */

static const struct sn_expr *
tiles_of(struct dt *t, int i)
{
	return sn_divk(t->pool, sn_addk(t->pool, t->points[i], t->n.block[i] - 1), t->n.block[i]);
}

/* Grid loop, its place, shared tiles. */
static void
open_group(struct dt *t)
{
	struct sn_pool *p = t->pool;
	const struct sn_expr *nx = tiles_of(t, DT_X), *ny = tiles_of(t, DT_Y);
	const struct sn_expr *groups = sn_mul(p, nx, ny);
	groups = sn_mul(p, groups, sn_device_points(p, t->s.batch, t->s.nbatch));
	const struct sn_axis *g = sn_axis_new(p, "g", groups);
	sn_at_for_axis(t->b, LK_GRID, g);
	const struct sn_expr *at = sn_axis_expr(p, g), *rest = sn_op2(p, OP_FLOORDIV, at, nx);
	t->base[DT_X] = sn_device_named(t->b, "x0",
					sn_mulk(p, sn_op2(p, OP_MOD, at, nx), t->n.block[DT_X]));
	t->base[DT_Y] = sn_device_named(t->b, "y0",
					sn_mulk(p, sn_op2(p, OP_MOD, rest, ny), t->n.block[DT_Y]));
	rest = sn_op2(p, OP_FLOORDIV, rest, ny);
	sn_device_spread(&t->e, &t->scope, t->s.batch, 0, t->s.nbatch,
			 sn_device_named(t->b, "batch", rest));
	for (int i = 0; i < DT_SIDES; i++) {
		int64_t dims[3] = { t->n.is_double ? 2 : 1, t->n.bk, t->n.block[i] + DT_PAD };
		t->stage[i].shared = sn_at_alloc(t->b, SP_SHARED, i == DT_Y ? "ys" : "xs",
						 (enum sn_dtype)t->s.side[i].value->dtype, 3, dims);
		t->stage[i].shared->align = 16;
	}
}

static void
open_items(struct dt *t)
{
	struct sn_pool *p = t->pool;
	int64_t across = t->n.block[DT_X] / t->n.item[DT_X];
	const struct sn_axis *i = sn_axis_new(p, "i", sn_int(p, t->items));
	sn_at_for_axis(t->b, LK_ITEM, i);
	t->item = sn_axis_expr(p, i);
	const struct sn_expr *row = sn_divk(p, t->item, across), *col = sn_modk(p, t->item, across);
	t->first[DT_Y] = sn_mulk(p, row, t->n.item[DT_Y]);
	t->first[DT_X] = sn_mulk(p, col, t->n.lanes);
}

bool
sn_device_tile_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct dt t = { .c = c, .pool = c->pool, .b = b, .m = k->stages.v[0] };
	dt_knobs_get(k, &t.n);
	dt_shape_of(c, k, t.n.bk, &t.s);
	t.nvecs = t.n.item[DT_X] / t.n.lanes;
	t.items = t.n.block[DT_Y] / t.n.item[DT_Y] * (t.n.block[DT_X] / t.n.item[DT_X]);
	for (int i = 0; i < DT_SIDES; i++)
		t.points[i] = sn_device_points(c->pool, t.s.side[i].axes, t.s.side[i].naxes);
	sn_emit_init(&t.e, c, k, b);
	open_group(&t);
	open_items(&t);
	for (int i = 0; i < DT_SIDES; i++)
		dt_plan_stage(&t, i);
	reduce(&t);
	store_all(&t);
	sn_at_end(b);
	sn_at_end(b);
	return true;
}
