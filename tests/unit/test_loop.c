/*
 * Loop level: the builder, the text form, equality, the interpreter and what its shadow memory finds.
 */
#include "tests/unit/unit.h"
#include <string.h>
#include "ir/loop.h"
#include "ir/tensor.h"
#include "tests/unit/loop_fixture.h"

static const char dot_text[] = "func dot(const f32 x[64], const f32 w[64], f32 y[1]) {\n"
			       "\talloc reg f32 acc[16]\n"
			       "\tvector l < 16 {\n"
			       "\t\tacc[l] = 0.0\n"
			       "\t}\n"
			       "\tserial k < 4 {\n"
			       "\t\tvector l < 16 {\n"
			       "\t\t\tload a = x[16*k+l]\n"
			       "\t\t\tload b = w[16*k+l]\n"
			       "\t\t\tload c = acc[l]\n"
			       "\t\t\tacc[l] = mac(a, b, c)\n"
			       "\t\t}\n"
			       "\t}\n"
			       "\tload acc_1 = acc[0 : 16]\n"
			       "\ty[0] = lane_sum(acc_1)\n"
			       "}\n";

static void
test_text_round_trip(void **state)
{
	static const char *const texts[] = {
		dot_text,
		"func \"odd name\"[N in 1..64, M in 0..*](const u8 x[M*N], f32 y[M] alias align 64) {\n"
		"\tparallel i < M {\n"
		"\t\tlet t = 2*i+N\n"
		"\t\tif i < 3 {\n"
		"\t\t\tload v = x[i : 16 active 5]\n"
		"\t\t\ty[t : 16] = f32(v)\n"
		"\t\t} else {\n"
		"\t\t\ty[i : 16 active 3] = 1.5\n"
		"\t\t\tbarrier\n"
		"\t\t}\n"
		"\t}\n"
		"\tgrid g < 4 {\n"
		"\t\talloc shared f32 s[]\n"
		"\t\titem t < 8 {\n"
		"\t\t\ts[] = f32(t)\n"
		"\t\t}\n"
		"\t}\n"
		"}\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct fixture x;
		struct sn_func *f = parse(*state, &x, texts[i]);

		assert_non_null(f);
		assert_string_equal(print(*state, f), texts[i]);
	}
}

static void
test_names_are_made_unique(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	struct sn_func *f = sn_func_new(*state, &p, "k");
	struct sn_buffer *y = sn_func_param(f, "y", DT_F32, sn_int(&p, 4), false);
	struct sn_builder b;

	sn_builder_init(&b, f);
	const struct sn_expr *i = sn_at_for(&b, LK_SERIAL, "i", sn_int(&p, 4));
	const struct sn_expr *j = sn_at_for(&b, LK_SERIAL, "i", sn_int(&p, 1));
	const struct sn_expr *v = sn_at_let(&b, "y", sn_float(&p, DT_F32, 2));
	const struct sn_expr *at = sn_add(&p, i, j);

	sn_at_store(&b, y, &at, sn_at_let(&b, "i", sn_op2(&p, OP_ADD, v, v)));
	sn_at_end(&b);
	sn_at_end(&b);
	assert_string_equal(print(*state, f), "func k(f32 y[4]) {\n"
					      "\tserial i < 4 {\n"
					      "\t\tlet y_1 = 2.0\n"
					      "\t\tlet i_1 = y_1 + y_1\n"
					      "\t\ty[i] = i_1\n"
					      "\t}\n"
					      "}\n");
}

static void
test_errors_in_text(void **state)
{
	static const char *const texts[] = {
		"func k(f32 y[4]) { z[0] = 1.0 }",
		"func k(f32 y[4]) { serial i < 4 { } y[i] = 1.0 }",
		"func k(f32 y[4]) { alloc reg f32 y[4] }",
		"func k(f32 y[4]) { y[0, 1] = 1.0 }",
		"func k(f33 y[4]) { }",
		"func k(f32 y[4]) { serial i < 4 {",
		"func k(f32 y[4]) { load v = y[0 : 4] y[0 : 8] = v }",
		"func k(f32 y[4]) { serial i < 1.5 { } }",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct sn_pool p;
		struct sn_diags d;

		sn_pool_init(&p, *state);
		sn_diags_init(&d, *state);
		assert_null(sn_func_parse(texts[i], "test.sn", *state, &p, &d));
		assert_int_equal(d.errors, 1);
	}
}

