/*
 * Scalar bodies of the elementwise operators, the MAP rows of ir/ops.def.
 *
 * Inference applies them to the known elements of small tensors, lowering to
 * reads of the operands: what an elementwise operator means stands once.
 */
#ifndef IR_MAP_H
#define IR_MAP_H

#include "ir/graph.h"

/* The body of OP over the operands' elements ARGS (NULL: absent optional operand), which have one
 * type unless the row says otherwise; AT are the node's attributes. NULL if OP has no MAP row. */
const struct sn_expr *sn_map_body(struct sn_pool *p, enum sn_graph_op op, const void *at,
				  const struct sn_expr *const *args, int nargs);

#endif
