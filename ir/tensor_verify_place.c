/*
 * Verifier of the tensor level: where tensors lie.
 *
 * In place: the memory changes hands in one kernel, which reads the operand for
 * the last time, each element just before it stores the result there.  On the
 * host: kernels there touch temporaries there and constants, those of the
 * target all others; one to the other goes by transfers.
 */
#include "ir/layout.h"
#include "ir/tensor_verify.h"

#include <string.h>

/* Reads of one tensor in a comprehension. */
struct hand_over {
	const struct sn_tensor *base;
	const struct sn_result *result; /* in its place; NULL: any read is too late */
	bool is_broken;
};

static void
visit_read(const struct sn_expr *e, void *arg)
{
	struct hand_over *h = arg;
	if (e->kind == EX_READ && e->tensor == h->base)
		h->is_broken |= !h->result
				|| memcmp(e->args, h->result->idx,
					  (size_t)h->base->type.rank * sizeof(e->args[0]))
					   != 0;
}

/* Does comprehension C read H's base, but for what its result takes the place of? */
static bool
is_broken_by(struct verify *v, const struct sn_comp *c, struct hand_over *h)
{
	for (int i = 0; c->reducer && i < c->reducer->nargs; i++)
		sn_expr_walk(c->args[i], v->arena, visit_read, h);
	for (int i = 0; i < c->nresults; i++)
		sn_expr_walk(c->results[i].value, v->arena, visit_read, h);
	return h->is_broken;
}

static bool
is_same_place(struct sn_pool *p, const struct sn_tensor *a, const struct sn_tensor *b)
{
	return a->type.rank == b->type.rank && a->place == b->place
	       && !memcmp(a->type.dims, b->type.dims,
			  (size_t)a->type.rank * sizeof(a->type.dims[0]))
	       && sn_layout_equal(sn_layout_of(p, a), sn_layout_of(p, b));
}

/* Is T's base read or stored after T takes its place, or read elsewhere by the kernel that stores T? */
static bool
is_still_used(struct verify *v, const struct sn_tensor *t, const struct verify_store *at)
{
	const struct verify_stores *before = &v->stores[t->base->id];
	int place = 0;
	if (before->list.n && before->list.v[before->list.n - 1].place >= at->place)
		return true;
	for (size_t i = 0; i < v->pr->kernels.n; i++) {
		const struct sn_kernel *k = v->pr->kernels.v[i];
		for (size_t j = 0; j < k->stages.n; j++, place++) {
			const struct sn_comp *c = k->stages.v[j];
			struct hand_over h = { t->base, NULL, false };
			if (place == at->place)
				h.result = &c->results[at->result];
			if (place >= at->place && is_broken_by(v, c, &h))
				return true;
		}
	}
	return false;
}

void
sn_verify_in_place(struct verify *v, const struct sn_tensor *t)
{
	const struct verify_stores *s = &v->stores[t->id];
	v->kernel = NULL;
	v->comp = NULL;
	if (t->role != TR_TEMP || t->base->role != TR_TEMP || t->base->store == TS_SCRATCH)
		SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name, "takes the place of no temporary");
	else if (!is_same_place(v->pr->pool, t, t->base))
		SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name, "is laid out otherwise than its base");
	else if (s->list.n != 1 || s->list.v[0].kernel->stages.n != 1
		 || s->list.v[0].comp->nresults != 1)
		SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name,
				"takes its base's place in more than one step");
	else if (is_still_used(v, t, &s->list.v[0]))
		SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name,
				"takes the place of what is still needed");
}

/* ---- on the host ---- */

/* A whole tensor, element by element. */
static bool
is_transfer(struct verify *v, const struct sn_kernel *k)
{
	const struct sn_comp *c = k->stages.n == 1 ? k->stages.v[0] : NULL;
	const struct sn_result *r = c ? &c->results[0] : NULL;
	if (!c || c->nresults != 1 || c->nred || r->value->kind != EX_READ || r->value->has_outside)
		return false;
	const struct sn_tensor *x = r->value->tensor;
	int rank = x->type.rank;
	return x->place != r->tensor->place && rank == r->tensor->type.rank
	       && x->type.dtype == r->tensor->type.dtype && x->store != TS_SCRATCH
	       && !memcmp(x->type.dims, r->tensor->type.dims,
			  (size_t)rank * sizeof(x->type.dims[0]))
	       && !memcmp(r->value->args, r->idx, (size_t)rank * sizeof(r->idx[0]))
	       && sn_layout_equal(sn_layout_of(v->pr->pool, x),
				  sn_layout_of(v->pr->pool, r->tensor));
}

static void
check_memory(struct verify *v, const struct sn_tensor_list *l)
{
	for (size_t i = 0; i < l->list.n; i++)
		if (l->list.v[i]->role != TR_CONST && l->list.v[i]->place != v->kernel->place)
			SN_VERIFY_ERROR(v, DG_TV_TENSOR, l->list.v[i]->name,
					"isn't in the memory where its kernel runs");
}

void
sn_verify_host(struct verify *v)
{
	struct sn_tensor_list list;
	v->comp = NULL;
	if (!v->pr->has_transfers)
		return;
	if (v->kernel->place == PLACE_TRANSFER) {
		if (!is_transfer(v, v->kernel))
			SN_VERIFY_ERROR(v, DG_TV_TRANSFER, v->kernel->name);
		return;
	}
	sn_kernel_reads(v->kernel, v->arena, &list);
	check_memory(v, &list);
	sn_kernel_stores(v->kernel, v->arena, &list);
	check_memory(v, &list);
}
