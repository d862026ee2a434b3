/* The tile schedule's view of vectors: how many lanes there are, and how accesses move with them. */
#include "passes/tile.h"
#include "ir/index.h"

/* Doubles on the way count as well: gcc 12 takes some of two registers for an error of its own. */
int64_t
tile_lanes(const struct sn_sched_ctx *c, const struct sn_comp *m)
{
	int bits = 32;
	for (int i = 0; i < m->nresults; i++) {
		int b = sn_dtype_info(m->results[i].tensor->type.dtype)->bits;
		bits = b > bits ? b : bits;
	}
	if (bits < 64 && sn_comp_has_dtype(m, DT_F64, c->scratch))
		bits = 64;
	return c->module->has_vectors ? sn_target_lanes(c->target, bits / 8) : 1;
}

int
tile_plain_dim(struct sn_pool *p, const struct sn_tensor *t, const struct sn_expr *const *idx,
	       const struct sn_axis *axis)
{
	const struct sn_expr *e = sn_axis_expr(p, axis);
	int dim = -1;
	for (int d = 0; d < t->type.rank; d++) {
		if (idx[d] == e && dim < 0)
			dim = d;
		else if (sn_expr_has_axis(idx[d], axis))
			return -1;
	}
	return dim;
}

/* E with axis V replaced by o*LANES + l, fresh o and l. */
static const struct sn_expr *
split_axis(struct sn_sched_ctx *c, const struct sn_expr *e, const struct sn_axis *v, int64_t lanes,
	   const struct sn_axis *o, const struct sn_axis *l)
{
	struct sn_subst s;
	sn_subst_init(&s, c->pool, c->scratch);
	sn_subst_put(&s, sn_axis_expr(c->pool, v),
		     sn_add(c->pool, sn_mulk(c->pool, sn_axis_expr(c->pool, o), lanes),
			    sn_axis_expr(c->pool, l)));
	return sn_subst(&s, e);
}

bool
tile_mentions(const struct sn_tensor *t, const struct sn_expr *const *idx, const struct sn_axis *v)
{
	for (int d = 0; d < t->type.rank; d++)
		if (sn_expr_has_axis(idx[d], v))
			return true;
	return false;
}

enum lane_use
tile_lane_use(struct sn_sched_ctx *c, const struct sn_tensor *t, const struct sn_expr *const *idx,
	      const struct sn_axis *vec, int64_t lanes)
{
	if (!tile_mentions(t, idx, vec))
		return LANE_SAME;
	if (t->role == TR_CONST && tile_plain_dim(c->pool, t, idx, vec) >= 0)
		return LANE_UNIT;
	const struct sn_expr *groups = sn_divk(c->pool, sn_addk(c->pool, vec->extent, lanes - 1),
					       lanes);
	const struct sn_axis *o = sn_axis_new(c->pool, "o", groups);
	const struct sn_axis *l = sn_axis_new(c->pool, "l", sn_int(c->pool, lanes));
	const struct sn_expr *off = sn_layout_offset(c->pool, sn_layout_of(c->pool, t), idx);
	int64_t coef;
	if (!sn_affine_coef(split_axis(c, off, vec, lanes, o, l), l, &coef))
		return LANE_OTHER;
	return coef == 0 ? LANE_SAME : coef == 1 ? LANE_UNIT : LANE_OTHER;
}
