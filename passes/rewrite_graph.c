/*
 * rewrite-graph: applies the local rules of passes/rules_*.c until none fits.
 *
 *	t = Transpose <perm = [1,0]> (x)
 *	y = Transpose <perm = [1,0]> (t)    ->    y is x
 *
 * One queue of nodes: each is offered to the rules of its operator; what a rule
 * touches is queued again.  Types are kept right by inferring what rules build.
 * What needs more than a node and its neighbours is a pass of its own (folding
 * constants, common subexpressions).  Rounds where weights are rewritten
 * (passes/rules_conv.c), else exact.  Cost: linear in nodes, times rules per
 * operator.
 */
#include <string.h>
#include "passes/rewrite.h"

enum { STEPS_PER_NODE = 64 };

static const struct sn_rule *const *const tables[] = {
	sn_rules_identity, sn_rules_move, sn_rules_conv, sn_rules_affine, sn_rules_norm,
};

/* ---- questions --------------------------------------------------------------------------- */

struct sn_node *
sn_rw_def(const struct sn_node *n, int i, enum sn_graph_op op)
{
	const struct sn_value *v = sn_in(n, i);
	return v && v->def && v->def->op == op && v->def_index == 0 ? v->def : NULL;
}

bool
sn_rw_has_one_use(const struct sn_node *n)
{
	const struct sn_use *u = n->out[0] ? n->out[0]->uses : NULL;
	return u && !u->next && u->node;
}

static bool
is_same_bits(const struct sn_data *d, size_t i)
{
	const char *p = d->bytes;
	size_t size = (size_t)sn_dtype_info(d->dtype)->bits / 8;
	return memcmp(p, p + i * size, size) == 0;
}

bool
sn_rw_uniform(const struct sn_value *v, union sn_num *out)
{
	if (!sn_value_is_const(v) || v->data->n == 0 || sn_dtype_info(v->data->dtype)->bits < 8
	    || strchr("CS", sn_dtype_info(v->data->dtype)->kind))
		return false;
	for (size_t i = 1; i < v->data->n && !v->data->is_splat; i++)
		if (!is_same_bits(v->data, i))
			return false;
	*out = sn_data_get(v->data, 0);
	return true;
}

bool
sn_rw_uniform_double(const struct sn_value *v, double *out)
{
	union sn_num x;
	if (!sn_rw_uniform(v, &x))
		return false;
	*out = sn_is_float(v->data->dtype) ? x.f : (double)x.i;
	return true;
}

/* ---- changes ----------------------------------------------------------------------------- */

void
sn_rw_queue(struct sn_rewrite *r, struct sn_node *n)
{
	uint64_t key = (uint64_t)(uintptr_t)n;
	if (!n || sn_map_get_num(&r->queued, key))
		return;
	sn_map_put_num(&r->queued, key, n);
	SN_PUSH(r->scratch, &r->list, n);
}

static void
queue_readers(struct sn_rewrite *r, struct sn_value *v)
{
	SN_FOR_USES(v, u)
	sn_rw_queue(r, u->node);
}

struct sn_node *
sn_rw_node(struct sn_node *n, enum sn_graph_op op, struct sn_value *const *in, int nin, int nout)
{
	return sn_node_new_before(n, op, in, nin, nout, n->origin);
}

struct sn_value *
sn_rw_infer(struct sn_rewrite *r, struct sn_node *n)
{
	struct sn_infer c = {
		.graph = n->graph,
		.pool = n->graph->pool,
		.arena = r->arena,
		.diags = &r->diags,
		.requires = &r->graph->requires,
	};
	if (!sn_infer_node(&c, n))
		sn_bug(r->arena->guard, "rule %s built a node without a type: %s", r->rule,
		       r->diags.list.n ? r->diags.list.v[0].text : "");
	sn_rw_queue(r, n);
	return n->out[0];
}

struct sn_value *
sn_rw_ints(struct sn_rewrite *r, const char *name, const int64_t *v, int n)
{
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_I64, .rank = 1 };
	t.dims[0] = sn_int(r->graph->pool, n);
	void *bytes;
	struct sn_data *d = sn_data_new(r->arena, DT_I64, (size_t)n, &bytes);
	for (int i = 0; i < n; i++)
		sn_dtype_store(DT_I64, bytes, (size_t)i, (union sn_num){ .i = v[i] });
	return sn_graph_add_const(r->graph, name, &t, d);
}

void
sn_rw_take_name(struct sn_value *v, struct sn_node *n, int i)
{
	const char *name = n->out[i]->name;
	/* N may stay for its other results: then this one, unread, needs a name */
	if (n->nout > 1)
		sn_value_rename(n->graph, n->out[i], NULL);
	else
		sn_value_set_name(n->graph, n->out[i], NULL);
	sn_value_rename(v->def->graph, v, name);
}

void
sn_rw_set_input(struct sn_rewrite *r, struct sn_node *n, int slot, struct sn_value *v)
{
	struct sn_value *old = n->in[slot].value;
	sn_node_set_input(n, slot, v);
	sn_rw_queue(r, old ? old->def : NULL);
	sn_rw_queue(r, n);
}

/* Can V be an output in place of another value? Every output needs memory that is written to. */
static bool
may_be_output(const struct sn_graph *g, const struct sn_value *v)
{
	return v->def && v->def->graph == g && !sn_value_is_output(v);
}

