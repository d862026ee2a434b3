/*
 * simplify-index: what is known of an index, or by it, is written down.
 *
 *	y[i] = (x[i] else 0.0)	with i < 8, x of 8	->	y[i] = x[i]
 *	y[i] = pow(x[i], c[])	with c = {2.0}		->	y[i] = x[i] * x[i]
 *	s = sum(c<64, k<1) ..[c, h+k] ..		->	s = sum(c<64) ..[c, h] ..
 *
 * An outside value that is never taken goes, an element of a constant that is
 * known becomes a number, and a reduction loses axes of one point, unless it
 * is the last one.  Index arithmetic itself is simplified wherever an expression
 * is made.  Parallel axes stay: they are the dimensions of the result.  Exact.
 * Cost: linear in expressions.
 */
#include "passes/fuse.h"

/* The element that E reads, if it is a constant's and known; NULL if not. */
static const struct sn_expr *
known_element(struct sn_pool *p, const struct sn_expr *e)
{
	const struct sn_data *data = e->tensor->data;
	int64_t at = 0, i, n;

	if (e->tensor->role != TR_CONST || !data || !data->bytes || e->has_outside)
		return NULL;
	if (data->is_splat || data->n == 1)
		return sn_const(p, data->dtype, sn_data_get(data, 0));
	for (int d = 0; d < e->nargs; d++) {
		if (!sn_get_int(e->args[d], &i) || !sn_get_int(e->tensor->type.dims[d], &n) || i < 0
		    || i >= n)
			return NULL;
		at = at * n + i;
	}
	return (size_t)at < data->n ? sn_const(p, data->dtype, sn_data_get(data, (size_t)at))
				    : NULL;
}

static const struct sn_expr *
simplify_read(struct sn_subst *s, const struct sn_expr *e)
{
	if (e->kind != EX_READ)
		return NULL;
	const struct sn_expr *x = e;

	if (e->has_outside && sn_fuse_in_range(s->pool, e->tensor, e->args))
		x = sn_read(s->pool, e->tensor, e->args, e->nargs - 1, NULL);
	const struct sn_expr *number = known_element(s->pool, x);

	return number ? number : x;
}

/* Takes reduction axes of one point out of M; their index becomes 0 in S. */
static void
drop_single_points(struct sn_subst *s, struct sn_comp *m)
{
	int n = 0;

	for (int i = 0; i < m->nred; i++) {
		bool is_last = n == 0 && i == m->nred - 1;

		if (is_last || !sn_is_int_const(m->red[i]->extent, 1))
			m->red[n++] = m->red[i];
		else
			sn_subst_put(s, sn_axis_expr(s->pool, m->red[i]), sn_int(s->pool, 0));
	}
	m->nred = n;
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
	return a->nred != b->nred;
}

bool
sn_pass_simplify_index(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct sn_subst s;

	sn_subst_init(&s, pr->pool, c->scratch);
	s.leaf = simplify_read;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++) {
			struct sn_comp *m = pr->kernels.v[i]->stages.v[j], old = *m;

			drop_single_points(&s, m);
			sn_comp_subst(m, &s);
			c->has_changed |= is_changed(&old, m);
		}
	}
	return true;
}
