/* The rows schedule and the universal schedule: stages in order inside the shared loops. */
#include "passes/rows.h"
#include "ir/index.h"
#include "passes/tile.h"

/* ---- which axis of a stage can run in vectors ---- */

/* Offset of a scratch tensor's slice, or of a stored tensor. */
static enum lane_use
use_of(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t,
       const struct sn_expr *const *idx, const struct sn_axis *axis, int64_t lanes)
{
	if (t->store != TS_SCRATCH)
		return tile_lane_use(c, t, idx, axis, lanes);
	for (int d = 0; d < t->type.rank; d++) {
		if (!sn_expr_has_axis(idx[d], axis))
			continue;
		bool is_last = d == t->type.rank - 1 && d >= k->nshared;
		return is_last && idx[d] == sn_axis_expr(c->pool, axis) ? LANE_UNIT : LANE_OTHER;
	}
	return LANE_SAME;
}

static bool
reads_allow(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_expr *x,
	    const struct sn_axis *axis, int64_t lanes)
{
	struct sn_read_list reads = { 0 };
	sn_reads_of(x, c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		const struct sn_expr *r = reads.list.v[i];
		if (use_of(c, k, r->tensor, r->args, axis, lanes) == LANE_OTHER
		    || (r->tensor->role == TR_CONST && r->tensor->store != TS_SCRATCH
			&& sn_expr_has_axis(r, axis)
			&& tile_plain_dim(c->pool, r->tensor, r->args, axis)
				   != r->tensor->type.rank - 1))
			return false;
	}
	return true;
}

const struct sn_axis *
sn_rows_map_axis(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_comp *m,
		 int64_t lanes)
{
	if (m->reducer || m->naxes == k->nshared || lanes == 1)
		return NULL;
	const struct sn_axis *a = m->axes[m->naxes - 1];
	for (int i = 0; i < m->nresults; i++) {
		const struct sn_result *r = &m->results[i];
		if (use_of(c, k, r->tensor, r->idx, a, lanes) != LANE_UNIT
		    || !reads_allow(c, k, r->value, a, lanes))
			return NULL;
	}
	return a;
}

const struct sn_axis *
sn_rows_red_axis(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_comp *m,
		 int64_t lanes)
{
	if (!m->reducer || !m->reducer->merge[0] || m->nred == 0 || lanes == 1)
		return NULL;
	const struct sn_axis *a = m->red[m->nred - 1];
	for (int i = 0; i < m->reducer->nargs; i++)
		if (!reads_allow(c, k, m->args[i], a, lanes))
			return NULL;
	return a;
}

/* ---- cost ---- */

double
sn_rows_points(const struct sn_axis *const *axes, int from, int to)
{
	double n = 1;
	for (int i = from; i < to; i++) {
		int64_t e;
		n *= sn_get_int(axes[i]->extent, &e) ? (double)e : 64;
	}
	return n;
}

static double
scalar_cost(const struct sn_comp *m)
{
	double n = sn_rows_points(m->axes, 0, m->naxes), r = sn_rows_points(m->red, 0, m->nred);
	return n * (r * 5 + 5);
}

double
sn_rows_scalar_cost(const struct sn_kernel *k)
{
	double sum = 0;
	for (size_t i = 0; i < k->stages.n; i++)
		sum += scalar_cost(k->stages.v[i]);
	return sum;
}

/* Cycles of a reduction in vectors along AXIS, the last: 6 a vector with its loads, 5 each of the rest. */
static double
reduction_cost(const struct sn_comp *m, const struct sn_axis *axis, int64_t lanes)
{
	double outer = sn_rows_points(m->red, 0, m->nred - 1);
	int64_t n;
	if (!sn_get_int(axis->extent, &n))
		n = 64;
	int64_t vectors = n / lanes, rest = n % lanes;
	return outer * (double)(vectors * 6 + rest * 5) + 30;
}

/* Cycles of all stages. */
static double
vector_cost(struct sn_sched_ctx *c, const struct sn_kernel *k)
{
	double sum = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_comp *m = k->stages.v[i];
		int64_t lanes = tile_lanes(c, m);
		double n = sn_rows_points(m->axes, 0, m->naxes);
		const struct sn_axis *red = sn_rows_red_axis(c, k, m, lanes);
		if (sn_rows_map_axis(c, k, m, lanes))
			sum += n / (double)lanes * 8;
		else if (red)
			sum += n * reduction_cost(m, red, lanes);
		else
			sum += scalar_cost(m);
	}
	return sum;
}

double
sn_rows_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	int64_t lanes = 1;
	for (size_t i = 0; i < k->stages.n; i++) {
		int64_t l = tile_lanes(c, k->stages.v[i]);
		if (sn_rows_map_axis(c, k, k->stages.v[i], l)
		    || sn_rows_red_axis(c, k, k->stages.v[i], l))
			lanes = lanes > 1 && lanes < l ? lanes : l;
	}
	if (lanes == 1)
		return -1;
	sn_kernel_set_knob(c->module->program, k, "lanes", lanes);
	return vector_cost(c, k);
}

