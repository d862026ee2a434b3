/*
 * split-kernels: stages that share no loops become kernels of their own.
 *
 *	kernel concat { for ...: y[i] = a[i];  for ...: y[i+N] = b[i] }
 *		->  kernel concat { ... }  kernel concat { ... }
 *
 * Nothing is gained by keeping them together, and each gets the schedule that
 * fits it.  Kernels with shared axes or scratch stay whole; on a device scratch is
 * given up instead, since stages without shared axes could run in one item only.
 * Exact.  Cost: linear.
 */
#include "passes/pass.h"

static bool
has_scratch(const struct sn_kernel *k)
{
	for (size_t i = 0; i < k->stages.n; i++)
		for (int r = 0; r < k->stages.v[i]->nresults; r++)
			if (k->stages.v[i]->results[r].tensor->store == TS_SCRATCH)
				return true;
	return false;
}

static void
give_up_scratch(struct sn_kernel *k)
{
	for (size_t i = 0; i < k->stages.n; i++)
		for (int r = 0; r < k->stages.v[i]->nresults; r++)
			if (k->stages.v[i]->results[r].tensor->store == TS_SCRATCH)
				k->stages.v[i]->results[r].tensor->store = TS_OWN;
}

bool
sn_pass_split_kernels(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	bool is_device = sn_target_is_device(c->module->target);
	SN_VEC(struct sn_kernel *) list = { 0 };
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_kernel *k = pr->kernels.v[i];
		SN_PUSH(pr->arena, &list, k);
		if (k->nshared > 0 || k->stages.n < 2 || (has_scratch(k) && !is_device))
			continue;
		give_up_scratch(k);
		for (size_t j = 1; j < k->stages.n; j++)
			SN_PUSH(pr->arena, &list, sn_kernel_of_stage(pr, k, k->stages.v[j]));
		k->stages.n = 1;
		c->has_changed = true;
	}
	pr->kernels.v = list.v;
	pr->kernels.n = list.n;
	pr->kernels.cap = list.cap;
	return true;
}
