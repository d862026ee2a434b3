/*
 * Merging: a map that reads the result of another comprehension once per
 * element becomes part of it.
 *
 *	t[n, m] = sum(c) x[n, c] * w[c, m]
 *	y[n, m] = max(t[n, m] + b[m], 0)	-> y[n, m] = max(sum(c) x[n, c] * w[c, m] + b[m], 0)
 *
 * The axes are the producer's and the map's index is turned around (a merging
 * reshape becomes a store at 64*h + d); where that gives quotients and the
 * map's own index has none, the axes are the map's.
 */
#include <string.h>
#include "passes/fuse.h"

struct merging {
	struct sn_fuse *f;
	struct sn_kernel *k; /* of the map */
	struct sn_comp *map;
	struct sn_kernel *pk; /* of the producer */
	struct sn_comp *producer;
	const struct sn_expr *read; /* of the producer's result, in the map */
	const struct sn_result *result;
};

/* ---- may they be joined? ---- */

/* The only expression of M that reads T; NULL if there are several. */
static const struct sn_expr *
only_read(const struct sn_fuse_reads *reads, const struct sn_tensor *t)
{
	const struct sn_expr *found = NULL;

	for (size_t i = 0; i < reads->list.n; i++) {
		const struct sn_expr *e = reads->list.v[i].expr;

		if (e->tensor != t)
			continue;
		if (found
		    && memcmp(found->args, e->args, (size_t)t->type.rank * sizeof(e->args[0])) != 0)
			return NULL;
		found = e;
	}
	return found;
}

/* Is T complete before stage AT of K? */
static bool
is_ready(struct sn_fuse *f, const struct sn_tensor *t, const struct sn_kernel *k, int at)
{
	const struct sn_fuse_info *info = &f->info[t->id];

	if (info->nwriters == 0)
		return true;
	int there = f->position[info->kernel->id], here = f->position[k->id];

	if (there != here)
		return there < here;
	return info->nwriters == 1 && sn_fuse_stage(k, info->writer) < at;
}

/* Can all else that the map reads be had where the producer stands? */
static bool
fits_at_producer(const struct merging *g, const struct sn_fuse_reads *reads)
{
	int at = sn_fuse_stage(g->pk, g->producer);

	for (size_t i = 0; i < reads->list.n; i++) {
		const struct sn_tensor *t = reads->list.v[i].expr->tensor;

		if (t != g->result->tensor && !is_ready(g->f, t, g->pk, at))
			return false;
	}
	return true;
}

/* Can the producer move to where the map stands? */
static bool
fits_at_map(const struct merging *g)
{
	return g->pk->stages.n == 1 && g->k->stages.n == 1 && g->producer->nresults == 1;
}

/* A view that its readers can look through without quotients need not be computed. */
static bool
is_left_to_readers(const struct merging *g)
{
	const struct sn_result *r = &g->map->results[0];

	if (g->map->nresults > 1 || r->value != g->read || r->tensor->role != TR_TEMP
	    || g->f->info[r->tensor->id].nwriters > 1)
		return false;
	for (int d = 0; d < g->read->tensor->type.rank; d++)
		if (!sn_fuse_is_affine(g->read->args[d]))
			return false;
	return true;
}

/* ---- joining ---- */

static bool
are_affine(const struct sn_expr *const *e, int n)
{
	for (int i = 0; i < n; i++)
		if (!sn_fuse_is_affine(e[i]))
			return false;
	return true;
}

static void
put_axes(struct sn_subst *s, const struct sn_axis *const *axes, int n,
	 const struct sn_expr *const *to)
{
	for (int i = 0; i < n; i++)
		sn_subst_put(s, sn_axis_expr(s->pool, axes[i]), to[i]);
}

/* Reads of the producer's result become its value. */
static void
put_reads(struct sn_subst *s, const struct merging *g, const struct sn_fuse_reads *reads,
	  const struct sn_expr *value)
{
	for (size_t i = 0; i < reads->list.n; i++)
		if (reads->list.v[i].expr->tensor == g->result->tensor)
			sn_subst_put(s, reads->list.v[i].expr, value);
}

/* OUT: the producer with the map's results in the place of its own, which S rewrites. */
static bool
replace_result(const struct merging *g, struct sn_comp *out, struct sn_subst *s)
{
	int n = 0;

	for (int i = 0; i < out->nresults; i++)
		if (out->results[i].tensor != g->result->tensor)
			out->results[n++] = out->results[i];
	if (n + g->map->nresults > SN_MAX_RESULTS)
		return false;
	out->nresults = n;
	struct sn_comp map = *g->map;

	sn_comp_subst(&map, s);
	for (int i = 0; i < map.nresults; i++)
		out->results[out->nresults++] = map.results[i];
	out->origin = sn_origin_join(g->f->arena, g->producer->origin, g->map->origin);
	return true;
}

/* Over the producer's axes: those of the map in terms of where the producer stores. */
static bool
join_on_producer(const struct merging *g, const struct sn_fuse_reads *reads,
		 const struct sn_expr *const *axes, struct sn_comp *out)
{
	struct sn_subst s;

	*out = *g->producer;
	sn_subst_init(&s, g->f->pool, g->f->scratch);
	put_axes(&s, g->map->axes, g->map->naxes, axes);
	put_reads(&s, g, reads, g->result->value);
	return replace_result(g, out, &s);
}

