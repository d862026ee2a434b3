/*
 * Local functions: found by domain, name and overload, and put in place of
 * their calls.  Names of values inside get the call's name before them.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/reader.h"

/* The three parts with separators that none of them holds in practice. */
static const char *
key(struct sn_arena *a, const char *domain, const char *name, const char *overload)
{
	return sn_printf(a, "%s\n%s\n%s", sn_domain_text(domain), name ? name : "",
			 overload ? overload : "");
}

bool
sn_read_functions(struct sn_reader *r, const Pb__ModelProto *m)
{
	bool is_right = true;
	struct sn_where where = SN_NOWHERE;
	where.file = r->file;
	for (size_t i = 0; i < m->n_functions; i++) {
		Pb__FunctionProto *f = m->functions[i];
		const char *k = key(r->scratch, f->domain, f->name, f->overload);
		if (sn_map_get(&r->functions, k))
			is_right = sn_report(r->diags, where, DG_FUNC_TWICE, f->name ? f->name : "",
					     sn_domain_text(f->domain));
		sn_map_put(&r->functions, k, f);
	}
	return is_right;
}

const Pb__FunctionProto *
sn_find_function(const struct sn_reader *r, const Pb__NodeProto *p)
{
	if (r->functions.n == 0)
		return NULL;
	return sn_map_get(&r->functions, key(r->scratch, p->domain, p->op_type, p->overload));
}

static bool
check_call(const struct sn_raw_node *n, const Pb__FunctionProto *f)
{
	struct sn_diags *d = n->scope->reader->diags;
	struct sn_where where = sn_raw_where(n);
	int depth = 0;
	for (const struct sn_call *c = n->scope->call; c; c = c->outer, depth++)
		if (c->function == f)
			return sn_report(d, where, DG_FUNC_CYCLE, n->type);
	if (depth >= SN_READER_CALLS)
		return sn_report(d, where, DG_FUNC_DEPTH, SN_READER_CALLS);
	if (n->in.n > f->n_input)
		return sn_report(d, where, DG_FUNC_ARITY, n->type, (int)f->n_input, "inputs",
				 (int)n->in.n);
	if (n->out.n > f->n_output)
		return sn_report(d, where, DG_FUNC_ARITY, n->type, (int)f->n_output, "outputs",
				 (int)n->out.n);
	return true;
}

/* Defaults for what the call does not give. */
static bool
add_defaults(struct sn_raw_node *n, const Pb__FunctionProto *f)
{
	bool is_right = true;
	size_t given = n->attrs.n;
	for (size_t i = 0; i < f->n_attribute_proto; i++) {
		const Pb__AttributeProto *p = f->attribute_proto[i];
		struct sn_raw_attr a;
		bool is_given = false;
		for (size_t k = 0; k < given && p->name; k++)
			is_given |= strcmp(n->attrs.v[k].name, p->name) == 0;
		if (is_given)
			continue;
		is_right &= sn_read_attr(n->scope, p, sn_raw_where(n), &a);
		SN_PUSH(n->scope->reader->scratch, &n->attrs, a);
	}
	return is_right;
}

static bool
bind_inputs(struct sn_scope *inner, const struct sn_raw_node *n, const Pb__FunctionProto *f)
{
	bool is_right = true;
	for (size_t i = 0; i < f->n_input; i++)
		is_right &= sn_scope_bind(inner, sn_raw_where(n), f->input[i],
					  i < n->in.n ? n->in.v[i] : NULL);
	return is_right;
}

static bool
bind_outputs(const struct sn_scope *inner, struct sn_raw_node *n, const Pb__FunctionProto *f)
{
	bool is_right = true;
	for (size_t i = 0; i < n->out.n; i++) {
		const char *name = n->out.v[i];
		if (!*name)
			continue;
		const struct sn_binding *b = sn_scope_find(inner, f->output[i]);
		if (!b || !b->value) {
			is_right = sn_report(n->scope->reader->diags, sn_raw_where(n), DG_NO_OUTPUT,
					     f->output[i]);
			continue;
		}
		struct sn_graph *g = n->scope->graph;
		const char *full = sn_printf(g->arena, "%s%s", n->scope->prefix, name);
		if (b->value->def && b->value->def->graph == g && !sn_map_get(&g->names, full))
			sn_value_rename(g, b->value, full);
		is_right &= sn_scope_bind(n->scope, sn_raw_where(n), name, b->value);
	}
	return is_right;
}

bool
sn_inline_call(struct sn_raw_node *n, const Pb__FunctionProto *f)
{
	struct sn_scope *s = n->scope;
	struct sn_reader *r = s->reader;
	if (!check_call(n, f) || !add_defaults(n, f))
		return false;
	struct sn_call call = {
		.outer = s->call,
		.function = f,
		.attrs = n->attrs.v,
		.nattrs = n->attrs.n,
	};
	struct sn_opset *own;
	struct sn_scope inner = { .reader = r, .graph = s->graph, .call = &call };
	bool is_named = strcmp(n->name, s->prefix) != 0;
	inner.prefix = sn_printf(r->arena, "%s%s/", n->name, is_named ? "" : n->type);
	inner.nopsets = sn_read_opsets(r, f->opset_import, f->n_opset_import, &own);
	inner.opsets = inner.nopsets ? own : s->opsets;
	inner.nopsets = inner.nopsets ? inner.nopsets : s->nopsets;
	sn_map_init(&inner.values, r->scratch);
	sn_map_init(&inner.writers, r->scratch);
	bool is_right = bind_inputs(&inner, n, f);
	is_right &= sn_read_nodes(&inner, f->node, f->n_node);
	return bind_outputs(&inner, n, f) && is_right;
}
