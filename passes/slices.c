/* Which tensors are slices of which: see passes/slices.h. */
#include "passes/slices.h"

#include <string.h>
#include "ir/index.h"
#include "passes/emit.h"

struct copy {
	struct sn_tensor *from, *into;
	const struct sn_comp *comp;
	bool is_done;
};

struct find {
	struct sn_slices *s;
	struct sn_pass_ctx *c;
	struct sn_pool *pool;
	unsigned *beyond; /* by tensor id: dimensions in which a read may leave it */
	SN_VEC(struct copy) copies;
};

struct sn_tensor *
sn_slices_root(const struct sn_slices *s, struct sn_pool *p, struct sn_tensor *t,
	       const struct sn_expr **at)
{
	while (s->of[t->id].into) {
		const struct sn_slice *l = &s->of[t->id];
		for (int d = 0; d < t->type.rank; d++)
			at[d] = sn_add(p, at[d], l->at[d]);
		t = l->into;
	}
	return t;
}

/* The one read that M stores as it is; NULL if it does anything else. */
static const struct sn_expr *
copied_read(const struct sn_comp *m)
{
	const struct sn_expr *x = m->results[0].value;
	if (m->nresults != 1 || m->nred || m->reducer || x->kind != EX_READ || x->has_outside
	    || x->tensor->place != m->results[0].tensor->place
	    || x->tensor->type.dtype != m->results[0].tensor->type.dtype)
		return NULL;
	return x;
}

/* How far from where it is read M stores it, slices looked through; false if that is not the same for
 * all elements. */
static bool
distance(const struct sn_slices *s, struct sn_pool *p, const struct sn_comp *m,
	 struct sn_tensor **out_from, const struct sn_expr **out)
{
	const struct sn_expr *x = copied_read(m), *at[SN_MAX_RANK];
	const struct sn_result *r = &m->results[0];
	if (!x || x->tensor->type.rank != r->tensor->type.rank)
		return false;
	memcpy(at, x->args, (size_t)x->tensor->type.rank * sizeof(at[0]));
	*out_from = sn_slices_root(s, p, (struct sn_tensor *)x->tensor, at);
	for (int d = 0; d < r->tensor->type.rank; d++) {
		out[d] = sn_sub(p, r->idx[d], at[d]);
		if (out[d]->axes || (out[d]->has & SN_HAS_READ))
			return false;
	}
	return true;
}

bool
sn_slices_is_idle(const struct sn_slices *s, struct sn_pool *p, const struct sn_comp *m)
{
	struct sn_tensor *from, *into = m->results[0].tensor;
	const struct sn_expr *by[SN_MAX_RANK], *at[SN_MAX_RANK];
	if (!distance(s, p, m, &from, by))
		return false;
	for (int d = 0; d < into->type.rank; d++)
		at[d] = sn_int(p, 0);
	if (sn_slices_root(s, p, into, at) != from)
		return false;
	for (int d = 0; d < into->type.rank; d++)
		if (!sn_is_int_const(sn_add(p, by[d], at[d]), 0))
			return false;
	return true;
}

/* ---- what the program does ---- */

static void
note_reads(struct find *f, const struct sn_expr *e)
{
	struct sn_read_list reads = { 0 };
	sn_reads_of(e, f->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *x = reads.list.v[i];
		for (int d = 0; x->has_outside && d < x->tensor->type.rank; d++)
			if (!sn_prove_le(f->pool, sn_int(f->pool, 0), x->args[d])
			    || !sn_prove_lt(f->pool, x->args[d], x->tensor->type.dims[d]))
				f->beyond[x->tensor->id] |= 1u << d;
	}
}

static void
note_comp(struct find *f, const struct sn_comp *m)
{
	const struct sn_expr *x = copied_read(m);
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		note_reads(f, m->args[i]);
	for (int i = 0; i < m->nresults; i++)
		note_reads(f, m->results[i].value);
	if (x)
		SN_PUSH(f->c->scratch, &f->copies,
			(struct copy){ (struct sn_tensor *)x->tensor, m->results[0].tensor, m,
				       false });
}

/* ---- deciding ---- */

