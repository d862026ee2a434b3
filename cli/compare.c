/* Element by element: absolute, relative, and in units in the last place. */
#include <math.h>
#include <string.h>
#include "cli/compare.h"

/* Bits of the mantissa, 0 if there is no ULP to speak of. */
static int
mantissa_bits(enum sn_dtype t)
{
	static const struct {
		enum sn_dtype t;
		int bits, least;
	} rows[] = { { DT_F64, 52, 0 }, { DT_F32, 23, 0 }, { DT_F16, 10, 0 }, { DT_BF16, 7, 0 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].t == t)
			return rows[i].bits;
	return 0;
}

/* The distance of neighbours at X: of normal numbers. */
static double
ulp_at(double x, enum sn_dtype t)
{
	static const struct {
		enum sn_dtype t;
		int exponent;
	} least[] = { { DT_F64, -1022 }, { DT_F32, -126 }, { DT_F16, -14 }, { DT_BF16, -126 } };
	int e = x == 0 ? -2000 : ilogb(x);
	for (size_t i = 0; i < ARRAY_LEN(least); i++)
		if (least[i].t == t && e < least[i].exponent)
			e = least[i].exponent;
	return ldexp(1, e - mantissa_bits(t));
}

static double
number(const struct value *v, size_t i)
{
	union sn_num x = sn_dtype_load(v->dtype, v->data, i);
	if (sn_is_float(v->dtype))
		return x.f;
	return v->dtype == DT_U64 ? (double)(uint64_t)x.i : (double)x.i;
}

/* Integers beyond 2^53 differ although their doubles don't. */
static bool
is_same(const struct value *a, const struct value *b, size_t i)
{
	union sn_num x = sn_dtype_load(a->dtype, a->data, i),
		     y = sn_dtype_load(b->dtype, b->data, i);
	if (sn_is_float(a->dtype))
		return x.f == y.f || (isnan(x.f) && isnan(y.f));
	return x.i == y.i;
}

static double
largest(const struct value *v)
{
	double m = 0;
	for (size_t i = 0; i < v->n; i++) {
		double x = fabs(number(v, i));
		if (isfinite(x) && x > m)
			m = x;
	}
	return m;
}

static void
count_wrong(struct difference *d, size_t i)
{
	if (d->nwrong++ == 0)
		d->first = i;
}

struct difference
compare_values(const struct value *have, const struct value *want, const struct tolerance *t)
{
	struct difference d = { .has_ulp = mantissa_bits(want->dtype) > 0 };
	double scale = t->is_by_magnitude ? largest(want) : 0;
	for (size_t i = 0; i < want->n; i++) {
		if (is_same(have, want, i))
			continue;
		double h = number(have, i), w = number(want, i), e = fabs(h - w);
		if (!isfinite(h) || !isfinite(w)) {
			count_wrong(&d, i);
			continue;
		}
		d.max_abs = fmax(d.max_abs, e);
		if (w != 0)
			d.max_rel = fmax(d.max_rel, e / fabs(w));
		if (d.has_ulp)
			d.max_ulp = fmax(d.max_ulp, e / ulp_at(w, want->dtype));
		if (!(e <= t->atol + t->rtol * (t->is_by_magnitude ? scale : fabs(w))))
			count_wrong(&d, i);
	}
	return d;
}

const char *
index_text(struct sn_arena *a, const struct value *v, size_t i)
{
	struct sn_buf b;
	size_t stride = v->n;
	sn_buf_init(&b, a);
	sn_buf_add(&b, "[");
	for (int d = 0; d < v->rank; d++) {
		stride /= (size_t)v->dims[d];
		sn_buf_addf(&b, "%s%zu", d ? ", " : "", i / stride);
		i %= stride;
	}
	sn_buf_add(&b, "]");
	return b.text;
}

const char *
element_text(struct sn_arena *a, const struct value *v, size_t i)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	if (sn_is_float(v->dtype))
		sn_buf_add_float(&b, number(v, i), v->dtype != DT_F64);
	else
		sn_buf_addf(&b, "%lld", (long long)sn_dtype_load(v->dtype, v->data, i).i);
	return b.text;
}
