/*
 * The last step of reading: a raw node in its newest form becomes a node of the
 * graph, or a constant.
 */
#include <string.h>
#include "frontend/adapt.h"

static struct sn_reader *
reader(const struct sn_raw_node *n)
{
	return n->scope->reader;
}

static const char *
result_name(const struct sn_raw_node *n, size_t i)
{
	return sn_printf(reader(n)->arena, "%s%s", n->scope->prefix, n->out.v[i]);
}

void
sn_raw_bind_unknown(struct sn_raw_node *n)
{
	for (size_t i = 0; i < n->out.n; i++) {
		const char *name = n->out.v[i];
		if (*name && !sn_map_get(&n->scope->values, name))
			sn_scope_bind(n->scope, sn_raw_where(n), name,
				      sn_value_new(n->scope->graph, NULL, NULL));
	}
}

/* ---- operators nobody knows: counted here, reported at the end, each once ---- */

void
sn_note_unknown(struct sn_reader *r, const char *domain, const char *type, struct sn_where where)
{
	const char *key = sn_printf(r->scratch, "%s\n%s", domain, type);
	struct sn_unknown *u = sn_map_get(&r->unknown, key);
	if (!u) {
		u = SN_NEW(r->scratch, struct sn_unknown);
		*u = (struct sn_unknown){ domain, type, where, 0 };
		sn_map_put(&r->unknown, key, u);
	}
	u->n++;
}

/* Its bodies are not read, but what they don't know either belongs into the same report. */
static bool
note_unknown(struct sn_raw_node *n)
{
	sn_note_unknown(reader(n), n->domain, n->type, sn_raw_where(n));
	for (size_t i = 0; i < n->attrs.n; i++)
		if (n->attrs.v[i].kind == RA_GRAPH)
			sn_note_unknown_inside(n->scope, n->attrs.v[i].graph);
	sn_raw_bind_unknown(n);
	return true;
}

bool
sn_report_unknown_ops(struct sn_reader *r)
{
	for (size_t i = 0; i < r->unknown.n; i++) {
		const struct sn_unknown *u = r->unknown.entries[i].value;
		const char *domain = *u->domain ? u->domain : "ai.onnx";
		if (u->n == 1)
			sn_report(r->diags, u->where, DG_UNKNOWN_OP, u->type, domain);
		else
			sn_report(r->diags, u->where, DG_UNKNOWN_OPS, u->type, domain, u->n);
	}
	return r->unknown.n == 0;
}

/* ---- constants ---- */

static bool
bind_constant(struct sn_raw_node *n, const struct sn_type *t, const struct sn_data *d)
{
	if (n->out.n != 1)
		return sn_report(reader(n)->diags, sn_raw_where(n), DG_ARITY, (int)n->out.n,
				 "results", "1");
	struct sn_value *v = sn_graph_add_const(n->scope->graph, result_name(n, 0), t, d);
	return sn_scope_bind(n->scope, sn_raw_where(n), n->out.v[0], v);
}

/* COUNT numbers as data of type T. */
static const struct sn_data *
make_data(struct sn_arena *a, enum sn_dtype t, size_t count, const union sn_num *x)
{
	void *bytes;
	struct sn_data *d = sn_data_new(a, t, count, &bytes);
	for (size_t i = 0; i < count; i++)
		sn_dtype_store(t, bytes, i, x[i]);
	return d;
}

static const struct sn_data *
make_strings(struct sn_arena *a, const char *const *v, size_t count)
{
	struct sn_data *d = SN_NEW(a, struct sn_data);
	*d = (struct sn_data){ .dtype = DT_STRING, .n = count, .strings = v };
	return d;
}

