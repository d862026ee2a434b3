/*
 * The windows of convolutions and pooling, from their attributes.
 */
#include <string.h>
#include "ir/params.h"

bool
sn_node_pool_windows(struct sn_pool *p, const struct sn_node *n, struct sn_window *out)
{
	const struct sn_attrs_pool *at = sn_attrs(n, pool);
	const struct sn_type *x = &n->in[0].value->type;
	const struct sn_window_attrs w = { x->rank - 2,	      at->kernel_shape.v, &at->strides,
					   &at->dilations,    &at->pads,	  at->auto_pad,
					   at->ceil_mode != 0 };
	return at->kernel_shape.n == w.nspatial && sn_shape_windows(p, x, &w, out);
}

/* Extents of the kernel, which must be constants and agree with the attribute. */
static bool
kernel_extents(const struct sn_type *w, const struct sn_ints *kernel_shape, int64_t *out)
{
	for (int i = 0; i < w->rank - 2; i++) {
		if (!sn_get_int(w->dims[i + 2], &out[i]))
			return false;
		if (kernel_shape->n > 0
		    && (kernel_shape->n != w->rank - 2 || kernel_shape->v[i] != out[i]))
			return false;
	}
	return true;
}

bool
sn_node_conv_windows(struct sn_pool *p, const struct sn_node *n, const struct sn_type *w,
		     struct sn_window *out)
{
	const struct sn_attrs_conv *at = sn_attrs(n, conv);
	int64_t kernel[SN_MAX_RANK];
	const struct sn_window_attrs wa = { w->rank - 2, kernel,       &at->strides, &at->dilations,
					    &at->pads,	 at->auto_pad, false };
	return kernel_extents(w, &at->kernel_shape, kernel)
	       && sn_shape_windows(p, &n->in[0].value->type, &wa, out);
}

static int64_t
nth(const struct sn_ints *list, int i, int64_t def)
{
	return list->n > i ? list->v[i] : def;
}

/* One axis of a transposed convolution: where it isn't given, padding follows from the wanted
 * extent of the result. */
static bool
transposed_window(struct sn_pool *p, const struct sn_attrs_conv_transpose *at, int i, int nspatial,
		  struct sn_window *w)
{
	w->stride = nth(&at->strides, i, 1);
	w->dilation = nth(&at->dilations, i, 1);
	if (w->kernel < 1 || w->stride < 1 || w->dilation < 1 || w->kernel > INT32_MAX
	    || w->stride > INT32_MAX || w->dilation > INT32_MAX)
		return false;
	const struct sn_expr *full = sn_mulk(p, sn_addk(p, w->in, -1), w->stride);
	full = sn_addk(p, full, (w->kernel - 1) * w->dilation + 1 + nth(&at->output_padding, i, 0));
	bool is_same = at->auto_pad && strncmp(at->auto_pad, "SAME_", 5) == 0;
	bool is_valid = at->auto_pad && strcmp(at->auto_pad, "VALID") == 0;
	if (at->output_shape.n <= 0 && !is_same) {
		w->pad_lo = sn_int(p, is_valid ? 0 : nth(&at->pads, i, 0));
		w->pad_hi = sn_int(p, is_valid ? 0 : nth(&at->pads, i + nspatial, 0));
		w->out = sn_sub(p, sn_sub(p, full, w->pad_lo), w->pad_hi);
		return true;
	}
	w->out = at->output_shape.n > 0 ? sn_int(p, at->output_shape.v[i])
					: sn_mulk(p, w->in, w->stride);
	const struct sn_expr *total = sn_sub(p, full, w->out);
	total = sn_shape_max(p, total, sn_int(p, 0));
	const struct sn_expr *less = sn_divk(p, total, 2), *more = sn_sub(p, total, less);
	bool is_upper = is_same && strcmp(at->auto_pad, "SAME_UPPER") == 0;
	w->pad_lo = is_upper ? less : more;
	w->pad_hi = is_upper ? more : less;
	return true;
}

bool
sn_node_conv_transpose_windows(struct sn_pool *p, const struct sn_node *n, const struct sn_type *w,
			       struct sn_window *out)
{
	const struct sn_attrs_conv_transpose *at = sn_attrs(n, conv_transpose);
	const struct sn_type *x = &n->in[0].value->type;
	int64_t kernel[SN_MAX_RANK];
	int nspatial = x->rank - 2;
	struct sn_ints shape = at->output_shape;
	if ((at->pads.n > 0 && at->pads.n != 2 * nspatial) || (shape.n > 0 && shape.n != nspatial)
	    || !kernel_extents(w, &at->kernel_shape, kernel))
		return false;
	for (int i = 0; i < nspatial; i++) {
		out[i].kernel = kernel[i];
		out[i].in = x->dims[i + 2];
		if (!transposed_window(p, at, i, nspatial, &out[i]))
			return false;
	}
	return true;
}
