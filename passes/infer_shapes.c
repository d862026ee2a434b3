/*
 * infer-shapes: fills in the type of every value and the elements of small
 * tensors that only depend on dimensions.
 *
 *	y = Conv <pads = [1,1,1,1]> (x, w)  ->  f32[N,8,H,W] y = Conv ...
 *	s = Shape (x)                       ->  i64[4] s {N, 3, H, W} = Shape (x)
 *
 * Every later pass relies on types; rules keep them right by inferring what
 * they build.  Exact.  Cost: linear in nodes.
 */
#include "ir/infer.h"
#include "passes/pass.h"

bool
sn_pass_infer_shapes(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	c->has_changed = true;
	return sn_infer_graph(m->graph, m->diags);
}
