/*
 * fold-constants: computes at compile time what depends on constants alone.
 *
 *	<f32[2] a = {1, 2}, f32[2] b = {3, 4}>
 *	c = Add (a, b)
 *	y = Mul (x, c)         ->    <f32[2] c = {4, 6}>  y = Mul (x, c)
 *
 * - Results whose elements inference knows as numbers are written down.
 * - One number repeated stays one number (a splat) through operators that move
 *   elements and through elementwise ones, so ConstantOfShape and Expand cost
 *   nothing however large their result is.
 * - All else is lowered to the tensor level and interpreted: every operator
 *   that can be lowered can be folded, with the same meaning.
 *
 * Data is never enlarged (results over 4 KB and over their operands stay), and
 * quantised weights stay quantised, since their readers want them so.  Not
 * folded: random operators, bodies, results that are outputs of the graph
 * (they need a node that writes them), what the lowering refuses.  Exact.
 * Cost: linear in nodes, plus what is computed, at the interpreter's speed.
 */
#include <string.h>
#include "ir/map.h"
#include "passes/lower.h"
#include "passes/rewrite.h"

enum { SMALL = 4096 }; /* bytes */

struct folder {
	struct sn_module *module;
	struct sn_arena *scratch;
	struct sn_map foldable;		/* values by address, of nodes to evaluate */
	SN_VEC(struct sn_node *) nodes; /* those nodes, in order */
	bool has_changed;
};

static uint64_t
key_of(const struct sn_value *v)
{
	return (uint64_t)(uintptr_t)v;
}

/* A static tensor of numbers; its count of elements. */
static bool
is_plain(const struct sn_value *v, int64_t *out_count)
{
	return v && sn_type_is_static(&v->type, out_count) && v->type.dtype != DT_NONE
	       && !strchr("CS", sn_dtype_info(v->type.dtype)->kind);
}

static bool
has_operand_uses(const struct sn_value *v)
{
	for (const struct sn_use *u = v->uses; u; u = u->next)
		if (u->node)
			return true;
	return false;
}

/* Readers of V get DATA under V's name. An output of the graph stays V. */
static void
become(struct folder *f, struct sn_value *v, const struct sn_data *data)
{
	struct sn_graph *g = v->def->graph;
	const char *name = v->name;
	if (!has_operand_uses(v))
		return;
	if (!sn_value_is_output(v))
		sn_value_rename(g, v, NULL);
	struct sn_value *c = sn_graph_add_const(g, name, &v->type, data);
	SN_FOR_USES(v, u)
	if (u->node)
		sn_node_set_input(u->node, u->slot, c);
	f->has_changed = true;
}

/* ---- known elements ---------------------------------------------------------------------- */

static void
fold_known(struct folder *f, struct sn_value *v)
{
	int64_t count;
	if (!v || !v->known || !is_plain(v, &count) || count != v->nknown)
		return;
	enum sn_dtype t = v->type.dtype;
	void *bytes;
	struct sn_data *d = sn_data_new(f->module->arena, t, (size_t)count, &bytes);
	for (int i = 0; i < v->nknown; i++) {
		const struct sn_expr *e = v->known[i];
		if (!sn_is_const(e))
			return;
		sn_dtype_store(t, bytes, (size_t)i,
			       sn_num_cast(e->num, (enum sn_dtype)e->dtype, t));
	}
	become(f, v, d);
}

/* ---- one number, repeated ---------------------------------------------------------------- */

/* Operators each element of whose results is an element of operand 0. */
static const bool moves[GR_COUNT] = {
	[GR_IDENTITY] = true,	    [GR_RESHAPE] = true,   [GR_FLATTEN] = true,
	[GR_SQUEEZE] = true,	    [GR_UNSQUEEZE] = true, [GR_TRANSPOSE] = true,
	[GR_SLICE] = true,	    [GR_EXPAND] = true,	   [GR_TILE] = true,
	[GR_GATHER] = true,	    [GR_SPLIT] = true,	   [GR_DEPTH_TO_SPACE] = true,
	[GR_SPACE_TO_DEPTH] = true,
};

