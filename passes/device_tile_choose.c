/* Which kernels are contractions, and tiles for them (passes/device_tile.h). */
#include "ir/index.h"
#include "passes/device_tile.h"

/* ---- taking a contraction apart ---- */

static bool
is_sum_of_products(const struct sn_comp *m)
{
	const struct sn_reducer *r = m->reducer;
	return r && m->nred > 0 && r->nstates == 1 && r->nargs == 1 && r->merge[0]
	       && r->step[0]->kind == EX_OP && r->step[0]->op == OP_ADD && m->args[0]->kind == EX_OP
	       && m->args[0]->op == OP_MUL;
}

static bool
is_one(const struct sn_axis *a)
{
	return sn_is_int_const(a->extent, 1);
}

static const struct sn_expr *
offset_of(struct sn_pool *p, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	return sn_layout_offset(p, sn_layout_of(p, t), idx);
}

static bool
has_unit_step(struct sn_pool *p, const struct sn_expr *offset, const struct sn_axis *axis)
{
	const struct sn_expr *coef, *rest;
	return sn_affine_split(p, offset, axis, &coef, &rest) && sn_is_int_const(coef, 1);
}

bool
dt_stride(struct sn_pool *p, const struct sn_expr *read, const struct sn_axis *axis, int64_t *out)
{
	const struct sn_expr *coef, *rest;
	return sn_affine_split(p, offset_of(p, read->tensor, read->args), axis, &coef, &rest)
	       && sn_get_int(coef, out);
}

bool
dt_is_unit(struct sn_pool *p, const struct sn_expr *read, const struct sn_axis *axis)
{
	return has_unit_step(p, offset_of(p, read->tensor, read->args), axis);
}

static bool
is_stored_along(struct sn_pool *p, const struct sn_comp *m, const struct dt_side *s)
{
	const struct sn_result *r = &m->results[0];
	const struct sn_expr *off = offset_of(p, r->tensor, r->idx);
	for (int i = 0; i < s->naxes; i++)
		if (has_unit_step(p, off, s->axes[i]))
			return true;
	return false;
}

static void
swap_sides(struct dt_shape *s)
{
	struct dt_side t = s->side[DT_Y];
	s->side[DT_Y] = s->side[DT_X];
	s->side[DT_X] = t;
}

static void
sort_axes(const struct sn_comp *m, struct dt_shape *s)
{
	for (int i = 0; i < m->naxes; i++) {
		const struct sn_axis *a = m->axes[i];
		bool in_a = sn_expr_has_axis(s->side[0].value, a);
		bool in_b = sn_expr_has_axis(s->side[1].value, a);
		struct dt_side *one = &s->side[in_a ? 0 : 1];
		if (is_one(a) || in_a == in_b)
			s->batch[s->nbatch++] = a;
		else
			one->axes[one->naxes++] = a;
	}
}

/* The longest reduction axis is tiled alone, inside loops over the others, or all are flattened. */
static void
order_red(const struct sn_comp *m, int64_t bk, struct dt_shape *s)
{
	int longest = -1;
	double most = 0;
	for (int i = 0; i < m->nred; i++) {
		double n = sn_rows_points(m->red, i, i + 1);
		if (n > most && (m->nred == 1 || sn_prove_divides(m->red[i]->extent, bk))) {
			longest = i;
			most = n;
		}
	}
	for (int i = 0; i < m->nred; i++)
		if (i != longest)
			s->red[s->nred++] = m->red[i];
	if (longest >= 0)
		s->red[s->nred++] = m->red[longest];
	s->first_tiled = longest >= 0 ? s->nred - 1 : 0;
}

bool
dt_shape_of(struct sn_sched_ctx *c, const struct sn_kernel *k, int64_t bk, struct dt_shape *out)
{
	const struct sn_comp *m = k->stages.v[0];
	*out = (struct dt_shape){ .nbatch = 0 };
	if (k->stages.n != 1 || !is_sum_of_products(m))
		return false;
	for (int i = 0; i < DT_SIDES; i++)
		out->side[i].value = m->args[0]->args[i];
	sort_axes(m, out);
	if (is_stored_along(c->pool, m, &out->side[DT_Y]))
		swap_sides(out);
	order_red(m, bk, out);
	return out->side[DT_Y].naxes > 0 && out->side[DT_X].naxes > 0;
}

