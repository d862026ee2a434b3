/* The tile schedule's loops (see passes/tile.h for their shape). */
#include "passes/tile.h"
#include "ir/index.h"

/* Products in one running sum before it is added to a total (accuracy, and the cache). */
enum { SUM_BLOCK = 256 };

/* Reduction loops whose innermost has fewer steps than this become one loop: short loops cost more
 * in mispredicted ends than their indices cost in divisions. */
enum { SHORT_LOOP = 12 };

struct tile {
	struct sn_sched_ctx *c;
	struct sn_pool *pool;
	struct sn_builder *b;
	struct sn_emit e;
	const struct sn_kernel *kernel;
	const struct sn_comp *m;
	struct tile_knobs k;
	int order[SN_MAX_AXES]; /* axes, outermost first */
	bool has_parallel;	/* the parallel loop is open */
	struct sn_scope outer;	/* what the open loops stand for */
	/* of the tile being emitted */
	int64_t nv, lanes, rows, rows2;
	const struct sn_expr *vec_base, *row_base, *row2_base;
	struct sn_acc acc, total;
	struct red_loop red[2 * SN_MAX_AXES];
	int nred, flush; /* loop at which the sum is added to the total, -1: never */
	int64_t flush_every;
	bool is_flat;					 /* one loop over all reduction axes */
	const struct sn_expr *inner_extent[SN_MAX_AXES]; /* of the block loops now open */
	const struct sn_expr *outer_index[SN_MAX_AXES];
	struct sn_scope scope; /* outer plus reduction axes */
};

/* A run of equal steps along a tiled axis: COUNT steps of SIZE from BASE. */
struct seg {
	const struct sn_expr *base, *count;
	int64_t size, lanes;
	const struct sn_expr
		*last; /* not NULL: the last step begins here and overlaps the one before */
};

static enum sn_loop_kind
outer_kind(struct tile *t, const struct sn_expr *extent)
{
	if (t->has_parallel || sn_is_int_const(extent, 1))
		return LK_SERIAL;
	t->has_parallel = true;
	return LK_PARALLEL;
}

/* Row index of the accumulators: row2 * rows + row. */
static const struct sn_expr *
open_rows(struct tile *t, struct sn_scope *s)
{
	const struct sn_expr *q = sn_at_for(t->b, LK_UNROLLED, "q", sn_int(t->pool, t->rows2));
	const struct sn_expr *p = sn_at_for(t->b, LK_UNROLLED, "p", sn_int(t->pool, t->rows));
	if (t->k.row >= 0)
		sn_scope_axis(&t->e, s, t->m->axes[t->k.row], sn_add(t->pool, t->row_base, p));
	if (t->k.row2 >= 0)
		sn_scope_axis(&t->e, s, t->m->axes[t->k.row2], sn_add(t->pool, t->row2_base, q));
	return sn_add(t->pool, sn_mulk(t->pool, q, t->rows), p);
}

static void
close_rows(struct tile *t)
{
	sn_at_end(t->b);
	sn_at_end(t->b);
}

/* Opens the loops over vectors and lanes; IDX gets the accumulators' last two indices. */
static void
open_lanes(struct tile *t, struct sn_scope *s, const struct sn_expr **idx)
{
	const struct sn_expr *j = sn_at_for(t->b, LK_UNROLLED, "j", sn_int(t->pool, t->nv));
	const struct sn_expr *l = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, t->lanes));
	const struct sn_expr *v = sn_add(t->pool, sn_mulk(t->pool, j, t->k.lanes), l);
	sn_scope_axis(&t->e, s, t->m->axes[t->k.vec], sn_add(t->pool, t->vec_base, v));
	idx[0] = j;
	idx[1] = l;
}

static void
close_lanes(struct tile *t)
{
	sn_at_end(t->b);
	sn_at_end(t->b);
}

typedef void (*point_fn)(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx);

/* Calls F inside the loops over rows, vectors and lanes. */
static void
each_point(struct tile *t, const struct sn_scope *s, point_fn f)
{
	struct sn_scope in = sn_scope_copy(&t->e, s);
	const struct sn_expr *idx[3];
	idx[0] = open_rows(t, &in);
	open_lanes(t, &in, idx + 1);
	f(t, &in, idx);
	close_lanes(t);
	close_rows(t);
}

static void
init_acc(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	(void)s;
	sn_emit_acc_init(&t->e, t->m->reducer, &t->acc, idx);
}

