/*
 * flush-subnormals: weights below the least normal number become 0.
 *
 *	w = {0.5, 1e-40, ...}	s = sum(c) x[c] * w[c]	->	w = {0.5, 0, ...}
 *
 * Weights that a training let decay end there, by the hundred thousand, and each
 * product with one takes a hundred times as long on most processors; so do the
 * products with what such a bias leaves.  It is done to f32 constants that are
 * only factors of the products of a sum, or added to one, and whose largest
 * magnitude is at least 2^-100: what goes is then less than half a unit in the
 * last place of that times 2^-2, far below the rounding of the sum.  Rounds.
 * Cost: linear in expressions and in elements.
 *
 * Not done: results that are subnormal without such a constant.
 */
#include <math.h>
#include <string.h>
#include "passes/pass.h"

/* Largest magnitude that a constant must have at least. */
#define LEAST_LARGEST 0x1p-100f

/* How often each tensor is read, and how often as what may lose its subnormals; by tensor id. */
struct flush {
	int *reads, *flushable;
};

static bool
is_weight(const struct sn_expr *e)
{
	return e->kind == EX_READ && e->tensor->role == TR_CONST && e->dtype == DT_F32;
}

static void
count_reads(const struct sn_expr *e, void *arg)
{
	struct flush *f = arg;

	for (int i = 0; i < e->nargs; i++)
		if (is_weight(e->args[i]))
			f->reads[e->args[i]->tensor->id]++;
}

/* Terms of a result that are added to what has the sum's state. */
static void
count_addends(const struct sn_expr *e, void *arg)
{
	struct flush *f = arg;

	count_reads(e, arg);
	if (e->kind != EX_OP || e->op != OP_ADD)
		return;
	for (int i = 0; i < 2; i++)
		if (is_weight(e->args[i]) && (e->args[1 - i]->has & SN_HAS_STATE))
			f->flushable[e->args[i]->tensor->id]++;
}

/* The factors of E, a product. */
static void
count_factors(struct flush *f, const struct sn_expr *e)
{
	if (e->kind != EX_OP || e->op != OP_MUL || e->args[0] == e->args[1])
		return;
	for (int i = 0; i < 2; i++)
		if (is_weight(e->args[i]))
			f->flushable[e->args[i]->tensor->id]++;
		else
			count_factors(f, e->args[i]);
}

static bool
is_sum(const struct sn_reducer *r)
{
	return r && r->nstates == 1 && r->nargs == 1 && r->step[0]->kind == EX_OP
	       && r->step[0]->op == OP_ADD;
}

static void
count_comp(struct flush *f, const struct sn_comp *m, struct sn_arena *scratch)
{
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++) {
		if (is_weight(m->args[i]))
			f->reads[m->args[i]->tensor->id]++;
		sn_expr_walk(m->args[i], scratch, count_reads, f);
	}
	if (is_sum(m->reducer))
		count_factors(f, m->args[0]);
	for (int i = 0; i < m->nresults; i++) {
		if (is_weight(m->results[i].value))
			f->reads[m->results[i].value->tensor->id]++;
		sn_expr_walk(m->results[i].value, scratch,
			     is_sum(m->reducer) ? count_addends : count_reads, f);
	}
}

static float
element(const struct sn_data *d, size_t i)
{
	float x;

	memcpy(&x, (const char *)d->bytes + i * sizeof(x), sizeof(x));
	return x;
}

static bool
is_subnormal(float x)
{
	return fpclassify(x) == FP_SUBNORMAL;
}

/* Has D subnormal elements beside one that is large enough? */
static bool
has_some(const struct sn_data *d)
{
	size_t n = d->is_splat || !d->bytes ? 0 : d->n, first = 0;
	float largest = 0;

	while (first < n && !is_subnormal(element(d, first)))
		first++;
	for (size_t i = 0; first < n && i < n; i++)
		largest = fmaxf(largest, fabsf(element(d, i)));
	return largest >= LEAST_LARGEST;
}

static const struct sn_data *
flushed(struct sn_arena *a, const struct sn_data *d)
{
	void *bytes;
	struct sn_data *out = sn_data_new(a, DT_F32, d->n, &bytes);

	for (size_t i = 0; i < d->n; i++) {
		float x = element(d, i);

		x = is_subnormal(x) ? 0 : x;
		memcpy((char *)bytes + i * sizeof(x), &x, sizeof(x));
	}
	return out;
}

bool
sn_pass_flush_subnormals(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct flush f = { SN_NEW_ARRAY(c->scratch, pr->tensors.n + 1, int),
			   SN_NEW_ARRAY(c->scratch, pr->tensors.n + 1, int) };

	for (size_t i = 0; i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			count_comp(&f, pr->kernels.v[i]->stages.v[j], c->scratch);
	for (size_t i = 0; i < pr->tensors.n; i++) {
		struct sn_tensor *t = pr->tensors.v[i];

		if (f.reads[t->id] == 0 || f.reads[t->id] != f.flushable[t->id]
		    || !has_some(t->data))
			continue;
		t->data = flushed(pr->arena, t->data);
		c->has_changed = true;
	}
	return true;
}
