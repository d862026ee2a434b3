/*
 * What the files of the expression pool share; nobody else includes it.
 */
#ifndef IR_EXPR_IMPL_H
#define IR_EXPR_IMPL_H

#include "ir/expr.h"

/* The one expression equal to HEAD with HEAD->nargs operands ARGS; new if there was none.
 * HEAD's id, has, lo, hi and axes are ignored and computed. */
const struct sn_expr *
sn_expr_intern(struct sn_pool *p, const struct sn_expr *head, const struct sn_expr *const *args);

/* The node OP itself, nothing folded or simplified. */
const struct sn_expr *sn_expr_node(struct sn_pool *p, enum sn_scalar_op op, enum sn_dtype dtype,
				   const struct sn_expr *const *args, int nargs);

/* Fills lo and hi of E (i64) from its operands' (ir/index_bounds.c). */
void sn_index_set_bounds(struct sn_expr *e);

#endif
