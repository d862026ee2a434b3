/*
 * Types of values: element type and dimensions; sequences and optionals of them.
 */
#ifndef IR_TYPE_H
#define IR_TYPE_H

#include "ir/expr.h"

enum { SN_MAX_RANK = 8 };

enum sn_type_kind { TY_TENSOR, TY_SEQUENCE, TY_OPTIONAL };

struct sn_type {
	enum sn_type_kind kind;
	enum sn_dtype dtype;
	int rank;				 /* -1: unknown (refused after inference) */
	const struct sn_expr *dims[SN_MAX_RANK]; /* i64 expressions over symbols */
	const struct sn_type *elem;		 /* of sequences and optionals */
};

/* Number of elements as an expression; 1 for scalars. */
const struct sn_expr *sn_type_count(struct sn_pool *p, const struct sn_type *t);

/* A tensor whose element type, rank and dimensions are all there; symbols may be among them. */
bool sn_type_is_known(const struct sn_type *t);

/* True and the count if every dimension is a constant (overflow: false). */
bool sn_type_is_static(const struct sn_type *t, int64_t *out_count);
bool sn_type_equal(const struct sn_type *a, const struct sn_type *b);

/* "f32[1,N,2*H+1]" */
void sn_type_print(struct sn_buf *out, const struct sn_type *t);

#endif