/* The attribute of a Constant node as tensor: rank 0 of one number, rank 1 of several. */
static struct sn_attr_tensor
constant_of(struct sn_arena *a, const struct sn_raw_attr *r)
{
	struct sn_attr_tensor t = { 0 };
	int64_t count = r->kind == RA_INTS	? r->ints.n
			: r->kind == RA_FLOATS	? r->floats.n
			: r->kind == RA_STRINGS ? r->strs.n
						: 1;
	union sn_num *x = SN_NEW_ARRAY(a, (size_t)count, union sn_num);
	bool is_int = r->kind == RA_INT || r->kind == RA_INTS;
	for (int64_t i = 0; i < count; i++) {
		if (is_int)
			x[i].i = r->kind == RA_INT ? r->i : r->ints.v[i];
		else if (r->kind == RA_FLOAT || r->kind == RA_FLOATS)
			x[i].f = (double)(r->kind == RA_FLOAT ? r->f : r->floats.v[i]);
	}
	t.rank = r->kind == RA_INTS || r->kind == RA_FLOATS || r->kind == RA_STRINGS;
	t.dims[0] = count;
	if (r->kind == RA_STRING)
		t.data = make_strings(a, sn_memdup(a, &r->s, sizeof(r->s)), 1);
	else if (r->kind == RA_STRINGS)
		t.data = make_strings(a, r->strs.v, (size_t)count);
	else
		t.data = make_data(a, is_int ? DT_I64 : DT_F32, (size_t)count, x);
	return t;
}

/* Each form of a Constant node and the kind its attribute must have. */
static const struct {
	const char *name;
	enum sn_raw_kind kind;
} constant_forms[] = {
	{ "value", RA_TENSOR },	       { "sparse_value", RA_SPARSE },
	{ "value_int", RA_INT },       { "value_ints", RA_INTS },
	{ "value_float", RA_FLOAT },   { "value_floats", RA_FLOATS },
	{ "value_string", RA_STRING }, { "value_strings", RA_STRINGS },
};

static bool
finish_constant(struct sn_raw_node *n)
{
	struct sn_diags *d = reader(n)->diags;
	if (n->attrs.n != 1)
		return sn_report(d, sn_raw_where(n), DG_ATTR_NONE, "value");
	const struct sn_raw_attr *a = &n->attrs.v[0];
	size_t i = 0;
	while (i < ARRAY_LEN(constant_forms) && strcmp(constant_forms[i].name, a->name) != 0)
		i++;
	if (i == ARRAY_LEN(constant_forms))
		return sn_report(d, sn_raw_where(n), DG_ATTR_UNKNOWN, a->name);
	enum sn_raw_kind want = constant_forms[i].kind;
	if (a->kind != want)
		return sn_report(d, sn_raw_where(n), DG_ATTR_TYPE, a->name,
				 sn_raw_kind_text(a->kind), sn_raw_kind_text(want));
	struct sn_attr_tensor t = a->tensor.data ? a->tensor : constant_of(reader(n)->arena, a);
	struct sn_type type = sn_tensor_type(reader(n)->pool, t.data->dtype, t.rank, t.dims);
	return bind_constant(n, &type, t.data);
}

/* ConstantOfShape of a known shape: one number, however large. */
static bool
finish_splat(struct sn_raw_node *n, const int64_t *dims, int rank)
{
	struct sn_reader *r = reader(n);
	const struct sn_raw_attr *a = sn_raw_attr(n, "value");
	const struct sn_data *value = a ? a->tensor.data : NULL;
	enum sn_dtype t = value ? value->dtype : DT_F32;
	size_t count;
	if (value && (value->n != 1 || value->strings))
		return sn_report(r->diags, sn_raw_where(n), DG_ATTR, "value", "must be one number");
	struct sn_declared shape = { n->out.v[0], t, (size_t)rank, dims };
	if (!sn_check_dims(&r->data, sn_raw_where(n), &shape, &count))
		return false;
	union sn_num x = { 0 };
	if (value)
		x = sn_data_get(value, 0);
	struct sn_type type = sn_tensor_type(r->pool, t, rank, dims);
	return bind_constant(n, &type, sn_data_splat(r->arena, t, count, x));
}

