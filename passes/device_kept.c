/* Rows of the group_rows schedule in registers (passes/device_kept.h draws them). */
#include "passes/device_kept.h"
#include "ir/index.h"

/* Most steps of an item whose elements are kept, and most elements of all rows together: an item that
 * keeps more leaves too few registers for others. */
enum { MOST_STEPS = 16, MOST_ELEMENTS = 64 };

/* The one axis along which M is walked; NULL: it has several. */
static const struct sn_axis *
walked_axis(const struct kept *k, const struct sn_comp *m)
{
	int n;
	const struct sn_axis *const *axes = drows_walked(m, k->nspread, &n);
	bool is_walked = drows_is_tree(m, k->nspread) || !m->reducer;
	return is_walked && n == 1 ? axes[0] : NULL;
}

bool
kept_is_stage(const struct kept *k, const struct sn_comp *m)
{
	const struct sn_axis *a = walked_axis(k, m);
	return k->points && a && a->extent == k->points
	       && drows_lanes(k->c, k->kernel, m, k->nspread, k->most_lanes) == k->lanes;
}

/* The elements that the stages have in common: those of the first that is walked in few steps. */
static void
find_steps(struct kept *k)
{
	for (size_t i = 0; i < k->kernel->stages.n && !k->points; i++) {
		const struct sn_comp *m = k->kernel->stages.v[i];
		const struct sn_axis *a = walked_axis(k, m);
		int64_t n;
		k->lanes = a ? drows_lanes(k->c, k->kernel, m, k->nspread, k->most_lanes) : 1;
		if (!a || !sn_get_int(a->extent, &n))
			continue;
		k->steps = (n / k->lanes + k->across - 1) / k->across;
		if (k->steps > 0 && k->steps <= MOST_STEPS)
			k->points = a->extent;
	}
}

/* ---- what is kept ---- */

/* IDX of T in stage M over the walked element; false: not of it alone. */
static bool
place_of(const struct kept *k, const struct sn_comp *m, const struct sn_tensor *t,
	 const struct sn_expr *const *idx, const struct sn_expr **out)
{
	const struct sn_axis *a = walked_axis(k, m);
	struct sn_subst sub;
	bool moves = false;
	sn_subst_init(&sub, k->c->pool, k->c->scratch);
	sn_subst_put(&sub, sn_axis_expr(k->c->pool, a), k->element);
	for (int d = 0; d < t->type.rank; d++) {
		moves |= sn_expr_has_axis(idx[d], a);
		out[d] = sn_subst(&sub, idx[d]);
		if (idx[d]->has & SN_HAS_READ)
			return false;
	}
	return moves;
}

static struct kept_row *
find_row(struct kept *k, const struct sn_tensor *t, const struct sn_expr *const *place)
{
	for (size_t i = 0; i < k->rows.n; i++) {
		struct kept_row *r = &k->rows.v[i];
		bool is_it = r->tensor == t;
		for (int d = 0; is_it && d < t->type.rank; d++)
			is_it = r->place[d] == place[d];
		if (is_it)
			return r;
	}
	return NULL;
}

static struct kept_row *
add_row(struct kept *k, struct sn_tensor *t, const struct sn_expr *const *place,
	const struct sn_comp *m)
{
	struct kept_row r = { .tensor = t, .first = m };
	for (int d = 0; d < t->type.rank; d++)
		r.place[d] = place[d];
	SN_PUSH(k->c->scratch, &k->rows, r);
	return &k->rows.v[k->rows.n - 1];
}

/* Distinct reads of M's arguments or results. */
static void
reads_of(const struct kept *k, const struct sn_comp *m, struct sn_read_list *out)
{
	*out = (struct sn_read_list){ 0 };
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], k->c->scratch, out);
	for (int i = 0; i < m->nresults; i++)
		sn_reads_of(m->results[i].value, k->c->scratch, out);
}

/* The row that READ of stage M is one of; NULL: it can't be kept, or (unless ADD) is not. */
static struct kept_row *
row_of(struct kept *k, struct sn_emit *e, const struct sn_comp *m, const struct sn_expr *read,
       bool add)
{
	const struct sn_expr *place[SN_MAX_RANK];
	struct sn_tensor *t = (struct sn_tensor *)read->tensor;
	const struct sn_buffer *b = sn_emit_buffer(e, t);
	bool is_still = t->store == TS_SCRATCH || (b && b->is_const && !b->is_alias);
	if (!is_still || !kept_is_stage(k, m) || sn_read_guards(k->c->pool, read)
	    || !place_of(k, m, t, read->args, place))
		return NULL;
	struct kept_row *r = find_row(k, t, place);
	return r || !add || t->store == TS_SCRATCH ? r : add_row(k, t, place, m);
}

