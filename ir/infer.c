/*
 * Inference: the walk over the graph, what is checked of every operator alike,
 * and the helpers that the operators' functions share.
 */
#include "ir/infer.h"

#include <string.h>
#include "ir/infer_help.h"

static bool (*const infer_table[GR_COUNT])(struct sn_infer *c, struct sn_node *n) = {
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) \
	[id] = sn_infer_##infer,
#include "ir/ops.def"
};

/* ---- results ---------------------------------------------------------------------------------- */

struct sn_type
sn_infer_type(enum sn_dtype t, int rank, const sn_dim *dims)
{
	struct sn_type x = { .kind = TY_TENSOR, .dtype = t, .rank = rank };
	for (int i = 0; i < rank; i++)
		x.dims[i] = dims[i];
	return x;
}

const char *
sn_infer_text(struct sn_infer *c, const struct sn_type *t)
{
	struct sn_buf b;
	sn_buf_init(&b, c->arena);
	sn_type_print(&b, t);
	return b.text;
}

bool
sn_infer_set(struct sn_infer *c, struct sn_node *n, int i, const struct sn_type *t)
{
	(void)c;
	if (i < n->nout && n->out[i])
		n->out[i]->type = *t;
	return true;
}

bool
sn_infer_set_known(struct sn_infer *c, struct sn_node *n, int i, const sn_dim *elems, int nelems)
{
	if (i >= n->nout || !n->out[i] || nelems > SN_MAX_KNOWN)
		return true;
	n->out[i]->known = sn_memdup(c->arena, elems, (size_t)nelems * sizeof(*elems));
	n->out[i]->nknown = nelems;
	return true;
}

/* ---- operands --------------------------------------------------------------------------------- */

const sn_dim *
sn_value_elements(struct sn_pool *p, struct sn_arena *a, const struct sn_value *v, int *out_n)
{
	*out_n = v->nknown;
	if (v->known || !v->data || v->data->n > SN_MAX_KNOWN)
		return v->known;
	enum sn_dtype t = v->data->dtype;
	if (sn_dtype_info(t)->kind == 'C' || sn_dtype_info(t)->kind == 'S')
		return NULL;
	sn_dim *list = SN_NEW_ARRAY(a, v->data->n, sn_dim);
	for (size_t i = 0; i < v->data->n; i++)
		list[i] = sn_const(p, sn_is_int(t) ? DT_I64 : t, sn_data_get(v->data, i));
	*out_n = (int)v->data->n;
	return list;
}

const sn_dim *
sn_infer_known(struct sn_infer *c, const struct sn_node *n, int i, int *out_n)
{
	const struct sn_value *v = sn_in(n, i);
	*out_n = 0;
	return v ? sn_value_elements(c->pool, c->arena, v, out_n) : NULL;
}

bool
sn_infer_elems(struct sn_infer *c, struct sn_node *n, int i, const char *what, const sn_dim **out,
	       int *out_n)
{
	*out = NULL;
	*out_n = -1;
	if (!sn_in(n, i))
		return true;
	*out = sn_infer_known(c, n, i, out_n);
	return *out || SN_INFER_ERROR(c, n, DG_RUNTIME_OPERAND, sn_in_name(n, i), what);
}

/* The declared shape of a value that is read once, by operators that keep the shape. */
static const struct sn_type *
declared_after(const struct sn_value *v, int depth)
{
	const struct sn_use *u = v->uses;
	if (!u || u->next || !u->node || u->node->nout < 1 || !u->node->out[0] || depth == 0)
		return NULL;
	enum sn_graph_op op = u->node->op;
	bool is_unary = strchr(sn_graph_op_info(op)->traits, 'E') && u->node->nin == 1;
	if (!is_unary && op != GR_CAST && (op != GR_CAST_LIKE || u->slot != 0))
		return NULL;
	const struct sn_value *next = u->node->out[0];
	return next->type.dtype != DT_NONE ? &next->type : declared_after(next, depth - 1);
}

