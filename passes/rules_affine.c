/*
 * Rules for chains of products and sums with constants: one of each remains.
 *
 * The constants are combined in f64 and rounded once.  Only floats: integers
 * wrap the same either way, but nothing is gained that matters.  Left alone
 * where a combined constant would be larger than both, or not finite.
 */
#include <math.h>
#include "passes/fold_linear.h"
#include "passes/rewrite.h"

enum { LARGE = 65536 };

/* Constant operand of the binary node N, its slot's number in *OUT_OTHER the other one's. */
static struct sn_value *
const_operand(const struct sn_node *n, int *out_other)
{
	for (int i = 0; i < 2; i++) {
		struct sn_value *v = sn_in(n, i);
		if (sn_value_is_const(v) && sn_is_float(v->type.dtype)) {
			*out_other = 1 - i;
			return v;
		}
	}
	return NULL;
}

/* A op B elementwise, of the type of the larger one; NULL if it is not worth it. */
static struct sn_value *
combine(struct sn_rewrite *r, struct sn_value *a, struct sn_value *b, enum sn_graph_op op)
{
	if (a->data->n < b->data->n || a->type.rank < b->type.rank) {
		struct sn_value *swap = a;
		a = b;
		b = swap;
	}
	size_t n = a->data->n;
	bool is_one = b->data->n == 1 && b->type.rank <= a->type.rank;
	if (n == 0 || n > LARGE || (!is_one && !sn_type_equal(&a->type, &b->type)))
		return NULL;
	double *v = SN_NEW_ARRAY(r->scratch, n, double);
	for (size_t i = 0; i < n; i++) {
		double x = sn_data_get(a->data, i).f, y = sn_data_get(b->data, is_one ? 0 : i).f;
		v[i] = op == GR_MUL ? x * y : x + y;
		if (!isfinite((float)v[i]))
			return NULL;
	}
	return sn_graph_add_const(r->graph, a->name, &a->type,
				  sn_data_doubles(r->arena, a->type.dtype, v, n));
}

/* The inner node of a chain whose result only N reads. */
static struct sn_node *
inner_of(const struct sn_node *n, int slot, enum sn_graph_op op)
{
	struct sn_node *inner = sn_rw_def(n, slot, op);
	return inner && sn_rw_has_one_use(inner) ? inner : NULL;
}

/* (x op a) op b -> x op (a op b) */
static bool
join_twice(struct sn_rewrite *r, struct sn_node *n)
{
	int rest, x;
	struct sn_value *b = const_operand(n, &rest);
	struct sn_node *inner = b ? inner_of(n, rest, n->op) : NULL;
	struct sn_value *a = inner ? const_operand(inner, &x) : NULL;
	struct sn_value *both = a ? combine(r, a, b, n->op) : NULL;
	if (!both)
		return false;
	n->origin = sn_origin_join(r->arena, n->origin, inner->origin);
	sn_rw_set_input(r, n, 1 - rest, both);
	sn_rw_set_input(r, n, rest, inner->in[x].value);
	return true;
}

RULE(mul_twice, GR_MUL, "(x * a) * b -> x * (a * b), a and b constant")
{
	return join_twice(r, n);
}

RULE(add_twice, GR_ADD, "(x + a) + b -> x + (a + b), a and b constant")
{
	return join_twice(r, n);
}

RULE(mul_of_sum, GR_MUL, "(x + a) * b -> x * b + a * b, a and b constant")
{
	int rest, x;
	struct sn_value *b = const_operand(n, &rest);
	struct sn_node *inner = b ? inner_of(n, rest, GR_ADD) : NULL;
	struct sn_value *a = inner ? const_operand(inner, &x) : NULL;
	struct sn_value *ab = a ? combine(r, a, b, GR_MUL) : NULL;
	if (!ab)
		return false;
	struct sn_node *mul = sn_rw_node(n, GR_MUL, (struct sn_value *[]){ inner->in[x].value, b },
					 2, 1);
	struct sn_node *add = sn_rw_node(n, GR_ADD,
					 (struct sn_value *[]){ sn_rw_infer(r, mul), ab }, 2, 1);
	mul->origin = add->origin = sn_origin_join(r->arena, n->origin, inner->origin);
	sn_rw_infer(r, add);
	sn_rw_take_name(add->out[0], n, 0);
	return sn_rw_forward(r, n, 0, add->out[0]);
}

const struct sn_rule *const sn_rules_affine[] = {
	&rule_mul_twice,
	&rule_add_twice,
	&rule_mul_of_sum,
	NULL,
};
