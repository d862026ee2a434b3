/* Runs a module's loop-level functions in the interpreter (see run_loops.h). */
#include "run_loops.h"
#include <string.h>

int64_t
loop_value(struct sn_module *m, const struct sn_expr *e, const int64_t *syms, struct sn_arena *a)
{
	struct sn_subst s;
	int64_t n = -1;
	sn_subst_init(&s, m->pool, a);
	for (int i = 0; i < m->pool->nsyms; i++)
		sn_subst_put(&s, sn_sym_expr(m->pool, m->pool->syms[i]), sn_int(m->pool, syms[i]));
	sn_get_int(sn_subst(&s, e), &n);
	return n;
}

static struct sn_tensor *
root_of(struct sn_tensor *t)
{
	while (t->store == TS_VIEW || t->store == TS_INPLACE)
		t = t->base;
	return t;
}

/* Elements of a constant in its layout, one by one. */
static void
fill_constant(struct loop_memory *mem, const struct sn_tensor *t, void *out)
{
	struct sn_pool *p = mem->m->pool;
	const struct sn_layout *l = sn_layout_of(p, t);
	int64_t dims[SN_MAX_RANK], at[SN_MAX_RANK] = { 0 }, off;
	for (int d = 0; d < t->type.rank; d++)
		sn_get_int(t->type.dims[d], &dims[d]);
	for (size_t i = 0; i < t->data->n; i++) {
		const struct sn_expr *idx[SN_MAX_RANK];
		for (int d = 0; d < t->type.rank; d++)
			idx[d] = sn_int(p, at[d]);
		sn_get_int(sn_layout_offset(p, l, idx), &off);
		sn_dtype_store(t->type.dtype, out, (size_t)off, sn_data_get(t->data, i));
		for (int d = t->type.rank - 1; d >= 0 && ++at[d] == dims[d]; d--)
			at[d] = 0;
	}
}

static void
give_memory(struct loop_memory *mem, struct sn_tensor *t, const int64_t *syms,
	    const struct sn_array *in)
{
	size_t n = (size_t)loop_value(mem->m, sn_layout_of(mem->m->pool, t)->size, syms,
				      mem->arena);
	if (mem->bytes[t->id])
		return;
	mem->counts[t->id] = n;
	mem->bytes[t->id] = sn_alloc(mem->arena, sn_dtype_bytes(t->type.dtype, n) + 64);
	mem->is_full[t->id] = t->role == TR_INPUT || t->role == TR_CONST;
	if (t->role == TR_INPUT)
		memcpy(mem->bytes[t->id], in[t->role_index].bytes,
		       sn_dtype_bytes(t->type.dtype, n));
	if (t->role == TR_CONST)
		fill_constant(mem, t, mem->bytes[t->id]);
}

static bool
run_step(struct loop_memory *mem, const struct sn_step *s, const int64_t *syms)
{
	size_t n = s->func->params.n;
	void **args = SN_NEW_ARRAY(mem->arena, n, void *);
	size_t *counts = SN_NEW_ARRAY(mem->arena, n, size_t);
	bool *init = SN_NEW_ARRAY(mem->arena, n, bool);
	for (size_t i = 0; i < n; i++) {
		int id = root_of(s->args[i])->id;
		args[i] = mem->bytes[id];
		counts[i] = mem->counts[id];
		init[i] = mem->is_full[id] || s->func->params.v[i]->is_const;
	}
	struct sn_func_run r = { .args = args, .counts = counts, .init = init, .syms = syms };
	return sn_func_interp(s->func, &r, mem->arena, mem->m->diags);
}

bool
loops_run(struct sn_module *m, const int64_t *syms, const struct sn_array *in, struct sn_array *out,
	  struct sn_arena *a)
{
	size_t n = m->program->tensors.n;
	struct loop_memory mem = { .arena = a, .m = m };
	mem.bytes = SN_NEW_ARRAY(a, n, void *);
	mem.counts = SN_NEW_ARRAY(a, n, size_t);
	mem.is_full = SN_NEW_ARRAY(a, n, bool);
	for (size_t s = 0; s < m->plan->steps.n; s++) {
		const struct sn_step *step = &m->plan->steps.v[s];
		for (size_t i = 0; i < step->func->params.n; i++)
			give_memory(&mem, root_of(step->args[i]), syms, in);
		if (!run_step(&mem, step, syms))
			return false;
		for (size_t i = 0; i < step->func->params.n; i++)
			if (!step->func->params.v[i]->is_const)
				mem.is_full[root_of(step->args[i])->id] = true;
	}
	for (size_t i = 0; i < m->program->outputs.n; i++) {
		const struct sn_tensor *t = m->program->outputs.v[i];
		out[i] = (struct sn_array){ t->type.dtype, mem.counts[t->id], mem.bytes[t->id] };
	}
	return true;
}