bool
sn_infer_declared(struct sn_infer *c, struct sn_node *n, int i, enum sn_dtype t)
{
	int64_t count;
	const struct sn_type *d = i < c->ndeclared ? &c->declared[i] : NULL;
	if (d && d->dtype == DT_NONE && n->out[i])
		d = declared_after(n->out[i], 8);
	if (!d || d->kind != TY_TENSOR || d->rank < 0 || !sn_type_is_static(d, &count))
		return false;
	struct sn_type x = *d;
	x.dtype = t;
	return sn_infer_set(c, n, i, &x);
}

bool
sn_infer_is_runtime(struct sn_infer *c, const struct sn_node *n, int i)
{
	int count;
	return sn_in(n, i) && !sn_infer_known(c, n, i, &count);
}

bool
sn_infer_ints(struct sn_infer *c, struct sn_node *n, int i, const char *what, struct sn_ints *out)
{
	int64_t *v = NULL;
	out->n = -1;
	out->v = NULL;
	if (!sn_in(n, i))
		return true;
	int64_t count;
	if (sn_type_is_static(sn_in_type(n, i), &count) && count == 0)
		out->n = 0;
	else if (!sn_value_ints(sn_in(n, i), c->arena, &v, &out->n))
		return SN_INFER_ERROR(c, n, DG_RUNTIME_OPERAND, sn_in_name(n, i), what);
	out->v = v;
	return true;
}

/* ---- checks ----------------------------------------------------------------------------------- */

bool
sn_infer_axis(struct sn_infer *c, struct sn_node *n, int64_t axis, int rank, int *out)
{
	return sn_shape_axis(axis, rank, out)
	       || SN_INFER_ERROR(c, n, DG_AXIS, (long long)axis, rank, sn_in_name(n, 0));
}

bool
sn_infer_axes(struct sn_infer *c, struct sn_node *n, const struct sn_ints *axes, int rank,
	      unsigned *out)
{
	*out = 0;
	for (int i = 0; i < axes->n; i++) {
		int axis;
		if (!sn_infer_axis(c, n, axes->v[i], rank, &axis))
			return false;
		*out |= 1u << axis;
	}
	return true;
}

static const char *
rank_text(struct sn_infer *c, int min, int max)
{
	if (max == 0)
		return "no dimensions";
	if (min == max)
		return sn_printf(c->arena, "%d dimension%s", min, min == 1 ? "" : "s");
	if (max == SN_MAX_RANK)
		return sn_printf(c->arena, "at least %d dimension%s", min, min == 1 ? "" : "s");
	return sn_printf(c->arena, "%d to %d dimensions", min, max);
}

bool
sn_infer_check_rank(struct sn_infer *c, struct sn_node *n, int i, int min, int max)
{
	if (!sn_in(n, i))
		return true;
	const struct sn_type *t = sn_in_type(n, i);
	return (t->rank >= min && t->rank <= max)
	       || SN_INFER_ERROR(c, n, DG_OPERAND_RANK, sn_in_name(n, i), sn_infer_text(c, t),
				 rank_text(c, min, max));
}

bool
sn_infer_check_same(struct sn_infer *c, struct sn_node *n, int i, int j)
{
	if (!sn_in(n, i) || !sn_in(n, j) || sn_in_type(n, i)->dtype == sn_in_type(n, j)->dtype)
		return true;
	return SN_INFER_ERROR(c, n, DG_OPERAND_TYPES, sn_in_name(n, i),
			      sn_infer_text(c, sn_in_type(n, i)), sn_in_name(n, j),
			      sn_infer_text(c, sn_in_type(n, j)));
}

/* Notes COND; false if it never holds. */
static bool
require(struct sn_infer *c, struct sn_node *n, const struct sn_expr *cond)
{
	struct sn_requires unheard = { 0 };
	return sn_require(c->requires ? c->requires : &unheard, c->arena, cond, n->origin);
}

