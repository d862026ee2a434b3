/*
 * Graphs: inputs, constants, nodes in order, outputs; names and what they stand for.
 */
#include "frontend/onnx.pb-c.h"
#include "frontend/reader.h"

static struct sn_where
where(const struct sn_scope *s)
{
	struct sn_where w = SN_NOWHERE;
	w.file = s->reader->file;
	return w;
}

const struct sn_binding *
sn_scope_find(const struct sn_scope *s, const char *name)
{
	for (; s; s = s->outer) {
		const struct sn_binding *b = sn_map_get(&s->values, name);
		if (b)
			return b;
	}
	return NULL;
}

bool
sn_scope_bind(struct sn_scope *s, struct sn_where at, const char *name, struct sn_value *v)
{
	if (sn_map_get(&s->values, name))
		return sn_report(s->reader->diags, at, DG_NAME_TWICE, name);
	struct sn_binding *b = SN_NEW(s->reader->scratch, struct sn_binding);
	b->value = v;
	sn_map_put(&s->values, name, b);
	return true;
}

static bool
add_constant(struct sn_scope *s, bool is_read, const struct sn_tensor_data *t)
{
	if (!is_read)
		return false;
	struct sn_type type = sn_tensor_type(s->graph->pool, t->data->dtype, t->rank, t->dims);
	struct sn_value *v = sn_graph_add_const(s->graph, t->name, &type, t->data);
	return sn_scope_bind(s, where(s), t->name, v);
}

/* A constant that could not be read still defines its name: no second message for its readers. */
static void
bind_anyway(struct sn_scope *s, const char *name)
{
	if (name && *name && !sn_map_get(&s->values, name))
		sn_scope_bind(s, where(s), name, sn_value_new(s->graph, name, NULL));
}

static bool
read_constants(struct sn_scope *s, const Pb__GraphProto *g)
{
	struct sn_data_source *d = &s->reader->data;
	struct sn_tensor_data t;
	bool is_right = true;
	for (size_t i = 0; i < g->n_initializer; i++) {
		const Pb__TensorProto *p = g->initializer[i];
		if (!p->name || !*p->name) {
			is_right = sn_report(d->diags, where(s), DG_EMPTY_NAME, "initializer",
					     (int)i);
			continue;
		}
		is_right &= add_constant(s, sn_read_tensor(d, p, where(s), &t), &t);
		bind_anyway(s, p->name);
	}
	for (size_t i = 0; i < g->n_sparse_initializer; i++) {
		const Pb__SparseTensorProto *p = g->sparse_initializer[i];
		is_right &= add_constant(s, sn_read_sparse(d, p, where(s), &t), &t);
		bind_anyway(s, p->values ? p->values->name : NULL);
	}
	return is_right;
}

/* An input with an initialiser: before IR 4 every initialiser had to be one; later it is a default. */
static bool
is_default(struct sn_scope *s, const Pb__ValueInfoProto *p)
{
	struct sn_reader *r = s->reader;
	if (!sn_map_get(&s->values, p->name))
		return false;
	if (r->ir_version >= 4 && !s->outer)
		sn_report(r->diags, where(s), DG_DEFAULT_INPUT, p->name);
	return true;
}

static bool
add_input(struct sn_scope *s, const Pb__ValueInfoProto *p)
{
	struct sn_reader *r = s->reader;
	struct sn_type type = { .rank = -1 };
	bool is_right = true;
	if (!s->outer && s->graph->outer == NULL)
		is_right = sn_read_input_type(r, p, (int)s->graph->inputs.n, &type);
	else if (p->type)
		sn_read_declared_type(r, p->type, &type);
	struct sn_value *v = sn_graph_add_input(s->graph, p->name, &type);
	return sn_scope_bind(s, where(s), p->name, v) && is_right;
}

static bool
read_inputs(struct sn_scope *s, const Pb__GraphProto *g)
{
	bool is_right = true;
	for (size_t i = 0; i < g->n_input; i++) {
		const Pb__ValueInfoProto *p = g->input[i];
		if (!p->name || !*p->name)
			is_right = sn_report(s->reader->diags, where(s), DG_EMPTY_NAME, "input",
					     (int)i);
		else if (!is_default(s, p))
			is_right &= add_input(s, p);
	}
	return is_right;
}

/* The declared type is kept where nothing better is known; inference unifies it with its own. */
static void
declare(struct sn_scope *s, struct sn_value *v, const Pb__TypeProto *p)
{
	struct sn_type type;
	bool is_own = v->def && v->def->graph == s->graph;
	if (is_own && v->type.rank < 0 && p && sn_read_declared_type(s->reader, p, &type))
		v->type = type;
}

static bool
read_outputs(struct sn_scope *s, const Pb__GraphProto *g)
{
	bool is_right = true;
	for (size_t i = 0; i < g->n_output; i++) {
		const Pb__ValueInfoProto *p = g->output[i];
		const char *name = p->name ? p->name : "";
		const struct sn_binding *b = sn_scope_find(s, name);
		if (!*name)
			is_right = sn_report(s->reader->diags, where(s), DG_EMPTY_NAME, "output",
					     (int)i);
		else if (!b || !b->value)
			is_right = sn_report(s->reader->diags, where(s), DG_NO_OUTPUT, name);
		if (!b || !b->value)
			continue;
		declare(s, b->value, p->type);
		sn_graph_add_output(s->graph, b->value, name);
	}
	return is_right;
}

bool
sn_read_nodes(struct sn_scope *s, Pb__NodeProto *const *nodes, size_t n)
{
	bool is_right = true;
	s->nodes = nodes;
	s->nnodes = n;
	sn_scope_index_writers(s);
	for (size_t i = 0; i < n; i++)
		is_right &= sn_read_node(s, nodes[i], (int)i);
	return is_right;
}

bool
sn_read_graph(struct sn_scope *s, const Pb__GraphProto *g)
{
	bool is_right = sn_spread_pins(s->reader, g->input, s->outer ? 0 : g->n_input);
	is_right &= read_constants(s, g);
	is_right &= read_inputs(s, g);
	is_right &= sn_read_nodes(s, g->node, g->n_node);
	return read_outputs(s, g) && is_right;
}
