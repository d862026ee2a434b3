/*
 * The verifier of the graph level: lists, order, arity, attributes, types.
 *
 * Collects all errors, each with the node's own line of text.
 */
#include <string.h>
#include "ir/graph_text.h"
#include "ir/infer.h"

struct verifier {
	struct sn_diags *diags;
	struct sn_arena *arena;
	struct sn_map defined; /* values that may be read here, by address */
	bool ok;
};

static uint64_t
key_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* N may be NULL. */
static void __attribute__((format(printf, 3, 4)))
complain(struct verifier *c, const struct sn_node *n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *text = sn_vprintf(c->arena, fmt, ap);
	va_end(ap);
	const char *excerpt = NULL;
	if (n) {
		struct sn_buf b;
		sn_buf_init(&b, c->arena);
		sn_buf_add(&b, "      | ");
		sn_node_print(&b, n);
		excerpt = b.text;
	}
	struct sn_where where = n ? sn_origin_where(n->origin) : SN_NOWHERE;
	sn_report_excerpt(c->diags, where, excerpt, DG_VERIFY, text);
	c->ok = false;
}

static void
define(struct verifier *c, const struct sn_value *v)
{
	sn_map_put_num(&c->defined, key_of(v), (void *)(uintptr_t)v);
}

/* ---- lists of uses ----------------------------------------------------------------------- */

/* Is U what the list of its value says it is? */
static void
check_slot(struct verifier *c, const struct sn_node *n, const struct sn_use *u, int slot)
{
	if (u->node != n || u->slot != slot)
		complain(c, n, "slot %d says it is slot %d of another node", slot, u->slot);
	if (!u->value)
		return;
	if (u->prev ? u->prev->next != u : u->value->uses != u)
		complain(c, n, "operand %d, '%s', is not in that value's list of uses", slot,
			 u->value->name);
	if (u->next && u->next->prev != u)
		complain(c, n, "the list of uses of '%s' is broken", u->value->name);
}

static void
check_uses(struct verifier *c, const struct sn_value *v)
{
	for (const struct sn_use *u = v->uses; u; u = u->next) {
		bool is_slot = !u->node
			       || (u->slot >= 0 && u->slot < u->node->nin
				   && u == &u->node->in[u->slot]);
		if (u->value != v || !is_slot)
			complain(c, u->node, "a use of '%s' belongs to another value", v->name);
		if (u->value != v)
			return; /* the list leads elsewhere */
	}
}

/* ---- values ------------------------------------------------------------------------------ */

static void
check_value(struct verifier *c, const struct sn_graph *g, const struct sn_node *n,
	    const struct sn_value *v)
{
	int64_t count;
	bool is_static = sn_type_is_static(&v->type, &count);
	if (v->id < 0 || v->id >= g->nvalues)
		complain(c, n, "'%s' has the id %d of %d", v->name, v->id, g->nvalues);
	if (sn_map_get(&g->names, v->name) != v)
		complain(c, n, "'%s' is not the value of that name", v->name);
	if (v->known && is_static && count != v->nknown)
		complain(c, n, "'%s' has %d known elements, which its type does not", v->name,
			 v->nknown);
	if (v->data
	    && (!is_static || (uint64_t)count != v->data->n || v->data->dtype != v->type.dtype))
		complain(c, n, "the data of '%s' is not of its type", v->name);
	check_uses(c, v);
}

static void
check_operand(struct verifier *c, const struct sn_graph *g, const struct sn_node *n,
	      const struct sn_value *v)
{
	if (!v || sn_map_get_num(&c->defined, key_of(v)))
		return;
	if (!v->data) {
		complain(c, n, "'%s' is read before it is defined", v->name);
		return;
	}
	define(c, v);
	for (; g; g = g->outer)
		if (sn_map_get(&g->names, v->name) == v)
			break;
	if (g)
		check_value(c, g, n, v);
	else
		complain(c, n, "constant '%s' belongs to no graph around", v->name);
}

/* ---- nodes ------------------------------------------------------------------------------- */

static void
check_attrs(struct verifier *c, const struct sn_node *n, enum sn_attr_set set)
{
	const struct sn_attr_layout *l = sn_attr_layout(set);
	for (int i = 0; i < l->nfields; i++) {
		const struct sn_attr_field *f = &l->fields[i];
		const char *field = (const char *)n->attrs + f->offset;
		if (strcmp(f->def, "-") == 0 && sn_attr_is_absent(f->kind, field))
			complain(c, n, "attribute '%s' is missing", f->name);
	}
}

static void
check_arity(struct verifier *c, const struct sn_node *n)
{
	const struct sn_graph_op_info *info = sn_graph_op_info(n->op);
	if (n->nin < info->min_in || (info->max_in >= 0 && n->nin > info->max_in))
		complain(c, n, "%d operands", n->nin);
	if (n->nout < info->min_out || (info->max_out >= 0 && n->nout > info->max_out))
		complain(c, n, "%d results", n->nout);
	for (int i = 0; i < n->nin && i < info->min_in; i++)
		if (!n->in[i].value)
			complain(c, n, "operand %d is required", i);
	check_attrs(c, n, info->attrs);
}

static void check_graph(struct verifier *c, struct sn_graph *g);

