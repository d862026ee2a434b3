/*
 * The group_rows schedule: rows by a group.
 *
 *	grid g < (points + rows-1) // rows
 *	  shared scratch[rows * slice], states[rows * across]
 *	  item i < rows * across
 *	    the shared axes at point g*rows + i//across, t = i % across
 *	    for each stage, a barrier between:
 *	      a map: its own points t, t+across, ...
 *	      a reduction to one value: every across-th element, then a tree over the items
 *	      a reduction to several: own points like a map's, each by one item
 *
 * Where the innermost axis is contiguous, items take LANES elements at once.  Sums
 * of many elements go in blocks.  A reducer without merge runs in the first item.
 */
#include "ir/index.h"
#include "passes/device.h"

/* Elements in one running sum of an item; good numbers of elements and of items. */
enum { TREE_WAIT = 40, TREE_STEPS = 30, BARRIER_WAIT = 4 }; /* cost, in scalar steps */
enum { ROWS_START = 1500 }; /* cycles that short windows are not worth */
enum { BLOCK = 32, GOOD_EACH = 4, GOOD_ITEMS = 128, MOST_ACROSS = 256 };

struct grows {
	struct sn_rows r;
	int64_t rows, across, lanes;
	int nspread;
	const struct sn_expr *item, *t,
		*row;		      /* in the group; in the row; its number in the group */
	const struct sn_expr *inside; /* the row is one; NULL: always */
	struct sn_acc states;	      /* of the stage at hand, in shared memory */
	struct sn_acc *shared_states; /* by stage */
};

/* Axes that are spread over groups. */
static int
spread_axes(const struct sn_kernel *k)
{
	const struct sn_comp *m = k->stages.v[0];
	return k->stages.n == 1 && m->reducer ? m->naxes : k->nshared;
}

static bool
is_single(const struct sn_comp *m, int nspread)
{
	for (int i = nspread; i < m->naxes; i++)
		if (!sn_is_int_const(m->axes[i]->extent, 1))
			return false;
	return true;
}

/* Do the items of a row reduce M together? */
static bool
is_tree(const struct sn_comp *m, int nspread)
{
	return m->reducer && m->reducer->merge[0] && m->nred > 0 && is_single(m, nspread);
}

/* The axes that the items of a row go through, the last one fastest. */
static const struct sn_axis *const *
walked(const struct sn_comp *m, int nspread, int *out_n)
{
	*out_n = is_tree(m, nspread) ? m->nred : m->naxes - nspread;
	return is_tree(m, nspread) ? m->red : m->axes + nspread;
}

/* LANES if the innermost walked axis of M is contiguous in whole steps of it, else 1. */
static int64_t
lanes_of(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_comp *m, int nspread,
	 int64_t lanes)
{
	const struct sn_axis *a = is_tree(m, nspread) ? sn_rows_red_axis(c, k, m, lanes)
						      : sn_rows_map_axis(c, k, m, lanes);
	return lanes > 1 && a && sn_prove_divides(a->extent, lanes) ? lanes : 1;
}

/* ---- choosing ---- */

static int64_t
power_of_two(double least, int64_t lo, int64_t hi)
{
	int64_t n = lo;
	while (n * 2 <= hi && (double)n < least)
		n *= 2;
	return n;
}

/* Bytes of shared memory for the states of all trees of a row. */
static int64_t
tree_bytes(const struct sn_kernel *k, int nspread, int64_t across)
{
	int64_t bytes = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		for (int s = 0; is_tree(m, nspread) && s < m->reducer->nstates; s++)
			bytes += across
				 * ((sn_dtype_info(m->reducer->state_types[s])->bits + 7) / 8);
	}
	return bytes;
}

static int64_t
scratch_bytes(struct sn_sched_ctx *c, const struct sn_kernel *k)
{
	struct sn_tensor_list stores = { 0 };
	int64_t bytes = 0;
	sn_kernel_stores(k, c->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++)
		if (stores.list.v[i]->store == TS_SCRATCH)
			bytes += sn_slice_bytes(k, stores.list.v[i]);
	return bytes;
}

bool
sn_device_rows_keeps(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t)
{
	int64_t rows = sn_kernel_knob(k, "rows", 1), across = sn_kernel_knob(k, "across", 1);
	int64_t left = c->target->local_bytes / rows - tree_bytes(k, spread_axes(k), across);
	struct sn_tensor_list stores = { 0 };
	sn_kernel_stores(k, c->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++) {
		const struct sn_tensor *s = stores.list.v[i];
		/* 64 for what aligning takes */
		int64_t n = s->store == TS_SCRATCH ? sn_slice_bytes(k, s) + 64 : 0;
		bool fits = n <= left;
		if (s == t)
			return fits;
		left -= fits ? n : 0;
	}
	return false;
}

