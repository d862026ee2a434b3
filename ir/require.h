/*
 * Requirements: what a model's own arithmetic asks of sizes that are known at run time only.
 *
 * Inference notes them where it takes for granted what it can't prove: that
 * two extents agree, that a reshape comes out even, that a window fits.  They
 * go along with the graph and the program, and the entry of the generated code
 * checks them, so that what follows may rely on them.
 */
#ifndef IR_REQUIRE_H
#define IR_REQUIRE_H

#include "ir/expr.h"
#include "ir/origin.h"
#include "ir/text.h"

struct sn_require {
	const struct sn_expr *cond; /* bool, over symbols */
	const struct sn_origin *origin;
};

struct sn_requires {
	SN_VEC(struct sn_require) list; /* in order of noting; no condition twice */
};

/* Notes COND, unless it is proved or noted already. False if it is proved never to hold. */
bool sn_require(struct sn_requires *r, struct sn_arena *a, const struct sn_expr *cond,
		const struct sn_origin *origin);

/* The first that the symbols' values, by id, don't fulfil; NULL: none. */
const struct sn_require *sn_requires_broken(const struct sn_requires *r, const int64_t *syms);

/* "2*(H//2) == H", in A. */
const char *sn_require_text(struct sn_arena *a, const struct sn_require *r);

/* Lines "require 2*(H//2) == H @ Add 3 "up"", indented by DEPTH; FILE as for origins.  The parser
 * reads one whose first word is the current token. */
void
sn_requires_print(struct sn_buf *out, const struct sn_requires *r, int depth, const char *file);
bool sn_require_parse(struct sn_lex *x, struct sn_arena *a, struct sn_pool *p,
		      const struct sn_sym_scope *syms, const char *file, struct sn_requires *out);
void sn_sym_list_add_requires(struct sn_sym_list *l, const struct sn_requires *r);

/* E, an expression over symbols, for their values by id; false if it has other leaves. */
bool sn_expr_value(const struct sn_expr *e, const int64_t *syms, union sn_num *out);

#endif
