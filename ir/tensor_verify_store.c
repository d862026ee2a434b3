/*
 * Verifier of the tensor level: stores.
 *
 * A store's indices must be affine and must not meet: the axes of a dimension,
 * ordered by their steps, each step longer than what the smaller ones reach
 * together (a number system of mixed radix), settle their values; what they
 * settle helps to settle the other dimensions.  Where all extents are numbers,
 * stores that don't meet each other and are as many as the elements cover the
 * tensor.
 */
#include <stdlib.h>

#include "ir/index.h"
#include "ir/tensor_verify.h"
#include "ir/text.h"

/* ---- one store ---- */

struct step {
	int axis;
	int64_t coef, extent;
}; /* extent INT64_MAX: not a number */

static int
by_coef(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	return (x->coef > y->coef) - (x->coef < y->coef);
}

/* The axes of E that are not settled yet; false if E is not affine in one. */
static bool
unsettled_steps(const struct sn_comp *c, const struct sn_expr *e, const bool *settled,
		struct step *steps, int *n)
{
	*n = 0;
	for (int i = 0; i < c->naxes; i++) {
		int64_t coef, extent;
		if (e->has & SN_HAS_READ)
			return false;
		if (!sn_expr_has_axis(e, c->axes[i]))
			continue;
		if (!sn_affine_coef(e, c->axes[i], &coef))
			return false;
		if (!sn_get_int(c->axes[i]->extent, &extent))
			extent = INT64_MAX;
		if (!settled[i] && extent != 1)
			steps[(*n)++] = (struct step){ i, llabs(coef), extent };
	}
	return true;
}

/* Does each step go beyond the sum of what the smaller ones reach? */
static bool
is_mixed_radix(struct step *steps, int n)
{
	int64_t reach = 0;
	qsort(steps, (size_t)n, sizeof(*steps), by_coef);
	for (int i = 0; i < n; i++) {
		int64_t more;
		if (steps[i].coef <= reach)
			return false;
		if (i == n - 1)
			return true;
		if (steps[i].extent == INT64_MAX
		    || __builtin_mul_overflow(steps[i].coef, steps[i].extent - 1, &more)
		    || __builtin_add_overflow(reach, more, &reach))
			return false;
	}
	return true;
}

enum injective { IJ_YES, IJ_NO, IJ_NOT_AFFINE };

static enum injective
are_injective(const struct sn_comp *c, const struct sn_expr *const *idx, int rank)
{
	bool settled[SN_MAX_AXES] = { false };
	struct step steps[SN_MAX_AXES];
	int n;
	for (bool has_changed = true; has_changed;) {
		has_changed = false;
		for (int d = 0; d < rank; d++) {
			if (!unsettled_steps(c, idx[d], settled, steps, &n))
				return IJ_NOT_AFFINE;
			if (n == 0 || !is_mixed_radix(steps, n))
				continue;
			for (int i = 0; i < n; i++)
				settled[steps[i].axis] = has_changed = true;
		}
	}
	for (int i = 0; i < c->naxes; i++)
		if (!settled[i] && !sn_is_int_const(c->axes[i]->extent, 1))
			return IJ_NO;
	return IJ_YES;
}

/* Points of a comprehension; false if they are not a number. */
static bool
count_points(const struct sn_comp *c, int64_t *out)
{
	int64_t n = 1, extent;
	for (int i = 0; i < c->naxes; i++)
		if (!sn_get_int(c->axes[i]->extent, &extent)
		    || __builtin_mul_overflow(n, extent < 0 ? 0 : extent, &n))
			return false;
	*out = n;
	return true;
}

static bool
has_points(const struct sn_comp *c)
{
	int64_t n;
	return !count_points(c, &n) || n > 0;
}

/* Dimension by dimension, or else by the element's number: y[h//9, h%9] is element h. */
static enum injective
is_injective(struct verify *v, const struct sn_result *r)
{
	const struct sn_type *t = &r->tensor->type;
	struct sn_pool *p = v->pr->pool;
	enum injective i = are_injective(v->comp, r->idx, t->rank);
	if (i != IJ_NOT_AFFINE)
		return i;
	if (!has_points(v->comp))
		return IJ_YES;
	const struct sn_expr *number = sn_int(p, 0);
	for (int d = 0; d < t->rank; d++)
		number = sn_add(p, sn_mul(p, number, t->dims[d]), r->idx[d]);
	return are_injective(v->comp, &number, 1);
}

/* Symbolic strides (axis * W) are beyond sn_affine_coef; they are taken on trust. */
static bool
has_symbolic_index(struct verify *v, const struct sn_result *r)
{
	struct sn_sym_list l;
	sn_sym_list_init(&l, v->arena);
	for (int d = 0; d < r->tensor->type.rank; d++)
		sn_sym_list_add(&l, r->idx[d]);
	return l.list.n > 0;
}

static void
check_index_range(struct verify *v, const struct sn_result *r, int d)
{
	const struct sn_expr *extent = r->tensor->type.dims[d];
	struct sn_buf text, most;
	if (r->idx[d]->dtype != DT_I64 || sn_verify_in_range(v, r->idx[d], extent))
		return;
	sn_buf_init(&text, v->arena);
	sn_buf_init(&most, v->arena);
	sn_expr_print(&text, r->idx[d]);
	sn_expr_print(&most, extent);
	SN_VERIFY_ERROR(v, DG_TV_RANGE, text.text, r->tensor->name, d, most.text);
}

