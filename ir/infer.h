/*
 * Inference of types, shapes and small values on the graph level.
 *
 * One function per operator (table ir/ops.def), called with operands whose
 * types are known; it fills the results' types and, for operators that compute
 * shapes, the results' known elements.  Problems are reported with the node's
 * name, all of a model in one run.
 */
#ifndef IR_INFER_H
#define IR_INFER_H

#include "ir/graph.h"

struct sn_infer {
	struct sn_graph *graph;
	struct sn_pool *pool;
	struct sn_arena *arena;
	struct sn_diags *diags;
	const struct sn_type
		*declared; /* of the present node's results, by the model or inferred before */
	int ndeclared;
	struct sn_requires *requires; /* receives what is taken for granted; NULL: nothing does */
};

/* Infers the whole graph (regions too); false if an error was reported. Declared output shapes are
 * unified with inferred ones. */
bool sn_infer_graph(struct sn_graph *g, struct sn_diags *diags);

/* Infers one node: fills types of its results. */
bool sn_infer_node(struct sn_infer *c, struct sn_node *n);

/*
 * The elements of a small tensor (at most 64) as expressions over symbols, from
 * its data or as inference found them; NULL if not known.  Integers of every
 * type are i64 (dimensions), bool is bool, floats have their own type.
 */
const struct sn_expr *const *
sn_value_elements(struct sn_pool *p, struct sn_arena *a, const struct sn_value *v, int *out_n);

#endif
