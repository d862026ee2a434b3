/* Turns reads into loads and results into stores, for all schedules. */
#include "passes/emit.h"
#include "ir/index.h"

struct sn_buffer *
sn_emit_buffer(struct sn_emit *e, const struct sn_tensor *t)
{
	return sn_map_get_num(&e->buffers, (uint64_t)t->id + 1);
}

/* Bytes that T surely begins at a multiple of, in whichever memory it lies: on a device every
 * allocation is, only a view may begin between. 0: nothing to be said. */
static int
alignment(const struct sn_emit *e, const struct sn_tensor *t)
{
	int align = 64;
	if (!sn_target_is_device(e->c->target))
		return 0;
	for (; t->store == TS_VIEW || t->store == TS_INPLACE; t = t->base) {
		int bits = sn_dtype_info(t->type.dtype)->bits;
		while (t->base_offset && align > 1
		       && !sn_prove_divides(sn_mulk(e->c->pool, t->base_offset, bits), 8 * align))
			align /= 2;
	}
	return align > 1 ? align : 0;
}

/* What is stored in place has one parameter with what was there before. */
static void
add_param(struct sn_emit *e, struct sn_tensor *t, bool is_stored)
{
	if (t->store == TS_SCRATCH || sn_emit_buffer(e, t))
		return;
	struct sn_tensor *at = t;
	while (at->store == TS_INPLACE)
		at = at->base;
	struct sn_buffer *b = sn_emit_buffer(e, at);
	if (!b) {
		const struct sn_layout *l = sn_layout_of(e->c->pool, at);
		b = sn_func_param(e->b->func, at->name, at->type.dtype, l->size, !is_stored);
		b->align = alignment(e, at);
		sn_map_put_num(&e->buffers, (uint64_t)at->id + 1, b);
		SN_PUSH(e->c->arena, &e->args, at);
	}
	sn_map_put_num(&e->buffers, (uint64_t)t->id + 1, b);
}

static struct sn_tensor *
root_of(struct sn_tensor *t)
{
	while (t->store == TS_VIEW || t->store == TS_INPLACE)
		t = t->base;
	return t;
}

/* Parameters that share memory must not be declared as if they did not. */
static void
mark_aliases(struct sn_emit *e)
{
	for (size_t i = 0; i < e->args.n; i++)
		for (size_t j = 0; j < i; j++)
			if (root_of(e->args.v[i]) == root_of(e->args.v[j])) {
				e->b->func->params.v[i]->is_alias = true;
				e->b->func->params.v[j]->is_alias = true;
			}
}

void
sn_emit_init(struct sn_emit *e, struct sn_sched_ctx *c, const struct sn_kernel *k,
	     struct sn_builder *b)
{
	*e = (struct sn_emit){ .c = c, .kernel = k, .b = b };
	sn_map_init(&e->buffers, c->scratch);
	sn_map_init(&e->params, c->scratch);
	b->origin = k->origin;
	struct sn_tensor_list stores = { 0 }, reads = { 0 };
	sn_kernel_stores(k, c->scratch, &stores);
	sn_kernel_reads(k, c->scratch, &reads);
	for (size_t i = 0; i < stores.list.n; i++)
		add_param(e, stores.list.v[i], true);
	for (size_t i = 0; i < reads.list.n; i++)
		add_param(e, reads.list.v[i], false);
	mark_aliases(e);
}

bool
sn_emit_rereads(struct sn_emit *e)
{
	struct sn_tensor_list reads = { 0 };
	sn_kernel_reads(e->kernel, e->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_buffer *b = sn_emit_buffer(e, reads.list.v[i]);
		if (b && b->space == SP_GLOBAL && (b->is_alias || !b->is_const))
			return true;
	}
	return false;
}

/* Elements of one slice of a scratch tensor. */
static int64_t
slice_elements(struct sn_emit *e, const struct sn_tensor *t)
{
	int64_t n = 1;
	for (int d = e->kernel->nshared; d < t->type.rank; d++) {
		int64_t x;
		if (!sn_get_int(t->type.dims[d], &x))
			sn_bug(e->c->arena->guard, "scratch tensor '%s' of unknown size", t->name);
		n *= x;
	}
	return n;
}

