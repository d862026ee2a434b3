/*
 * Tensor interpreter: the expressions of a comprehension as lists of
 * instructions, each computed as seldom as the axes in it allow.
 */
#include <stdlib.h>

#include "ir/index.h"
#include "ir/interp.h"

enum { LEVEL_POST = SN_MAX_AXES + 1, MAX_DEPTH = 4000 };

static struct slot *compile(struct plan *p, const struct sn_expr *e);

static struct slot *
new_slot(struct plan *p, enum sn_dtype t, bool is_row, int level)
{
	struct slot *s = SN_NEW(p->arena, struct slot);
	s->dtype = interp_dtype(p->in, t);
	s->carrier = carrier_of(s->dtype);
	s->is_row = is_row;
	s->level = level;
	return s;
}

/* The same with numbers of its own. */
static struct slot *
new_value(struct plan *p, enum sn_dtype t, bool is_row, int level)
{
	struct slot *s = new_slot(p, t, is_row, level);
	s->p = s->buf = sn_alloc(p->arena, (is_row ? ROW : 1) * carrier_bytes(s->carrier));
	return s;
}

static void
emit(struct plan *p, int level, const struct inst *in)
{
	struct code *c = p->is_in_step	       ? &p->step
			 : level == LEVEL_POST ? &p->post
			 : level < 0	       ? &p->pre
					       : &p->steps[level];
	SN_PUSH(p->arena, &c->list, *in);
}

static struct slot *
refuse(struct plan *p, const char *what)
{
	if (!p->in->has_failed)
		sn_report(p->in->diags, sn_origin_where(p->comp->origin), DG_UNSUPPORTED,
			  sn_printf(p->arena, "interpreting %s (kernel '%s')", what,
				    p->in->kernel->name));
	p->in->has_failed = true;
	return new_value(p, DT_I64, false, -1);
}

static struct slot *
number(struct plan *p, enum sn_dtype t, union sn_num x)
{
	struct slot *s = new_value(p, t, false, -1);
	carrier_put(s->carrier, s->buf, 0, x);
	return s;
}

static void
emit_copy(struct plan *p, int level, struct slot *dst, struct slot *src)
{
	emit(p, level,
	     &(struct inst){
		     .run = sn_interp_copy_fn(src->carrier, src->is_row),
		     .dst = dst,
		     .src = { src },
	     });
}

static struct axis_bind *
find_axis(struct plan *p, const struct sn_axis *axis)
{
	for (int i = 0; i < p->naxes; i++)
		if (p->axes[i].axis == axis)
			return &p->axes[i];
	return NULL;
}

/* ---- leaves ---- */

/* The values of a lane axis: a table, and where the row starts if it is the one in chunks. */
static struct slot *
lane_axis(struct plan *p, struct axis_bind *b)
{
	const struct lanes *l = &p->lanes;
	struct slot *table = new_value(p, DT_I64, true, -1);
	int64_t *v = table->buf, inner = 1;
	for (int j = b->lane + 1; j < l->naxes; j++)
		inner *= l->size[j];
	for (int i = 0; i < ROW; i++)
		v[i] = i / inner % (b->lane ? l->size[b->lane] : ROW);
	if (p->chunk < 0 || b != &p->axes[p->chunk])
		return table;
	struct slot *start = new_slot(p, DT_I64, false, -1);
	start->p = &b->value;
	struct slot *sum = new_value(p, DT_I64, true, -1);
	struct inst in = { .op = OP_ADD, .dtype = DT_I64, .dst = sum, .src = { table, start } };
	in.run = sn_interp_op_fn(&in, 2);
	SN_PUSH(p->arena, &p->pre.list, in);
	return sum;
}

static struct slot *
compile_axis(struct plan *p, const struct sn_expr *e)
{
	struct axis_bind *b = find_axis(p, e->axis);
	if (!b)
		return refuse(p, "an axis of another comprehension");
	if (b->place == AP_ONE)
		return number(p, DT_I64, (union sn_num){ .i = 0 });
	if (b->place == AP_LANE)
		return lane_axis(p, b);
	struct slot *s = new_slot(p, DT_I64, false, b->level);
	s->p = &b->value;
	return s;
}