/* ---- knobs ---- */

static const char *const block_names[] = { "by", "bx" }, *const item_names[] = { "ty", "tx" };

void
dt_knobs_get(const struct sn_kernel *k, struct dt_knobs *out)
{
	for (int i = 0; i < DT_SIDES; i++) {
		out->block[i] = sn_kernel_knob(k, block_names[i], 1);
		out->item[i] = sn_kernel_knob(k, item_names[i], 1);
	}
	out->bk = sn_kernel_knob(k, "bk", 1);
	out->lanes = sn_kernel_knob(k, "lanes", 1);
	out->is_double = sn_kernel_knob(k, "double", 0);
}

static void
set_knobs(struct sn_sched_ctx *c, struct sn_kernel *k, const struct dt_knobs *n)
{
	struct sn_program *pr = c->module->program;
	for (int i = 0; i < DT_SIDES; i++) {
		sn_kernel_set_knob(pr, k, block_names[i], n->block[i]);
		sn_kernel_set_knob(pr, k, item_names[i], n->item[i]);
	}
	sn_kernel_set_knob(pr, k, "bk", n->bk);
	sn_kernel_set_knob(pr, k, "lanes", n->lanes);
	sn_kernel_set_knob(pr, k, "double", n->is_double);
}

/* Multiply-adds a unit starts in a cycle; cycles of a tile step that nothing hides where a group is
 * alone; bytes that a unit loads in a cycle; registers of a unit, and of an item beside its
 * accumulators. */
enum {
	UNIT_MACS = 128,
	STEP_LATENCY = 400,
	UNIT_BYTES = 64,
	UNIT_REGISTERS = 65536,
	ITEM_REGISTERS = 48
};

/* Tiles to choose from: rows and columns of a group, and of an item. */
static const struct dt_knobs tiles[] = {
	{ { 128, 128 }, { 8, 8 }, 16, 4, true }, { { 64, 128 }, { 8, 8 }, 16, 4, true },
	{ { 128, 64 }, { 8, 8 }, 16, 4, true },	 { { 64, 64 }, { 8, 4 }, 16, 4, true },
	{ { 32, 64 }, { 4, 4 }, 16, 4, true },	 { { 64, 32 }, { 4, 4 }, 16, 4, true },
	{ { 32, 32 }, { 4, 4 }, 16, 4, true },	 { { 16, 64 }, { 4, 4 }, 16, 4, true },
	{ { 16, 16 }, { 2, 4 }, 16, 4, true },
};

struct size {
	double batch, side[DT_SIDES], red;
};

static void
size_of(const struct dt_shape *s, struct size *out)
{
	out->batch = sn_rows_points(s->batch, 0, s->nbatch);
	out->red = sn_rows_points(s->red, 0, s->nred);
	for (int i = 0; i < DT_SIDES; i++)
		out->side[i] = sn_rows_points(s->side[i].axes, 0, s->side[i].naxes);
}

static int64_t
items_of(const struct dt_knobs *n)
{
	return n->block[DT_Y] / n->item[DT_Y] * (n->block[DT_X] / n->item[DT_X]);
}

static bool
fits(const struct sn_target *t, const struct dt_shape *s, const struct dt_knobs *n)
{
	int64_t bytes = 0;
	for (int i = 0; i < DT_SIDES; i++) {
		int bits = sn_dtype_info((enum sn_dtype)s->side[i].value->dtype)->bits;
		bytes += (n->block[i] + DT_PAD) * n->bk * ((bits + 7) / 8) * (1 + n->is_double);
	}
	int64_t items = items_of(n);
	return items <= t->group_items && bytes <= t->local_bytes;
}

static double
whole(double x, double step)
{
	double n = x / step;
	double f = (double)(int64_t)n;
	return f < n ? f + 1 : f;
}

/* Groups that a unit holds at once. */
static double
resident(const struct dt_knobs *n)
{
	int64_t each = 2 * n->item[DT_Y] * n->item[DT_X] + ITEM_REGISTERS;
	double groups = (double)UNIT_REGISTERS / (double)(each * items_of(n));
	return groups > 1 ? (double)(int64_t)groups : 1;
}

