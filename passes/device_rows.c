/*
 * The group_rows schedule: rows by a group.
 *
 *	grid g < (points + rows-1) // rows
 *	  shared scratch[rows * slice], states[rows * across]
 *	  item i < rows * across
 *	    the shared axes at point g*rows + i//across, t = i % across
 *	    for each stage, a barrier between:
 *	      a map: its own points t, t+across, ...
 *	      a reduction to one value: every across-th element, then in a few steps over the items
 *	      a reduction to several: own points like a map's, each by one item
 *
 * Where the innermost axis is contiguous, items take LANES elements at once.  Sums
 * of many elements go in blocks.  A reducer without merge runs in the first item.
 */
#include "ir/index.h"
#include "passes/device_kept.h"

/* Elements in one running sum of an item. */
enum { BLOCK = 32 };

struct grows {
	struct sn_rows r;
	int64_t rows, across, lanes;
	int nspread;
	const struct sn_expr *item, *t,
		*row;		      /* in the group; in the row; its number in the group */
	const struct sn_expr *inside; /* the row is one; NULL: always */
	struct sn_acc states;	      /* of the stage at hand, in shared memory */
	struct sn_acc *shared_states; /* by stage */
	struct kept kept;
	const struct sn_expr *step; /* number of the present one; NULL: they are not kept */
};

/* ---- loops ---- */

typedef void (*body_fn)(struct grows *g, struct sn_scope *s, const struct sn_acc *acc,
			const struct sn_expr *const *idx);

/* What the items of a row do with their share of a stage's walked axes. */
struct walk {
	body_fn body;
	const struct sn_axis *const *axes;
	int n;
	int64_t lanes;
	const struct sn_acc *acc;
};

/* One step: element (or LANES of them) number FLAT. */
static void
walk_step(struct grows *g, const struct walk *w, const struct sn_expr *flat)
{
	struct sn_rows *r = &g->r;
	struct sn_scope s = sn_scope_copy(&r->e, &r->shared);
	const struct sn_expr *l = sn_device_spread_lanes(&r->e, &s, w->axes, w->n, flat, w->lanes);
	if (g->step)
		kept_bring(&g->kept, &r->e, r->m, &s, g->step, l);
	w->body(g, &s, w->acc, l ? &l : NULL);
	if (l)
		sn_at_end(r->b);
}

/* COUNT steps from step FIRST on; step j is element j*across + t. */
static void
walk_steps(struct grows *g, const struct walk *w, const struct sn_expr *first,
	   const struct sn_expr *count)
{
	struct sn_pool *p = g->r.pool;
	if (sn_is_int_const(count, 0))
		return;
	bool is_kept = kept_is_stage(&g->kept, g->r.m);
	const struct sn_expr *j = sn_at_for(g->r.b, is_kept ? LK_UNROLLED : LK_SERIAL, "j", count);
	g->step = is_kept ? j : NULL;
	const struct sn_expr *at = sn_mulk(p, sn_add(p, first, j), g->across);
	at = sn_add(p, at, g->t);
	walk_step(g, w, w->n > 1 ? sn_device_named(g->r.b, "e", at) : at);
	sn_at_end(g->r.b);
}

/* The elements that don't make a whole step for all items. */
static void
walk_rest(struct grows *g, const struct walk *w, const struct sn_expr *points)
{
	struct sn_pool *p = g->r.pool;
	const struct sn_expr *rest = sn_modk(p, points, g->across);
	if (sn_is_int_const(rest, 0))
		return;
	const struct sn_expr *first = sn_sub(p, points, rest);
	if (kept_is_stage(&g->kept, g->r.m))
		g->step = sn_int(p, g->kept.steps - 1);
	sn_at_if(g->r.b, sn_op2(p, OP_LT, g->t, rest));
	first = sn_add(p, first, g->t);
	walk_step(g, w, w->n > 1 ? sn_device_named(g->r.b, "e", first) : first);
	sn_at_end(g->r.b);
}

static const struct sn_expr *
walk_points(struct grows *g, const struct walk *w)
{
	return sn_divk(g->r.pool, sn_device_points(g->r.pool, w->axes, w->n), w->lanes);
}

static void
open_inside(struct grows *g)
{
	if (g->inside)
		sn_at_if(g->r.b, g->inside);
}

static void
close_inside(struct grows *g)
{
	if (g->inside)
		sn_at_end(g->r.b);
}

static void
walk_all(struct grows *g, const struct walk *w)
{
	struct sn_pool *p = g->r.pool;
	const struct sn_expr *points = walk_points(g, w);
	walk_steps(g, w, sn_int(p, 0), sn_divk(p, points, g->across));
	walk_rest(g, w, points);
}

