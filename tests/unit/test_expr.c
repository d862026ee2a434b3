/*
 * Expressions: sharing, folding, identities that keep every bit, substitution,
 * and the text form.
 */
#include <math.h>
#include <string.h>
#include "unit.h"
#include "ir/expr.h"
#include "ir/tensor.h"

static struct sn_expr const *
f32(struct sn_pool *p, double x)
{
	return sn_float(p, DT_F32, x);
}

static const char *
text(struct sn_arena *a, const struct sn_expr *e)
{
	struct sn_buf out;

	sn_buf_init(&out, a);
	sn_expr_print(&out, e);
	return out.text;
}

#define SHOWS(e, want) assert_string_equal(text(*state, (e)), want)

static void
equal_expressions_are_one(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	const struct sn_expr *x = sn_state(&p, DT_F32, 0), *y = sn_state(&p, DT_F32, 1);

	assert_ptr_equal(sn_op2(&p, OP_ADD, x, y), sn_op2(&p, OP_ADD, x, y));
	assert_ptr_not_equal(sn_op2(&p, OP_ADD, x, y), sn_op2(&p, OP_ADD, y, x));
	assert_ptr_not_equal(f32(&p, 0.0), f32(&p, -0.0));
	assert_ptr_equal(f32(&p, NAN), f32(&p, -NAN));
	for (int64_t i = 0; i < 5000; i++) /* the table grows */
		sn_int(&p, i);
	assert_ptr_equal(sn_int(&p, 77), sn_int(&p, 77));
	assert_true(x->id < sn_op2(&p, OP_ADD, x, y)->id);
}

static void
constants_fold(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	assert_ptr_equal(sn_op2(&p, OP_ADD, f32(&p, 1.5), f32(&p, 2)), f32(&p, 3.5));
	assert_ptr_equal(sn_cast(&p, DT_I64, f32(&p, -2.75)), sn_int(&p, -2));
	assert_true(sn_is_int_const(sn_op2(&p, OP_LT, f32(&p, 1), f32(&p, 2)), 1));
	assert_ptr_equal(sn_float(&p, DT_F32, 0.1), f32(&p, (double)0.1f));
}

static void
identities_keep_every_bit(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	const struct sn_expr *x = sn_state(&p, DT_F32, 0);

	assert_ptr_not_equal(sn_op2(&p, OP_ADD, x, f32(&p, 0.0)), x); /* -0.0 + 0.0 = 0.0 */
	assert_ptr_equal(sn_op2(&p, OP_ADD, x, f32(&p, -0.0)), x);
	assert_ptr_equal(sn_op2(&p, OP_SUB, x, f32(&p, 0.0)), x);
	assert_ptr_equal(sn_op2(&p, OP_MUL, f32(&p, 1), x), x);
	assert_ptr_not_equal(sn_op2(&p, OP_MUL, f32(&p, 0), x), f32(&p, 0));
	assert_false(sn_is_const(sn_op2(&p, OP_SUB, x, x)));
	assert_false(sn_is_const(sn_op2(&p, OP_EQ, x, x)));
	assert_ptr_equal(sn_op2(&p, OP_MAX, x, f32(&p, -INFINITY)), x);
	assert_ptr_equal(sn_op1(&p, OP_NEG, sn_op1(&p, OP_NEG, x)), x);
	assert_ptr_equal(sn_op2(&p, OP_DIV, x, f32(&p, 8)), sn_op2(&p, OP_MUL, x, f32(&p, 0.125)));
	assert_int_equal(sn_op2(&p, OP_DIV, x, f32(&p, 3))->op, OP_DIV);
	assert_int_equal(sn_op2(&p, OP_DIV, x, f32(&p, 0x1p-140))->op, OP_DIV);
	assert_ptr_equal(sn_op2(&p, OP_POW, x, f32(&p, 2)), sn_op2(&p, OP_MUL, x, x));
	const struct sn_expr *i = sn_state(&p, DT_I32, 0), *zero = sn_float(&p, DT_I32, 0);

	assert_ptr_equal(sn_op2(&p, OP_MUL, i, zero), zero);
	assert_ptr_equal(sn_op2(&p, OP_XOR, i, i), zero);
	assert_ptr_equal(sn_op2(&p, OP_AND, i, sn_float(&p, DT_I32, -1)), i);
}