/* Cycles: rounds of groups at once, each as long as the units' arithmetic (small tiles load more for each
 * product), or as the steps of one group take. */
static double
cost_of(const struct sn_target *t, const struct size *z, const struct dt_knobs *n)
{
	double groups = z->batch, steps = whole(z->red, (double)n->bk);
	for (int i = 0; i < DT_SIDES; i++)
		groups *= whole(z->side[i], (double)n->block[i]);
	double ty = (double)n->item[DT_Y], tx = (double)n->item[DT_X], at_once = resident(n);
	double loads = 1 + 4 * (ty + tx) / (ty * tx * (double)n->lanes);
	double products = (double)(n->block[DT_Y] * n->block[DT_X]) / UNIT_MACS * loads;
	double bytes = (double)(n->block[DT_Y] + n->block[DT_X]) * 4 / UNIT_BYTES;
	double work = (products + bytes) * steps * (double)n->bk;
	double rounds = whole(groups, t->units * at_once);
	double each = whole(groups, t->units * rounds);
	double alone = work + steps * STEP_LATENCY;
	return rounds * (each * work > alone ? each * work : alone);
}

/* Tiles need this many rows, columns and steps to be worth their staging. */
enum { FEWEST_SIDE = 8, FEWEST_RED = 8 };

double
sn_device_tile_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	struct dt_shape s;
	struct size z;
	double best = -1;
	for (size_t i = 0; i < ARRAY_LEN(tiles); i++) {
		if (!dt_shape_of(c, k, tiles[i].bk, &s) || !fits(c->target, &s, &tiles[i]))
			continue;
		size_of(&s, &z);
		if (z.side[DT_Y] < FEWEST_SIDE || z.side[DT_X] < FEWEST_SIDE || z.red < FEWEST_RED)
			return -1;
		double cost = cost_of(c->target, &z, &tiles[i]);
		if (best >= 0 && cost >= best)
			continue;
		best = cost;
		set_knobs(c, k, &tiles[i]);
	}
	return best;
}

/* ---- constants ---- */

/* Parts of a layout in the making: those along axes that were given, in their order. */
struct walk {
	struct sn_pool *pool;
	const struct sn_expr *read;
	struct sn_layout_part parts[SN_MAX_RANK];
	int n;
	unsigned taken; /* dimensions that have a part */
};

/* The dimension along which AXIS moves by one, marked as taken; -1: none. */
static int
take_dim(struct walk *w, const struct sn_axis *axis)
{
	for (int d = 0; d < w->read->tensor->type.rank; d++)
		if (!(w->taken >> d & 1) && has_unit_step(w->pool, w->read->args[d], axis)) {
			w->taken |= 1u << d;
			return d;
		}
	return -1;
}

static void
add_dims(struct walk *w, const struct sn_axis *const *axes, int n)
{
	for (int i = 0; i < n; i++) {
		int d = take_dim(w, axes[i]);
		if (d >= 0)
			w->parts[w->n++] = (struct sn_layout_part){ d, 1, 0, NULL };
	}
}

/* Dimensions that nothing walks stand outside of the others. */
static const struct sn_layout *
finish_walk(const struct walk *w)
{
	struct sn_layout_part all[SN_MAX_RANK];
	int n = 0;
	for (int d = 0; d < w->read->tensor->type.rank; d++)
		if (!(w->taken >> d & 1))
			all[n++] = (struct sn_layout_part){ d, 1, 0, NULL };
	for (int i = 0; i < w->n; i++)
		all[n++] = w->parts[i];
	return sn_layout_of_parts(w->pool, &w->read->tensor->type, all, n);
}

const struct sn_layout *
sn_device_tile_layout(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_expr *read)
{
	struct dt_shape s;
	struct dt_knobs n;
	struct walk w = { .pool = c->pool, .read = read };
	dt_knobs_get(k, &n);
	if (!dt_shape_of(c, k, n.bk, &s))
		return NULL;
	for (int i = 0; i < DT_SIDES; i++) {
		if (s.side[i].value != read)
			continue;
		add_dims(&w, s.red, s.nred);
		if (w.n == 0)
			return NULL;
		add_dims(&w, s.side[i].axes, s.side[i].naxes);
	}
	return w.n > 0 ? finish_walk(&w) : NULL;
}
