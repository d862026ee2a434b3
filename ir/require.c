/*
 * Requirements on run-time sizes: noting, evaluating, text.
 */
#include "ir/require.h"

bool
sn_require(struct sn_requires *r, struct sn_arena *a, const struct sn_expr *cond,
	   const struct sn_origin *origin)
{
	if (sn_is_const(cond))
		return cond->num.i != 0;
	for (size_t i = 0; i < r->list.n; i++)
		if (r->list.v[i].cond == cond)
			return true;
	SN_PUSH(a, &r->list, (struct sn_require){ cond, origin });
	return true;
}

bool
sn_expr_value(const struct sn_expr *e, const int64_t *syms, union sn_num *out)
{
	union sn_num x[3];
	if (e->kind == EX_CONST) {
		*out = e->num;
		return true;
	}
	if (e->kind == EX_SYM && syms) {
		out->i = syms[e->sym->id];
		return true;
	}
	if (e->kind != EX_OP || e->nargs > 3 || e->lanes > 1)
		return false;
	for (int i = 0; i < e->nargs; i++)
		if (!sn_expr_value(e->args[i], syms, &x[i]))
			return false;
	const struct sn_expr *typed = e->args[e->op == OP_SELECT ? 1 : 0];
	*out = sn_scalar_eval((enum sn_scalar_op)e->op, (enum sn_dtype)typed->dtype,
			      (enum sn_dtype)e->dtype, x);
	return true;
}

const struct sn_require *
sn_requires_broken(const struct sn_requires *r, const int64_t *syms)
{
	for (size_t i = 0; i < r->list.n; i++) {
		union sn_num holds;
		if (!sn_expr_value(r->list.v[i].cond, syms, &holds) || !holds.i)
			return &r->list.v[i];
	}
	return NULL;
}

/* ---- text ---- */

const char *
sn_require_text(struct sn_arena *a, const struct sn_require *r)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_expr_print(&b, r->cond);
	return b.text;
}

void
sn_requires_print(struct sn_buf *out, const struct sn_requires *r, int depth, const char *file)
{
	for (size_t i = 0; i < r->list.n; i++) {
		sn_buf_fill(out, '\t', (size_t)depth);
		sn_buf_add(out, "require ");
		sn_expr_print(out, r->list.v[i].cond);
		sn_origin_print_text(out, r->list.v[i].origin, file);
		sn_buf_addc(out, '\n');
	}
}

bool
sn_require_parse(struct sn_lex *x, struct sn_arena *a, struct sn_pool *p,
		 const struct sn_sym_scope *syms, const char *file, struct sn_requires *out)
{
	struct sn_require r = { 0 };
	sn_lex_next(x);
	struct sn_lex mark = *x;
	r.cond = sn_expr_parse(x, p, &syms->exprs);
	if (!r.cond)
		return false;
	if (r.cond->dtype != DT_BOOL) {
		sn_lex_back(x, &mark);
		return sn_lex_expected(x, "a condition");
	}
	if (!sn_origin_parse(x, a, file, &r.origin))
		return false;
	if (!sn_is_int_const(r.cond, 1))
		SN_PUSH(a, &out->list, r);
	return true;
}

void
sn_sym_list_add_requires(struct sn_sym_list *l, const struct sn_requires *r)
{
	for (size_t i = 0; i < r->list.n; i++)
		sn_sym_list_add(l, r->list.v[i].cond);
}
