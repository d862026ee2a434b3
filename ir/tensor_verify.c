/*
 * Verifier of the tensor level: kernels, their order, and what lives where.
 */
#include "ir/tensor_verify.h"

#include <string.h>

#include "ir/index.h"

struct sn_where
sn_verify_where(const struct verify *v)
{
	const struct sn_origin *o = v->comp ? v->comp->origin : NULL;
	if (o)
		return sn_origin_where(o);
	return (struct sn_where){ .index = -1, .op = v->kernel ? v->kernel->name : NULL };
}

const char *
sn_verify_excerpt(struct verify *v)
{
	if (!v->comp)
		return NULL;
	struct sn_buf b;
	struct sn_comp_lines lines = { 0 };
	sn_buf_init(&b, v->arena);
	sn_comp_print(&b, v->comp, v->comp->origin, NULL, 0, &lines);
	const char *line = b.text
			   + (v->line == VL_AXES   ? lines.axes
			      : v->line == VL_ARGS ? lines.args
						   : lines.results[v->result]);
	line += strspn(line, "\t");
	return sn_printf(v->diags->arena, "      | %.*s", (int)strcspn(line, "\n"), line);
}

/* Are there no points where the current line is evaluated? */
static bool
is_never_reached(const struct verify *v)
{
	const struct sn_comp *c = v->comp;
	for (int i = 0; i < c->naxes; i++)
		if (sn_is_int_const(c->axes[i]->extent, 0))
			return true;
	for (int i = 0; v->line == VL_ARGS && i < c->nred; i++)
		if (sn_is_int_const(c->red[i]->extent, 0))
			return true;
	return false;
}

bool
sn_verify_in_range(struct verify *v, const struct sn_expr *e, const struct sn_expr *extent)
{
	int64_t lo, hi, n;
	if (is_never_reached(v))
		return true;
	sn_bounds(e, &lo, &hi);
	if (sn_get_int(extent, &n) && lo >= 0 && hi < n)
		return true;
	struct sn_pool *p = v->pr->pool;
	return (lo >= 0 || sn_prove_le(p, sn_int(p, 0), e)) && sn_prove_lt(p, e, extent);
}

/* ---- order ---- */

static void
note_stores(struct verify *v)
{
	const struct sn_program *pr = v->pr;
	int place = 0;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		const struct sn_kernel *k = pr->kernels.v[i];
		for (size_t j = 0; j < k->stages.n; j++, place++)
			for (int r = 0; r < k->stages.v[j]->nresults; r++) {
				int id = k->stages.v[j]->results[r].tensor->id;
				SN_PUSH(v->arena, &v->stores[id].list,
					(struct verify_store){ k, k->stages.v[j], place, r });
			}
	}
}

/* Place of the last store of T; -1 if there is none. */
static int
last_store(const struct verify *v, const struct sn_tensor *t)
{
	const struct verify_stores *s = &v->stores[t->id];
	return s->list.n ? s->list.v[s->list.n - 1].place : -1;
}

/* Stores of T itself and of the views that are parts of it. */
static int
complete_at(const struct verify *v, const struct sn_tensor *t)
{
	int place = last_store(v, t);
	for (size_t i = 0; i < v->pr->tensors.n; i++) {
		const struct sn_tensor *part = v->pr->tensors.v[i];
		if (part->store != TS_VIEW || part->base != t)
			continue;
		int last = last_store(v, part);
		place = last > place ? last : place;
	}
	if (place < 0 && t->store == TS_VIEW && t->base && t->base->store != TS_VIEW)
		return complete_at(v, t->base);
	return place;
}

/* Is what READ reads of its tensor stored, whatever is stored later? */
static bool
is_part_complete(struct verify *v, const struct sn_expr *read)
{
	const struct sn_tensor *t = read->tensor;
	const struct verify_stores *s = &v->stores[t->id];
	for (size_t i = 0; i < s->list.n; i++) {
		const struct verify_store *w = &s->list.v[i];
		if (w->place >= v->place
		    && !sn_verify_are_apart(v->pr->pool, t->type.rank, read->args,
					    w->comp->results[w->result].idx))
			return false;
	}
	return s->list.n > 0 && s->list.v[0].place < v->place;
}

static void
check_order(struct verify *v, const struct sn_expr *read)
{
	const struct sn_tensor *t = read->tensor;
	if (t->role == TR_INPUT || t->role == TR_CONST)
		return;
	int place = complete_at(v, t);
	bool is_from_outside = t->store == TS_VIEW && t->base
			       && (t->base->role == TR_INPUT || t->base->role == TR_CONST);
	if (place < 0 && !is_from_outside)
		SN_VERIFY_ERROR(v, DG_TV_ORDER, t->name, "has never been stored");
	else if (place >= v->place && !is_part_complete(v, read))
		SN_VERIFY_ERROR(v, DG_TV_ORDER, t->name, "is not complete yet");
}

/* ---- scratch ---- */

/* The leading indices are the kernel's shared axes. */
static bool
is_sliced(struct verify *v, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	const struct sn_kernel *k = v->kernel;
	if (t->type.rank < k->nshared)
		return false;
	for (int i = 0; i < k->nshared; i++)
		if (idx[i] != sn_axis_expr(v->pr->pool, v->comp->axes[i])
		    && !(sn_is_int_const(idx[i], 0)
			 && sn_is_int_const(v->comp->axes[i]->extent, 1)))
			return false;
	return true;
}