static void
casts_through_wider_types_vanish(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	const struct sn_expr *x = sn_state(&p, DT_F32, 0), *u = sn_state(&p, DT_U8, 0);

	assert_ptr_equal(sn_cast(&p, DT_F32, sn_cast(&p, DT_F64, x)), x);
	assert_ptr_not_equal(sn_cast(&p, DT_F32, sn_cast(&p, DT_F16, x)), x);
	assert_ptr_equal(sn_cast(&p, DT_I64, sn_cast(&p, DT_I32, u)), sn_cast(&p, DT_I64, u));
	assert_ptr_not_equal(sn_cast(&p, DT_I64, sn_cast(&p, DT_I8, u)), sn_cast(&p, DT_I64, u));
	assert_ptr_not_equal(sn_cast(&p, DT_F64, sn_cast(&p, DT_BOOL, x)), sn_cast(&p, DT_F64, x));
}

static void
scalars_meet_vectors(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	const struct sn_expr *x = sn_state(&p, DT_F32, 0);
	const struct sn_expr *v = sn_local_expr(&p, sn_local_new(&p, "v", DT_F32, 8));
	const struct sn_expr *e = sn_op2(&p, OP_MUL, v, x);

	assert_int_equal(e->lanes, 8);
	SHOWS(e, "v * splat_8(state0)");
	SHOWS(sn_op2(&p, OP_ADD, v, f32(&p, 0.5)), "v + splat_8(0.5)");
	assert_int_equal(sn_op1(&p, OP_LANE_SUM, e)->lanes, 1);
	assert_false(sn_op_fits(OP_ADD, (const struct sn_expr *[]){ v, sn_int(&p, 1) }, 2));
}

static struct sn_tensor
tensor(const char *name, enum sn_dtype t, int rank)
{
	return (struct sn_tensor){ .name = name, .type = { .dtype = t, .rank = rank } };
}

/* A pass may read tensors that end with it, while the expressions stay in the pool. */
static void
the_table_grows_without_what_leaves_stand_for(void **state)
{
	struct sn_pool p;
	struct sn_tensor x = tensor("x", DT_F32, 0), gone;
	sn_pool_init(&p, *state);
	const struct sn_expr *e = sn_read(&p, &x, NULL, 0, NULL);

	gone = x;
	memset(&x, 0xff, sizeof(x));
	for (int64_t i = 0; i < 5000; i++)
		sn_int(&p, i);
	x = gone;
	assert_ptr_equal(sn_read(&p, &x, NULL, 0, NULL), e);
}

static void
prints(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	struct sn_tensor x = tensor("x", DT_F32, 2), c = tensor("conv/1:0", DT_F32, 0);
	const struct sn_expr *n = sn_axis_expr(&p, sn_axis_new(&p, "n", sn_int(&p, 4)));
	const struct sn_expr *h = sn_axis_expr(&p, sn_axis_new(&p, "h", sn_int(&p, 9)));
	const struct sn_expr *idx[] = { n, sn_addk(&p, h, -1) };
	const struct sn_expr *a = sn_read(&p, &x, idx, 2, f32(&p, 0));
	const struct sn_expr *b = sn_read(&p, &c, NULL, 0, NULL), *s = sn_state(&p, DT_F32, 0);

	SHOWS(a, "(x[n, h-1] else 0.0)");
	SHOWS(b, "\"conv/1:0\"[]");
	SHOWS(sn_op2(&p, OP_MUL, sn_op2(&p, OP_ADD, a, b), s),
	      "((x[n, h-1] else 0.0) + \"conv/1:0\"[]) * state0");
	SHOWS(sn_op2(&p, OP_SUB, s, sn_op2(&p, OP_SUB, s, b)),
	      "state0 - (state0 - \"conv/1:0\"[])");
	SHOWS(sn_op2(&p, OP_SUB, sn_op2(&p, OP_SUB, s, b), s), "state0 - \"conv/1:0\"[] - state0");
	SHOWS(sn_op2(&p, OP_MAX, s, f32(&p, -0.5)), "max(state0, -0.5)");
	SHOWS(sn_cast(&p, DT_F16, s), "f16(state0)");
	SHOWS(sn_bitcast(&p, DT_I32, s), "bitcast_i32(state0)");
	SHOWS(sn_axis_expr(&p, sn_axis_new(&p, "else", n)), "\"else\"");
	SHOWS(sn_axis_expr(&p, sn_axis_new(&p, "state0", n)), "\"state0\"");
}