static void
init_total(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	(void)s;
	sn_emit_acc_init(&t->e, t->m->reducer, &t->total, idx);
}

static void
flush(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	(void)s;
	sn_emit_acc_merge(&t->e, t->m->reducer, &t->total, idx, &t->acc, idx);
}

static bool
moves_with(const struct sn_expr *read, const struct tile *t, int axis)
{
	if (axis < 0)
		return false;
	for (int d = 0; d < read->tensor->type.rank; d++)
		if (sn_expr_has_axis(read->args[d], t->m->axes[axis]))
			return true;
	return false;
}

/* Loads one read that depends on the vectors but not on the rows into registers, before the rows. */
static struct sn_buffer *
load_vectors(struct tile *t, const struct sn_expr *read)
{
	int64_t dims[2] = { t->nv, t->lanes };
	struct sn_buffer *buf = sn_at_alloc(t->b, SP_REG, read->tensor->name,
					    (enum sn_dtype)read->dtype, 2, dims);
	struct sn_scope s = sn_scope_copy(&t->e, &t->scope);
	const struct sn_expr *idx[2];
	open_lanes(t, &s, idx);
	sn_at_store(t->b, buf, idx, sn_emit_expr(&t->e, &s, read));
	close_lanes(t);
	return buf;
}

/* Reads by what they depend on; see the head of passes/tile.h. */
struct sorted {
	struct sn_read_list same, rows, vectors, both;
	SN_VEC(struct sn_buffer *) buffers; /* of vectors */
};

static void
sort_reads(struct tile *t, struct sorted *out)
{
	struct sn_arena *a = t->c->scratch;
	*out = (struct sorted){ 0 };
	for (int i = 0; i < t->m->reducer->nargs; i++) {
		struct sn_read_list reads = { 0 };
		sn_reads_of(t->m->args[i], a, &reads);
		for (size_t j = 0; j < reads.list.n; j++) {
			const struct sn_expr *x = reads.list.v[j];
			bool v = moves_with(x, t, t->k.vec);
			bool r = moves_with(x, t, t->k.row) || moves_with(x, t, t->k.row2);
			struct sn_read_list *l = v ? (r ? &out->both : &out->vectors)
						   : (r ? &out->rows : &out->same);
			SN_PUSH(a, &l->list, x);
		}
	}
}

static void
put_loaded(struct tile *t, struct sn_scope *s, const struct sorted *r,
	   const struct sn_expr *const *idx)
{
	for (size_t i = 0; i < r->vectors.list.n; i++)
		sn_scope_put(&t->e, s, r->vectors.list.v[i],
			     sn_at_load(t->b, r->buffers.v[i]->name, r->buffers.v[i], idx));
}

/* One step of the reduction for the whole tile. */
static void
emit_step(struct tile *t)
{
	struct sorted r;
	sort_reads(t, &r);
	for (size_t i = 0; i < r.same.list.n; i++)
		sn_emit_expr(&t->e, &t->scope, r.same.list.v[i]);
	for (size_t i = 0; i < r.vectors.list.n; i++)
		SN_PUSH(t->c->scratch, &r.buffers, load_vectors(t, r.vectors.list.v[i]));
	struct sn_scope s = sn_scope_copy(&t->e, &t->scope);
	const struct sn_expr *idx[3], *args[4];
	idx[0] = open_rows(t, &s);
	for (size_t i = 0; i < r.rows.list.n; i++)
		sn_emit_expr(&t->e, &s, r.rows.list.v[i]);
	open_lanes(t, &s, idx + 1);
	put_loaded(t, &s, &r, idx + 1);
	for (int i = 0; i < t->m->reducer->nargs; i++)
		args[i] = sn_emit_expr(&t->e, &s, t->m->args[i]);
	sn_emit_acc_step(&t->e, t->m->reducer, &t->acc, idx, args);
	close_lanes(t);
	close_rows(t);
}

static void emit_red(struct tile *t, int level);

/* Step I of the one loop over all reduction axes. */
static void
flat_body(struct tile *t, const struct sn_expr *i)
{
	size_t mark = t->scope.pairs.n;
	for (int k = t->m->nred - 1; k >= 0; k--) {
		const struct sn_axis *axis = t->m->red[k];
		int64_t n;
		sn_get_int(axis->extent, &n);
		const struct sn_expr *at = k > 0 ? sn_modk(t->pool, i, n) : i;
		sn_scope_axis(&t->e, &t->scope, axis, sn_at_let(t->b, axis->name, at));
		i = sn_divk(t->pool, i, n);
	}
	emit_step(t);
	t->scope.pairs.n = mark;
}