static bool
is_splat_node(struct sn_raw_node *n, int64_t **dims, int *rank)
{
	const struct sn_raw_attr *a = sn_raw_attr(n, "value");
	bool is_plain = !a
			|| (a->kind == RA_TENSOR && a->tensor.data && a->tensor.data->n == 1
			    && strchr("FIUB", sn_dtype_info(a->tensor.data->dtype)->kind));
	return is_plain && n->out.n == 1 && n->attrs.n <= 1 && n->in.n == 1 && n->in.v[0]
	       && n->in.v[0]->data && n->in.v[0]->data->dtype == DT_I64
	       && sn_value_ints(n->in.v[0], reader(n)->scratch, dims, rank);
}

/* ---- nodes ---- */

static const char *
range_text(struct sn_arena *a, int lo, int hi)
{
	if (hi < 0)
		return sn_printf(a, "at least %d", lo);
	return lo == hi ? sn_printf(a, "%d", lo) : sn_printf(a, "%d to %d", lo, hi);
}

static bool
check_count(const struct sn_raw_node *n, const char *what, size_t count, int lo, int hi)
{
	struct sn_reader *r = reader(n);
	if ((int)count >= lo && (hi < 0 || (int)count <= hi))
		return true;
	return sn_report(r->diags, sn_raw_where(n), DG_ARITY, (int)count, what,
			 range_text(r->scratch, lo, hi));
}

static bool
check_arity(const struct sn_raw_node *n, const struct sn_graph_op_info *info)
{
	if (!check_count(n, "operands", n->in.n, info->min_in, info->max_in)
	    || !check_count(n, "results", n->out.n, 0, info->max_out))
		return false;
	for (int i = 0; i < info->min_in; i++)
		if (!n->in.v[i])
			return sn_report(reader(n)->diags, sn_raw_where(n), DG_OPERAND_NONE, i);
	return true;
}

/* What a typed attribute wants of a raw one. */
static const enum sn_raw_kind kinds[] = {
	[AT_INT] = RA_INT,	 [AT_FLOAT] = RA_FLOAT,	 [AT_STR] = RA_STRING,	[AT_INTS] = RA_INTS,
	[AT_FLOATS] = RA_FLOATS, [AT_STRS] = RA_STRINGS, [AT_DATA] = RA_TENSOR,
};

static void
store_attr(void *field, enum sn_attr_kind kind, const struct sn_raw_attr *a)
{
	switch (kind) {
	case AT_INT: *(int64_t *)field = a->i; break;
	case AT_FLOAT: *(float *)field = a->f; break;
	case AT_STR: *(const char **)field = a->s; break;
	case AT_INTS: *(struct sn_ints *)field = a->ints; break;
	case AT_FLOATS: *(struct sn_floats *)field = a->floats; break;
	case AT_STRS: *(struct sn_strs *)field = a->strs; break;
	case AT_DATA: *(struct sn_attr_tensor *)field = a->tensor; break;
	}
}

static const struct sn_attr_field *
find_field(const struct sn_attr_layout *l, const char *name)
{
	for (int i = 0; i < l->nfields; i++)
		if (strcmp(l->fields[i].name, name) == 0)
			return &l->fields[i];
	return NULL;
}

static bool
set_attr(const struct sn_raw_node *n, const struct sn_attr_layout *l, char *attrs,
	 const struct sn_raw_attr *a)
{
	struct sn_diags *d = reader(n)->diags;
	const struct sn_attr_field *f = find_field(l, a->name);
	if (!f)
		return sn_report(d, sn_raw_where(n), DG_ATTR_UNKNOWN, a->name);
	bool is_empty = a->kind == RA_NONE && (f->kind == AT_INTS || f->kind == AT_FLOATS);
	if (a->kind != kinds[f->kind] && !is_empty)
		return sn_report(d, sn_raw_where(n), DG_ATTR_TYPE, a->name,
				 sn_raw_kind_text(a->kind), sn_raw_kind_text(kinds[f->kind]));
	store_attr(attrs + f->offset, f->kind, a);
	return true;
}

