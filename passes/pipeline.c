/*
 * The default pipeline, on one screen, each entry with the reason why it stands there.
 */
#include "passes/pass.h"

static const char *const pipeline[] = {
	/* graph: what is computed */
	"infer-shapes",	   /* all later passes read types and known elements */
	"remove-dead",	   /* before anything is spent on what nobody reads */
	"fold-constants",  /* makes weights and shapes constants that rules can see */
	"infer-shapes",	   /* shapes that came out of folding */
	"fold-batch-norm", /* before rules see its product and sum, which round twice */
	"rewrite-graph",
	"merge-common", /* after rules have made more nodes equal */
	"remove-dead",	/* what folding and merging left */
	"lower-graph",
	/* tensor: meaning by index */
	"widen-halves",	  /* before fusing, which would not see through a rounding */
	"simplify-index", /* an outside value that is never taken would keep a view from fusing */
	"place-kernels",  /* only what runs on the same side is fused */
	"fuse-map",	  /* views vanish, epilogues join: before rows are looked for */
	"fuse-rows",
	"split-kernels",       /* what fusing left side by side, each with its own schedule */
	"remove-dead-kernels", /* views that all readers looked through */
	"flush-subnormals",    /* after fusing: a bias stands beside its sum */
	"unfold-reductions",   /* what views that were looked through left: before layouts */
	"split-constants",     /* contractions over the axes of a view keep plain weights */
	"insert-transfers",    /* layouts, slices and storage ask where a tensor lies */
	"assign-layouts",      /* before choosing: knobs depend on what is contiguous */
	"join-slices",	       /* layouts say what may lie in what */
	"split-axes",	       /* groups of channels become a batch */
	"split-reductions",    /* parts have axes and schedules of their own */
	"collapse-axes",       /* layouts say what is contiguous; schedules like long axes */
	"choose-schedule",
	"pack-constants", /* constants are walked as the schedules walk them */
	"store-in-place", /* schedules say who stores an element twice */
	/* loop: how it is computed */
	"apply-schedules",
	"vectorize",
	"legalize-vectors",   /* the other case: loops over lanes stay loops */
	"remove-dead-values", /* before names are given to what they compute */
	"hoist-invariants",   /* last of those that build expressions */
	"align-accesses",     /* names are there, which have divisors, too */
	"plan-memory",	      /* last: it reads what the functions touch */
	NULL,
};

const char *const *
sn_pipeline_default(void)
{
	return pipeline;
}
