/*
 * Which loops over rows go outside the loop over groups of vectors.
 *
 * With the groups outside, weights are read once and all rows' operands once for each group; that is
 * right as long as those stay in the second-level cache.  Where they don't, some loops over rows go
 * outside: what is read inside them is then read once, but the weights once for each of their
 * iterations, unless they stay in the cache.  What has to come from farther away decides.
 */
#include <stdlib.h>
#include "ir/index.h"
#include "passes/tile.h"

struct stride {
	int64_t bytes, n;
};

/* What one read touches while some axes of its stage run. */
struct region {
	struct sn_sched_ctx *c;
	const struct sn_comp *m;
	const struct sn_expr *read;
	struct stride v[3 * SN_MAX_AXES];
	int n;
};

enum { TYPICAL = 64 };

static int64_t
extent(const struct sn_axis *a)
{
	int64_t n;
	return sn_get_int(a->extent, &n) ? n : TYPICAL;
}

static void
add_steps(struct region *r, const struct sn_axis *axis, int64_t step, int64_t n)
{
	int64_t bits = sn_dtype_info(r->read->tensor->type.dtype)->bits;
	int64_t s = tile_stride(r->c, r->m, r->read->tensor, r->read->args, axis, step) * bits / 8;
	if (n > 1 && s)
		r->v[r->n++] = (struct stride){ s < 0 ? -s : s, n };
}

static void
add_reduction(struct region *r)
{
	struct red_loop red[2 * SN_MAX_AXES];
	int n = tile_red_loops(r->c, r->m, red);
	for (int i = 0; i < n; i++) {
		const struct sn_axis *a = r->m->red[red[i].axis];
		int64_t block = red[i].block ? red[i].block : 1;
		if (red[i].is_inner)
			add_steps(r, a, 1, block);
		else
			add_steps(r, a, block, (extent(a) + block - 1) / block);
	}
}

static int
by_bytes(const void *a, const void *b)
{
	const struct stride *x = a, *y = b;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* Bytes of the region; gaps of a line are fetched too. */
static double
region_bytes(struct region *r)
{
	int64_t line = r->c->target->line_bytes;
	double pieces = 1, bytes = 1;
	qsort(r->v, (size_t)r->n, sizeof(r->v[0]), by_bytes);
	for (int i = 0; i < r->n; i++) {
		const struct stride *s = &r->v[i];
		if ((double)s->bytes <= bytes + (double)(2 * line)) {
			bytes += (double)(s->bytes * (s->n - 1));
		} else {
			pieces *= (double)s->n;
		}
	}
	return pieces * (bytes > (double)line ? bytes : (double)line);
}

/* Bytes read of operands that move with the vectors, but not with the rows, and of the others. */
struct traffic {
	double weights, rows;
};

/* What the loops from LEVEL of ORDER on read. */
static struct traffic
read_bytes(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k,
	   const int *order, int level)
{
	struct sn_read_list reads = { 0 };
	struct traffic sum = { 0 };
	for (int i = 0; i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		struct region r = { .c = c, .m = m, .read = reads.list.v[i] };
		for (int l = level; l < m->naxes; l++)
			add_steps(&r, m->axes[order[l]], 1, extent(m->axes[order[l]]));
		add_reduction(&r);
		bool is_row = k->row >= 0 && sn_expr_has_axis(r.read, m->axes[k->row]);
		bool is_weights = sn_expr_has_axis(r.read, m->axes[k->vec]) && !is_row;
		*(is_weights ? &sum.weights : &sum.rows) += region_bytes(&r);
	}
	return sum;
}

/* How often loop AXIS runs its body. */
static double
steps_of(const struct sn_comp *m, const struct tile_knobs *k, int axis)
{
	int64_t n = extent(m->axes[axis]);
	int64_t step = axis == k->vec	 ? k->nv * k->lanes
		       : axis == k->row	 ? k->rows
		       : axis == k->row2 ? k->rows2
					 : 1;
	int64_t steps = (n + step - 1) / step;
	return (double)steps;
}

/* Bytes from beyond the second-level cache when the loop over groups is ORDER[AT], of which the loops
 * from FIRST on could stand outside. */
static double
far_bytes(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k,
	  const int *order, int first, int at)
{
	double rounds = 1, room = (double)c->target->l2_bytes / 2;
	struct traffic all = read_bytes(c, m, k, order, first);
	struct traffic inside = read_bytes(c, m, k, order, at);
	for (int l = first; l < at; l++)
		rounds *= steps_of(m, k, order[l]);
	double again = at == first || inside.weights + inside.rows <= room ? 1 : rounds;
	double groups = inside.rows <= room ? 1 : steps_of(m, k, k->vec);
	return inside.weights * again + all.rows * groups;
}

int
tile_loops_outside(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k)
{
	struct tile_knobs t = *k;
	int order[SN_MAX_AXES], first = 0, best = 0;
	double least = 0;
	if (!k->is_vec_outer || k->row < 0 || c->target->l2_bytes <= 0)
		return 0;
	t.outside = 0;
	tile_order_axes(c, m, &t, order);
	while (order[first] != k->vec)
		first++;
	for (int n = 0; first + n < m->naxes; n++) {
		t.outside = n;
		tile_order_axes(c, m, &t, order);
		double bytes = far_bytes(c, m, k, order, first, first + n);
		if (n == 0 || bytes < least * 0.75) {
			least = bytes;
			best = n;
		}
	}
	return best;
}