static struct slot *
compile_leaf(struct plan *p, const struct sn_expr *e)
{
	enum sn_dtype t = (enum sn_dtype)e->dtype;
	switch ((enum sn_expr_kind)e->kind) {
	case EX_CONST: return number(p, t, e->num);
	case EX_SYM:
		if (!p->in->opts->syms)
			return refuse(p, "symbols without values");
		return number(p, t, (union sn_num){ .i = p->in->opts->syms[e->sym->id] });
	case EX_AXIS: return compile_axis(p, e);
	case EX_STATE:
		if (e->state < 4 && p->states[e->state])
			return p->states[e->state];
		break;
	case EX_ARG:
		if (p->is_in_step && e->state < 4 && p->args[e->state])
			return p->args[e->state];
		break;
	default: break;
	}
	return refuse(p, "an expression of another level");
}

/* ---- reads and stores ---- */

/* One term of an affine index; false if it must be computed lane by lane.  Adds to the bounds. */
static bool
add_term(struct plan *p, struct stream_dim *dim, const struct sn_term *t, int *level, int64_t *lo,
	 int64_t *hi)
{
	const int64_t most = (int64_t)1 << 32;
	int64_t a, b;
	if (llabs(t->coef) > most)
		return false;
	struct slot *s;
	if (t->base->kind == EX_AXIS) {
		struct axis_bind *x = find_axis(p, t->base->axis);
		if (!x || x->place == AP_ONE)
			return x != NULL;
		if (x->place == AP_LANE)
			dim->lane_coef[x->lane] = t->coef;
		if (x->place != AP_LANE || (p->chunk >= 0 && x == &p->axes[p->chunk]))
			SN_PUSH(p->arena, &dim->at.list, (struct term){ &x->value, t->coef });
		*level = x->level > *level ? x->level : *level;
		a = 0;
		b = x->extent - 1;
	} else {
		s = compile(p, t->base);
		if (s->is_row || s->carrier != CR_I64)
			return false;
		SN_PUSH(p->arena, &dim->at.list, (struct term){ s->p, t->coef });
		*level = s->level > *level ? s->level : *level;
		sn_bounds(t->base, &a, &b);
	}
	if (a < -most || b > most) {
		dim->is_checked = true;
		return true;
	}
	*lo += t->coef < 0 ? t->coef * b : t->coef * a;
	*hi += t->coef < 0 ? t->coef * a : t->coef * b;
	return true;
}

static bool
add_index_affine(struct plan *p, struct stream_dim *dim, const struct sn_expr *e, int *level)
{
	struct sn_affine f;
	sn_affine_of(e, &f);
	int64_t lo = f.constant, hi = f.constant;
	if (llabs(f.constant) > (int64_t)1 << 40)
		return false;
	dim->at.base = f.constant;
	for (int i = 0; i < f.n; i++)
		if (!add_term(p, dim, &f.terms[i], level, &lo, &hi))
			return false;
	dim->is_checked |= lo < 0 || hi >= dim->extent;
	return true;
}

/* The index of dimension D; widens LEVEL and IS_ROW to what it depends on. */
static void
add_index(struct plan *p, struct stream *s, int d, const struct sn_expr *e, int *level,
	  bool *is_row)
{
	struct stream_dim *dim = &s->dims[d];
	if (add_index_affine(p, dim, e, level)) {
		for (int j = 0; j < p->lanes.naxes; j++)
			*is_row |= dim->lane_coef[j] != 0;
		return;
	}
	*dim = (struct stream_dim){ .extent = dim->extent, .stride = dim->stride };
	dim->row = compile(p, e);
	dim->is_checked = true;
	*level = dim->row->level > *level ? dim->row->level : *level;
	*is_row |= dim->row->is_row;
}

/* All indices of a tensor. In memory that views share its layout says where an element is: then the
 * dimensions only check, and one more, which can't be wrong if they aren't, is the offset. */
static void
add_indices(struct plan *p, struct stream *s, const struct sn_expr *const *idx, int *level,
	    bool *is_row)
{
	for (int d = 0; d < s->rank; d++) {
		s->dims[d].extent = s->mem->dims[d];
		s->dims[d].stride = s->mem->is_shared ? 0 : s->mem->strides[d];
		add_index(p, s, d, idx[d], level, is_row);
	}
	if (!s->mem->is_shared)
		return;
	const struct sn_expr *offset = sn_interp_view_offset(p->in, s->tensor, idx);
	s->dims[s->rank].extent = INT64_MAX;
	s->dims[s->rank].stride = s->mem->is_splat ? 0 : 1;
	add_index(p, s, s->rank++, offset, level, is_row);
}

