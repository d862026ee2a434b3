/*
 * The group_scan schedule: a scan by a group.
 *
 *	grid g < points of the other axes
 *	  shared sums[items]
 *	  item i < items
 *	    sums[i] = the elements begin <= at < begin + chunk, begin = i*chunk
 *	    barrier
 *	    total = sums[0] .. sums[i-1]
 *	    the same elements again, each result being total and what comes before it in the chunk
 *
 * The order of adding depends on the extent alone.
 */
#include "ir/index.h"
#include "passes/device.h"
#include "passes/scan.h"

/* Elements that an item is given at least, items of a group at most. */
enum { CHUNK = 16, MOST_ITEMS = 256 };

struct gscan {
	struct sn_emit e;
	struct sn_scan scan;
	struct sn_scope scope; /* has the other axes */
	const struct sn_expr *begin, *chunk;
};

static int64_t
items_for(const struct sn_target *t, const struct sn_axis *a)
{
	int64_t n, items = t->group_items < MOST_ITEMS ? t->group_items : MOST_ITEMS;
	while (sn_get_int(a->extent, &n) && items > 1 && items / 2 * CHUNK >= n)
		items /= 2;
	return items;
}

double
sn_device_scan_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	struct sn_scan s;
	if (!sn_scan_of(k, &s) || sn_device_shares_bytes(k))
		return -1;
	const struct sn_tensor *y = s.comp->results[0].tensor;
	if (s.comp->nresults != 1
	    || (y->layout && !sn_layout_is_dense(c->pool, y->layout, &y->type)))
		return -1;
	int64_t items = items_for(c->target, s.comp->red[0]);
	double n = sn_rows_points(s.comp->red, 0, 1);
	double rows = sn_rows_points(s.comp->axes, 0, s.comp->naxes) / (n < 1 ? 1 : n);
	sn_kernel_set_knob(c->module->program, k, "items", items);
	double work = rows * (20 * n + 3.0 * (double)(items * items));
	return sn_scan_cost(&s, sn_device_cost(c->target, work, rows * (double)items));
}

typedef void (*visit_fn)(struct sn_scan_walk *w, const struct sn_scope *s,
			 const struct sn_expr *at);

/* VISIT at each element of the item's chunk that there is. */
static void
walk_chunk(struct gscan *g, struct sn_scan_walk *w, visit_fn visit)
{
	struct sn_builder *b = g->e.b;
	struct sn_pool *p = g->e.c->pool;
	sn_emit_acc_init(&g->e, g->scan.comp->reducer, &w->part, NULL);
	const struct sn_expr *j = sn_at_for(b, LK_SERIAL, "j", g->chunk);
	const struct sn_expr *at = sn_device_named(b, "at", sn_add(p, g->begin, j));
	sn_at_if(b, sn_op2(p, OP_LT, at, g->scan.comp->red[0]->extent));
	visit(w, &g->scope, at);
	sn_at_end(b);
	sn_at_end(b);
}

/* What the items before ITEM add up to. */
static void
add_before(struct gscan *g, const struct sn_acc *sums, const struct sn_expr *item, int64_t items,
	   const struct sn_acc *total)
{
	struct sn_builder *b = g->e.b;
	struct sn_pool *p = g->e.c->pool;
	const struct sn_reducer *r = g->scan.comp->reducer;
	sn_emit_acc_init(&g->e, r, total, NULL);
	const struct sn_expr *u = sn_at_for(b, LK_SERIAL, "u", sn_int(p, items));
	sn_at_if(b, sn_op2(p, OP_LT, u, item));
	sn_emit_acc_merge(&g->e, r, total, NULL, sums, &u);
	sn_at_end(b);
	sn_at_end(b);
}

static void
emit_item(struct gscan *g, const struct sn_acc *sums, const struct sn_expr *item, int64_t items)
{
	struct sn_builder *b = g->e.b;
	struct sn_pool *p = g->e.c->pool;
	const struct sn_reducer *r = g->scan.comp->reducer;
	struct sn_scan_walk w = { .e = &g->e, .scan = &g->scan };
	struct sn_acc total;
	g->begin = sn_device_named(b, "begin", sn_mul(p, item, g->chunk));
	sn_emit_acc_alloc(&g->e, r, SP_REG, 0, NULL, &w.part);
	walk_chunk(g, &w, sn_scan_step);
	sn_at_store(b, sums->buf[0], &item,
		    sn_at_load(b, w.part.buf[0]->name, w.part.buf[0], NULL));
	sn_at_barrier(b, SN_ORDERS_SHARED);
	sn_emit_acc_alloc(&g->e, r, SP_REG, 0, NULL, &total);
	add_before(g, sums, item, items, &total);
	w.before = &total;
	walk_chunk(g, &w, sn_scan_element);
}

bool
sn_device_scan_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	const struct sn_axis *others[SN_MAX_AXES];
	int64_t items = sn_kernel_knob(k, "items", 1);
	struct gscan g = { .begin = NULL };
	struct sn_pool *p = c->pool;
	struct sn_acc sums;
	if (!sn_scan_of(k, &g.scan))
		return false;
	sn_emit_init(&g.e, c, k, b);
	int n = sn_scan_others(&g.scan, others);
	const struct sn_axis *grid = sn_axis_new(p, "g", sn_device_points(p, others, n));
	const struct sn_axis *item = sn_axis_new(p, "i", sn_int(p, items));
	g.chunk = sn_divk(p, sn_addk(p, g.scan.comp->red[0]->extent, items - 1), items);
	sn_at_for_axis(b, LK_GRID, grid);
	sn_emit_acc_alloc(&g.e, g.scan.comp->reducer, SP_SHARED, 1, &items, &sums);
	sn_at_for_axis(b, LK_ITEM, item);
	sn_device_spread(&g.e, &g.scope, others, 0, n, sn_axis_expr(p, grid));
	emit_item(&g, &sums, sn_axis_expr(p, item), items);
	sn_at_end(b);
	sn_at_end(b);
	return true;
}