/* Over the map's axes: those of the producer are the indices of the map's read. */
static bool
join_on_map(const struct merging *g, const struct sn_fuse_reads *reads, struct sn_comp *out)
{
	struct sn_subst s, keep;
	struct sn_comp p = *g->producer;

	sn_subst_init(&s, g->f->pool, g->f->scratch);
	for (int d = 0; d < g->result->tensor->type.rank; d++)
		sn_subst_put(&s, g->result->idx[d], g->read->args[d]);
	sn_comp_subst(&p, &s);
	*out = p;
	out->naxes = g->map->naxes;
	memcpy(out->axes, g->map->axes, sizeof(out->axes));
	sn_subst_init(&keep, g->f->pool, g->f->scratch);
	put_reads(&keep, g, reads, p.results[0].value);
	return replace_result(g, out, &keep);
}

/* Each axis of the producer is the index of one dimension of its result. */
static bool
stores_at_axes(const struct merging *g)
{
	const struct sn_result *r = g->result;

	if (g->producer->naxes != r->tensor->type.rank)
		return false;
	for (int d = 0; d < r->tensor->type.rank; d++)
		if (r->idx[d] != sn_axis_expr(g->f->pool, g->producer->axes[d]))
			return false;
	return true;
}

static bool
join(const struct merging *g, const struct sn_fuse_reads *reads, struct sn_comp *out)
{
	const struct sn_tensor *t = g->result->tensor;
	const struct sn_expr *axes[SN_MAX_AXES];
	struct sn_index_map map = { g->map->axes, g->map->naxes, t, g->read->args };

	if (!sn_fuse_invert(g->f->pool, &map, g->result->idx, axes))
		return false;
	if (are_affine(axes, g->map->naxes))
		return join_on_producer(g, reads, axes, out);
	if (!are_affine(g->read->args, t->type.rank) || !stores_at_axes(g) || !fits_at_map(g))
		return false;
	return join_on_map(g, reads, out);
}

/* ---- putting the result in place ---- */

static void
set_writers(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m, const struct sn_comp *was)
{
	for (int i = 0; i < m->nresults; i++) {
		struct sn_fuse_info *info = &f->info[m->results[i].tensor->id];

		if (info->writer != was && info->nwriters > 1)
			continue; /* the last of several is another */
		info->writer = m;
		if (info->nwriters == 1)
			info->kernel = k;
	}
}

/* The joined comprehension takes the place of the producer, or of the map. */
static void
put_in_place(const struct merging *g, const struct sn_comp *joined, bool is_at_producer)
{
	struct sn_fuse *f = g->f;
	struct sn_kernel *k = is_at_producer ? g->pk : g->k;
	struct sn_comp *stays = is_at_producer ? g->producer : g->map;
	const struct sn_tensor *t = g->result->tensor;

	sn_fuse_drop_stage(f, is_at_producer ? g->k : g->pk, is_at_producer ? g->map : g->producer);
	sn_fuse_count(f, stays, -1);
	f->info[t->id] = (struct sn_fuse_info){ 0 };
	if (k->stages.n == 1)
		k->nshared = joined->axes[0] == g->producer->axes[0] ? g->pk->nshared : 0;
	*stays = *joined;
	sn_fuse_count(f, stays, 1);
	set_writers(f, k, stays, g->map);
	sn_fuse_name(f, k, g->pk, g->k);
}

static bool
merge_with(struct merging *g, const struct sn_fuse_reads *reads)
{
	struct sn_comp joined;
	struct sn_fuse_reads all = { 0 };
	bool is_at_producer = fits_at_producer(g, reads);

	if ((!is_at_producer && !fits_at_map(g)) || is_left_to_readers(g)
	    || !join(g, reads, &joined))
		return false;
	sn_fuse_reads(g->f, &joined, &all);
	if (all.nnodes > SN_FUSE_NODES || all.list.n > SN_FUSE_READS)
		return false;
	put_in_place(g, &joined, is_at_producer);
	return true;
}

/* Is T a result that only M reads, so that it need not exist? */
static bool
is_private(struct sn_fuse *f, const struct sn_tensor *t, const struct sn_kernel *k,
	   const struct sn_comp *m)
{
	const struct sn_fuse_info *info = &f->info[t->id];

	return t->role == TR_TEMP && info->nwriters == 1 && info->nreaders == 1 && info->writer != m
	       && info->kernel->place == k->place;
}

bool
sn_fuse_merge(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m)
{
	struct sn_fuse_reads reads = { 0 };

	if (!sn_fuse_is_map(m))
		return false;
	sn_fuse_reads(f, m, &reads);
	/* the latest producer first: what the map reads besides is there already */
	for (int before = (int)f->program->kernels.n; before > 0;) {
		int best = -1;
		const struct sn_tensor *t = NULL;

		for (size_t i = 0; i < reads.list.n; i++) {
			const struct sn_tensor *x = reads.list.v[i].expr->tensor;
			int at = is_private(f, x, k, m) ? f->position[f->info[x->id].kernel->id]
							: -1;

			if (at > best && at < before) {
				best = at;
				t = x;
			}
		}
		if (!t)
			return false;
		before = best;
		struct merging g = { f,
				     k,
				     m,
				     f->info[t->id].kernel,
				     f->info[t->id].writer,
				     only_read(&reads, t),
				     NULL };

		g.result = sn_fuse_result(g.producer, t);
		if (g.read && merge_with(&g, &reads))
			return true;
	}
	return false;
}
