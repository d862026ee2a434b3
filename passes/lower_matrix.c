/*
 * Lowering of matrix products: MatMul in its kinds, Gemm, Einsum.
 */
#include "ir/params.h"
#include "passes/lower_math.h"

/* ---- MatMul ----------------------------------------------------------------------------------- */

/* Index of the batch dimensions of T, whose last NMATRIX are its matrix, among those of M. */
static void
batch_index(struct sn_lower *c, struct sn_comp *m, int nbatch, const struct sn_type *t, int nmatrix,
	    sn_ex *idx)
{
	int skip = nbatch - (t->rank - nmatrix);
	for (int i = 0; i < t->rank - nmatrix; i++)
		idx[i] = sn_lower_broadcast_index(c, AXIS(m, i + skip), m->axes[i + skip]->extent,
						  t->dims[i]);
}

/* A zero point or scale: one number, or one for each element of the line AT of a matrix, perhaps
 * with batch dimensions and a dimension of one; in its own type. */
static sn_ex
line_parameter(struct sn_lower *c, struct sn_comp *m, int nbatch, struct sn_tensor *t, sn_ex at)
{
	sn_ex idx[SN_MAX_RANK];
	if (t->type.rank == 1) {
		idx[0] = sn_is_int_const(t->type.dims[0], 1) ? INT(0) : at;
		return sn_lower_read(c, t, idx);
	}
	if (t->type.rank > 1) {
		batch_index(c, m, nbatch, &t->type, 2, idx);
		for (int i = t->type.rank - 2; i < t->type.rank; i++)
			idx[i] = sn_is_int_const(t->type.dims[i], 1) ? INT(0) : at;
	}
	return sn_lower_read(c, t, idx);
}

/* One element of each matrix at the axes of M and the reduction axis. */
struct product {
	struct sn_tensor *a, *b, *a_zero, *b_zero;
	int nbatch;
	sn_ex row, column; /* NULL: the operand is a vector */
	enum sn_dtype type;
};

static sn_ex
product_sum(struct sn_lower *c, struct sn_comp *m, struct product *v)
{
	const struct sn_type *a = &v->a->type, *b = &v->b->type;
	int na = a->rank > 1 ? 2 : 1, nb = b->rank > 1 ? 2 : 1, at = m->naxes;
	sn_ex ai[SN_MAX_RANK], bi[SN_MAX_RANK];
	v->column = nb == 2 ? AXIS(m, --at) : NULL;
	v->row = na == 2 ? AXIS(m, --at) : NULL;
	v->nbatch = at;
	batch_index(c, m, v->nbatch, a, na, ai);
	batch_index(c, m, v->nbatch, b, nb, bi);
	sn_ex k = sn_lower_red(c, m, "k", a->dims[a->rank - 1]);
	if (v->row)
		ai[a->rank - 2] = v->row;
	ai[a->rank - 1] = k;
	bi[b->rank - nb] = sn_lower_broadcast_index(c, k, a->dims[a->rank - 1],
						    b->dims[b->rank - nb]);
	if (v->column)
		bi[b->rank - 1] = v->column;
	sn_ex x = CAST(v->type, sn_lower_read(c, v->a, ai));
	sn_ex y = CAST(v->type, sn_lower_read(c, v->b, bi));
	if (v->a_zero)
		x = SUB(x, CAST(v->type, line_parameter(c, m, v->nbatch, v->a_zero,
							v->row ? v->row : INT(0))));
	if (v->b_zero)
		y = SUB(y, CAST(v->type, line_parameter(c, m, v->nbatch, v->b_zero,
							v->column ? v->column : INT(0))));
	return sn_lower_reduce(c, m, "sum", MUL(x, y));
}

bool
sn_lower_mat_mul(struct sn_lower *c)
{
	struct product v = { .a = sn_lower_in(c, 0), .b = sn_lower_in(c, 1) };
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	v.type = sn_lower_compute_type(v.a->type.dtype);
	STORE(m, y, product_sum(c, m, &v));
	return true;
}

bool
sn_lower_mat_mul_integer(struct sn_lower *c)
{
	struct product v = { .a = sn_lower_in(c, 0),
			     .b = sn_lower_in(c, 1),
			     .a_zero = sn_lower_in(c, 2),
			     .b_zero = sn_lower_in(c, 3),
			     .type = DT_I32 };
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	STORE(m, y, product_sum(c, m, &v));
	return true;
}

