/* The tile schedule's decisions: vector axis, row axes, register block, by arithmetic on the target. */
#include "passes/rows.h"
#include "passes/tile.h"
#include "ir/index.h"

void
tile_knobs_get(const struct sn_kernel *k, struct tile_knobs *out)
{
	*out = (struct tile_knobs){
		.vec = (int)sn_kernel_knob(k, "vec", -1),
		.row = (int)sn_kernel_knob(k, "row", -1),
		.row2 = (int)sn_kernel_knob(k, "row2", -1),
		.lanes = sn_kernel_knob(k, "lanes", 1),
		.nv = sn_kernel_knob(k, "nv", 1),
		.rows = sn_kernel_knob(k, "rows", 1),
		.rows2 = sn_kernel_knob(k, "rows2", 1),
		.is_vec_outer = sn_kernel_knob(k, "vec_outer", 0),
		.outside = (int)sn_kernel_knob(k, "outside", 0),
		.is_ahead = sn_kernel_knob(k, "ahead", 0),
	};
}

static void
set_knobs(struct sn_sched_ctx *c, struct sn_kernel *k, const struct tile_knobs *t)
{
	struct sn_program *pr = c->module->program;
	sn_kernel_set_knob(pr, k, "vec", t->vec);
	sn_kernel_set_knob(pr, k, "lanes", t->lanes);
	sn_kernel_set_knob(pr, k, "nv", t->nv);
	sn_kernel_set_knob(pr, k, "row", t->row);
	sn_kernel_set_knob(pr, k, "rows", t->rows);
	sn_kernel_set_knob(pr, k, "row2", t->row2);
	sn_kernel_set_knob(pr, k, "rows2", t->rows2);
	sn_kernel_set_knob(pr, k, "vec_outer", t->is_vec_outer);
	if (t->outside)
		sn_kernel_set_knob(pr, k, "outside", t->outside);
	if (t->is_ahead)
		sn_kernel_set_knob(pr, k, "ahead", 1);
}

/* Reads of a stage: of the reduction's arguments (hot) and of the values. */
struct reads {
	struct sn_read_list hot, cold;
};

static void
find_reads(struct sn_sched_ctx *c, const struct sn_comp *m, struct reads *out)
{
	*out = (struct reads){ 0 };
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], c->scratch, &out->hot);
	for (int i = 0; i < m->nresults; i++)
		sn_reads_of(m->results[i].value, c->scratch, &out->cold);
	if (!m->reducer)
		out->hot = out->cold;
}

/* What one step of the innermost loop does, in units of a full tile. */
struct step {
	int w, a, f;	/* reads by vectors only, rows only, both */
	double gathers; /* reads whose lanes are collected one by one; at edges only: a part of one */
	int states;
	double vector_bytes; /* of one vector's constants over the whole reduction */
	double all_bytes;    /* of all vectors' */
	double row_bytes;    /* of the operands of all rows */
};

static double
tensor_bytes(const struct sn_tensor *t)
{
	int64_t n;
	bool is_static = sn_type_is_static(&t->type, &n);
	return is_static ? (double)sn_dtype_bytes(t->type.dtype, (size_t)n) : 0;
}

static int64_t
extent_or(const struct sn_axis *a, int64_t unknown)
{
	int64_t n;
	return sn_get_int(a->extent, &n) ? n : unknown;
}

/* May some lanes of READ be outside and others not? */
static bool
is_masked(struct sn_sched_ctx *c, const struct sn_expr *read, const struct sn_axis *vec)
{
	unsigned guards = sn_read_guards(c->pool, read);
	for (int d = 0; d < read->tensor->type.rank; d++)
		if ((guards >> d & 1) && sn_expr_has_axis(read->args[d], vec))
			return true;
	return false;
}

/* The part of its vectors that READ collects lane by lane along VEC: all, none, or those at both edges,
 * each of which about half of a window's taps reach. */