void
sn_emit_scratch(struct sn_emit *e, enum sn_space space, int64_t slices)
{
	struct sn_tensor_list stores = { 0 };
	sn_kernel_stores(e->kernel, e->c->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++) {
		struct sn_tensor *t = stores.list.v[i];
		bool is_kept = e->elsewhere && sn_map_get_num(e->elsewhere, (uint64_t)t->id + 1);
		if (t->store != TS_SCRATCH || is_kept)
			continue;
		int64_t n = slices * slice_elements(e, t);
		struct sn_buffer *b = sn_at_alloc(e->b, space, t->name, t->type.dtype, 1, &n);
		b->align = 64;
		sn_map_put_num(&e->buffers, (uint64_t)t->id + 1, b);
	}
}

void
sn_scope_put(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *from,
	     const struct sn_expr *to)
{
	SN_PUSH(e->c->scratch, &s->pairs, (struct sn_emit_pair){ from, to });
}

void
sn_scope_axis(struct sn_emit *e, struct sn_scope *s, const struct sn_axis *axis,
	      const struct sn_expr *to)
{
	sn_scope_put(e, s, sn_axis_expr(e->c->pool, axis), to);
}

struct sn_scope
sn_scope_copy(struct sn_emit *e, const struct sn_scope *s)
{
	struct sn_scope r = { 0 };
	for (size_t i = 0; i < s->pairs.n; i++)
		SN_PUSH(e->c->scratch, &r.pairs, s->pairs.v[i]);
	return r;
}

/* What needs statements before the expression: reads, and checks of indices. */
struct collect {
	struct sn_arena *a;
	struct sn_read_list out;
	bool with_checks;
};

static void
collect(const struct sn_expr *x, void *arg)
{
	struct collect *c = arg;
	if (x->kind == EX_READ || (c->with_checks && x->kind == EX_OP && x->op == OP_WITHIN))
		SN_PUSH(c->a, &c->out.list, x);
}

void
sn_reads_of(const struct sn_expr *x, struct sn_arena *scratch, struct sn_read_list *out)
{
	struct collect c = { .a = scratch, .out = *out };
	sn_expr_walk(x, scratch, collect, &c);
	*out = c.out;
}

const struct sn_expr *
sn_emit_offset(struct sn_emit *e, const struct sn_tensor *t, const struct sn_expr *const *idx)
{
	struct sn_pool *p = e->c->pool;
	if (t->store != TS_SCRATCH)
		return sn_layout_offset(p, sn_layout_of(p, t), idx);
	const struct sn_expr *off = e->slice ? e->slice : sn_int(p, 0);
	for (int d = e->kernel->nshared; d < t->type.rank; d++)
		off = sn_add(p, sn_mul(p, off, t->type.dims[d]), idx[d]);
	return off;
}

/* Does the layout's halo hold the read's outside value? */
static bool
halo_holds(const struct sn_expr *read, const struct sn_layout *l)
{
	const struct sn_expr *outside = read->args[read->nargs - 1];
	if (!l->has_fill || !sn_is_const(outside))
		return false;
	if (sn_is_float((enum sn_dtype)outside->dtype))
		return outside->num.f == l->fill.f;
	return outside->num.i == l->fill.i;
}

unsigned
sn_read_guards(struct sn_pool *p, const struct sn_expr *read)
{
	const struct sn_tensor *t = read->tensor;
	const struct sn_layout *l = t->layout;
	bool has_halo = read->has_outside && l && halo_holds(read, l);
	unsigned guards = 0;
	for (int d = 0; d < t->type.rank; d++) {
		int64_t lo = has_halo ? l->halo_lo[d] : 0, hi = has_halo ? l->halo_hi[d] : 0;
		const struct sn_expr *top = sn_addk(p, t->type.dims[d], hi);
		if (!sn_prove_le(p, sn_int(p, -lo), read->args[d]))
			guards |= 1u << d;
		else if (!sn_prove_lt(p, read->args[d], top))
			guards |= 1u << d;
	}
	return guards;
}

/* 0 <= i < n */
static const struct sn_expr *
in_range(struct sn_pool *p, const struct sn_expr *i, const struct sn_expr *n)
{
	return sn_op2(p, OP_AND, sn_op2(p, OP_LE, sn_int(p, 0), i), sn_op2(p, OP_LT, i, n));
}

