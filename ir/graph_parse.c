/*
 * Text to graph (docs/ir.md): recursive descent, one function per construct.
 *
 * A graph that comes out has consistent lists, known operators and the right
 * numbers of operands; types are as written, or unknown, until inference.
 */
#include <string.h>
#include "ir/graph_text.h"

enum { MAX_LIST = 4096 };

struct parser {
	struct sn_lex x;
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_sym_scope syms;
	const char *file; /* model file of origins that name none */
};

/* One result, input, output or constant as written. */
struct typed_name {
	const char *name; /* NULL: "_" */
	struct sn_type type;
	bool has_type;
	const struct sn_expr **known;
	int nknown;
	const char *as;	    /* outputs */
	struct sn_lex mark; /* where the name stands */
};

struct typed_names {
	SN_VEC(struct typed_name) list;
};

static struct sn_value *
find_value(const struct sn_graph *g, const char *name)
{
	struct sn_value *v = NULL;
	for (; g && !v; g = g->outer)
		v = sn_map_get(&g->names, name);
	return v;
}

static bool
error_at(struct parser *p, const struct sn_lex *mark, enum sn_diag_id id, const char *kind,
	 const char *name)
{
	sn_lex_back(&p->x, mark);
	return sn_lex_error(&p->x, id, kind, name);
}

/* ---- names with types -------------------------------------------------------------------- */

static bool
parse_known(struct parser *p, struct typed_name *t)
{
	SN_VEC(const struct sn_expr *) list = { 0 };
	if (!sn_lex_take(&p->x, "{"))
		return true;
	while (!sn_lex_is(&p->x, "}")) {
		if (list.n && !sn_lex_expect(&p->x, ","))
			return false;
		const struct sn_expr *e = sn_expr_parse(&p->x, p->pool, &p->syms.exprs);
		if (!e)
			return false;
		SN_PUSH(p->arena, &list, e);
	}
	t->known = list.v ? list.v : SN_NEW_ARRAY(p->arena, 1, const struct sn_expr *);
	t->nknown = (int)list.n;
	return sn_lex_expect(&p->x, "}");
}

/* "f32[N] x", "x", "i64[1] s {N}", "_" */
static bool
parse_typed_name(struct parser *p, struct typed_name *t)
{
	*t = (struct typed_name){ .type = { .rank = -1 } };
	t->mark = p->x;
	if (sn_lex_is(&p->x, "_")) {
		sn_lex_next(&p->x);
		return true;
	}
	if (sn_lex_is_type(&p->x)) {
		if (!sn_type_parse(&p->x, &p->syms, &t->type))
			return false;
		t->has_type = true;
		t->mark = p->x;
	}
	if (!sn_lex_name(&p->x, "a value's name", &t->name))
		return false;
	if (!*t->name) {
		sn_lex_back(&p->x, &t->mark);
		return sn_lex_expected(&p->x, "a name that is not empty");
	}
	return parse_known(p, t);
}

/* Up to the closing parenthesis; the opening one has been read. */
static bool
parse_typed_names(struct parser *p, struct typed_names *out, bool is_output)
{
	while (!sn_lex_is(&p->x, ")")) {
		struct typed_name t;
		if (out->list.n && !sn_lex_expect(&p->x, ","))
			return false;
		if (!parse_typed_name(p, &t))
			return false;
		if (!t.name)
			return error_at(p, &t.mark, DG_TX_EXPECTED, "a value's name", "'_'");
		t.as = t.name;
		if (is_output && sn_lex_take(&p->x, "as")
		    && !sn_lex_string(&p->x, "a name between quotes", &t.as))
			return false;
		SN_PUSH(p->arena, &out->list, t);
	}
	return sn_lex_expect(&p->x, ")");
}

static bool
check_new(struct parser *p, struct sn_graph *g, const struct typed_name *t)
{
	return !sn_map_get(&g->names, t->name)
	       || error_at(p, &t->mark, DG_TX_TWICE, "value", t->name);
}

/* A value without a writer, with exactly the name written; an outer one of that name is hidden. */
static struct sn_value *
add_named(struct sn_graph *g, const struct typed_name *t)
{
	struct sn_value *v = sn_value_new(g, NULL, &t->type);
	sn_value_set_name(g, v, t->name);
	v->known = t->known;
	v->nknown = t->nknown;
	return v;
}

/* ---- attributes -------------------------------------------------------------------------- */

