/*
 * lower-graph: every node becomes a kernel of comprehensions.
 *
 *	y = Relu (x)		->	relu: for i0<n: y[i0] = max(x[i0], 0.0)
 *
 * Nodes are taken in their order.  A value whose elements inference knows is
 * not computed; where a kernel reads it, it becomes a constant, or a kernel of
 * its own if its elements are symbolic.  No fusing, no layout, no loops here.
 * Linear in nodes.
 */
#include <ctype.h>
#include <string.h>
#include "ir/infer.h"
#include "passes/lower.h"

static bool (*const lower_table[GR_COUNT])(struct sn_lower *c) = {
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) \
	[id] = sn_lower_##lower,
#include "ir/ops.def"
};

bool
sn_lower_refuse(struct sn_lower *c, const char *what)
{
	return sn_report(c->diags, sn_origin_where(c->node->origin), DG_UNSUPPORTED, what);
}

bool
sn_lower_none(struct sn_lower *c)
{
	return sn_lower_refuse(c, "this operator with operands known at run time only");
}

/* ---- tensors of values ------------------------------------------------------------------------ */

static struct sn_tensor *
const_tensor(struct sn_lower *c, const struct sn_value *v, const struct sn_data *data)
{
	struct sn_tensor *t = sn_tensor_new(c->program, v->name, &v->type, TR_CONST);
	t->data = data;
	return t;
}

/* Data of a value all of whose known elements are numbers; NULL otherwise. */
static const struct sn_data *
known_data(struct sn_lower *c, const struct sn_value *v)
{
	void *bytes;
	struct sn_data *d = sn_data_new(c->arena, v->type.dtype, (size_t)v->nknown, &bytes);
	for (int i = 0; i < v->nknown; i++) {
		const struct sn_expr *e = sn_cast(c->pool, v->type.dtype, v->known[i]);
		if (!sn_is_const(e))
			return NULL;
		sn_dtype_store(v->type.dtype, bytes, (size_t)i, e->num);
	}
	return d;
}

/* Stores known element NUMBER of V, whose dimensions are numbers. */
static void
store_known(struct sn_lower *c, const struct sn_value *v, struct sn_tensor *t, int number)
{
	struct sn_comp *m = sn_lower_stage(c, NULL, 0);
	const struct sn_expr *idx[SN_MAX_RANK];
	int at = number;
	for (int i = v->type.rank - 1; i >= 0; i--) {
		int64_t extent = 1;
		sn_get_int(v->type.dims[i], &extent);
		idx[i] = sn_int(c->pool, at % extent);
		at /= (int)extent;
	}
	sn_lower_store_at(m, t, idx, sn_cast(c->pool, v->type.dtype, v->known[number]));
}

/* A constant, or a kernel before the present one that stores the elements. */
static struct sn_tensor *
known_tensor(struct sn_lower *c, const struct sn_value *v)
{
	const struct sn_data *data = known_data(c, v);
	if (data)
		return const_tensor(c, v, data);
	struct sn_kernel *present = c->kernel;
	struct sn_tensor *t = sn_tensor_new(c->program, v->name, &v->type, TR_TEMP);
	c->kernel = sn_kernel_new(c->program, "known");
	c->kernel->origin = v->def ? v->def->origin : NULL;
	t->origin = c->kernel->origin;
	for (int i = 0; i < v->nknown; i++)
		store_known(c, v, t, i);
	SN_PUSH(c->arena, &c->program->kernels, c->kernel);
	c->kernel = present;
	return t;
}

static struct sn_tensor *
value_tensor(struct sn_lower *c, const struct sn_value *v)
{
	struct sn_tensor **slot = &c->tensors[v->id];
	if (!*slot && v->data)
		*slot = const_tensor(c, v, v->data);
	else if (!*slot && v->known)
		*slot = known_tensor(c, v);
	return *slot;
}

struct sn_tensor *
sn_lower_in(struct sn_lower *c, int i)
{
	const struct sn_value *v = sn_in(c->node, i);
	return v ? value_tensor(c, v) : NULL;
}

