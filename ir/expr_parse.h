/*
 * Parser of expressions, shared by the text forms of all levels (docs/ir.md).
 *
 * The counterpart of sn_expr_print: what that writes, this reads back.  What a
 * name means is the level's business and is asked of a scope.  Types are
 * checked here, so that sn_op never sees operands that don't agree.
 */
#ifndef IR_EXPR_PARSE_H
#define IR_EXPR_PARSE_H

#include "ir/expr.h"
#include "ir/lex.h"

struct sn_expr_scope {
	/* What a name means that stands alone (symbol, axis, local, let; state0 and the like unless
	 * quoted); NULL if nothing, which the parser reports. */
	const struct sn_expr *(*leaf)(void *arg, const char *name, bool is_quoted);
	/* The tensor of x[...]; NULL, or returning NULL: there is none. */
	const struct sn_tensor *(*tensor)(void *arg, const char *name);
	/* Rank and element type of that tensor, to check the indices (ir/tensor.h). */
	void (*shape)(const struct sn_tensor *t, int *out_rank, enum sn_dtype *out_dtype);
	void *arg;
};

/* An expression from the current token on; NULL if an error was reported. */
const struct sn_expr *
sn_expr_parse(struct sn_lex *x, struct sn_pool *p, const struct sn_expr_scope *scope);

/* The same, and it must be a scalar of type i64: a dimension or an index. */
const struct sn_expr *
sn_index_parse(struct sn_lex *x, struct sn_pool *p, const struct sn_expr_scope *scope);

#endif