static bool
parse_attr_tensor(struct parser *p, struct sn_attr_tensor *out)
{
	struct sn_type t;
	int64_t count;
	if (!sn_type_parse(&p->x, &p->syms, &t))
		return false;
	if (!sn_type_is_static(&t, &count))
		return sn_lex_expected(&p->x, "a type with constant dimensions before it");
	out->rank = t.rank;
	for (int i = 0; i < t.rank; i++)
		sn_get_int(t.dims[i], &out->dims[i]);
	return sn_data_parse(&p->x, p->arena, t.dtype, (size_t)count, &out->data);
}

/* One element of a list into a vector of 64-bit numbers, floats or strings. */
static bool
parse_attr_element(struct parser *p, enum sn_attr_kind kind, int64_t *i, float *f, const char **s)
{
	double d;
	if (kind == AT_INTS)
		return sn_lex_int(&p->x, "an integer", i);
	if (kind == AT_STRS)
		return sn_lex_string(&p->x, "a string", s);
	if (!sn_lex_number(&p->x, "a number", &d))
		return false;
	*f = (float)d;
	return true;
}

static bool
parse_attr_list(struct parser *p, enum sn_attr_kind kind, void *field)
{
	SN_VEC(int64_t) ints = { 0 };
	SN_VEC(float) floats = { 0 };
	SN_VEC(const char *) strs = { 0 };
	int n = 0;
	if (!sn_lex_expect(&p->x, "["))
		return false;
	for (; !sn_lex_is(&p->x, "]"); n++) {
		int64_t i = 0;
		float f = 0;
		const char *s = NULL;
		if ((n && !sn_lex_expect(&p->x, ",")) || !parse_attr_element(p, kind, &i, &f, &s))
			return false;
		SN_PUSH(p->arena, &ints, i);
		SN_PUSH(p->arena, &floats, f);
		SN_PUSH(p->arena, &strs, s);
	}
	if (kind == AT_INTS)
		*(struct sn_ints *)field = (struct sn_ints){ n, ints.v };
	else if (kind == AT_FLOATS)
		*(struct sn_floats *)field = (struct sn_floats){ n, floats.v };
	else
		*(struct sn_strs *)field = (struct sn_strs){ n, strs.v };
	return sn_lex_expect(&p->x, "]");
}

static bool
parse_attr_value(struct parser *p, enum sn_attr_kind kind, void *field)
{
	double d;
	switch (kind) {
	case AT_INT: return sn_lex_int(&p->x, "an integer", field);
	case AT_FLOAT:
		if (!sn_lex_number(&p->x, "a number", &d))
			return false;
		*(float *)field = (float)d;
		return true;
	case AT_STR: return sn_lex_string(&p->x, "a string", field);
	case AT_INTS:
	case AT_FLOATS:
	case AT_STRS: return parse_attr_list(p, kind, field);
	case AT_DATA: return parse_attr_tensor(p, field);
	}
	return false;
}

static const struct sn_attr_field *
find_attr(enum sn_attr_set set, const char *name)
{
	const struct sn_attr_layout *l = sn_attr_layout(set);
	for (int i = 0; i < l->nfields; i++)
		if (strcmp(l->fields[i].name, name) == 0)
			return &l->fields[i];
	return NULL;
}

static bool
parse_attrs(struct parser *p, enum sn_attr_set set, char *attrs)
{
	if (!sn_lex_take(&p->x, "<"))
		return true;
	do {
		const char *name;
		struct sn_lex mark = p->x;
		if (!sn_lex_name(&p->x, "an attribute", &name))
			return false;
		const struct sn_attr_field *f = find_attr(set, name);
		if (!f)
			return error_at(p, &mark, DG_TX_UNKNOWN, "attribute", name);
		if (!sn_lex_expect(&p->x, "=") || !parse_attr_value(p, f->kind, attrs + f->offset))
			return false;
	} while (sn_lex_take(&p->x, ","));
	return sn_lex_expect(&p->x, ">");
}

/* ---- nodes ------------------------------------------------------------------------------- */

struct node_text {
	struct typed_names results;
	SN_VEC(struct sn_value *) operands;
	enum sn_graph_op op;
	const char *op_name;
	void *attrs;
	const struct sn_origin *origin;
	struct sn_lex mark; /* where the operator stands */
};

/* "Relu", "com.example.Thing": what stands before the last point is the domain. */
static bool
parse_op(struct parser *p, struct node_text *t)
{
	t->mark = p->x;
	if (!sn_lex_name(&p->x, "an operator", &t->op_name))
		return false;
	const char *point = strrchr(t->op_name, '.');
	const char *domain = point ? sn_strndup(p->arena, t->op_name, (size_t)(point - t->op_name))
				   : "";
	t->op = sn_graph_op_by_name(domain, point ? point + 1 : t->op_name);
	return t->op != GR_COUNT || error_at(p, &t->mark, DG_TX_UNKNOWN, "operator", t->op_name);
}

