/*
 * Tensor level: making programs, tensors, kernels and comprehensions.
 */
#include "ir/tensor.h"

#include <string.h>

struct sn_program *
sn_program_new(struct sn_arena *a, struct sn_pool *p, const char *name)
{
	struct sn_program *pr = SN_NEW(a, struct sn_program);
	pr->name = sn_strdup(a, name);
	pr->arena = a;
	pr->pool = p;
	sn_map_init(&pr->names, a);
	return pr;
}

/* NAME, or the first of NAME_2, NAME_3, ... that is free; PREFIX keeps two kinds of names apart. */
static const char *
free_name(struct sn_program *pr, const char *prefix, const char *name)
{
	char *key = sn_printf(pr->arena, "%s%s", prefix, name);
	uintptr_t n = (uintptr_t)sn_map_get(&pr->names, key);
	if (n) {
		char *base = key;
		do
			key = sn_printf(pr->arena, "%s_%zu", base, (size_t)++n);
		while (sn_map_get(&pr->names, key));
		sn_map_put(&pr->names, base, (void *)n);
	}
	sn_map_put(&pr->names, key, (void *)(uintptr_t)1);
	return key + strlen(prefix);
}

struct sn_tensor *
sn_tensor_new(struct sn_program *pr, const char *name, const struct sn_type *t,
	      enum sn_tensor_role role)
{
	struct sn_tensor *x = SN_NEW(pr->arena, struct sn_tensor);
	x->id = (int)pr->tensors.n;
	x->name = free_name(pr, "", name ? name : sn_printf(pr->arena, "t%d", x->id));
	x->type = *t;
	x->role = role;
	x->role_index = -1;
	SN_PUSH(pr->arena, &pr->tensors, x);
	if (role == TR_INPUT) {
		x->role_index = (int)pr->inputs.n;
		SN_PUSH(pr->arena, &pr->inputs, x);
	} else if (role == TR_OUTPUT) {
		x->role_index = (int)pr->outputs.n;
		SN_PUSH(pr->arena, &pr->outputs, x);
	}
	return x;
}

struct sn_kernel *
sn_kernel_new(struct sn_program *pr, const char *name)
{
	struct sn_kernel *k = SN_NEW(pr->arena, struct sn_kernel);
	k->id = pr->nkernels++;
	k->name = free_name(pr, ":", name);
	return k;
}

void
sn_kernel_rename(struct sn_program *pr, struct sn_kernel *k, const char *name)
{
	k->name = free_name(pr, ":", name);
}

struct sn_kernel *
sn_kernel_of_stage(struct sn_program *pr, const struct sn_kernel *k, struct sn_comp *m)
{
	struct sn_kernel *n = sn_kernel_new(pr, k->name);

	SN_PUSH(pr->arena, &n->stages, m);
	n->origin = m->origin ? m->origin : k->origin;
	n->place = k->place;
	n->why = k->why;
	return n;
}

int64_t
sn_kernel_knob(const struct sn_kernel *k, const char *name, int64_t def)
{
	for (size_t i = 0; i < k->knobs.n; i++)
		if (!strcmp(k->knobs.v[i].name, name))
			return k->knobs.v[i].value;
	return def;
}

void
sn_kernel_set_knob(struct sn_program *pr, struct sn_kernel *k, const char *name, int64_t v)
{
	for (size_t i = 0; i < k->knobs.n; i++) {
		if (!strcmp(k->knobs.v[i].name, name)) {
			k->knobs.v[i].value = v;
			return;
		}
	}
	SN_PUSH(pr->arena, &k->knobs, (struct sn_knob){ sn_strdup(pr->arena, name), v });
}

struct collect {
	struct sn_arena *arena;
	struct sn_tensor_list *out;
};

static void
collect_tensor(struct collect *c, const struct sn_tensor *t)
{
	for (size_t i = 0; i < c->out->list.n; i++)
		if (c->out->list.v[i] == t)
			return;
	SN_PUSH(c->arena, &c->out->list, (struct sn_tensor *)t);
}

static void
collect_read(const struct sn_expr *e, void *arg)
{
	if (e->kind == EX_READ)
		collect_tensor(arg, e->tensor);
}

void
sn_kernel_reads(const struct sn_kernel *k, struct sn_arena *a, struct sn_tensor_list *out)
{
	struct collect c = { a, out };
	*out = (struct sn_tensor_list){ 0 };
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		for (int j = 0; m->reducer && j < m->reducer->nargs; j++)
			sn_expr_walk(m->args[j], a, collect_read, &c);
		for (int j = 0; j < m->nresults; j++) {
			const struct sn_result *r = &m->results[j];
			sn_expr_walk(r->value, a, collect_read, &c);
			for (int d = 0; d < r->tensor->type.rank; d++)
				sn_expr_walk(r->idx[d], a, collect_read, &c);
		}
	}
}

void
sn_kernel_stores(const struct sn_kernel *k, struct sn_arena *a, struct sn_tensor_list *out)
{
	struct collect c = { a, out };
	*out = (struct sn_tensor_list){ 0 };
	for (size_t i = 0; i < k->stages.n; i++)
		for (int j = 0; j < k->stages.v[i]->nresults; j++)
			collect_tensor(&c, k->stages.v[i]->results[j].tensor);
}

static const struct sn_axis *
copy_axis(struct sn_subst *s, const struct sn_axis *old)
{
	const struct sn_axis *fresh = sn_axis_new(s->pool, old->name, old->extent);
	sn_subst_put(s, sn_axis_expr(s->pool, old), sn_axis_expr(s->pool, fresh));
	return fresh;
}

struct sn_comp *
sn_comp_copy(struct sn_program *pr, const struct sn_comp *c)
{
	struct sn_comp *copy = sn_memdup(pr->arena, c, sizeof(*c));
	struct sn_subst s;
	sn_subst_init(&s, pr->pool, pr->arena);
	for (int i = 0; i < c->naxes; i++)
		copy->axes[i] = copy_axis(&s, c->axes[i]);
	for (int i = 0; i < c->nred; i++)
		copy->red[i] = copy_axis(&s, c->red[i]);
	sn_comp_subst(copy, &s);
	return copy;
}

void
sn_comp_subst(struct sn_comp *c, struct sn_subst *s)
{
	for (int j = 0; c->reducer && j < c->reducer->nargs; j++)
		c->args[j] = sn_subst(s, c->args[j]);
	for (int j = 0; j < c->nresults; j++) {
		struct sn_result *r = &c->results[j];
		r->value = sn_subst(s, r->value);
		for (int d = 0; d < r->tensor->type.rank; d++)
			r->idx[d] = sn_subst(s, r->idx[d]);
	}
}

struct find_dtype {
	enum sn_dtype type;
	bool is_found;
};

static void
note_dtype(const struct sn_expr *e, void *arg)
{
	struct find_dtype *f = arg;
	f->is_found |= e->dtype == f->type;
}

bool
sn_comp_has_dtype(const struct sn_comp *c, enum sn_dtype t, struct sn_arena *scratch)
{
	struct find_dtype f = { t, false };
	for (int i = 0; c->reducer && i < c->reducer->nargs; i++)
		sn_expr_walk(c->args[i], scratch, note_dtype, &f);
	for (int i = 0; c->reducer && i < c->reducer->nstates; i++)
		f.is_found |= c->reducer->state_types[i] == t;
	for (int i = 0; i < c->nresults; i++) {
		sn_expr_walk(c->results[i].value, scratch, note_dtype, &f);
		f.is_found |= c->results[i].tensor->type.dtype == t;
	}
	return f.is_found;
}
