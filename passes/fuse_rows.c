/*
 * fuse-rows: makes one kernel of several that work row by row.
 *
 *	mean[b, s] = sum(e) x[b, s, e] / 768.0		(kernel 1)
 *	d[b, s, e] = x[b, s, e] - mean[b, s]		(kernel 2)
 *	y[b, s, e] = d[b, s, e] * g[e]			(kernel 3)
 * ->	one kernel of three stages with shared axes b, s; mean and d live in scratch
 *
 * A kernel joins its producer when both go through the same leading axes, what
 * the one reads of the other lies at the same point of them, and reductions
 * run over the rest alone and meet each element once: no contraction, no window.
 * Tensors that are used in one kernel only, slice by slice, become scratch, also in
 * kernels of several stages that were so from the start.
 *
 * Exact.  Cost: linear in kernels; looks at most 32 kernels ahead.
 */
#include "passes/fuse.h"

enum { WINDOW = 32 };

struct rows {
	struct sn_fuse f;
	struct sn_program *program;
};

/* ---- which kernels go by rows ---- */

static bool
is_one(const struct sn_expr *extent)
{
	return sn_is_int_const(extent, 1);
}

/* True if E, read in M's reduction, meets each element of its tensor about once. */
static bool
is_full(const struct sn_comp *m, const struct sn_expr *e)
{
	double points = 1;

	for (int i = 0; i < m->naxes + m->nred; i++) {
		const struct sn_axis *a = i < m->naxes ? m->axes[i] : m->red[i - m->naxes];
		bool is_used = is_one(a->extent);

		for (int d = 0; d < e->tensor->type.rank; d++)
			is_used |= sn_expr_has_axis(e->args[d], a);
		if (!is_used)
			return false;
		points *= sn_fuse_size(a->extent);
	}
	return points <= 1.0001 * sn_fuse_elements(e->tensor);
}

/* A reduction whose parallel axes are the shared ones, and that goes over whole rows. */
static bool
reduces_rows(struct sn_fuse *f, const struct sn_comp *m, int nshared)
{
	struct sn_fuse_reads reads = { 0 };

	for (int i = nshared; i < m->naxes; i++)
		if (!is_one(m->axes[i]->extent))
			return false;
	sn_fuse_reads(f, m, &reads);
	for (size_t i = 0; i < reads.list.n; i++)
		if (reads.list.v[i].is_in_args && is_full(m, reads.list.v[i].expr))
			return true;
	return false;
}

static bool
are_all_rows(struct sn_fuse *f, const struct sn_kernel *k, int nshared, bool *has_reduction)
{
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];

		if (sn_fuse_is_map(m))
			continue;
		if (!reduces_rows(f, m, nshared))
			return false;
		*has_reduction = true;
	}
	return true;
}

/* ---- how many axes two kernels can share ---- */

/* Leading indices of IDX (RANK of them) that are the axes of M, at most N. */
static int
leading_axes(struct sn_pool *p, const struct sn_comp *m, const struct sn_expr *const *idx, int rank,
	     int n)
{
	int d = 0;

	while (d < n && d < rank && idx[d] == sn_axis_expr(p, m->axes[d]))
		d++;
	return d;
}

/* True if K stores T, or a part of it. */
static bool
is_stored_by(const struct sn_tensor *t, const struct sn_kernel *k)
{
	for (size_t i = 0; i < k->stages.n; i++)
		if (sn_fuse_result(k->stages.v[i], t))
			return true;
	return false;
}

/* Shared axes that the stores of FIRST allow whose results SECOND reads. */
static int
limit_by_stores(struct sn_fuse *f, const struct sn_kernel *first, int n)
{
	for (size_t i = 0; i < first->stages.n; i++) {
		const struct sn_comp *m = first->stages.v[i];

		n = m->naxes < n ? m->naxes : n;
		for (int k = 0; k < m->nresults; k++)
			n = leading_axes(f->pool, m, m->results[k].idx,
					 m->results[k].tensor->type.rank, n);
	}
	return n;
}

