/*
 * fuse-map: joins comprehensions so that fewer tensors are stored.
 *
 *	conv:	t[n, m, h, w] = sum(c, r, s) (x[n, c, h+r-1, w+s-1] else 0.0) * k[m, c, r, s]
 *	add:	u[n, m, h, w] = t[n, m, h, w] + b[m]
 *	relu:	y[n, m, h, w] = max(u[n, m, h, w], 0.0)
 * ->	conv_add_relu:	y[n, m, h, w] = max(sum(..) .. + b[m], 0.0)
 *
 * Each comprehension first takes in the producers that are views, or cheaper to
 * compute where they are read than to store and load (fuse_inline.c); a map
 * then becomes part of the comprehension whose result it reads element by
 * element (fuse_merge.c).  Which operators they came from is never asked.
 *
 * It does not look through tensors that several comprehensions store (concat),
 * and it joins no two reductions.  Exact.  Cost: linear in comprehensions, each of
 * which is rewritten once for every producer that it takes in.
 */
#include "passes/fuse.h"

/* Works on the stages of K; some may vanish on the way, K's as well as earlier kernels'. */
static bool
fuse_kernel(struct sn_fuse *f, struct sn_kernel *k)
{
	bool has_changed = false;

	for (size_t left = k->stages.n; left > 0 && k->stages.n > 0;) {
		struct sn_comp *m = k->stages.v[k->stages.n - left];

		has_changed |= sn_fuse_inline(f, k, m);
		has_changed |= sn_fuse_merge(f, k, m);
		/* earlier stages may be gone, and M, too: what is left stands at the end */
		left--;
	}
	return has_changed;
}

bool
sn_pass_fuse_map(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct sn_fuse f;

	sn_fuse_init(&f, c);
	for (size_t i = 0; i < pr->kernels.n; i++)
		c->has_changed |= fuse_kernel(&f, pr->kernels.v[i]);
	sn_fuse_sweep(pr);
	return true;
}