static double
gathered_part(struct sn_sched_ctx *c, const struct sn_expr *read, const struct sn_axis *vec,
	      int64_t lanes, enum lane_use u)
{
	if (u == LANE_OTHER || !is_masked(c, read, vec))
		return u == LANE_OTHER;
	int64_t groups = (extent_or(vec, 64) + lanes - 1) / lanes;
	return u != LANE_UNIT ? 1 : 1 / (double)groups;
}

static void
count_reads(struct sn_sched_ctx *c, const struct sn_comp *m, const struct reads *r,
	    const struct tile_knobs *k, struct step *out)
{
	*out = (struct step){ .states = m->reducer ? m->reducer->nstates : 1 };
	for (size_t i = 0; i < r->hot.list.n; i++) {
		const struct sn_expr *x = r->hot.list.v[i];
		enum lane_use u = tile_lane_use(c, x->tensor, x->args, m->axes[k->vec], k->lanes);
		bool has_row = k->row >= 0 && tile_mentions(x->tensor, x->args, m->axes[k->row]);
		out->gathers += gathered_part(c, x, m->axes[k->vec], k->lanes, u);
		out->w += u == LANE_UNIT && !has_row;
		out->f += u == LANE_UNIT && has_row;
		out->a += u == LANE_SAME;
		out->row_bytes += u == LANE_SAME ? tensor_bytes(x->tensor) : 0;
	}
}

/* Constants that do not fit the second cache are read group by group: do this group's, the next one's,
 * which are asked for ahead, and the rows leave room? */
static bool
crowds_second_cache(const struct sn_target *t, const struct step *s, int64_t nv)
{
	double room = (double)t->l2_bytes / 2;
	return s->all_bytes > room && 2 * s->vector_bytes * (double)nv + s->row_bytes > room;
}

/* Cycles of one reduction step of a tile of ROWS rows and NV vectors. */
static double
step_cycles(const struct sn_target *t, const struct step *s, int64_t rows, int64_t nv)
{
	double fma = (double)(rows * nv) / (t->fma_ports > 0 ? t->fma_ports : 1);
	double loads = (double)(s->w * nv + s->a * rows + s->f * rows * nv)
		       / (t->load_ports > 0 ? t->load_ports : 1);
	/* the two overlap, but not perfectly: a tile that keeps both busy waits more often */
	double c = fma > loads ? fma + loads / 4 : loads + fma / 4;
	if (c < t->fma_latency)
		c = t->fma_latency;
	/* constants of a group that do not stay in the first cache come from the second, at about a
	 * vector in two cycles, half of it hidden */
	if (s->w && s->vector_bytes * (double)nv > (double)t->l1_bytes / 2)
		c = (c > 2.0 * (double)(s->w * nv) ? c : 2.0 * (double)(s->w * nv))
		    + (double)(s->w * nv) * 0.5;
	if (s->w && crowds_second_cache(t, s, nv))
		c += (double)(s->w * nv);
	/* a little for address arithmetic and the loop itself */
	return c + 0.5 + s->gathers * 16.0 * (double)(rows * nv);
}

static bool
fits_registers(const struct sn_target *t, const struct step *s, int64_t rows, int64_t nv)
{
	int64_t need = rows * nv * s->states + s->w * nv + (s->f || s->a > 1 ? 2 : 1);
	return need <= t->nregs;
}

struct sizes {
	int64_t vec, row, row2;
	bool is_row_known;
};

/* Extents that stand for one that is not known. */
static const int64_t samples[] = { 7, 8, 10, 14, 20, 28, 40, 56, 80, 160 };

int64_t
tile_fewer_rows(int64_t rows)
{
	return rows / 2 >= TILE_FEWEST_ROWS - 1 ? (rows + 1) / 2 : 1;
}

