/*
 * vectorize: the text that comes out, and that it computes the same bits.
 */
#include "tests/unit/unit.h"
#include <string.h>
#include "passes/loop_passes.h"
#include "tests/unit/loop_fixture.h"

static bool
vectorize(struct sn_func *f, struct sn_arena *scratch)
{
	return sn_vectorize_func(f, NULL, scratch);
}

static void
test_accumulators_become_vectors(void **state)
{
	expect(*state, vectorize,
	       "func k(const f32 x[256], const f32 w[256], f32 y[256]) {\n"
	       "\talloc reg f32 acc[2, 16]\n"
	       "\tunrolled p < 2 {\n\t\tvector l < 16 {\n\t\t\tacc[p, l] = 0.0\n\t\t}\n\t}\n"
	       "\tserial k < 4 {\n"
	       "\t\tunrolled p < 2 {\n"
	       "\t\t\tload a = x[2*k+p]\n"
	       "\t\t\tvector l < 16 {\n"
	       "\t\t\t\tload b = w[k*16+l]\n"
	       "\t\t\t\tload c = acc[p, l]\n"
	       "\t\t\t\tacc[p, l] = mac(a, b, c)\n"
	       "\t\t\t}\n"
	       "\t\t}\n"
	       "\t}\n"
	       "\tload s = acc[1, 0 : 16]\n"
	       "\ty[255] = lane_sum(s)\n"
	       "}\n",
	       "func k(const f32 x[256], const f32 w[256], f32 y[256]) {\n"
	       "\talloc reg f32x16 acc[2]\n"
	       "\tunrolled p < 2 {\n\t\tacc[p] = 0.0\n\t}\n"
	       "\tserial k < 4 {\n"
	       "\t\tunrolled p < 2 {\n"
	       "\t\t\tload a = x[2*k+p]\n"
	       "\t\t\tload b = w[16*k : 16]\n"
	       "\t\t\tload c = acc[p]\n"
	       "\t\t\tacc[p] = mac(splat_16(a), b, c)\n"
	       "\t\t}\n"
	       "\t}\n"
	       "\tload s = acc[1]\n"
	       "\ty[255] = lane_sum(s)\n"
	       "}\n");
}

/* A tail loop keeps whole registers, and touches memory in its first lanes. */
static void
test_tail(void **state)
{
	expect(*state, vectorize,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc reg f32 acc[8]\n"
	       "\tvector l < 8 {\n\t\tacc[l] = 1.0\n\t}\n"
	       "\tvector l < 5 {\n"
	       "\t\tload a = x[l+3]\n"
	       "\t\tload c = acc[l]\n"
	       "\t\tacc[l] = a + c\n"
	       "\t\ty[l] = a\n"
	       "\t}\n"
	       "\tload v = acc[0 : 8]\n"
	       "\ty[5] = lane_sum(v)\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc reg f32x8 acc[]\n"
	       "\tacc[] = 1.0\n"
	       "\tload a = x[3 : 8 active 5]\n"
	       "\tload c = acc[ active 5]\n"
	       "\tacc[ active 5] = a + c\n"
	       "\ty[0 : 8 active 5] = a\n"
	       "\tload v = acc[]\n"
	       "\ty[5] = lane_sum(v)\n"
	       "}\n");
	/* an accumulator made for the tail gets whole registers */
	expect(*state, vectorize,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc reg f32 acc[3, 5]\n"
	       "\tvector l < 5 {\n\t\tload a = x[l]\n\t\tacc[2, l] = a\n\t}\n"
	       "\tvector l < 5 {\n\t\tload a = acc[2, l]\n\t\ty[l] = a\n\t}\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc reg f32x8 acc[3]\n"
	       "\tload a = x[0 : 8 active 5]\n"
	       "\tacc[2] = a\n"
	       "\tload a_1 = acc[2]\n"
	       "\ty[0 : 8 active 5] = a_1\n"
	       "}\n");
	/* where no access is wider, the registers are whole */
	expect(*state, vectorize,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc reg f32 acc[8]\n"
	       "\tvector l < 5 {\n\t\tload a = x[l]\n\t\tacc[l] = a\n\t}\n"
	       "\tvector l < 5 {\n\t\tload a = acc[l]\n\t\ty[l] = a\n\t}\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc reg f32x8 acc[]\n"
	       "\tload a = x[0 : 8 active 5]\n"
	       "\tacc[] = a\n"
	       "\tload a_1 = acc[]\n"
	       "\ty[0 : 8 active 5] = a_1\n"
	       "}\n");
}