/* Loads what is the same for all elements of a row, before the loops over them. */
static void
load_still(struct grows *g, const struct sn_expr *e)
{
	const struct sn_comp *m = g->r.m;
	struct sn_read_list reads = { 0 };
	sn_reads_of(e, g->r.c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		bool moves = false;
		for (int a = g->nspread; a < m->naxes; a++)
			moves |= sn_expr_has_axis(reads.list.v[i], m->axes[a]);
		for (int a = 0; a < m->nred; a++)
			moves |= sn_expr_has_axis(reads.list.v[i], m->red[a]);
		if (!moves)
			sn_emit_expr(&g->r.e, &g->r.shared, reads.list.v[i]);
	}
}

/* ---- maps, and reductions by one item each ---- */

static void
point_body(struct grows *g, struct sn_scope *s, const struct sn_acc *acc,
	   const struct sn_expr *const *idx)
{
	(void)acc;
	const struct sn_comp *m = g->r.m;
	if (m->reducer) {
		sn_rows_point(&g->r, s);
		return;
	}
	for (int i = 0; i < m->nresults; i++)
		if (!g->step
		    || !kept_put(&g->kept, &g->r.e, s, &m->results[i], g->step, idx ? *idx : NULL))
			sn_emit_result(&g->r.e, s, &m->results[i]);
}

static void
emit_points(struct grows *g)
{
	struct walk w = { .body = point_body };
	w.axes = drows_walked(g->r.m, g->nspread, &w.n);
	w.lanes = g->r.m->reducer ? 1
				  : drows_lanes(g->r.c, g->r.kernel, g->r.m, g->nspread, g->lanes);
	open_inside(g);
	for (int i = 0; i < g->r.m->nresults; i++)
		load_still(g, g->r.m->results[i].value);
	walk_all(g, &w);
	close_inside(g);
}

/* ---- reductions by all items of a row ---- */

static void
step_body(struct grows *g, struct sn_scope *s, const struct sn_acc *acc,
	  const struct sn_expr *const *idx)
{
	const struct sn_reducer *red = g->r.m->reducer;
	const struct sn_expr *args[4];
	for (int i = 0; i < red->nargs; i++)
		args[i] = sn_emit_expr(&g->r.e, s, g->r.m->args[i]);
	sn_emit_acc_step(&g->r.e, red, acc, idx, args);
}

/* States for all lanes, to which F is done. */
static void
each_lane(struct grows *g, int64_t lanes,
	  void (*f)(struct grows *g, const struct sn_acc *a, const struct sn_acc *b,
		    const struct sn_expr *const *idx),
	  const struct sn_acc *a, const struct sn_acc *b)
{
	const struct sn_expr *l = NULL;
	if (lanes > 1)
		l = sn_at_for(g->r.b, LK_VECTOR, "l", sn_int(g->r.pool, lanes));
	f(g, a, b, l ? &l : NULL);
	if (l)
		sn_at_end(g->r.b);
}

static void
init_lane(struct grows *g, const struct sn_acc *a, const struct sn_acc *b,
	  const struct sn_expr *const *idx)
{
	(void)b;
	sn_emit_acc_init(&g->r.e, g->r.m->reducer, a, idx);
}

static void
merge_lane(struct grows *g, const struct sn_acc *a, const struct sn_acc *b,
	   const struct sn_expr *const *idx)
{
	sn_emit_acc_merge(&g->r.e, g->r.m->reducer, a, idx, b, idx);
}

static void
alloc_lanes(struct grows *g, int64_t lanes, struct sn_acc *out)
{
	sn_emit_acc_alloc(&g->r.e, g->r.m->reducer, SP_REG, lanes > 1, &lanes, out);
	each_lane(g, lanes, init_lane, out, NULL);
}

/* Long float sums of an item go in blocks, whose sums are added. */
static bool
has_blocks(struct grows *g, const struct sn_expr *steps)
{
	int64_t n;
	const struct sn_reducer *red = g->r.m->reducer;
	bool is_sum = sn_is_float(red->state_types[0]) && red->step[0]->kind == EX_OP
		      && red->step[0]->op == OP_ADD;
	return is_sum && (!sn_get_int(steps, &n) || n > BLOCK);
}