static void
check_scratch(struct verify *v, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	if (t->store != TS_SCRATCH)
		return;
	if (!is_sliced(v, t, idx))
		SN_VERIFY_ERROR(v, DG_TV_SCRATCH, t->name,
				"is indexed by other than the kernel's shared axes");
	const struct verify_stores *s = &v->stores[t->id];
	for (size_t i = 0; i < s->list.n; i++)
		if (s->list.v[i].kernel != v->kernel)
			SN_VERIFY_ERROR(v, DG_TV_SCRATCH, t->name, "is used in two kernels");
}

/* ---- reads ---- */

struct reads {
	struct verify *v;
	struct sn_map seen;
};

static void
visit_read(const struct sn_expr *e, void *arg)
{
	struct reads *r = arg;
	if (e->kind != EX_READ || sn_map_get_num(&r->seen, e->id))
		return;
	sn_map_put_num(&r->seen, e->id, r);
	check_scratch(r->v, e->tensor, e->args);
	check_order(r->v, e);
}

static void
check_reads(struct verify *v)
{
	const struct sn_comp *c = v->comp;
	struct reads r = { .v = v };
	sn_map_init(&r.seen, v->arena);
	v->line = VL_ARGS;
	for (int i = 0; c->reducer && i < c->reducer->nargs; i++)
		sn_expr_walk(c->args[i], v->arena, visit_read, &r);
	v->line = VL_RESULT;
	for (v->result = 0; v->result < c->nresults; v->result++)
		sn_expr_walk(c->results[v->result].value, v->arena, visit_read, &r);
}

/* ---- comprehensions and kernels ---- */

static bool
check_shape(struct verify *v)
{
	const struct sn_comp *c = v->comp;
	const struct sn_kernel *k = v->kernel;
	if (c->naxes < k->nshared || c->nresults < 1 || (c->nred && !c->reducer))
		return SN_VERIFY_ERROR(v, DG_TV_SHAPE, k->name);
	for (int i = 0; i < k->nshared; i++)
		if (c->axes[i] != k->stages.v[0]->axes[i])
			return SN_VERIFY_ERROR(v, DG_TV_SHARED, c->axes[i]->name);
	return true;
}

static void
check_comp(struct verify *v)
{
	int errors = v->diags->errors;
	v->line = VL_AXES;
	if (!check_shape(v))
		return;
	sn_verify_exprs(v);
	if (v->diags->errors > errors)
		return;
	check_reads(v);
	v->line = VL_RESULT;
	for (v->result = 0; v->result < v->comp->nresults; v->result++) {
		const struct sn_result *r = &v->comp->results[v->result];
		sn_verify_result(v, r);
		check_scratch(v, r->tensor, r->idx);
	}
}

static void
check_tensor(struct verify *v, const struct sn_tensor *t)
{
	int64_t n;
	bool is_known = t->type.kind == TY_TENSOR && t->type.rank >= 0;
	for (int i = 0; is_known && i < t->type.rank; i++)
		is_known = t->type.dims[i] != NULL;
	if (!is_known) {
		SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name, "has unknown dimensions");
	} else if (t->role == TR_CONST) {
		if (!t->data || t->data->dtype != t->type.dtype || !sn_type_is_static(&t->type, &n)
		    || (size_t)n != t->data->n)
			SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name, "has data of another type");
	}
	if ((t->store == TS_VIEW || t->store == TS_INPLACE)
	    && (!t->base || t->base == t || t->base->type.dtype != t->type.dtype))
		SN_VERIFY_ERROR(v, DG_TV_TENSOR, t->name, "lies in no tensor of its type");
}

static void
check_kernels(struct verify *v)
{
	for (size_t i = 0; i < v->pr->kernels.n; i++) {
		v->kernel = v->pr->kernels.v[i];
		sn_verify_host(v);
		for (size_t j = 0; j < v->kernel->stages.n; j++, v->place++) {
			v->comp = v->kernel->stages.v[j];
			check_comp(v);
		}
	}
}

static void
check_places(struct verify *v)
{
	for (size_t i = 0; i < v->pr->tensors.n; i++)
		if (v->pr->tensors.v[i]->store == TS_INPLACE)
			sn_verify_in_place(v, v->pr->tensors.v[i]);
}

bool
sn_program_verify(struct sn_program *pr, struct sn_diags *diags)
{
	struct verify v = { .pr = pr, .diags = diags, .arena = sn_arena_child(pr->arena) };
	v.stores = SN_NEW_ARRAY(v.arena, pr->tensors.n + 1, struct verify_stores);
	for (size_t i = 0; i < pr->tensors.n; i++)
		check_tensor(&v, pr->tensors.v[i]);
	if (!v.has_failed) {
		note_stores(&v);
		check_kernels(&v);
	}
	if (!v.has_failed) {
		check_places(&v);
		sn_verify_coverage(&v);
	}
	sn_arena_release(v.arena);
	return !v.has_failed;
}
