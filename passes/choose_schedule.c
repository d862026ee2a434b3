/*
 * choose-schedule: gives each kernel the schedule that fits at the least cost,
 * with its knobs.
 *
 *	kernel conv ...            ->  kernel conv schedule=tile vec=1 lanes=16 nv=2 row=3 rows=14 ...
 *
 * Only schedules of the target's kind are tried.  Scratch tensors whose slice has
 * no constant size, or too large a one for the stack, or for what the schedule
 * has, become tensors of their own.  Where a kernel of several stages finds no
 * vectors on a CPU, and kernels of its stages cost less together (a normalisation
 * over rows and columns, channels in blocks), it is taken apart:
 *
 *	kernel norm { mean[n, c] = ..;  y[n, c, h, w] = .. }
 *		->  kernel norm { mean[n, c] = .. }  kernel norm_2 { y[n, c, h, w] = .. }
 *
 * Changes no results.  Cost: linear in kernels, a few thousand trial tiles each.
 */
#include "passes/pass.h"
#include "passes/schedule.h"

typedef bool (*keeps_fn)(struct sn_sched_ctx *c, const struct sn_kernel *k,
			 const struct sn_tensor *t);

struct choice {
	const struct sn_schedule *schedule;
	double cost;
};

static bool
has_size(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t)
{
	(void)c;
	return sn_slice_bytes(k, t) >= 0;
}

/* Scratch tensors that KEEPS has no room for (NULL: all) become tensors of their own. */
static void
spill_scratch(struct sn_sched_ctx *s, struct sn_kernel *k, keeps_fn keeps)
{
	struct sn_tensor_list stores = { 0 };
	sn_kernel_stores(k, s->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++) {
		struct sn_tensor *t = stores.list.v[i];
		if (t->store != TS_SCRATCH || (keeps && keeps(s, k, t)))
			continue;
		t->store = TS_OWN;
		sn_remark(s->module, "choose-schedule", k->origin, "'%s' is not scratch: its %s",
			  t->name,
			  keeps ? "size is not known or too large" : "kernel is taken apart");
	}
}

static struct choice
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
	return (struct choice){ best, best_cost };
}

/* On a CPU what is scratch decides what vectors suit; on a device the schedule says how much fits.
 * Returns the cost. */
static double
choose_for_kernel(struct sn_sched_ctx *s, struct sn_kernel *k)
{
	enum sn_sched_kind kind = sn_sched_kind_of(s->target);
	spill_scratch(s, k, kind == SK_CPU ? sn_stack_keeps : has_size);
	struct choice best = choose(s, k, kind);
	spill_scratch(s, k, best.schedule->keeps);
	return best.cost;
}

/* ---- stages that do better alone ---- */

/* What the stages of K cost as kernels of their own. */
static double
cost_apart(struct sn_sched_ctx *s, const struct sn_kernel *k)
{
	double sum = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_kernel one = { .name = k->name, .stages = { &k->stages.v[i], 1, 1 } };
		sum += choose(s, &one, SK_CPU).cost;
	}
	return sum;
}

static bool
is_better_apart(struct sn_sched_ctx *s, const struct sn_kernel *k, double cost)
{
	return sn_sched_kind_of(s->target) == SK_CPU && s->module->has_vectors
	       && s->target->vector_bytes > 0 && sn_kernel_knob(k, "lanes", 1) == 1
	       && k->stages.n > 1 && cost_apart(s, k) < cost;
}

struct kernel_list {
	SN_VEC(struct sn_kernel *) list;
};

/* K becomes kernels of its stages; the first is listed already. */
static void
take_apart(struct sn_sched_ctx *s, struct sn_kernel *k, struct kernel_list *out)
{
	size_t first = out->list.n - 1;
	spill_scratch(s, k, NULL);
	for (size_t i = 1; i < k->stages.n; i++)
		SN_PUSH(s->arena, &out->list,
			sn_kernel_of_stage(s->module->program, k, k->stages.v[i]));
	k->stages.n = 1;
	k->nshared = 0;
	for (size_t i = first; i < out->list.n; i++)
		choose_for_kernel(s, out->list.v[i]);
}

bool
sn_pass_choose_schedule(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct sn_sched_ctx s = { m, m->target, m->pool, m->arena, c->scratch };
	struct kernel_list out = { 0 };
	for (size_t i = 0; i < m->program->kernels.n; i++) {
		struct sn_kernel *k = m->program->kernels.v[i];
		sn_sched_turn(&s, k);
		double cost = choose_for_kernel(&s, k);
		SN_PUSH(m->arena, &out.list, k);
		if (is_better_apart(&s, k, cost))
			take_apart(&s, k, &out);
	}
	m->program->kernels.v = out.list.v;
	m->program->kernels.n = out.list.n;
	m->program->kernels.cap = out.list.cap;
	c->has_changed = true;
	return true;
}