bool
sn_infer_require(struct sn_infer *c, struct sn_node *n, enum sn_scalar_op op, sn_dim a, sn_dim b)
{
	struct sn_buf text;
	if (require(c, n, sn_op2(c->pool, op, a, b)))
		return true;
	sn_buf_init(&text, c->arena);
	sn_expr_print(&text, a);
	sn_buf_addf(&text, " %s ", sn_scalar_info(op)->text);
	sn_expr_print(&text, b);
	return SN_INFER_ERROR(c, n, DG_REQUIRE, text.text);
}

bool
sn_infer_require_divides(struct sn_infer *c, struct sn_node *n, int64_t k, sn_dim a)
{
	return sn_infer_require(c, n, OP_EQ, sn_modk(c->pool, a, k), sn_int(c->pool, 0));
}

bool
sn_infer_require_fits(struct sn_infer *c, struct sn_node *n, const struct sn_type *t,
		      const struct sn_type *to)
{
	for (int i = 0; i < t->rank && i < to->rank; i++) {
		sn_dim x = t->dims[t->rank - 1 - i], want = to->dims[to->rank - 1 - i];
		const struct sn_expr *is_one = sn_op2(c->pool, OP_EQ, x, sn_int(c->pool, 1));
		const struct sn_expr *is_same = sn_op2(c->pool, OP_EQ, x, want);
		if (!require(c, n, sn_op2(c->pool, OP_OR, is_same, is_one)))
			return SN_INFER_ERROR(c, n, DG_FITS, sn_infer_text(c, t),
					      sn_infer_text(c, to));
	}
	return true;
}

bool
sn_infer_check_dims(struct sn_infer *c, struct sn_node *n, int i, int di, int j, int dj)
{
	if (!sn_in(n, i) || !sn_in(n, j))
		return true;
	const struct sn_type *a = sn_in_type(n, i), *b = sn_in_type(n, j);
	if (sn_shape_may_equal(c->pool, a->dims[di], b->dims[dj]))
		return sn_infer_require(c, n, OP_EQ, a->dims[di], b->dims[dj]);
	return SN_INFER_ERROR(c, n, DG_SHAPES, sn_in_name(n, i), sn_infer_text(c, a),
			      sn_in_name(n, j), sn_infer_text(c, b),
			      sn_printf(c->arena, "dimension %d must equal dimension %d", di, dj));
}

/* The class of element types that operand 0 must have, a letter among the row's traits. */
static const struct {
	char letter;
	const char *kinds; /* of ir/dtype.def */
	const char *text;
} classes[] = {
	{ 'f', "F", "floating point" },
	{ 'n', "FIU", "numbers" },
	{ 'i', "IU", "integers" },
	{ 'b', "B", "bool" },
};

static bool
check_class(struct sn_infer *c, struct sn_node *n)
{
	const char *traits = sn_graph_op_info(n->op)->traits;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (!strchr(traits, classes[i].letter) || n->nin == 0)
			continue;
		const struct sn_type *t = sn_in_type(n, 0);
		if (!strchr(classes[i].kinds, sn_dtype_info(t->dtype)->kind))
			return SN_INFER_ERROR(c, n, DG_OPERAND_CLASS, sn_in_name(n, 0),
					      sn_infer_text(c, t), classes[i].text);
	}
	return true;
}

/* False without a message where an operand's own node has failed, which was reported there. */
static bool
check_operands(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_graph_op_info *info = sn_graph_op_info(n->op);
	for (int i = 0; i < n->nin || i < info->min_in; i++) {
		const struct sn_value *v = sn_in(n, i);
		if (!v && i < info->min_in)
			return SN_INFER_ERROR(c, n, DG_OPERAND_MISSING, i);
		if (!v)
			continue;
		if (v->type.kind == TY_TENSOR && v->type.dtype == DT_NONE)
			return false;
		if (v->type.kind != TY_TENSOR)
			return SN_INFER_ERROR(c, n, DG_UNSUPPORTED, "an operand that is no tensor");
		if (v->type.rank < 0)
			return SN_INFER_ERROR(c, n, DG_RANK_UNKNOWN, v->name);
	}
	return check_class(c, n);
}