static void
test_equal(void **state)
{
	struct fixture x, z, u;
	struct sn_func *f = parse(*state, &x, dot_text);
	char *other = sn_strdup(*state, dot_text), *sign;

	memcpy(strstr(other, "dot"), "sum", 3);
	for (sign = other; (sign = strstr(sign, "acc_1")); sign++)
		memcpy(sign, "other", 5);
	struct sn_func *g = parse(*state, &z, other);

	assert_true(sn_func_equal(f, g));
	assert_true(sn_func_hash(f) == sn_func_hash(g));
	memcpy(strstr(other, "k < 4"), "k < 3", 5);
	struct sn_func *h = parse(*state, &u, other);

	assert_false(sn_func_equal(f, h));
	assert_true(sn_func_hash(f) != sn_func_hash(h));
}

/* ---- running ---- */

enum { N = 64 };
static bool
run(struct sn_arena *a, struct fixture *x, const struct sn_func *f, float *y, size_t ny)
{
	static float in[2][N];
	void *args[3] = { in[0], in[1], y };
	size_t counts[3] = { N, N, ny };
	int64_t syms[1] = { 5 };
	struct sn_func_run r = { .args = args, .counts = counts, .syms = syms };

	for (int i = 0; i < N; i++) {
		in[0][i] = (float)i;
		in[1][i] = i % 2 ? 0.5f : -0.25f;
	}
	args[f->params.n - 1] = y;
	counts[f->params.n - 1] = ny;
	return sn_func_interp(f, &r, a, &x->diags);
}

static void
test_interp_computes(void **state)
{
	struct fixture x;
	struct sn_func *f = parse(*state, &x, dot_text);
	float y = 0;

	assert_true(run(*state, &x, f, &y, 1));
	assert_true(y == 32 * 32 * 0.5f - 31 * 32 * 0.25f);
}

/* Runs TEXT, which must report exactly ID, at line LINE (0: nothing). */
static void
expect_fault(struct sn_arena *a, const char *text, enum sn_diag_id id, int line)
{
	struct fixture x;
	struct sn_func *f = parse(a, &x, text);
	float y[N] = { 0 };

	assert_non_null(f);
	bool is_good = run(a, &x, f, y, N);

	assert_int_equal(is_good, line == 0);
	assert_int_equal(x.diags.errors, line != 0);
	if (line) {
		assert_int_equal(x.diags.list.v[0].id, id);
		assert_int_equal(x.diags.list.v[0].where.line, line);
	}
}

static void
test_out_of_bounds(void **state)
{
	const char *good = "func k(const f32 x[64], f32 y[64]) {\n"
			   "\tserial i < 63 {\n"
			   "\t\tload a = x[i+1]\n"
			   "\t\ty[i] = a\n"
			   "\t}\n"
			   "}\n";

	expect_fault(*state, good, 0, 0);
	char *bad = sn_strdup(*state, good);

	memcpy(strstr(bad, "63"), "64", 2);
	expect_fault(*state, bad, DG_RUN_BOUNDS, 3);
	expect_fault(*state, "func k(f32 y[64]) {\n\ty[56 : 16] = 1.0\n}", DG_RUN_BOUNDS, 2);
	expect_fault(*state, "func k(f32 y[64]) {\n\ty[56 : 16 active 8] = 1.0\n}", 0, 0);
	expect_fault(*state, "func k(f32 y[64]) {\n\talloc reg f32 s[2, 4]\n\ts[1, 4] = 0.0\n}",
		     DG_RUN_BOUNDS, 3);
}