/* Elements that the items of a row have most of, in steps of the lanes. */
static double
longest_walk(struct sn_sched_ctx *c, const struct sn_kernel *k, int nspread)
{
	double most = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		int n;
		const struct sn_axis *const *axes = walked(m, nspread, &n);
		double x = sn_rows_points(axes, 0, n)
			   / (double)lanes_of(c, k, m, nspread, c->target->load_floats);
		most = x > most ? x : most;
	}
	return most;
}

/* Many short rows share a group, as long as there are groups for all units. */
static int64_t
rows_for(struct sn_sched_ctx *c, const struct sn_kernel *k, double points, int64_t across)
{
	const struct sn_target *t = c->target;
	int64_t rows = across < GOOD_ITEMS ? GOOD_ITEMS / across : 1;
	int64_t row_bytes = scratch_bytes(c, k) + tree_bytes(k, spread_axes(k), across);
	while (rows > 1
	       && (points < (double)(rows * t->units) || rows * row_bytes > t->local_bytes
		   || rows * across > t->group_items))
		rows /= 2;
	return rows;
}

static double
cost_of(struct sn_sched_ctx *c, const struct sn_kernel *k, double points, int64_t across)
{
	int nspread = spread_axes(k);
	double work = 0, waits = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		int n;
		const struct sn_axis *const *axes = walked(m, nspread, &n);
		double walk = sn_rows_points(axes, 0, n), steps = walk / (double)across;
		double one = sn_rows_points(m->axes, nspread, m->naxes)
			     * (5 * sn_rows_points(m->red, 0, m->nred) + 5);
		work += points * one * (n ? sn_device_scatter(c, m, axes[n - 1]) : 1);
		waits += walk > 0 ? one / walk * (steps > 1 ? steps : 1) : 0;
		waits += is_tree(m, nspread) ? TREE_WAIT : BARRIER_WAIT;
		work += is_tree(m, nspread) ? points * (double)across * TREE_STEPS : 0;
	}
	return sn_device_cost(c->target, work, points * (double)across)
	       + sn_device_cost(c->target, waits, 1) + ROWS_START;
}

double
sn_device_rows_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	const struct sn_target *t = c->target;
	int nspread = spread_axes(k);
	const struct sn_comp *m = k->stages.v[0];
	double walk = longest_walk(c, k, nspread), points = sn_rows_points(m->axes, 0, nspread);
	bool is_rows = k->nshared > 0 || (k->stages.n == 1 && is_tree(m, nspread));
	if (!is_rows || walk < 2 || sn_device_shares_bytes(k))
		return -1;
	int64_t most = t->group_items < MOST_ACROSS ? t->group_items : MOST_ACROSS;
	int64_t across = power_of_two(walk / GOOD_EACH, 2, most);
	while (across > 2 && tree_bytes(k, nspread, across) > t->local_bytes / 2)
		across /= 2;
	sn_kernel_set_knob(c->module->program, k, "across", across);
	sn_kernel_set_knob(c->module->program, k, "rows", rows_for(c, k, points, across));
	sn_kernel_set_knob(c->module->program, k, "lanes", t->load_floats);
	return cost_of(c, k, points < 1 ? 1 : points, across);
}

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
	const struct sn_expr *j = sn_at_for(g->r.b, LK_SERIAL, "j", count);
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
	(void)idx;
	sn_rows_point(&g->r, s);
}

static void
emit_points(struct grows *g)
{
	struct walk w = { .body = point_body };
	w.axes = walked(g->r.m, g->nspread, &w.n);
	w.lanes = g->r.m->reducer ? 1 : lanes_of(g->r.c, g->r.kernel, g->r.m, g->nspread, g->lanes);
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

/* Halves are merged until the first item of each row has it all. */
static void
merge_items(struct grows *g)
{
	struct sn_pool *p = g->r.pool;
	sn_at_barrier(g->r.b);
	for (int64_t half = g->across / 2; half >= 1; half /= 2) {
		const struct sn_expr *other = sn_addk(p, g->item, half);
		sn_at_if(g->r.b, sn_op2(p, OP_LT, g->t, sn_int(p, half)));
		sn_emit_acc_merge(&g->r.e, g->r.m->reducer, &g->states, &g->item, &g->states,
				  &other);
		sn_at_end(g->r.b);
		sn_at_barrier(g->r.b);
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
	w.axes = walked(m, g->nspread, &w.n);
	w.lanes = lanes_of(g->r.c, g->r.kernel, m, g->nspread, g->lanes);
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
		if (is_tree(k->stages.v[i], g->nspread))
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
	g->states = g->shared_states[i];
	if (is_tree(m, g->nspread))
		emit_tree(g);
	else if (m->reducer && is_single(m, g->nspread))
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
	g.nspread = spread_axes(k);
	sn_emit_init(&g.r.e, c, k, b);
	open_rows(&g);
	for (size_t i = 0; i < k->stages.n; i++) {
		if (i > 0)
			sn_at_barrier(b);
		emit_stage(&g, i);
	}
	sn_at_end(b);
	sn_at_end(b);
	return true;
}
