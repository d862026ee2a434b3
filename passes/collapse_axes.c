/*
 * collapse-axes: neighbouring parallel axes that every access walks as one become one.
 *
 *	for h<7, w<9: y[h, w] = x[h, w] + 1   ->   for h<63: y[h//9, h%9] = x[h//9, h%9] + 1
 *
 * The offsets of all accesses, with layouts applied, are linear in the joined
 * axis again; long loops have fewer tails, and the rows of a 1x1 convolution can
 * be cut anywhere.  Only kernels of one stage.  Exact.  Cost: linear in reads.
 */
#include "ir/index.h"
#include "ir/layout.h"
#include "passes/emit.h"
#include "passes/pass.h"

struct collapse {
	struct sn_pass_ctx *c;
	struct sn_pool *pool;
	struct sn_comp *m;
	const struct sn_axis *outer, *inner;
};

/* Is the element at IDX of T one step of INNER further for one step, and EXTENT steps for one of OUTER?
 * Or does neither move it? */
static bool
walks_as_one(const struct collapse *x, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	bool has_axis = false;
	for (int d = 0; d < t->type.rank; d++)
		has_axis |= sn_expr_has_axis(idx[d], x->outer)
			    || sn_expr_has_axis(idx[d], x->inner);
	if (!has_axis)
		return true;
	const struct sn_expr *off = sn_layout_offset(x->pool, sn_layout_of(x->pool, t), idx);
	const struct sn_expr *far, *near, *rest;
	if (!sn_affine_split(x->pool, off, x->outer, &far, &rest)
	    || !sn_affine_split(x->pool, rest, x->inner, &near, &rest))
		return false;
	return far == sn_mul(x->pool, near, x->inner->extent);
}

static bool
reads_walk_as_one(const struct collapse *x, const struct sn_expr *e)
{
	struct sn_read_list reads = { 0 };
	sn_reads_of(e, x->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *r = reads.list.v[i];
		bool has_axis = sn_expr_has_axis(r, x->outer) || sn_expr_has_axis(r, x->inner);
		if ((r->has_outside && has_axis) || !walks_as_one(x, r->tensor, r->args))
			return false;
	}
	return true;
}

static bool
can_collapse(const struct collapse *x)
{
	const struct sn_comp *m = x->m;
	if (sn_is_int_const(x->outer->extent, 1) || sn_is_int_const(x->inner->extent, 1))
		return false;
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		if (!reads_walk_as_one(x, m->args[i]))
			return false;
	for (int i = 0; i < m->nresults; i++)
		if (!walks_as_one(x, m->results[i].tensor, m->results[i].idx)
		    || !reads_walk_as_one(x, m->results[i].value))
			return false;
	return true;
}

/* Axes AT and AT+1 of the stage become one. */
static void
collapse(const struct collapse *x, int at)
{
	struct sn_pool *p = x->pool;
	struct sn_comp *m = x->m;
	struct sn_axis *joined = sn_axis_new(p, x->outer->name,
					     sn_mul(p, x->outer->extent, x->inner->extent));
	const struct sn_expr *f = sn_axis_expr(p, joined), *n = x->inner->extent;
	struct sn_subst s;
	sn_subst_init(&s, p, x->c->scratch);
	sn_subst_put(&s, sn_axis_expr(p, x->outer), sn_op2(p, OP_FLOORDIV, f, n));
	sn_subst_put(&s, sn_axis_expr(p, x->inner), sn_op2(p, OP_MOD, f, n));
	sn_comp_subst(m, &s);
	m->axes[at] = joined;
	for (int i = at + 1; i < m->naxes - 1; i++)
		m->axes[i] = m->axes[i + 1];
	m->naxes--;
}

/* After joining, every access must have a linear offset in one piece again, or the schedules would
 * see quotients. */
static bool
stays_linear(const struct collapse *x, int at)
{
	struct sn_comp copy = *x->m;
	struct collapse y = *x;
	y.m = &copy;
	collapse(&y, at);
	const struct sn_axis *f = copy.axes[at];
	const struct sn_expr *coef, *rest;
	for (int i = 0; i < copy.nresults; i++) {
		const struct sn_result *r = &copy.results[i];
		const struct sn_layout *l = sn_layout_of(x->pool, r->tensor);
		if (!sn_affine_split(x->pool, sn_layout_offset(x->pool, l, r->idx), f, &coef,
				     &rest))
			return false;
	}
	struct sn_read_list reads = { 0 };
	for (int i = 0; copy.reducer && i < copy.reducer->nargs; i++)
		sn_reads_of(copy.args[i], x->c->scratch, &reads);
	for (int i = 0; i < copy.nresults; i++)
		sn_reads_of(copy.results[i].value, x->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *r = reads.list.v[i];
		const struct sn_layout *l = sn_layout_of(x->pool, r->tensor);
		if (sn_expr_has_axis(r, f)
		    && (sn_read_guards(x->pool, r)
			|| !sn_affine_split(x->pool, sn_layout_offset(x->pool, l, r->args), f,
					    &coef, &rest)))
			return false;
	}
	return true;
}

bool
sn_pass_collapse_axes(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	for (size_t k = 0; k < pr->kernels.n; k++) {
		struct sn_comp *m = pr->kernels.v[k]->stages.v[0];
		if (pr->kernels.v[k]->stages.n != 1)
			continue;
		for (int i = m->naxes - 2; i >= pr->kernels.v[k]->nshared; i--) {
			struct collapse x = { c, pr->pool, m, m->axes[i], m->axes[i + 1] };
			if (!can_collapse(&x) || !stays_linear(&x, i))
				continue;
			collapse(&x, i);
			c->has_changed = true;
		}
	}
	return true;
}
