/*
 * Vectors at edges. Indices that run side by side but there: clamped (padding), or taken modulo (tiles).
 *
 *	max(min(16*v + l - 1, 55), 0)	is 16*v + l - 1 for all lanes l < 16
 *					if 0 <= 16*v - 1 and 16*v + 14 <= 55
 *	(16*v + l) % 100		is 16*v % 100 + l
 *					if 16*v % 100 <= 84
 *
 * Most vectors are loaded whole, then, and only those at an edge lane by lane.  And conditions that say where
 * the edge is: numbers of lanes are compared, in 32 bits, instead of indices.
 *
 *	16*v + l - 1 < 56		is l < min(57 - 16*v, 16)
 */
#include "ir/index.h"
#include "passes/vectorize.h"

enum { MAX_NODES = 64 }; /* larger indices are not looked through */

struct strip {
	struct vec *v;
	struct sn_subst at_first, at_last; /* of the lanes */
	struct sn_subst edges;		   /* what is taken at an edge -> what it is elsewhere */
	const struct sn_expr *condition;
	int nnodes;
	bool is_found;
};

static bool
is_unit(const struct strip *s, const struct sn_expr *e)
{
	int64_t coef;

	return sn_affine_coef(e, s->v->loop->axis, &coef) && coef == 1;
}

static void
require(struct strip *s, const struct sn_expr *cond)
{
	s->condition = s->condition ? sn_op2(s->v->pool, OP_AND, s->condition, cond) : cond;
}

static void find_edges(struct strip *s, const struct sn_expr *e);

/* E without the edges inside. */
static const struct sn_expr *
stripped(struct strip *s, const struct sn_expr *e)
{
	find_edges(s, e);
	return sn_subst(&s->edges, e);
}

/* The larger (smaller) of X, which moves with the lanes, and LIMIT, which doesn't. */
static const struct sn_expr *
without_clamp(struct strip *s, const struct sn_expr *e, const struct sn_expr *x,
	      const struct sn_expr *limit)
{
	x = stripped(s, x);
	if (!is_unit(s, x))
		return NULL;
	if (e->op == OP_MAX)
		require(s, sn_op2(s->v->pool, OP_LE, limit, sn_subst(&s->at_first, x)));
	else
		require(s, sn_op2(s->v->pool, OP_LE, sn_subst(&s->at_last, x), limit));
	return x;
}

static const struct sn_expr *
without_modulo(struct strip *s, const struct sn_expr *x, const struct sn_expr *n)
{
	struct sn_pool *p = s->v->pool;
	int64_t count;

	x = stripped(s, x);
	if (!is_unit(s, x) || !sn_get_int(n, &count) || count < s->v->loop->extent)
		return NULL;
	const struct sn_expr *first = sn_op2(p, OP_MOD, sn_subst(&s->at_first, x), n);

	require(s, sn_op2(p, OP_LE, first, sn_int(p, count - s->v->loop->extent)));
	return sn_add(p, first, sn_axis_expr(p, s->v->loop->axis));
}

/* What E, an edge's operation, is where no lane is at the edge. */
static const struct sn_expr *
without_edge(struct strip *s, const struct sn_expr *e)
{
	bool has_lane = sn_vec_is_varying(s->v, e->args[0]);
	const struct sn_expr *x = e->args[!has_lane], *other = e->args[has_lane];

	if (sn_vec_is_varying(s->v, other) || e->dtype != DT_I64)
		return NULL;
	return e->op != OP_MOD ? without_clamp(s, e, x, other)
	       : has_lane      ? without_modulo(s, x, other)
			       : NULL;
}

/* Puts the outermost edges of E into S->edges. */
static void
find_edges(struct strip *s, const struct sn_expr *e)
{
	if (e->kind != EX_OP || ++s->nnodes > MAX_NODES || !sn_vec_is_varying(s->v, e))
		return;
	if (e->op == OP_MAX || e->op == OP_MIN || e->op == OP_MOD) {
		const struct sn_expr *x = without_edge(s, e);

		s->is_found |= x != NULL;
		sn_subst_put(&s->edges, e, x ? x : e);
		return;
	}
	for (int i = 0; i < e->nargs; i++)
		find_edges(s, e->args[i]);
}

static void
start(struct strip *s, struct vec *v)
{
	const struct sn_expr *l = sn_axis_expr(v->pool, v->loop->axis);

	*s = (struct strip){ .v = v };
	sn_subst_init(&s->at_first, v->pool, v->scratch);
	sn_subst_init(&s->at_last, v->pool, v->scratch);
	sn_subst_init(&s->edges, v->pool, v->scratch);
	sn_subst_put(&s->at_first, l, sn_int(v->pool, 0));
	sn_subst_put(&s->at_last, l, sn_int(v->pool, v->loop->extent - 1));
}

bool
sn_vec_find_unit(struct vec *v, const struct sn_expr *e, struct unit *out)
{
	struct strip s;

	start(&s, v);
	const struct sn_expr *x = stripped(&s, e);

	if (!s.is_found || s.nnodes > MAX_NODES || !is_unit(&s, x) || sn_is_const(s.condition))
		return false;
	*out = (struct unit){ .first = sn_subst(&s.at_first, x), .condition = s.condition };
	return true;
}

/* ---- conditions ---- */

/* As a number of 32 bits; what is beyond all lanes may be nearer, but on the same side. */
static const struct sn_expr *
lane_limit(struct vec *v, const struct sn_expr *e)
{
	struct sn_pool *p = v->pool;

	e = sn_op2(p, OP_MAX, e, sn_int(p, -1));
	e = sn_op2(p, OP_MIN, e, sn_int(p, v->loop->lanes));
	return sn_splat(p, sn_cast(p, DT_I32, e), v->loop->lanes);
}

/* Can E be negated, and be compared with any number of lanes? */
static bool
is_moderate(const struct sn_expr *e)
{
	int64_t lo, hi;

	sn_bounds(e, &lo, &hi);
	return lo > INT64_MIN / 2 && hi < INT64_MAX / 2;
}

/* a < b, a <= b where b - a = rest + l or rest - l: lanes above -rest, or below rest. */
static void
note_compare(const struct sn_expr *e, void *arg)
{
	struct vec *v = arg;
	struct sn_pool *p = v->pool;
	struct strip s;
	int64_t coef;

	if (e->kind != EX_OP || (e->op != OP_LT && e->op != OP_LE) || e->args[0]->dtype != DT_I64
	    || !is_moderate(e->args[0]) || !is_moderate(e->args[1]))
		return;
	const struct sn_expr *d = sn_sub(p, e->args[1], e->args[0]);

	if (!sn_affine_coef(d, v->loop->axis, &coef) || (coef != 1 && coef != -1))
		return;
	start(&s, v);
	const struct sn_expr *rest = sn_subst(&s.at_first, d);

	if (sn_vec_is_varying(v, rest))
		return;
	union sn_num zero = { .i = 0 };
	const struct sn_expr *lanes = sn_iota(p, sn_const(p, DT_I32, zero), v->loop->lanes);
	const struct sn_expr *limit = lane_limit(v, coef > 0 ? sn_mulk(p, rest, -1) : rest);

	sn_subst_put(&v->values, e,
		     sn_op2(p, (enum sn_scalar_op)e->op, coef > 0 ? limit : lanes,
			    coef > 0 ? lanes : limit));
}

void
sn_vec_narrow_compares(struct vec *v, const struct sn_expr *e)
{
	sn_expr_walk(e, v->scratch, note_compare, v);
}