static void
walk_blocks(struct grows *g, const struct walk *w)
{
	struct sn_pool *p = g->r.pool;
	const struct sn_expr *points = walk_points(g, w), *zero = sn_int(p, 0);
	const struct sn_expr *steps = sn_divk(p, points, g->across);
	const struct sn_expr *blocks = sn_divk(p, steps, BLOCK);
	struct walk part = *w;
	struct sn_acc acc;
	if (!has_blocks(g, steps)) {
		walk_steps(g, w, zero, steps);
		walk_rest(g, w, points);
		return;
	}
	const struct sn_expr *o = sn_at_for(g->r.b, LK_SERIAL, "o", blocks);
	alloc_lanes(g, w->lanes, &acc);
	part.acc = &acc;
	walk_steps(g, &part, sn_mulk(p, o, BLOCK), sn_int(p, BLOCK));
	each_lane(g, w->lanes, merge_lane, w->acc, &acc);
	sn_at_end(g->r.b);
	walk_steps(g, w, sn_mulk(p, blocks, BLOCK), sn_modk(p, steps, BLOCK));
	walk_rest(g, w, points);
}

/* The item's own states, lanes merged, to its place in shared memory. */
static void
share_states(struct grows *g, const struct sn_acc *acc, int64_t lanes)
{
	const struct sn_reducer *red = g->r.m->reducer;
	const struct sn_expr *out[4] = { NULL };
	struct sn_scope s = { 0 };
	if (lanes > 1) {
		sn_at_lane_merge(g->r.b, red, (const struct sn_buffer *const *)acc->buf, NULL, out,
				 g->r.c->scratch);
	} else {
		sn_emit_acc_states(&g->r.e, red, acc, NULL, &s);
		for (int i = 0; i < red->nstates; i++)
			out[i] = s.pairs.v[i].to;
	}
	for (int i = 0; i < red->nstates; i++)
		sn_at_store(g->r.b, g->states.buf[i], &g->item, out[i]);
}

/* Items whose states one merges before all meet again: waiting costs more than a few loads. */
enum { WAYS = 8 };

/* Of N states, those that LEFT are apart, by an item for each of LEFT: halves, as all items would. */
static void
merge_apart(struct grows *g, int64_t n, int64_t left)
{
	struct sn_pool *p = g->r.pool;
	for (int64_t half = n / 2; half >= left; half /= 2)
		for (int64_t at = 0; at < half; at += left) {
			const struct sn_expr *one = sn_addk(p, g->item, at);
			const struct sn_expr *other = sn_addk(p, g->item, at + half);
			sn_emit_acc_merge(&g->r.e, g->r.m->reducer, &g->states, &one, &g->states,
					  &other);
		}
}

/* Halves are merged until the first item of each row has it all. */
static void
merge_items(struct grows *g)
{
	struct sn_pool *p = g->r.pool;
	sn_at_barrier(g->r.b, SN_ORDERS_SHARED);
	for (int64_t n = g->across, left; n > 1; n = left) {
		left = n > WAYS ? n / WAYS : 1;
		sn_at_if(g->r.b, sn_op2(p, OP_LT, g->t, sn_int(p, left)));
		merge_apart(g, n, left);
		sn_at_end(g->r.b);
		sn_at_barrier(g->r.b, SN_ORDERS_SHARED);
	}
}

static const struct sn_expr *
is_first(struct grows *g)
{
	const struct sn_expr *c = sn_op2(g->r.pool, OP_EQ, g->t, sn_int(g->r.pool, 0));
	return g->inside ? sn_op2(g->r.pool, OP_AND, c, g->inside) : c;
}

/* The axes of the stage that have one point. */
static struct sn_scope
own_scope(struct grows *g)
{
	struct sn_scope s = sn_scope_copy(&g->r.e, &g->r.shared);
	for (int i = g->nspread; i < g->r.m->naxes; i++)
		sn_scope_axis(&g->r.e, &s, g->r.m->axes[i], sn_int(g->r.pool, 0));
	return s;
}

static void
emit_tree(struct grows *g)
{
	const struct sn_comp *m = g->r.m;
	struct walk w = { .body = step_body };
	struct sn_acc acc;
	w.axes = drows_walked(m, g->nspread, &w.n);
	w.lanes = drows_lanes(g->r.c, g->r.kernel, m, g->nspread, g->lanes);
	w.acc = &acc;
	struct sn_scope outer = g->r.shared, s = own_scope(g);
	g->r.shared = s;
	alloc_lanes(g, w.lanes, &acc);
	open_inside(g);
	for (int i = 0; i < m->reducer->nargs; i++)
		load_still(g, m->args[i]);
	walk_blocks(g, &w);
	close_inside(g);
	g->r.shared = outer;
	share_states(g, &acc, w.lanes);
	merge_items(g);
	const struct sn_expr *first = sn_mulk(g->r.pool, g->row, g->across);
	sn_at_if(g->r.b, is_first(g));
	sn_emit_acc_states(&g->r.e, m->reducer, &g->states, &first, &s);
	for (int i = 0; i < m->nresults; i++)
		sn_emit_result(&g->r.e, &s, &m->results[i]);
	sn_at_end(g->r.b);
}

