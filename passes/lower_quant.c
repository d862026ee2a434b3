/*
 * Lowering of quantisation: from floats to narrow types and back.
 */
#include <math.h>
#include "passes/lower_math.h"

sn_ex
sn_lower_saturate(struct sn_lower *c, sn_ex e, sn_ex zero, enum sn_dtype t)
{
	const struct sn_dtype_info *info = sn_dtype_info(t);
	if (info->kind == 'F')
		return CAST(t, zero ? ADD(e, CAST(DT_F32, zero)) : e);
	int bits = info->kind == 'I' ? info->bits - 1 : info->bits;
	double lo = info->kind == 'I' ? -ldexp(1, bits) : 0, hi = ldexp(1, bits) - 1;
	e = RINT(e);
	if (zero)
		e = ADD(e, CAST(DT_F32, zero));
	return CAST(t, MIN(MAX(e, LIKE(e, lo)), LIKE(e, hi)));
}

/*
 * Scale or zero point T at the point of M, whose axes are those of operand 0:
 * one number, one for each element along AXIS, or one for each BLOCK of them.
 */
static sn_ex
at_point(struct sn_lower *c, struct sn_comp *m, struct sn_tensor *t, int64_t axis, int64_t block)
{
	sn_ex idx[SN_MAX_RANK];
	int a = (int)(axis < 0 ? axis + m->naxes : axis);
	if (t->type.rank == 1)
		idx[0] = sn_is_int_const(t->type.dims[0], 1) ? INT(0) : AXIS(m, a);
	for (int i = 0; t->type.rank > 1 && i < t->type.rank; i++)
		idx[i] = i == a && block > 0 ? sn_divk(c->pool, AXIS(m, i), block) : AXIS(m, i);
	return sn_lower_read(c, t, idx);
}

/* y = saturate(round(x / scale) + zero) */
bool
sn_lower_quantize(struct sn_lower *c)
{
	const struct sn_attrs_quantize *at = sn_attrs(c->node, quantize);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0), *zero = sn_lower_in(c, 2);
	if (!at->saturate && sn_is_float(y->type.dtype))
		return sn_lower_refuse(c, "saturate = 0");
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex e = CAST(DT_F32, sn_lower_broadcast_read(c, m, x));
	sn_ex scale = at_point(c, m, sn_lower_in(c, 1), at->axis, at->block_size);
	e = DIV(e, CAST(DT_F32, scale));
	sn_ex z = zero ? at_point(c, m, zero, at->axis, at->block_size) : NULL;
	STORE(m, y, sn_lower_saturate(c, e, z, y->type.dtype));
	return true;
}

/* y = (x - zero) * scale */
bool
sn_lower_dequantize(struct sn_lower *c)
{
	const struct sn_attrs_dequantize *at = sn_attrs(c->node, dequantize);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0), *zero = sn_lower_in(c, 2);
	enum sn_dtype t = sn_is_float(x->type.dtype) ? DT_F32 : DT_I32;
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex e = CAST(t, sn_lower_broadcast_read(c, m, x));
	if (zero)
		e = SUB(e, CAST(t, at_point(c, m, zero, at->axis, at->block_size)));
	sn_ex scale = at_point(c, m, sn_lower_in(c, 1), at->axis, at->block_size);
	STORE(m, y, MUL(CAST(DT_F32, e), CAST(DT_F32, scale)));
	return true;
}

/* The least or the largest element of x and zero. */
static struct sn_tensor *
extreme(struct sn_lower *c, struct sn_tensor *x, const char *reducer, enum sn_scalar_op op)
{
	struct sn_tensor *t = sn_lower_temp(c, reducer, DT_F32, 0, NULL);
	struct sn_comp *m = sn_lower_stage(c, NULL, 0);
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = sn_lower_red(c, m, sn_printf(c->arena, "r%d", i), x->type.dims[i]);
	sn_ex e = CAST(DT_F32, sn_lower_read(c, x, idx));
	e = m->nred ? sn_lower_reduce(c, m, reducer, e) : e;
	STORE(m, t, sn_op2(c->pool, op, e, LIKE(e, 0)));
	return t;
}

/* Scale and zero point such that the range of x, with 0 in it, fills u8. */
bool
sn_lower_dynamic_quantize(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_tensor *scale = sn_lower_out(c, 1), *zero = sn_lower_out(c, 2);
	if (!scale)
		scale = sn_lower_temp(c, "scale", DT_F32, 0, NULL);
	if (!zero)
		zero = sn_lower_temp(c, "zero", DT_U8, 0, NULL);
	sn_ex lo = sn_lower_read(c, extreme(c, x, "min", OP_MIN), NULL);
	sn_ex hi = sn_lower_read(c, extreme(c, x, "max", OP_MAX), NULL);
	struct sn_comp *m = sn_lower_stage(c, NULL, 0);
	STORE(m, scale, DIV(SUB(hi, lo), LIKE(hi, 255)));
	m = sn_lower_stage(c, NULL, 0);
	sn_ex s = sn_lower_read(c, scale, NULL);
	STORE(m, zero, sn_lower_saturate(c, DIV(NEG(lo), s), NULL, DT_U8));
	if (!y)
		return true;
	m = sn_lower_comp(c, &y->type);
	sn_ex e = DIV(CAST(DT_F32, sn_lower_broadcast_read(c, m, x)), s);
	STORE(m, y, sn_lower_saturate(c, e, sn_lower_read(c, zero, NULL), DT_U8));
	return true;
}
