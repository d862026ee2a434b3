/*
 * The turn schedule: maps that read along one axis and store along another.
 *
 *	grid g < others * tiles of a * tiles of b
 *	  shared tile[32, 33]
 *	  item i < 32 * 8
 *	    for u < 4: tile[i//32 + 8*u, i%32] = the read at a + i%32, b + i//32 + 8*u
 *	    barrier
 *	    for u < 4: results at a + i//32 + 8*u, b + i%32, if inside, from tile[i%32, ...]
 *
 * Results are contiguous along b, the reads that are staged along a.
 */
#include "ir/index.h"
#include "passes/device_tile.h"

/* Extent of a tile, elements between its rows, items along the other side, most reads staged. */
enum { TILE = 32, ROW = TILE + 1, ACROSS = 8, MOST_STAGED = 4 };

struct turn {
	struct sn_sched_ctx *c;
	struct sn_emit e;
	const struct sn_comp *m;
	const struct sn_axis *a, *b;
	const struct sn_expr *staged[MOST_STAGED];
	const struct sn_buffer *tiles[MOST_STAGED];
	int nstaged;
	const struct sn_expr *a0, *b0;
	struct sn_scope others;
};

/* ---- what is turned ---- */

static const struct sn_axis *
unit_axis(struct sn_pool *p, const struct sn_comp *m, const struct sn_expr *read)
{
	for (int i = 0; i < m->naxes; i++)
		if (dt_is_unit(p, read, m->axes[i]))
			return m->axes[i];
	return NULL;
}

static const struct sn_expr *
as_read(struct sn_pool *p, const struct sn_result *r)
{
	return sn_read(p, r->tensor, r->idx, r->tensor->type.rank, NULL);
}

/* READ is staged if it is contiguous along another axis than B; false: there is no room. */
static bool
add_read(struct turn *t, const struct sn_expr *read)
{
	const struct sn_axis *a = unit_axis(t->c->pool, t->m, read);
	for (int i = 0; i < t->nstaged; i++)
		if (t->staged[i] == read)
			return true;
	if (!a || a == t->b || !sn_expr_has_axis(read, t->b) || (t->a && a != t->a))
		return true;
	if (t->nstaged == MOST_STAGED)
		return false;
	t->a = a;
	t->staged[t->nstaged++] = read;
	return true;
}

static bool
find_staged(struct turn *t)
{
	struct sn_pool *p = t->c->pool;
	t->b = unit_axis(p, t->m, as_read(p, &t->m->results[0]));
	for (int i = 0; t->b && i < t->m->nresults; i++) {
		struct sn_read_list reads = { 0 };
		sn_reads_of(t->m->results[i].value, t->c->scratch, &reads);
		for (size_t r = 0; r < reads.list.n; r++)
			if (!add_read(t, reads.list.v[r]))
				return false;
	}
	return t->nstaged > 0;
}

static int64_t
bytes_of(const struct turn *t)
{
	int64_t bytes = 0;
	for (int i = 0; i < t->nstaged; i++)
		bytes += TILE * ROW
			 * ((sn_dtype_info((enum sn_dtype)t->staged[i]->dtype)->bits + 7) / 8);
	return bytes;
}

static bool
is_long(const struct sn_axis *a)
{
	int64_t n;
	return !sn_get_int(a->extent, &n) || n >= TILE / 2;
}

double
sn_device_turn_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	struct turn t = { .c = c, .m = k->stages.v[0] };
	const struct sn_comp *m = t.m;
	if (k->stages.n != 1 || m->reducer || sn_device_shares_bytes(k) || !find_staged(&t)
	    || !is_long(t.a) || !is_long(t.b) || bytes_of(&t) > c->target->local_bytes
	    || c->target->group_items < TILE * ACROSS)
		return -1;
	double points = sn_rows_points(m->axes, 0, m->naxes);
	return sn_device_cost(c->target, sn_rows_scalar_cost(k) * 1.5, points < 1 ? 1 : points);
}

/* ---- loops ---- */

