/*
 * Index arithmetic: operations on i64.
 */
#include "ir/expr_impl.h"
#include "ir/index.h"

const struct sn_expr *
sn_index_op(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *const *args, int nargs)
{
	(void)p; (void)op; (void)args; (void)nargs;
	return NULL;
}

void
sn_index_set_bounds(struct sn_expr *e)
{
	e->lo = e->kind == EX_CONST ? e->num.i : e->kind == EX_AXIS ? 0 : INT64_MIN;
	e->hi = e->kind == EX_CONST ? e->num.i : INT64_MAX;
}

const struct sn_expr *
sn_add(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op2(p, OP_ADD, a, b);
}

const struct sn_expr *
sn_sub(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op2(p, OP_SUB, a, b);
}

const struct sn_expr *
sn_mul(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b)
{
	return sn_op2(p, OP_MUL, a, b);
}

const struct sn_expr *
sn_addk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_add(p, a, sn_int(p, k));
}

const struct sn_expr *
sn_mulk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_mul(p, a, sn_int(p, k));
}

const struct sn_expr *
sn_divk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_op2(p, OP_FLOORDIV, a, sn_int(p, k));
}

const struct sn_expr *
sn_modk(struct sn_pool *p, const struct sn_expr *a, int64_t k)
{
	return sn_op2(p, OP_MOD, a, sn_int(p, k));
}

void
sn_bounds(const struct sn_expr *e, int64_t *out_lo, int64_t *out_hi)
{
	*out_lo = e->lo;
	*out_hi = e->hi;
}
