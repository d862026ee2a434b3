/*
 * remove-dead-kernels: removes results that nobody reads, and the stages and
 * kernels that then store nothing.
 *
 *	t[i] = exp(x[i])
 *	y[i] = x[i] + 1.0	->	y[i] = x[i] + 1.0
 *
 * Walks backwards, so a chain goes in one sweep.  A reduction whose states are
 * no longer used stays as long as its comprehension stores anything.  Exact.
 * Cost: linear in expressions.
 */
#include "passes/fuse.h"

static bool
drop_results(struct sn_fuse *f, struct sn_comp *m)
{
	int n = 0, all = m->nresults;

	sn_fuse_count(f, m, -1);
	for (int i = 0; i < all; i++) {
		const struct sn_tensor *t = m->results[i].tensor;

		if (t->role != TR_TEMP || f->info[t->id].nreaders > 0)
			m->results[n++] = m->results[i];
	}
	m->nresults = n;
	if (n > 0)
		sn_fuse_count(f, m, 1);
	return n < all;
}

static bool
sweep_kernel(struct sn_fuse *f, struct sn_kernel *k)
{
	bool has_changed = false;
	size_t n = 0;

	for (size_t i = k->stages.n; i-- > 0;)
		has_changed |= drop_results(f, k->stages.v[i]);
	for (size_t i = 0; i < k->stages.n; i++)
		if (k->stages.v[i]->nresults > 0)
			k->stages.v[n++] = k->stages.v[i];
	k->stages.n = n;
	return has_changed;
}

bool
sn_pass_remove_dead_kernels(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct sn_fuse f;

	sn_fuse_init(&f, c);
	for (size_t i = pr->kernels.n; i-- > 0;)
		c->has_changed |= sweep_kernel(&f, pr->kernels.v[i]);
	sn_fuse_sweep(pr);
	return true;
}
