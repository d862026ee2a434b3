/*
 * Graph to text (docs/ir.md).
 */
#include <math.h>
#include <string.h>
#include "ir/graph_text.h"

const char *const sn_graph_keywords[] = {
#define DTYPE(id, text, onnx, bits, kind) text,
#include "ir/dtype.def"
#undef DTYPE
	"seq", "optional", "_", "as", "region", "require", NULL,
};

struct printer {
	struct sn_buf *out;
	bool with_data;
	const char *file; /* of the graph; origins in it don't name it */
};

static void
print_value_name(struct printer *p, const char *name)
{
	sn_lex_print_name(p->out, name, sn_graph_keywords);
}

static bool
has_type(const struct sn_value *v)
{
	return v->type.kind != TY_TENSOR || v->type.dtype != DT_NONE;
}

/* "f32[N,4] x", or "x" if nothing is known of its type. */
static void
print_typed(struct printer *p, const struct sn_value *v)
{
	if (has_type(v)) {
		sn_type_print(p->out, &v->type);
		sn_buf_addc(p->out, ' ');
	}
	print_value_name(p, v->name);
}

/* " {N, 4}" */
static void
print_known(struct printer *p, const struct sn_value *v)
{
	if (!v->known)
		return;
	sn_buf_add(p->out, " {");
	for (int i = 0; i < v->nknown; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		sn_expr_print(p->out, v->known[i]);
	}
	sn_buf_addc(p->out, '}');
}

/* ---- attributes -------------------------------------------------------------------------- */

static void
print_attr_tensor(struct printer *p, const struct sn_attr_tensor *t)
{
	sn_buf_add(p->out, sn_dtype_info(t->data->dtype)->text);
	for (int i = 0; i < t->rank; i++)
		sn_buf_addf(p->out, "%c%lld", i ? ',' : '[', (long long)t->dims[i]);
	sn_buf_add(p->out, t->rank ? "] " : " ");
	sn_data_print(p->out, t->data, p->with_data);
}

static void
print_attr_list(struct printer *p, enum sn_attr_kind kind, const void *field)
{
	const struct sn_ints *ints = field;
	const struct sn_floats *floats = field;
	const struct sn_strs *strs = field;
	int n = kind == AT_INTS ? ints->n : kind == AT_FLOATS ? floats->n : strs->n;
	sn_buf_addc(p->out, '[');
	for (int i = 0; i < n; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		if (kind == AT_INTS)
			sn_buf_addf(p->out, "%lld", (long long)ints->v[i]);
		else if (kind == AT_FLOATS)
			sn_buf_add_float(p->out, (double)floats->v[i], true);
		else
			sn_buf_add_quoted(p->out, strs->v[i]);
	}
	sn_buf_addc(p->out, ']');
}

static void
print_attr(struct printer *p, enum sn_attr_kind kind, const void *field)
{
	switch (kind) {
	case AT_INT: sn_buf_addf(p->out, "%lld", (long long)*(const int64_t *)field); break;
	case AT_FLOAT: sn_buf_add_float(p->out, (double)*(const float *)field, true); break;
	case AT_STR: sn_buf_add_quoted(p->out, *(const char *const *)field); break;
	case AT_INTS:
	case AT_FLOATS:
	case AT_STRS: print_attr_list(p, kind, field); break;
	case AT_DATA: print_attr_tensor(p, field); break;
	}
}

/* " <axis = 1, mode = "linear">": those that are not at their default. */
static void
print_attrs(struct printer *p, const struct sn_node *n)
{
	enum sn_attr_set set = sn_graph_op_info(n->op)->attrs;
	const struct sn_attr_layout *l = sn_attr_layout(set);
	const char *mine = n->attrs, *plain = sn_attrs_new(p->out->arena, set);
	bool is_first = true;
	for (int i = 0; i < l->nfields; i++) {
		const struct sn_attr_field *f = &l->fields[i];
		if (sn_attr_equal(f->kind, mine + f->offset, plain + f->offset)
		    || sn_attr_is_absent(f->kind, mine + f->offset))
			continue;
		sn_buf_addf(p->out, "%s%s = ", is_first ? " <" : ", ", f->name);
		print_attr(p, f->kind, mine + f->offset);
		is_first = false;
	}
	if (!is_first)
		sn_buf_addc(p->out, '>');
}