static struct stream *
new_stream(struct plan *p, const struct sn_tensor *t)
{
	struct stream *s = SN_NEW(p->arena, struct stream);
	s->tensor = t;
	s->mem = &p->in->mem[t->id];
	s->rank = t->type.rank;
	return s;
}

static struct slot *
compile_read(struct plan *p, const struct sn_expr *e)
{
	struct stream *s = new_stream(p, e->tensor);
	int level = -1;
	bool is_row = false;
	add_indices(p, s, e->args, &level, &is_row);
	if (e->has_outside) {
		s->outside = compile(p, e->args[e->nargs - 1]);
		level = s->outside->level > level ? s->outside->level : level;
		is_row |= s->outside->is_row;
	}
	struct slot *dst = new_value(p, (enum sn_dtype)e->dtype, is_row, level);
	sn_stream_finish(s, p, is_row, dst->carrier);
	emit(p, level, &(struct inst){ .run = sn_stream_read, .dst = dst, .stream = s });
	return dst;
}

static void
compile_result(struct plan *p, const struct sn_result *r)
{
	struct slot *v = compile(p, r->value);
	struct stream *s = new_stream(p, r->tensor);
	int level = -1;
	bool is_row = true;
	if (v->dtype != interp_dtype(p->in, r->tensor->type.dtype)) {
		refuse(p, "a value of another type than its tensor's");
		return;
	}
	if (!v->is_row) {
		struct slot *row = new_value(p, v->dtype, true, LEVEL_POST);
		emit_copy(p, LEVEL_POST, row, v);
		v = row;
	}
	add_indices(p, s, r->idx, &level, &is_row);
	sn_stream_finish(s, p, true, v->carrier);
	emit(p, LEVEL_POST, &(struct inst){ .run = sn_stream_store, .src = { v }, .stream = s });
}

/* ---- operations ---- */

/* Casts that leave the numbers in the carrier as they are. */
static bool
is_same_number(enum sn_dtype from, enum sn_dtype to)
{
	const struct sn_dtype_info *f = sn_dtype_info(from), *t = sn_dtype_info(to);
	if (from == to)
		return true;
	if (f->kind == 'B')
		return t->kind == 'I' || t->kind == 'U';
	if (f->kind == t->kind && f->kind != 'F')
		return f->bits <= t->bits;
	return f->kind == 'U' && t->kind == 'I' && f->bits < t->bits;
}

static struct slot *
compile_op(struct plan *p, const struct sn_expr *e)
{
	enum sn_scalar_op op = (enum sn_scalar_op)e->op;
	int typed = op == OP_SELECT ? 1 : 0, level = -1;
	struct inst in = { .op = op, .result = (enum sn_dtype)e->dtype };
	bool is_row = false;
	if (e->nargs > 3 || e->lanes > 1)
		return refuse(p, "a vector");
	for (int i = 0; i < e->nargs; i++) {
		in.src[i] = compile(p, e->args[i]);
		level = in.src[i]->level > level ? in.src[i]->level : level;
		is_row |= in.src[i]->is_row;
	}
	in.dtype = (enum sn_dtype)e->args[typed]->dtype;
	if (op != OP_BITCAST) { /* which is about the bits as stored */
		in.dtype = interp_dtype(p->in, in.dtype);
		in.result = interp_dtype(p->in, in.result);
	}
	if (op == OP_CAST && in.dtype == in.result)
		return in.src[0];
	in.dst = new_value(p, in.result, is_row, level);
	in.interp = p->in;
	in.run = op == OP_CAST && is_same_number(in.dtype, in.result)
			 ? sn_interp_copy_fn(CR_I64, in.src[0]->is_row)
			 : sn_interp_op_fn(&in, e->nargs);
	emit(p, level, &in);
	return in.dst;
}

static struct slot *
compile(struct plan *p, const struct sn_expr *e)
{
	struct slot *s = sn_map_get_num(p->memo, e->id);
	char kind = sn_dtype_info((enum sn_dtype)e->dtype)->kind;
	if (s)
		return s;
	if (kind == 'C' || kind == 'S' || kind == '-')
		return refuse(p, kind == 'S' ? "strings" : "complex numbers");
	if (++p->depth > MAX_DEPTH)
		return refuse(p, "an expression this deep");
	s = e->kind == EX_OP	 ? compile_op(p, e)
	    : e->kind == EX_READ ? compile_read(p, e)
				 : compile_leaf(p, e);
	p->depth--;
	sn_map_put_num(p->memo, e->id, s);
	return s;
}

