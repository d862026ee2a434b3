/*
 * Rules for nodes that give back their operand.
 *
 * Adding a zero to floats is left alone unless the zero has the sign that
 * changes nothing: -0.0 + 0.0 is 0.0.
 */
#include <math.h>
#include <string.h>
#include "passes/rewrite.h"

/* Result 0 of N is operand I, if it has the operand's type. */
static bool
forward_if_same(struct sn_rewrite *r, struct sn_node *n, int i)
{
	struct sn_value *v = sn_in(n, i);
	return v && n->out[0] && sn_type_equal(&v->type, &n->out[0]->type)
	       && sn_rw_forward(r, n, 0, v);
}

/* Is operand I the same number X everywhere, of the same sign? */
static bool
is_number(const struct sn_node *n, int i, double x)
{
	double d;
	return sn_rw_uniform_double(sn_in(n, i), &d) && d == x && signbit(d) == signbit(x);
}

static bool
is_float(const struct sn_node *n)
{
	return sn_is_float(sn_in(n, 0)->type.dtype);
}

RULE(identity, GR_IDENTITY, "Identity (x) -> x")
{
	return forward_if_same(r, n, 0);
}

RULE(add_zero, GR_ADD, "x + 0 -> x")
{
	double zero = is_float(n) ? -0.0 : 0.0;
	return (is_number(n, 1, zero) && forward_if_same(r, n, 0))
	       || (is_number(n, 0, zero) && forward_if_same(r, n, 1));
}

RULE(sub_zero, GR_SUB, "x - 0 -> x")
{
	return is_number(n, 1, 0.0) && forward_if_same(r, n, 0);
}

RULE(mul_one, GR_MUL, "x * 1 -> x")
{
	return (is_number(n, 1, 1.0) && forward_if_same(r, n, 0))
	       || (is_number(n, 0, 1.0) && forward_if_same(r, n, 1));
}

RULE(div_one, GR_DIV, "x / 1 -> x")
{
	return is_number(n, 1, 1.0) && forward_if_same(r, n, 0);
}

RULE(pow_one, GR_POW, "Pow (x, 1) -> x")
{
	return is_number(n, 1, 1.0) && forward_if_same(r, n, 0);
}

RULE(cast_same, GR_CAST, "Cast <to = type of x> (x) -> x")
{
	return forward_if_same(r, n, 0);
}

RULE(cast_like_same, GR_CAST_LIKE, "CastLike (x, y) -> x, of one type")
{
	return forward_if_same(r, n, 0);
}

/* The mask of an inference is all true, but whoever wants it gets it from the node. */
RULE(dropout, GR_DROPOUT, "Dropout (x, ratio, false) -> x")
{
	union sn_num mode = { .i = 0 };
	if (sn_in(n, 2) && (!sn_rw_uniform(sn_in(n, 2), &mode) || mode.i))
		return false;
	return forward_if_same(r, n, 0);
}

RULE(clip_nothing, GR_CLIP, "Clip (x, _, _) -> x")
{
	return !sn_in(n, 1) && !sn_in(n, 2) && forward_if_same(r, n, 0);
}

RULE(sum_one, GR_SUM, "Sum (x) -> x")
{
	return n->nin == 1 && forward_if_same(r, n, 0);
}

RULE(mean_one, GR_MEAN, "Mean (x) -> x")
{
	return n->nin == 1 && forward_if_same(r, n, 0);
}

RULE(max_one, GR_MAX, "Max (x) -> x")
{
	return n->nin == 1 && forward_if_same(r, n, 0);
}

RULE(min_one, GR_MIN, "Min (x) -> x")
{
	return n->nin == 1 && forward_if_same(r, n, 0);
}

RULE(concat_one, GR_CONCAT, "Concat (x) -> x")
{
	return n->nin == 1 && forward_if_same(r, n, 0);
}

RULE(expand_same, GR_EXPAND, "Expand (x, shape) -> x, of one shape")
{
	return forward_if_same(r, n, 0);
}

const struct sn_rule *const sn_rules_identity[] = {
	&rule_identity, &rule_add_zero,	    &rule_sub_zero,   &rule_mul_one,
	&rule_div_one,	&rule_pow_one,	    &rule_cast_same,  &rule_cast_like_same,
	&rule_dropout,	&rule_clip_nothing, &rule_sum_one,    &rule_mean_one,
	&rule_max_one,	&rule_min_one,	    &rule_concat_one, &rule_expand_same,
	NULL,
};
