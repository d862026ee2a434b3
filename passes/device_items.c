/*
 * The items schedule: the universal one for devices.
 *
 *	grid g < (points + items-1) // items
 *	  item i < items
 *	    if g*items + i < points
 *	      the shared axes at that point; scratch, one slice on the stack
 *	      for each stage: loops over its own axes, the reduction inside
 *
 * A kernel of one stage goes over all its parallel axes like that, a contiguous map
 * LANES elements at a time.  Reductions run in blocks, as in the universal schedule for a CPU.  Where
 * results have less than a byte, two items would store to the same one: a single
 * item loops over the points.
 */
#include "ir/index.h"
#include "passes/device.h"

/* Most bytes of one scratch slice that an item keeps for itself, and items that are good for a group. */
enum { ITEM_SLICE = 1 << 10, GOOD_ITEMS = 128 };

/* Axes that are spread over items. */
static int
spread_axes(const struct sn_kernel *k)
{
	return k->stages.n == 1 ? k->stages.v[0]->naxes : k->nshared;
}

bool
sn_device_shares_bytes(const struct sn_kernel *k)
{
	for (size_t i = 0; i < k->stages.n; i++)
		for (int r = 0; r < k->stages.v[i]->nresults; r++) {
			const struct sn_tensor *t = k->stages.v[i]->results[r].tensor;
			if (sn_dtype_info(t->type.dtype)->bits < 8)
				return true;
		}
	return false;
}

/* Elements that an item takes at once of a map that is contiguous along its last axis, if there is
 * work enough for all units then. */
static int64_t
lanes_for(struct sn_sched_ctx *c, const struct sn_kernel *k, double points)
{
	const struct sn_comp *m = k->stages.v[0];
	int64_t lanes = c->target->load_floats;
	if (k->stages.n != 1 || m->reducer || m->naxes == 0 || lanes == 1
	    || sn_device_shares_bytes(k)
	    || points < (double)(lanes * GOOD_ITEMS * c->target->units))
		return 1;
	const struct sn_axis *a = sn_rows_map_axis(c, k, m, lanes);
	return a && sn_prove_divides(a->extent, lanes) ? lanes : 1;
}

/* Fewer items a group where groups would be fewer than units. */
static int64_t
items_for(const struct sn_target *t, const struct sn_expr *points)
{
	int64_t n, items = t->group_items < GOOD_ITEMS ? t->group_items : GOOD_ITEMS;
	if (!sn_get_int(points, &n))
		return items;
	while (items / 2 >= t->subgroup && n < items * t->units)
		items /= 2;
	return n < 1 ? 1 : n < items ? n : items;
}

/* Scalar steps, more for stages whose neighbouring points lie far apart. */
static double
work_of(struct sn_sched_ctx *c, const struct sn_kernel *k, int nspread)
{
	double work = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		double n = sn_rows_points(m->axes, 0, m->naxes);
		double one = n * (5 * sn_rows_points(m->red, 0, m->nred) + 5);
		work += one * (nspread ? sn_device_scatter(c, m, m->axes[nspread - 1]) : 1);
	}
	return work;
}

double
sn_device_items_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	int n = spread_axes(k);
	double points = sn_rows_points(k->stages.v[0]->axes, 0, n);
	const struct sn_expr *all = sn_device_points(c->pool, k->stages.v[0]->axes, n);
	int64_t lanes = lanes_for(c, k, points);
	int64_t items = sn_device_shares_bytes(k)
				? 0
				: items_for(c->target, sn_divk(c->pool, all, lanes));
	sn_kernel_set_knob(c->module->program, k, "items", items);
	sn_kernel_set_knob(c->module->program, k, "lanes", lanes);
	return sn_device_cost(c->target, work_of(c, k, n), items == 0 || points < 1 ? 1 : points);
}

bool
sn_device_items_keeps(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t)
{
	(void)c;
	int64_t n = sn_slice_bytes(k, t);
	return n >= 0 && n <= ITEM_SLICE;
}

/* Halos are the first item's work. */
static void
emit_halos(struct sn_rows *r, const struct sn_expr *at)
{
	if (!sn_emit_has_halos(&r->e))
		return;
	sn_at_if(r->b, sn_op2(r->pool, OP_EQ, at, sn_int(r->pool, 0)));
	sn_emit_halos(&r->e);
	sn_at_end(r->b);
}

/* The work at point (or LANES of them) AT. */
static void
emit_point(struct sn_rows *r, const struct sn_expr *at, int64_t lanes)
{
	const struct sn_kernel *k = r->kernel;
	if (sn_device_spread_lanes(&r->e, &r->shared, r->m->axes, spread_axes(k), at, lanes)) {
		sn_rows_point(r, &r->shared);
		sn_at_end(r->b);
		return;
	}
	sn_emit_scratch(&r->e, SP_STACK, 1);
	if (k->stages.n == 1)
		sn_rows_point(r, &r->shared);
	for (size_t i = 0; i < k->stages.n && k->stages.n > 1; i++)
		sn_rows_stage(r, k->stages.v[i]);
}

bool
sn_device_items_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct sn_rows r = { .c = c, .pool = c->pool, .b = b, .kernel = k, .m = k->stages.v[0] };
	int64_t items = sn_kernel_knob(k, "items", 0), lanes = sn_kernel_knob(k, "lanes", 1);
	const struct sn_expr *points = sn_device_points(c->pool, r.m->axes, spread_axes(k));
	points = sn_divk(c->pool, points, lanes);
	const struct sn_expr *spread = items ? points : sn_int(c->pool, 1);
	r.lanes = 1;
	r.outermost = LK_SERIAL;
	sn_emit_init(&r.e, c, k, b);
	const struct sn_expr *at = sn_device_open_points(b, spread, items ? items : 1);
	emit_halos(&r, at);
	if (!items)
		at = sn_at_for(b, LK_SERIAL, "p", points);
	emit_point(&r, at, lanes);
	if (!items)
		sn_at_end(b);
	sn_device_close_points(b, spread, items ? items : 1);
	return true;
}