double
sn_universal_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	(void)c;
	return sn_rows_scalar_cost(k);
}

/* ---- loops ---- */

static void
open_axes(struct sn_rows *r, struct sn_scope *s, int from, int to)
{
	for (int i = from; i < to; i++) {
		const struct sn_axis *a = r->m->axes[i];
		enum sn_loop_kind kind = i == 0 ? r->outermost : LK_SERIAL;
		sn_scope_axis(&r->e, s, a, sn_at_for(r->b, kind, a->name, a->extent));
	}
}

static void
close_loops(struct sn_rows *r, int n)
{
	for (; n > 0; n--)
		sn_at_end(r->b);
}

static void
emit_results(struct sn_rows *r, struct sn_scope *s)
{
	for (int i = 0; i < r->m->nresults; i++)
		sn_emit_result(&r->e, s, &r->m->results[i]);
}

/* for count vectors of LANES from BASE on: body at base + i*lanes + l */
static const struct sn_expr *
open_vectors(struct sn_rows *r, const struct sn_expr *base, const struct sn_expr *count,
	     int64_t lanes)
{
	const struct sn_expr *i = sn_at_for(r->b, LK_SERIAL, "i", count);
	const struct sn_expr *l = sn_at_for(r->b, LK_VECTOR, "l", sn_int(r->pool, lanes));
	return sn_add(r->pool, base, sn_add(r->pool, sn_mulk(r->pool, i, lanes), l));
}

static void
map_part(struct sn_rows *r, const struct sn_scope *s, const struct sn_axis *a,
	 const struct sn_expr *base, const struct sn_expr *count, int64_t lanes)
{
	if (sn_is_int_const(count, 0))
		return;
	struct sn_scope in = sn_scope_copy(&r->e, s);
	sn_scope_axis(&r->e, &in, a, open_vectors(r, base, count, lanes));
	emit_results(r, &in);
	close_loops(r, 2);
}

/* A map: vectors along axis A (or none), a tail of exactly the rest. */
static void
emit_map(struct sn_rows *r, struct sn_scope *s)
{
	const struct sn_axis *a = sn_rows_map_axis(r->c, r->kernel, r->m, r->lanes);
	int last = r->m->naxes - (a != NULL);
	open_axes(r, s, r->kernel->nshared, last);
	if (!a) {
		emit_results(r, s);
	} else {
		const struct sn_expr *full = sn_divk(r->pool, a->extent, r->lanes),
				     *zero = sn_int(r->pool, 0);
		const struct sn_expr *base = sn_mulk(r->pool, full, r->lanes);
		const struct sn_expr *rest = sn_modk(r->pool, a->extent, r->lanes);
		int64_t n;
		map_part(r, s, a, zero, full, r->lanes);
		if (sn_get_int(rest, &n) && n > 0)
			map_part(r, s, a, base, sn_int(r->pool, 1), n);
		else
			map_part(r, s, a, base, rest, 1);
	}
	close_loops(r, last - r->kernel->nshared);
}

static void
step_at(struct sn_rows *r, struct sn_scope *s, const struct sn_acc *acc,
	const struct sn_expr *const *idx)
{
	const struct sn_expr *args[4];
	for (int i = 0; i < r->m->reducer->nargs; i++)
		args[i] = sn_emit_expr(&r->e, s, r->m->args[i]);
	sn_emit_acc_step(&r->e, r->m->reducer, acc, idx, args);
}

/* Part of a reduction's last axis: COUNT times UNROLL vectors side by side, from BASE. */
struct red_part {
	int64_t unroll, lanes;
	const struct sn_expr *base, *count;
};

/* The reduction loops, the last one over PART. */
static void
red_part(struct sn_rows *r, const struct sn_scope *s, const struct sn_acc *acc,
	 struct red_part part)
{
	const struct sn_comp *m = r->m;
	if (sn_is_int_const(part.count, 0))
		return;
	struct sn_scope in = sn_scope_copy(&r->e, s);
	for (int i = 0; i < m->nred - 1; i++)
		sn_scope_axis(&r->e, &in, m->red[i],
			      sn_at_for(r->b, LK_SERIAL, m->red[i]->name, m->red[i]->extent));
	const struct sn_expr *i = sn_at_for(r->b, LK_SERIAL, "i", part.count), *idx[2];
	idx[0] = sn_at_for(r->b, LK_UNROLLED, "u", sn_int(r->pool, part.unroll));
	idx[1] = sn_at_for(r->b, LK_VECTOR, "l", sn_int(r->pool, part.lanes));
	const struct sn_expr *at = sn_add(r->pool, sn_mulk(r->pool, idx[0], part.lanes), idx[1]);
	at = sn_add(r->pool, sn_mulk(r->pool, i, part.unroll * part.lanes), at);
	sn_scope_axis(&r->e, &in, m->red[m->nred - 1], sn_add(r->pool, part.base, at));
	step_at(r, &in, acc, idx);
	close_loops(r, m->nred + 2);
}

