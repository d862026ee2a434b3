/*
 * What fusing knows of a program: writers, readers, costs.
 */
#include "passes/fuse.h"

#include <string.h>
#include "ir/index.h"

enum { MAX_NAME = 40 };

/* Cost of an operation, an addition being 1; 0 in the table stands for 1. */
static const unsigned char costs[OP_COUNT] = {
	[OP_DIV] = 4,	 [OP_SQRT] = 4,	  [OP_FLOORDIV] = 5, [OP_MOD] = 8,	[OP_FMOD] = 8,
	[OP_POW] = 24,	 [OP_EXP] = 12,	  [OP_EXPM1] = 16,   [OP_LOG] = 16,	[OP_LOG1P] = 16,
	[OP_SIN] = 16,	 [OP_COS] = 16,	  [OP_TAN] = 24,     [OP_ASIN] = 24,	[OP_ACOS] = 24,
	[OP_ATAN] = 24,	 [OP_SINH] = 24,  [OP_COSH] = 24,    [OP_TANH] = 16,	[OP_ASINH] = 24,
	[OP_ACOSH] = 24, [OP_ATANH] = 24, [OP_ERF] = 16,     [OP_SIGMOID] = 16,
};

static double
cost_of(const struct sn_expr *e)
{
	if (e->kind != EX_OP)
		return 0;
	if (e->dtype == DT_I64 && e->axes) /* indices: additions are folded into addresses */
		return e->op == OP_FLOORDIV || e->op == OP_MOD ? 2 : 0;
	return costs[e->op] ? costs[e->op] : 1;
}

/* Makes a new walk: everything counts as unseen. */
static void
start_walk(struct sn_fuse *f)
{
	if (f->nseen < f->pool->nexprs) {
		f->nseen = 2 * f->pool->nexprs;
		f->seen = SN_NEW_ARRAY(f->scratch, f->nseen, uint32_t);
	}
	f->walk++;
}

static void
visit(struct sn_fuse *f, const struct sn_expr *e, bool is_in_args, struct sn_fuse_reads *out)
{
	if (f->seen[e->id] == f->walk)
		return;
	f->seen[e->id] = f->walk;
	for (int i = 0; i < e->nargs; i++)
		visit(f, e->args[i], is_in_args, out);
	out->nnodes++;
	out->cost += cost_of(e);
	if (e->kind == EX_READ)
		SN_PUSH(f->scratch, &out->list, (struct sn_fuse_read){ e, is_in_args });
}

void
sn_fuse_reads(struct sn_fuse *f, const struct sn_comp *m, struct sn_fuse_reads *out)
{
	start_walk(f);
	out->list.n = 0;
	out->nnodes = 0;
	out->cost = 0;
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		visit(f, m->args[i], true, out);
	for (int i = 0; i < m->nresults; i++) {
		visit(f, m->results[i].value, false, out);
		for (int d = 0; d < m->results[i].tensor->type.rank; d++)
			visit(f, m->results[i].idx[d], false, out);
	}
}

double
sn_fuse_cost(struct sn_fuse *f, const struct sn_expr *e)
{
	struct sn_fuse_reads *r = &f->spare;

	start_walk(f);
	r->list.n = 0;
	r->cost = 0;
	visit(f, e, false, r);
	return r->cost;
}

void
sn_fuse_count(struct sn_fuse *f, const struct sn_comp *m, int delta)
{
	sn_fuse_reads(f, m, &f->spare);
	for (size_t i = 0; i < f->spare.list.n; i++) {
		int id = f->spare.list.v[i].expr->tensor->id;

		if (f->counted[id] == f->walk)
			continue;
		f->counted[id] = f->walk;
		f->info[id].nreaders += delta;
	}
}

static void
note_stage(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m)
{
	for (int i = 0; i < m->nresults; i++) {
		struct sn_fuse_info *t = &f->info[m->results[i].tensor->id];

		t->writer = m;
		t->kernel = k;
		t->nwriters++;
	}
	sn_fuse_count(f, m, 1);
}

void
sn_fuse_init(struct sn_fuse *f, struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;

	*f = (struct sn_fuse){
		.program = pr,
		.pool = pr->pool,
		.arena = pr->arena,
		.scratch = c->scratch,
	};
	f->info = SN_NEW_ARRAY(f->scratch, pr->tensors.n, struct sn_fuse_info);
	f->counted = SN_NEW_ARRAY(f->scratch, pr->tensors.n, uint32_t);
	f->position = SN_NEW_ARRAY(f->scratch, (size_t)pr->nkernels, int);
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_kernel *k = pr->kernels.v[i];

		f->position[k->id] = (int)i;
		for (size_t j = 0; j < k->stages.n; j++)
			note_stage(f, k, k->stages.v[j]);
	}
}

bool
sn_fuse_is_map(const struct sn_comp *m)
{
	if (m->nred > 0 || m->reducer)
		return false;
	for (int i = 0; i < m->nresults; i++)
		if (m->results[i].value->has & SN_HAS_STATE)
			return false;
	return true;
}

struct sn_result *
sn_fuse_result(struct sn_comp *m, const struct sn_tensor *t)
{
	for (int i = 0; i < m->nresults; i++)
		if (m->results[i].tensor == t)
			return &m->results[i];
	return NULL;
}

double
sn_fuse_size(const struct sn_expr *extent)
{
	int64_t n;

	return sn_get_int(extent, &n) ? (double)n : 64;
}

double
sn_fuse_elements(const struct sn_tensor *t)
{
	double n = 1;

	for (int d = 0; d < t->type.rank; d++)
		n *= sn_fuse_size(t->type.dims[d]);
	return n;
}

bool
sn_fuse_in_range(struct sn_pool *p, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	for (int d = 0; d < t->type.rank; d++)
		if (!sn_prove_le(p, sn_int(p, 0), idx[d])
		    || !sn_prove_lt(p, idx[d], t->type.dims[d]))
			return false;
	return true;
}

int
sn_fuse_stage(const struct sn_kernel *k, const struct sn_comp *m)
{
	for (size_t i = 0; i < k->stages.n; i++)
		if (k->stages.v[i] == m)
			return (int)i;
	return -1;
}

void
sn_fuse_drop_stage(struct sn_fuse *f, struct sn_kernel *k, const struct sn_comp *m)
{
	int at = sn_fuse_stage(k, m);

	sn_fuse_count(f, m, -1);
	for (size_t i = (size_t)at + 1; i < k->stages.n; i++)
		k->stages.v[i - 1] = k->stages.v[i];
	k->stages.n--;
}

void
sn_fuse_name(struct sn_fuse *f, struct sn_kernel *k, const struct sn_kernel *first,
	     const struct sn_kernel *second)
{
	k->origin = sn_origin_join(f->arena, first->origin, second->origin);
	if (first != second && strlen(first->name) + strlen(second->name) < MAX_NAME)
		sn_kernel_rename(f->program, k,
				 sn_printf(f->scratch, "%s_%s", first->name, second->name));
}

void
sn_fuse_sweep(struct sn_program *pr)
{
	size_t n = 0;

	for (size_t i = 0; i < pr->kernels.n; i++)
		if (pr->kernels.v[i]->stages.n > 0)
			pr->kernels.v[n++] = pr->kernels.v[i];
	pr->kernels.n = n;
}