/* Rows of scratch tensors that stages store; then what all stages read, and how often. */
static void
find_rows(struct kept *k, struct sn_emit *e)
{
	const struct sn_expr *place[SN_MAX_RANK];
	struct sn_read_list reads;
	for (size_t i = 0; i < k->kernel->stages.n; i++) {
		const struct sn_comp *m = k->kernel->stages.v[i];
		for (int j = 0; !m->reducer && kept_is_stage(k, m) && j < m->nresults; j++)
			if (m->results[j].tensor->store == TS_SCRATCH
			    && place_of(k, m, m->results[j].tensor, m->results[j].idx, place))
				add_row(k, m->results[j].tensor, place, m);
		reads_of(k, m, &reads);
		for (size_t j = 0; j < reads.list.n; j++) {
			struct kept_row *r = row_of(k, e, m, reads.list.v[j], true);
			if (r)
				r->nuses++;
		}
	}
}

/* Reads and stores of T that have nothing to do with row R. */
static bool
is_elsewhere(struct kept *k, struct sn_emit *e, const struct kept_row *r)
{
	struct sn_read_list reads;
	for (size_t i = 0; i < k->kernel->stages.n; i++) {
		const struct sn_comp *m = k->kernel->stages.v[i];
		for (int j = 0; j < m->nresults; j++)
			if (m->results[j].tensor == r->tensor && m != r->first)
				return true;
		reads_of(k, m, &reads);
		for (size_t j = 0; j < reads.list.n; j++)
			if (reads.list.v[j]->tensor == r->tensor
			    && row_of(k, e, m, reads.list.v[j], false) != r)
				return true;
	}
	return false;
}

/* Drops what would not help: parameters that are read once, scratch that must be in memory anyway. */
static void
drop_rows(struct kept *k, struct sn_emit *e)
{
	int64_t left = MOST_ELEMENTS;
	bool *keep = SN_NEW_ARRAY(k->c->scratch, k->rows.n + 1, bool);
	size_t n = 0;
	for (size_t i = 0; i < k->rows.n; i++) {
		const struct kept_row *r = &k->rows.v[i];
		bool is_good = r->tensor->store == TS_SCRATCH ? !is_elsewhere(k, e, r)
							      : r->nuses > 1;
		keep[i] = is_good && k->steps * k->lanes <= left;
		left -= keep[i] ? k->steps * k->lanes : 0;
	}
	for (size_t i = 0; i < k->rows.n; i++)
		if (keep[i])
			k->rows.v[n++] = k->rows.v[i];
	k->rows.n = n;
}

void
kept_find(struct kept *k, struct sn_emit *e, int nspread, int64_t across, int64_t lanes)
{
	*k = (struct kept){ .c = e->c,
			    .kernel = e->kernel,
			    .nspread = nspread,
			    .across = across,
			    .most_lanes = lanes };
	sn_map_init(&k->elsewhere, e->c->scratch);
	find_steps(k);
	if (!k->points)
		return;
	k->element = sn_axis_expr(e->c->pool, sn_axis_new(e->c->pool, "e", k->points));
	find_rows(k, e);
	drop_rows(k, e);
	for (size_t i = 0; i < k->rows.n; i++)
		if (k->rows.v[i].tensor->store == TS_SCRATCH)
			sn_map_put_num(&k->elsewhere, (uint64_t)k->rows.v[i].tensor->id + 1, k);
}

/* ---- building ---- */

void
kept_alloc(struct kept *k, struct sn_builder *b)
{
	int64_t dims[2] = { k->steps, k->lanes };
	for (size_t i = 0; i < k->rows.n; i++) {
		struct kept_row *r = &k->rows.v[i];
		r->buffer = sn_at_alloc(b, SP_REG,
					sn_printf(k->c->arena, "%s_row", r->tensor->name),
					r->tensor->type.dtype, k->lanes > 1 ? 2 : 1, dims);
	}
}

void
kept_bring(struct kept *k, struct sn_emit *e, const struct sn_comp *m, struct sn_scope *s,
	   const struct sn_expr *u, const struct sn_expr *l)
{
	const struct sn_expr *idx[2] = { u, l };
	struct sn_read_list reads;
	reads_of(k, m, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *read = reads.list.v[i];
		const struct kept_row *r = row_of(k, e, m, read, false);
		if (!r)
			continue;
		if (r->first == m)
			sn_at_store(e->b, r->buffer, idx, sn_emit_expr(e, s, read));
		else
			sn_scope_put(e, s, read, sn_at_load(e->b, r->tensor->name, r->buffer, idx));
	}
}

bool
kept_put(struct kept *k, struct sn_emit *e, struct sn_scope *s, const struct sn_result *r,
	 const struct sn_expr *u, const struct sn_expr *l)
{
	const struct sn_expr *idx[2] = { u, l };
	for (size_t i = 0; i < k->rows.n; i++)
		if (k->rows.v[i].tensor == r->tensor) {
			sn_at_store(e->b, k->rows.v[i].buffer, idx, sn_emit_expr(e, s, r->value));
			return true;
		}
	return false;
}

bool
kept_is_all(const struct kept *k, const struct sn_comp *m)
{
	for (int i = 0; i < m->nresults; i++)
		if (!sn_map_get_num(&k->elsewhere, (uint64_t)m->results[i].tensor->id + 1))
			return false;
	return true;
}
