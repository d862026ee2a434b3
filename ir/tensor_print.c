/*
 * Programs of the tensor level as text (docs/ir.md).
 */
#include <string.h>

#include "ir/tensor_text.h"

struct printer {
	struct sn_buf *out;
	const struct sn_program *pr;
	bool with_data;
	const char *file;   /* of the program; origins in it don't name it */
	struct sn_map used; /* tensors by id that kernels, or views, touch */
	SN_VEC(const struct sn_reducer *) reducers; /* not built in */
};

static void
print_expr(void *arg, const char *before, const struct sn_expr *e)
{
	struct printer *p = arg;
	sn_buf_add(p->out, before);
	sn_expr_print(p->out, e);
}

/* ---- reducers ---- */

static bool
same_exprs(const struct sn_expr *const *a, const struct sn_expr *const *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

bool
sn_reducer_equal(const struct sn_reducer *a, const struct sn_reducer *b)
{
	int n = a->nstates;
	if (n != b->nstates || a->nargs != b->nargs)
		return false;
	for (int i = 0; i < a->nargs; i++)
		if (a->arg_types[i] != b->arg_types[i])
			return false;
	return same_exprs(a->init, b->init, n) && same_exprs(a->step, b->step, n)
	       && same_exprs(a->merge, b->merge, n);
}

bool
sn_reducer_is_builtin(struct sn_pool *p, const struct sn_reducer *r)
{
	const struct sn_reducer *known = sn_reducer(p, r->name, r->arg_types[0]);
	return known && sn_reducer_equal(known, r);
}

static void
note_reducer(struct printer *p, const struct sn_reducer *r)
{
	if (!r || sn_reducer_is_builtin(p->pr->pool, r))
		return;
	for (size_t i = 0; i < p->reducers.n; i++)
		if (!strcmp(p->reducers.v[i]->name, r->name))
			return;
	SN_PUSH(p->out->arena, &p->reducers, r);
}

static void
print_list(struct printer *p, const char *what, const struct sn_expr *const *list, int n)
{
	sn_buf_addf(p->out, "\t\t%s ", what);
	for (int i = 0; i < n; i++)
		print_expr(p, i ? ", " : "", list[i]);
	sn_buf_addc(p->out, '\n');
}

static void
print_reducer(struct printer *p, const struct sn_reducer *r)
{
	sn_buf_add(p->out, "\treducer ");
	sn_name_print(p->out, r->name);
	sn_buf_addc(p->out, '(');
	for (int i = 0; i < r->nargs; i++)
		sn_buf_addf(p->out, "%s%s", i ? ", " : "", sn_dtype_info(r->arg_types[i])->text);
	sn_buf_add(p->out, ") -> (");
	for (int i = 0; i < r->nstates; i++)
		sn_buf_addf(p->out, "%s%s", i ? ", " : "", sn_dtype_info(r->state_types[i])->text);
	sn_buf_add(p->out, ") {\n");
	print_list(p, "init", r->init, r->nstates);
	print_list(p, "step", r->step, r->nstates);
	if (r->merge[0])
		print_list(p, "merge", r->merge, r->nstates);
	sn_buf_add(p->out, "\t}\n");
}

/* ---- tensors ---- */

static void
use_list(struct printer *p, const struct sn_tensor_list *l)
{
	for (size_t i = 0; i < l->list.n; i++)
		for (struct sn_tensor *t = l->list.v[i]; t; t = t->base)
			sn_map_put_num(&p->used, (uint64_t)t->id, t);
}

static void
note_uses(struct printer *p)
{
	const struct sn_program *pr = p->pr;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_tensor_list l;
		sn_kernel_reads(pr->kernels.v[i], p->out->arena, &l);
		use_list(p, &l);
		sn_kernel_stores(pr->kernels.v[i], p->out->arena, &l);
		use_list(p, &l);
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			note_reducer(p, pr->kernels.v[i]->stages.v[j]->reducer);
	}
	struct sn_tensor_list outputs = { 0 };
	for (size_t i = 0; i < pr->outputs.n; i++)
		SN_PUSH(p->out->arena, &outputs.list, pr->outputs.v[i]);
	use_list(p, &outputs);
}