/* The rows that the loops use for EXTENT when it is not known at compile time (tile_emit.c). */
static int64_t
rows_used(int64_t rows, int64_t extent)
{
	while (rows > 1) {
		int64_t next = tile_fewer_rows(rows), steps = (extent + rows - 1) / rows;
		if (rows <= extent && (next == 1 || 4 * steps * rows <= 5 * extent))
			break;
		rows = next;
	}
	return rows;
}

/* Cycles per reduction step over all tiles, exact tails included. */
static double
known_cost(const struct sn_target *t, const struct step *s, const struct sizes *z,
	   const struct tile_knobs *k)
{
	int64_t vectors = (z->vec + k->lanes - 1) / k->lanes;
	double sum = 0;
	int64_t vs[2][2] = { { vectors / k->nv, k->nv }, { vectors % k->nv > 0, vectors % k->nv } };
	int64_t rs[2][2] = { { z->row / k->rows, k->rows },
			     { z->row % k->rows > 0, z->row % k->rows } };
	int64_t qs[2][2] = { { z->row2 / k->rows2, k->rows2 },
			     { z->row2 % k->rows2 > 0, z->row2 % k->rows2 } };
	for (int i = 0; i < 8; i++) {
		const int64_t *v = vs[i & 1], *r = rs[i >> 1 & 1], *q = qs[i >> 2];
		double n = (double)(v[0] * r[0] * q[0]);
		if (n > 0)
			sum += n * (step_cycles(t, s, r[1] * q[1], v[1]) + 2);
	}
	return sum;
}

/* The same, on average over likely extents when the rows' is not known. */
static double
tile_cost(const struct sn_target *t, const struct step *s, const struct sizes *z,
	  const struct tile_knobs *k)
{
	if (z->is_row_known)
		return known_cost(t, s, z, k);
	const size_t n = ARRAY_LEN(samples);
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		struct sizes at = *z;
		struct tile_knobs used = *k;
		used.rows = rows_used(k->rows, samples[i]);
		at.row = (samples[i] + used.rows - 1) / used.rows * used.rows;
		sum += known_cost(t, s, &at, &used) / (double)samples[i];
	}
	return sum / (double)n * (double)z->row;
}

/* Most rows of a tile: those that lie a multiple of a cache way apart evict each other; windows, whose
 * reduction is written out, gain nothing from more than WINDOW_ROWS and take long to compile; half of
 * that where there are versions for several sizes. */
enum { MOST_ROWS = 32, WINDOW_ROWS = 16 };

/* Do neighbouring rows read the same elements in different steps of the reduction? */
static bool
is_window(const struct sn_comp *m, const struct reads *r, int row)
{
	for (size_t i = 0; i < r->hot.list.n; i++) {
		const struct sn_expr *x = r->hot.list.v[i];
		for (int d = 0; d < x->tensor->type.rank; d++)
			for (int j = 0; j < m->nred; j++)
				if (sn_expr_has_axis(x->args[d], m->axes[row])
				    && sn_expr_has_axis(x->args[d], m->red[j]))
					return true;
	}
	return false;
}

static int64_t
most_rows(struct sn_sched_ctx *c, const struct sn_comp *m, const struct reads *r, int row,
	  const struct step *s)
{
	int64_t way = c->target->l1_ways > 0 ? c->target->l1_bytes / c->target->l1_ways : 4096;
	for (size_t i = 0; i < r->hot.list.n && row >= 0; i++) {
		const struct sn_expr *x = r->hot.list.v[i];
		const struct sn_expr *off = sn_layout_offset(
			c->pool, sn_layout_of(c->pool, x->tensor), x->args);
		int64_t coef, bytes = sn_dtype_info(x->tensor->type.dtype)->bits / 8;
		if (sn_affine_coef(off, m->axes[row], &coef) && coef && coef * bytes % way == 0)
			return c->target->l1_ways;
	}
	if (!s->f)
		return MOST_ROWS;
	if (row < 0 || sn_is_const(m->axes[row]->extent))
		return WINDOW_ROWS;
	/* rows that share nothing are not worth versions */
	return s->w || s->a || is_window(m, r, row) ? WINDOW_ROWS / 2 : 1;
}