/* What an elementwise node gives where all its operands are one number each. */
static bool
eval_map(struct folder *f, const struct sn_node *n, union sn_num *out)
{
	struct sn_pool *p = f->module->pool;
	const struct sn_expr **args = SN_NEW_ARRAY(f->scratch, (size_t)n->nin,
						   const struct sn_expr *);
	for (int i = 0; i < n->nin; i++) {
		union sn_num x;
		const struct sn_value *v = sn_in(n, i);
		if (!v)
			continue;
		if (!sn_rw_uniform(v, &x))
			return false;
		enum sn_dtype t = v->data->dtype;
		args[i] = sn_cast(p, sn_lower_compute_type(t), sn_const(p, t, x));
	}
	const struct sn_expr *e = sn_map_body(p, n->op, n->attrs, args, n->nin);
	e = e ? sn_cast(p, n->out[0]->type.dtype, e) : NULL;
	if (!e || !sn_is_const(e))
		return false;
	*out = e->num;
	return true;
}

/* The one number that N's results consist of. */
static bool
get_number(struct folder *f, const struct sn_node *n, union sn_num *out)
{
	const struct sn_attr_tensor *fill;
	*out = (union sn_num){ .i = 0 };
	if (n->op == GR_CONSTANT_OF_SHAPE) {
		fill = &sn_attrs(n, fill)->value;
		if (fill->data)
			*out = sn_data_get(fill->data, 0);
		else
			out->f = 0;
		return true;
	}
	if (moves[n->op])
		return sn_rw_uniform(sn_in(n, 0), out);
	const char *traits = sn_graph_op_info(n->op)->traits;
	bool is_join = strchr(traits, 'V') && n->nin != 2;
	return strchr(traits, 'E') && !is_join && n->out[0] && eval_map(f, n, out);
}

static bool
fold_splat(struct folder *f, struct sn_node *n)
{
	union sn_num x;
	int64_t count;
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] && !is_plain(n->out[i], &count))
			return false;
	if (!get_number(f, n, &x))
		return false;
	for (int i = 0; i < n->nout; i++) {
		struct sn_value *v = n->out[i];
		if (v && is_plain(v, &count))
			become(f, v,
			       sn_data_splat(f->module->arena, v->type.dtype, (size_t)count, x));
	}
	return true;
}

/* ---- choosing what to evaluate ----------------------------------------------------------- */

static size_t
stored_bytes(const struct sn_value *v)
{
	int64_t count = 0;
	sn_type_is_static(&v->type, &count);
	bool is_one = v->data && v->data->is_splat;
	return sn_dtype_bytes(v->type.dtype, is_one ? 1 : (size_t)count);
}

static bool
is_evaluable(struct folder *f, const struct sn_node *n)
{
	size_t in_bytes = SMALL, out_bytes = 0;
	int64_t count;
	if (n->nin == 0 || n->nregions || n->op == GR_DEQUANTIZE_LINEAR
	    || strchr(sn_graph_op_info(n->op)->traits, 'R'))
		return false;
	for (int i = 0; i < n->nin; i++) {
		const struct sn_value *v = sn_in(n, i);
		if (!v)
			continue;
		if (!is_plain(v, &count) || (!v->data && !sn_map_get_num(&f->foldable, key_of(v))))
			return false;
		in_bytes += stored_bytes(v);
	}
	for (int i = 0; i < n->nout; i++) {
		if (!n->out[i])
			continue;
		if (!is_plain(n->out[i], &count) || count > INT32_MAX)
			return false;
		out_bytes += stored_bytes(n->out[i]);
	}
	return out_bytes <= in_bytes;
}

static void
choose(struct folder *f, struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++)
		fold_known(f, n->out[i]);
	bool is_read = false;
	for (int i = 0; i < n->nout; i++)
		is_read |= n->out[i] && has_operand_uses(n->out[i]);
	if (!is_read || fold_splat(f, n) || !is_evaluable(f, n))
		return;
	for (int i = 0; i < n->nout; i++)
		if (n->out[i])
			sn_map_put_num(&f->foldable, key_of(n->out[i]), n->out[i]);
	SN_PUSH(f->scratch, &f->nodes, n);
}

/* ---- evaluating -------------------------------------------------------------------------- */

/* A graph of the chosen nodes; its outputs are what others read. */
struct part {
	struct sn_graph *graph;
	struct sn_map values;		  /* of the original graph, to those here */
	SN_VEC(struct sn_value *) wanted; /* in the original graph */
};

