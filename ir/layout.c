/*
 * Layouts: making, comparing and printing them, and the offset of an element.
 */
#include "ir/layout.h"

#include <inttypes.h>
#include "ir/lex.h"
#include "ir/tensor.h"

/* Extents, strides and size of L, whose rank, halos and parts are set. */
static void
finish(struct sn_pool *p, struct sn_layout *l, const struct sn_type *t)
{
	const struct sn_expr *stride = sn_int(p, 1);

	l->dtype = t->dtype;
	for (int i = l->nparts - 1; i >= 0; i--) {
		struct sn_layout_part *part = &l->parts[i];
		int k = part->axis;
		const struct sn_expr *e = sn_addk(p, t->dims[k], l->halo_lo[k] + l->halo_hi[k]);
		const struct sn_expr *blocks = sn_divk(p, sn_addk(p, e, part->div - 1), part->div);

		part->stride = stride;
		stride = sn_mul(p, stride, part->mod ? sn_int(p, part->mod) : blocks);
		if (!part->mod)
			l->extent[k] = sn_mulk(p, blocks, part->div);
	}
	l->size = stride;
}

const struct sn_layout *
sn_layout_dense(struct sn_pool *p, const struct sn_type *t)
{
	return sn_layout_blocked(p, t, &(struct sn_layout_blocking){ .block = 1 });
}

const struct sn_layout *
sn_layout_blocked(struct sn_pool *p, const struct sn_type *t, const struct sn_layout_blocking *b)
{
	struct sn_layout *l = SN_NEW(p->arena, struct sn_layout);

	l->rank = l->nparts = t->rank;
	l->has_fill = b->fill != NULL;
	if (b->fill)
		l->fill = *b->fill;
	for (int i = 0; i < t->rank; i++) {
		l->halo_lo[i] = b->halo_lo ? b->halo_lo[i] : 0;
		l->halo_hi[i] = b->halo_hi ? b->halo_hi[i] : 0;
		l->parts[i] = (struct sn_layout_part){ .axis = i, .div = 1 };
	}
	if (b->block > 1) {
		l->parts[b->axis].div = b->block;
		l->parts[l->nparts++] =
			(struct sn_layout_part){ .axis = b->axis, .div = 1, .mod = b->block };
	}
	finish(p, l, t);
	return l;
}

const struct sn_layout *
sn_layout_of_parts(struct sn_pool *p, const struct sn_type *t, const struct sn_layout_part *parts,
		   int n)
{
	struct sn_layout *l = SN_NEW(p->arena, struct sn_layout);

	l->rank = t->rank;
	l->nparts = n;
	for (int i = 0; i < n; i++)
		l->parts[i] = parts[i];
	finish(p, l, t);
	return l;
}

const struct sn_layout *
sn_layout_of(struct sn_pool *p, const struct sn_tensor *t)
{
	return t->layout ? t->layout : sn_layout_dense(p, &t->type);
}

const struct sn_expr *
sn_layout_offset(struct sn_pool *p, const struct sn_layout *l, const struct sn_expr *const *idx)
{
	const struct sn_expr *sum = sn_int(p, 0);

	for (int i = 0; i < l->nparts; i++) {
		const struct sn_layout_part *part = &l->parts[i];
		const struct sn_expr *x = sn_addk(p, idx[part->axis], l->halo_lo[part->axis]);

		x = sn_divk(p, x, part->div);
		if (part->mod)
			x = sn_modk(p, x, part->mod);
		sum = sn_add(p, sum, sn_mul(p, x, part->stride));
	}
	return sum;
}

static bool
is_part_equal(const struct sn_layout_part *a, const struct sn_layout_part *b)
{
	return a->axis == b->axis && a->div == b->div && a->mod == b->mod && a->stride == b->stride;
}

static bool
is_fill_equal(const struct sn_layout *a, const struct sn_layout *b)
{
	return a->has_fill == b->has_fill && (!a->has_fill || a->fill.i == b->fill.i);
}

bool
sn_layout_equal(const struct sn_layout *a, const struct sn_layout *b)
{
	if (a == b)
		return true;
	if (a->rank != b->rank || a->nparts != b->nparts || a->size != b->size
	    || !is_fill_equal(a, b))
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->extent[i] != b->extent[i] || a->halo_lo[i] != b->halo_lo[i]
		    || a->halo_hi[i] != b->halo_hi[i])
			return false;
	for (int i = 0; i < a->nparts; i++)
		if (!is_part_equal(&a->parts[i], &b->parts[i]))
			return false;
	return true;
}

bool
sn_layout_is_dense(struct sn_pool *p, const struct sn_layout *l, const struct sn_type *t)
{
	return sn_layout_equal(l, sn_layout_dense(p, t));
}

