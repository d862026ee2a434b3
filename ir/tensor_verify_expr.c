/*
 * Verifier of the tensor level: expressions of a comprehension.
 */
#include "ir/index.h"
#include "ir/tensor_verify.h"

enum { MAX_DEPTH = 1000 };

/* What an expression may be made of. */
enum place { IN_EXTENT, IN_INDEX, IN_ARGS, IN_VALUE, IN_INIT, IN_STEP, IN_MERGE };

struct walk {
	struct verify *v;
	struct sn_map seen; /* expressions that have been checked in this place */
	enum place place;
	int depth;
	bool is_too_deep;
};

static const char *
type_text(int t)
{
	return sn_dtype_info((enum sn_dtype)t)->text;
}

static bool
is_axis_known(const struct sn_comp *c, const struct sn_axis *a, bool with_red)
{
	for (int i = 0; i < c->naxes; i++)
		if (c->axes[i] == a)
			return true;
	for (int i = 0; with_red && i < c->nred; i++)
		if (c->red[i] == a)
			return true;
	return false;
}

static void
check_axis(struct walk *w, const struct sn_expr *e)
{
	bool is_outer = w->place == IN_EXTENT || w->place >= IN_INIT;
	if (is_outer || !is_axis_known(w->v->comp, e->axis, w->place == IN_ARGS))
		SN_VERIFY_ERROR(w->v, DG_TV_AXIS, e->axis->name);
}

/* State, other and argument number: which there are depends on the place. */
static void
check_numbered(struct walk *w, const struct sn_expr *e)
{
	const struct sn_reducer *r = w->v->comp->reducer;
	bool is_arg = e->kind == EX_ARG;
	bool is_legal = is_arg		      ? w->place == IN_STEP
			: e->kind == EX_OTHER ? w->place == IN_MERGE
					      : w->place == IN_VALUE || w->place == IN_STEP
							|| w->place == IN_MERGE;
	if (!r || !is_legal || e->state < 0 || e->state >= (is_arg ? r->nargs : r->nstates)) {
		SN_VERIFY_ERROR(w->v, DG_TV_LEAF, is_arg ? "argument" : "state", e->state);
		return;
	}
	enum sn_dtype t = is_arg ? r->arg_types[e->state] : r->state_types[e->state];
	if (e->dtype != t)
		SN_VERIFY_ERROR(w->v, DG_TV_TYPE, r->name, type_text(e->dtype), type_text(t));
}

static void
check_index(struct walk *w, const struct sn_expr *e, int d)
{
	const struct sn_tensor *t = e->tensor;
	const struct sn_expr *idx = e->args[d];
	bool is_from_data = idx->has & (SN_HAS_READ | SN_HAS_STATE);
	if (idx->dtype != DT_I64)
		SN_VERIFY_ERROR(w->v, DG_TV_TYPE, t->name, type_text(idx->dtype), "i64");
	else if (!e->has_outside && !is_from_data
		 && !sn_verify_in_range(w->v, idx, t->type.dims[d])) {
		struct sn_buf text, extent;
		sn_buf_init(&text, w->v->arena);
		sn_buf_init(&extent, w->v->arena);
		sn_expr_print(&text, idx);
		sn_expr_print(&extent, t->type.dims[d]);
		SN_VERIFY_ERROR(w->v, DG_TV_RANGE, text.text, t->name, d, extent.text);
	}
}

static void
check_read(struct walk *w, const struct sn_expr *e)
{
	const struct sn_tensor *t = e->tensor;
	if (w->place != IN_ARGS && w->place != IN_VALUE && w->place != IN_INDEX) {
		SN_VERIFY_ERROR(w->v, DG_TV_READ, t->name);
		return;
	}
	int n = e->nargs - e->has_outside;
	if (n != t->type.rank) {
		SN_VERIFY_ERROR(w->v, DG_TV_RANK, t->name, t->type.rank, n);
		return;
	}
	if (e->dtype != t->type.dtype)
		SN_VERIFY_ERROR(w->v, DG_TV_TYPE, t->name, type_text(e->dtype),
				type_text(t->type.dtype));
	for (int d = 0; d < n; d++)
		check_index(w, e, d);
	if (e->has_outside && e->args[n]->dtype != e->dtype)
		SN_VERIFY_ERROR(w->v, DG_TV_TYPE, t->name, type_text(e->args[n]->dtype),
				type_text(e->dtype));
}