/* Shared axes that SECOND's reads of FIRST's results allow. */
static int
limit_by_reads(struct sn_fuse *f, const struct sn_kernel *first, const struct sn_kernel *second,
	       int n)
{
	struct sn_fuse_reads reads = { 0 };

	for (size_t i = 0; i < second->stages.n; i++) {
		const struct sn_comp *m = second->stages.v[i];

		n = m->naxes < n ? m->naxes : n;
		sn_fuse_reads(f, m, &reads);
		for (size_t k = 0; k < reads.list.n; k++) {
			const struct sn_expr *e = reads.list.v[k].expr;

			if (is_stored_by(e->tensor, first))
				n = leading_axes(f->pool, m, e->args, e->tensor->type.rank, n);
		}
	}
	return n;
}

static int
limit_by_extents(const struct sn_kernel *first, const struct sn_kernel *second, int n)
{
	int d = 0;

	while (d < n && first->stages.v[0]->axes[d]->extent == second->stages.v[0]->axes[d]->extent)
		d++;
	return d;
}

/* A kernel of several stages keeps the axes that they share. */
static bool
keeps_shared(const struct sn_kernel *k, int n)
{
	return k->stages.n == 1 || k->nshared == n;
}

/* The axes that the two can share, 0 if none. */
static int
shared_axes(struct sn_fuse *f, const struct sn_kernel *first, const struct sn_kernel *second)
{
	int n = SN_MAX_AXES;

	if (first->stages.n > 1)
		n = first->nshared;
	if (second->stages.n > 1 && second->nshared < n)
		n = second->nshared;
	n = limit_by_stores(f, first, n);
	n = limit_by_reads(f, first, second, n);
	n = limit_by_extents(first, second, n);
	return keeps_shared(first, n) && keeps_shared(second, n) ? n : 0;
}

/* ---- where the two can stand together ---- */

static bool
reads_any_of(struct sn_fuse *f, const struct sn_kernel *k, const struct sn_kernel *producer)
{
	struct sn_fuse_reads reads = { 0 };

	for (size_t i = 0; i < k->stages.n; i++) {
		sn_fuse_reads(f, k->stages.v[i], &reads);
		for (size_t j = 0; j < reads.list.n; j++)
			if (is_stored_by(reads.list.v[j].expr->tensor, producer))
				return true;
	}
	return false;
}

/* Nobody between AT and TO needs what kernel AT stores: it can move down to TO. */
static bool
can_move_down(struct rows *r, size_t at, size_t to)
{
	for (size_t i = at + 1; i < to; i++)
		if (reads_any_of(&r->f, r->program->kernels.v[i], r->program->kernels.v[at]))
			return false;
	return true;
}

/* Kernel TO needs nothing that is stored between AT and it: it can move up to AT. */
static bool
can_move_up(struct rows *r, size_t at, size_t to)
{
	for (size_t i = at + 1; i < to; i++)
		if (reads_any_of(&r->f, r->program->kernels.v[to], r->program->kernels.v[i]))
			return false;
	return true;
}

/* ---- joining ---- */

/* The stages of SECOND go through FIRST's shared axes. */
static void
share_axes(struct rows *r, const struct sn_kernel *first, struct sn_kernel *second, int n)
{
	struct sn_subst s;

	sn_subst_init(&s, r->f.pool, r->f.scratch);
	for (size_t i = 0; i < second->stages.n; i++) {
		struct sn_comp *m = second->stages.v[i];

		for (int d = 0; d < n; d++) {
			const struct sn_axis *axis = first->stages.v[0]->axes[d];

			sn_subst_put(&s, sn_axis_expr(r->f.pool, m->axes[d]),
				     sn_axis_expr(r->f.pool, axis));
			m->axes[d] = axis;
		}
		sn_comp_subst(m, &s);
	}
}

/* All stages in FROM's order into one of the two kernels, which is the one that stays. */
static void
join_stages(struct rows *r, struct sn_kernel *first, struct sn_kernel *second,
	    struct sn_kernel *stays)
{
	struct sn_kernel joined = *stays;

