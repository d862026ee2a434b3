/*
 * merge-common: computes equal nodes once, and stores equal constants once.
 *
 *	a = Relu (x)
 *	b = Relu (x)
 *	y = Add (a, b)    ->    a = Relu (x),  y = Add (a, a)
 *
 * Nodes are equal if operator, attributes and operands are (operands of a
 * commutative operator in either order).  One walk in order of execution, so
 * operands are merged before their readers.  A body of If, Loop or Scan sees
 * what its outer graph has computed before it, not the other way round.  Not
 * merged: random nodes, nodes with bodies, results that are outputs (each
 * output needs memory of its own).  Exact.  Cost: linear in nodes; constants are
 * read in full only where a probe of them agrees.
 */
#include <string.h>
#include "passes/pass.h"

struct merger {
	struct sn_arena *scratch;
	struct sn_map nodes;  /* hash of a node to a chain of those seen */
	struct sn_map consts; /* hash of data to a chain of those seen */
	struct sn_map seen;   /* constants visited, by address */
	bool has_changed;
};

struct link {
	void *item;
	struct link *next;
};

static void
chain(struct merger *m, struct sn_map *map, uint64_t key, void *item)
{
	struct link *l = SN_NEW(m->scratch, struct link);
	*l = (struct link){ item, sn_map_get_num(map, key) };
	sn_map_put_num(map, key, l);
}

/* Can V be read in G? */
static bool
is_visible(const struct sn_graph *owner, const struct sn_graph *g)
{
	while (g && g != owner)
		g = g->outer;
	return g != NULL;
}

/* ---- constants --------------------------------------------------------------------------- */

static const struct sn_graph *
owner_of(const struct sn_value *v, const struct sn_graph *g)
{
	while (g && sn_map_get(&g->names, v->name) != v)
		g = g->outer;
	return g;
}

/* Enough to tell most constants apart; those that agree are compared in full. Small ones hash alike
 * whether they are splats or written out. */
static uint64_t
quick_hash(const struct sn_data *d)
{
	enum { PROBE = 256 };
	if (d->n <= PROBE)
		return sn_data_hash(d);
	size_t bytes = d->dtype == DT_STRING ? 0 : sn_dtype_bytes(d->dtype, d->is_splat ? 1 : d->n);
	size_t probe = bytes < PROBE ? bytes : PROBE;
	uint64_t head[3] = { (uint64_t)d->dtype, d->n, d->is_splat };
	uint64_t h = sn_hash(0, head, sizeof(head));
	h = probe ? sn_hash(h, d->bytes, probe) : h;
	return probe ? sn_hash(h, (const char *)d->bytes + bytes - probe, probe) : h;
}

struct const_entry {
	struct sn_value *value;
	const struct sn_graph *owner;
};

static void
merge_const(struct merger *m, struct sn_value *v, const struct sn_graph *g)
{
	uint64_t address = (uint64_t)(uintptr_t)v;
	if (sn_map_get_num(&m->seen, address) || sn_value_is_output(v))
		return;
	sn_map_put_num(&m->seen, address, v);
	uint64_t key = quick_hash(v->data);
	for (struct link *l = sn_map_get_num(&m->consts, key); l; l = l->next) {
		struct const_entry *e = l->item;
		if (!is_visible(e->owner, g) || !sn_type_equal(&e->value->type, &v->type)
		    || !sn_data_equal(e->value->data, v->data))
			continue;
		sn_value_replace(v, e->value);
		m->has_changed = true;
		return;
	}
	struct const_entry *e = SN_NEW(m->scratch, struct const_entry);
	*e = (struct const_entry){ v, owner_of(v, g) };
	chain(m, &m->consts, key, e);
}

/* ---- nodes ------------------------------------------------------------------------------- */

static bool
is_commutative(const struct sn_node *n)
{
	return n->nin == 2 && strchr(sn_graph_op_info(n->op)->traits, 'C');
}

static uint64_t
operand_key(const struct sn_node *n, int i)
{
	return (uint64_t)(uintptr_t)n->in[i].value;
}