/* ---- nodes and graphs -------------------------------------------------------------------- */

static void print_body(struct printer *p, const struct sn_graph *g, int depth);

static void
print_op(struct printer *p, enum sn_graph_op op)
{
	const struct sn_graph_op_info *info = sn_graph_op_info(op);
	const char *sep = *info->domain ? "." : "";
	sn_lex_print_name(p->out, sn_printf(p->out->arena, "%s%s%s", info->domain, sep, info->name),
			  NULL);
}

/* "Conv <group = 1> (x, w)"; OUT_AT (or NULL): where operand OPERAND stands in the buffer. */
static void
print_call(struct printer *p, const struct sn_node *n, int operand, size_t *out_at)
{
	print_op(p, n->op);
	print_attrs(p, n);
	sn_buf_add(p->out, " (");
	for (int i = 0; i < n->nin; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		if (i == operand && out_at)
			*out_at = p->out->len;
		if (n->in[i].value)
			print_value_name(p, n->in[i].value->name);
		else
			sn_buf_addc(p->out, '_');
	}
	sn_buf_addc(p->out, ')');
}

static void
print_node(struct printer *p, const struct sn_node *n, int depth)
{
	sn_buf_fill(p->out, '\t', (size_t)depth);
	for (int i = 0; i < n->nout; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		if (!n->out[i]) {
			sn_buf_addc(p->out, '_');
			continue;
		}
		print_typed(p, n->out[i]);
		print_known(p, n->out[i]);
	}
	sn_buf_add(p->out, n->nout ? " = " : "= ");
	print_call(p, n, -1, NULL);
	sn_origin_print_text(p->out, n->origin, p->file);
}

static void
print_node_and_bodies(struct printer *p, const struct sn_node *n, int depth)
{
	print_node(p, n, depth);
	sn_buf_addc(p->out, '\n');
	for (int i = 0; i < n->nregions; i++) {
		sn_buf_fill(p->out, '\t', (size_t)depth + 1);
		sn_buf_add(p->out, "region ");
		sn_lex_print_name(p->out, n->regions[i]->name, NULL);
		print_body(p, n->regions[i], depth + 1);
	}
}

/* The constants of one graph, in order of first reading; those that nothing reads are no part of
 * the graph any more. */
struct const_printer {
	struct printer *p;
	const struct sn_graph *owner;
	struct sn_map seen; /* values by address */
	int depth;
	bool is_first;
};

static void
print_const(struct const_printer *c, struct sn_value *v)
{
	uint64_t key = (uint64_t)(uintptr_t)v;
	/* a result whose elements inference knows is its node's */
	if (!sn_value_is_const(v) || v->def || sn_map_get(&c->owner->names, v->name) != v
	    || sn_map_get_num(&c->seen, key))
		return;
	sn_map_put_num(&c->seen, key, v);
	struct sn_buf *out = c->p->out;
	sn_buf_add(out, c->is_first ? "\n" : ",\n");
	sn_buf_fill(out, '\t', (size_t)c->depth + 1);
	sn_buf_add(out, c->is_first ? "<" : " ");
	print_typed(c->p, v);
	sn_buf_add(out, " = ");
	sn_data_print(out, v->data, c->p->with_data);
	c->is_first = false;
}

/* G is the owner or a body inside it. */
static void
print_consts(struct const_printer *c, const struct sn_graph *g)
{
	SN_FOR_NODES(g, n)
	{
		for (int i = 0; i < n->nin; i++)
			print_const(c, n->in[i].value);
		for (int i = 0; i < n->nregions; i++)
			print_consts(c, n->regions[i]);
	}
	for (size_t i = 0; i < g->outputs.n; i++)
		print_const(c, g->outputs.v[i]->value);
}

static void
print_outputs(struct printer *p, const struct sn_graph *g)
{
	sn_buf_add(p->out, " => (");
	for (size_t i = 0; i < g->outputs.n; i++) {
		const struct sn_value *v = g->outputs.v[i]->value;
		sn_buf_add(p->out, i ? ", " : "");
		print_typed(p, v);
		if (strcmp(v->name, g->output_names.v[i]) != 0) {
			sn_buf_add(p->out, " as ");
			sn_buf_add_quoted(p->out, g->output_names.v[i]);
		}
	}
	sn_buf_addc(p->out, ')');
}