static bool
parse_operands(struct parser *p, struct sn_graph *g, struct node_text *t)
{
	if (!sn_lex_expect(&p->x, "("))
		return false;
	while (!sn_lex_is(&p->x, ")")) {
		const char *name;
		struct sn_value *v = NULL;
		struct sn_lex mark = p->x;
		if (t->operands.n && !sn_lex_expect(&p->x, ","))
			return false;
		mark = p->x;
		if (!sn_lex_take(&p->x, "_")) {
			if (!sn_lex_name(&p->x, "an operand", &name))
				return false;
			v = find_value(g, name);
			if (!v)
				return error_at(p, &mark, DG_TX_UNKNOWN, "value", name);
		}
		SN_PUSH(p->arena, &t->operands, v);
	}
	return sn_lex_expect(&p->x, ")");
}

static bool
check_count(struct parser *p, const struct node_text *t, const char *what, size_t n, int min,
	    int max)
{
	if (n >= (size_t)min && (max < 0 || n <= (size_t)max) && n <= MAX_LIST)
		return true;
	const char *want = max < 0	? sn_printf(p->arena, "at least %d %s", min, what)
			   : min == max ? sn_printf(p->arena, "%d %s", min, what)
					: sn_printf(p->arena, "%d to %d %s", min, max, what);
	sn_lex_back(&p->x, &t->mark);
	return sn_lex_error(&p->x, DG_TX_COUNT, t->op_name, want, (int)n);
}

static bool
parse_results(struct parser *p, struct sn_graph *g, struct node_text *t)
{
	while (!sn_lex_is(&p->x, "=")) {
		struct typed_name r;
		if (t->results.list.n && !sn_lex_expect(&p->x, ","))
			return false;
		if (!parse_typed_name(p, &r) || (r.name && !check_new(p, g, &r)))
			return false;
		SN_PUSH(p->arena, &t->results.list, r);
	}
	return sn_lex_expect(&p->x, "=");
}

static bool
name_results(struct parser *p, struct sn_node *n, const struct typed_names *results)
{
	for (int i = 0; i < n->nout; i++)
		sn_value_set_name(n->graph, n->out[i], NULL);
	for (int i = 0; i < n->nout; i++) {
		const struct typed_name *r = &results->list.v[i];
		struct sn_value *v = n->out[i];
		if (!r->name) {
			n->out[i] = NULL;
			continue;
		}
		if (!check_new(p, n->graph, r))
			return false;
		sn_value_set_name(n->graph, v, r->name);
		v->type = r->type;
		v->known = r->known;
		v->nknown = r->nknown;
	}
	return true;
}

static bool parse_body(struct parser *p, struct sn_graph *g);

static bool
parse_regions(struct parser *p, struct sn_node *n)
{
	while (sn_lex_take(&p->x, "region")) {
		const char *name;
		if (!sn_lex_name(&p->x, "a region's name", &name) || !sn_lex_enter(&p->x)
		    || !parse_body(p, sn_node_add_region(n, name)))
			return false;
		sn_lex_leave(&p->x);
	}
	return true;
}

static bool
parse_node(struct parser *p, struct sn_graph *g)
{
	struct node_text t = { .op = GR_COUNT };
	if (!parse_results(p, g, &t) || !parse_op(p, &t))
		return false;
	const struct sn_graph_op_info *info = sn_graph_op_info(t.op);
	t.attrs = sn_attrs_new(p->arena, info->attrs);
	if (!parse_attrs(p, info->attrs, t.attrs) || !parse_operands(p, g, &t)
	    || !check_count(p, &t, "operands", t.operands.n, info->min_in, info->max_in)
	    || !check_count(p, &t, "results", t.results.list.n, info->min_out, info->max_out)
	    || !sn_origin_parse(&p->x, p->arena, p->file, &t.origin))
		return false;
	struct sn_node *n = sn_node_new(g, t.op, t.operands.v, (int)t.operands.n,
					(int)t.results.list.n, t.origin);
	n->attrs = t.attrs;
	return name_results(p, n, &t.results) && parse_regions(p, n);
}

/* ---- graphs ------------------------------------------------------------------------------ */

