/* Runs modules of the graph and tensor level on seeded data. */
#include "passes/pass.h"
#include "tests/filetest_pass.h"

bool
ft_run_module(struct ft_run *r, struct sn_module *m, bool is_judge, struct ft_results *out)
{
	static const char *const lower[] = { "infer-shapes", "lower-graph", NULL };
	struct sn_pipeline_opts o = { .passes = lower, .is_verified = true };
	if (!m->program && !sn_pipeline_run(m, &o))
		return ft_fail(r, "can't lower the graph to run it");
	return ft_run_program(r, m->program, is_judge, out);
}