static void
init_lanes(struct sn_rows *r, const struct sn_acc *acc, int64_t unroll, int64_t lanes)
{
	const struct sn_expr *idx[2];
	idx[0] = sn_at_for(r->b, LK_UNROLLED, "u", sn_int(r->pool, unroll));
	idx[1] = sn_at_for(r->b, LK_VECTOR, "l", sn_int(r->pool, lanes));
	sn_emit_acc_init(&r->e, r->m->reducer, acc, idx);
	close_loops(r, 2);
}

/* Adds the sums side by side, pair by pair. */
static void
merge_unrolled(struct sn_rows *r, const struct sn_acc *acc, int64_t unroll, int64_t lanes)
{
	for (int64_t half = unroll / 2; half >= 1; half /= 2)
		for (int64_t u = 0; u < half; u++) {
			const struct sn_expr *l = sn_at_for(r->b, LK_VECTOR, "l",
							    sn_int(r->pool, lanes));
			const struct sn_expr *ia[2] = { sn_int(r->pool, u), l };
			const struct sn_expr *ib[2] = { sn_int(r->pool, u + half), l };
			sn_emit_acc_merge(&r->e, r->m->reducer, acc, ia, acc, ib);
			sn_at_end(r->b);
		}
}

static int64_t
unroll_for(const struct sn_axis *a, int64_t lanes, int nstates)
{
	int64_t n;
	if (!sn_get_int(a->extent, &n))
		return 1;
	int64_t u = nstates > 1 ? 1 : n / lanes >= 8 ? 4 : n / lanes >= 4 ? 2 : 1;
	return u;
}

/* A reduction whose last axis runs in vectors: lanes, then the rest one by one, then all together. */
static void
emit_red_vectors(struct sn_rows *r, struct sn_scope *s, const struct sn_axis *a)
{
	const struct sn_reducer *red = r->m->reducer;
	int64_t u = unroll_for(a, r->lanes, red->nstates), dims[2] = { u, r->lanes },
		one[2] = { 1, 1 };
	struct sn_acc acc, tail;
	const struct sn_expr *zero[2] = { sn_int(r->pool, 0), sn_int(r->pool, 0) }, *out[4];
	sn_emit_acc_alloc(&r->e, red, SP_REG, 2, dims, &acc);
	init_lanes(r, &acc, u, r->lanes);
	const struct sn_expr *big = sn_divk(r->pool, a->extent, u * r->lanes);
	const struct sn_expr *done = sn_mulk(r->pool, big, u * r->lanes);
	const struct sn_expr *rest = sn_modk(r->pool, a->extent, u * r->lanes);
	red_part(r, s, &acc, (struct red_part){ u, r->lanes, zero[0], big });
	if (u > 1) {
		const struct sn_expr *more = sn_divk(r->pool, rest, r->lanes);
		red_part(r, s, &acc, (struct red_part){ 1, r->lanes, done, more });
		done = sn_add(r->pool, done, sn_mulk(r->pool, more, r->lanes));
		rest = sn_modk(r->pool, rest, r->lanes);
	}
	merge_unrolled(r, &acc, u, r->lanes);
	sn_at_lane_merge(r->b, red, (const struct sn_buffer *const *)acc.buf, zero, out,
			 r->c->scratch);
	sn_emit_acc_alloc(&r->e, red, SP_REG, 2, one, &tail);
	for (int i = 0; i < red->nstates; i++)
		sn_at_store(r->b, tail.buf[i], zero, out[i]);
	red_part(r, s, &tail, (struct red_part){ 1, 1, done, rest });
	sn_emit_acc_states(&r->e, red, &tail, zero, s);
}

/* Steps of the innermost reduction axis in one running sum. */
enum { SCALAR_BLOCK = 32 };

/* The innermost reduction axis from BASE on, COUNT steps, into ACC. */
static void
red_run(struct sn_rows *r, struct sn_scope *s, const struct sn_acc *acc, const struct sn_expr *base,
	const struct sn_expr *count)
{
	const struct sn_axis *a = r->m->red[r->m->nred - 1];
	struct sn_scope in = sn_scope_copy(&r->e, s);
	const struct sn_expr *i = sn_at_for(r->b, LK_SERIAL, a->name, count);
	sn_scope_axis(&r->e, &in, a, sn_add(r->pool, base, i));
	step_at(r, &in, acc, NULL);
	sn_at_end(r->b);
}

