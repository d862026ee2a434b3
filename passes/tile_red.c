/* The reduction of a tile: its loops, in blocks where sums are long. */
#include "ir/index.h"
#include "passes/tile_impl.h"

/* Products in one running sum before it is added to a total (accuracy, and the cache), and the fewest
 * where there are shorter ones. */
enum { SUM_BLOCK = 64, LEAST_BLOCK = 16 };

/* Reduction loops whose innermost has fewer steps than this become one loop: short loops cost more
 * in mispredicted ends than their indices cost in divisions. */
enum { SHORT_LOOP = 12 };

static void
clear_sum(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	(void)s;
	sn_emit_acc_init(&t->e, t->m->reducer, &t->sums[t->nopen - 1].acc, idx);
}

static void
flush_sum(struct tile *t, struct sn_scope *s, const struct sn_expr *const *idx)
{
	struct tile_sum *sum = &t->sums[t->nopen - 1];
	(void)s;
	sn_emit_acc_merge(&t->e, t->m->reducer, &sum[-1].acc, idx, &sum->acc, idx);
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
	tile_step(t);
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

/* One loop pays when all loops are whole, of known extent, and the innermost is short; not on small
 * machines, where a division costs more than a loop's end. */
static bool
should_flatten(const struct tile *t)
{
	int64_t n;
	for (int i = 0; i < t->nred; i++)
		if (t->red[i].block || !sn_get_int(t->m->red[i]->extent, &n) || n == 1)
			return false;
	sn_get_int(t->m->red[t->m->nred - 1]->extent, &n);
	return t->c->module->has_vectors && t->nred > 1 && n < SHORT_LOOP && t->k.is_vec_outer;
}

/* Steps of reduction loop LEVEL, the last of a cut axis taken as whole. */
static const struct sn_expr *
red_count(struct tile *t, int level)
{
	const struct red_loop *r = &t->red[level];
	const struct sn_expr *n = t->m->red[r->axis]->extent;
	if (r->is_inner)
		return sn_int(t->pool, r->block);
	return r->block ? sn_divk(t->pool, sn_addk(t->pool, n, r->block - 1), r->block) : n;
}

/* The body of reduction loop LEVEL for index I of a block loop, a block or a whole axis. */
static void
red_body(struct tile *t, int level, const struct sn_expr *i)
{
	const struct red_loop *r = &t->red[level];
	size_t mark = t->scope.pairs.n;
	const struct sn_expr *before = t->steps;
	t->steps = t->is_flat ? i
			      : sn_add(t->pool, sn_mul(t->pool, before, red_count(t, level)), i);
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
	t->steps = before;
}

/* A short innermost loop is written out where rows read what their neighbours read one step later:
 * the compiler then loads it once. */
static enum sn_loop_kind
red_kind(struct tile *t, int level, const struct sn_expr *extent)
{
	struct tile_reads r;
	int64_t n;
	if (level < t->nred - 1 || !sn_get_int(extent, &n) || n >= SHORT_LOOP || t->is_flat)
		return LK_SERIAL;
	tile_sort_reads(t, &r);
	return r.both.list.n > 0 && t->rows * t->rows2 > 1 ? LK_UNROLLED : LK_SERIAL;
}

/* Loop LEVEL over EXTENT steps from BASE. */
static void
red_steps(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *extent)
{
	static const char *const names[] = { "c", "r", "s", "t", "u" };
	const char *name = t->red[level].is_inner ? "k" : names[t->red[level].axis % 5];
	const struct sn_expr *i = sn_at_for(t->b, red_kind(t, level, extent), name, extent);
	red_body(t, level, sn_add(t->pool, base, i));
	sn_at_end(t->b);
}

static void
red_range(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *extent);

/* COUNT times: clear the next sum, SIZE steps, add it to the one before. */
static void
red_flushed(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *count,
	    const struct sn_expr *size)
{
	if (sn_is_int_const(count, 0) || sn_is_int_const(size, 0))
		return;
	const struct sn_expr *o = sn_at_for(t->b, LK_SERIAL, "o", count);
	t->nopen++;
	tile_each_point(t, &t->scope, clear_sum);
	red_range(t, level, sn_add(t->pool, base, sn_mul(t->pool, o, size)), size);
	tile_each_point(t, &t->scope, flush_sum);
	t->nopen--;
	sn_at_end(t->b);
}

/* Steps of a sum of at most EVERY, so that EXTENT is a whole number of them if that makes sums no
 * shorter than half: the rest would be the loops once more. */
static int64_t
sum_steps(const struct sn_expr *extent, int64_t every)
{
	int64_t n;
	if (!sn_get_int(extent, &n))
		return every;
	for (int64_t k = every; 2 * k > every; k--)
		if (n % k == 0)
			return k;
	return every;
}

/* Loop LEVEL over EXTENT steps from BASE, with the sums of that loop. */
static void
red_range(struct tile *t, int level, const struct sn_expr *base, const struct sn_expr *extent)
{
	struct sn_pool *p = t->pool;
	if (sn_is_int_const(extent, 0))
		return;
	if (t->nopen == t->nsums || t->sums[t->nopen].loop != level) {
		red_steps(t, level, base, extent);
		return;
	}
	int64_t every = sum_steps(extent, t->sums[t->nopen].every);
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
		tile_step(t);
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

/* Products in all; false if that is not known. */
static bool
count_products(const struct tile *t, int64_t *out)
{
	*out = 1;
	for (int i = 0; i < t->m->nred; i++) {
		int64_t n;
		if (!sn_get_int(t->m->red[i]->extent, &n))
			return false;
		*out *= n;
	}
	return true;
}

/* How long sums are. */
struct sum_plan {
	int64_t block; /* summands */
	int most;      /* sums, the result's included */
};

/* Few rows wait for memory anyway: blocks are about as many as the products in each. Code without
 * vectors is not for speed, nor contracted (each product rounds, too): blocks have blocks, down to
 * the shortest that pay. */
static struct sum_plan
plan_lengths(const struct tile *t)
{
	bool has_vectors = t->c->module->has_vectors;
	struct sum_plan plan = { SUM_BLOCK, 2 };
	int64_t all;
	if (!count_products(t, &all))
		return plan;
	if (!has_vectors)
		plan.most = TILE_SUMS;
	while ((!tile_has_many_rows(t) || t->lanes == 1) && plan.block > LEAST_BLOCK
	       && plan.block * plan.block * (has_vectors ? 1 : plan.block) > all)
		plan.block /= 2;
	return plan;
}

static bool
is_long_sum(const struct sn_reducer *r)
{
	return r->merge[0] && sn_is_float(r->state_types[0]) && r->step[0]->kind == EX_OP
	       && r->step[0]->op == OP_ADD;
}

/* The sums but for the result's, from the innermost loop outwards: each of about PLAN.BLOCK summands,
 * as long as there are more than that. */
static int
plan_inner_sums(const struct tile *t, struct sum_plan plan, struct tile_sum *out)
{
	int64_t inside = 1; /* summands in one step of the loop */
	int n = 0;
	for (int i = t->nred - 1; i >= 0; i--) {
		int64_t left = loop_count(t, i), every = 1;
		while (inside * left > plan.block && n < plan.most - 1) {
			int64_t steps = plan.block / inside > 1 ? plan.block / inside : 1;
			every *= steps;
			out[n++] = (struct tile_sum){ .loop = i, .every = every };
			left = (left + steps - 1) / steps;
			inside = 1;
		}
		inside *= left;
	}
	return n;
}

static void
note_function(const struct sn_expr *e, void *arg)
{
	*(bool *)arg |= e->kind == EX_OP && sn_scalar_info(e->op)->operands == 'F';
}

/* Is a result more than a few operations of a sum? */
static bool
has_function(const struct tile *t)
{
	bool found = false;
	for (int i = 0; i < t->m->nresults; i++)
		sn_expr_walk(t->m->results[i].value, t->c->scratch, note_function, &found);
	return found;
}

/* Sums over more than SUM_BLOCK products are added in blocks of about that many.  A shorter one is a
 * block, too, where results are finished in a loop. */
static void
plan_sums(struct tile *t)
{
	struct tile_sum inner[TILE_SUMS];
	int n = 0;
	if (is_long_sum(t->m->reducer))
		n = plan_inner_sums(t, plan_lengths(t), inner);
	t->is_finished_in_loop = tile_has_many_rows(t) && is_long_sum(t->m->reducer)
				 && has_function(t);
	if (n == 0 && t->nred > 0 && t->is_finished_in_loop)
		inner[n++] = (struct tile_sum){ .every = loop_count(t, 0) };
	t->nsums = n + 1;
	for (int i = 0; i < n; i++)
		t->sums[n - i] = inner[i];
}

void
tile_reduce(struct tile *t)
{
	int64_t dims[3] = { t->rows * t->rows2, t->nv, t->lanes };
	int rank = t->lanes == 1 ? 2 : 3; /* scalars need no dimension for their lane */
	t->nred = tile_red_loops(t->c, t->m, t->red);
	t->is_flat = should_flatten(t);
	t->steps = sn_int(t->pool, 0);
	plan_sums(t);
	for (int i = t->nsums - 1; i >= 0; i--)
		sn_emit_acc_alloc(&t->e, t->m->reducer, i == t->nsums - 1 ? SP_REG : SP_STACK, rank,
				  dims, &t->sums[i].acc);
	t->nopen = 1;
	tile_each_point(t, &t->scope, clear_sum);
	emit_red(t, 0);
}
