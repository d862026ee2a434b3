/*
 * Rules for operators that only move elements: transposes, reshapes and their kin.
 */
#include <string.h>
#include "passes/rewrite.h"

/* The permutation of N, written out. */
static void
get_perm(const struct sn_node *n, int64_t *perm)
{
	const struct sn_attrs_transpose *at = sn_attrs(n, transpose);
	int rank = n->in[0].value->type.rank;
	for (int i = 0; i < rank; i++)
		perm[i] = at->perm.n < 0 ? rank - 1 - i : at->perm.v[i];
}

RULE(transpose_nothing, GR_TRANSPOSE, "Transpose <perm = [0,1,2,...]> (x) -> x")
{
	int64_t perm[SN_MAX_RANK];
	get_perm(n, perm);
	for (int i = 0; i < n->in[0].value->type.rank; i++)
		if (perm[i] != i)
			return false;
	return sn_rw_forward(r, n, 0, n->in[0].value);
}

RULE(transpose_twice, GR_TRANSPOSE, "Transpose <q> (Transpose <p> (x)) -> Transpose <p[q]> (x)")
{
	struct sn_node *inner = sn_rw_def(n, 0, GR_TRANSPOSE);
	if (!inner)
		return false;
	int rank = n->in[0].value->type.rank;
	int64_t p[SN_MAX_RANK], q[SN_MAX_RANK];
	int64_t *both = SN_NEW_ARRAY(r->arena, (size_t)rank, int64_t);
	get_perm(inner, p);
	get_perm(n, q);
	for (int i = 0; i < rank; i++)
		both[i] = p[q[i]];
	struct sn_attrs_transpose *at = n->attrs;
	at->perm = (struct sn_ints){ rank, both };
	n->origin = sn_origin_join(r->arena, n->origin, inner->origin);
	sn_rw_set_input(r, n, 0, inner->in[0].value);
	return true;
}

/* Operators that keep the elements in order and change only the shape. */
static bool
is_reshape(const struct sn_node *n)
{
	return n
	       && (n->op == GR_RESHAPE || n->op == GR_FLATTEN || n->op == GR_SQUEEZE
		   || n->op == GR_UNSQUEEZE);
}

/* The writer of operand 0 if it is one of them. */
static struct sn_node *
reshape_before(const struct sn_node *n)
{
	struct sn_value *v = sn_in(n, 0);
	return v && is_reshape(v->def) ? v->def : NULL;
}

/* Does the target shape of the Reshape N mean the same for an operand of any shape? */
static bool
is_absolute(const struct sn_node *n, struct sn_arena *a)
{
	int64_t *dims;
	int ndims;
	if (sn_attrs(n, reshape)->allowzero || !sn_value_ints(sn_in(n, 1), a, &dims, &ndims))
		return false;
	for (int i = 0; i < ndims; i++)
		if (dims[i] == 0)
			return false;
	return true;
}

static bool
reshape_to_same(struct sn_rewrite *r, struct sn_node *n)
{
	struct sn_value *x = n->in[0].value;
	for (struct sn_node *d = n; d; d = reshape_before(d)) {
		x = d->in[0].value;
		if (sn_type_equal(&x->type, &n->out[0]->type))
			return sn_rw_forward(r, n, 0, x);
	}
	return false;
}

RULE(reshape_same, GR_RESHAPE, "Reshape (x, shape of x) -> x, other reshapes between or not")
{
	return reshape_to_same(r, n);
}

RULE(flatten_same, GR_FLATTEN, "Flatten (x) -> x, of one shape")
{
	return reshape_to_same(r, n);
}

RULE(squeeze_same, GR_SQUEEZE, "Squeeze (Unsqueeze (x, a), a) -> x")
{
	return reshape_to_same(r, n);
}

RULE(unsqueeze_same, GR_UNSQUEEZE, "Unsqueeze (Squeeze (x, a), a) -> x")
{
	return reshape_to_same(r, n);
}

RULE(reshape_twice, GR_RESHAPE, "Reshape (Reshape (x, s), t) -> Reshape (x, t)")
{
	struct sn_node *inner = reshape_before(n);
	if (!inner || !is_absolute(n, r->scratch))
		return false;
	n->origin = sn_origin_join(r->arena, n->origin, inner->origin);
	sn_rw_set_input(r, n, 0, inner->in[0].value);
	return true;
}

/* A slice whose result is as long as its operand takes every element, and in order if it steps by one. */
RULE(slice_all, GR_SLICE, "Slice (x, 0, size) -> x")
{
	int64_t *steps;
	int nsteps = 0;
	if (sn_in(n, 4) && !sn_value_ints(sn_in(n, 4), r->scratch, &steps, &nsteps))
		return false;
	for (int i = 0; i < nsteps; i++)
		if (steps[i] != 1)
			return false;
	return sn_type_equal(&n->in[0].value->type, &n->out[0]->type)
	       && sn_rw_forward(r, n, 0, n->in[0].value);
}

RULE(pad_nothing, GR_PAD, "Pad (x, 0) -> x")
{
	int64_t *pads;
	int npads;
	if (!sn_value_ints(sn_in(n, 1), r->scratch, &pads, &npads))
		return false;
	for (int i = 0; i < npads; i++)
		if (pads[i])
			return false;
	return sn_rw_forward(r, n, 0, n->in[0].value);
}

RULE(tile_once, GR_TILE, "Tile (x, 1) -> x")
{
	int64_t *repeats;
	int n_repeats;
	if (!sn_value_ints(sn_in(n, 1), r->scratch, &repeats, &n_repeats))
		return false;
	for (int i = 0; i < n_repeats; i++)
		if (repeats[i] != 1)
			return false;
	return sn_rw_forward(r, n, 0, n->in[0].value);
}

/* Is every value of FROM a value of TO? */
static bool
is_wider(enum sn_dtype from, enum sn_dtype to)
{
	return (to == DT_F64 && (from == DT_F32 || from == DT_F16 || from == DT_BF16))
	       || (to == DT_F32 && (from == DT_F16 || from == DT_BF16))
	       || (to == DT_I64
		   && (from == DT_I32 || from == DT_I16 || from == DT_I8 || from == DT_U8
		       || from == DT_BOOL))
	       || (to == DT_I32
		   && (from == DT_I16 || from == DT_I8 || from == DT_U8 || from == DT_BOOL));
}

RULE(cast_there_and_back, GR_CAST, "Cast <to = t> (Cast <to = wider> (x)) -> x, of type t")
{
	struct sn_node *inner = sn_rw_def(n, 0, GR_CAST);
	struct sn_value *x = inner ? inner->in[0].value : NULL;
	return x && is_wider(x->type.dtype, inner->out[0]->type.dtype)
	       && sn_type_equal(&x->type, &n->out[0]->type) && sn_rw_forward(r, n, 0, x);
}

const struct sn_rule *const sn_rules_move[] = {
	&rule_transpose_nothing, &rule_transpose_twice,	    &rule_reshape_same,
	&rule_flatten_same,	 &rule_squeeze_same,	    &rule_unsqueeze_same,
	&rule_reshape_twice,	 &rule_slice_all,	    &rule_pad_nothing,
	&rule_tile_once,	 &rule_cast_there_and_back, NULL,
};