static const struct sn_expr *
flat_extent(const struct tile *t)
{
	const struct sn_expr *n = sn_int(t->pool, 1);
	for (int i = 0; i < t->m->nred; i++)
		n = sn_mul(t->pool, n, t->m->red[i]->extent);
	return n;
}

/* One loop pays when all loops are whole, of known extent, and the innermost is short. */
static bool
should_flatten(const struct tile *t)
{
	int64_t n;
	for (int i = 0; i < t->nred; i++)
		if (t->red[i].block || !sn_get_int(t->m->red[i]->extent, &n) || n == 1)
			return false;
	sn_get_int(t->m->red[t->m->nred - 1]->extent, &n);
	return t->nred > 1 && n < SHORT_LOOP && t->k.is_vec_outer;
}

/* The body of reduction loop LEVEL for index I of a block loop, a block or a whole axis. */
static void
red_body(struct tile *t, int level, const struct sn_expr *i)
{
	const struct red_loop *r = &t->red[level];
	size_t mark = t->scope.pairs.n;
	const struct sn_axis *axis = t->m->red[r->axis];
	if (t->is_flat) {
		flat_body(t, i);
		return;
	}
	if (r->block && !r->is_inner) {
		t->outer_index[r->axis] = i;
	} else {
		if (r->is_inner)
			i = sn_add(t->pool, sn_mulk(t->pool, t->outer_index[r->axis], r->block), i);
		sn_scope_axis(&t->e, &t->scope, axis, i);
	}
	emit_red(t, level + 1);
	t->scope.pairs.n = mark;
}

/* A short innermost loop is written out where rows read what their neighbours read one step later:
 * the compiler then loads it once. */
static enum sn_loop_kind
red_kind(struct tile *t, int level, const struct sn_expr *extent)
{
	struct sorted r;
	int64_t n;
	if (level < t->nred - 1 || !sn_get_int(extent, &n) || n >= SHORT_LOOP || t->is_flat)
		return LK_SERIAL;
	sort_reads(t, &r);
	return r.both.list.n > 0 ? LK_UNROLLED : LK_SERIAL;
}

/* Loop LEVEL over EXTENT steps from BASE, with the total brought up to date now and then. */
static void
red_steps(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *extent)
{
	static const char *const names[] = { "c", "r", "s", "t", "u" };
	const char *name = t->red[level].is_inner ? "k" : names[t->red[level].axis % 5];
	const struct sn_expr *i = sn_at_for(t->b, red_kind(t, level, extent), name, extent);
	red_body(t, level, sn_add(t->pool, base, i));
	sn_at_end(t->b);
}

/* COUNT times: clear the sum, SIZE steps, add the sum to the total. */
static void
red_flushed(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *count,
	    const struct sn_expr *size)
{
	if (sn_is_int_const(count, 0) || sn_is_int_const(size, 0))
		return;
	const struct sn_expr *o = sn_at_for(t->b, LK_SERIAL, "o", count);
	each_point(t, &t->scope, init_acc);
	red_steps(t, level, sn_add(t->pool, base, sn_mul(t->pool, o, size)), size);
	each_point(t, &t->scope, flush);
	sn_at_end(t->b);
}

static void
red_range(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *extent)
{
	struct sn_pool *p = t->pool;
	if (sn_is_int_const(extent, 0))
		return;
	if (level != t->flush) {
		red_steps(t, level, base, extent);
		return;
	}
	int64_t every = t->flush_every;
	const struct sn_expr *count = sn_divk(p, extent, every);
	const struct sn_expr *rest = sn_modk(p, extent, every);
	red_flushed(t, level, base, count, sn_int(p, every));
	red_flushed(t, level, sn_add(p, base, sn_mulk(p, count, every)), sn_int(p, 1), rest);
}