/* ---- the reduction ---- */

/* state + a*b as one instruction, with both roundings. */
static bool
compile_product_sum(struct plan *p, struct slot *state)
{
	const struct sn_reducer *r = p->comp->reducer;
	const struct sn_expr *arg = p->comp->args[0], *step = r->step[0];
	if (arg->kind != EX_OP || arg->op != OP_MUL || step->op != OP_ADD
	    || (state->dtype != DT_F32 && state->dtype != DT_F64)
	    || sn_map_get_num(p->memo, arg->id))
		return false;
	struct inst in = { .op = OP_ADD, .dtype = state->dtype, .dst = state };
	in.src[0] = compile(p, arg->args[0]);
	in.src[1] = compile(p, arg->args[1]);
	in.run = sn_interp_mac_fn(&in);
	if (!in.run || in.src[0]->level > p->nred || in.src[1]->level > p->nred)
		return false;
	if (in.src[0]->level < p->nred - 1 && in.src[1]->level < p->nred - 1)
		return false; /* the product itself can leave the innermost loop */
	SN_PUSH(p->arena, &p->step.list, in);
	return true;
}

/* step = OP(state, argument) or the other way round: the state's row is updated in place. */
static bool
compile_fold(struct plan *p)
{
	const struct sn_reducer *r = p->comp->reducer;
	const struct sn_expr *step = r->step[0];
	struct slot *state = p->states[0];
	if (r->nstates != 1 || r->nargs != 1 || step->kind != EX_OP || step->nargs != 2
	    || step->args[0]->kind != EX_STATE || step->args[1]->kind != EX_ARG)
		return false;
	if (compile_product_sum(p, state))
		return true;
	struct inst in = { .op = (enum sn_scalar_op)step->op, .dtype = state->dtype, .dst = state };
	in.src[0] = p->args[0] = compile(p, p->comp->args[0]);
	in.run = sn_interp_fold_fn(&in);
	if (!in.run || in.src[0]->dtype != state->dtype)
		return false;
	SN_PUSH(p->arena, &p->step.list, in);
	return true;
}

static bool
is_state(const struct plan *p, const struct slot *s)
{
	for (int k = 0; k < 4; k++)
		if (s == p->states[k])
			return true;
	return false;
}

/* All new states are computed from the old ones before any is replaced. */
static void
compile_step(struct plan *p)
{
	const struct sn_reducer *r = p->comp->reducer;
	struct slot *next[4];
	struct sn_map memo;
	for (int k = 0; k < r->nargs; k++)
		p->args[k] = compile(p, p->comp->args[k]);
	sn_map_init(&memo, p->arena);
	p->memo = &memo;
	p->is_in_step = true;
	for (int k = 0; k < r->nstates; k++) {
		next[k] = compile(p, r->step[k]);
		if (is_state(p, next[k]) && next[k] != p->states[k]) {
			struct slot *copy = new_value(p, next[k]->dtype, true, 0);
			emit_copy(p, 0, copy, next[k]);
			next[k] = copy;
		}
	}
	for (int k = 0; k < r->nstates; k++)
		if (next[k] != p->states[k] && next[k]->carrier == p->states[k]->carrier)
			emit_copy(p, 0, p->states[k], next[k]);
	p->is_in_step = false;
	p->memo = &p->slots;
}

static void
compile_reduction(struct plan *p)
{
	const struct sn_reducer *r = p->comp->reducer;
	for (int k = 0; k < r->nstates; k++) {
		struct slot *init = compile(p, r->init[k]);
		p->states[k] = new_value(p, r->state_types[k], true, LEVEL_POST);
		if (init->dtype != p->states[k]->dtype)
			refuse(p, "a reducer whose types don't agree");
		else
			emit_copy(p, -1, p->states[k], init);
	}
	if (!p->in->has_failed && !p->is_red_empty && !compile_fold(p))
		compile_step(p);
}

bool
sn_plan_compile(struct plan *p)
{
	sn_map_init(&p->slots, p->arena);
	p->memo = &p->slots;
	if (p->comp->reducer)
		compile_reduction(p);
	for (int i = 0; i < p->comp->nresults && !p->in->has_failed; i++)
		compile_result(p, &p->comp->results[i]);
	return !p->in->has_failed;
}