/* Row-major by the parts alone: no blocks, no halo, no order of its own. */
static bool
is_plain(const struct sn_layout *l)
{
	if (l->nparts != l->rank || l->has_fill)
		return false;
	for (int i = 0; i < l->rank; i++)
		if (l->parts[i].axis != i || l->parts[i].div != 1 || l->parts[i].mod != 0
		    || l->halo_lo[i] || l->halo_hi[i])
			return false;
	return true;
}

static void
print_part(struct sn_buf *out, const struct sn_layout *l, const struct sn_layout_part *part)
{
	int64_t lo = l->halo_lo[part->axis], hi = l->halo_hi[part->axis];

	sn_buf_addf(out, "%d", part->axis);
	if (part->div != 1)
		sn_buf_addf(out, "/%" PRId64, part->div);
	if (part->mod)
		sn_buf_addf(out, "%%%" PRId64, part->mod);
	if ((lo || hi) && !part->mod) /* once for each axis */
		sn_buf_addf(out, "+%" PRId64 "+%" PRId64, lo, hi);
}

static void
print_fill(struct sn_buf *out, const struct sn_layout *l)
{
	sn_buf_add(out, " fill ");
	if (sn_is_float(l->dtype))
		sn_buf_add_float(out, l->fill.f, l->dtype == DT_F32);
	else
		sn_buf_addf(out, "%" PRId64, l->fill.i);
}

void
sn_layout_print(struct sn_buf *out, const struct sn_layout *l)
{
	if (is_plain(l))
		return;
	for (int i = 0; i < l->nparts; i++) {
		sn_buf_addc(out, i ? ' ' : '{');
		print_part(out, l, &l->parts[i]);
	}
	if (l->has_fill)
		print_fill(out, l);
	sn_buf_addc(out, '}');
}

/* ---- parsing ---- */

/* "1/16", "1%16", "2+1+1"; the axis has not been read. */
static bool
parse_part(struct sn_lex *x, struct sn_layout *l)
{
	struct sn_layout_part part = { .div = 1 };
	int64_t axis;

	if (l->nparts == SN_MAX_PARTS)
		return sn_lex_expected(x, "'}'");
	if (!sn_lex_int(x, "an axis", &axis))
		return false;
	if (axis < 0 || axis >= l->rank)
		return sn_lex_expected(x, "an axis of the tensor");
	part.axis = (int)axis;
	if (sn_lex_take(x, "/") && !sn_lex_int(x, "a block", &part.div))
		return false;
	if (sn_lex_take(x, "%") && !sn_lex_int(x, "a block", &part.mod))
		return false;
	if (part.div < 1 || part.mod < 0)
		return sn_lex_expected(x, "a positive block");
	l->parts[l->nparts++] = part;
	if (!sn_lex_take(x, "+"))
		return true;
	return sn_lex_int(x, "a halo", &l->halo_lo[axis]) && sn_lex_expect(x, "+")
	       && sn_lex_int(x, "a halo", &l->halo_hi[axis]);
}

static bool
parse_fill(struct sn_lex *x, struct sn_layout *l, enum sn_dtype t)
{
	double f = 0;
	int64_t i = 0;

	l->has_fill = true;
	if (sn_is_float(t) ? !sn_lex_number(x, "a number", &f) : !sn_lex_int(x, "an integer", &i))
		return false;
	if (sn_is_float(t))
		l->fill.f = f;
	else
		l->fill.i = i;
	return true;
}

/* Each axis has one part without remainder, and the others are its digits without a gap. */
static bool
is_complete(const struct sn_layout *l)
{
	for (int k = 0; k < l->rank; k++) {
		int64_t next = 1, outer = 0;

		for (int i = l->nparts - 1; i >= 0; i--) {
			const struct sn_layout_part *part = &l->parts[i];

			if (part->axis != k)
				continue;
			if (part->div != next || outer || part->mod > INT32_MAX || next > INT32_MAX)
				return false;
			outer = part->mod == 0;
			next *= part->mod;
		}
		if (!outer || l->halo_lo[k] < 0 || l->halo_hi[k] < 0 || l->halo_lo[k] > INT32_MAX
		    || l->halo_hi[k] > INT32_MAX)
			return false;
	}
	return true;
}

const struct sn_layout *
sn_layout_parse(struct sn_lex *x, struct sn_pool *p, const struct sn_type *t)
{
	struct sn_layout *l = SN_NEW(p->arena, struct sn_layout);

	l->rank = t->rank;
	if (!sn_lex_expect(x, "{"))
		return NULL;
	while (!sn_lex_is(x, "}") && !sn_lex_is(x, "fill"))
		if (!parse_part(x, l))
			return NULL;
	if (sn_lex_take(x, "fill") && !parse_fill(x, l, t->dtype))
		return NULL;
	if (!sn_lex_expect(x, "}"))
		return NULL;
	if (!is_complete(l)) {
		sn_lex_expected(x, "a layout that places every element once");
		return NULL;
	}
	finish(p, l, t);
	return l;
}