/* The nearest index in range: what is loaded there is not used when the read has an outside value. */
static const struct sn_expr *
clamped(struct sn_pool *p, const struct sn_expr *i, const struct sn_expr *n)
{
	return sn_op2(p, OP_MAX, sn_op2(p, OP_MIN, i, sn_addk(p, n, -1)), sn_int(p, 0));
}

static const struct sn_expr *
apply_scope(struct sn_emit *e, const struct sn_scope *s, const struct sn_expr *x)
{
	struct sn_subst sub;
	sn_subst_init(&sub, e->c->pool, e->c->scratch);
	for (size_t i = 0; i < s->pairs.n; i++)
		sn_subst_put(&sub, s->pairs.v[i].from, s->pairs.v[i].to);
	return sn_subst(&sub, x);
}

static const struct sn_expr *
emit_read(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *read)
{
	struct sn_pool *p = e->c->pool;
	const struct sn_tensor *t = read->tensor;
	unsigned guards = sn_read_guards(p, read);
	const struct sn_expr *idx[SN_MAX_RANK], *cond = NULL;
	for (int d = 0; d < t->type.rank; d++) {
		idx[d] = apply_scope(e, s, read->args[d]);
		if (!(guards >> d & 1))
			continue;
		if (read->has_outside) {
			const struct sn_expr *c = in_range(p, idx[d], t->type.dims[d]);
			cond = cond ? sn_op2(p, OP_AND, cond, c) : c;
		}
		idx[d] = clamped(p, idx[d], t->type.dims[d]);
	}
	const struct sn_expr *off = sn_emit_offset(e, t, idx);
	const struct sn_expr *v = sn_at_load(e->b, t->name, sn_emit_buffer(e, t), &off);
	if (!cond)
		return v;
	return sn_op3(p, OP_SELECT, cond, v, apply_scope(e, s, read->args[read->nargs - 1]));
}

/* An index that comes from data: a statement checks it, and what goes on is in range. */
static const struct sn_expr *
emit_within(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *x)
{
	struct sn_pool *p = e->c->pool;
	const struct sn_expr *i = apply_scope(e, s, x->args[0]), *n = apply_scope(e, s, x->args[1]);
	const struct sn_expr *is_good = in_range(p, i, n);

	if (!sn_is_int_const(is_good, 1))
		sn_at_check(e->b, is_good);
	i = clamped(p, i, n);
	return sn_is_const(i) ? i : sn_at_let(e->b, "at", i);
}

static bool
in_scope(const struct sn_scope *s, const struct sn_expr *x)
{
	for (size_t i = 0; i < s->pairs.n; i++)
		if (s->pairs.v[i].from == x)
			return true;
	return false;
}

const struct sn_expr *
sn_emit_expr(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *x)
{
	struct collect c = { .a = e->c->scratch, .with_checks = true };
	sn_expr_walk(x, e->c->scratch, collect, &c);
	for (size_t i = 0; i < c.out.list.n; i++) {
		const struct sn_expr *part = c.out.list.v[i];
		if (!in_scope(s, part))
			sn_scope_put(e, s, part,
				     part->kind == EX_READ ? emit_read(e, s, part)
							   : emit_within(e, s, part));
	}
	return apply_scope(e, s, x);
}

/* What an expression needs that is not in scope yet. */
struct missing {
	const struct sn_scope *s;
	bool is_found;
};

static void
find_missing(const struct sn_expr *x, void *arg)
{
	struct missing *m = arg;
	bool is_leaf = x->kind == EX_AXIS || (x->has & SN_HAS_STATE);
	if (is_leaf && !in_scope(m->s, x))
		m->is_found = true;
}

static void
emit_known(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *x)
{
	struct collect c = { .a = e->c->scratch, .with_checks = true };
	sn_expr_walk(x, e->c->scratch, collect, &c);
	for (size_t i = 0; i < c.out.list.n; i++) {
		struct missing m = { .s = s };
		const struct sn_expr *part = c.out.list.v[i];
		if (part->kind == EX_READ)
			continue;
		sn_expr_walk(part, e->c->scratch, find_missing, &m);
		if (!m.is_found)
			sn_emit_expr(e, s, part);
	}
}

void
sn_emit_checks(struct sn_emit *e, struct sn_scope *s, const struct sn_comp *m)
{
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		emit_known(e, s, m->args[i]);
	for (int i = 0; i < m->nresults; i++)
		emit_known(e, s, m->results[i].value);
}