static struct sn_value *
copy_operand(struct part *p, const struct sn_value *v)
{
	struct sn_value *copy = v ? sn_map_get_num(&p->values, key_of(v)) : NULL;
	if (v && !copy) {
		copy = sn_graph_add_const(p->graph, v->name, &v->type, v->data);
		sn_map_put_num(&p->values, key_of(v), copy);
	}
	return copy;
}

/* Does a node that isn't evaluated itself read V? */
static bool
is_wanted(struct folder *f, const struct sn_value *v)
{
	for (const struct sn_use *u = v->uses; u; u = u->next) {
		bool is_inside = u->node && u->node->nout && u->node->out[0]
				 && sn_map_get_num(&f->foldable, key_of(u->node->out[0]));
		if (u->node && !is_inside)
			return true;
	}
	return false;
}

static void
copy_node(struct folder *f, struct part *p, const struct sn_node *n)
{
	struct sn_value **in = SN_NEW_ARRAY(f->scratch, (size_t)n->nin, struct sn_value *);
	for (int i = 0; i < n->nin; i++)
		in[i] = copy_operand(p, sn_in(n, i));
	struct sn_node *copy = sn_node_new(p->graph, n->op, in, n->nin, n->nout, n->origin);
	copy->attrs = n->attrs;
	for (int i = 0; i < n->nout; i++) {
		struct sn_value *v = n->out[i];
		if (!v) {
			copy->out[i] = NULL;
			continue;
		}
		copy->out[i]->type = v->type;
		sn_map_put_num(&p->values, key_of(v), copy->out[i]);
		if (is_wanted(f, v)) {
			sn_graph_add_output(p->graph, copy->out[i], v->name);
			SN_PUSH(f->scratch, &p->wanted, v);
		}
	}
}

/* The outputs of the part's graph; false if it can't be lowered or run. */
static bool
run_part(struct folder *f, struct part *p, struct sn_array *out)
{
	struct sn_diags ignored;
	sn_diags_init(&ignored, f->scratch);
	struct sn_program *program = sn_lower_program(p->graph, f->module, &ignored, f->scratch);
	struct sn_interp_opts opts = { .syms = NULL };
	return program && sn_program_interp(program, &opts, NULL, out, f->scratch, &ignored);
}

static bool
evaluate(struct folder *f, struct sn_node *const *nodes, size_t n)
{
	struct part p = { .graph = sn_graph_new(f->scratch, f->module->pool, "folded") };
	sn_map_init(&p.values, f->scratch);
	for (size_t i = 0; i < n; i++)
		copy_node(f, &p, nodes[i]);
	struct sn_array *out = SN_NEW_ARRAY(f->scratch, p.wanted.n, struct sn_array);
	struct sn_data **data = SN_NEW_ARRAY(f->scratch, p.wanted.n, struct sn_data *);
	for (size_t i = 0; i < p.wanted.n; i++) {
		struct sn_value *v = p.wanted.v[i];
		int64_t count;
		sn_type_is_static(&v->type, &count);
		data[i] = sn_data_new(f->module->arena, v->type.dtype, (size_t)count,
				      &out[i].bytes);
		out[i].dtype = v->type.dtype;
		out[i].n = (size_t)count;
	}
	if (p.wanted.n == 0 || !run_part(f, &p, out))
		return p.wanted.n == 0;
	for (size_t i = 0; i < p.wanted.n; i++)
		become(f, p.wanted.v[i], data[i]);
	return true;
}

/* Where one node of many can't be lowered, those that don't need it still can be folded. */
static void
evaluate_each(struct folder *f)
{
	sn_map_init(&f->foldable, f->scratch);
	for (size_t i = 0; i < f->nodes.n; i++) {
		struct sn_node *n = f->nodes.v[i];
		if (is_evaluable(f, n))
			evaluate(f, &n, 1);
	}
}

static void
choose_all(struct folder *f, struct sn_graph *g)
{
	SN_FOR_NODES(g, n)
	{
		for (int i = 0; i < n->nregions; i++)
			choose_all(f, n->regions[i]);
		choose(f, n);
	}
}

bool
sn_pass_fold_constants(struct sn_pass_ctx *c)
{
	struct folder f = { .module = c->module, .scratch = c->scratch };
	sn_map_init(&f.foldable, c->scratch);
	choose_all(&f, c->module->graph);
	if (!evaluate(&f, f.nodes.v, f.nodes.n))
		evaluate_each(&f);
	c->has_changed = f.has_changed;
	return true;
}
