/* Which kernels go by rows of groups, and with how many items (passes/device_rows.c draws the loops). */
#include "ir/index.h"
#include "passes/device_rows.h"

/* Costs in scalar steps, and cycles that short windows are not worth. */
enum { TREE_WAIT = 40, TREE_STEPS = 30, BARRIER_WAIT = 4, ROWS_START = 1500 };

/* Good numbers of elements of an item, and of items. */
enum { GOOD_EACH = 4, GOOD_ITEMS = 128, MOST_ACROSS = 256 };

int
drows_spread(const struct sn_kernel *k)
{
	const struct sn_comp *m = k->stages.v[0];
	return k->stages.n == 1 && m->reducer ? m->naxes : k->nshared;
}

bool
drows_is_single(const struct sn_comp *m, int nspread)
{
	for (int i = nspread; i < m->naxes; i++)
		if (!sn_is_int_const(m->axes[i]->extent, 1))
			return false;
	return true;
}

bool
drows_is_tree(const struct sn_comp *m, int nspread)
{
	return m->reducer && m->reducer->merge[0] && m->nred > 0 && drows_is_single(m, nspread);
}

const struct sn_axis *const *
drows_walked(const struct sn_comp *m, int nspread, int *out_n)
{
	*out_n = drows_is_tree(m, nspread) ? m->nred : m->naxes - nspread;
	return drows_is_tree(m, nspread) ? m->red : m->axes + nspread;
}

int64_t
drows_lanes(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_comp *m, int nspread,
	    int64_t lanes)
{
	const struct sn_axis *a = drows_is_tree(m, nspread) ? sn_rows_red_axis(c, k, m, lanes)
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
		for (int s = 0; drows_is_tree(m, nspread) && s < m->reducer->nstates; s++)
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
	int64_t left = c->target->local_bytes / rows - tree_bytes(k, drows_spread(k), across);
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
		const struct sn_axis *const *axes = drows_walked(m, nspread, &n);
		double x = sn_rows_points(axes, 0, n)
			   / (double)drows_lanes(c, k, m, nspread, c->target->load_floats);
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
	int64_t row_bytes = scratch_bytes(c, k) + tree_bytes(k, drows_spread(k), across);
	while (rows > 1
	       && (points < (double)(rows * t->units) || rows * row_bytes > t->local_bytes
		   || rows * across > t->group_items))
		rows /= 2;
	return rows;
}

static double
cost_of(struct sn_sched_ctx *c, const struct sn_kernel *k, double points, int64_t across)
{
	int nspread = drows_spread(k);
	double work = 0, waits = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		int n;
		const struct sn_axis *const *axes = drows_walked(m, nspread, &n);
		double walk = sn_rows_points(axes, 0, n), steps = walk / (double)across;
		double one = sn_rows_points(m->axes, nspread, m->naxes)
			     * (5 * sn_rows_points(m->red, 0, m->nred) + 5);
		work += points * one * (n ? sn_device_scatter(c, m, axes[n - 1]) : 1);
		waits += walk > 0 ? one / walk * (steps > 1 ? steps : 1) : 0;
		waits += drows_is_tree(m, nspread) ? TREE_WAIT : BARRIER_WAIT;
		work += drows_is_tree(m, nspread) ? points * (double)across * TREE_STEPS : 0;
	}
	return sn_device_cost(c->target, work, points * (double)across)
	       + sn_device_cost(c->target, waits, 1) + ROWS_START;
}

double
sn_device_rows_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	const struct sn_target *t = c->target;
	int nspread = drows_spread(k);
	const struct sn_comp *m = k->stages.v[0];
	double walk = longest_walk(c, k, nspread), points = sn_rows_points(m->axes, 0, nspread);
	bool is_rows = k->nshared > 0 || (k->stages.n == 1 && drows_is_tree(m, nspread));
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
