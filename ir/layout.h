/*
 * Layouts: from a logical index to an element offset.
 *
 * offset(i) = sum over parts k of ((i[axis_k] + halo_lo[axis_k]) / div_k % mod_k) * stride_k
 * with mod_k = 0 for "no remainder".  Row-major is one part per axis.  NCHW
 * with channels in blocks of 16 and a halo of 1 (NCHW16c):
 *	axis 0 /1        * C/16*(H+2)*(W+2)*16
 *	axis 1 /16       * (H+2)*(W+2)*16
 *	axis 2 /1  (+1)  * (W+2)*16
 *	axis 3 /1  (+1)  * 16
 *	axis 1 /1 %16    * 1
 * Elements of the halo and of padding hold FILL; whoever writes the tensor
 * writes them in the same run.
 */
#ifndef IR_LAYOUT_H
#define IR_LAYOUT_H

#include "ir/type.h"

enum { SN_MAX_PARTS = 16 };

struct sn_layout_part {
	int axis;
	int64_t div, mod;
	const struct sn_expr *stride;
};

struct sn_layout {
	int rank;
	enum sn_dtype dtype;			   /* of the elements and of FILL */
	const struct sn_expr *extent[SN_MAX_RANK]; /* padded, halo included */
	int64_t halo_lo[SN_MAX_RANK], halo_hi[SN_MAX_RANK];
	union sn_num fill; /* value of halo and padding */
	bool has_fill;	   /* false: padding is never read */
	int nparts;
	struct sn_layout_part parts[SN_MAX_PARTS]; /* outermost first */
	const struct sn_expr *size;		   /* elements */
};

/* Row-major, dense. */
const struct sn_layout *sn_layout_dense(struct sn_pool *p, const struct sn_type *t);

struct sn_layout_blocking {
	int axis;
	int64_t block;
	const int64_t *halo_lo, *halo_hi; /* per axis; NULL: none */
	const union sn_num *fill;	  /* what the halo holds; NULL: anything */
};

/* The axis in blocks innermost (others row-major outside it), its extent padded to a multiple. */
const struct sn_layout *
sn_layout_blocked(struct sn_pool *p, const struct sn_type *t, const struct sn_layout_blocking *b);

/* N PARTS in the order given, outermost first; strides and extents are filled in. Each dimension has
 * one part without remainder, and parts with remainder for what that one divides away. */
const struct sn_layout *sn_layout_of_parts(struct sn_pool *p, const struct sn_type *t,
					   const struct sn_layout_part *parts, int n);

/* The layout of T (dense when it has none of its own). */
struct sn_tensor;
const struct sn_layout *sn_layout_of(struct sn_pool *p, const struct sn_tensor *t);

/* Offset of the element at logical index IDX. */
const struct sn_expr *
sn_layout_offset(struct sn_pool *p, const struct sn_layout *l, const struct sn_expr *const *idx);
bool sn_layout_equal(const struct sn_layout *a, const struct sn_layout *b);
bool sn_layout_is_dense(struct sn_pool *p, const struct sn_layout *l, const struct sn_type *t);

/* Text: "{0 1/16 2+1+1 3+1+1 1%16 fill 0}", the parts outermost first; nothing for dense. */
void sn_layout_print(struct sn_buf *out, const struct sn_layout *l);

/* Reads that back, from '{' on, for a tensor of type T; NULL if an error was reported. */
struct sn_lex;
const struct sn_layout *
sn_layout_parse(struct sn_lex *x, struct sn_pool *p, const struct sn_type *t);

#endif