void
sn_emit_prefetch(struct sn_emit *e, const struct sn_tensor *t, const struct sn_expr *at)
{
	sn_at_prefetch(e->b, sn_emit_buffer(e, t), &at);
}

void
sn_emit_result(struct sn_emit *e, struct sn_scope *s, const struct sn_result *r)
{
	const struct sn_expr *v = sn_emit_expr(e, s, r->value), *idx[SN_MAX_RANK];
	for (int d = 0; d < r->tensor->type.rank; d++)
		idx[d] = sn_emit_expr(e, s, r->idx[d]);
	const struct sn_expr *off = sn_emit_offset(e, r->tensor, idx);
	sn_at_store(e->b, sn_emit_buffer(e, r->tensor), &off, v);
}

void
sn_emit_acc_alloc(struct sn_emit *e, const struct sn_reducer *r, enum sn_space space, int rank,
		  const int64_t *dims, struct sn_acc *out)
{
	static const char *const names[] = { "acc", "acc1", "acc2", "acc3" };
	static const char *const totals[] = { "sum", "sum1", "sum2", "sum3" };
	out->n = r->nstates;
	for (int i = 0; i < r->nstates; i++)
		out->buf[i] = sn_at_alloc(e->b, space, (space == SP_REG ? names : totals)[i],
					  r->state_types[i], rank, dims);
}

void
sn_emit_acc_init(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		 const struct sn_expr *const *idx)
{
	for (int i = 0; i < a->n; i++)
		sn_at_store(e->b, a->buf[i], idx, r->init[i]);
}

static const struct sn_expr *
load_state(struct sn_emit *e, const struct sn_acc *a, int i, const struct sn_expr *const *idx)
{
	return sn_at_load(e->b, a->buf[i]->name, a->buf[i], idx);
}

void
sn_emit_acc_states(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		   const struct sn_expr *const *idx, struct sn_scope *s)
{
	for (int i = 0; i < a->n; i++)
		sn_scope_put(e, s, sn_state(e->c->pool, r->state_types[i], i),
			     load_state(e, a, i, idx));
}

/* All new states are computed before the first is stored. */
static void
store_states(struct sn_emit *e, const struct sn_acc *a, const struct sn_expr *const *idx,
	     const struct sn_expr *const *v)
{
	for (int i = 0; i < a->n; i++)
		sn_at_store(e->b, a->buf[i], idx, v[i]);
}

/* x + a*b becomes mac(a, b, x): the one place that lets a sum of products contract. */
static const struct sn_expr *
contract(struct sn_pool *p, const struct sn_expr *x)
{
	if (x->kind != EX_OP || x->op != OP_ADD || !sn_is_float((enum sn_dtype)x->dtype))
		return x;
	for (int i = 0; i < 2; i++) {
		const struct sn_expr *m = x->args[i];
		if (m->kind == EX_OP && m->op == OP_MUL)
			return sn_op3(p, OP_MAC, m->args[0], m->args[1], x->args[1 - i]);
	}
	return x;
}

void
sn_emit_acc_step(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		 const struct sn_expr *const *idx, const struct sn_expr *const *args)
{
	struct sn_scope s = { 0 };
	const struct sn_expr *v[4];
	sn_emit_acc_states(e, r, a, idx, &s);
	for (int i = 0; i < r->nargs; i++)
		sn_scope_put(e, &s, sn_arg(e->c->pool, r->arg_types[i], i), args[i]);
	for (int i = 0; i < a->n; i++)
		v[i] = contract(e->c->pool, apply_scope(e, &s, r->step[i]));
	store_states(e, a, idx, v);
}

void
sn_emit_acc_merge(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		  const struct sn_expr *const *ia, const struct sn_acc *b,
		  const struct sn_expr *const *ib)
{
	struct sn_scope s = { 0 };
	const struct sn_expr *v[4];
	sn_emit_acc_states(e, r, a, ia, &s);
	for (int i = 0; i < b->n; i++)
		sn_scope_put(e, &s, sn_other(e->c->pool, r->state_types[i], i),
			     load_state(e, b, i, ib));
	for (int i = 0; i < a->n; i++)
		v[i] = apply_scope(e, &s, r->merge[i]);
	store_states(e, a, ia, v);
}