/* Grid loop and place; the other axes come into scope. */
static void
open_group(struct turn *t)
{
	struct sn_pool *p = t->c->pool;
	struct sn_builder *b = t->e.b;
	const struct sn_axis *others[SN_MAX_AXES];
	int n = 0;
	for (int i = 0; i < t->m->naxes; i++)
		if (t->m->axes[i] != t->a && t->m->axes[i] != t->b)
			others[n++] = t->m->axes[i];
	const struct sn_expr *na = sn_divk(p, sn_addk(p, t->a->extent, TILE - 1), TILE);
	const struct sn_expr *nb = sn_divk(p, sn_addk(p, t->b->extent, TILE - 1), TILE);
	const struct sn_expr *groups = sn_mul(p, sn_mul(p, na, nb), sn_device_points(p, others, n));
	const struct sn_axis *g = sn_axis_new(p, "g", groups);
	sn_at_for_axis(b, LK_GRID, g);
	const struct sn_expr *at = sn_axis_expr(p, g), *rest = sn_op2(p, OP_FLOORDIV, at, nb);
	t->b0 = sn_at_let(b, "b0", sn_mulk(p, sn_op2(p, OP_MOD, at, nb), TILE));
	t->a0 = sn_at_let(b, "a0", sn_mulk(p, sn_op2(p, OP_MOD, rest, na), TILE));
	rest = sn_op2(p, OP_FLOORDIV, rest, na);
	sn_device_spread(&t->e, &t->others, others, 0, n, sn_device_named(b, "other", rest));
}

static const struct sn_expr *
inside(struct sn_pool *p, const struct sn_expr *x, const struct sn_axis *a)
{
	if (sn_prove_divides(a->extent, TILE))
		return x;
	return sn_op2(p, OP_MIN, x, sn_addk(p, a->extent, -1));
}

/* The item's elements of all tiles, NEAR along a. */
static void
emit_stage(struct turn *t, const struct sn_expr *near, const struct sn_expr *far)
{
	struct sn_pool *p = t->c->pool;
	const struct sn_expr *u = sn_at_for(t->e.b, LK_UNROLLED, "u", sn_int(p, TILE / ACROSS));
	const struct sn_expr *to[2] = { sn_add(p, far, sn_mulk(p, u, ACROSS)), near };
	struct sn_scope s = sn_scope_copy(&t->e, &t->others);
	sn_scope_axis(&t->e, &s, t->a, inside(p, sn_add(p, t->a0, to[1]), t->a));
	sn_scope_axis(&t->e, &s, t->b, inside(p, sn_add(p, t->b0, to[0]), t->b));
	for (int i = 0; i < t->nstaged; i++)
		sn_at_store(t->e.b, t->tiles[i], to, sn_emit_expr(&t->e, &s, t->staged[i]));
	sn_at_end(t->e.b);
}

static bool
open_guard(struct turn *t, const struct sn_expr *x, const struct sn_axis *a)
{
	if (sn_prove_divides(a->extent, TILE))
		return false;
	sn_at_if(t->e.b, sn_op2(t->c->pool, OP_LT, x, a->extent));
	return true;
}

static void
emit_store(struct turn *t, const struct sn_expr *near, const struct sn_expr *far)
{
	struct sn_pool *p = t->c->pool;
	const struct sn_expr *u = sn_at_for(t->e.b, LK_UNROLLED, "u", sn_int(p, TILE / ACROSS));
	const struct sn_expr *from[2] = { near, sn_add(p, far, sn_mulk(p, u, ACROSS)) };
	const struct sn_expr *a = sn_add(p, t->a0, from[1]), *b = sn_add(p, t->b0, from[0]);
	struct sn_scope s = sn_scope_copy(&t->e, &t->others);
	int guards = open_guard(t, a, t->a) + open_guard(t, b, t->b);
	sn_scope_axis(&t->e, &s, t->a, a);
	sn_scope_axis(&t->e, &s, t->b, b);
	for (int i = 0; i < t->nstaged; i++)
		sn_scope_put(&t->e, &s, t->staged[i],
			     sn_at_load(t->e.b, t->staged[i]->tensor->name, t->tiles[i], from));
	for (int i = 0; i < t->m->nresults; i++)
		sn_emit_result(&t->e, &s, &t->m->results[i]);
	for (; guards > 0; guards--)
		sn_at_end(t->e.b);
	sn_at_end(t->e.b);
}

bool
sn_device_turn_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct turn t = { .c = c, .m = k->stages.v[0] };
	struct sn_pool *p = c->pool;
	find_staged(&t);
	sn_emit_init(&t.e, c, k, b);
	open_group(&t);
	for (int i = 0; i < t.nstaged; i++)
		t.tiles[i] = sn_at_alloc(b, SP_SHARED, "tile", (enum sn_dtype)t.staged[i]->dtype, 2,
					 (int64_t[]){ TILE, ROW });
	const struct sn_axis *i = sn_axis_new(p, "i", sn_int(p, TILE * ACROSS));
	sn_at_for_axis(b, LK_ITEM, i);
	const struct sn_expr *near = sn_modk(p, sn_axis_expr(p, i), TILE);
	const struct sn_expr *far = sn_divk(p, sn_axis_expr(p, i), TILE);
	emit_stage(&t, near, far);
	sn_at_barrier(b, SN_ORDERS_SHARED);
	emit_store(&t, near, far);
	sn_at_end(b);
	sn_at_end(b);
	return true;
}