static double
search_tile(struct sn_sched_ctx *c, const struct step *s, const struct sizes *z, int64_t max_rows,
	    struct tile_knobs *k)
{
	struct tile_knobs best = *k, t = *k;
	double best_cost = 1e300;
	for (t.nv = 1; t.nv <= 8; t.nv++)
		for (t.rows2 = 1; t.rows2 <= (k->row2 >= 0 ? 4 : 1); t.rows2++)
			for (t.rows = 1; t.rows <= (k->row >= 0 ? 30 : 1); t.rows++) {
				if (t.rows > z->row || t.rows2 > z->row2
				    || t.rows * t.rows2 > max_rows
				    || (t.rows2 > 1 && t.rows != z->row)
				    || !fits_registers(c->target, s, t.rows * t.rows2, t.nv))
					continue;
				double cost = tile_cost(c->target, s, z, &t);
				if (cost < best_cost * 0.999) {
					best_cost = cost;
					best = t;
				}
			}
	*k = best;
	return best_cost;
}

/* Row axes: the innermost axes from FROM on outwards but the vector's that some read along the vector
 * does not move with. */
static void
find_rows(const struct sn_comp *m, const struct reads *r, int from, struct tile_knobs *k)
{
	int *slots[2] = { &k->row, &k->row2 }, n = 0;
	k->row = k->row2 = -1;
	for (int i = from; i >= 0 && n < 2; i--) {
		if (i == k->vec || sn_is_int_const(m->axes[i]->extent, 1))
			continue;
		bool is_shared = false, has_vec = false;
		for (size_t j = 0; j < r->hot.list.n; j++) {
			const struct sn_expr *x = r->hot.list.v[j];
			bool v = tile_mentions(x->tensor, x->args, m->axes[k->vec]);
			has_vec |= v;
			is_shared |= v && !tile_mentions(x->tensor, x->args, m->axes[i]);
		}
		if (!is_shared && has_vec && n > 0)
			break;
		int64_t e;
		if (n == 1 && !sn_get_int(m->axes[i]->extent, &e))
			break;
		*slots[n++] = i;
		if (!is_shared)
			break;
	}
}

/* Does some read move with the vector but not with the rows? */
static bool
is_row_shared(const struct sn_comp *m, const struct reads *r, const struct tile_knobs *k)
{
	for (size_t i = 0; k->row >= 0 && i < r->hot.list.n; i++) {
		const struct sn_expr *x = r->hot.list.v[i];
		if (tile_mentions(x->tensor, x->args, m->axes[k->vec])
		    && !tile_mentions(x->tensor, x->args, m->axes[k->row]))
			return true;
	}
	return false;
}

static double
red_steps(const struct sn_comp *m)
{
	double n = 1;
	for (int i = 0; i < m->nred; i++)
		n *= (double)extent_or(m->red[i], 64);
	return n;
}

static double
outer_points(const struct sn_comp *m, const struct tile_knobs *k)
{
	double n = 1;
	for (int i = 0; i < m->naxes; i++)
		if (i != k->vec && i != k->row && i != k->row2)
			n *= (double)extent_or(m->axes[i], 64);
	return n;
}

/* Cycles of storing a lane alone. */
enum { LANE_STORE = 2 };

/* Cycles of storing the results whose lanes are not side by side, for each point; negative: there are
 * such, and too little is computed for each to make up for it. */
static double
scattered_cost(struct sn_sched_ctx *c, const struct sn_comp *m, const struct tile_knobs *k)
{
	double cost = 0;
	for (int i = 0; i < m->nresults && k->lanes > 1; i++)
		if (tile_lane_use(c, m->results[i].tensor, m->results[i].idx, m->axes[k->vec],
				  k->lanes)
		    != LANE_UNIT)
			cost += LANE_STORE;
	return cost > 0 && !m->reducer ? -1 : cost;
}

