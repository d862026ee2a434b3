/*
 * Lowering of elementwise operators, casts and quantisation.
 */
#include <string.h>
#include "ir/infer.h"
#include "ir/map.h"
#include "passes/lower.h"

/* Operand I at the comprehension's point, NULL if absent; widened where the row computes. */
static const struct sn_expr *
operand(struct sn_lower *c, struct sn_comp *m, int i, bool is_wide)
{
	struct sn_tensor *x = sn_lower_in(c, i);
	if (!x)
		return NULL;
	const struct sn_expr *e = sn_lower_broadcast_read(c, m, x);
	return is_wide ? sn_lower_widen(c, e) : e;
}

bool
sn_lower_map(struct sn_lower *c)
{
	const struct sn_node *n = c->node;
	const char *traits = sn_graph_op_info(n->op)->traits;
	bool is_wide = strpbrk(traits, "fn") != NULL;
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	const struct sn_expr *args[3] = { operand(c, m, 0, is_wide) }, *value;
	if (strchr(traits, 'V')) {
		value = args[0];
		for (int i = 1; i < n->nin; i++) {
			args[0] = value;
			args[1] = operand(c, m, i, is_wide);
			value = sn_map_body(c->pool, n->op, n->attrs, args, 2);
		}
	} else {
		for (int i = 1; i < n->nin && i < 3; i++)
			args[i] = operand(c, m, i, is_wide);
		value = sn_map_body(c->pool, n->op, n->attrs, args, n->nin);
	}
	sn_lower_store(m, c->pool, y, value);
	return true;
}

bool
sn_lower_mean(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	const struct sn_expr *sum = operand(c, m, 0, true);
	for (int i = 1; i < c->node->nin; i++)
		sum = sn_op2(c->pool, OP_ADD, sum, operand(c, m, i, true));
	const struct sn_expr *count = sn_float(c->pool, (enum sn_dtype)sum->dtype, c->node->nin);
	sn_lower_store(m, c->pool, y, sn_op2(c->pool, OP_DIV, sum, count));
	return true;
}

/* ---- casts ------------------------------------------------------------------------------------ */

/*
 * Floats of 8 bits without saturation: what rounds to more than the largest
 * number becomes infinity where the type has one, else NaN.
 */
static const struct overflow {
	enum sn_dtype type;
	double limit;	  /* half way from the largest number to the next there would be */
	bool is_tie_over; /* the limit itself rounds up */
	int code;	  /* infinity or NaN */
	bool has_sign;	  /* with the sign of the operand */
} overflows[] = {
	{ DT_F8E4M3, 464, false, 0x7f, true },
	{ DT_F8E4M3UZ, 248, true, 0x80, false },
	{ DT_F8E5M2, 61440, true, 0x7c, true },
	{ DT_F8E5M2UZ, 61440, true, 0x80, false },
};

static const struct sn_expr *
cast_unsaturated(struct sn_lower *c, const struct sn_expr *x, const struct overflow *o)
{
	struct sn_pool *p = c->pool;
	x = sn_cast(p, DT_F32, x);
	const struct sn_expr *size = sn_op1(p, OP_ABS, x), *limit = sn_float(p, DT_F32, o->limit);
	const struct sn_expr *is_over = o->is_tie_over ? sn_op2(p, OP_LE, limit, size)
						       : sn_op2(p, OP_LT, limit, size);
	const struct sn_expr *is_minus = sn_op2(p, OP_LT, x, sn_float(p, DT_F32, 0));
	const struct sn_expr *minus = sn_float(p, DT_U8, o->has_sign ? o->code | 0x80 : o->code);
	const struct sn_expr *code = sn_op3(p, OP_SELECT, is_minus, minus,
					    sn_float(p, DT_U8, o->code));
	const struct sn_expr *bits = sn_bitcast(p, DT_U8, sn_cast(p, o->type, x));
	return sn_bitcast(p, o->type, sn_op3(p, OP_SELECT, is_over, code, bits));
}

/* The cast of ONNX: floats to integers of less than 8 bits wrap, which the scalar cast does only
 * for integers. */
static const struct sn_expr *
cast_value(struct sn_lower *c, const struct sn_expr *x, enum sn_dtype to, bool is_saturated)
{
	for (size_t i = 0; !is_saturated && i < ARRAY_LEN(overflows); i++)
		if (overflows[i].type == to)
			return cast_unsaturated(c, x, &overflows[i]);
	if (sn_is_int(to) && sn_dtype_info(to)->bits < 8 && sn_is_float((enum sn_dtype)x->dtype))
		x = sn_cast(c->pool, DT_I32, x);
	return sn_cast(c->pool, to, x);
}

/* CastLike differs in its second operand only, which inference has read. */
bool
sn_lower_cast(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	int64_t saturate = c->node->op == GR_CAST ? sn_attrs(c->node, cast)->saturate
						  : sn_attrs(c->node, cast_like)->saturate;
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	const struct sn_expr *x = operand(c, m, 0, false);
	sn_lower_store(m, c->pool, y, cast_value(c, x, y->type.dtype, saturate != 0));
	return true;
}

bool
sn_lower_bit_cast(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	const struct sn_expr *x = operand(c, m, 0, false);
	sn_lower_store(m, c->pool, y, sn_bitcast(c->pool, y->type.dtype, x));
	return true;
}

/* Inference: the identity, and a mask of ones. */
bool
sn_lower_dropout(struct sn_lower *c)
{
	int nmode, nratio;
	const struct sn_expr *const *mode = sn_lower_elements(c, 2, &nmode);
	const struct sn_expr *const *ratio = sn_lower_elements(c, 1, &nratio);
	bool is_off = !sn_in(c->node, 2) || (mode && sn_is_int_const(mode[0], 0));
	bool is_zero = ratio && sn_is_const(ratio[0]) && ratio[0]->num.f == 0;
	struct sn_tensor *y = sn_lower_out(c, 0), *mask = sn_lower_out(c, 1);
	if (!is_off && !is_zero)
		return sn_lower_refuse(c, "training mode");
	if (y) {
		struct sn_comp *m = sn_lower_comp(c, &y->type);
		sn_lower_store(m, c->pool, y, operand(c, m, 0, false));
	}
	if (mask) {
		struct sn_comp *m = sn_lower_comp(c, &mask->type);
		sn_lower_store(m, c->pool, mask,
			       sn_const(c->pool, DT_BOOL, (union sn_num){ .i = 1 }));
	}
	return true;
}