static void
print_store(struct printer *p, const struct sn_tensor *t)
{
	static const char *const words[] = {
		[TS_OWN] = "",
		[TS_VIEW] = " view ",
		[TS_INPLACE] = " inplace ",
		[TS_SCRATCH] = " scratch",
	};
	sn_buf_add(p->out, words[t->store]);
	if ((t->store != TS_VIEW && t->store != TS_INPLACE) || !t->base)
		return;
	sn_name_print(p->out, t->base->name);
	if (t->base_offset)
		print_expr(p, " at ", t->base_offset);
}

static void
print_tensor(struct printer *p, const struct sn_tensor *t)
{
	static const char *const roles[] = {
		[TR_INPUT] = "input",
		[TR_OUTPUT] = "output",
		[TR_CONST] = "const",
		[TR_TEMP] = "temp",
	};
	sn_buf_addf(p->out, "\t%s ", roles[t->role]);
	sn_type_print(p->out, &t->type);
	sn_buf_addc(p->out, ' ');
	sn_name_print(p->out, t->name);
	print_store(p, t);
	sn_buf_add(p->out, t->place == PLACE_HOST ? " on host" : "");
	if (t->layout && !sn_layout_is_dense(p->pr->pool, t->layout, &t->type)) {
		sn_buf_addc(p->out, ' ');
		sn_layout_print(p->out, t->layout);
	}
	if (t->data) {
		sn_buf_add(p->out, " = ");
		sn_data_print(p->out, t->data, p->with_data);
	}
	sn_origin_print_text(p->out, t->origin, p->file);
	sn_buf_addc(p->out, '\n');
}

static void
print_tensors(struct printer *p)
{
	const struct sn_program *pr = p->pr;
	for (size_t i = 0; i < pr->inputs.n; i++)
		print_tensor(p, pr->inputs.v[i]);
	for (size_t i = 0; i < pr->outputs.n; i++)
		print_tensor(p, pr->outputs.v[i]);
	for (size_t i = 0; i < pr->tensors.n; i++) {
		const struct sn_tensor *t = pr->tensors.v[i];
		if (t->role != TR_INPUT && t->role != TR_OUTPUT
		    && sn_map_get_num(&p->used, (uint64_t)t->id))
			print_tensor(p, t);
	}
}

/* ---- kernels ---- */

static void
print_place(struct printer *p, const struct sn_kernel *k)
{
	static const char *const words[] = {
		[PLACE_TARGET] = "",
		[PLACE_HOST] = " on host",
		[PLACE_TRANSFER] = " transfer",
	};
	sn_buf_add(p->out, words[k->place]);
	if (!k->why)
		return;
	sn_buf_addc(p->out, ' ');
	sn_buf_add_quoted(p->out, k->why);
}

static void
print_kernel(struct printer *p, const struct sn_kernel *k)
{
	sn_buf_add(p->out, "\tkernel ");
	sn_name_print(p->out, k->name);
	if (k->nshared)
		sn_buf_addf(p->out, " shared %d", k->nshared);
	print_place(p, k);
	if (k->schedule) {
		sn_buf_add(p->out, " schedule ");
		sn_name_print(p->out, k->schedule);
	}
	for (size_t i = 0; i < k->knobs.n; i++) {
		sn_buf_add(p->out, i ? ", " : " (");
		sn_name_print(p->out, k->knobs.v[i].name);
		sn_buf_addf(p->out, "=%lld", (long long)k->knobs.v[i].value);
	}
	sn_buf_add(p->out, k->knobs.n ? ")" : "");
	sn_origin_print_text(p->out, k->origin, p->file);
	sn_buf_add(p->out, " {\n");
	for (size_t i = 0; i < k->stages.n; i++)
		sn_comp_print(p->out, k->stages.v[i], k->origin, p->file, 2, NULL);
	sn_buf_add(p->out, "\t}\n");
}