static void
prints_constants(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	SHOWS(sn_int(&p, -3), "-3");
	SHOWS(f32(&p, 2), "2.0");
	SHOWS(f32(&p, -0.0), "-0.0");
	SHOWS(f32(&p, 1e30), "1e+30");
	SHOWS(f32(&p, -INFINITY), "-inf");
	SHOWS(f32(&p, NAN), "nan");
	SHOWS(sn_float(&p, DT_F64, 0.1), "f64(0.1)");
	SHOWS(sn_float(&p, DT_U8, 3), "u8(3)");
	SHOWS(sn_const(&p, DT_U64, (union sn_num){ .i = -1 }), "u64(18446744073709551615)");
	SHOWS(sn_const(&p, DT_BOOL, (union sn_num){ .i = 1 }), "true");
}

static const struct sn_expr *
shift_read(struct sn_subst *s, const struct sn_expr *e)
{
	return e->kind == EX_READ ? sn_op2(s->pool, OP_ADD, e, f32(s->pool, 1)) : NULL;
}

static void
substitution(void **state)
{
	struct sn_pool p;
	struct sn_subst s;

	sn_pool_init(&p, *state);
	struct sn_tensor x = tensor("x", DT_F32, 1);
	const struct sn_axis *i = sn_axis_new(&p, "i", sn_int(&p, 4));
	const struct sn_expr *ie = sn_axis_expr(&p, i);
	const struct sn_expr *e = sn_op1(&p, OP_EXP, sn_read(&p, &x, &ie, 1, NULL));

	assert_true(sn_expr_has_axis(e, i));
	assert_true(sn_expr_has_axis(e, NULL));
	sn_subst_init(&s, &p, *state);
	sn_subst_put(&s, ie, sn_int(&p, 2));
	s.leaf = shift_read;
	const struct sn_expr *to = sn_subst(&s, e);

	SHOWS(to, "exp(x[2] + 1.0)");
	assert_false(sn_expr_has_axis(to, i));
	assert_false(sn_expr_has_axis(to, NULL));
}

static void
count(const struct sn_expr *e, void *arg)
{
	(void)e;
	++*(int *)arg;
}

/* x*x, its square, and so on: 2^40 paths, 41 expressions. */
static void
shared_parts_are_walked_once(void **state)
{
	struct sn_pool p;
	int n = 0;

	sn_pool_init(&p, *state);
	const struct sn_axis *i = sn_axis_new(&p, "i", sn_int(&p, 4));
	const struct sn_expr *e = sn_cast(&p, DT_F32, sn_axis_expr(&p, i));

	for (int k = 0; k < 40; k++)
		e = sn_op2(&p, OP_MUL, e, e);
	sn_expr_walk(e, *state, count, &n);
	assert_int_equal(n, 42);
	for (int k = 0; k < 63; k++)
		sn_axis_new(&p, "j", sn_int(&p, 4));
	assert_false(sn_expr_has_axis(e, sn_axis_new(&p, "j", sn_int(&p, 4))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(equal_expressions_are_one),
		UNIT_TEST(the_table_grows_without_what_leaves_stand_for),
		UNIT_TEST(constants_fold),
		UNIT_TEST(identities_keep_every_bit),
		UNIT_TEST(casts_through_wider_types_vanish),
		UNIT_TEST(scalars_meet_vectors),
		UNIT_TEST(prints),
		UNIT_TEST(prints_constants),
		UNIT_TEST(substitution),
		UNIT_TEST(shared_parts_are_walked_once),
	};
	return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