struct sn_tensor *
sn_lower_out(struct sn_lower *c, int i)
{
	const struct sn_value *v = i < c->node->nout ? c->node->out[i] : NULL;
	if (!v)
		return NULL;
	if (!c->tensors[v->id]) {
		c->tensors[v->id] = sn_tensor_new(c->program, v->name, &v->type, TR_TEMP);
		c->tensors[v->id]->origin = c->node->origin;
	}
	return c->tensors[v->id];
}

struct sn_tensor *
sn_lower_temp(struct sn_lower *c, const char *name, enum sn_dtype t, int rank,
	      const struct sn_expr *const *dims)
{
	struct sn_type type = { .kind = TY_TENSOR, .dtype = t, .rank = rank };
	for (int i = 0; i < rank; i++)
		type.dims[i] = dims[i];
	const char *full = sn_printf(c->arena, "%s_%s", c->kernel->name, name);
	struct sn_tensor *x = sn_tensor_new(c->program, full, &type, TR_TEMP);
	x->origin = c->node->origin;
	return x;
}

const struct sn_expr *const *
sn_lower_elements(struct sn_lower *c, int i, int *out_n)
{
	const struct sn_value *v = sn_in(c->node, i);
	*out_n = 0;
	return v ? sn_value_elements(c->pool, c->arena, v, out_n) : NULL;
}

/* ---- comprehensions --------------------------------------------------------------------------- */

struct sn_comp *
sn_lower_stage(struct sn_lower *c, const struct sn_axis *const *axes, int naxes)
{
	struct sn_comp *m = SN_NEW(c->arena, struct sn_comp);
	m->naxes = naxes;
	for (int i = 0; i < naxes; i++)
		m->axes[i] = axes[i];
	m->origin = c->kernel->origin;
	SN_PUSH(c->arena, &c->kernel->stages, m);
	return m;
}

struct sn_comp *
sn_lower_comp(struct sn_lower *c, const struct sn_type *t)
{
	const struct sn_axis *axes[SN_MAX_RANK];
	for (int i = 0; i < t->rank; i++)
		axes[i] = sn_axis_new(c->pool, sn_printf(c->arena, "i%d", i), t->dims[i]);
	return sn_lower_stage(c, axes, t->rank);
}

const struct sn_expr *
sn_lower_axis(struct sn_comp *m, struct sn_pool *p, int i)
{
	return sn_axis_expr(p, m->axes[i]);
}

const struct sn_expr *
sn_lower_red(struct sn_lower *c, struct sn_comp *m, const char *name, const struct sn_expr *extent)
{
	if (m->nred == SN_MAX_AXES)
		sn_bug(c->arena->guard, "too many reduction axes");
	m->red[m->nred] = sn_axis_new(c->pool, sn_strdup(c->arena, name), extent);
	return sn_axis_expr(c->pool, m->red[m->nred++]);
}

void
sn_lower_store_at(struct sn_comp *m, struct sn_tensor *t, const struct sn_expr *const *idx,
		  const struct sn_expr *value)
{
	struct sn_result *r = &m->results[m->nresults++];
	r->tensor = t;
	r->value = value;
	for (int i = 0; i < t->type.rank; i++)
		r->idx[i] = idx[i];
}

void
sn_lower_store(struct sn_comp *m, struct sn_pool *p, struct sn_tensor *t,
	       const struct sn_expr *value)
{
	const struct sn_expr *idx[SN_MAX_AXES];
	for (int i = 0; i < m->naxes; i++)
		idx[i] = sn_axis_expr(p, m->axes[i]);
	if ((enum sn_dtype)value->dtype != t->type.dtype)
		value = sn_cast(p, t->type.dtype, value);
	sn_lower_store_at(m, t, idx, value);
}

const struct sn_expr *
sn_lower_reduce(struct sn_lower *c, struct sn_comp *m, const char *name, const struct sn_expr *arg)
{
	m->reducer = sn_reducer(c->pool, name, (enum sn_dtype)arg->dtype);
	if (!m->reducer)
		sn_bug(c->arena->guard, "no reducer '%s' for %s", name,
		       sn_dtype_info((enum sn_dtype)arg->dtype)->text);
	m->args[0] = arg;
	return sn_state(c->pool, m->reducer->state_types[0], 0);
}

