/*
 * Inside of the parser of the tensor level (docs/ir.md).
 */
#ifndef IR_TENSOR_PARSE_H
#define IR_TENSOR_PARSE_H

#include "ir/tensor_text.h"
#include "ir/text.h"

/* A tensor whose base has been named but perhaps not read. */
struct sn_pending_base {
	struct sn_tensor *tensor;
	const char *name;
	struct sn_lex mark;
};

struct sn_tensor_parser {
	struct sn_lex x;
	struct sn_program *pr;
	const char *file; /* the model's, of origins that name none */
	struct sn_sym_scope syms;
	struct sn_map tensors;		  /* by name */
	struct sn_map reducers;		  /* by name, those of the text */
	struct sn_map locals;		  /* by name: axes, states and lets of the comprehension */
	const struct sn_reducer *reducer; /* being defined: state0, arg0, other0 mean something */
	SN_VEC(struct sn_pending_base) bases;
	struct sn_expr_scope scope;
};

/* One comprehension of K, from "for" on. */
bool sn_comp_parse(struct sn_tensor_parser *p, struct sn_kernel *k);

/* A reducer's definition; the word has been read. */
bool sn_reducer_parse(struct sn_tensor_parser *p);

#endif
