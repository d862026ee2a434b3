/*
 * split-constants: a constant dimension that is read at digits of an index gets a dimension for each.
 *
 *	w f32[45, 32]:  w[15*i+j, c]  with i < 3, j < 15	->	w f32[3, 15, 32]:  w[i, j, c]
 *
 * Such indices come from views that were fused into a contraction (the head of a
 * detector: convolution, Reshape, Transpose); schedules and packing look for
 * dimensions that are indexed by one axis.  Elements stay where they are.  Only constants
 * with one read, which need no second copy.  Exact.  Cost: linear in expressions.
 */
#include "ir/index.h"
#include "passes/pass.h"

struct places {
	struct sn_program *program;
	const struct sn_expr **read; /* by tensor id: its read */
	bool *is_shared;	     /* there are several */
};

static void
note_read(const struct sn_expr *e, void *arg)
{
	struct places *s = arg;

	if (e->kind != EX_READ || e->tensor->role != TR_CONST)
		return;
	int id = e->tensor->id;

	s->is_shared[id] |= s->read[id] && s->read[id] != e;
	s->read[id] = e;
}

static void
note_reads(struct places *s, const struct sn_comp *m, struct sn_arena *scratch)
{
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_expr_walk(m->args[i], scratch, note_read, s);
	for (int i = 0; i < m->nresults; i++)
		sn_expr_walk(m->results[i].value, scratch, note_read, s);
}

/* The axes of which E is the digits, most significant first, where they fill EXTENT; 0: it is none. */
static int
digits_of(const struct sn_expr *e, int64_t extent, const struct sn_axis **out)
{
	struct sn_affine a;
	int64_t place = 1, n;
	int count = 0;

	sn_affine_of(e, &a);
	if (!a.is_exact || a.constant || a.n < 2 || a.n > SN_MAX_RANK)
		return 0;
	for (; count < a.n; count++) {
		int i = 0;

		while (i < a.n && a.terms[i].coef != place)
			i++;
		if (i == a.n || a.terms[i].base->kind != EX_AXIS
		    || !sn_get_int(a.terms[i].base->axis->extent, &n) || n < 2)
			return 0;
		out[a.n - 1 - count] = a.terms[i].base->axis;
		place *= n;
	}
	return place == extent ? count : 0;
}

/* E, the read of a constant, as a read of one with more dimensions; NULL if it has no digits. */
static const struct sn_expr *
split_read(struct sn_program *pr, const struct sn_expr *e)
{
	struct sn_type t = e->tensor->type;
	const struct sn_expr *idx[SN_MAX_RANK];
	int n = 0;

	for (int d = 0; d < e->tensor->type.rank; d++) {
		const struct sn_axis *axes[SN_MAX_RANK] = { NULL };
		int64_t extent = 0;
		int digits = sn_get_int(e->tensor->type.dims[d], &extent)
				     ? digits_of(e->args[d], extent, axes)
				     : 0;

		if (n + (digits ? digits : 1) > SN_MAX_RANK)
			return NULL;
		idx[n] = e->args[d];
		t.dims[n] = e->tensor->type.dims[d];
		for (int i = 0; i < digits; i++) {
			idx[n + i] = sn_axis_expr(pr->pool, axes[i]);
			t.dims[n + i] = axes[i]->extent;
		}
		n += digits ? digits : 1;
	}
	if (n == t.rank)
		return NULL;
	t.rank = n;
	struct sn_tensor *split = sn_tensor_new(pr, e->tensor->name, &t, TR_CONST);

	split->data = e->tensor->data;
	split->origin = e->tensor->origin;
	return sn_read(pr->pool, split, idx, n, NULL);
}

bool
sn_pass_split_constants(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	size_t n = pr->tensors.n;
	struct places s = { pr, SN_NEW_ARRAY(c->scratch, n, const struct sn_expr *),
			    SN_NEW_ARRAY(c->scratch, n, bool) };
	struct sn_subst subst;

	for (size_t i = 0; i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			note_reads(&s, pr->kernels.v[i]->stages.v[j], c->scratch);
	sn_subst_init(&subst, pr->pool, c->scratch);
	for (size_t i = 0; i < n; i++) {
		const struct sn_expr *to = s.read[i] && !s.is_shared[i] && !s.read[i]->has_outside
						   ? split_read(pr, s.read[i])
						   : NULL;

		if (to)
			sn_subst_put(&subst, s.read[i], to);
		c->has_changed |= to != NULL;
	}
	for (size_t i = 0; c->has_changed && i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			sn_comp_subst(pr->kernels.v[i]->stages.v[j], &subst);
	return true;
}
