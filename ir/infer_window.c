/*
 * Inference of convolutions, pooling, and normalisation.
 */
#include <string.h>
#include "ir/infer_help.h"
#include "ir/params.h"

/* Each window has a place: it is not larger than what it slides over, padding included. */
static bool
require_places(struct sn_infer *c, struct sn_node *n, const struct sn_window *w, int nspatial)
{
	for (int i = 0; i < nspatial; i++)
		if (!sn_infer_require(c, n, OP_LE, sn_int(c->pool, 1), w[i].out))
			return false;
	return true;
}

/* ---- pooling ---------------------------------------------------------------------------------- */

bool
sn_infer_pool(struct sn_infer *c, struct sn_node *n)
{
	struct sn_window w[SN_MAX_RANK];
	struct sn_type t = *sn_in_type(n, 0);
	if (!sn_infer_check_rank(c, n, 0, 3, SN_MAX_RANK))
		return false;
	if (!sn_node_pool_windows(c->pool, n, w))
		return SN_INFER_ERROR(c, n, DG_ATTR, "kernel_shape",
				      sn_printf(c->arena,
						"(with strides, pads, dilations) doesn't "
						"fit '%s', which is %s",
						sn_in_name(n, 0), sn_infer_text(c, &t)));
	for (int i = 2; i < t.rank; i++)
		t.dims[i] = w[i - 2].out;
	return require_places(c, n, w, t.rank - 2) && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_max_pool(struct sn_infer *c, struct sn_node *n)
{
	if (!sn_infer_pool(c, n))
		return false;
	if (n->nout < 2 || !n->out[0])
		return true;
	struct sn_type t = n->out[0]->type;
	t.dtype = DT_I64;
	return sn_infer_set(c, n, 1, &t);
}

bool
sn_infer_global_pool(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	if (!sn_infer_check_rank(c, n, 0, 2, SN_MAX_RANK))
		return false;
	for (int i = 2; i < t.rank; i++)
		t.dims[i] = sn_int(c->pool, 1);
	return sn_infer_set(c, n, 0, &t);
}

/* ---- convolution ------------------------------------------------------------------------------ */

static const char *
dim_text(struct sn_infer *c, const struct sn_expr *e)
{
	int64_t k;
	if (sn_get_int(e, &k))
		return sn_printf(c->arena, "%lld", (long long)k);
	struct sn_type t = sn_infer_type(DT_I64, 1, &e);
	const char *text = sn_infer_text(c, &t); /* i64[N] */
	return sn_strndup(c->arena, text + 4, strlen(text) - 5);
}

/* Data in slot 0 and weights in slot W: ranks, and channels by groups. */
static bool
check_conv(struct sn_infer *c, struct sn_node *n, int wslot, int64_t group, bool is_transposed)
{
	const struct sn_type *x = sn_in_type(n, 0), *w = sn_in_type(n, wslot);
	if (!sn_infer_check_rank(c, n, 0, 3, SN_MAX_RANK)
	    || !sn_infer_check_rank(c, n, wslot, x->rank, x->rank))
		return false;
	if (group < 1 || group > INT32_MAX)
		return SN_INFER_ERROR(c, n, DG_ATTR, "group", "must be at least 1");
	const struct sn_expr *channels = is_transposed ? w->dims[0]
						       : sn_mulk(c->pool, w->dims[1], group);
	if (!sn_shape_may_equal(c->pool, x->dims[1], channels))
		return SN_INFER_ERROR(c, n, DG_CHANNELS, sn_in_name(n, wslot),
				      dim_text(c, channels), sn_in_name(n, 0),
				      dim_text(c, x->dims[1]));
	int64_t k;
	if (sn_get_int(w->dims[0], &k) && k % group)
		return SN_INFER_ERROR(c, n, DG_ATTR, "group",
				      sn_printf(c->arena,
						"is %lld, which doesn't divide the %lld "
						"channels of '%s'",
						(long long)group, (long long)k,
						sn_in_name(n, wslot)));
	return sn_infer_require(c, n, OP_EQ, x->dims[1], channels)
	       && sn_infer_require_divides(c, n, group, w->dims[0]);
}

static bool
bad_windows(struct sn_infer *c, struct sn_node *n, int wslot)
{
	return SN_INFER_ERROR(c, n, DG_SHAPES, sn_in_name(n, 0), sn_infer_text(c, sn_in_type(n, 0)),
			      sn_in_name(n, wslot), sn_infer_text(c, sn_in_type(n, wslot)),
			      "kernel, strides, pads and dilations don't fit");
}

static bool
conv_result(struct sn_infer *c, struct sn_node *n, int wslot, enum sn_dtype dtype)
{
	struct sn_window win[SN_MAX_RANK];
	struct sn_type t = *sn_in_type(n, 0);
	const struct sn_type *w = sn_in_type(n, wslot);
	if (!check_conv(c, n, wslot, sn_attrs(n, conv)->group, false))
		return false;
	if (!sn_node_conv_windows(c->pool, n, w, win))
		return bad_windows(c, n, wslot);
	t.dtype = dtype;
	t.dims[1] = w->dims[0];
	for (int i = 2; i < t.rank; i++)
		t.dims[i] = win[i - 2].out;
	return require_places(c, n, win, t.rank - 2) && sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_conv(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_check_same(c, n, 0, 1) && sn_infer_check_same(c, n, 0, 2)
	       && sn_infer_check_rank(c, n, 2, 1, 1)
	       && conv_result(c, n, 1, sn_in_type(n, 0)->dtype)
	       && (!sn_in(n, 2) || sn_infer_check_dims(c, n, 2, 0, 1, 0));
}

bool
sn_infer_conv_integer(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_check_same(c, n, 0, 2) && sn_infer_check_same(c, n, 1, 3)
	       && sn_infer_check_rank(c, n, 2, 0, 1) && sn_infer_check_rank(c, n, 3, 0, 1)
	       && conv_result(c, n, 1, DT_I32);
}

bool
sn_infer_q_linear_conv(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_check_same(c, n, 0, 2) && sn_infer_check_same(c, n, 3, 5)
	       && conv_result(c, n, 3, sn_in_type(n, 7)->dtype);
}

bool
sn_infer_conv_transpose(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_conv_transpose *at = sn_attrs(n, conv_transpose);
	const struct sn_type *w = sn_in_type(n, 1);
	struct sn_window win[SN_MAX_RANK];
	struct sn_type t = *sn_in_type(n, 0);
	if (!sn_infer_check_same(c, n, 0, 1) || !sn_infer_check_same(c, n, 0, 2)
	    || !check_conv(c, n, 1, at->group, true))
		return false;
	if (!sn_node_conv_transpose_windows(c->pool, n, w, win))
		return bad_windows(c, n, 1);
	t.dims[1] = sn_mulk(c->pool, w->dims[1], at->group);
	for (int i = 2; i < t.rank; i++)
		t.dims[i] = win[i - 2].out;
	return require_places(c, n, win, t.rank - 2) && sn_infer_set(c, n, 0, &t);
}

/* ---- normalisation ---------------------------------------------------------------------------- */

bool
sn_infer_lrn(struct sn_infer *c, struct sn_node *n)
{
	if (sn_attrs(n, lrn)->size < 1 || sn_attrs(n, lrn)->size > INT32_MAX)
		return SN_INFER_ERROR(c, n, DG_ATTR, "size", "must be at least 1");
	return sn_infer_check_rank(c, n, 0, 2, SN_MAX_RANK) && sn_infer_same(c, n);
}

/* Operands FIRST to LAST are vectors over the channels of operand 0. */
static bool
check_channel_vectors(struct sn_infer *c, struct sn_node *n, int first, int last)
{
	int axis = sn_in_type(n, 0)->rank > 1 ? 1 : 0;
	for (int i = first; i <= last; i++)
		if (!sn_infer_check_rank(c, n, i, 1, 1)
		    || (sn_in_type(n, 0)->rank > 1 && !sn_infer_check_dims(c, n, i, 0, 0, axis)))
			return false;
	return true;
}

bool
sn_infer_batch_norm(struct sn_infer *c, struct sn_node *n)
{
	if (!sn_infer_check_rank(c, n, 0, 1, SN_MAX_RANK) || !check_channel_vectors(c, n, 1, 4))
		return false;
	for (int i = 1; i < n->nout; i++)
		sn_infer_set(c, n, i, sn_in_type(n, 2 + i));
	return sn_infer_same(c, n);
}

bool
sn_infer_instance_norm(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_check_rank(c, n, 0, 3, SN_MAX_RANK) && check_channel_vectors(c, n, 1, 2)
	       && sn_infer_same(c, n);
}

bool
sn_infer_group_norm(struct sn_infer *c, struct sn_node *n)
{
	int64_t groups = sn_attrs(n, group_norm)->num_groups, channels;
	if (!sn_infer_check_rank(c, n, 0, 2, SN_MAX_RANK) || !check_channel_vectors(c, n, 1, 2))
		return false;
	if (groups < 1 || groups > INT32_MAX
	    || (sn_get_int(sn_in_type(n, 0)->dims[1], &channels) && channels % groups))
		return SN_INFER_ERROR(c, n, DG_ATTR, "num_groups", "must divide the channels");
	return sn_infer_require_divides(c, n, groups, sn_in_type(n, 0)->dims[1])
	       && sn_infer_same(c, n);
}

/* Scale and bias broadcast to the normalised tail; mean and inverse deviation keep it as ones. */
bool
sn_infer_layer_norm(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type t, stat = *x;
	int axis;
	if (!sn_infer_axis(c, n, sn_attrs(n, norm)->axis, x->rank, &axis))
		return false;
	for (int i = 1; i < n->nin; i++)
		if (sn_in(n, i)
		    && (!sn_shape_broadcast(c->pool, x, sn_in_type(n, i), &t) || t.rank != x->rank))
			return SN_INFER_ERROR(c, n, DG_BROADCAST, sn_in_name(n, 0),
					      sn_infer_text(c, x), sn_in_name(n, i),
					      sn_infer_text(c, sn_in_type(n, i)));
	for (int i = 1; i < n->nin; i++)
		if (sn_in(n, i) && !sn_infer_require_fits(c, n, sn_in_type(n, i), x))
			return false;
	stat.dtype = x->dtype == DT_F64 ? DT_F64 : DT_F32;
	for (int i = axis; i < x->rank; i++)
		stat.dims[i] = sn_int(c->pool, 1);
	return sn_infer_same(c, n) && sn_infer_set(c, n, 1, &stat) && sn_infer_set(c, n, 2, &stat);
}

bool
sn_infer_lp_norm(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_lp_norm *at = sn_attrs(n, lp_norm);
	int axis;
	if (at->p != 1 && at->p != 2)
		return SN_INFER_ERROR(c, n, DG_ATTR, "p", "must be 1 or 2");
	return sn_infer_axis(c, n, at->axis, sn_in_type(n, 0)->rank, &axis) && sn_infer_same(c, n);
}