/* The uses of OLD that are operands read NEW. False if there are none. */
static bool
replace_operands(struct sn_value *old, struct sn_value *v)
{
	bool has_changed = false;
	SN_FOR_USES(old, u)
	{
		if (!u->node)
			continue;
		sn_node_set_input(u->node, u->slot, v);
		has_changed = true;
	}
	return has_changed;
}

static void
add_origin(struct sn_rewrite *r, struct sn_value *v, const struct sn_node *n)
{
	if (v->def && v->def != n)
		v->def->origin = sn_origin_join(r->arena, v->def->origin, n->origin);
}

/* A node that only copies V, which N was with more ado. */
static void
make_copy(struct sn_rewrite *r, struct sn_node *n, int i, struct sn_value *v)
{
	struct sn_node *copy = sn_rw_node(n, GR_IDENTITY, &v, 1, 1);
	struct sn_value *out = sn_rw_infer(r, copy);
	sn_value_replace(n->out[i], out);
	sn_rw_take_name(out, n, i);
}

bool
sn_rw_forward(struct sn_rewrite *r, struct sn_node *n, int i, struct sn_value *v)
{
	struct sn_value *old = n->out[i];
	if (!old || !old->uses)
		return false;
	bool has_changed = true;
	queue_readers(r, old);
	if (!sn_value_is_output(old)) {
		add_origin(r, v, n);
		sn_value_replace(old, v);
	} else if (may_be_output(n->graph, v)) {
		add_origin(r, v, n);
		sn_value_replace(old, v);
		sn_rw_take_name(v, n, i);
	} else {
		has_changed = replace_operands(old, v);
		if (n->op != GR_IDENTITY) {
			make_copy(r, n, i, v);
			has_changed = true;
		}
	}
	sn_rw_queue(r, n);
	sn_rw_queue(r, v->def);
	return has_changed;
}

/* ---- the driver -------------------------------------------------------------------------- */

struct rules_of_op {
	SN_VEC(const struct sn_rule *) list;
};

static struct rules_of_op *
sort_rules(struct sn_arena *a)
{
	struct rules_of_op *by_op = SN_NEW_ARRAY(a, GR_COUNT, struct rules_of_op);
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct sn_rule *const *rule = tables[t]; *rule; rule++)
			SN_PUSH(a, &by_op[(*rule)->op].list, *rule);
	return by_op;
}

static int
queue_all(struct sn_rewrite *r, struct sn_graph *g)
{
	int count = 0;
	SN_FOR_NODES(g, n)
	{
		sn_rw_queue(r, n);
		count++;
		for (int i = 0; i < n->nregions; i++)
			count += queue_all(r, n->regions[i]);
	}
	return count;
}

static bool
is_read(const struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->uses)
			return true;
	return false;
}

/* Unlinks a node that nothing reads.  Its operands' writers may follow it, and rules that want one
 * reader look again at who is left. */
static void
drop(struct sn_rewrite *r, struct sn_node *n)
{
	struct sn_value **in = SN_NEW_ARRAY(r->scratch, (size_t)n->nin, struct sn_value *);
	for (int i = 0; i < n->nin; i++)
		in[i] = n->in[i].value;
	int nin = n->nin;
	sn_node_remove(n);
	for (int i = 0; i < nin; i++) {
		if (!in[i])
			continue;
		sn_rw_queue(r, in[i]->def);
		if (in[i]->uses && !in[i]->uses->next)
			sn_rw_queue(r, in[i]->uses->node);
	}
}

static bool
apply_rules(struct sn_rewrite *r, const struct rules_of_op *rules, struct sn_node *n)
{
	for (size_t i = 0; i < rules->list.n; i++) {
		const struct sn_rule *rule = rules->list.v[i];
		r->rule = rule->name;
		r->graph = n->graph;
		if (rule->apply(r, n)) {
			sn_rw_queue(r, n);
			return true;
		}
	}
	return false;
}

static bool
drain(struct sn_rewrite *r, const struct rules_of_op *by_op, size_t limit)
{
	bool has_changed = false;
	for (size_t steps = 0; r->head < r->list.n && steps < limit; steps++) {
		struct sn_node *n = r->list.v[r->head++];
		sn_map_put_num(&r->queued, (uint64_t)(uintptr_t)n, NULL);
		if (!n->graph) /* removed meanwhile */
			continue;
		if (!is_read(n)) {
			drop(r, n);
			has_changed = true;
		} else {
			has_changed |= apply_rules(r, &by_op[n->op], n);
		}
	}
	return has_changed;
}

bool
sn_pass_rewrite_graph(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct sn_rewrite r = {
		.module = m,
		.graph = m->graph,
		.arena = m->arena,
		.scratch = c->scratch,
	};
	sn_diags_init(&r.diags, c->scratch);
	sn_map_init(&r.queued, c->scratch);
	size_t limit = (size_t)queue_all(&r, m->graph) * STEPS_PER_NODE;
	c->has_changed = drain(&r, sort_rules(c->scratch), limit);
	if (r.head < r.list.n)
		sn_remark(m, "rewrite-graph", NULL,
			  "stopped after %zu steps, rules may go in "
			  "circles",
			  limit);
	return true;
}
