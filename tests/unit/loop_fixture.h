/*
 * For tests of loop-level passes: parse, print, and compare what a function computes before and after.
 */
#ifndef TESTS_LOOP_FIXTURE_H
#define TESTS_LOOP_FIXTURE_H

#include <stdio.h>
#include <string.h>
#include "ir/loop.h"

struct fixture {
	struct sn_pool pool;
	struct sn_diags diags;
};

static inline void
show_diags(struct sn_arena *a, const struct fixture *x)
{
	struct sn_buf b;

	sn_buf_init(&b, a);
	sn_diags_print(&x->diags, &b);
	if (b.len)
		print_message("%s", b.text);
}

static inline struct sn_func *
parse(struct sn_arena *a, struct fixture *x, const char *text)
{
	sn_pool_init(&x->pool, a);
	sn_diags_init(&x->diags, a);
	struct sn_func *f = sn_func_parse(text, "test.sn", a, &x->pool, &x->diags);

	show_diags(a, x);
	return f;
}

static inline const char *
print(struct sn_arena *a, const struct sn_func *f)
{
	struct sn_buf b;

	sn_buf_init(&b, a);
	sn_func_print(&b, f);
	return b.text;
}

enum { FIXTURE_COUNT = 256 };

/* Runs F on made-up numbers; OUT is its last parameter, f32. */
static inline bool
run_func(struct sn_arena *a, struct fixture *x, const struct sn_func *f, float *out)
{
	void *args[8];
	size_t counts[8];
	int64_t syms[8] = { 3, 3, 3, 3, 3, 3, 3, 3 };
	size_t n = f->params.n;

	for (size_t i = 0; i < n; i++) {
		double *bytes = SN_NEW_ARRAY(a, FIXTURE_COUNT, double);

		for (int k = 0; k < FIXTURE_COUNT; k++)
			sn_dtype_store(f->params.v[i]->dtype, bytes, (size_t)k,
				       sn_is_float(f->params.v[i]->dtype)
					       ? (union sn_num){ .f = (k * 37 % 101) / 8.0 - 5 }
					       : (union sn_num){ .i = k * 5 % 19 });
		args[i] = bytes;
		counts[i] = FIXTURE_COUNT;
	}
	memset(out, 0, sizeof(*out) * FIXTURE_COUNT);
	args[n - 1] = out;
	return sn_func_interp(f, &(struct sn_func_run){ args, counts, NULL, syms, false }, a,
			      &x->diags);
}

/* PASS must turn TEXT into WANT (NULL: anything), which must compute the same bits. */
static inline void
expect(struct sn_arena *a, bool (*pass)(struct sn_func *f, struct sn_arena *scratch),
       const char *text, const char *want)
{
	struct fixture x;
	float before[FIXTURE_COUNT], after[FIXTURE_COUNT];
	struct sn_func *f = parse(a, &x, text);

	assert_non_null(f);
	assert_true(run_func(a, &x, f, before));
	assert_true(sn_func_verify(f, &x.diags));
	pass(f, a);
	bool is_legal = sn_func_verify(f, &x.diags);

	show_diags(a, &x);
	assert_true(is_legal);
	const char *got = print(a, f);

	if (want)
		assert_string_equal(got, want);
	struct fixture again;
	struct sn_func *g = parse(a, &again, got);

	assert_non_null(g);
	assert_string_equal(print(a, g), got);
	bool is_good = run_func(a, &again, g, after);

	show_diags(a, &again);
	assert_true(is_good);
	assert_memory_equal(before, after, sizeof(before));
}

#endif
