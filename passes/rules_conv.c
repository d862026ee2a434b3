/*
 * Rules around convolutions and Gemm: padding, bias, per-channel factors.
 *
 * Those that touch weights round each once, from f64.
 */
#include <string.h>
#include "ir/params.h"
#include "passes/fold_linear.h"
#include "passes/rewrite.h"

/* Pads of PAD as numbers, lo... then hi... of the spatial axes; false if it pads other axes, crops,
 * or pads by what is not known. */
static bool
spatial_pads(struct sn_rewrite *r, const struct sn_node *pad, int64_t *out)
{
	struct sn_padding p[SN_MAX_RANK];
	int rank = pad->in[0].value->type.rank;
	if (!sn_node_pads(r->graph->pool, pad, p))
		return false;
	for (int i = 0; i < rank; i++) {
		int64_t lo, hi;
		if (!sn_get_int(p[i].lo, &lo) || !sn_get_int(p[i].hi, &hi) || lo < 0 || hi < 0
		    || (i < 2 && (lo || hi)))
			return false;
		if (i < 2)
			continue;
		out[i - 2] = lo;
		out[rank - 2 + i - 2] = hi;
	}
	return true;
}

static bool
pads_with_zero(const struct sn_node *pad)
{
	double x = 0;
	bool is_known = !sn_in(pad, 2) || sn_rw_uniform_double(sn_in(pad, 2), &x);
	return is_known && x == 0 && strcmp(sn_attrs(pad, pad)->mode, "constant") == 0;
}

RULE(conv_of_pad, GR_CONV, "Conv <pads = p> (Pad (x, q, 0), w) -> Conv <pads = p + q> (x, w)")
{
	struct sn_node *pad = sn_rw_def(n, 0, GR_PAD);
	struct sn_attrs_conv *at = n->attrs;
	int64_t more[2 * SN_MAX_RANK];
	if (!pad || strcmp(at->auto_pad, "NOTSET") != 0 || !pads_with_zero(pad)
	    || !spatial_pads(r, pad, more))
		return false;
	int count = 2 * (n->in[0].value->type.rank - 2);
	int64_t *pads = SN_NEW_ARRAY(r->arena, (size_t)count, int64_t);
	for (int i = 0; i < count; i++)
		pads[i] = more[i] + (at->pads.n > 0 ? at->pads.v[i] : 0);
	struct sn_attrs_conv *own = sn_memdup(r->arena, at, sizeof(*at));
	own->pads = (struct sn_ints){ count, pads };
	n->attrs = own;
	n->origin = sn_origin_join(r->arena, n->origin, pad->origin);
	sn_rw_set_input(r, n, 0, pad->in[0].value);
	return true;
}

/* N combines a linear node's result (operand X) with a constant by channel (the other operand). */
static bool
fold_operand(struct sn_rewrite *r, struct sn_node *n, int x, bool is_factor)
{
	struct sn_linear l;
	const struct sn_value *v = sn_in(n, x);
	if (!sn_linear_of(v, &l) || !sn_type_equal(&v->type, &n->out[0]->type))
		return false;
	double *c = sn_channel_values(sn_in(n, 1 - x), &v->type, l.axis, l.channels, r->scratch);
	struct sn_node *folded = c ? sn_linear_fold(&l, is_factor ? c : NULL, is_factor ? NULL : c,
						    n)
				   : NULL;
	if (!folded)
		return false;
	sn_rw_queue(r, folded);
	sn_rw_queue(r, l.node);
	sn_rw_take_name(folded->out[0], n, 0);
	return sn_rw_forward(r, n, 0, folded->out[0]);
}

RULE(add_to_bias, GR_ADD, "Conv (x, w, b) + c -> Conv (x, w, b + c), c by channel")
{
	return fold_operand(r, n, 0, false) || fold_operand(r, n, 1, false);
}

RULE(mul_to_weights, GR_MUL, "Conv (x, w, b) * c -> Conv (x, w * c, b * c), c by channel")
{
	return fold_operand(r, n, 0, true) || fold_operand(r, n, 1, true);
}

const struct sn_rule *const sn_rules_conv[] = {
	&rule_conv_of_pad,
	&rule_add_to_bias,
	&rule_mul_to_weights,
	NULL,
};
