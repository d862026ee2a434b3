/*
 * remove-dead: removes nodes whose results nobody reads.
 *
 *	h = Relu (x)
 *	y = Add (x, x)  => (y)    ->    y = Add (x, x)  => (y)
 *
 * Walks backwards, so a chain goes in one sweep.  A result that is not wanted
 * of a node that stays is set to "_".  Constants and unused inputs: a constant
 * without readers costs nothing and is never written out; inputs are the
 * caller's signature and stay.  Exact.  Cost: linear in nodes.
 */
#include "passes/pass.h"

static bool
is_dead(const struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->uses)
			return false;
	return true;
}

/* Optional results that nobody reads need not be computed. Of a list none is optional: places count. */
static bool
drop_results(struct sn_node *n)
{
	const struct sn_graph_op_info *op = sn_graph_op_info(n->op);
	bool has_changed = false;
	for (int i = op->min_out; i < n->nout && op->max_out >= 0; i++) {
		if (!n->out[i] || n->out[i]->uses)
			continue;
		sn_value_set_name(n->graph, n->out[i], NULL);
		n->out[i] = NULL;
		has_changed = true;
	}
	return has_changed;
}

static bool
sweep(struct sn_graph *g)
{
	bool has_changed = false;
	for (struct sn_node *n = g->last, *prev; n; n = prev) {
		prev = n->prev;
		if (is_dead(n)) {
			sn_node_remove(n);
			has_changed = true;
			continue;
		}
		has_changed |= drop_results(n);
		for (int i = 0; i < n->nregions; i++)
			has_changed |= sweep(n->regions[i]);
	}
	return has_changed;
}

bool
sn_pass_remove_dead(struct sn_pass_ctx *c)
{
	c->has_changed = sweep(c->module->graph);
	return true;
}
