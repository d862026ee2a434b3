/*
 * widen-halves: on a CPU, 16-bit floats between kernels are kept in 32 bits.
 *
 *	t f16[i] = f16(f32(x[i]) + 1.0)		t f32[i] = f32(x[i]) + 1.0
 *	y f16[i] = f16(f32(t[i]) * 2.0)	    ->	y f16[i] = f16(t[i] * 2.0)
 *
 * They are computed in f32 anyway; what is left out is rounding every result down
 * and converting it up again at each read.  Constants that reductions read (weights,
 * many times each) become f32 as well; others (tables, of which few rows are read),
 * inputs and outputs keep their types.  Memory doubles, which a device would feel more than
 * the conversions; there nothing is done.  Rounds: less often.  Cost: linear in
 * expressions and elements of weights.
 */
#include "ir/target.h"
#include "passes/pass.h"

struct widening {
	struct sn_program *program;
	struct sn_pool *pool;
	struct sn_tensor **wide; /* by tensor id: what it became, or NULL */
	struct sn_subst subst;
};

static bool
is_half(enum sn_dtype t)
{
	return t == DT_F16 || t == DT_BF16;
}

/* E, of 16 bits, in f32; a rounding that made it 16 bits is left out. */
static const struct sn_expr *
widen(struct sn_pool *p, const struct sn_expr *e)
{
	if (e->kind != EX_OP)
		return sn_cast(p, DT_F32, e);
	if (e->op == OP_CAST && e->args[0]->dtype == DT_F32)
		return e->args[0];
	if (e->op == OP_SELECT)
		return sn_op3(p, OP_SELECT, e->args[0], widen(p, e->args[1]), widen(p, e->args[2]));
	return sn_cast(p, DT_F32, e);
}

/* Operands come before users, so what E is made of has been seen. */
static void
visit(const struct sn_expr *e, void *arg)
{
	struct widening *w = arg;
	struct sn_pool *p = w->pool;
	const struct sn_expr *idx[SN_MAX_RANK];

	if (e->kind == EX_OP && e->op == OP_CAST && e->dtype == DT_F32
	    && is_half((enum sn_dtype)e->args[0]->dtype))
		sn_subst_put(&w->subst, e, widen(p, sn_subst(&w->subst, e->args[0])));
	if (e->kind != EX_READ || !w->wide[e->tensor->id])
		return;
	int n = e->nargs - e->has_outside;

	for (int i = 0; i < n; i++)
		idx[i] = sn_subst(&w->subst, e->args[i]);
	const struct sn_expr *outside = e->has_outside ? widen(p, sn_subst(&w->subst, e->args[n]))
						       : NULL;

	sn_subst_put(&w->subst, e,
		     sn_cast(p, (enum sn_dtype)e->dtype,
			     sn_read(p, w->wide[e->tensor->id], idx, n, outside)));
}

static void
widen_comp(struct widening *w, struct sn_comp *m, struct sn_arena *scratch)
{
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_expr_walk(m->args[i], scratch, visit, w);
	for (int i = 0; i < m->nresults; i++)
		sn_expr_walk(m->results[i].value, scratch, visit, w);
	sn_comp_subst(m, &w->subst);
	for (int i = 0; i < m->nresults; i++) {
		struct sn_result *r = &m->results[i];
		struct sn_tensor *wide = w->wide[r->tensor->id];

		if (!wide)
			continue;
		r->value = widen(w->pool, r->value);
		r->tensor = wide;
	}
}

/* T in f32, without its elements. */
static struct sn_tensor *
wide_of(struct sn_program *pr, const struct sn_tensor *t)
{
	struct sn_type type = t->type;

	type.dtype = DT_F32;
	struct sn_tensor *wide = sn_tensor_new(pr, t->name, &type, t->role);

	wide->store = t->store;
	wide->origin = t->origin;
	return wide;
}

/* D in f32; NULL if its elements are not there (a hash in a text). */
static const struct sn_data *
wide_data(struct sn_arena *a, const struct sn_data *d)
{
	void *bytes;

	if (d->is_splat)
		return sn_data_splat(a, DT_F32, d->n, sn_data_get(d, 0));
	if (!d->bytes)
		return NULL;
	struct sn_data *wide = sn_data_new(a, DT_F32, d->n, &bytes);

	for (size_t i = 0; i < d->n; i++)
		sn_dtype_store(DT_F32, bytes, i, sn_data_get(d, i));
	return wide;
}

static void
visit_weights(const struct sn_expr *e, void *arg)
{
	struct widening *w = arg;

	if (e->kind != EX_READ || e->tensor->role != TR_CONST || w->wide[e->tensor->id]
	    || !is_half((enum sn_dtype)e->dtype))
		return;
	const struct sn_data *data = wide_data(w->program->arena, e->tensor->data);

	if (!data)
		return;
	w->wide[e->tensor->id] = wide_of(w->program, e->tensor);
	w->wide[e->tensor->id]->data = data;
}

/* Decides what becomes wide: tensors between kernels, and what reductions read of constants. */
static bool
find_wide(struct widening *w, size_t n, struct sn_arena *scratch)
{
	struct sn_program *pr = w->program;
	bool has_any = false;

	for (size_t i = 0; i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++) {
			const struct sn_comp *m = pr->kernels.v[i]->stages.v[j];

			for (int k = 0; m->reducer && k < m->reducer->nargs; k++)
				sn_expr_walk(m->args[k], scratch, visit_weights, w);
		}
	for (size_t i = 0; i < n; i++) {
		const struct sn_tensor *t = pr->tensors.v[i];

		if (t->role == TR_TEMP && is_half(t->type.dtype))
			w->wide[i] = wide_of(pr, t);
		has_any |= w->wide[i] != NULL;
	}
	return has_any;
}

bool
sn_pass_widen_halves(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	size_t n = pr->tensors.n;
	struct widening w = {
		pr, pr->pool, SN_NEW_ARRAY(c->scratch, n, struct sn_tensor *), { 0 }
	};

	if (sn_target_is_device(c->module->target) || !find_wide(&w, n, c->scratch))
		return true;
	sn_subst_init(&w.subst, pr->pool, c->scratch);
	for (size_t i = 0; i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			widen_comp(&w, pr->kernels.v[i]->stages.v[j], c->scratch);
	c->has_changed = true;
	return true;
}
