/*
 * apply-schedules: builds one loop-level function for each kernel with the
 * schedule that was chosen, and the steps that call it.
 *
 *	kernel k03_conv ... schedule=tile  ->  func k03_conv(...) { parallel ... }
 *
 * Equal functions (but for names) are built once and called several times; the
 * step keeps the kernel, so that profiles and comments name each.  Cost: linear.
 */
#include <ctype.h>
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

/* Symbols that a function uses: bits by id. */
struct used {
	struct sn_arena *scratch;
	bool *is_used;
};

static void
use_sym(const struct sn_expr *e, void *arg)
{
	const struct used *u = arg;
	if (e->kind == EX_SYM)
		u->is_used[e->sym->id] = true;
}

static void
use_syms(struct used *u, const struct sn_expr *e)
{
	if (e)
		sn_expr_walk(e, u->scratch, use_sym, u);
}

static bool
use_stmt(struct sn_stmt *s, void *arg)
{
	if (s->kind == ST_FOR)
		use_syms(arg, s->loop.axis->extent);
	else if (s->kind == ST_IF)
		use_syms(arg, s->cond.cond);
	else if (s->kind == ST_LET)
		use_syms(arg, s->let.value);
	else if (s->kind == ST_CHECK)
		use_syms(arg, s->check.cond);
	if (s->kind != ST_LOAD && s->kind != ST_STORE && s->kind != ST_PREFETCH)
		return true;
	use_syms(arg, s->mem.value);
	for (int i = 0; i < s->mem.buffer->rank; i++)
		use_syms(arg, s->mem.idx[i]);
	return true;
}

/* Fills in the symbols of F, in order of id. */
static void
find_syms(struct apply *a, struct sn_func *f)
{
	struct sn_pool *p = a->s.pool;
	struct used u = { a->c->scratch, NULL };
	u.is_used = SN_NEW_ARRAY(a->c->scratch, (size_t)p->nsyms + 1, bool);
	for (size_t i = 0; i < f->params.n; i++)
		use_syms(&u, f->params.v[i]->dims[0]);
	sn_block_walk(&f->body, use_stmt, &u);
	f->syms.n = 0;
	for (int i = 0; i < p->nsyms; i++)
		if (u.is_used[i])
			SN_PUSH(f->arena, &f->syms, p->syms[i]);
}

/* Most operators that a name spells out. */
enum { NAME_OPS = 4 };

/* k03_conv_add_relu: number and operators of the kernel; without origin, or of a transfer, its own
 * name. */
static const char *
name_of(struct apply *a, const struct sn_kernel *k, size_t number)
{
	struct sn_buf b;
	sn_buf_init(&b, a->c->module->arena);
	sn_buf_addf(&b, "k%02zu", number);
	int n = k->origin && k->place != PLACE_TRANSFER ? k->origin->n : 0;
	for (int i = 0; i < n && i < NAME_OPS; i++) {
		sn_buf_addc(&b, '_');
		for (const char *s = k->origin->nodes[i]->op; *s; s++)
			sn_buf_addc(&b, isalnum((unsigned char)*s)
						? (char)tolower((unsigned char)*s)
						: '_');
	}
	if (n == 0)
		sn_buf_addf(&b, "_%s", k->name);
	if (n > NAME_OPS)
		sn_buf_addf(&b, "_and_%d", n - NAME_OPS);
	return b.text;
}

/* Text may name none, or one that is not there, or of another kind. */
static const struct sn_schedule *
schedule_of(struct apply *a, const struct sn_kernel *k)
{
	const struct sn_schedule *s = sn_schedule_find(k->schedule);
	struct sn_module *m = a->c->module;
	struct sn_where where = SN_NOWHERE;
	if (s && s->kind == sn_sched_kind_of(sn_module_target(m, k->place)))
		return s;
	where.name = k->name;
	sn_report(m->diags, where, DG_SCHEDULE, k->schedule ? k->schedule : "");
	return NULL;
}

static bool
apply(struct apply *a, struct sn_kernel *k, size_t number)
{
	struct sn_module *m = a->c->module;
	k->name = name_of(a, k, number);
	struct sn_func *f = sn_func_new(m->arena, m->pool, k->name);
	struct sn_builder b;
	sn_builder_init(&b, f);
	const struct sn_schedule *schedule = schedule_of(a, k);
	if (!schedule)
		return false;
	f->origin = k->origin;
	f->is_on_host = k->place != PLACE_TARGET;
	sn_sched_turn(&a->s, k);
	if (!schedule->apply(&a->s, k, &b))
		return false;
	find_syms(a, f);
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
		if (!apply(&a, m->program->kernels.v[i], i))
			return false;
	c->has_changed = true;
	return true;
}
