/*
 * Inlining: a producer's value in the place of reads of its result.
 *
 *	t[i, j] = x[j, i]			y[i, j] = exp(x[j, i])
 *	y[i, j] = exp(t[i, j])		->
 */
#include "ir/index.h"
#include "passes/fuse.h"

/* Additions' worth of time that a store and a load of an element take. */
enum { STORE_LOAD = 8 };

struct inlining {
	struct sn_fuse *f;
	const struct sn_comp *producer;
	const struct sn_result *result;
};

/* Every index of the store is an axis of its own, or 0 where there is one element. */
static bool
stores_at_axes(const struct sn_comp *m, const struct sn_result *r)
{
	int used = 0;

	for (int d = 0; d < r->tensor->type.rank; d++) {
		bool is_first = r->idx[d]->kind == EX_AXIS;

		for (int e = 0; e < d; e++)
			is_first &= r->idx[e] != r->idx[d];
		used += is_first;
		if (!is_first
		    && !(sn_is_int_const(r->idx[d], 0)
			 && sn_is_int_const(r->tensor->type.dims[d], 1)))
			return false;
	}
	for (int i = 0; i < m->naxes; i++)
		used += sn_is_int_const(m->axes[i]->extent, 1);
	return used >= m->naxes;
}

/* Does the index E choose between places (the edge of a padding, a reflection)? Quotients and
 * remainders are another thing: mostly they join again, or the layout takes them up. */
static bool
has_choice(const struct sn_expr *e)
{
	if (e->kind != EX_OP || !e->axes)
		return false;
	if (e->op == OP_MIN || e->op == OP_MAX || e->op == OP_SELECT)
		return true;
	for (int i = 0; i < e->nargs; i++)
		if (has_choice(e->args[i]))
			return true;
	return false;
}

/* A view, or one number everywhere: free to compute anew. A gather, whose index is read, is not, nor is
 * an index that chooses where a reduction would choose again and again (IS_REDUCED). */
static bool
is_index_map(const struct sn_expr *value, bool is_reduced)
{
	for (int i = 0; value->kind == EX_READ && i < value->nargs; i++)
		if ((value->args[i]->has & SN_HAS_READ)
		    || (is_reduced && has_choice(value->args[i])))
			return false;
	return value->kind == EX_READ || value->kind == EX_CONST || value->kind == EX_SYM;
}

/*
 * Where t[i] = x[i + c] and i is outside t, is i + c outside x?  Then a read of t
 * that gives v outside is a read of x that does.  It is so if c <= 0 and all of x
 * is seen through t.
 */
static bool
is_outside_kept(const struct inlining *in, int dim)
{
	const struct sn_expr *value = in->result->value, *at = in->result->idx[dim];
	struct sn_pool *p = in->f->pool;
	int found = -1, n = value->nargs - value->has_outside;
	int64_t c;

	for (int k = 0; at->kind == EX_AXIS && k < n; k++) {
		if (!sn_expr_has_axis(value->args[k], at->axis))
			continue;
		if (found >= 0)
			return false;
		found = k;
	}
	if (found < 0 || !sn_get_int(sn_sub(p, value->args[found], at), &c) || c > 0)
		return false;
	return sn_prove_le(p, sn_addk(p, value->tensor->type.dims[found], -c),
			   in->result->tensor->type.dims[dim]);
}

/* Can the read E, which has an outside value, become the producer's? */
static bool
can_keep_outside(const struct inlining *in, const struct sn_expr *e)
{
	const struct sn_expr *value = in->result->value, *zero = sn_int(in->f->pool, 0);
	const struct sn_expr *outside = e->args[e->nargs - 1];
	struct sn_pool *p = in->f->pool;

	if (sn_fuse_in_range(p, e->tensor, e->args))
		return true;
	if (value->kind != EX_READ)
		return false;
	if (value->has_outside && value->args[value->nargs - 1] != outside)
		return false;
	for (int d = 0; d < e->tensor->type.rank; d++) {
		bool is_inside = sn_prove_le(p, zero, e->args[d])
				 && sn_prove_lt(p, e->args[d], e->tensor->type.dims[d]);

		if (!is_inside && !is_outside_kept(in, d))
			return false;
	}
	return true;
}

/* The producer's value at index IDX of its result. */
static const struct sn_expr *
value_at(const struct inlining *in, const struct sn_expr *const *idx)
{
	struct sn_pool *p = in->f->pool;
	struct sn_subst s;

	sn_subst_init(&s, p, in->f->scratch);
	for (int i = 0; i < in->producer->naxes;
	     i++) /* those of one element that are not stored at */
		sn_subst_put(&s, sn_axis_expr(p, in->producer->axes[i]), sn_int(p, 0));
	for (int d = 0; d < in->result->tensor->type.rank; d++)
		if (in->result->idx[d]->kind == EX_AXIS)
			sn_subst_put(&s, in->result->idx[d], idx[d]);
	return sn_subst(&s, in->result->value);
}

