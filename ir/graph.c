/*
 * Graph: the few functions that write edges, and small questions about values.
 *
 * An operand slot is linked into its value's list of uses the moment it is
 * written, at the head: lists are unordered, writing costs O(1).
 */
#include <string.h>
#include "ir/graph.h"

static const struct sn_graph_op_info infos[] = {
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) \
	[id] = { domain, name, since, traits, AS_##attrs, nin0, nin1, nout0, nout1 },
#include "ir/ops.def"
	[GR_COUNT] = { "", "none", "", "", AS_NONE, 0, 0, 0, 0 },
};

const struct sn_graph_op_info *
sn_graph_op_info(enum sn_graph_op op)
{
	return &infos[op];
}

enum sn_graph_op
sn_graph_op_by_name(const char *domain, const char *name)
{
	for (int i = 0; i < GR_COUNT; i++)
		if (strcmp(infos[i].name, name) == 0 && strcmp(infos[i].domain, domain) == 0)
			return (enum sn_graph_op)i;
	return GR_COUNT;
}

struct sn_graph *
sn_graph_new(struct sn_arena *a, struct sn_pool *p, const char *name)
{
	struct sn_graph *g = SN_NEW(a, struct sn_graph);
	g->name = name;
	g->arena = a;
	g->pool = p;
	sn_map_init(&g->names, a);
	return g;
}

/* In G or around it. */
static bool
is_taken(const struct sn_graph *g, const char *name)
{
	for (; g; g = g->outer)
		if (sn_map_get(&g->names, name))
			return true;
	return false;
}

/* The name itself if it is free, else with a number that no value has had. */
static const char *
free_name(struct sn_graph *g, const char *name, int id)
{
	if (name && *name && !is_taken(g, name))
		return sn_strdup(g->arena, name);
	const char *stem = name && *name ? name : "v";
	const char *sep = name && *name ? "_" : "";
	for (;; id++) {
		const char *s = sn_printf(g->arena, "%s%s%d", stem, sep, id);
		if (!is_taken(g, s))
			return s;
	}
}

struct sn_value *
sn_value_new(struct sn_graph *g, const char *name, const struct sn_type *type)
{
	struct sn_value *v = SN_NEW(g->arena, struct sn_value);
	v->id = g->nvalues++;
	v->name = free_name(g, name, v->id);
	if (type)
		v->type = *type;
	else
		v->type.rank = -1;
	sn_map_put(&g->names, v->name, v);
	return v;
}

static void
forget_name(struct sn_graph *g, const struct sn_value *v)
{
	if (sn_map_get(&g->names, v->name) == v)
		sn_map_put(&g->names, v->name, NULL);
}

void
sn_value_rename(struct sn_graph *g, struct sn_value *v, const char *name)
{
	if (name && strcmp(v->name, name) == 0)
		return;
	forget_name(g, v);
	v->name = free_name(g, name, v->id);
	sn_map_put(&g->names, v->name, v);
}

void
sn_value_set_name(struct sn_graph *g, struct sn_value *v, const char *name)
{
	forget_name(g, v);
	if (!name)
		return;
	v->name = sn_strdup(g->arena, name);
	sn_map_put(&g->names, v->name, v);
}

struct sn_value *
sn_graph_add_input(struct sn_graph *g, const char *name, const struct sn_type *t)
{
	struct sn_value *v = sn_value_new(g, name, t);
	SN_PUSH(g->arena, &g->inputs, v);
	return v;
}

struct sn_value *
sn_graph_add_const(struct sn_graph *g, const char *name, const struct sn_type *t,
		   const struct sn_data *data)
{
	struct sn_value *v = sn_value_new(g, name, t);
	v->data = data;
	return v;
}

static void
unlink_use(struct sn_use *u)
{
	if (!u->value)
		return;
	if (u->prev)
		u->prev->next = u->next;
	else
		u->value->uses = u->next;
	if (u->next)
		u->next->prev = u->prev;
	u->next = u->prev = NULL;
	u->value = NULL;
}

static void
link_use(struct sn_use *u, struct sn_value *v)
{
	unlink_use(u);
	if (!v)
		return;
	u->value = v;
	u->next = v->uses;
	if (v->uses)
		v->uses->prev = u;
	v->uses = u;
}

void
sn_graph_add_output(struct sn_graph *g, struct sn_value *v, const char *name)
{
	struct sn_use *u = SN_NEW(g->arena, struct sn_use);
	u->slot = (int)g->outputs.n;
	link_use(u, v);
	SN_PUSH(g->arena, &g->outputs, u);
	SN_PUSH(g->arena, &g->output_names, sn_strdup(g->arena, name ? name : v->name));
}

void
sn_graph_set_output(struct sn_graph *g, int i, struct sn_value *v)
{
	link_use(g->outputs.v[i], v);
}

/* BEFORE NULL: at the end. */
static void
link_node(struct sn_node *n, struct sn_node *before)
{
	struct sn_graph *g = n->graph;
	n->next = before;
	n->prev = before ? before->prev : g->last;
	*(n->prev ? &n->prev->next : &g->first) = n;
	*(before ? &before->prev : &g->last) = n;
}