/* A reduction to one value whose order matters: the first item does it. */
static void
emit_ordered(struct grows *g)
{
	struct sn_scope s = own_scope(g);
	sn_at_if(g->r.b, is_first(g));
	sn_rows_point(&g->r, &s);
	sn_at_end(g->r.b);
}

/* ---- the function ---- */

static void
alloc_states(struct grows *g)
{
	const struct sn_kernel *k = g->r.kernel;
	int64_t n = g->rows * g->across;
	g->shared_states = SN_NEW_ARRAY(g->r.c->scratch, k->stages.n, struct sn_acc);
	for (size_t i = 0; i < k->stages.n; i++)
		if (drows_is_tree(k->stages.v[i], g->nspread))
			sn_emit_acc_alloc(&g->r.e, k->stages.v[i]->reducer, SP_SHARED, 1, &n,
					  &g->shared_states[i]);
}

/* Opens grid and items; the shared axes come into scope. */
static void
open_rows(struct grows *g)
{
	struct sn_pool *p = g->r.pool;
	struct sn_builder *b = g->r.b;
	const struct sn_comp *m = g->r.m;
	const struct sn_expr *points = sn_device_points(p, m->axes, g->nspread);
	const struct sn_axis *grid = sn_axis_new(
		p, "g", sn_divk(p, sn_addk(p, points, g->rows - 1), g->rows));
	sn_at_for_axis(b, LK_GRID, grid);
	sn_emit_scratch(&g->r.e, SP_SHARED, g->rows);
	alloc_states(g);
	const struct sn_axis *item = sn_axis_new(p, "i", sn_int(p, g->rows * g->across));
	sn_at_for_axis(b, LK_ITEM, item);
	g->item = sn_axis_expr(p, item);
	g->row = sn_divk(p, g->item, g->across);
	g->t = sn_modk(p, g->item, g->across);
	const struct sn_expr *at = sn_add(p, sn_mulk(p, sn_axis_expr(p, grid), g->rows), g->row);
	if (!sn_prove_divides(points, g->rows)) {
		g->inside = sn_op2(p, OP_LT, at, points);
		at = sn_op2(p, OP_MIN, at, sn_addk(p, points, -1));
	}
	g->r.e.slice = g->row;
	sn_device_spread(&g->r.e, &g->r.shared, m->axes, 0, g->nspread,
			 sn_device_named(b, "row", at));
}

static void
emit_stage(struct grows *g, size_t i)
{
	const struct sn_comp *m = g->r.kernel->stages.v[i];
	size_t mark = g->r.shared.pairs.n;
	g->r.m = m;
	g->step = NULL;
	g->states = g->shared_states[i];
	if (drows_is_tree(m, g->nspread))
		emit_tree(g);
	else if (m->reducer && drows_is_single(m, g->nspread))
		emit_ordered(g);
	else
		emit_points(g);
	g->r.shared.pairs.n = mark;
}

bool
sn_device_rows_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct grows g = { .r = { .c = c,
				  .pool = c->pool,
				  .b = b,
				  .kernel = k,
				  .m = k->stages.v[0],
				  .lanes = 1,
				  .outermost = LK_SERIAL } };
	g.rows = sn_kernel_knob(k, "rows", 1);
	g.across = sn_kernel_knob(k, "across", 1);
	g.lanes = sn_kernel_knob(k, "lanes", 1);
	g.nspread = drows_spread(k);
	sn_emit_init(&g.r.e, c, k, b);
	kept_find(&g.kept, &g.r.e, g.nspread, g.across, g.lanes);
	g.r.e.elsewhere = &g.kept.elsewhere;
	open_rows(&g);
	kept_alloc(&g.kept, b);
	unsigned orders = sn_emit_rereads(&g.r.e) ? SN_ORDERS_ALL : SN_ORDERS_SHARED;
	for (size_t i = 0; i < k->stages.n; i++) {
		if (i > 0 && !kept_is_all(&g.kept, k->stages.v[i - 1]))
			sn_at_barrier(b, orders);
		emit_stage(&g, i);
	}
	sn_at_end(b);
	sn_at_end(b);
	return true;
}