/* Cost with vector axis K->vec, and rows as find_rows finds them beginning with axis FROM; fills the
 * other knobs. */
static double
try_rows(struct sn_sched_ctx *c, const struct sn_comp *m, const struct reads *r, int from,
	 struct tile_knobs *k)
{
	const struct sn_axis *vec = m->axes[k->vec];
	find_rows(m, r, from, k);
	if (!m->reducer)
		k->row = k->row2 = -1;
	struct step s;
	count_reads(c, m, r, k, &s);
	s.vector_bytes = red_steps(m) * s.w * (double)k->lanes * 4;
	s.all_bytes = s.vector_bytes * (double)extent_or(vec, 64) / (double)k->lanes;
	struct sizes z = { extent_or(vec, 64), 1, 1, true };
	if (k->row >= 0) {
		z.row = extent_or(m->axes[k->row], 64);
		z.is_row_known = sn_is_const(m->axes[k->row]->extent);
	}
	if (k->row2 >= 0)
		z.row2 = extent_or(m->axes[k->row2], 64);
	k->nv = k->rows = k->rows2 = 1;
	double cost = tile_cost(c->target, &s, &z, k);
	/* collecting lanes one by one is slow whatever the tile */
	if (m->reducer && s.gathers == 0)
		cost = search_tile(c, &s, &z, most_rows(c, m, r, k->row, &s), k);
	k->is_vec_outer = s.w > 0 && s.f == 0 && m->reducer;
	int64_t n;
	if (!sn_get_int(vec->extent, &n))
		k->nv = 1;
	return cost * red_steps(m) * outer_points(m, k);
}

/* Cost with vector axis K->vec; fills the other knobs. Negative: it can't be that.  Where the rows that
 * come first move whatever moves with the vector, those further out may share it. */
static double
try_axis(struct sn_sched_ctx *c, const struct sn_comp *m, const struct reads *r,
	 struct tile_knobs *k)
{
	double scattered = scattered_cost(c, m, k);
	if (scattered < 0)
		return -1;
	struct tile_knobs other = *k;
	double cost = try_rows(c, m, r, m->naxes - 1, k);
	if (m->reducer && k->row >= 0 && k->row2 < 0) {
		double instead = try_rows(c, m, r, k->row - 1, &other);
		if (is_row_shared(m, r, &other) && instead < cost) {
			cost = instead;
			*k = other;
		}
	}
	return cost + scattered * sn_rows_points(m->axes, 0, m->naxes);
}

double
sn_tile_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	if (k->stages.n != 1 || k->stages.v[0]->naxes == 0)
		return -1;
	const struct sn_comp *m = k->stages.v[0];
	struct reads r;
	find_reads(c, m, &r);
	struct tile_knobs best = { 0 };
	double best_cost = -1;
	for (int i = m->naxes - 1; i >= 0; i--) {
		if (sn_is_int_const(m->axes[i]->extent, 1) && m->naxes > 1)
			continue;
		/* shorter vectors where a slice of a concatenation begins inside a block, or a group
		 * of channels is narrower */
		int64_t lanes = tile_lanes(c, m);
		do {
			struct tile_knobs t = { .vec = i, .lanes = lanes };
			double cost = try_axis(c, m, &r, &t);
			if (cost >= 0 && (best_cost < 0 || cost < best_cost)) {
				best_cost = cost;
				best = t;
			}
			lanes /= 2;
		} while (lanes >= TILE_FEWEST_LANES);
	}
	if (best_cost >= 0) {
		best.outside = tile_loops_outside(c, m, &best);
		best.is_ahead = tile_should_fetch_ahead(c, m, &best);
		set_knobs(c, k, &best);
	}
	return best_cost;
}