/* ---- reads ------------------------------------------------------------------------------------ */

const struct sn_expr *
sn_lower_read(struct sn_lower *c, struct sn_tensor *x, const struct sn_expr *const *idx)
{
	return sn_read(c->pool, x, idx, x->type.rank, NULL);
}

const struct sn_expr *
sn_lower_broadcast_index(struct sn_lower *c, const struct sn_expr *i, const struct sn_expr *extent,
			 const struct sn_expr *dim)
{
	if (dim == extent || (sn_is_const(dim) && sn_is_const(extent) && !sn_is_int_const(dim, 1)))
		return i;
	if (sn_is_int_const(dim, 1))
		return sn_int(c->pool, 0);
	/* as far as can be proved now it may be one, or the same */
	return sn_shape_min(c->pool, i, sn_addk(c->pool, dim, -1));
}

const struct sn_expr *
sn_lower_broadcast_read(struct sn_lower *c, struct sn_comp *m, struct sn_tensor *x)
{
	const struct sn_expr *idx[SN_MAX_RANK];
	int skip = m->naxes - x->type.rank;
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = sn_lower_broadcast_index(c, sn_lower_axis(m, c->pool, i + skip),
						  m->axes[i + skip]->extent, x->type.dims[i]);
	return sn_lower_read(c, x, idx);
}

enum sn_dtype
sn_lower_compute_type(enum sn_dtype t)
{
	return sn_is_float(t) && sn_dtype_info(t)->bits < 32 ? DT_F32 : t;
}

const struct sn_expr *
sn_lower_widen(struct sn_lower *c, const struct sn_expr *e)
{
	enum sn_dtype t = sn_lower_compute_type((enum sn_dtype)e->dtype);
	return t == (enum sn_dtype)e->dtype ? e : sn_cast(c->pool, t, e);
}

const struct sn_expr *
sn_lower_element(struct sn_lower *c, int i, int number)
{
	int n;
	const struct sn_expr *const *known = sn_lower_elements(c, i, &n);
	const struct sn_expr *idx = sn_int(c->pool, number);
	if (known)
		return known[number];
	const struct sn_expr *e = sn_lower_read(c, sn_lower_in(c, i), &idx);
	return sn_is_int((enum sn_dtype)e->dtype) ? sn_cast(c->pool, DT_I64, e) : e;
}

int
sn_lower_element_count(struct sn_lower *c, int i)
{
	const struct sn_value *v = sn_in(c->node, i);
	int64_t count;
	if (!v || !sn_type_is_static(&v->type, &count) || count > INT32_MAX)
		return -1;
	return (int)count;
}

const struct sn_expr *
sn_lower_names_axis(struct sn_lower *c, int axes, int number, int axis, int rank)
{
	struct sn_pool *p = c->pool;
	const struct sn_expr *e = sn_lower_element(c, axes, number);
	return sn_op2(p, OP_OR, sn_op2(p, OP_EQ, e, sn_int(p, axis)),
		      sn_op2(p, OP_EQ, e, sn_int(p, axis - rank)));
}

/* ---- the walk --------------------------------------------------------------------------------- */

static bool
is_settled(const struct sn_value *v)
{
	return v->data || v->known;
}

/* Nothing to compute: every wanted result is known, or none is read. */
static bool
is_idle(const struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] && n->out[i]->uses && !is_settled(n->out[i]))
			return false;
	return true;
}

/* Types that comprehensions can't compute in. */
static bool
check_types(struct sn_lower *c)
{
	const struct sn_node *n = c->node;
	for (int i = 0; i < n->nin + n->nout; i++) {
		const struct sn_value *v = i < n->nin ? sn_in(n, i) : n->out[i - n->nin];
		if (!v)
			continue;
		const struct sn_dtype_info *t = sn_dtype_info(v->type.dtype);
		if (v->type.kind != TY_TENSOR || t->kind == 'S' || t->kind == 'C')
			return sn_lower_refuse(c, sn_printf(c->arena, "element type %s", t->text));
	}
	return true;
}

