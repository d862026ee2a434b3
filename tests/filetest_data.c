/* Seeded data for the interpreters: the same numbers in every run and on every machine. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/filetest_data.h"

struct ft_random
ft_random_start(const char *name)
{
	return (struct ft_random){ sn_hash(0, name, strlen(name)) };
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t
ft_random_next(struct ft_random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* "0..3" after "range=" in the settings: what integers may be. */
static void
integer_range(const struct ft_run *r, enum sn_dtype t, int64_t *lo, int64_t *hi)
{
	bool is_signed = sn_dtype_info(t)->kind == 'I';
	int bits = sn_dtype_info(t)->bits;
	*hi = bits < 4 ? 1 : 7;
	*lo = !is_signed ? 0 : -*hi - 1;
	const char *range = ft_setting(r, "range", NULL);
	if (!range)
		return;
	char *end;
	*lo = strtoll(range, &end, 10);
	*hi = strncmp(end, "..", 2) == 0 ? strtoll(end + 2, NULL, 10) : *lo;
}

static union sn_num
random_number(struct ft_random *random, enum sn_dtype t, int64_t lo, int64_t hi)
{
	uint64_t bits = ft_random_next(random);
	switch (sn_dtype_info(t)->kind) {
	case 'F': return (union sn_num){ .f = (double)(bits >> 11) * 0x1p-52 - 1.0 };
	case 'B': return (union sn_num){ .i = (int64_t)(bits & 1) };
	default: return (union sn_num){ .i = lo + (int64_t)(bits % (uint64_t)(hi - lo + 1)) };
	}
}

void
ft_fill(const struct ft_run *r, const char *name, enum sn_dtype t, void *bytes, size_t n)
{
	struct ft_random random = ft_random_start(name);
	int64_t lo, hi;
	integer_range(r, t, &lo, &hi);
	for (size_t i = 0; i < n; i++)
		sn_dtype_store(t, bytes, i, random_number(&random, t, lo, hi));
}

/* 3, 5, 7, ... unless set, within the bounds of the symbol. */
static int64_t
symbol_value(const struct ft_run *r, const struct sn_sym *s)
{
	const char *text = ft_setting(r, s->name, NULL);
	int64_t value = text ? strtoll(text, NULL, 10) : 3 + 2 * (int64_t)s->id;
	return value < s->lo ? s->lo : value > s->hi ? s->hi : value;
}

const int64_t *
ft_symbols(const struct ft_run *r)
{
	int64_t *values = SN_NEW_ARRAY(r->arena, (size_t)r->pool->nsyms + 1, int64_t);
	for (int i = 0; i < r->pool->nsyms; i++)
		values[r->pool->syms[i]->id] = symbol_value(r, r->pool->syms[i]);
	return values;
}

void
ft_print_values(struct sn_buf *out, const char *name, enum sn_dtype t, const void *bytes, size_t n)
{
	sn_buf_addf(out, "%s =", name);
	for (size_t i = 0; i < n && i < 64; i++) {
		union sn_num x = sn_dtype_load(t, bytes, i);
		sn_buf_addc(out, ' ');
		if (sn_is_float(t))
			sn_buf_add_float(out, x.f, t != DT_F64);
		else
			sn_buf_addf(out, "%lld", (long long)x.i);
	}
	sn_buf_add(out, n > 64 ? " ...\n" : "\n");
}

/* The number that E is with those values of the symbols; -1 if it is none. */
int64_t
ft_number(const struct ft_run *r, const struct sn_expr *e, const int64_t *syms)
{
	struct sn_subst s;
	sn_subst_init(&s, r->pool, r->arena);
	for (int i = 0; i < r->pool->nsyms; i++)
		sn_subst_put(&s, sn_sym_expr(r->pool, r->pool->syms[i]), sn_int(r->pool, syms[i]));
	const struct sn_expr *value = sn_subst(&s, e);
	return sn_is_const(value) ? value->num.i : -1;
}

static double
largest(const struct ft_pair *p)
{
	double most = 0;
	for (size_t i = 0; i < p->n; i++) {
		double x = fabs(sn_dtype_load(p->dtype, p->want, i).f);
		if (isfinite(x) && x > most)
			most = x;
	}
	return most;
}

static bool
is_close(double want, double got, double bound)
{
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (isinf(want) || isinf(got) || bound == 0)
		return want == got && signbit(want) == signbit(got);
	return fabs(want - got) <= bound;
}

bool
ft_compare(struct ft_run *r, const struct ft_pair *p, double tolerance)
{
	bool is_float = sn_is_float(p->dtype);
	double bound = is_float && tolerance > 0 ? tolerance * largest(p) : 0;
	for (size_t i = 0; i < p->n; i++) {
		union sn_num want = sn_dtype_load(p->dtype, p->want, i);
		union sn_num got = sn_dtype_load(p->dtype, p->got, i);
		if (is_float && !is_close(want.f, got.f, bound))
			return ft_fail(r, "'%s'[%zu] is %.9g, not %.9g (may differ by %g)", p->name,
				       i, got.f, want.f, bound);
		if (!is_float && want.i != got.i)
			return ft_fail(r, "'%s'[%zu] is %lld, not %lld", p->name, i,
				       (long long)got.i, (long long)want.i);
	}
	return true;
}
