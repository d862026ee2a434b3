/*
 * store-in-place: a result takes the memory of an operand that nobody needs any more.
 *
 *	temp f32[1,64,56,56] x		temp f32[1,64,56,56] y
 *	y[i0, i1, i2, i3] = max(sum(..) .. + x[i0, i1, i2, i3], 0.0)
 * ->	temp f32[1,64,56,56] y inplace x
 *
 * The operand must be a temporary of the same extents and layout, read by this
 * kernel for the last time, and only at the index that is stored; the kernel
 * one comprehension with one result, all of the tensor; its schedule one that
 * stores no element twice.  Functions then have one parameter for both.  Last on
 * the tensor level, since it asks about schedules.  Exact.  Cost: linear in
 * expressions.
 */
#include <string.h>
#include "passes/emit.h"
#include "passes/pass.h"

struct uses {
	int *last;     /* by tensor id: number of the last kernel that touches it */
	int *nwriters; /* by tensor id: comprehensions */
};

static void
note_kernel(struct sn_pass_ctx *c, struct uses *u, const struct sn_kernel *k, int number)
{
	struct sn_tensor_list reads = { 0 };
	sn_kernel_reads(k, c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++)
		u->last[reads.list.v[i]->id] = number;
	for (size_t i = 0; i < k->stages.n; i++)
		for (int r = 0; r < k->stages.v[i]->nresults; r++) {
			int id = k->stages.v[i]->results[r].tensor->id;
			u->last[id] = number;
			u->nwriters[id]++;
		}
}

static bool
are_alike(struct sn_pool *p, const struct sn_tensor *a, const struct sn_tensor *b)
{
	return a->type.dtype == b->type.dtype && a->type.rank == b->type.rank
	       && !memcmp(a->type.dims, b->type.dims,
			  (size_t)a->type.rank * sizeof(a->type.dims[0]))
	       && sn_layout_equal(sn_layout_of(p, a), sn_layout_of(p, b));
}

/* Are all reads of X in the list at the index that R stores? */
static bool
is_read_in_place(const struct sn_read_list *reads, const struct sn_tensor *x,
		 const struct sn_result *r)
{
	for (size_t i = 0; i < reads->list.n; i++) {
		const struct sn_expr *e = reads->list.v[i];
		if (e->tensor == x
		    && memcmp(e->args, r->idx, (size_t)x->type.rank * sizeof(r->idx[0])) != 0)
			return false;
	}
	return true;
}

static bool
has_one_result(const struct sn_kernel *k)
{
	return k->stages.n == 1 && k->stages.v[0]->nresults == 1;
}

/* The operand whose memory the result of K, kernel NUMBER, can have; NULL: none. */
static struct sn_tensor *
find_operand(struct sn_pass_ctx *c, const struct uses *u, const struct sn_kernel *k, int number)
{
	const struct sn_comp *m = k->stages.v[0];
	const struct sn_result *r = &m->results[0];
	struct sn_read_list all = { 0 }, reads = { 0 };
	sn_reads_of(r->value, c->scratch, &reads);
	sn_reads_of(r->value, c->scratch, &all);
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], c->scratch, &all);
	for (size_t i = 0; i < reads.list.n; i++) {
		struct sn_tensor *x = (struct sn_tensor *)reads.list.v[i]->tensor;
		bool is_temp = x->role == TR_TEMP && x->place == r->tensor->place
			       && (x->store == TS_OWN || x->store == TS_INPLACE);
		if (is_temp && x != r->tensor && u->last[x->id] == number
		    && are_alike(c->module->pool, x, r->tensor) && is_read_in_place(&all, x, r))
			return x;
	}
	return NULL;
}

bool
sn_pass_store_in_place(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct uses u = { SN_NEW_ARRAY(c->scratch, pr->tensors.n + 1, int),
			  SN_NEW_ARRAY(c->scratch, pr->tensors.n + 1, int) };
	struct sn_sched_ctx s = { c->module, c->module->target, c->module->pool, c->module->arena,
				  c->scratch };
	for (size_t i = 0; i < pr->kernels.n; i++)
		note_kernel(c, &u, pr->kernels.v[i], (int)i);
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_kernel *k = pr->kernels.v[i];
		struct sn_tensor *t = k->stages.v[0]->results[0].tensor;
		const struct sn_schedule *how = sn_schedule_find(k->schedule);
		sn_sched_turn(&s, k);
		if (!has_one_result(k) || t->role != TR_TEMP || t->store != TS_OWN
		    || u.nwriters[t->id] != 1 || !how || !how->repeats || how->repeats(&s, k))
			continue;
		t->base = find_operand(c, &u, k, (int)i);
		if (t->base) {
			t->store = TS_INPLACE;
			c->has_changed = true;
		}
	}
	return true;
}