static void
test_uninitialised(void **state)
{
	expect_fault(*state, "func k(f32 y[64]) {\n\tload a = y[0]\n\ty[1] = a\n}", DG_RUN_UNINIT,
		     2);
	/* each iteration gets the buffer without values */
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\tserial i < 2 {\n"
		     "\t\talloc reg f32 s[1]\n"
		     "\t\tif i == 0 {\n"
		     "\t\t\ts[0] = 1.0\n"
		     "\t\t}\n"
		     "\t\tload a = s[0]\n"
		     "\t\ty[i] = a\n"
		     "\t}\n"
		     "}\n",
		     DG_RUN_UNINIT, 7);
}

static void
test_race(void **state)
{
	/* two iterations store one element */
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\tparallel i < 4 {\n"
		     "\t\ty[i//2] = 1.0\n"
		     "\t}\n"
		     "}\n",
		     DG_RUN_RACE, 3);
	/* one loads what another stores */
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\tserial i < 4 {\n\t\ty[i] = 0.0\n\t}\n"
		     "\tvector i < 3 {\n"
		     "\t\tload a = y[i+1]\n"
		     "\t\ty[i] = a\n"
		     "\t}\n"
		     "}\n",
		     DG_RUN_RACE, 7);
	/* a shared accumulator, loaded by an inner loop */
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\talloc stack f32 s[1]\n"
		     "\ts[0] = 0.0\n"
		     "\tparallel i < 2 {\n"
		     "\t\tparallel j < 2 {\n"
		     "\t\t\tload a = s[0]\n"
		     "\t\t\ty[i*2+j] = a\n"
		     "\t\t}\n"
		     "\t\tif i == 1 {\n"
		     "\t\t\ts[0] = 1.0\n"
		     "\t\t}\n"
		     "\t}\n"
		     "}\n",
		     DG_RUN_RACE, 10);
	/* the same places in one iteration, or one loop after the other, are no race */
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\tparallel i < 4 {\n"
		     "\t\ty[i] = 0.0\n\t\tload a = y[i]\n\t\ty[i] = a + 1.0\n"
		     "\t}\n"
		     "\tparallel i < 4 {\n"
		     "\t\tload a = y[3-i]\n\t\ty[3-i] = a\n"
		     "\t}\n"
		     "}\n",
		     0, 0);
}

static const char items_text[] = "func k(f32 y[64]) {\n"
				 "\tgrid g < 2 {\n"
				 "\t\talloc shared f32 s[8]\n"
				 "\t\titem t < 8 {\n"
				 "\t\t\tlet own = f32(t)\n"
				 "\t\t\tserial k < 2 {\n"
				 "\t\t\t\ts[t] = own\n"
				 "\t\t\t\tbarrier\n"
				 "\t\t\t\tload a = s[7-t]\n"
				 "\t\t\t\ty[8*g+16*k+t] = a\n"
				 "\t\t\t\tbarrier\n"
				 "\t\t\t}\n"
				 "\t\t}\n"
				 "\t}\n"
				 "}\n";

static void
test_items_meet_at_barriers(void **state)
{
	struct fixture x;
	struct sn_func *f = parse(*state, &x, items_text);
	float y[N];

	assert_non_null(f);
	assert_true(run(*state, &x, f, y, N));
	for (int i = 0; i < 32; i++)
		assert_true(y[i] == (float)(7 - i % 8));
}

static void
test_missing_barrier(void **state)
{
	/* without the second barrier a fast item overwrites what a slow one is still to load */
	char *text = sn_strdup(*state, items_text),
	     *second = strstr(strstr(text, "barrier") + 1, "barrier");

	memset(second, ' ', strlen("barrier"));
	expect_fault(*state, text, DG_RUN_RACE, 7);
}

static void
test_divergent_barrier(void **state)
{
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\titem t < 8 {\n"
		     "\t\ty[t] = 0.0\n"
		     "\t\tif t < 4 {\n"
		     "\t\t\tbarrier\n"
		     "\t\t}\n"
		     "\t}\n"
		     "}\n",
		     DG_RUN_DIVERGENT, 4);
	expect_fault(*state,
		     "func k(f32 y[64]) {\n"
		     "\titem t < 8 {\n"
		     "\t\tserial k < t {\n"
		     "\t\t\tbarrier\n"
		     "\t\t}\n"
		     "\t}\n"
		     "}\n",
		     DG_RUN_DIVERGENT, 3);
}

