/*
 * hoist-invariants: the text that comes out, and that it computes the same bits.
 */
#include "tests/unit/unit.h"
#include "passes/loop_passes.h"
#include "tests/unit/loop_fixture.h"

static void
test_index_in_levels(void **state)
{
	expect(*state, sn_hoist_invariants_func,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tparallel i < 2 {\n"
	       "\t\tserial h < 3 {\n"
	       "\t\t\talloc reg f32 acc[2]\n"
	       "\t\t\tunrolled p < 2 {\n\t\t\t\tacc[p] = 0.0\n\t\t\t}\n"
	       "\t\t\tserial c < 2 {\n"
	       "\t\t\t\tserial r < 3 {\n"
	       "\t\t\t\t\tunrolled p < 2 {\n"
	       "\t\t\t\t\t\tload a = x[100*i+30*h+11*c+5*r+2*p+3]\n"
	       "\t\t\t\t\t\tload b = acc[p]\n"
	       "\t\t\t\t\t\tacc[p] = a + b\n"
	       "\t\t\t\t\t}\n"
	       "\t\t\t\t}\n"
	       "\t\t\t}\n"
	       "\t\t\tunrolled p < 2 {\n"
	       "\t\t\t\tload a = acc[p]\n"
	       "\t\t\t\ty[100*i+30*h+p] = a\n"
	       "\t\t\t}\n"
	       "\t\t}\n"
	       "\t}\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tparallel i < 2 {\n"
	       "\t\tserial h < 3 {\n"
	       "\t\t\tlet x_at = 100*i+30*h\n"
	       "\t\t\talloc reg f32 acc[2]\n"
	       "\t\t\tunrolled p < 2 {\n\t\t\t\tacc[p] = 0.0\n\t\t\t}\n"
	       "\t\t\tserial c < 2 {\n"
	       "\t\t\t\tlet x_at_1 = 11*c+x_at\n"
	       "\t\t\t\tserial r < 3 {\n"
	       "\t\t\t\t\tlet x_at_2 = 5*r+x_at_1\n"
	       "\t\t\t\t\tunrolled p < 2 {\n"
	       "\t\t\t\t\t\tload a = x[2*p+x_at_2+3]\n"
	       "\t\t\t\t\t\tload b = acc[p]\n"
	       "\t\t\t\t\t\tacc[p] = a + b\n"
	       "\t\t\t\t\t}\n"
	       "\t\t\t\t}\n"
	       "\t\t\t}\n"
	       "\t\t\tunrolled p < 2 {\n"
	       "\t\t\t\tload a = acc[p]\n"
	       "\t\t\t\ty[p+x_at] = a\n"
	       "\t\t\t}\n"
	       "\t\t}\n"
	       "\t}\n"
	       "}\n");
}

static void
test_shared_values(void **state)
{
	expect(*state, sn_hoist_invariants_func,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tserial i < 16 {\n"
	       "\t\tload a = x[i//3*3+i%3]\n"
	       "\t\tload b = x[i%3]\n"
	       "\t\ty[i] = sqrt(abs(a * b)) + a * b\n"
	       "\t\ty[i+16] = a * b + exp(a * b)\n"
	       "\t}\n"
	       "}\n",
	       NULL);
	expect(*state, sn_hoist_invariants_func,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tserial i < 16 {\n"
	       "\t\tload a = x[i]\n"
	       "\t\tload b = x[i+1]\n"
	       "\t\ty[i] = sqrt(abs(a * b)) + a * b\n"
	       "\t}\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tserial i < 16 {\n"
	       "\t\tload a = x[i]\n"
	       "\t\tload b = x[i+1]\n"
	       "\t\tlet t = a * b\n"
	       "\t\ty[i] = sqrt(abs(t)) + t\n"
	       "\t}\n"
	       "}\n");
}

static void
test_invariant_values(void **state)
{
	/* out of the loop, the let as a whole; but not out of the branch, nor of the parallel loop */
	expect(*state, sn_hoist_invariants_func,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tload a = x[0]\n"
	       "\tload b = x[1]\n"
	       "\tparallel i < 2 {\n"
	       "\t\tserial j < 5 {\n"
	       "\t\t\tlet s = sqrt(abs(a))\n"
	       "\t\t\ty[5*i+j] = s + f32(j)\n"
	       "\t\t\tif a < 7.5 {\n"
	       "\t\t\t\ty[5*i+j+50] = exp(b) + f32(j)\n"
	       "\t\t\t}\n"
	       "\t\t}\n"
	       "\t}\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tload a = x[0]\n"
	       "\tload b = x[1]\n"
	       "\tparallel i < 2 {\n"
	       "\t\tlet s = sqrt(abs(a))\n"
	       "\t\tlet t = a < 7.5\n"
	       "\t\tserial j < 5 {\n"
	       "\t\t\ty[5*i+j] = s + f32(j)\n"
	       "\t\t\tif t {\n"
	       "\t\t\t\ty[5*i+j+50] = exp(b) + f32(j)\n"
	       "\t\t\t}\n"
	       "\t\t}\n"
	       "\t}\n"
	       "}\n");
}

/* A value of 60 levels, each used twice by the next: 2^60 operations as a tree. */
static void
test_deep_sharing(void **state)
{
	struct sn_pool p;
	struct sn_builder b;

	sn_pool_init(&p, *state);
	struct sn_func *f = sn_func_new(*state, &p, "k");
	struct sn_buffer *x = sn_func_param(f, "x", DT_F32, sn_int(&p, 256), true);
	struct sn_buffer *y = sn_func_param(f, "y", DT_F32, sn_int(&p, 256), false);

	sn_builder_init(&b, f);
	const struct sn_expr *i = sn_at_for(&b, LK_SERIAL, "i", sn_int(&p, 4));
	const struct sn_expr *v = sn_at_load(&b, "v", x, &i);

	for (int k = 0; k < 60; k++)
		v = sn_op2(&p, OP_MUL, v, sn_op1(&p, OP_ABS, v));
	sn_at_store(&b, y, &i, v);
	sn_hoist_invariants_func(f, *state);
	assert_true(strlen(print(*state, f)) < 4000);
	struct sn_diags d;

	sn_diags_init(&d, *state);
	assert_true(sn_func_verify(f, &d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_index_in_levels),
		UNIT_TEST(test_shared_values),
		UNIT_TEST(test_invariant_values),
		UNIT_TEST(test_deep_sharing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
