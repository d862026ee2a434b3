/*
 * simplify-index: drops outside values that are never taken.
 *
 *	y[i] = (x[i] else 0.0)	with i < 8, x of 8	->	y[i] = x[i]
 *
 * Index arithmetic itself is simplified wherever an expression is made; this
 * pass rebuilds every expression, so that what later became known (an axis that
 * turned into a constant) takes effect.  Exact.  Cost: linear in expressions.
 */
#include "passes/fuse.h"

static const struct sn_expr *
drop_outside(struct sn_subst *s, const struct sn_expr *e)
{
	if (e->kind != EX_READ || !e->has_outside || !sn_fuse_in_range(s->pool, e->tensor, e->args))
		return NULL;
	return sn_read(s->pool, e->tensor, e->args, e->nargs - 1, NULL);
}

static bool
is_changed(const struct sn_comp *a, const struct sn_comp *b)
{
	for (int i = 0; a->reducer && i < a->reducer->nargs; i++)
		if (a->args[i] != b->args[i])
			return true;
	for (int i = 0; i < a->nresults; i++) {
		if (a->results[i].value != b->results[i].value)
			return true;
		for (int d = 0; d < a->results[i].tensor->type.rank; d++)
			if (a->results[i].idx[d] != b->results[i].idx[d])
				return true;
	}
	return false;
}

bool
sn_pass_simplify_index(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct sn_subst s;

	sn_subst_init(&s, pr->pool, c->scratch);
	s.leaf = drop_outside;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++) {
			struct sn_comp *m = pr->kernels.v[i]->stages.v[j], old = *m;

			sn_comp_subst(m, &s);
			c->has_changed |= is_changed(&old, m);
		}
	}
	return true;
}