static bool
is_free(const struct find *f, const struct sn_tensor *x)
{
	return x->role == TR_TEMP && x->store == TS_OWN && !f->s->of[x->id].into;
}

/* The product of N extents. */
static const struct sn_expr *
product(struct sn_pool *p, const struct sn_axis *const *axes, int n)
{
	const struct sn_expr *e = sn_int(p, 1);
	for (int i = 0; i < n; i++)
		e = sn_mul(p, e, axes[i]->extent);
	return e;
}

/* All copies from X to the target of copy FIRST at the distance BY: do they read all of X? */
static bool
is_whole(struct find *f, size_t first, const struct sn_tensor *x, const struct sn_expr *const *by)
{
	const struct sn_expr *sum = sn_int(f->pool, 0), *other[SN_MAX_RANK];
	for (size_t i = first; i < f->copies.n; i++) {
		const struct copy *c = &f->copies.v[i];
		struct sn_tensor *from;
		if (c->into == f->copies.v[first].into
		    && distance(f->s, f->pool, c->comp, &from, other) && from == x
		    && !memcmp(by, other, (size_t)x->type.rank * sizeof(by[0])))
			sum = sn_add(f->pool, sum, product(f->pool, c->comp->axes, c->comp->naxes));
	}
	return sum == sn_type_count(f->pool, &x->type);
}

/* Is X read beyond its edges where something else lies in Y? */
static bool
is_read_beyond(const struct find *f, const struct sn_tensor *x, const struct sn_tensor *y)
{
	for (int d = 0; d < x->type.rank; d++)
		if ((f->beyond[x->id] >> d & 1) && x->type.dims[d] != y->type.dims[d])
			return true;
	return false;
}

static const char *
why_not(struct find *f, size_t first, struct sn_tensor *x, const struct sn_expr *const *by)
{
	struct sn_tensor *y = f->copies.v[first].into;
	if (y->store != TS_OWN || f->s->of[y->id].into || x == y)
		return "it lies elsewhere already";
	if (x->type.rank != y->type.rank || !is_whole(f, first, x, by))
		return "only a part of it is copied";
	if (is_read_beyond(f, x, y))
		return "it is read beyond its edges";
	return f->s->refuse(f->s->arg, x, y, by);
}

static void
remain(const struct find *f, const struct copy *c, const char *why)
{
	if (f->s->remains && c->from->role == TR_TEMP)
		f->s->remains(f->s->arg, c->from, c->into, why);
}

static void
decide(struct find *f, size_t i)
{
	struct copy *c = &f->copies.v[i];
	const struct sn_expr *by[SN_MAX_RANK];
	struct sn_tensor *x;
	if (sn_slices_is_idle(f->s, f->pool, c->comp))
		return;
	if (!distance(f->s, f->pool, c->comp, &x, by)) {
		remain(f, c, "its elements are in another order");
		return;
	}
	const char *why = x->store == TS_SCRATCH ? "it is scratch of its kernel"
			  : is_free(f, x)	 ? why_not(f, i, x, by)
						 : "it lies elsewhere already";
	if (why) {
		remain(f, c, why);
		return;
	}
	struct sn_slice *l = &f->s->of[x->id];
	l->into = c->into;
	memcpy(l->at, by, (size_t)x->type.rank * sizeof(by[0]));
	f->beyond[c->into->id] |= f->beyond[x->id];
}

void
sn_slices_find(struct sn_slices *s, struct sn_pass_ctx *c)
{
	const struct sn_program *pr = c->module->program;
	struct find f = { .s = s, .c = c, .pool = c->module->pool };
	s->of = SN_NEW_ARRAY(c->scratch, pr->tensors.n + 1, struct sn_slice);
	f.beyond = SN_NEW_ARRAY(c->scratch, pr->tensors.n + 1, unsigned);
	for (size_t i = 0; i < pr->kernels.n; i++)
		for (size_t j = 0; j < pr->kernels.v[i]->stages.n; j++)
			note_comp(&f, pr->kernels.v[i]->stages.v[j]);
	for (size_t i = 0; i < f.copies.n; i++)
		decide(&f, i);
}