static const struct sn_expr *
replace_read(struct sn_subst *s, const struct sn_expr *e)
{
	const struct inlining *in = s->arg;

	if (e->kind != EX_READ || e->tensor != in->result->tensor)
		return NULL;
	const struct sn_expr *v = value_at(in, e->args);

	if (!e->has_outside || v->kind != EX_READ || v->has_outside
	    || sn_fuse_in_range(s->pool, e->tensor, e->args))
		return v;
	return sn_read(s->pool, v->tensor, v->args, v->nargs, e->args[e->nargs - 1]);
}

/* How often an element that E touches is computed if it is computed at every read. */
static double
times_read(const struct sn_comp *m, const struct sn_fuse_read *read)
{
	const struct sn_expr *e = read->expr;
	double points = 1, touched = 1, elements = sn_fuse_elements(e->tensor);

	for (int i = 0; i < m->naxes + (read->is_in_args ? m->nred : 0); i++) {
		const struct sn_axis *a = i < m->naxes ? m->axes[i] : m->red[i - m->naxes];
		bool is_used = false;

		for (int d = 0; d < e->tensor->type.rank; d++)
			is_used |= sn_expr_has_axis(e->args[d], a);
		points *= sn_fuse_size(a->extent);
		touched *= is_used ? sn_fuse_size(a->extent) : 1;
	}
	touched = touched < elements ? touched : elements;
	return touched > 0 ? points / touched : 0;
}

/* Is computing T anew at each read in READS of M cheaper than storing it? */
static bool
is_worth_it(struct inlining *in, const struct sn_comp *m, const struct sn_fuse_reads *reads)
{
	const struct sn_tensor *t = in->result->tensor;
	bool is_reduced = false;
	double times = 0;

	if (t->role != TR_TEMP || in->f->info[t->id].nreaders != 1)
		return false;
	for (size_t i = 0; i < reads->list.n; i++) {
		if (reads->list.v[i].expr->tensor != t)
			continue;
		times += times_read(m, &reads->list.v[i]);
		is_reduced |= reads->list.v[i].is_in_args;
	}
	if (times <= 1.0001)
		return true;
	return !is_reduced && sn_fuse_cost(in->f, in->result->value) * (times - 1) <= STORE_LOAD;
}

static bool
should_inline(struct inlining *in, const struct sn_comp *m, const struct sn_fuse_reads *reads)
{
	const struct sn_tensor *t = in->result->tensor;
	bool is_reduced = false;

	if (in->producer == m || !sn_fuse_is_map(in->producer)
	    || !stores_at_axes(in->producer, in->result))
		return false;
	for (size_t i = 0; i < reads->list.n; i++) {
		const struct sn_expr *e = reads->list.v[i].expr;

		if (e->tensor != t)
			continue;
		if (e->has_outside && !can_keep_outside(in, e))
			return false;
		is_reduced |= reads->list.v[i].is_in_args;
	}
	return is_index_map(in->result->value, is_reduced) || is_worth_it(in, m, reads);
}

/* Takes the producer away if nobody reads it any more. */
static void
drop_producer(struct inlining *in, struct sn_kernel *k)
{
	const struct sn_tensor *t = in->result->tensor;
	struct sn_fuse_info *info = &in->f->info[t->id];

	if (info->nreaders > 0 || t->role != TR_TEMP || in->producer->nresults > 1)
		return;
	if (!is_index_map(in->result->value, false))
		sn_fuse_name(in->f, k, info->kernel, k);
	sn_fuse_drop_stage(in->f, info->kernel, in->producer);
	*info = (struct sn_fuse_info){ 0 };
}

/* Inlines the producer into M; false if M would become too large. */
static bool
inline_into(struct inlining *in, struct sn_kernel *k, struct sn_comp *m)
{
	struct sn_fuse *f = in->f;
	struct sn_comp changed = *m;
	struct sn_fuse_reads reads = { 0 };
	struct sn_subst s;

	sn_subst_init(&s, f->pool, f->scratch);
	s.leaf = replace_read;
	s.arg = in;
	sn_comp_subst(&changed, &s);
	sn_fuse_reads(f, &changed, &reads);
	if (reads.nnodes > SN_FUSE_NODES || reads.list.n > SN_FUSE_READS)
		return false;
	changed.origin = sn_origin_join(f->arena, m->origin, in->producer->origin);
	sn_fuse_count(f, m, -1);
	*m = changed;
	sn_fuse_count(f, m, 1);
	drop_producer(in, k);
	return true;
}

static bool
inline_one(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m)
{
	struct sn_fuse_reads reads = { 0 };

	sn_fuse_reads(f, m, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_tensor *t = reads.list.v[i].expr->tensor;
		struct sn_fuse_info *info = &f->info[t->id];

		if (info->nwriters != 1 || info->kernel->place != k->place)
			continue;
		struct inlining in = { f, info->writer, sn_fuse_result(info->writer, t) };

		if (should_inline(&in, m, &reads) && inline_into(&in, k, m))
			return true;
	}
	return false;
}

bool
sn_fuse_inline(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m)
{
	bool has_changed = false;

	while (inline_one(f, k, m))
		has_changed = true;
	return has_changed;
}
