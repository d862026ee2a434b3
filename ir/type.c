/*
 * Types of values: counting, comparing, printing.
 */
#include "ir/type.h"

const struct sn_expr *
sn_type_count(struct sn_pool *p, const struct sn_type *t)
{
	const struct sn_expr *n = sn_int(p, 1);
	for (int i = 0; i < t->rank; i++)
		n = sn_mul(p, n, t->dims[i]);
	return n;
}

bool
sn_type_is_known(const struct sn_type *t)
{
	if (t->kind != TY_TENSOR || t->dtype == DT_NONE || t->rank < 0)
		return false;
	for (int i = 0; i < t->rank; i++)
		if (!t->dims[i])
			return false;
	return true;
}

bool
sn_type_is_static(const struct sn_type *t, int64_t *out_count)
{
	int64_t count = 1;
	if (t->kind != TY_TENSOR || t->rank < 0)
		return false;
	for (int i = 0; i < t->rank; i++) {
		int64_t d;
		if (!t->dims[i] || !sn_get_int(t->dims[i], &d) || d < 0
		    || __builtin_mul_overflow(count, d, &count))
			return false;
	}
	if (out_count)
		*out_count = count;
	return true;
}

bool
sn_type_equal(const struct sn_type *a, const struct sn_type *b)
{
	for (; a->kind == b->kind && a->kind != TY_TENSOR; a = a->elem, b = b->elem)
		if (!a->elem || !b->elem)
			return a->elem == b->elem;
	if (a->kind != b->kind || a->dtype != b->dtype || a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dims[i] != b->dims[i])
			return false;
	return true;
}

static void
print_tensor(struct sn_buf *out, const struct sn_type *t)
{
	sn_buf_add(out, sn_dtype_info(t->dtype)->text);
	if (t->rank < 0)
		sn_buf_add(out, "[*]");
	for (int i = 0; i < t->rank; i++) {
		sn_buf_addc(out, i ? ',' : '[');
		if (t->dims[i])
			sn_expr_print(out, t->dims[i]);
		else
			sn_buf_addc(out, '?');
	}
	if (t->rank > 0)
		sn_buf_addc(out, ']');
}

void
sn_type_print(struct sn_buf *out, const struct sn_type *t)
{
	int depth = 0;
	for (; t && t->kind != TY_TENSOR; t = t->elem, depth++)
		sn_buf_add(out, t->kind == TY_SEQUENCE ? "seq(" : "optional(");
	if (t)
		print_tensor(out, t);
	sn_buf_fill(out, ')', (size_t)depth);
}
