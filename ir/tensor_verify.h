/*
 * Inside of the verifier of the tensor level.
 */
#ifndef IR_TENSOR_VERIFY_H
#define IR_TENSOR_VERIFY_H

#include "ir/tensor_text.h"

/* Which line of the comprehension a message stands under. */
enum verify_line { VL_AXES, VL_ARGS, VL_RESULT };

struct verify {
	struct sn_program *pr;
	struct sn_diags *diags;
	struct sn_arena *arena;
	const struct sn_kernel *kernel;
	const struct sn_comp *comp;
	int place; /* of the comprehension: counts through the program */
	enum verify_line line;
	int result; /* VL_RESULT: which */
	bool has_failed;
	struct verify_stores *stores; /* by tensor id */
};

/* One result of one comprehension that stores a tensor. */
struct verify_store {
	const struct sn_kernel *kernel;
	const struct sn_comp *comp;
	int place, result;
};

struct verify_stores {
	SN_VEC(struct verify_store) list;
};

/* Reports with the current line of the text below the message. */
#define SN_VERIFY_ERROR(v, id, ...) \
	((v)->has_failed = true, \
	 sn_report_excerpt((v)->diags, sn_verify_where(v), sn_verify_excerpt(v), id, __VA_ARGS__))
struct sn_where sn_verify_where(const struct verify *v);
const char *sn_verify_excerpt(struct verify *v);

/* Is 0 <= E < EXTENT for all values of axes and symbols? */
bool sn_verify_in_range(struct verify *v, const struct sn_expr *e, const struct sn_expr *extent);

/* The stores of every tensor: index affine and injective, in range; each element once. */
void sn_verify_result(struct verify *v, const struct sn_result *r);
void sn_verify_coverage(struct verify *v);

/* Do indices X and Y of a tensor never meet?  One dimension in which they differ is enough. */
bool sn_verify_are_apart(struct sn_pool *p, int rank, const struct sn_expr *const *x,
			 const struct sn_expr *const *y);

/* tensor_verify_place.c: T, stored in place; which memories the current kernel works on. */
void sn_verify_in_place(struct verify *v, const struct sn_tensor *t);
void sn_verify_host(struct verify *v);

/* tensor_verify_expr.c: expressions of the current comprehension, and reducers. */
void sn_verify_exprs(struct verify *v);

#endif
