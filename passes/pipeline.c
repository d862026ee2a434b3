/*
 * The default pipeline, on one screen, each entry with the reason why it stands there.
 */
#include "passes/pass.h"

static const char *const pipeline[] = {
	/* graph: what is computed */
	"infer-shapes",		/* all later passes read types and known elements */
	"remove-dead",		/* before anything is spent on what nobody reads */
	"choose-schedule",
	"assign-layouts",
	"pack-constants",
	"apply-schedules",
	"plan-memory",
	NULL,
};

const char *const *
sn_pipeline_default(void)
{
	return pipeline;
}