static const char *
lower_case(struct sn_arena *a, const char *s)
{
	char *name = sn_strdup(a, s);
	for (char *q = name; *q; q++)
		*q = (char)tolower((unsigned char)*q);
	return name;
}

static bool
lower_node(struct sn_lower *c, const struct sn_node *n)
{
	if (is_idle(n))
		return true;
	c->node = n;
	c->kernel = sn_kernel_new(c->program, lower_case(c->arena, sn_graph_op_info(n->op)->name));
	c->kernel->origin = n->origin;
	if (!check_types(c) || !lower_table[n->op](c))
		return false;
	if (c->kernel->stages.n > 0)
		SN_PUSH(c->arena, &c->program->kernels, c->kernel);
	return true;
}

static void
make_inputs(struct sn_lower *c, const struct sn_graph *g)
{
	for (size_t i = 0; i < g->inputs.n; i++) {
		const struct sn_value *v = g->inputs.v[i];
		c->tensors[v->id] = sn_tensor_new(c->program, v->name, &v->type, TR_INPUT);
	}
}

/* One tensor for each declared output. It is the value's own where the value is computed here and
 * not yet another output; the others are copied at the end. */
static void
make_outputs(struct sn_lower *c, const struct sn_graph *g)
{
	for (size_t i = 0; i < g->outputs.n; i++) {
		const struct sn_value *v = g->outputs.v[i]->value;
		struct sn_tensor *t = sn_tensor_new(c->program, g->output_names.v[i], &v->type,
						    TR_OUTPUT);
		if (v->def && !is_settled(v) && !c->tensors[v->id])
			c->tensors[v->id] = t;
	}
}

static void
copy_outputs(struct sn_lower *c, const struct sn_graph *g)
{
	for (size_t i = 0; i < g->outputs.n; i++) {
		struct sn_tensor *from = value_tensor(c, g->outputs.v[i]->value);
		struct sn_tensor *to = c->program->outputs.v[i];
		if (!from || from == to)
			continue;
		c->kernel = sn_kernel_new(c->program, "output");
		struct sn_comp *m = sn_lower_comp(c, &to->type);
		sn_lower_store(m, c->pool, to, sn_lower_broadcast_read(c, m, from));
		SN_PUSH(c->arena, &c->program->kernels, c->kernel);
	}
}

/* Inference has been everywhere, or reports have been made. */
static bool
check_shapes(const struct sn_graph *g, struct sn_diags *diags)
{
	bool ok = true;
	SN_FOR_NODES(g, n)
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] && !sn_type_is_known(&n->out[i]->type))
			ok = sn_report(diags, sn_origin_where(n->origin), DG_NO_TYPES,
				       n->out[i]->name);
	return ok;
}

struct sn_program *
sn_lower_program(const struct sn_graph *g, struct sn_module *m, struct sn_diags *diags,
		 struct sn_arena *scratch)
{
	struct sn_lower c = {
		.module = m,
		.program = sn_program_new(g->arena, g->pool, g->name),
		.pool = g->pool,
		.arena = g->arena,
		.diags = diags,
		.tensors = SN_NEW_ARRAY(scratch, (size_t)g->nvalues, struct sn_tensor *),
	};
	bool ok = true;
	if (!check_shapes(g, diags))
		return NULL;
	make_inputs(&c, g);
	make_outputs(&c, g);
	SN_FOR_NODES(g, n)
	ok &= lower_node(&c, n);
	if (!ok)
		return NULL;
	copy_outputs(&c, g);
	c.program->requires = g->requires;
	return c.program;
}

bool
sn_pass_lower_graph(struct sn_pass_ctx *ctx)
{
	struct sn_module *m = ctx->module;
	m->program = sn_lower_program(m->graph, m, m->diags, ctx->scratch);
	ctx->has_changed = true;
	return m->program != NULL;
}
