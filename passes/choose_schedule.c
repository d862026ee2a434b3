/*
 * choose-schedule: gives each kernel the schedule that fits at the least cost,
 * with its knobs.
 *
 *	kernel conv ...            ->  kernel conv schedule=tile vec=1 lanes=16 nv=2 row=3 rows=14 ...
 *
 * Scratch tensors whose slice has no constant size, or is too large for a
 * stack, become tensors of their own first.  Changes no results.  Cost: linear
 * in kernels, a few thousand trial tiles each.
 */
#include "passes/pass.h"
#include "passes/schedule.h"

/* Most bytes of one scratch slice on the stack. */
enum { STACK_SLICE = 64 << 10 };

static bool
slice_fits(const struct sn_kernel *k, const struct sn_tensor *t)
{
	int64_t n = sn_dtype_info(t->type.dtype)->bits / 8;
	for (int d = k->nshared; d < t->type.rank; d++) {
		int64_t x;
		if (!sn_get_int(t->type.dims[d], &x) || x > STACK_SLICE)
			return false;
		n *= x;
	}
	return n <= STACK_SLICE;
}

static void
spill_scratch(struct sn_pass_ctx *c, struct sn_kernel *k)
{
	struct sn_tensor_list stores = { 0 };
	sn_kernel_stores(k, c->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++) {
		struct sn_tensor *t = stores.list.v[i];
		if (t->store != TS_SCRATCH || slice_fits(k, t))
			continue;
		t->store = TS_OWN;
		sn_remark(c->module, "choose-schedule", k->origin,
			  "'%s' is not scratch: its size is not known or too large for the stack",
			  t->name);
	}
}

static void
choose(struct sn_sched_ctx *s, struct sn_kernel *k)
{
	int n;
	const struct sn_schedule *all = sn_schedules(&n), *best = NULL;
	double best_cost = 0;
	SN_VEC(struct sn_knob) none = { 0 }, knobs = { 0 };
	for (int i = 0; i < n; i++) {
		k->knobs.v = none.v;
		k->knobs.n = k->knobs.cap = 0;
		double cost = all[i].choose(s, k);
		if (cost < 0 || (best && cost >= best_cost))
			continue;
		best = &all[i];
		best_cost = cost;
		knobs.v = k->knobs.v;
		knobs.n = k->knobs.n;
		knobs.cap = k->knobs.cap;
	}
	k->schedule = best->name;
	k->knobs.v = knobs.v;
	k->knobs.n = knobs.n;
	k->knobs.cap = knobs.cap;
}

bool
sn_pass_choose_schedule(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct sn_sched_ctx s = { m, m->target, m->pool, m->arena, c->scratch };
	for (size_t i = 0; i < m->program->kernels.n; i++) {
		spill_scratch(c, m->program->kernels.v[i]);
		choose(&s, m->program->kernels.v[i]);
	}
	c->has_changed = true;
	return true;
}