static void
test_lane_numbers_masks_and_private_buffers(void **state)
{
	expect(*state, vectorize,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tserial i < 16 {\n"
	       "\t\tvector l < 8 {\n"
	       "\t\t\talloc reg f32 best[1]\n"
	       "\t\t\tbest[0] = 0.0\n"
	       "\t\t\tserial k < 3 {\n"
	       "\t\t\t\tload a = x[i*8+k+l]\n"
	       "\t\t\t\tload b = best[0]\n"
	       "\t\t\t\tlet inside = i*8+k+l < 100\n"
	       "\t\t\t\tbest[0] = select(inside, max(a, b), f32(l))\n"
	       "\t\t\t}\n"
	       "\t\t\tload b = best[0]\n"
	       "\t\t\ty[i*8+l] = b\n"
	       "\t\t}\n"
	       "\t}\n"
	       "}\n",
	       NULL);
}

static void
test_strided_elements_are_collected(void **state)
{
	const char *text = "func k(const f32 x[256], f32 y[256]) {\n"
			   "\tvector l < 4 {\n"
			   "\t\tload a = x[3*l+1]\n"
			   "\t\tlet b = sqrt(abs(a))*a + a\n"
			   "\t\ty[l] = b\n"
			   "\t}\n"
			   "}\n";
	expect(*state, vectorize, text,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc stack f32 lane[4]\n"
	       "\tunrolled l < 4 {\n"
	       "\t\tload a = x[3*l+1]\n"
	       "\t\tlane[l] = a\n"
	       "\t}\n"
	       "\tload a = lane[0 : 4]\n"
	       "\tlet b = sqrt(abs(a)) * a + a\n"
	       "\ty[0 : 4] = b\n"
	       "}\n");
}

static void
test_small_floats(void **state)
{
	expect(*state, vectorize,
	       "func k(const f16 x[256], const u8 z[256], f32 y[256]) {\n"
	       "\tvector l < 8 {\n"
	       "\t\tload a = x[l+3]\n"
	       "\t\tload b = z[l]\n"
	       "\t\tlet c = a*a + f16(b)\n"
	       "\t\ty[l] = f32(c)\n"
	       "\t}\n"
	       "}\n",
	       "func k(const f16 x[256], const u8 z[256], f32 y[256]) {\n"
	       "\tload a = x[3 : 8]\n"
	       "\tload b = z[0 : 8]\n"
	       "\tlet c = a * a + f16(b)\n"
	       "\ty[0 : 8] = f32(c)\n"
	       "}\n");
}

static void
test_lanes_without_vectors(void **state)
{
	expect(*state, sn_legalize_vectors_func,
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\tload v = x[3 : 4]\n"
	       "\ty[0] = lane_sum(v)*lane_max(v)\n"
	       "}\n",
	       "func k(const f32 x[256], f32 y[256]) {\n"
	       "\talloc stack f32 v[4]\n"
	       "\tserial i < 4 {\n\t\tload x_1 = x[i+3]\n\t\tv[i] = x_1\n\t}\n"
	       "\talloc stack f32 half[2]\n"
	       "\tserial i < 2 {\n"
	       "\t\tload x_1 = v[i]\n\t\tload y_1 = v[i+2]\n\t\thalf[i] = x_1 + y_1\n"
	       "\t}\n"
	       "\tload x_1 = half[0]\n\tload y_1 = half[1]\n\thalf[0] = x_1 + y_1\n"
	       "\tload all = half[0]\n"
	       "\talloc stack f32 half_1[2]\n"
	       "\tserial i < 2 {\n"
	       "\t\tload x_2 = v[i]\n\t\tload y_2 = v[i+2]\n\t\thalf_1[i] = max(x_2, y_2)\n"
	       "\t}\n"
	       "\tload x_2 = half_1[0]\n\tload y_2 = half_1[1]\n\thalf_1[0] = max(x_2, y_2)\n"
	       "\tload all_1 = half_1[0]\n"
	       "\ty[0] = all * all_1\n"
	       "}\n");
}

/* What can't be vectors stays a loop. */
static void
test_what_stays_serial(void **state)
{
	static const char *const bodies[] = {
		"vector l < 8 { load a = x[l*2] y[l] = a }",
		"vector l < 8 { load a = x[l] if l < 3 { y[l] = a } }",
		"vector l < 8 { load a = x[l] let i = i64(a) load b = x[i] y[l] = b }",
		"vector l < 8 { vector m < 2 { y[l*2+m] = 1.0 } }",
		"vector l < 100 { y[l] = 1.0 }",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct fixture x;
		const char *head = "func k(const f32 x[256], f32 y[256]) {";
		struct sn_func *f = parse(*state, &x,
					  sn_printf(*state, "%s %s }", head, bodies[i]));

		assert_non_null(f);
		assert_true(sn_vectorize_func(f, NULL, *state));
		const char *serial = strstr(print(*state, f), "serial l < ");

		assert_non_null(serial);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_accumulators_become_vectors),
		UNIT_TEST(test_tail),
		UNIT_TEST(test_lane_numbers_masks_and_private_buffers),
		UNIT_TEST(test_strided_elements_are_collected),
		UNIT_TEST(test_small_floats),
		UNIT_TEST(test_lanes_without_vectors),
		UNIT_TEST(test_what_stays_serial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
