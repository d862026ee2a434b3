/*
 * Runs a module whose kernels have become functions: memory for every tensor, constants packed into
 * their layouts, the steps in order, each through the loop interpreter.
 */
#include <string.h>
#include "codegen/codegen.h"
#include "ir/layout.h"
#include "ir/loop.h"
#include "tests/filetest_pass.h"

struct steps {
	struct ft_run *r;
	const struct sn_module *m;
	const int64_t *syms;
	char **memory;	  /* by tensor id; NULL: scratch inside its kernel */
	bool *is_written; /* by tensor id, of roots */
};

static const struct sn_tensor *
root_of(const struct sn_tensor *t)
{
	while (t->store == TS_VIEW || t->store == TS_INPLACE)
		t = t->base;
	return t;
}

struct cursor {
	char *at;
};

static bool
put_bytes(void *arg, const void *bytes, size_t n)
{
	struct cursor *c = arg;
	memcpy(c->at, bytes, n);
	c->at += n;
	return true;
}

static size_t
bytes_of(struct steps *s, const struct sn_tensor *t)
{
	const struct sn_layout *l = sn_layout_of(s->r->pool, t);
	int64_t n = ft_number(s->r, l->size, s->syms);
	return sn_dtype_bytes(t->type.dtype, n > 0 ? (size_t)n : 0);
}

/* Where a tensor with memory of its own lies: in the arena if the plan has put it there. */
static char *
place(struct steps *s, const struct sn_tensor *t, char *arena)
{
	const struct sn_plan *p = s->m->plan;
	if (arena && t->role == TR_TEMP && t->place == PLACE_TARGET && p->offsets
	    && p->offsets[t->id] >= 0)
		return arena + p->offsets[t->id];
	return sn_alloc(s->r->arena, bytes_of(s, t) + 64);
}

static bool
make_root(struct steps *s, const struct sn_tensor *t, char *arena)
{
	char *p = place(s, t, arena);
	struct cursor c = { p };
	s->memory[t->id] = p;
	s->is_written[t->id] = t->role == TR_INPUT || t->role == TR_CONST;
	if (t->role == TR_INPUT) {
		int64_t n = ft_number(s->r, sn_type_count(s->r->pool, &t->type), s->syms);
		ft_fill(s->r, t->name, t->type.dtype, p, (size_t)n);
	}
	return t->role != TR_CONST || sn_weights_pack(t, s->r->pool, put_bytes, &c)
	       || ft_fail(s->r, "can't pack '%s'", t->name);
}

static bool
make_memory(struct steps *s)
{
	const struct sn_program *pr = s->m->program;
	const struct sn_plan *plan = s->m->plan;
	s->memory = SN_NEW_ARRAY(s->r->arena, pr->tensors.n + 1, char *);
	s->is_written = SN_NEW_ARRAY(s->r->arena, pr->tensors.n + 1, bool);
	char *arena = NULL;
	if (plan->is_static && plan->arena_bytes > 0)
		arena = sn_alloc(s->r->arena, (size_t)plan->arena_bytes + 64);
	for (size_t i = 0; i < pr->tensors.n; i++)
		if (pr->tensors.v[i]->store == TS_OWN && !make_root(s, pr->tensors.v[i], arena))
			return false;
	return true;
}

static char *
address(struct steps *s, const struct sn_tensor *t)
{
	size_t offset = 0;
	for (; t->store == TS_VIEW || t->store == TS_INPLACE; t = t->base)
		if (t->store == TS_VIEW && t->base_offset)
			offset += sn_dtype_bytes(t->type.dtype,
						 (size_t)ft_number(s->r, t->base_offset, s->syms));
	return s->memory[t->id] ? s->memory[t->id] + offset : NULL;
}

/* Values of the function's own symbols in this call. */
static const int64_t *
call_symbols(struct steps *s, const struct sn_step *step)
{
	size_t n = (size_t)s->r->pool->nsyms;
	int64_t *syms = sn_memdup(s->r->arena, s->syms, n * sizeof(*syms));
	for (size_t i = 0; step->syms && i < step->func->syms.n; i++)
		syms[step->func->syms.v[i]->id] = ft_number(s->r, step->syms[i], s->syms);
	return syms;
}

static bool
run_step(struct steps *s, const struct sn_step *step)
{
	const struct sn_func *f = step->func;
	void **args = SN_NEW_ARRAY(s->r->arena, f->params.n + 1, void *);
	size_t *counts = SN_NEW_ARRAY(s->r->arena, f->params.n + 1, size_t);
	bool *init = SN_NEW_ARRAY(s->r->arena, f->params.n + 1, bool);
	struct sn_func_run run = { .args = args, .counts = counts, .init = init };
	run.syms = call_symbols(s, step);
	for (size_t i = 0; i < f->params.n; i++) {
		args[i] = address(s, step->args[i]);
		counts[i] = (size_t)ft_number(s->r, f->params.v[i]->dims[0], run.syms);
		init[i] = s->is_written[root_of(step->args[i])->id];
	}
	if (!sn_func_interp(f, &run, s->r->arena, s->r->diags))
		return ft_fail(s->r, "in the step '%s'", f->name);
	for (size_t i = 0; i < f->params.n; i++)
		if (!f->params.v[i]->is_const)
			s->is_written[root_of(step->args[i])->id] = true;
	return true;
}

bool
ft_run_steps(struct ft_run *r, const struct sn_module *m, struct ft_results *out)
{
	struct steps s = { .r = r, .m = m, .syms = ft_symbols(r) };
	if (!make_memory(&s))
		return false;
	for (size_t i = 0; i < m->plan->steps.n; i++)
		if (!run_step(&s, &m->plan->steps.v[i]))
			return false;
	if (!ft_results_make(r, m->program, false, out))
		return false;
	for (size_t i = 0; i < out->n; i++) {
		const struct sn_array *a = &out->arrays[i];
		memcpy(a->bytes, address(&s, m->program->outputs.v[i]),
		       sn_dtype_bytes(a->dtype, a->n));
	}
	return true;
}
