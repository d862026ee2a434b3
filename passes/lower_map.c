/*
 * Lowering of elementwise operators, casts and quantisation.
 */
#include <math.h>
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

/* CastLike differs in its second operand only, which inference has read. */
bool
sn_lower_cast(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	int64_t saturate = c->node->op == GR_CAST ? sn_attrs(c->node, cast)->saturate
						  : sn_attrs(c->node, cast_like)->saturate;
	if (!saturate && sn_is_float(y->type.dtype) && sn_dtype_info(y->type.dtype)->bits == 8)
		return sn_lower_refuse(c, "a cast with saturate = 0");
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	const struct sn_expr *x = operand(c, m, 0, false);
	sn_lower_store(m, c->pool, y, sn_cast(c->pool, y->type.dtype, x));
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