/* From the inputs to the closing brace. */
static void
print_body(struct printer *p, const struct sn_graph *g, int depth)
{
	sn_buf_add(p->out, " (");
	for (size_t i = 0; i < g->inputs.n; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		print_typed(p, g->inputs.v[i]);
		print_known(p, g->inputs.v[i]);
	}
	sn_buf_addc(p->out, ')');
	print_outputs(p, g);
	struct const_printer c = { .p = p, .owner = g, .depth = depth, .is_first = true };
	sn_map_init(&c.seen, p->out->arena);
	print_consts(&c, g);
	sn_buf_add(p->out, c.is_first ? "\n" : ">\n");
	sn_buf_fill(p->out, '\t', (size_t)depth);
	sn_buf_add(p->out, "{\n");
	sn_requires_print(p->out, &g->requires, depth + 1, p->file);
	SN_FOR_NODES(g, n)
	print_node_and_bodies(p, n, depth + 1);
	sn_buf_fill(p->out, '\t', (size_t)depth);
	sn_buf_add(p->out, "}\n");
}

static void
add_symbols(struct sn_sym_list *l, const struct sn_value *v)
{
	if (!v)
		return;
	sn_sym_list_add_type(l, &v->type);
	for (int i = 0; i < v->nknown; i++)
		sn_sym_list_add(l, v->known[i]);
}

static void
collect_symbols(struct sn_sym_list *l, const struct sn_graph *g)
{
	for (size_t i = 0; i < g->inputs.n; i++)
		add_symbols(l, g->inputs.v[i]);
	SN_FOR_NODES(g, n)
	{
		for (int i = 0; i < n->nout; i++)
			add_symbols(l, n->out[i]);
		for (int i = 0; i < n->nregions; i++)
			collect_symbols(l, n->regions[i]);
	}
}

/* The file of the first origin that has one. */
static const char *
main_file(const struct sn_graph *g)
{
	SN_FOR_NODES(g, n)
	if (n->origin && n->origin->n && n->origin->nodes[0]->file)
		return n->origin->nodes[0]->file;
	return NULL;
}

void
sn_graph_print(struct sn_buf *out, const struct sn_graph *g, bool with_data)
{
	struct printer p = { out, with_data, main_file(g) };
	struct sn_sym_list syms;
	sn_sym_list_init(&syms, out->arena);
	collect_symbols(&syms, g);
	sn_sym_list_add_requires(&syms, &g->requires);
	sn_buf_add(out, "graph ");
	sn_buf_add_quoted(out, g->name ? g->name : "");
	if (p.file) {
		sn_buf_add(out, " in ");
		sn_buf_add_quoted(out, p.file);
	}
	sn_buf_add(out, syms.list.n ? " " : "");
	sn_syms_print(out, &syms);
	print_body(&p, g, 0);
}

void
sn_node_print(struct sn_buf *out, const struct sn_node *n)
{
	struct printer p = { out, false, NULL };
	print_node(&p, n, 0);
}

void
sn_node_print_excerpt(struct sn_buf *out, const struct sn_node *n, int operand)
{
	struct printer p = { out, false, NULL };
	size_t start = out->len, at = start;
	if (n->origin && n->origin->n && n->origin->nodes[0]->index >= 0)
		sn_buf_addf(out, "%5d | ", n->origin->nodes[0]->index);
	else
		sn_buf_add(out, "      | ");
	for (int i = 0; i < n->nout; i++) {
		sn_buf_add(out, i ? ", " : "");
		if (n->out[i])
			print_value_name(&p, n->out[i]->name);
		else
			sn_buf_addc(out, '_');
	}
	sn_buf_add(out, n->nout ? " = " : "= ");
	print_call(&p, n, operand, &at);
	sn_buf_addc(out, '\n');
	if (at == start)
		return;
	sn_buf_add(out, "      |");
	sn_buf_fill(out, ' ', at - start - strlen("      |"));
	sn_buf_add(out, "^\n");
}