static bool
set_attrs(const struct sn_raw_node *n, struct sn_node *node)
{
	const struct sn_attr_layout *l = sn_attr_layout(sn_graph_op_info(node->op)->attrs);
	bool is_right = true;
	for (size_t i = 0; i < n->attrs.n; i++)
		if (n->attrs.v[i].kind != RA_GRAPH)
			is_right &= set_attr(n, l, node->attrs, &n->attrs.v[i]);
	for (int i = 0; i < l->nfields; i++)
		if (strcmp(l->fields[i].def, "-") == 0 && !sn_raw_attr(n, l->fields[i].name))
			is_right = sn_report(reader(n)->diags, sn_raw_where(n), DG_ATTR_NONE,
					     l->fields[i].name);
	return is_right;
}

static bool
bind_results(struct sn_raw_node *n, struct sn_node *node, int min_out)
{
	bool is_right = true;
	struct sn_graph *g = node->graph;
	for (size_t i = 0; i < n->out.n; i++) {
		struct sn_value *v = node->out[i];
		if (!*n->out.v[i]) {
			if ((int)i < min_out)
				continue;
			sn_map_put(&g->names, v->name, NULL);
			node->out[i] = NULL;
			continue;
		}
		sn_value_rename(g, v, result_name(n, i));
		is_right &= sn_scope_bind(n->scope, sn_raw_where(n), n->out.v[i], v);
	}
	return is_right;
}

static bool
read_region(struct sn_raw_node *n, struct sn_node *node, const struct sn_raw_attr *a)
{
	struct sn_reader *r = reader(n);
	const struct sn_scope *outer = a->scope;
	struct sn_scope inner = {
		.reader = r,
		.outer = outer,
		.call = outer->call,
		.prefix = outer->prefix,
		.opsets = outer->opsets,
		.nopsets = outer->nopsets,
	};
	inner.graph = sn_node_add_region(node, a->name);
	sn_map_init(&inner.values, r->scratch);
	sn_map_init(&inner.writers, r->scratch);
	return sn_read_graph(&inner, a->graph);
}

/* Bodies in the order of this list, whatever the file's. */
static bool
read_regions(struct sn_raw_node *n, struct sn_node *node)
{
	static const char *const names[] = { "then_branch", "else_branch", "body" };
	bool is_right = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct sn_raw_attr *a = sn_raw_attr(n, names[i]);
		if (a && a->kind == RA_GRAPH)
			is_right &= read_region(n, node, a);
	}
	for (size_t i = 0; i < n->attrs.n; i++) {
		const struct sn_raw_attr *a = &n->attrs.v[i];
		bool is_known = false;
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			is_known |= strcmp(a->name, names[k]) == 0;
		if (a->kind == RA_GRAPH && !is_known)
			is_right = sn_report(reader(n)->diags, sn_raw_where(n), DG_ATTR_UNKNOWN,
					     a->name);
	}
	return is_right;
}

bool
sn_raw_finish(struct sn_raw_node *n)
{
	int64_t *dims;
	int rank;
	enum sn_graph_op op = sn_graph_op_by_name(n->domain, n->type);
	if (op == GR_COUNT)
		return note_unknown(n);
	if (op == GR_CONSTANT)
		return finish_constant(n);
	if (op == GR_CONSTANT_OF_SHAPE && is_splat_node(n, &dims, &rank))
		return finish_splat(n, dims, rank);

	const struct sn_graph_op_info *info = sn_graph_op_info(op);
	if (!check_arity(n, info))
		return false;
	int nout = (int)n->out.n > info->min_out ? (int)n->out.n : info->min_out;
	struct sn_node *node = sn_node_new(n->scope->graph, op, n->in.v, (int)n->in.n, nout,
					   n->origin);
	bool is_right = set_attrs(n, node);
	is_right &= read_regions(n, node);
	return bind_results(n, node, info->min_out) && is_right;
}