static void
check_node(struct walk *w, const struct sn_expr *e)
{
	switch ((enum sn_expr_kind)e->kind) {
	case EX_AXIS: check_axis(w, e); break;
	case EX_STATE:
	case EX_OTHER:
	case EX_ARG: check_numbered(w, e); break;
	case EX_READ: check_read(w, e); break;
	case EX_OP:
		if (e->lanes != 1
		    || (e->op != OP_CAST && e->op != OP_BITCAST
			&& !sn_op_fits((enum sn_scalar_op)e->op, e->args, e->nargs)))
			SN_VERIFY_ERROR(w->v, DG_TV_OP, sn_scalar_info(e->op)->text);
		break;
	case EX_LOCAL: SN_VERIFY_ERROR(w->v, DG_TV_LEAF, "local value", e->local->id); break;
	default: break;
	}
}

static void
walk_expr(struct walk *w, const struct sn_expr *e)
{
	if (w->is_too_deep || sn_map_get_num(&w->seen, e->id))
		return;
	if (++w->depth > MAX_DEPTH) {
		SN_VERIFY_ERROR(w->v, DG_TV_DEEP, MAX_DEPTH);
		w->is_too_deep = true;
		return;
	}
	for (int i = 0; i < e->nargs; i++)
		walk_expr(w, e->args[i]);
	w->depth--;
	sn_map_put_num(&w->seen, e->id, w);
	check_node(w, e);
}

static void
start_walk(struct walk *w, struct verify *v, enum place place)
{
	*w = (struct walk){ .v = v, .place = place };
	sn_map_init(&w->seen, v->arena);
}

/* ---- the places ---- */

static void
check_axes(struct verify *v, const struct sn_axis *const *axes, int n)
{
	struct walk w;
	start_walk(&w, v, IN_EXTENT);
	v->line = VL_AXES;
	for (int i = 0; i < n; i++) {
		walk_expr(&w, axes[i]->extent);
		if (axes[i]->extent->dtype != DT_I64)
			SN_VERIFY_ERROR(v, DG_TV_TYPE, axes[i]->name,
					type_text(axes[i]->extent->dtype), "i64");
		for (int j = 0; j < i; j++)
			if (axes[j] == axes[i])
				SN_VERIFY_ERROR(v, DG_TV_AXIS_TWICE, axes[i]->name);
	}
}

static void
check_list(struct verify *v, enum place place, const struct sn_expr *const *list,
	   const enum sn_dtype *types, int n)
{
	struct walk w;
	start_walk(&w, v, place);
	for (int i = 0; i < n; i++) {
		walk_expr(&w, list[i]);
		if (list[i]->dtype != types[i])
			SN_VERIFY_ERROR(v, DG_TV_TYPE, v->comp->reducer->name,
					type_text(list[i]->dtype), type_text(types[i]));
	}
}

static void
check_reduction(struct verify *v)
{
	const struct sn_reducer *r = v->comp->reducer;
	v->line = VL_ARGS;
	check_axes(v, v->comp->red, v->comp->nred);
	v->line = VL_ARGS;
	check_list(v, IN_ARGS, v->comp->args, r->arg_types, r->nargs);
	check_list(v, IN_INIT, r->init, r->state_types, r->nstates);
	check_list(v, IN_STEP, r->step, r->state_types, r->nstates);
	if (r->merge[0])
		check_list(v, IN_MERGE, r->merge, r->state_types, r->nstates);
}

void
sn_verify_exprs(struct verify *v)
{
	const struct sn_comp *c = v->comp;
	check_axes(v, c->axes, c->naxes);
	if (c->reducer)
		check_reduction(v);
	struct walk index, value;
	start_walk(&index, v, IN_INDEX);
	start_walk(&value, v, IN_VALUE);
	v->line = VL_RESULT;
	for (v->result = 0; v->result < c->nresults; v->result++) {
		const struct sn_result *r = &c->results[v->result];
		for (int d = 0; d < r->tensor->type.rank; d++)
			walk_expr(&index, r->idx[d]);
		walk_expr(&value, r->value);
		if (r->value->dtype != r->tensor->type.dtype)
			SN_VERIFY_ERROR(v, DG_TV_TYPE, r->tensor->name, type_text(r->value->dtype),
					type_text(r->tensor->type.dtype));
	}
}