static uint64_t
hash_node(const struct sn_node *n)
{
	enum sn_attr_set set = sn_graph_op_info(n->op)->attrs;
	uint64_t key[4] = { (uint64_t)n->op, sn_attrs_hash(set, n->attrs), (uint64_t)n->nin,
			    (uint64_t)n->nout };
	uint64_t h = sn_hash(0, key, sizeof(key));
	if (is_commutative(n)) {
		uint64_t sum = operand_key(n, 0) + operand_key(n, 1);
		return sn_hash(h, &sum, sizeof(sum));
	}
	for (int i = 0; i < n->nin; i++) {
		uint64_t k = operand_key(n, i);
		h = sn_hash(h, &k, sizeof(k));
	}
	return h;
}

static bool
has_same_operands(const struct sn_node *a, const struct sn_node *b)
{
	if (is_commutative(a) && operand_key(a, 0) == operand_key(b, 1)
	    && operand_key(a, 1) == operand_key(b, 0))
		return true;
	for (int i = 0; i < a->nin; i++)
		if (operand_key(a, i) != operand_key(b, i))
			return false;
	return true;
}

/* Types too: a size that depends on data has another symbol each time it is computed. */
static bool
has_same_results(const struct sn_node *a, const struct sn_node *b)
{
	for (int i = 0; i < a->nout; i++) {
		if (!a->out[i] && b->out[i])
			return false;
		if (a->out[i] && b->out[i] && !sn_type_equal(&a->out[i]->type, &b->out[i]->type))
			return false;
	}
	return true;
}

static bool
is_same(const struct sn_node *a, const struct sn_node *b)
{
	return a->op == b->op && a->nin == b->nin && a->nout == b->nout && has_same_operands(a, b)
	       && has_same_results(a, b)
	       && sn_attrs_equal(sn_graph_op_info(a->op)->attrs, a->attrs, b->attrs);
}

static bool
is_mergeable(const struct sn_node *n)
{
	if (n->nregions || n->nin == 0 || strchr(sn_graph_op_info(n->op)->traits, 'R'))
		return false;
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] && sn_value_is_output(n->out[i]))
			return false;
	return true;
}

static void
replace(struct sn_node *n, struct sn_node *by)
{
	for (int i = 0; i < n->nout; i++)
		if (n->out[i])
			sn_value_replace(n->out[i], by->out[i]);
	by->origin = sn_origin_join(by->graph->arena, by->origin, n->origin);
	sn_node_remove(n);
}

/* A node equal to N that was seen before; N's results may be outputs only where it stays. */
static void
merge_node(struct merger *m, struct sn_node *n)
{
	uint64_t key = hash_node(n);
	for (struct link *l = sn_map_get_num(&m->nodes, key); l && is_mergeable(n); l = l->next) {
		struct sn_node *by = l->item;
		if (is_visible(by->graph, n->graph) && is_same(by, n)) {
			replace(n, by);
			m->has_changed = true;
			return;
		}
	}
	if (!n->nregions && !strchr(sn_graph_op_info(n->op)->traits, 'R'))
		chain(m, &m->nodes, key, n);
}

static void
merge_graph(struct merger *m, struct sn_graph *g)
{
	SN_FOR_NODES(g, n)
	{
		for (int i = 0; i < n->nin; i++)
			if (sn_value_is_const(n->in[i].value))
				merge_const(m, n->in[i].value, g);
		for (int i = 0; i < n->nregions; i++)
			merge_graph(m, n->regions[i]);
		merge_node(m, n);
	}
}

bool
sn_pass_merge_common(struct sn_pass_ctx *c)
{
	struct merger m = { .scratch = c->scratch };
	sn_map_init(&m.nodes, c->scratch);
	sn_map_init(&m.consts, c->scratch);
	sn_map_init(&m.seen, c->scratch);
	merge_graph(&m, c->module->graph);
	c->has_changed = m.has_changed;
	return true;
}