/* y = quantise(sum * (a_scale * b_scale / y_scale)) */
bool
sn_lower_q_linear_mat_mul(struct sn_lower *c)
{
	struct product v = { .a = sn_lower_in(c, 0),
			     .b = sn_lower_in(c, 3),
			     .a_zero = sn_lower_in(c, 2),
			     .b_zero = sn_lower_in(c, 5) };
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	v.type = sn_is_float(v.a->type.dtype) ? DT_F32 : DT_I32;
	sn_ex e = product_sum(c, m, &v);
	sn_ex row = v.row ? v.row : INT(0), column = v.column ? v.column : INT(0);
	sn_ex scale = MUL(CAST(DT_F32, line_parameter(c, m, v.nbatch, sn_lower_in(c, 1), row)),
			  CAST(DT_F32, line_parameter(c, m, v.nbatch, sn_lower_in(c, 4), column)));
	scale = DIV(scale, CAST(DT_F32, line_parameter(c, m, v.nbatch, sn_lower_in(c, 6), row)));
	e = MUL(CAST(DT_F32, e), scale);
	sn_ex zero = line_parameter(c, m, v.nbatch, sn_lower_in(c, 7), row);
	STORE(m, y, sn_lower_saturate(c, e, zero, y->type.dtype));
	return true;
}

/* ---- Gemm ------------------------------------------------------------------------------------- */

/* K * X, X itself for 1. */
static sn_ex
scaled(struct sn_lower *c, sn_ex x, double k)
{
	return k == 1 ? x : MUL(LIKE(x, k), x);
}

/* y = alpha * A' * B' + beta * C */
bool
sn_lower_gemm(struct sn_lower *c)
{
	const struct sn_attrs_gemm *at = sn_attrs(c->node, gemm);
	struct sn_tensor *a = sn_lower_in(c, 0), *b = sn_lower_in(c, 1), *y = sn_lower_out(c, 0);
	struct sn_tensor *addend = sn_lower_in(c, 2);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex k = sn_lower_red(c, m, "k", a->type.dims[at->transA ? 0 : 1]);
	sn_ex ai[2] = { at->transA ? k : AXIS(m, 0), at->transA ? AXIS(m, 0) : k };
	sn_ex bi[2] = { at->transB ? AXIS(m, 1) : k, at->transB ? k : AXIS(m, 1) };
	sn_ex e = MUL(sn_lower_widen(c, sn_lower_read(c, a, ai)),
		      sn_lower_widen(c, sn_lower_read(c, b, bi)));
	e = scaled(c, sn_lower_reduce(c, m, "sum", e), at->alpha);
	if (addend && at->beta != 0)
		e = ADD(e, scaled(c, sn_lower_widen(c, sn_lower_broadcast_read(c, m, addend)),
				  at->beta));
	STORE(m, y, e);
	return true;
}

/* ---- Einsum ----------------------------------------------------------------------------------- */

/* An axis for each label: those of the result in parallel, all others summed. */
static struct sn_comp *
einsum_comp(struct sn_lower *c, const struct sn_einsum *e, sn_ex *out_axes)
{
	struct sn_comp *m = sn_lower_stage(c, NULL, 0);
	for (int i = 0; i < e->rank[e->nterms]; i++) {
		int label = e->label[e->nterms][i];
		m->axes[i] = sn_axis_new(c->pool, sn_printf(c->arena, "i%d", i), e->extent[label]);
		out_axes[label] = sn_axis_expr(c->pool, m->axes[i]);
		m->naxes++;
	}
	for (int i = 0; i < SN_MAX_LABELS; i++)
		if (e->extent[i] && !out_axes[i])
			out_axes[i] = sn_lower_red(c, m, sn_printf(c->arena, "r%d", m->nred),
						   e->extent[i]);
	return m;
}

bool
sn_lower_einsum(struct sn_lower *c)
{
	struct sn_einsum e;
	struct sn_tensor *y = sn_lower_out(c, 0);
	sn_ex axes[SN_MAX_LABELS] = { 0 }, product = NULL;
	if (!sn_node_einsum(c->pool, c->node, &e))
		return sn_lower_refuse(c, "this equation");
	struct sn_comp *m = einsum_comp(c, &e, axes);
	for (int t = 0; t < e.nterms; t++) {
		struct sn_tensor *x = sn_lower_in(c, t);
		sn_ex idx[SN_MAX_RANK];
		for (int i = 0; i < x->type.rank; i++) {
			int label = e.label[t][i];
			idx[i] = sn_lower_broadcast_index(c, axes[label], e.extent[label],
							  x->type.dims[i]);
		}
		sn_ex factor = sn_lower_widen(c, sn_lower_read(c, x, idx));
		product = product ? MUL(product, factor) : factor;
	}
	STORE(m, y, m->nred ? sn_lower_reduce(c, m, "sum", product) : product);
	return true;
}
