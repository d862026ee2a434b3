/*
 * Nodes: from the wire's form to a raw node, and on to what it becomes.
 */
#include <string.h>
#include "frontend/adapt.h"
#include "frontend/onnx.pb-c.h"

struct sn_where
sn_raw_where(const struct sn_raw_node *n)
{
	return sn_origin_where(n->origin);
}

const char *
sn_domain_text(const char *domain)
{
	return domain && strcmp(domain, "ai.onnx") != 0 ? domain : "";
}

/* The version of DOMAIN that the scope imports, or 0. */
static int
opset_of(const struct sn_scope *s, const char *domain)
{
	for (size_t i = 0; i < s->nopsets; i++)
		if (strcmp(s->opsets[i].domain, domain) == 0)
			return (int)s->opsets[i].version;
	return 0;
}

/* Operands after the last present one don't count. */
static size_t
count_present(char *const *names, size_t n)
{
	while (n && !*names[n - 1])
		n--;
	return n;
}

static bool
read_operands(struct sn_raw_node *n, const Pb__NodeProto *p, int index)
{
	struct sn_scope *s = n->scope;
	struct sn_arena *a = s->reader->scratch;
	bool is_right = true;
	size_t count = count_present(p->input, p->n_input);
	for (size_t i = 0; i < count; i++) {
		const char *name = p->input[i];
		const struct sn_binding *b = *name ? sn_scope_find(s, name) : NULL;
		struct sn_value *v = b ? b->value : NULL;
		if (*name && !b) {
			is_right = sn_report_unknown_name(s, index, sn_raw_where(n), name);
			v = sn_value_new(s->graph, NULL, NULL);
		}
		SN_PUSH(a, &n->in, v);
	}
	count = count_present(p->output, p->n_output);
	for (size_t i = 0; i < count; i++)
		SN_PUSH(a, &n->out, (const char *)p->output[i]);
	return is_right;
}

/* The attribute that the call of the function around gives for NAME, or NULL. */
static const struct sn_raw_attr *
given(const struct sn_call *c, const char *name)
{
	for (size_t i = 0; i < c->nattrs; i++)
		if (strcmp(c->attrs[i].name, name) == 0)
			return &c->attrs[i];
	return NULL;
}

static bool
is_declared(const Pb__FunctionProto *f, const char *name)
{
	for (size_t i = 0; i < f->n_attribute; i++)
		if (strcmp(f->attribute[i], name) == 0)
			return true;
	return false;
}

/* attribute = @name in a function's body: what the call gives, or nothing if it gives none. */
static bool
read_reference(struct sn_raw_node *n, const Pb__AttributeProto *p)
{
	struct sn_reader *r = n->scope->reader;
	const struct sn_call *c = n->scope->call;
	const char *name = p->name ? p->name : "", *ref = p->ref_attr_name;
	const struct sn_raw_attr *actual = c ? given(c, ref) : NULL;
	if (!actual && (!c || !is_declared(c->function, ref)))
		return sn_report(r->diags, sn_raw_where(n), DG_FUNC_ATTR, name, ref,
				 c ? c->function->name : "none");
	if (actual) {
		struct sn_raw_attr copy = *actual;
		copy.name = sn_strdup(r->arena, name);
		SN_PUSH(r->scratch, &n->attrs, copy);
	}
	return true;
}

static bool
read_attrs(struct sn_raw_node *n, const Pb__NodeProto *p)
{
	struct sn_reader *r = n->scope->reader;
	bool is_right = true;
	for (size_t i = 0; i < p->n_attribute; i++) {
		const Pb__AttributeProto *attr = p->attribute[i];
		struct sn_raw_attr raw;
		if (attr->name && sn_raw_attr(n, attr->name)) {
			is_right = sn_report(r->diags, sn_raw_where(n), DG_ATTR_TWICE, attr->name);
			continue;
		}
		if (attr->ref_attr_name && *attr->ref_attr_name) {
			is_right &= read_reference(n, attr);
			continue;
		}
		is_right &= sn_read_attr(n->scope, attr, sn_raw_where(n), &raw);
		SN_PUSH(r->scratch, &n->attrs, raw);
	}
	return is_right;
}

static void
init(struct sn_raw_node *n, struct sn_scope *s, const Pb__NodeProto *p, int index)
{
	struct sn_arena *a = s->reader->arena;
	*n = (struct sn_raw_node){ .scope = s };
	n->domain = sn_strdup(a, sn_domain_text(p->domain));
	n->type = sn_strdup(a, p->op_type ? p->op_type : "");
	n->name = sn_printf(a, "%s%s", s->prefix, p->name ? p->name : "");
	n->version = n->opset = opset_of(s, n->domain);
	n->origin = sn_origin_of(a, s->reader->file, n->type, n->name, index);
}

bool
sn_read_node(struct sn_scope *s, const Pb__NodeProto *p, int index)
{
	struct sn_reader *r = s->reader;
	const Pb__FunctionProto *f = sn_find_function(r, p);
	struct sn_raw_node n;
	init(&n, s, p, index);
	if (r->nodes++ == SN_READER_NODES)
		sn_report(r->diags, sn_raw_where(&n), DG_FUNC_SIZE, SN_READER_NODES);
	if (r->nodes > SN_READER_NODES)
		return false;
	bool is_right = read_operands(&n, p, index);
	is_right &= read_attrs(&n, p);
	if (!f && !n.version)
		is_right = sn_report(r->diags, sn_raw_where(&n), DG_OPSET_NONE, n.type,
				     *n.domain ? n.domain : "ai.onnx");
	if (is_right && f)
		is_right = sn_inline_call(&n, f);
	else if (is_right)
		is_right = sn_adapt(&n) && sn_raw_finish(&n);
	if (!is_right)
		sn_raw_bind_unknown(&n);
	return is_right;
}

void
sn_note_unknown_inside(struct sn_scope *s, const Pb__GraphProto *g)
{
	struct sn_reader *r = s->reader;
	for (size_t i = 0; i < g->n_node; i++) {
		struct sn_raw_node n;
		init(&n, s, g->node[i], (int)i);
		if (sn_graph_op_by_name(n.domain, n.type) == GR_COUNT
		    && !sn_find_function(r, g->node[i]))
			sn_note_unknown(r, n.domain, n.type, sn_raw_where(&n));
		for (size_t k = 0; k < g->node[i]->n_attribute; k++)
			if (g->node[i]->attribute[k]->g)
				sn_note_unknown_inside(s, g->node[i]->attribute[k]->g);
	}
}