static void
unlink_node(struct sn_node *n)
{
	struct sn_graph *g = n->graph;
	*(n->prev ? &n->prev->next : &g->first) = n->next;
	*(n->next ? &n->next->prev : &g->last) = n->prev;
	n->next = n->prev = NULL;
}

static void
add_results(struct sn_node *n, int nout)
{
	n->nout = nout;
	n->out = SN_NEW_ARRAY(n->graph->arena, (size_t)nout, struct sn_value *);
	for (int i = 0; i < nout; i++) {
		n->out[i] = sn_value_new(n->graph, NULL, NULL);
		n->out[i]->def = n;
		n->out[i]->def_index = i;
	}
}

struct sn_node *
sn_node_new(struct sn_graph *g, enum sn_graph_op op, struct sn_value *const *in, int nin, int nout,
	    const struct sn_origin *origin)
{
	struct sn_node *n = SN_NEW(g->arena, struct sn_node);
	n->id = g->nnodes++;
	n->op = op;
	n->graph = g;
	n->origin = origin;
	n->attrs = sn_attrs_new(g->arena, infos[op].attrs);
	n->nin = nin;
	n->in = SN_NEW_ARRAY(g->arena, (size_t)nin, struct sn_use);
	for (int i = 0; i < nin; i++) {
		n->in[i].node = n;
		n->in[i].slot = i;
		link_use(&n->in[i], in[i]);
	}
	add_results(n, nout);
	link_node(n, NULL);
	return n;
}

struct sn_node *
sn_node_new_before(struct sn_node *before, enum sn_graph_op op, struct sn_value *const *in, int nin,
		   int nout, const struct sn_origin *origin)
{
	struct sn_node *n = sn_node_new(before->graph, op, in, nin, nout, origin);
	sn_node_move(n, before);
	return n;
}

struct sn_graph *
sn_node_add_region(struct sn_node *n, const char *name)
{
	struct sn_graph *g = n->graph;
	struct sn_graph *region = sn_graph_new(g->arena, g->pool, name);
	region->outer = g;
	struct sn_graph **list = SN_NEW_ARRAY(g->arena, (size_t)n->nregions + 1, struct sn_graph *);
	if (n->nregions)
		memcpy(list, n->regions, (size_t)n->nregions * sizeof(*list));
	list[n->nregions++] = region;
	n->regions = list;
	return region;
}

void
sn_node_set_input(struct sn_node *n, int slot, struct sn_value *v)
{
	link_use(&n->in[slot], v);
}

void
sn_value_replace(struct sn_value *old, struct sn_value *new_value)
{
	if (old == new_value)
		return;
	SN_FOR_USES(old, u)
	link_use(u, new_value);
}

/* The operands of N, and of everything inside its bodies, give up their uses. */
static void
drop_operands(struct sn_node *n)
{
	for (int i = 0; i < n->nin; i++)
		unlink_use(&n->in[i]);
	for (int r = 0; r < n->nregions; r++) {
		struct sn_graph *body = n->regions[r];
		for (size_t i = 0; i < body->outputs.n; i++)
			unlink_use(body->outputs.v[i]);
		SN_FOR_NODES(body, inner)
		drop_operands(inner);
	}
}

void
sn_node_remove(struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++) {
		if (!n->out[i])
			continue;
		if (n->out[i]->uses)
			sn_bug(n->graph->arena->guard, "removing the writer of '%s', which is used",
			       n->out[i]->name);
		forget_name(n->graph, n->out[i]);
	}
	drop_operands(n);
	unlink_node(n);
	n->graph = NULL;
}

void
sn_node_move(struct sn_node *n, struct sn_node *before)
{
	if (n == before || n->next == before)
		return;
	unlink_node(n);
	link_node(n, before);
}

bool
sn_value_is_output(const struct sn_value *v)
{
	for (const struct sn_use *u = v->uses; u; u = u->next)
		if (!u->node)
			return true;
	return false;
}

int
sn_value_nuses(const struct sn_value *v)
{
	int n = 0;
	for (const struct sn_use *u = v->uses; u; u = u->next)
		n++;
	return n;
}

bool
sn_value_ints(const struct sn_value *v, struct sn_arena *a, int64_t **out, int *out_n)
{
	bool is_data = v->data && (sn_is_int(v->data->dtype) || v->data->dtype == DT_BOOL);
	size_t n = is_data ? v->data->n : v->known ? (size_t)v->nknown : 0;
	if ((!is_data && !v->known) || n > 65536)
		return false;
	int64_t *list = SN_NEW_ARRAY(a, n, int64_t);
	for (size_t i = 0; i < n; i++) {
		if (is_data)
			list[i] = sn_data_get(v->data, i).i;
		else if (!sn_get_int(v->known[i], &list[i]))
			return false;
	}
	*out = list;
	*out_n = (int)n;
	return true;
}
