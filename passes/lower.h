/*
 * Lowering of graph operators to comprehensions: what the functions
 * sn_lower_<x>, one for each row of ir/ops.def, work with.
 *
 * A lowering builds comprehensions and nothing else; it never builds loops.
 * Each node becomes one kernel (of one or a few stages); fusing comes later.
 */
#ifndef PASSES_LOWER_H
#define PASSES_LOWER_H

#include "ir/graph.h"
#include "ir/shape.h"
#include "ir/tensor.h"
#include "passes/pass.h"

/* One function for each row of ir/ops.def. */
struct sn_lower;
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) \
	bool sn_lower_##lower(struct sn_lower *c);
#include "ir/ops.def"

struct sn_lower {
	struct sn_module *module;
	struct sn_program *program;
	struct sn_pool *pool;
	struct sn_arena *arena;
	const struct sn_node *node; /* being lowered */
	struct sn_kernel *kernel;   /* receives the comprehensions */
	struct sn_tensor **tensors; /* by graph value id */
	struct sn_diags *diags;
};

/* The whole of G, which must have its types, in G's arena; NULL if an error was reported. Remarks go
 * to M. */
struct sn_program *sn_lower_program(const struct sn_graph *g, struct sn_module *m,
				    struct sn_diags *diags, struct sn_arena *scratch);

/* Tensors of the node's operands and results; an absent operand is NULL. */
struct sn_tensor *sn_lower_in(struct sn_lower *c, int i);
struct sn_tensor *sn_lower_out(struct sn_lower *c, int i);
struct sn_tensor *sn_lower_temp(struct sn_lower *c, const char *name, enum sn_dtype t, int rank,
				const struct sn_expr *const *dims);

/* A fresh comprehension appended to the node's kernel, with one axis for each dimension of T
 * (short names from "nchwd" are not assumed: i0, i1, ...); add reduction axes with sn_lower_red. */
struct sn_comp *sn_lower_comp(struct sn_lower *c, const struct sn_type *t);
const struct sn_expr *sn_lower_axis(struct sn_comp *m, struct sn_pool *p, int i);
const struct sn_expr *
sn_lower_red(struct sn_lower *c, struct sn_comp *m, const char *name, const struct sn_expr *extent);

/* The result: T at the comprehension's axes, in order, is VALUE, cast to T's type if it differs. */
void sn_lower_store(struct sn_comp *m, struct sn_pool *p, struct sn_tensor *t,
		    const struct sn_expr *value);
/* The same at index IDX. */
void sn_lower_store_at(struct sn_comp *m, struct sn_tensor *t, const struct sn_expr *const *idx,
		       const struct sn_expr *value);

/* The reduction NAME of ir/reduce.def applied to ARG; returns its state 0 for use in the value. */
const struct sn_expr *
sn_lower_reduce(struct sn_lower *c, struct sn_comp *m, const char *name, const struct sn_expr *arg);

/* X read at the comprehension's parallel axes by multidirectional broadcasting. */
const struct sn_expr *
sn_lower_broadcast_read(struct sn_lower *c, struct sn_comp *m, struct sn_tensor *x);

/* X at index IDX, one expression for each dimension, proved in range. */
const struct sn_expr *
sn_lower_read(struct sn_lower *c, struct sn_tensor *x, const struct sn_expr *const *idx);

/* Index of dimension DIM at position I where they may broadcast: 0 for a dimension of one. */
const struct sn_expr *
sn_lower_broadcast_index(struct sn_lower *c, const struct sn_expr *i, const struct sn_expr *extent,
			 const struct sn_expr *dim);

/* A fresh comprehension over the given axes, which other stages may have too. */
struct sn_comp *sn_lower_stage(struct sn_lower *c, const struct sn_axis *const *axes, int naxes);

/* The type in which T is computed: f32 for narrower floats, else T. And E in that type. */
enum sn_dtype sn_lower_compute_type(enum sn_dtype t);
const struct sn_expr *sn_lower_widen(struct sn_lower *c, const struct sn_expr *e);

/* Operand I as expressions (sn_value_elements); NULL if absent or known at run time only. */
const struct sn_expr *const *sn_lower_elements(struct sn_lower *c, int i, int *out_n);

/* Element NUMBER of operand I, a vector or scalar: as inference knows it, else read; integers are
 * i64. And the number of its elements, -1 if the operand is absent or that is not known. */
const struct sn_expr *sn_lower_element(struct sn_lower *c, int i, int number);
int sn_lower_element_count(struct sn_lower *c, int i);

/* True where operand AXES, a list of axes of RANK dimensions read at run time, names AXIS by its
 * element NUMBER. */
const struct sn_expr *
sn_lower_names_axis(struct sn_lower *c, int axes, int number, int axis, int rank);

/* The f32 value E, a result in quanta, rounded to even, plus the zero point (NULL: none), brought into
 * the range of the integer type T. */
const struct sn_expr *sn_lower_saturate(struct sn_lower *c, const struct sn_expr *e,
					const struct sn_expr *zero, enum sn_dtype t);

/* The stages of a log-softmax of X along AXIS into Y. */
void
sn_lower_log_softmax_of(struct sn_lower *c, struct sn_tensor *x, int64_t axis, struct sn_tensor *y);

/* Weights of Keys' cubic with parameter A for four neighbours, S in 0..1 from the second one. */
void sn_lower_cubic_weights(struct sn_lower *c, const struct sn_expr *s, double a,
			    const struct sn_expr **w);

/* "Not supported yet" with the node's name; returns false. */
bool sn_lower_refuse(struct sn_lower *c, const char *what);

#endif