void
sn_verify_result(struct verify *v, const struct sn_result *r)
{
	if (r->tensor->role == TR_INPUT || r->tensor->role == TR_CONST) {
		SN_VERIFY_ERROR(v, DG_TV_STORE, r->tensor->name,
				"is an input or a constant and can't be stored");
		return;
	}
	enum injective i = is_injective(v, r);
	if (i == IJ_NOT_AFFINE && !has_symbolic_index(v, r)) {
		SN_VERIFY_ERROR(v, DG_TV_STORE, r->tensor->name,
				"is stored at an index that is not affine in the axes");
		return;
	}
	for (int d = 0; d < r->tensor->type.rank; d++)
		check_index_range(v, r, d);
	if (i == IJ_NO && !has_symbolic_index(v, r))
		SN_VERIFY_ERROR(v, DG_TV_STORE, r->tensor->name,
				"has elements that would be stored more than once");
}

/* ---- all stores of a tensor ---- */

static int64_t
gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;
		a = b;
		b = r;
	}
	return llabs(a);
}

/* Values of an index are START plus multiples of STEP (0: START alone), whatever its terms are. */
static void
index_grid(const struct sn_expr *e, int64_t *start, int64_t *step)
{
	struct sn_affine f;
	sn_affine_of(e, &f);
	*start = f.constant;
	*step = 0;
	for (int i = 0; i < f.n; i++)
		*step = gcd(*step, f.terms[i].coef);
}

/* X below Y for all values of their axes?  An axis in both stands for two points at once: nothing can be
 * proved from it. */
static bool
is_below(struct sn_pool *p, const struct sn_expr *x, const struct sn_expr *y)
{
	return (x->axes & y->axes) == 0 && sn_prove_lt(p, x, y);
}

bool
sn_verify_are_apart(struct sn_pool *p, int rank, const struct sn_expr *const *x,
		    const struct sn_expr *const *y)
{
	for (int d = 0; d < rank; d++) {
		int64_t xlo, xhi, ylo, yhi, xstart, xstep, ystart, ystep;
		sn_bounds(x[d], &xlo, &xhi);
		sn_bounds(y[d], &ylo, &yhi);
		if (xhi < ylo || yhi < xlo || is_below(p, x[d], y[d]) || is_below(p, y[d], x[d]))
			return true;
		index_grid(x[d], &xstart, &xstep);
		index_grid(y[d], &ystart, &ystep);
		int64_t step = gcd(xstep, ystep), apart;
		if (step > 1 && !__builtin_sub_overflow(xstart, ystart, &apart) && apart % step)
			return true;
	}
	return false;
}

static bool
are_apart(struct verify *v, const struct verify_store *a, const struct verify_store *b)
{
	const struct sn_result *x = &a->comp->results[a->result], *y = &b->comp->results[b->result];
	return sn_verify_are_apart(v->pr->pool, x->tensor->type.rank, x->idx, y->idx);
}

static void
at_store(struct verify *v, const struct verify_store *s)
{
	v->kernel = s->kernel;
	v->comp = s->comp;
	v->line = VL_RESULT;
	v->result = s->result;
}

static void
check_cover(struct verify *v, const struct sn_tensor *t, const struct verify_stores *s)
{
	int64_t want, got = 0, n;
	for (size_t i = 0; i < s->list.n; i++) {
		at_store(v, &s->list.v[i]);
		if (!count_points(s->list.v[i].comp, &n) || __builtin_add_overflow(got, n, &got))
			return;
		for (size_t j = 0; n && j < i; j++)
			if (has_points(s->list.v[j].comp)
			    && !are_apart(v, &s->list.v[j], &s->list.v[i])) {
				SN_VERIFY_ERROR(v, DG_TV_STORE, t->name,
						"has elements that two stores may both write");
				return;
			}
	}
	if (sn_type_is_static(&t->type, &want) && got != want)
		SN_VERIFY_ERROR(v, DG_TV_COVER, t->name, (long long)want, (long long)got);
}

static bool
has_views(const struct sn_program *pr, const struct sn_tensor *t)
{
	for (size_t i = 0; i < pr->tensors.n; i++)
		if (pr->tensors.v[i]->store == TS_VIEW && pr->tensors.v[i]->base == t)
			return true;
	return false;
}

void
sn_verify_coverage(struct verify *v)
{
	for (size_t i = 0; i < v->pr->tensors.n; i++) {
		const struct sn_tensor *t = v->pr->tensors.v[i];
		const struct verify_stores *s = &v->stores[t->id];
		v->kernel = NULL;
		v->comp = NULL;
		if (s->list.n)
			check_cover(v, t, s);
		else if (t->role == TR_OUTPUT && t->store != TS_VIEW && !has_views(v->pr, t))
			SN_VERIFY_ERROR(v, DG_TV_STORE, t->name, "is an output and never stored");
	}
}