/* The same with a sum of its own that is added to TOTAL, COUNT times SIZE steps. */
static void
red_blocks(struct sn_rows *r, struct sn_scope *s, const struct sn_acc *total,
	   const struct sn_expr *base, const struct sn_expr *count, const struct sn_expr *size)
{
	const struct sn_reducer *red = r->m->reducer;
	struct sn_acc part;
	if (sn_is_int_const(count, 0) || sn_is_int_const(size, 0))
		return;
	const struct sn_expr *o = sn_at_for(r->b, LK_SERIAL, "o", count);
	sn_emit_acc_alloc(&r->e, red, SP_REG, 0, NULL, &part);
	sn_emit_acc_init(&r->e, red, &part, NULL);
	red_run(r, s, &part, sn_add(r->pool, base, sn_mul(r->pool, o, size)), size);
	sn_emit_acc_merge(&r->e, red, total, NULL, &part, NULL);
	sn_at_end(r->b);
}

/* Float sums are added in blocks: a run of the innermost axis, at most SCALAR_BLOCK of it. */
static bool
is_blocked(const struct sn_rows *r)
{
	const struct sn_reducer *red = r->m->reducer;
	int64_t n;
	bool is_sum = red->merge[0] && sn_is_float(red->state_types[0])
		      && red->step[0]->kind == EX_OP && red->step[0]->op == OP_ADD;
	if (!is_sum || r->m->nred == 0)
		return false;
	return r->m->nred > 1 || !sn_get_int(r->m->red[0]->extent, &n) || n > SCALAR_BLOCK;
}

static void
emit_red_scalar(struct sn_rows *r, struct sn_scope *s)
{
	const struct sn_comp *m = r->m;
	struct sn_acc acc;
	sn_emit_acc_alloc(&r->e, m->reducer, SP_REG, 0, NULL, &acc);
	sn_emit_acc_init(&r->e, m->reducer, &acc, NULL);
	struct sn_scope in = sn_scope_copy(&r->e, s);
	for (int i = 0; i < m->nred - 1; i++)
		sn_scope_axis(&r->e, &in, m->red[i],
			      sn_at_for(r->b, LK_SERIAL, m->red[i]->name, m->red[i]->extent));
	if (m->nred == 0) {
		step_at(r, &in, &acc, NULL);
	} else if (!is_blocked(r)) {
		red_run(r, &in, &acc, sn_int(r->pool, 0), m->red[m->nred - 1]->extent);
	} else {
		const struct sn_expr *n = m->red[m->nred - 1]->extent;
		const struct sn_expr *full = sn_divk(r->pool, n, SCALAR_BLOCK);
		red_blocks(r, &in, &acc, sn_int(r->pool, 0), full, sn_int(r->pool, SCALAR_BLOCK));
		red_blocks(r, &in, &acc, sn_mulk(r->pool, full, SCALAR_BLOCK), sn_int(r->pool, 1),
			   sn_modk(r->pool, n, SCALAR_BLOCK));
	}
	close_loops(r, m->nred - 1 > 0 ? m->nred - 1 : 0);
	sn_emit_acc_states(&r->e, m->reducer, &acc, NULL, s);
}

void
sn_rows_point(struct sn_rows *r, struct sn_scope *s)
{
	if (r->m->reducer)
		emit_red_scalar(r, s);
	emit_results(r, s);
}

void
sn_rows_stage(struct sn_rows *r, const struct sn_comp *m)
{
	struct sn_scope s = sn_scope_copy(&r->e, &r->shared);
	r->m = m;
	if (!m->reducer) {
		emit_map(r, &s);
		return;
	}
	const struct sn_axis *a = sn_rows_red_axis(r->c, r->kernel, m, r->lanes);
	open_axes(r, &s, r->kernel->nshared, m->naxes);
	if (a)
		emit_red_vectors(r, &s, a);
	else
		emit_red_scalar(r, &s);
	emit_results(r, &s);
	close_loops(r, m->naxes - r->kernel->nshared);
}

bool
sn_rows_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	struct sn_rows r = { .c = c, .pool = c->pool, .b = b, .kernel = k, .m = k->stages.v[0] };
	r.lanes = sn_kernel_knob(k, "lanes", 1);
	r.outermost = LK_PARALLEL;
	sn_emit_init(&r.e, c, k, b);
	sn_emit_halos(&r.e);
	open_axes(&r, &r.shared, 0, k->nshared);
	sn_emit_scratch(&r.e, SP_STACK, 1);
	for (size_t i = 0; i < k->stages.n; i++)
		sn_rows_stage(&r, k->stages.v[i]);
	close_loops(&r, k->nshared);
	return true;
}

bool
sn_rows_repeats(struct sn_sched_ctx *c, const struct sn_kernel *k)
{
	(void)c;
	(void)k;
	return false;
}