static void
emit_red(struct tile *t, int level)
{
	struct sn_pool *p = t->pool;
	if (level == t->nred) {
		emit_step(t);
		return;
	}
	if (t->is_flat) {
		red_range(t, 0, sn_int(p, 0), flat_extent(t));
		return;
	}
	const struct red_loop *r = &t->red[level];
	const struct sn_expr *extent = t->m->red[r->axis]->extent, *zero = sn_int(p, 0);
	if (!r->block) {
		red_range(t, level, zero, extent);
	} else if (r->is_inner) {
		red_range(t, level, zero, t->inner_extent[r->axis]);
	} else {
		const struct sn_expr *full = sn_divk(p, extent, r->block);
		t->inner_extent[r->axis] = sn_int(p, r->block);
		red_range(t, level, zero, full);
		t->inner_extent[r->axis] = sn_modk(p, extent, r->block);
		if (!sn_is_int_const(t->inner_extent[r->axis], 0))
			red_range(t, level, full, sn_int(p, 1));
	}
}

static int64_t
loop_count(const struct tile *t, int level)
{
	const struct red_loop *r = &t->red[level];
	int64_t n = 1 << 20;
	if (t->is_flat) {
		sn_get_int(flat_extent(t), &n);
		return level == 0 ? n : 1;
	}
	sn_get_int(t->m->red[r->axis]->extent, &n);
	return r->is_inner ? r->block : r->block ? (n + r->block - 1) / r->block : n;
}

/* Sums over more than SUM_BLOCK products are added in blocks of about that many. */
static void
plan_flush(struct tile *t)
{
	const struct sn_reducer *r = t->m->reducer;
	int64_t inside = 1;
	t->flush = -1;
	if (!r->merge[0] || !sn_is_float(r->state_types[0]) || r->step[0]->kind != EX_OP
	    || r->step[0]->op != OP_ADD)
		return;
	for (int i = t->nred - 1; i >= 0; i--) {
		int64_t n = loop_count(t, i);
		if (inside * n > SUM_BLOCK) {
			t->flush = i;
			t->flush_every = SUM_BLOCK / inside > 1 ? SUM_BLOCK / inside : 1;
			return;
		}
		inside *= n;
	}
}

/* The value of one element from its states, and the store. */
static void
finish(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	const struct sn_acc *a = t->flush >= 0 ? &t->total : &t->acc;
	if (t->m->reducer)
		sn_emit_acc_states(&t->e, t->m->reducer, a, idx, s);
	for (int i = 0; i < t->m->nresults; i++)
		sn_emit_result(&t->e, s, &t->m->results[i]);
}

static void
emit_tile(struct tile *t)
{
	int64_t dims[3] = { t->rows * t->rows2, t->nv, t->lanes };
	t->scope = sn_scope_copy(&t->e, &t->outer);
	if (t->m->reducer) {
		t->nred = tile_red_loops(t->c, t->m, t->red);
		t->is_flat = should_flatten(t);
		plan_flush(t);
		sn_emit_acc_alloc(&t->e, t->m->reducer, SP_REG, 3, dims, &t->acc);
		if (t->flush >= 0) {
			sn_emit_acc_alloc(&t->e, t->m->reducer, SP_STACK, 3, dims, &t->total);
			each_point(t, &t->scope, init_total);
		} else {
			each_point(t, &t->scope, init_acc);
		}
		emit_red(t, 0);
	}
	each_point(t, &t->scope, finish);
}

static void emit_axis(struct tile *t, int level);

static void
emit_segment(struct tile *t, int level, const struct seg *s)
{
	static const char *const names[] = { "v", "x", "y" };
	int a = t->order[level], which = a == t->k.vec ? 0 : a == t->k.row ? 1 : 2;
	bool had_parallel = t->has_parallel;
	if (sn_is_int_const(s->count, 0))
		return;
	/* overlapping steps store some elements twice, so they stay on one thread */
	enum sn_loop_kind kind = s->last ? LK_SERIAL : outer_kind(t, s->count);
	const struct sn_expr *i = sn_at_for(t->b, kind, names[which], s->count);
	const struct sn_expr *base = sn_add(t->pool, s->base,
					    sn_mulk(t->pool, i, s->size * s->lanes));
	if (s->last)
		base = sn_at_let(t->b, "at", sn_op2(t->pool, OP_MIN, base, s->last));
	if (which == 0) {
		t->vec_base = base;
		t->nv = s->size;
		t->lanes = s->lanes;
	} else if (which == 1) {
		t->row_base = base;
		t->rows = s->size;
	} else {
		t->row2_base = base;
		t->rows2 = s->size;
	}
	emit_axis(t, level + 1);
	sn_at_end(t->b);
	t->has_parallel = had_parallel;
}

