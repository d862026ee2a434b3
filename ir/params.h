/*
 * What a node's attributes and constant operands say, read the same way by
 * inference and by lowering.
 *
 * Each returns false where something doesn't fit or isn't known; the message
 * is inference's, which calls these first.
 */
#ifndef IR_PARAMS_H
#define IR_PARAMS_H

#include "ir/graph.h"
#include "ir/shape.h"

/* The windows of a pooling node (attributes pool), or of a convolution (attributes conv or
 * conv_transpose) with weights of type W, whose spatial extents must be constants. */
bool sn_node_pool_windows(struct sn_pool *p, const struct sn_node *n, struct sn_window *out);
bool sn_node_conv_windows(struct sn_pool *p, const struct sn_node *n, const struct sn_type *w,
			  struct sn_window *out);
bool sn_node_conv_transpose_windows(struct sn_pool *p, const struct sn_node *n,
				    const struct sn_type *w, struct sn_window *out);

/* Operand SLOT as a list of numbers (n = -1 if absent). */
bool sn_node_ints(const struct sn_node *n, int slot, struct sn_ints *out);

/* The axes of a reduction, as a mask. */
bool sn_node_reduce_axes(const struct sn_node *n, unsigned *out);

/* Slice: element j of the result is element start + j*step of the operand, on each axis. */
struct sn_slice {
	const struct sn_expr *start, *count;
	int64_t step;
};
bool sn_node_slices(struct sn_pool *p, const struct sn_node *n, struct sn_slice *out);

/* Pad: elements before and after, on each axis; negative ones crop. */
struct sn_padding {
	const struct sn_expr *lo, *hi;
};
bool sn_node_pads(struct sn_pool *p, const struct sn_node *n, struct sn_padding *out);

/* Resize on one axis: coordinates of the result divided by SCALE (an f32 expression) are those of
 * the operand, before the coordinate transformation. */
struct sn_resize {
	bool is_resized;		       /* else the axis is copied */
	const struct sn_expr *in, *out;	       /* extents */
	const struct sn_expr *scale;	       /* f32 */
	const struct sn_expr *length;	       /* f32: out before it was rounded to an integer */
	const struct sn_expr *roi_lo, *roi_hi; /* f32 or NULL */
};
bool sn_node_resizes(struct sn_pool *p, const struct sn_node *n, struct sn_resize *out);

/* Attention: operands Q, K, V of three dimensions (heads inside the last) or four. */
struct sn_attention {
	bool is_packed; /* three dimensions */
	int64_t repeat; /* query heads for each key head */
	const struct sn_expr *batch, *q_heads, *kv_heads, *q_len, *past_len, *kv_len, *total_len;
	const struct sn_expr *head_size, *v_head_size;
};
bool sn_node_attention(struct sn_pool *p, const struct sn_node *n, struct sn_attention *out);

/* Einsum: labels are bits 0..51 (letters) and from 52 the dimensions of the ellipsis. */
enum { SN_MAX_TERMS = 8, SN_MAX_LABELS = 64 };
struct sn_einsum {
	int nterms;
	int rank[SN_MAX_TERMS + 1]; /* [nterms]: the result */
	int label[SN_MAX_TERMS + 1][SN_MAX_RANK];
	const struct sn_expr *extent[SN_MAX_LABELS]; /* NULL: label not used */
};
bool sn_node_einsum(struct sn_pool *p, const struct sn_node *n, struct sn_einsum *out);

#endif
