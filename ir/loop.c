/*
 * Loop level: making functions and buffers, building statements, walking them.
 */
#include "ir/index.h"
#include "ir/loop.h"
#include "ir/tensor.h"

struct sn_func *
sn_func_new(struct sn_arena *a, struct sn_pool *p, const char *name)
{
	struct sn_func *f = SN_NEW(a, struct sn_func);

	f->name = sn_strdup(a, name);
	f->arena = a;
	f->pool = p;
	return f;
}

static struct sn_buffer *
buffer_new(struct sn_func *f, const char *name, enum sn_dtype t, enum sn_space space)
{
	struct sn_buffer *buf = SN_NEW(f->arena, struct sn_buffer);

	buf->id = f->nbuffers++;
	buf->name = sn_strdup(f->arena, name);
	buf->dtype = t;
	buf->lanes = 1;
	buf->space = space;
	return buf;
}

struct sn_buffer *
sn_func_param(struct sn_func *f, const char *name, enum sn_dtype t, const struct sn_expr *size,
	      bool is_const)
{
	struct sn_buffer *buf = buffer_new(f, name, t, SP_GLOBAL);

	buf->is_const = is_const;
	buf->rank = 1;
	buf->dims[0] = size;
	SN_PUSH(f->arena, &f->params, buf);
	return buf;
}

void
sn_builder_init(struct sn_builder *b, struct sn_func *f)
{
	*b = (struct sn_builder){ .func = f, .pool = f->pool, .origin = f->origin };
	b->stack[0] = &f->body;
}

static void
enter(struct sn_builder *b, struct sn_block *block)
{
	if (b->depth + 1 >= (int)ARRAY_LEN(b->stack))
		sn_bug(b->func->arena->guard, "%s: blocks nested too deeply", b->func->name);
	b->stack[++b->depth] = block;
}

void
sn_block_append(struct sn_block *block, struct sn_stmt *s)
{
	s->next = NULL;
	if (block->last)
		block->last->next = s;
	else
		block->first = s;
	block->last = s;
}

struct sn_stmt *
sn_stmt_new(struct sn_arena *a, enum sn_stmt_kind kind, const struct sn_origin *origin)
{
	struct sn_stmt *s = SN_NEW(a, struct sn_stmt);

	s->kind = kind;
	s->origin = origin;
	return s;
}

static struct sn_stmt *
append(struct sn_builder *b, enum sn_stmt_kind kind)
{
	struct sn_stmt *s = sn_stmt_new(b->func->arena, kind, b->origin);

	sn_block_append(b->stack[b->depth], s);
	return s;
}

const struct sn_expr *
sn_at_for(struct sn_builder *b, enum sn_loop_kind kind, const char *name,
	  const struct sn_expr *extent)
{
	if (sn_is_int_const(extent, 1)) {
		enter(b, b->stack[b->depth]);
		return sn_int(b->pool, 0);
	}
	const struct sn_axis *axis = sn_axis_new(b->pool, name, extent);

	sn_at_for_axis(b, kind, axis);
	return sn_axis_expr(b->pool, axis);
}

void
sn_at_for_axis(struct sn_builder *b, enum sn_loop_kind kind, const struct sn_axis *axis)
{
	struct sn_stmt *s = append(b, ST_FOR);

	s->loop.axis = axis;
	s->loop.kind = kind;
	enter(b, &s->loop.body);
}

void
sn_at_if(struct sn_builder *b, const struct sn_expr *cond)
{
	struct sn_stmt *s = append(b, ST_IF);

	s->cond.cond = cond;
	enter(b, &s->cond.then);
}

void
sn_at_else(struct sn_builder *b)
{
	struct sn_stmt *s = b->depth > 0 ? b->stack[b->depth - 1]->last : NULL;

	if (!s || s->kind != ST_IF || b->stack[b->depth] != &s->cond.then)
		sn_bug(b->func->arena->guard, "%s: else without if", b->func->name);
	b->stack[b->depth] = &s->cond.otherwise;
}

void
sn_at_end(struct sn_builder *b)
{
	if (b->depth == 0)
		sn_bug(b->func->arena->guard, "%s: end without a block", b->func->name);
	b->depth--;
}

