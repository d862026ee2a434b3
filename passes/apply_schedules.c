/*
 * apply-schedules: builds one loop-level function for each kernel with the
 * schedule that was chosen, and the steps that call it.
 *
 *	kernel k03_conv ... schedule=tile  ->  func k03_conv(...) { parallel ... }
 *
 * Equal functions (but for names) are built once and called several times; the
 * step keeps the kernel, so that profiles and comments name each.  Cost: linear.
 */
#include "passes/emit.h"
#include "passes/pass.h"
#include "passes/schedule.h"

struct apply {
	struct sn_pass_ctx *c;
	struct sn_sched_ctx s;
	struct sn_map by_hash; /* to struct same */
};

/* Functions of one hash. */
struct same {
	struct sn_func *func;
	struct same *next;
};

static struct sn_func *
find_equal(struct apply *a, struct sn_func *f)
{
	uint64_t h = sn_func_hash(f);
	struct same *first = sn_map_get_num(&a->by_hash, h);
	for (struct same *s = first; s; s = s->next)
		if (sn_func_equal(s->func, f))
			return s->func;
	struct same *s = SN_NEW(a->c->scratch, struct same);
	*s = (struct same){ f, first };
	sn_map_put_num(&a->by_hash, h, s);
	return NULL;
}

/* The kernel's tensors in the order of the function's parameters: what sn_emit_init makes of it. */
static struct sn_tensor **
arguments(struct apply *a, const struct sn_kernel *k, size_t n)
{
	struct sn_tensor **args = SN_NEW_ARRAY(a->c->module->arena, n, struct sn_tensor *);
	struct sn_func *f = sn_func_new(a->c->scratch, a->s.pool, k->name);
	struct sn_builder b;
	struct sn_emit e;
	sn_builder_init(&b, f);
	sn_emit_init(&e, &a->s, k, &b);
	for (size_t i = 0; i < n && i < e.args.n; i++)
		args[i] = e.args.v[i];
	return args;
}

static bool
apply(struct apply *a, const struct sn_kernel *k)
{
	struct sn_module *m = a->c->module;
	struct sn_func *f = sn_func_new(m->arena, m->pool, k->name);
	struct sn_builder b;
	sn_builder_init(&b, f);
	f->origin = k->origin;
	if (!sn_schedule_find(k->schedule)->apply(&a->s, k, &b))
		return false;
	struct sn_func *equal = find_equal(a, f);
	if (!equal)
		SN_PUSH(m->arena, &m->funcs, f);
	struct sn_step s = { .func = equal ? equal : f, .kernel = k, .is_first_of_equal = !equal };
	s.args = arguments(a, k, f->params.n);
	s.syms = SN_NEW_ARRAY(m->arena, f->syms.n + 1, const struct sn_expr *);
	for (size_t i = 0; i < f->syms.n; i++)
		s.syms[i] = sn_sym_expr(m->pool, f->syms.v[i]);
	SN_PUSH(m->arena, &m->plan->steps, s);
	return true;
}

bool
sn_pass_apply_schedules(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct apply a = { .c = c, .s = { m, m->target, m->pool, m->arena, c->scratch } };
	sn_map_init(&a.by_hash, c->scratch);
	m->plan = SN_NEW(m->arena, struct sn_plan);
	m->funcs.n = 0;
	for (size_t i = 0; i < m->program->kernels.n; i++)
		if (!apply(&a, m->program->kernels.v[i]))
			return false;
	c->has_changed = true;
	return true;
}