/* EXTENT is not known: steps of SIZE * LANES of which the last overlaps, or single elements if there
 * are fewer than that. */
static void
emit_unknown(struct tile *t, int level, const struct sn_expr *extent, int64_t size, int64_t lanes)
{
	struct sn_pool *p = t->pool;
	const struct sn_expr *zero = sn_int(p, 0);
	int64_t step = size * lanes;
	if (step == 1) {
		emit_segment(t, level, &(struct seg){ zero, extent, 1, 1, NULL });
		return;
	}
	const struct sn_expr *count = sn_divk(p, sn_addk(p, extent, step - 1), step);
	sn_at_if(t->b, sn_op2(p, OP_LE, sn_int(p, step), extent));
	emit_segment(t, level,
		     &(struct seg){ zero, count, size, lanes, sn_addk(p, extent, -step) });
	sn_at_else(t->b);
	emit_segment(t, level, &(struct seg){ zero, extent, 1, 1, NULL });
	sn_at_end(t->b);
}

/* Vectors: whole groups of nv, the remaining whole vectors, the remaining lanes. */
static void
emit_vec(struct tile *t, int level, const struct sn_expr *extent)
{
	struct sn_pool *p = t->pool;
	int64_t lanes = t->k.lanes, group = lanes * t->k.nv, n;
	if (!sn_get_int(extent, &n)) {
		emit_unknown(t, level, extent, t->k.nv, lanes);
		return;
	}
	const struct sn_expr *zero = sn_int(p, 0), *one = sn_int(p, 1);
	const struct sn_expr *base = sn_int(p, n / group * group);
	int64_t rest = n % group;
	emit_segment(t, level, &(struct seg){ zero, sn_int(p, n / group), t->k.nv, lanes, NULL });
	if (rest / lanes)
		emit_segment(t, level, &(struct seg){ base, one, rest / lanes, lanes, NULL });
	if (rest % lanes)
		emit_segment(t, level,
			     &(struct seg){ sn_int(p, n - n % lanes), one, 1, rest % lanes, NULL });
}

/* Rows: whole tiles and an exact tail. */
static void
emit_rows(struct tile *t, int level, const struct sn_expr *extent, int64_t rows)
{
	struct sn_pool *p = t->pool;
	int64_t n;
	if (!sn_get_int(extent, &n)) {
		emit_unknown(t, level, extent, rows, 1);
		return;
	}
	emit_segment(t, level, &(struct seg){ sn_int(p, 0), sn_int(p, n / rows), rows, 1, NULL });
	if (n % rows)
		emit_segment(t, level,
			     &(struct seg){ sn_int(p, n / rows * rows), sn_int(p, 1), n % rows, 1,
					    NULL });
}

static void
emit_axis(struct tile *t, int level)
{
	if (level == t->m->naxes) {
		emit_tile(t);
		return;
	}
	int a = t->order[level];
	const struct sn_axis *axis = t->m->axes[a];
	if (a == t->k.vec) {
		emit_vec(t, level, axis->extent);
	} else if (a == t->k.row) {
		emit_rows(t, level, axis->extent, t->k.rows);
	} else if (a == t->k.row2) {
		emit_rows(t, level, axis->extent, t->k.rows2);
	} else {
		size_t mark = t->outer.pairs.n;
		bool had_parallel = t->has_parallel;
		enum sn_loop_kind kind = outer_kind(t, axis->extent);
		sn_scope_axis(&t->e, &t->outer, axis,
			      sn_at_for(t->b, kind, axis->name, axis->extent));
		emit_axis(t, level + 1);
		sn_at_end(t->b);
		t->outer.pairs.n = mark;
		t->has_parallel = had_parallel;
	}
}

bool
sn_tile_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct tile t = { .c = c, .pool = c->pool, .b = b, .kernel = k, .m = k->stages.v[0] };
	tile_knobs_get(k, &t.k);
	t.nv = t.lanes = t.rows = t.rows2 = 1;
	t.vec_base = t.row_base = t.row2_base = sn_int(c->pool, 0);
	sn_emit_init(&t.e, c, k, b);
	sn_emit_halos(&t.e);
	tile_order_axes(c, t.m, &t.k, t.order);
	emit_axis(&t, 0);
	return true;
}