struct sn_buffer *
sn_at_alloc(struct sn_builder *b, enum sn_space space, const char *name, enum sn_dtype t, int rank,
	    const int64_t *dims)
{
	struct sn_buffer *buf = buffer_new(b->func, name, t, space);

	if (rank > (int)ARRAY_LEN(buf->dims))
		sn_bug(b->func->arena->guard, "%s: buffer '%s' of rank %d", b->func->name, name,
		       rank);
	buf->rank = rank;
	for (int i = 0; i < rank; i++)
		buf->dims[i] = sn_int(b->pool, dims[i]);
	append(b, ST_ALLOC)->alloc.buffer = buf;
	return buf;
}

const struct sn_local *
sn_local_for(struct sn_pool *p, const char *name, const struct sn_expr *value)
{
	struct sn_local *l = sn_local_new(p, name, (enum sn_dtype)value->dtype, value->lanes);

	if (value->dtype == DT_I64 && value->lanes == 1)
		sn_bounds(value, &l->lo, &l->hi);
	return l;
}

const struct sn_expr *
sn_at_let(struct sn_builder *b, const char *name, const struct sn_expr *value)
{
	struct sn_stmt *s = append(b, ST_LET);

	s->let.local = sn_local_for(b->pool, name, value);
	s->let.value = value;
	return sn_local_expr(b->pool, s->let.local);
}

static struct sn_stmt *
append_mem(struct sn_builder *b, enum sn_stmt_kind kind, const struct sn_buffer *buf,
	   const struct sn_expr *const *idx)
{
	struct sn_stmt *s = append(b, kind);

	s->mem.buffer = buf;
	for (int i = 0; i < buf->rank; i++)
		s->mem.idx[i] = idx[i];
	return s;
}

const struct sn_expr *
sn_at_load(struct sn_builder *b, const char *name, const struct sn_buffer *buf,
	   const struct sn_expr *const *idx)
{
	return sn_at_load_lanes(b, name, buf, idx, buf->lanes, 0);
}

const struct sn_expr *
sn_at_load_lanes(struct sn_builder *b, const char *name, const struct sn_buffer *buf,
		 const struct sn_expr *const *idx, int lanes, int active)
{
	struct sn_stmt *s = append_mem(b, ST_LOAD, buf, idx);

	s->mem.local = sn_local_new(b->pool, name, buf->dtype, lanes);
	s->mem.active = active < lanes ? active : 0;
	return sn_local_expr(b->pool, s->mem.local);
}

void
sn_at_store(struct sn_builder *b, const struct sn_buffer *buf, const struct sn_expr *const *idx,
	    const struct sn_expr *value)
{
	append_mem(b, ST_STORE, buf, idx)->mem.value = value;
}

void
sn_at_store_active(struct sn_builder *b, const struct sn_buffer *buf,
		   const struct sn_expr *const *idx, const struct sn_expr *value, int active)
{
	struct sn_stmt *s = append_mem(b, ST_STORE, buf, idx);

	s->mem.value = value;
	s->mem.active = active < value->lanes ? active : 0;
}

void
sn_at_barrier(struct sn_builder *b, unsigned orders)
{
	append(b, ST_BARRIER)->barrier.orders = orders;
}

void
sn_at_prefetch(struct sn_builder *b, const struct sn_buffer *buf, const struct sn_expr *const *idx)
{
	append_mem(b, ST_PREFETCH, buf, idx);
}

void
sn_at_check(struct sn_builder *b, const struct sn_expr *cond)
{
	append(b, ST_CHECK)->check.cond = cond;
}

void
sn_block_walk(struct sn_block *b, bool (*pre)(struct sn_stmt *s, void *arg), void *arg)
{
	for (struct sn_stmt *s = b->first, *next; s; s = next) {
		next = s->next;
		if (!pre(s, arg))
			continue;
		if (s->kind == ST_FOR)
			sn_block_walk(&s->loop.body, pre, arg);
		if (s->kind == ST_IF) {
			sn_block_walk(&s->cond.then, pre, arg);
			sn_block_walk(&s->cond.otherwise, pre, arg);
		}
	}
}

static enum sn_scalar_op
lane_op(struct sn_builder *b, enum sn_scalar_op op)
{
	switch (op) {
	case OP_ADD: return OP_LANE_SUM;
	case OP_MAX: return OP_LANE_MAX;
	case OP_MIN: return OP_LANE_MIN;
	default:
		sn_bug(b->func->arena->guard, "no lane reduction by '%s'",
		       sn_scalar_info(op)->text);
	}
}