void
sn_kernel_print(struct sn_buf *out, const struct sn_kernel *k)
{
	struct printer p = { .out = out };
	print_kernel(&p, k);
}

/* ---- the program ---- */

static void
collect_layout(struct sn_sym_list *l, const struct sn_tensor *t)
{
	sn_sym_list_add(l, t->base_offset);
	for (int i = 0; t->layout && i < t->layout->nparts; i++)
		sn_sym_list_add(l, t->layout->parts[i].stride);
}

static void
collect_comp(struct sn_sym_list *l, const struct sn_comp *c)
{
	for (int i = 0; i < c->naxes; i++)
		sn_sym_list_add(l, c->axes[i]->extent);
	for (int i = 0; i < c->nred; i++)
		sn_sym_list_add(l, c->red[i]->extent);
	for (int i = 0; c->reducer && i < c->reducer->nargs; i++)
		sn_sym_list_add(l, c->args[i]);
	for (int i = 0; i < c->nresults; i++) {
		for (int d = 0; d < c->results[i].tensor->type.rank; d++)
			sn_sym_list_add(l, c->results[i].idx[d]);
		sn_sym_list_add(l, c->results[i].value);
	}
}

static bool
is_printed(const struct printer *p, const struct sn_tensor *t)
{
	return t->role == TR_INPUT || t->role == TR_OUTPUT
	       || sn_map_get_num(&p->used, (uint64_t)t->id);
}

/* In order of tensors as printed, then of kernels. */
static void
print_symbols(struct printer *p)
{
	const struct sn_program *pr = p->pr;
	struct sn_sym_list l;
	sn_sym_list_init(&l, p->out->arena);
	for (size_t i = 0; i < pr->inputs.n; i++)
		sn_sym_list_add_type(&l, &pr->inputs.v[i]->type);
	for (size_t i = 0; i < pr->outputs.n; i++)
		sn_sym_list_add_type(&l, &pr->outputs.v[i]->type);
	for (size_t i = 0; i < pr->tensors.n; i++) {
		if (!is_printed(p, pr->tensors.v[i]))
			continue;
		sn_sym_list_add_type(&l, &pr->tensors.v[i]->type);
		collect_layout(&l, pr->tensors.v[i]);
	}
	for (size_t i = 0; i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			collect_comp(&l, pr->kernels.v[i]->stages.v[j]);
	sn_sym_list_add_requires(&l, &pr->requires);
	sn_buf_add(p->out, l.list.n ? " " : "");
	sn_syms_print(p->out, &l);
}

/* The file of the first origin that has one. */
static const char *
main_file(const struct sn_program *pr)
{
	for (size_t i = 0; i < pr->kernels.n; i++) {
		const struct sn_origin *o = pr->kernels.v[i]->origin;
		if (o && o->n && o->nodes[0]->file)
			return o->nodes[0]->file;
	}
	return NULL;
}

void
sn_program_print(struct sn_buf *out, const struct sn_program *pr, bool with_data)
{
	struct printer p = { .out = out, .pr = pr, .with_data = with_data, .file = main_file(pr) };
	sn_map_init(&p.used, out->arena);
	note_uses(&p);
	sn_buf_add(out, "program ");
	sn_buf_add_quoted(out, pr->name);
	if (p.file) {
		sn_buf_add(out, " in ");
		sn_buf_add_quoted(out, p.file);
	}
	print_symbols(&p);
	sn_buf_add(out, " {\n");
	print_tensors(&p);
	sn_requires_print(out, &pr->requires, 1, p.file);
	for (size_t i = 0; i < p.reducers.n; i++)
		print_reducer(&p, p.reducers.v[i]);
	for (size_t i = 0; i < pr->kernels.n; i++) {
		sn_buf_addc(out, '\n');
		print_kernel(&p, pr->kernels.v[i]);
	}
	sn_buf_add(out, "}\n");
}
