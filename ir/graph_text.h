/*
 * What printer and parser of the graph level agree on; nobody else includes this.
 *
 *	graph "name" in "model.onnx" [N in 1..64]
 *		(f32[N,3,8,8] x) => (f32[N,4] y, f32[N,4] h as "hidden")
 *		<f32[4,3] w = {...}, f32[4] b = splat 0.5>
 *	{
 *		f32[N,4] h = Conv <strides = [2, 2]> (x, w, _) @ Conv 3 "conv1"
 *		i64[2] s {N, 4} = Shape (h)
 *		y = If (c)
 *			region then_branch () => (t) { ... }
 *			region else_branch () => (e) { ... }
 *	}
 *
 * "_" is an absent operand or result.
 */
#ifndef IR_GRAPH_TEXT_H
#define IR_GRAPH_TEXT_H

#include "ir/graph.h"
#include "ir/text.h"

/* Words that mean something where a value's name may stand. */
extern const char *const sn_graph_keywords[];

#endif