const struct sn_expr *
sn_at_lane_reduce(struct sn_builder *b, const struct sn_buffer *buf,
		  const struct sn_expr *const *idx, enum sn_scalar_op op)
{
	const struct sn_expr *at[ARRAY_LEN(buf->dims)] = { NULL };
	int64_t lanes = 0;

	if (buf->rank == 0 || !sn_get_int(buf->dims[buf->rank - 1], &lanes))
		sn_bug(b->func->arena->guard, "buffer '%s' has no lanes to reduce", buf->name);
	for (int i = 0; i < buf->rank - 1; i++)
		at[i] = idx[i];
	at[buf->rank - 1] = sn_int(b->pool, 0);
	const struct sn_expr *v = sn_at_load_lanes(b, buf->name, buf, at, (int)lanes, 0);

	return sn_op1(b->pool, lane_op(b, op), v);
}

/* T[i] := merge(T[i], T[i + HALF]) for all i < HALF; T holds one buffer for each state. */
static void
merge_halves(struct sn_builder *b, const struct sn_reducer *r, struct sn_buffer *const *t,
	     int64_t half, struct sn_arena *scratch)
{
	const struct sn_expr *i = sn_at_for(b, LK_SERIAL, "i", sn_int(b->pool, half));
	const struct sn_expr *other = sn_addk(b->pool, i, half);
	struct sn_subst s;

	sn_subst_init(&s, b->pool, scratch);
	for (int k = 0; k < r->nstates; k++) {
		sn_subst_put(&s, sn_state(b->pool, r->state_types[k], k),
			     sn_at_load(b, "a", t[k], &i));
		sn_subst_put(&s, sn_other(b->pool, r->state_types[k], k),
			     sn_at_load(b, "b", t[k], &other));
	}
	for (int k = 0; k < r->nstates; k++)
		sn_at_store(b, t[k], &i, sn_subst(&s, r->merge[k]));
	sn_at_end(b);
}

/* The operation that merges two states, where it is no more than that; OP_COUNT otherwise. */
static enum sn_scalar_op
plain_merge(const struct sn_reducer *r)
{
	const struct sn_expr *e = r->merge[0];

	if (r->nstates != 1 || e->kind != EX_OP || e->nargs != 2)
		return OP_COUNT;
	bool is_pair = (e->args[0]->kind == EX_STATE && e->args[1]->kind == EX_OTHER)
		       || (e->args[0]->kind == EX_OTHER && e->args[1]->kind == EX_STATE);
	bool has_lanes = e->op == OP_ADD || e->op == OP_MAX || e->op == OP_MIN;

	return is_pair && has_lanes ? (enum sn_scalar_op)e->op : OP_COUNT;
}

void
sn_at_lane_merge(struct sn_builder *b, const struct sn_reducer *r,
		 const struct sn_buffer *const *bufs, const struct sn_expr *const *idx,
		 const struct sn_expr **out, struct sn_arena *scratch)
{
	int rank = bufs[0]->rank;
	const struct sn_expr *at[ARRAY_LEN(bufs[0]->dims)] = { NULL };
	const struct sn_expr *zero = sn_int(b->pool, 0);
	struct sn_buffer *t[4];
	int64_t lanes = 0;

	if (plain_merge(r) != OP_COUNT) {
		out[0] = sn_at_lane_reduce(b, bufs[0], idx, plain_merge(r));
		return;
	}
	if (rank == 0 || !sn_get_int(bufs[0]->dims[rank - 1], &lanes) || (lanes & (lanes - 1)))
		sn_bug(b->func->arena->guard, "buffer '%s' has no lanes to merge", bufs[0]->name);
	for (int i = 0; i < rank - 1; i++)
		at[i] = idx[i];
	for (int k = 0; k < r->nstates; k++)
		t[k] = sn_at_alloc(b, SP_STACK, "half", r->state_types[k], 1, &lanes);
	const struct sn_expr *l = sn_at_for(b, LK_VECTOR, "l", sn_int(b->pool, lanes));
	at[rank - 1] = l;
	for (int k = 0; k < r->nstates; k++)
		sn_at_store(b, t[k], &l, sn_at_load(b, "a", bufs[k], at));
	sn_at_end(b);
	for (int64_t half = lanes / 2; half >= 1; half /= 2)
		merge_halves(b, r, t, half, scratch);
	for (int k = 0; k < r->nstates; k++)
		out[k] = sn_at_load(b, "all", t[k], &zero);
}