static bool
parse_inputs(struct parser *p, struct sn_graph *g)
{
	struct typed_names names = { 0 };
	if (!sn_lex_expect(&p->x, "(") || !parse_typed_names(p, &names, false))
		return false;
	for (size_t i = 0; i < names.list.n; i++) {
		const struct typed_name *t = &names.list.v[i];
		if (!check_new(p, g, t))
			return false;
		SN_PUSH(g->arena, &g->inputs, add_named(g, t));
		if (!g->outer)
			sn_sym_note_input(&t->type, (int)i);
	}
	return true;
}

static bool
parse_const(struct parser *p, struct sn_graph *g)
{
	struct typed_name t;
	int64_t count;
	if (!parse_typed_name(p, &t))
		return false;
	if (!t.name || !t.has_type || !sn_type_is_static(&t.type, &count)) {
		sn_lex_back(&p->x, &t.mark);
		return sn_lex_expected(&p->x, "a type with constant dimensions, and a name");
	}
	if (!check_new(p, g, &t) || !sn_lex_expect(&p->x, "="))
		return false;
	struct sn_value *v = add_named(g, &t);
	return sn_data_parse(&p->x, p->arena, t.type.dtype, (size_t)count, &v->data);
}

static bool
parse_consts(struct parser *p, struct sn_graph *g)
{
	if (!sn_lex_take(&p->x, "<"))
		return true;
	do {
		if (!parse_const(p, g))
			return false;
	} while (sn_lex_take(&p->x, ","));
	return sn_lex_expect(&p->x, ">");
}

/* The type may stand at the output, at the value, or at both and be the same. */
static bool
add_output(struct parser *p, struct sn_graph *g, const struct typed_name *t)
{
	struct sn_value *v = find_value(g, t->name);
	if (!v)
		return error_at(p, &t->mark, DG_TX_UNKNOWN, "value", t->name);
	bool is_open = v->type.kind == TY_TENSOR && v->type.dtype == DT_NONE;
	if (t->has_type && is_open)
		v->type = t->type;
	else if (t->has_type && !sn_type_equal(&t->type, &v->type))
		return error_at(p, &t->mark, DG_TX_TWICE, "type of", t->name);
	sn_graph_add_output(g, v, t->as);
	return true;
}

static bool
parse_statement(struct parser *p, struct sn_graph *g)
{
	return sn_lex_is(&p->x, "require")
		       ? sn_require_parse(&p->x, p->arena, p->pool, &p->syms, p->file, &g->requires)
		       : parse_node(p, g);
}

/* From the inputs to the closing brace. */
static bool
parse_body(struct parser *p, struct sn_graph *g)
{
	struct typed_names outputs = { 0 };
	if (!parse_inputs(p, g) || !sn_lex_expect(&p->x, "=>") || !sn_lex_expect(&p->x, "(")
	    || !parse_typed_names(p, &outputs, true) || !parse_consts(p, g)
	    || !sn_lex_expect(&p->x, "{"))
		return false;
	while (!sn_lex_is(&p->x, "}"))
		if (!parse_statement(p, g))
			return false;
	struct sn_lex end = p->x;
	for (size_t i = 0; i < outputs.list.n; i++)
		if (!add_output(p, g, &outputs.list.v[i]))
			return false;
	sn_lex_back(&p->x, &end);
	return sn_lex_expect(&p->x, "}");
}

static bool
parse_graph(struct parser *p, struct sn_graph *g)
{
	if (!sn_lex_expect(&p->x, "graph") || !sn_lex_name(&p->x, "the graph's name", &g->name))
		return false;
	if (sn_lex_take(&p->x, "in") && !sn_lex_string(&p->x, "a file's name", &p->file))
		return false;
	return sn_syms_parse(&p->x, &p->syms) && parse_body(p, g);
}

struct sn_graph *
sn_graph_parse(const char *text, const char *file, struct sn_arena *a, struct sn_pool *pool,
	       struct sn_diags *diags)
{
	struct sn_lex x;
	sn_lex_init(&x, text, file, a, diags);
	struct sn_graph *g = sn_graph_parse_from(&x, a, pool);
	if (g && x.token.kind != TK_END)
		sn_lex_expected(&x, "the end");
	return x.has_failed ? NULL : g;
}

struct sn_graph *
sn_graph_parse_from(struct sn_lex *x, struct sn_arena *a, struct sn_pool *pool)
{
	struct parser p = { .x = *x, .arena = a, .pool = pool, .file = x->file };
	sn_sym_scope_init(&p.syms, pool, a);
	struct sn_graph *g = sn_graph_new(a, pool, "");
	bool ok = parse_graph(&p, g);
	*x = p.x;
	return ok && !x->has_failed ? g : NULL;
}