/* ---- the walk --------------------------------------------------------------------------------- */

/* What stood there before: a type declared by the model, or that of an earlier inference. */
static bool
agrees(struct sn_pool *p, const struct sn_type *declared, const struct sn_type *t)
{
	if (declared->dtype == DT_NONE || declared->kind != TY_TENSOR)
		return true;
	if (declared->dtype != t->dtype)
		return false;
	if (declared->rank < 0)
		return true;
	for (int i = 0; declared->rank == t->rank && i < t->rank; i++)
		if (declared->dims[i] && !sn_shape_may_equal(p, declared->dims[i], t->dims[i]))
			return false;
	return declared->rank == t->rank;
}

enum { MAX_DECLARED = 16 };

static bool
check_declared(struct sn_infer *c, struct sn_node *n)
{
	for (int i = 0; i < c->ndeclared; i++) {
		const struct sn_value *v = n->out[i];
		if (v && sn_value_is_output(v) && !agrees(c->pool, &c->declared[i], &v->type))
			return SN_INFER_ERROR(c, n, DG_OUTPUT_TYPE, v->name,
					      sn_infer_text(c, &v->type),
					      sn_infer_text(c, &c->declared[i]));
	}
	return true;
}

static void
forget(struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++) {
		if (!n->out[i])
			continue;
		n->out[i]->type = (struct sn_type){ .rank = -1 };
		n->out[i]->known = NULL;
		n->out[i]->nknown = 0;
	}
}

/* No extent is negative. */
static bool
check_extents(struct sn_infer *c, struct sn_node *n)
{
	for (int i = 0; i < n->nout; i++) {
		const struct sn_type *t = n->out[i] ? &n->out[i]->type : NULL;
		for (int d = 0; t && t->kind == TY_TENSOR && d < t->rank; d++)
			if (!sn_is_const(t->dims[d])
			    && !sn_infer_require(c, n, OP_LE, sn_int(c->pool, 0), t->dims[d]))
				return false;
	}
	return true;
}

bool
sn_infer_node(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type declared[MAX_DECLARED];
	c->declared = declared;
	c->ndeclared = n->nout < MAX_DECLARED ? n->nout : MAX_DECLARED;
	for (int i = 0; i < c->ndeclared; i++)
		declared[i] = n->out[i] ? n->out[i]->type : (struct sn_type){ .rank = -1 };
	forget(n);
	return check_operands(c, n) && infer_table[n->op](c, n) && check_extents(c, n)
	       && check_declared(c, n);
}

/* Dimensions of inputs have numbers or names; all others follow from them. */
static bool
check_inputs(const struct sn_graph *g, struct sn_diags *diags)
{
	bool ok = true;
	for (size_t i = 0; i < g->inputs.n; i++) {
		const struct sn_value *v = g->inputs.v[i];
		if (v->type.kind == TY_TENSOR && v->type.rank > 0 && !sn_type_is_known(&v->type))
			ok = sn_report(diags, SN_NOWHERE, DG_DIM_UNKNOWN, v->name);
	}
	return ok;
}

bool
sn_infer_graph(struct sn_graph *g, struct sn_diags *diags)
{
	struct sn_infer c = {
		.graph = g,
		.pool = g->pool,
		.arena = g->arena,
		.diags = diags,
		.requires = &g->requires,
	};
	bool ok = true;
	if (!check_inputs(g, diags))
		return false;
	SN_FOR_NODES(g, n)
	ok &= sn_infer_node(&c, n);
	return ok;
}
