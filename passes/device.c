/* Points of flattened axes over groups and items. */
#include "passes/device.h"
#include "ir/index.h"

const struct sn_expr *
sn_device_points(struct sn_pool *p, const struct sn_axis *const *axes, int n)
{
	const struct sn_expr *r = sn_int(p, 1);
	for (int i = 0; i < n; i++)
		r = sn_mul(p, r, axes[i]->extent);
	return r;
}

static bool
is_single(const struct sn_axis *a)
{
	int64_t n;
	return sn_get_int(a->extent, &n) && n <= 1;
}

/* Number of the outermost axis from FROM on that has more than one point; TO: none. */
static int
first_long(const struct sn_axis *const *axes, int from, int to)
{
	while (from < to && is_single(axes[from]))
		from++;
	return from;
}

const struct sn_expr *
sn_device_named(struct sn_builder *b, const char *name, const struct sn_expr *x)
{
	return x->kind == EX_OP ? sn_at_let(b, name, x) : x;
}

void
sn_device_spread(struct sn_emit *e, struct sn_scope *s, const struct sn_axis *const *axes, int from,
		 int to, const struct sn_expr *flat)
{
	struct sn_pool *p = e->c->pool;
	int first = first_long(axes, from, to);
	for (int i = to - 1; i >= from; i--) {
		const struct sn_axis *a = axes[i];
		const struct sn_expr *at = flat;
		if (is_single(a)) {
			sn_scope_axis(e, s, a, sn_int(p, 0));
			continue;
		}
		if (i > first) {
			at = sn_op2(p, OP_MOD, flat, a->extent);
			flat = sn_op2(p, OP_FLOORDIV, flat, a->extent);
		}
		sn_scope_axis(e, s, a, at);
	}
}

const struct sn_expr *
sn_device_spread_lanes(struct sn_emit *e, struct sn_scope *s, const struct sn_axis *const *axes,
		       int to, const struct sn_expr *flat, int64_t lanes)
{
	struct sn_pool *p = e->c->pool;
	if (lanes == 1) {
		sn_device_spread(e, s, axes, 0, to, flat);
		return NULL;
	}
	const struct sn_axis *last = axes[to - 1];
	const struct sn_expr *steps = sn_divk(p, last->extent, lanes), *at = flat;
	if (first_long(axes, 0, to) < to - 1)
		at = sn_op2(p, OP_MOD, flat, steps);
	sn_device_spread(e, s, axes, 0, to - 1, sn_op2(p, OP_FLOORDIV, flat, steps));
	at = sn_at_let(e->b, last->name, sn_mulk(p, at, lanes));
	const struct sn_expr *l = sn_at_for(e->b, LK_VECTOR, "l", sn_int(p, lanes));
	sn_scope_axis(e, s, last, sn_add(p, at, l));
	return l;
}

/* May the last group have items without a point? */
static bool
has_rest(const struct sn_expr *points, int64_t items)
{
	return items > 1 && !sn_prove_divides(points, items);
}

const struct sn_expr *
sn_device_open_points(struct sn_builder *b, const struct sn_expr *points, int64_t items)
{
	struct sn_pool *p = b->pool;
	const struct sn_expr *groups = sn_divk(p, sn_addk(p, points, items - 1), items);
	const struct sn_axis *g = sn_axis_new(p, "g", groups);
	const struct sn_axis *i = sn_axis_new(p, "i", sn_int(p, items));
	sn_at_for_axis(b, LK_GRID, g);
	sn_at_for_axis(b, LK_ITEM, i);
	const struct sn_expr *group = sn_axis_expr(p, g), *at = sn_axis_expr(p, i);
	if (!sn_is_int_const(groups, 1))
		at = sn_at_let(b, "p", sn_add(p, sn_mulk(p, group, items), at));
	if (has_rest(points, items))
		sn_at_if(b, sn_op2(p, OP_LT, at, points));
	return at;
}

void
sn_device_close_points(struct sn_builder *b, const struct sn_expr *points, int64_t items)
{
	if (has_rest(points, items))
		sn_at_end(b);
	sn_at_end(b);
	sn_at_end(b);
}

/* What an access is that moves with the items, and by how much more than one element. */
struct scatter {
	struct sn_sched_ctx *c;
	const struct sn_axis *axis;
	int n, far;
};

static void
note_access(struct scatter *s, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	struct sn_pool *p = s->c->pool;
	const struct sn_expr *coef, *rest;
	int64_t k;
	if (t->store == TS_SCRATCH)
		return;
	const struct sn_expr *off = sn_layout_offset(p, sn_layout_of(p, t), idx);
	s->n++;
	if (sn_affine_split(p, off, s->axis, &coef, &rest) && sn_get_int(coef, &k) && k >= -1
	    && k <= 1)
		return;
	s->far++;
}

static void
note_reads(struct scatter *s, const struct sn_expr *e)
{
	struct sn_read_list reads = { 0 };
	sn_reads_of(e, s->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++)
		note_access(s, reads.list.v[i]->tensor, reads.list.v[i]->args);
}

/* Bytes that memory moves for one f32 among others that nobody asked for, as elements. */
enum { SECTOR = 8 };

double
sn_device_scatter(struct sn_sched_ctx *c, const struct sn_comp *m, const struct sn_axis *axis)
{
	struct scatter s = { c, axis, 0, 0 };
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		note_reads(&s, m->args[i]);
	for (int i = 0; i < m->nresults && !m->reducer; i++) {
		note_reads(&s, m->results[i].value);
		note_access(&s, m->results[i].tensor, m->results[i].idx);
	}
	return s.n ? 1 + (double)(SECTOR - 1) * s.far / s.n : 1;
}

/* Scalar steps that a unit does in a cycle, items that it holds at once, and how much longer a step
 * takes for one of them than its share: loads take hundreds of cycles, a few of them run at once. */
enum { UNIT_STEPS = 128, UNIT_ITEMS = 1024, STEP_WAIT = 12 };

double
sn_device_cost(const struct sn_target *t, double work, double points)
{
	double busy = work / ((double)t->units * UNIT_STEPS);
	double waves = points / ((double)t->units * UNIT_ITEMS);
	double waits = work / points * STEP_WAIT * (waves > 1 ? waves : 1);
	return busy > waits ? busy : waits;
}
