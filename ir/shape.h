/*
 * Shape arithmetic, the one place: broadcasting, axes, windows, reshapes.
 * Used by inference and by lowering alike; all dimensions are expressions.
 */
#ifndef IR_SHAPE_H
#define IR_SHAPE_H

#include "ir/type.h"

/* Brings AXIS from -rank..rank-1 to 0..rank-1; false outside. */
bool sn_shape_axis(int64_t axis, int rank, int *out);

/* Multidirectional broadcasting of two shapes; a pair that is neither equal nor 1 as far as can be
 * proved different gives false; unproved pairs take the one that is not 1, else A's. */
bool sn_shape_broadcast(struct sn_pool *p, const struct sn_type *a, const struct sn_type *b,
			struct sn_type *out);

/* A sliding window over one axis (Conv, pooling). */
struct sn_window {
	int64_t kernel, stride, dilation;
	const struct sn_expr *pad_lo, *pad_hi; /* after auto_pad */
	const struct sn_expr *in, *out;	       /* extents */
};

/* What nodes say about their windows: all that was given has one entry per axis, pads two (lo...,
 * hi...); n <= 0: not given. auto_pad is NULL or NOTSET, VALID, SAME_UPPER, SAME_LOWER. */
struct sn_ints;
struct sn_window_attrs {
	int nspatial;
	const int64_t *kernel;
	const struct sn_ints *strides, *dilations, *pads;
	const char *auto_pad;
	bool ceil_mode;
};

/* The windows over the last axes of X; false if they don't fit it. */
bool sn_shape_windows(struct sn_pool *p, const struct sn_type *x,
		      const struct sn_window_attrs *at, struct sn_window *out);

/* The smaller and the larger of two, without an operation where one is proved so. */
const struct sn_expr *
sn_shape_min(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);
const struct sn_expr *
sn_shape_max(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);

/* False if A and B are proved different; unproved counts as perhaps equal. */
bool sn_shape_may_equal(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);

/* The product of NUM[0..n) divided by that of DEN[0..m), factors cancelled; what remains below is
 * divided by floor. False if DEN is zero or proved not to divide NUM. */
bool sn_shape_quotient(struct sn_pool *p, const struct sn_expr *const *num, int n,
		       const struct sn_expr *const *den, int m, const struct sn_expr **out);

/*
 * Reshape as an index map by the smallest groups of equal products: each group
 * maps source dims [s0,s1) to result dims [d0,d1).  A group of one to one is the
 * identity; one side of a group may be empty, the other then holds ones only.
 * Returns the number of groups; where products can't be matched, the last group
 * is all the rest.
 */
struct sn_reshape_group {
	int s0, s1, d0, d1;
};
int sn_shape_reshape_groups(struct sn_pool *p, const struct sn_type *src, const struct sn_type *dst,
			    struct sn_reshape_group *out /* SN_MAX_RANK */);

#endif
