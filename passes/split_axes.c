/*
 * split-axes: on a device, an axis of which indices use quotients becomes two.
 *
 *	for m<64, w<7: s = sum(c<8) x[8*(m//16)+c, w] * k[m, c]
 *		->  for m<4, m1<16, w<7: s = sum(c<8) x[8*m+c, w] * k[16*m+m1, c]
 *
 * Then the groups of a convolution are an axis that moves both operands, and the
 * rest a contraction like any other.  Only reductions of one stage.  Exact.  Cost:
 * linear in expressions.
 */
#include "passes/pass.h"
#include "passes/emit.h"

struct find {
	const struct sn_axis *axis;
	int64_t by; /* the quotients' divisor, 0: none found */
};

static void
find_quotient(const struct sn_expr *e, void *arg)
{
	struct find *f = arg;
	int64_t k;
	if (e->kind == EX_OP && e->op == OP_FLOORDIV && e->args[0]->kind == EX_AXIS
	    && e->args[0]->axis == f->axis && sn_get_int(e->args[1], &k) && k > 1)
		f->by = k;
}

/* What indices in the reduction of M divide axis A by, if it divides the extent; 0: nothing. */
static int64_t
divisor_of(struct sn_pass_ctx *c, const struct sn_comp *m, const struct sn_axis *a)
{
	struct find f = { a, 0 };
	int64_t n;
	if (!sn_get_int(a->extent, &n))
		return 0;
	for (int i = 0; i < m->reducer->nargs; i++)
		sn_expr_walk(m->args[i], c->scratch, find_quotient, &f);
	return f.by && f.by < n && n % f.by == 0 ? f.by : 0;
}

/* Axis number AT becomes its quotient and its remainder by K. */
static void
split(struct sn_pass_ctx *c, struct sn_comp *m, int at, int64_t k)
{
	struct sn_program *pr = c->module->program;
	struct sn_pool *p = pr->pool;
	const struct sn_axis *old = m->axes[at];
	const struct sn_expr *outer = sn_divk(p, old->extent, k);
	struct sn_subst s;
	for (int i = m->naxes; i > at + 1; i--)
		m->axes[i] = m->axes[i - 1];
	m->naxes++;
	m->axes[at] = sn_axis_new(p, old->name, outer);
	m->axes[at + 1] = sn_axis_new(p, sn_printf(pr->arena, "%s1", old->name), sn_int(p, k));
	sn_subst_init(&s, p, c->scratch);
	sn_subst_put(&s, sn_axis_expr(p, old),
		     sn_add(p, sn_mulk(p, sn_axis_expr(p, m->axes[at]), k),
			    sn_axis_expr(p, m->axes[at + 1])));
	sn_comp_subst(m, &s);
}

bool
sn_pass_split_axes(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	for (size_t i = 0; sn_target_is_device(c->module->target) && i < pr->kernels.n; i++) {
		struct sn_kernel *k = pr->kernels.v[i];
		struct sn_comp *m = k->stages.v[0];
		if (k->place != PLACE_TARGET)
			continue;
		for (int a = k->nshared; k->stages.n == 1 && m->reducer && a < m->naxes; a++) {
			int64_t by = m->naxes < SN_MAX_AXES ? divisor_of(c, m, m->axes[a]) : 0;
			if (by == 0)
				continue;
			split(c, m, a, by);
			c->has_changed = true;
		}
	}
	return true;
}