	joined.stages.v = NULL;
	joined.stages.n = joined.stages.cap = 0;
	for (size_t i = 0; i < first->stages.n; i++)
		SN_PUSH(r->f.arena, &joined.stages, first->stages.v[i]);
	for (size_t i = 0; i < second->stages.n; i++)
		SN_PUSH(r->f.arena, &joined.stages, second->stages.v[i]);
	sn_fuse_name(&r->f, &joined, first, second);
	first->stages.n = second->stages.n = 0;
	*stays = joined;
}

/* Joins kernels number AT and TO, the second reading the first; false if they don't go together. */
static bool
join(struct rows *r, size_t at, size_t to)
{
	struct sn_kernel *first = r->program->kernels.v[at], *second = r->program->kernels.v[to];
	int n = shared_axes(&r->f, first, second);
	bool has_reduction = false;

	if (n == 0 || first->place != second->place
	    || !are_all_rows(&r->f, first, n, &has_reduction)
	    || !are_all_rows(&r->f, second, n, &has_reduction) || !has_reduction)
		return false;
	bool is_down = can_move_down(r, at, to);

	if (!is_down && !can_move_up(r, at, to))
		return false;
	share_axes(r, first, second, n);
	struct sn_kernel *stays = is_down ? second : first;

	join_stages(r, first, second, stays);
	stays->nshared = n;
	return true;
}

/* Kernel TO with a producer of its near before it. */
static bool
join_producer(struct rows *r, size_t to)
{
	struct sn_kernel *k = r->program->kernels.v[to];

	for (size_t at = to; k->stages.n > 0 && at-- > 0 && to - at <= WINDOW;) {
		struct sn_kernel *producer = r->program->kernels.v[at];

		if (producer->stages.n > 0 && reads_any_of(&r->f, k, producer) && join(r, at, to))
			return true;
	}
	return false;
}

/* ---- scratch ---- */

/* Do all stages of K meet T at the shared axes, and how many of them read it? */
static bool
is_sliced(struct rows *r, const struct sn_kernel *k, const struct sn_tensor *t, int *nreaders)
{
	struct sn_fuse_reads reads = { 0 };

	*nreaders = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_comp *m = k->stages.v[i];
		const struct sn_result *w = sn_fuse_result(m, t);
		bool is_reader = false;
		int n = k->nshared, rank = t->type.rank;

		if (w && leading_axes(r->f.pool, m, w->idx, rank, n) < n)
			return false;
		sn_fuse_reads(&r->f, m, &reads);
		for (size_t j = 0; j < reads.list.n; j++) {
			const struct sn_expr *e = reads.list.v[j].expr;

			if (e->tensor != t)
				continue;
			is_reader = true;
			if (leading_axes(r->f.pool, m, e->args, rank, n) < n)
				return false;
		}
		*nreaders += is_reader;
	}
	return true;
}

static bool
mark_scratch(struct rows *r, const struct sn_kernel *k)
{
	bool has_changed = false;

	for (size_t i = 0; i < k->stages.n && k->stages.n > 1; i++) {
		for (int j = 0; j < k->stages.v[i]->nresults; j++) {
			struct sn_tensor *t = k->stages.v[i]->results[j].tensor;
			const struct sn_fuse_info *info = &r->f.info[t->id];
			int nreaders;

			if (t->role != TR_TEMP || t->store != TS_OWN || info->nwriters != 1
			    || !is_sliced(r, k, t, &nreaders) || nreaders != info->nreaders)
				continue;
			t->store = TS_SCRATCH;
			has_changed = true;
		}
	}
	return has_changed;
}

bool
sn_pass_fuse_rows(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct rows r = { .program = pr };

	sn_fuse_init(&r.f, c);
	for (size_t i = 0; i < pr->kernels.n; i++)
		while (join_producer(&r, i))
			c->has_changed = true;
	sn_fuse_sweep(pr);
	for (size_t i = 0; i < pr->kernels.n; i++)
		c->has_changed |= mark_scratch(&r, pr->kernels.v[i]);
	return true;
}
