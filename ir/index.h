/*
 * Index arithmetic: canonical affine forms, bounds, and what can be proved.
 *
 * An i64 expression is kept as c0 + c1*t1 + c2*t2 + ..., terms in order of
 * their ids, each ti not itself a sum (an axis, a symbol, a product of
 * symbols, a quotient, a remainder, a read, a minimum, ...).  Quotients and
 * remainders by constants are split: (16*a + b)//16 = a + b//16 with b//16 = 0
 * when 0 <= b < 16 is proved by the axes' extents and the symbols' bounds.
 */
#ifndef IR_INDEX_H
#define IR_INDEX_H

#include "ir/expr.h"

struct sn_term {
	const struct sn_expr *base;
	int64_t coef;
};

struct sn_affine {
	int64_t constant;
	int n;
	struct sn_term terms[16]; /* in order of base->id */
	bool is_exact;		  /* false: more than 16 terms, E itself is the one term */
};

/* Takes a canonical expression apart. */
void sn_affine_of(const struct sn_expr *e, struct sn_affine *out);

/* And puts it together. */
const struct sn_expr *sn_affine_expr(struct sn_pool *p, const struct sn_affine *a);

/* Coefficient of AXIS in the affine form of E; false if E is not affine in it (the axis occurs
 * inside a quotient, a read, ...). */
bool sn_affine_coef(const struct sn_expr *e, const struct sn_axis *axis, int64_t *out_coef);

/* The same where the coefficient may be symbolic (a stride W): E = AXIS * *out_coef + *out_rest. */
bool sn_affine_split(struct sn_pool *p, const struct sn_expr *e, const struct sn_axis *axis,
		     const struct sn_expr **out_coef, const struct sn_expr **out_rest);

/* Proved inclusive bounds of E over all its axes and symbols; saturating. */
void sn_bounds(const struct sn_expr *e, int64_t *out_lo, int64_t *out_hi);

/* True only if proved for all values of axes and symbols. */
bool sn_prove_le(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);
bool sn_prove_lt(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);
/* True if K divides E, by its coefficients. */
bool sn_prove_divides(const struct sn_expr *e, int64_t k);

/* OP on i64 operands, simplified, or NULL if there is nothing to simplify; called by sn_op only. */
const struct sn_expr *
sn_index_op(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *const *args, int nargs);

#endif