static void
check_node(struct verifier *c, struct sn_graph *g, struct sn_node *n)
{
	if (n->graph != g || (n->prev ? n->prev->next : g->first) != n)
		complain(c, n, "not linked into its graph");
	check_arity(c, n);
	for (int i = 0; i < n->nin; i++) {
		check_slot(c, n, &n->in[i], i);
		check_operand(c, g, n, n->in[i].value);
	}
	for (int i = 0; i < n->nregions; i++) {
		if (n->regions[i]->outer != g)
			complain(c, n, "body %d belongs to another graph", i);
		check_graph(c, n->regions[i]);
	}
	for (int i = 0; i < n->nout; i++) {
		struct sn_value *v = n->out[i];
		if (!v)
			continue;
		if (v->def != n || v->def_index != i)
			complain(c, n, "'%s' has another writer", v->name);
		check_value(c, g, n, v);
		define(c, v);
	}
}

static void
check_graph(struct verifier *c, struct sn_graph *g)
{
	for (size_t i = 0; i < g->inputs.n; i++) {
		check_value(c, g, NULL, g->inputs.v[i]);
		define(c, g->inputs.v[i]);
		if (g->inputs.v[i]->def)
			complain(c, NULL, "input '%s' has a writer", g->inputs.v[i]->name);
	}
	SN_FOR_NODES(g, n)
	check_node(c, g, n);
	if (g->outputs.n != g->output_names.n)
		complain(c, NULL, "outputs and their names differ in number");
	for (size_t i = 0; i < g->outputs.n; i++) {
		const struct sn_use *u = g->outputs.v[i];
		check_slot(c, NULL, u, (int)i);
		if (!u->value)
			complain(c, NULL, "output %zu has no value", i);
		else
			check_operand(c, g, NULL, u->value);
	}
}

/* ---- types ------------------------------------------------------------------------------- */

/* Can both be the type of one value? Dimensions may be written in different symbols. */
static bool
may_agree(const struct sn_type *a, const struct sn_type *b)
{
	for (; a->kind == b->kind && a->kind != TY_TENSOR && a->elem && b->elem;
	     a = a->elem, b = b->elem)
		;
	if (a->kind != b->kind || (a->dtype && b->dtype && a->dtype != b->dtype))
		return false;
	if (a->kind != TY_TENSOR || a->rank < 0 || b->rank < 0)
		return true;
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++) {
		int64_t x, y;
		if (a->dims[i] && b->dims[i] && sn_get_int(a->dims[i], &x)
		    && sn_get_int(b->dims[i], &y) && x != y)
			return false;
	}
	return true;
}

struct saved {
	struct sn_type type;
	const struct sn_expr *const *known;
	int nknown;
};

static const char *
type_text(struct verifier *c, const struct sn_type *t)
{
	struct sn_buf b;
	sn_buf_init(&b, c->arena);
	sn_type_print(&b, t);
	return b.text;
}

/* Infers N again and compares; the types it had stay. */
static void
check_types(struct verifier *c, struct sn_infer *infer, struct sn_node *n)
{
	struct saved *old = SN_NEW_ARRAY(c->arena, (size_t)n->nout, struct saved);
	for (int i = 0; i < n->nout; i++)
		if (n->out[i])
			old[i] = (struct saved){ n->out[i]->type, n->out[i]->known,
						 n->out[i]->nknown };
	bool ok = sn_infer_node(infer, n);
	c->ok &= ok;
	for (int i = 0; i < n->nout; i++) {
		struct sn_value *v = n->out[i];
		if (!v)
			continue;
		if (ok && !may_agree(&old[i].type, &v->type))
			complain(c, n, "'%s' is %s, inferred is %s", v->name,
				 type_text(c, &old[i].type), type_text(c, &v->type));
		v->type = old[i].type;
		v->known = old[i].known;
		v->nknown = old[i].nknown;
	}
}

/* Inferring such a node again would make new symbols. */
static bool
has_own_sizes(const struct sn_node *n)
{
	bool is_static = true;
	for (int i = 0; i < n->nout; i++)
		is_static &= !n->out[i] || sn_type_is_static(&n->out[i]->type, NULL);
	return !is_static && strchr(sn_graph_op_info(n->op)->traits, 'D');
}

/* A graph whose types have not been inferred yet has none to compare. */
static bool
has_types(const struct sn_node *n)
{
	for (int i = 0; i < n->nin; i++) {
		const struct sn_value *v = n->in[i].value;
		if (v && v->type.kind == TY_TENSOR && !sn_type_is_known(&v->type))
			return false;
	}
	return true;
}

static void
check_all_types(struct verifier *c, struct sn_graph *g)
{
	struct sn_infer infer = {
		.graph = g,
		.pool = g->pool,
		.arena = g->arena,
		.diags = c->diags,
	};
	SN_FOR_NODES(g, n)
	if (n->nregions == 0 && has_types(n) && !has_own_sizes(n))
		check_types(c, &infer, n);
}

bool
sn_graph_verify(struct sn_graph *g, struct sn_diags *diags)
{
	struct sn_arena *scratch = sn_arena_child(g->arena);
	struct verifier c = { .diags = diags, .arena = scratch, .ok = true };
	sn_map_init(&c.defined, scratch);
	check_graph(&c, g);
	if (c.ok)
		check_all_types(&c, g);
	sn_arena_release(scratch);
	return c.ok;
}