static void
test_verifier(void **state)
{
	static const struct {
		const char *body;
		enum sn_diag_id id;
		int line;
	} cases[] = {
		{ "y[0] = 1.0", 0, 0 },
		{ "x[0] = 1.0", DG_LOOP_ILLEGAL, 2 },
		{ "y[0] = u8(1)", DG_LOOP_TYPE, 2 },
		{ "alloc global f32 s[2]", DG_LOOP_ILLEGAL, 2 },
		{ "alloc reg f32 s[0]", DG_LOOP_ILLEGAL, 2 },
		{ "alloc reg f32x4 s[2]\ny[0 : 8] = 1.0\ns[0 : 8] = 1.0", DG_LOOP_ILLEGAL, 4 },
		{ "barrier", DG_LOOP_ILLEGAL, 2 },
		{ "item t < 4 { barrier }", 0, 0 },
		{ "item t < 4 { if t < 2 { barrier } }", DG_LOOP_ILLEGAL, 4 },
		{ "item t < 4 {\nload a = y[0]\nif a < 0.0 {\nbarrier } }", DG_LOOP_ILLEGAL, 5 },
		{ "item t < 4 {\nload a = x[0]\nif a < 0.0 {\nbarrier } }", 0, 0 },
		{ "item t < 4 { alloc shared f32 s[2] }", DG_LOOP_ILLEGAL, 3 },
		{ "if 1 { }", DG_LOOP_TYPE, 2 },
		{ "y[0] = lane_sum(splat_128(1.0))", DG_LOOP_ILLEGAL, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture x;
		struct sn_func *f = parse(*state, &x,
					  sn_printf(*state,
						    "func k(const f32 x[64], f32 y[64]) {\n%s\n}",
						    cases[i].body));

		assert_non_null(f);
		assert_int_equal(sn_func_verify(f, &x.diags), cases[i].line == 0);
		assert_int_equal(x.diags.errors, cases[i].line != 0);
		if (cases[i].line) {
			assert_int_equal(x.diags.list.v[0].id, cases[i].id);
			assert_int_equal(x.diags.list.v[0].where.line, cases[i].line);
		}
	}
}

static void
test_verifier_scopes(void **state)
{
	struct sn_pool p;
	struct sn_diags d;
	struct sn_builder b;

	sn_pool_init(&p, *state);
	sn_diags_init(&d, *state);
	struct sn_func *f = sn_func_new(*state, &p, "k");
	struct sn_buffer *y = sn_func_param(f, "y", DT_F32, sn_int(&p, 4), false);
	const struct sn_expr *n = sn_sym_expr(&p, sn_sym_new(&p, "N", 1, 9));

	sn_builder_init(&b, f);
	const struct sn_expr *i = sn_at_for(&b, LK_SERIAL, "i", n);

	sn_at_end(&b);
	sn_at_store(&b, y, &i, sn_float(&p, DT_F32, 1));
	assert_false(sn_func_verify(f, &d));
	assert_int_equal(d.errors, 2);
	assert_int_equal(d.list.v[0].id, DG_LOOP_SCOPE);
	assert_int_equal(d.list.v[0].where.line, 2);
	assert_int_equal(d.list.v[1].where.line, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_text_round_trip),
		UNIT_TEST(test_names_are_made_unique),
		UNIT_TEST(test_errors_in_text),
		UNIT_TEST(test_equal),
		UNIT_TEST(test_verifier),
		UNIT_TEST(test_verifier_scopes),
		UNIT_TEST(test_interp_computes),
		UNIT_TEST(test_out_of_bounds),
		UNIT_TEST(test_uninitialised),
		UNIT_TEST(test_race),
		UNIT_TEST(test_items_meet_at_barriers),
		UNIT_TEST(test_missing_barrier),
		UNIT_TEST(test_divergent_barrier),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
