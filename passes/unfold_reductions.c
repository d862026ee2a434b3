/*
 * unfold-reductions: a reduction axis that every index only takes apart becomes its parts.
 *
 *	s = sum(r<24) x[i, 2*i+r//12, r//4%3, r%4]
 *		->  s = sum(r<2, r1<3, r2<4) x[i, 2*i+r, r1, r2]
 *
 * Such axes are what a Reshape before a reduction leaves: a normalisation of groups
 * of channels, as exporters write it.  Where an index would put parts together
 * again (weights of a dense layer after a Flatten), the axis stays.  The order of
 * the sum stays, too.  Exact.  Cost: linear in expressions, times the parts.
 */
#include "ir/index.h"
#include "passes/pass.h"

enum { MAX_PARTS = 8 };

struct split {
	struct sn_pool *pool;
	struct sn_arena *scratch;
	const struct sn_axis *axis;		/* the one that is looked at */
	const struct sn_expr *factor;		/* smallest divisor of it found */
	const struct sn_axis *parts[MAX_PARTS]; /* the outermost first */
	int nparts;
	bool is_fine;
};

static bool
is_division(const struct sn_expr *e)
{
	return e->kind == EX_OP && (e->op == OP_FLOORDIV || e->op == OP_MOD);
}

/* A / B if that is a whole number whatever the symbols are, else NULL. */
static const struct sn_expr *
exact_quotient(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	const struct sn_expr *q = b->lo >= 1 ? sn_op2(p, OP_FLOORDIV, a, b) : NULL;

	return q && sn_mul(p, q, b) == a ? q : NULL;
}

/* Notes the divisor of the axis in E, if it divides those before or is divided by one of them. */
static void
visit_division(const struct sn_expr *e, void *arg)
{
	struct split *s = arg;

	if (!is_division(e) || e->args[0] != sn_axis_expr(s->pool, s->axis))
		return;
	if (!s->factor || exact_quotient(s->pool, s->factor, e->args[1]))
		s->factor = e->args[1];
	else if (!exact_quotient(s->pool, e->args[1], s->factor))
		s->is_fine = false;
}

/* No division of a part may be left, and no sum of parts. */
static void
visit_part(const struct sn_expr *e, void *arg)
{
	struct split *s = arg;
	int n = 0;

	if (e->dtype != DT_I64 || e->kind != EX_OP)
		return;
	for (int i = 0; i < s->nparts; i++)
		n += sn_expr_has_axis(e, s->parts[i]);
	s->is_fine &= n < 2 && !(n && is_division(e));
}

static void
walk_args(struct split *s, const struct sn_comp *m,
	  void (*visit)(const struct sn_expr *e, void *arg))
{
	for (int i = 0; i < m->reducer->nargs; i++)
		sn_expr_walk(m->args[i], s->scratch, visit, s);
}

/* Red axis R of M becomes an outer and an inner one; false if there is nothing to split it by. */
static bool
split_once(struct split *s, struct sn_comp *m, int r)
{
	struct sn_subst subst;
	const struct sn_axis *axis = s->axis = m->red[r];

	s->factor = NULL;
	walk_args(s, m, visit_division);
	const struct sn_expr *n = s->factor ? exact_quotient(s->pool, axis->extent, s->factor)
					    : NULL;

	if (!n || !s->is_fine || m->nred == SN_MAX_AXES || s->nparts == MAX_PARTS)
		return false;
	const struct sn_axis *outer = sn_axis_new(s->pool, axis->name, n);
	const struct sn_axis *inner = sn_axis_new(s->pool, axis->name, s->factor);

	for (int i = m->nred++; i > r; i--)
		m->red[i] = m->red[i - 1];
	m->red[r] = outer;
	m->red[r + 1] = inner;
	s->parts[0] = outer;
	s->parts[s->nparts++] = inner;
	sn_subst_init(&subst, s->pool, s->scratch);
	sn_subst_put(&subst, sn_axis_expr(s->pool, axis),
		     sn_add(s->pool, sn_mul(s->pool, sn_axis_expr(s->pool, outer), s->factor),
			    sn_axis_expr(s->pool, inner)));
	sn_comp_subst(m, &subst);
	return true;
}

/* Splits red axis R as often as it goes; leaves M alone if divisions are left then. */
static bool
split_axis(struct sn_pass_ctx *c, struct sn_comp *m, int r)
{
	struct sn_comp changed = *m;
	struct split s = { .pool = c->module->pool,
			   .scratch = c->scratch,
			   .is_fine = true,
			   .parts = { m->red[r] },
			   .nparts = 1 };

	/* the outermost part stands at R, and may have parts itself */
	while (split_once(&s, &changed, r))
		;
	if (s.nparts == 1)
		return false;
	walk_args(&s, &changed, visit_part);
	if (s.is_fine)
		*m = changed;
	return s.is_fine;
}

bool
sn_pass_unfold_reductions(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;

	for (size_t i = 0; i < pr->kernels.n; i++) {
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++) {
			struct sn_comp *m = pr->kernels.v[i]->stages.v[j];

			for (int r = m->nred - 1; r >= 0; r--)
				c->has_changed |= split_axis(c, m, r);
		}
	}
	return true;
}
