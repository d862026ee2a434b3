/*
 * choose-schedule: gives each kernel the schedule that fits at the least cost,
 * with its knobs.
 *
 *	kernel conv ...            ->  kernel conv schedule=tile vec=1 lanes=16 nv=2 row=3 rows=14 ...
 *
 * Only schedules of the target's kind are tried.  Scratch tensors whose slice has
 * no constant size, or too large a one for the stack, or for what the schedule
 * has, become tensors of their own.  Changes no results.  Cost: linear in kernels,
 * a few thousand trial tiles each.
 */
#include "passes/pass.h"
#include "passes/schedule.h"

typedef bool (*keeps_fn)(struct sn_sched_ctx *c, const struct sn_kernel *k,
			 const struct sn_tensor *t);

static bool
has_size(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t)
{
	(void)c;
	return sn_slice_bytes(k, t) >= 0;
}

/* Scratch tensors that KEEPS has no room for become tensors of their own. */
static void
spill_scratch(struct sn_sched_ctx *s, struct sn_kernel *k, keeps_fn keeps)
{
	struct sn_tensor_list stores = { 0 };
	sn_kernel_stores(k, s->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++) {
		struct sn_tensor *t = stores.list.v[i];
		if (t->store != TS_SCRATCH || keeps(s, k, t))
			continue;
		t->store = TS_OWN;
		sn_remark(s->module, "choose-schedule", k->origin,
			  "'%s' is not scratch: its size is not known or too large", t->name);
	}
}

static const struct sn_schedule *
choose(struct sn_sched_ctx *s, struct sn_kernel *k, enum sn_sched_kind kind)
{
	int n;
	const struct sn_schedule *all = sn_schedules(&n), *best = NULL;
	double best_cost = 0;
	SN_VEC(struct sn_knob) none = { 0 }, knobs = { 0 };
	for (int i = 0; i < n; i++) {
		if (all[i].kind != kind)
			continue;
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
	return best;
}

/* On a CPU what is scratch decides what vectors suit; on a device the schedule says how much fits. */
static void
choose_for_kernel(struct sn_sched_ctx *s, struct sn_kernel *k)
{
	enum sn_sched_kind kind = sn_sched_kind_of(s->target);
	spill_scratch(s, k, kind == SK_CPU ? sn_stack_keeps : has_size);
	spill_scratch(s, k, choose(s, k, kind)->keeps);
}

bool
sn_pass_choose_schedule(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct sn_sched_ctx s = { m, m->target, m->pool, m->arena, c->scratch };
	for (size_t i = 0; i < m->program->kernels.n; i++)
		choose_for_kernel(&s, m->program->kernels.v[i]);
	c->has_changed = true;
	return true;
}
