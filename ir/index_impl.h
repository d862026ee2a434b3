/*
 * What the files of index arithmetic share; nobody else includes it.
 */
#ifndef IR_INDEX_IMPL_H
#define IR_INDEX_IMPL_H

#include "ir/expr_impl.h"
#include "ir/index.h"

enum { SN_MAX_TERMS = 16 };

/* A += COEF * BASE, BASE no sum; A += COEF * E, any E. False if there is no room: A is spoilt. */
bool sn_affine_add_term(struct sn_affine *a, const struct sn_expr *base, int64_t coef);
bool sn_affine_add(struct sn_affine *a, const struct sn_expr *e, int64_t coef);

/* Wrapping arithmetic, and proved bounds of a form. */
int64_t sn_wrap_add(int64_t a, int64_t b);
int64_t sn_wrap_mul(int64_t a, int64_t b);
void sn_affine_bounds(const struct sn_affine *a, int64_t *out_lo, int64_t *out_hi);

/* Rounds down; k > 0. Infinite bounds (the ends of int64_t) stay infinite. */
int64_t sn_floor_div(int64_t a, int64_t k);
int64_t sn_floor_mod(int64_t a, int64_t k);

/* The factors of a product of two or more, or E alone; 0 if they are too many. */
int sn_factors(const struct sn_expr *e, const struct sn_expr **out /* SN_MAX_TERMS */);
/* And their product, which is 1 for none; the factors get sorted. */
const struct sn_expr *sn_product(struct sn_pool *p, const struct sn_expr **factors, int n);

/* ir/index_div.c: NULL if nothing can be simplified. */
const struct sn_expr *sn_index_floordiv(struct sn_pool *p, const struct sn_expr *const *args);
const struct sn_expr *sn_index_mod(struct sn_pool *p, const struct sn_expr *const *args);
/* Joins quotients and remainders of one number in A: 16*(x//16) + x%16 = x. */
void sn_affine_join(struct sn_pool *p, struct sn_affine *a);

#endif
