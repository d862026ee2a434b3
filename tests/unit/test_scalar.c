/*
 * Scalar operations: what they give at the edges of every type.
 */
#include <math.h>
#include "unit.h"
#include "ir/expr.h"

static int64_t
ints(enum sn_scalar_op op, enum sn_dtype t, int64_t a, int64_t b)
{
	union sn_num x[2] = { { .i = a }, { .i = b } };

	return sn_scalar_eval(op, t, t, x).i;
}

static double
floats(enum sn_scalar_op op, enum sn_dtype t, double a, double b)
{
	union sn_num x[2] = { { .f = a }, { .f = b } };

	return sn_scalar_eval(op, t, t, x).f;
}

static void
integers_wrap(void **state)
{
	assert_int_equal(ints(OP_ADD, DT_I8, 127, 1), -128);
	assert_int_equal(ints(OP_MUL, DT_U8, 16, 17), 16);
	assert_int_equal(ints(OP_SUB, DT_U32, 0, 1), 4294967295);
	assert_int_equal(ints(OP_ADD, DT_I64, INT64_MAX, 1), INT64_MIN);
	assert_int_equal(ints(OP_NEG, DT_I32, INT32_MIN, 0), INT32_MIN);
	assert_int_equal(ints(OP_ABS, DT_I64, INT64_MIN, 0), INT64_MIN);
	assert_int_equal(ints(OP_MUL, DT_I4, 3, 3), -7);
	assert_int_equal(ints(OP_POW, DT_I16, 3, 11), (int16_t)177147);
	(void)state;
}

static void
division_is_total(void **state)
{
	assert_int_equal(ints(OP_DIV, DT_I64, 7, 0), 0);
	assert_int_equal(ints(OP_DIV, DT_I64, INT64_MIN, -1), INT64_MIN);
	assert_int_equal(ints(OP_DIV, DT_I8, -128, -1), -128);
	assert_int_equal(ints(OP_DIV, DT_I32, -7, 2), -3);
	assert_int_equal(ints(OP_FLOORDIV, DT_I32, -7, 2), -4);
	assert_int_equal(ints(OP_FLOORDIV, DT_I32, 7, -2), -4);
	assert_int_equal(ints(OP_MOD, DT_I32, -7, 3), 2);
	assert_int_equal(ints(OP_MOD, DT_I32, 7, -3), -2);
	assert_int_equal(ints(OP_FMOD, DT_I32, -7, 3), -1);
	assert_int_equal(ints(OP_MOD, DT_I64, 7, 0), 0);
	assert_int_equal(ints(OP_MOD, DT_I64, INT64_MIN, -1), 0);
	assert_int_equal(ints(OP_DIV, DT_U64, -1, 2), INT64_MAX);
	(void)state;
}

static void
powers_of_integers(void **state)
{
	assert_int_equal(ints(OP_POW, DT_I32, 2, -1), 0);
	assert_int_equal(ints(OP_POW, DT_I32, -1, -3), -1);
	assert_int_equal(ints(OP_POW, DT_I32, 0, 0), 1);
	assert_int_equal(ints(OP_POW, DT_I32, 0, -1), 0);
	(void)state;
}

static void
shifts_take_counts_modulo_the_width(void **state)
{
	assert_int_equal(ints(OP_SHL, DT_I32, 1, 33), 2);
	assert_int_equal(ints(OP_SHR, DT_I8, -128, 1), -64);
	assert_int_equal(ints(OP_SHR, DT_U8, 128, 9), 64);
	assert_int_equal(ints(OP_SHL, DT_U8, 255, 4), 240);
	(void)state;
}

static void
unsigned_compares_as_unsigned(void **state)
{
	assert_int_equal(ints(OP_LT, DT_U64, -1, 0), 0);
	assert_int_equal(ints(OP_LT, DT_I64, -1, 0), 1);
	assert_int_equal(ints(OP_MAX, DT_U64, -1, 0), -1);
	assert_int_equal(ints(OP_NOT, DT_BOOL, 1, 0), 0);
	assert_int_equal(ints(OP_NOT, DT_U8, 1, 0), 254);
	(void)state;
}

static void
floats_round_to_their_type(void **state)
{
	assert_true(floats(OP_ADD, DT_F32, 16777216, 1) == 16777216);
	assert_true(floats(OP_DIV, DT_F32, 1, 3) == (double)(1.0f / 3.0f));
	assert_true(floats(OP_ADD, DT_F16, 2048, 1) == 2048);
	assert_true(floats(OP_MUL, DT_BF16, 1.0078125, 1.0078125) == 1.015625);
	assert_true(isinf(floats(OP_MUL, DT_F32, 1e38, 10)));
	assert_true(floats(OP_EXP, DT_F32, 1, 0) == (double)(float)exp(1));
	(void)state;
}

static void
floats_at_the_edges(void **state)
{
	assert_true(isnan(floats(OP_MAX, DT_F32, NAN, 1)));
	assert_true(isnan(floats(OP_MAX, DT_F32, 1, NAN)));
	assert_true(isnan(floats(OP_MIN, DT_F32, NAN, 1)));
	assert_true(isnan(floats(OP_SIGN, DT_F32, NAN, 0)));
	assert_true(isinf(floats(OP_DIV, DT_F32, 1, 0)));
	assert_true(floats(OP_MOD, DT_F32, -7, 3) == 2);
	assert_true(floats(OP_FMOD, DT_F32, -7, 3) == -1);
	assert_true(floats(OP_FLOORDIV, DT_F32, -7, 2) == -4);
	assert_true(floats(OP_RINT, DT_F32, 2.5, 0) == 2);
	assert_true(floats(OP_SIGMOID, DT_F32, -200, 0) == 0);
	(void)state;
}

static void
casts(void **state)
{
	union sn_num x = { .f = 300 };

	assert_int_equal(sn_scalar_eval(OP_CAST, DT_F32, DT_BOOL, &x).i, 1);
	assert_int_equal(sn_scalar_eval(OP_BITCAST, DT_F32, DT_I32, &x).i, 0x43960000);
	x.i = 0x3f800000;
	assert_true(sn_scalar_eval(OP_BITCAST, DT_I32, DT_F32, &x).f == 1);
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(integers_wrap),
		UNIT_TEST(division_is_total),
		UNIT_TEST(powers_of_integers),
		UNIT_TEST(shifts_take_counts_modulo_the_width),
		UNIT_TEST(unsigned_compares_as_unsigned),
		UNIT_TEST(floats_round_to_their_type),
		UNIT_TEST(floats_at_the_edges),
		UNIT_TEST(casts),
	};
	return cmocka_run_group_tests_name("scalar", tests, NULL, NULL);
}
