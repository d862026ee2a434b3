/*
 * Lowering: the comprehensions that come out, as text, and that every row of
 * the operator table's elementwise part makes a program that verifies.
 */
#include <string.h>
#include "unit.h"
#include "ir/infer.h"
#include "passes/pass.h"

struct bench {
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_arena scratch;
	struct sn_module module;
};

/* The program of graph TEXT, printed; the messages if there is none. */
static const char *
lower(struct sn_arena *a, const char *text)
{
	struct bench *b = SN_NEW(a, struct bench);
	struct sn_pass_ctx ctx = { .module = &b->module, .scratch = a };
	struct sn_buf out;
	sn_pool_init(&b->pool, a);
	sn_diags_init(&b->diags, a);
	b->module =
		(struct sn_module){ .name = "g", .arena = a, .pool = &b->pool, .diags = &b->diags };
	b->module.graph = sn_graph_parse(sn_printf(a, "graph g %s", text), "t.sn", a, &b->pool,
					 &b->diags);
	bool ok = b->module.graph && sn_infer_graph(b->module.graph, &b->diags)
		  && sn_pass_lower_graph(&ctx) && sn_program_verify(b->module.program, &b->diags);
	sn_buf_init(&out, a);
	if (ok)
		sn_program_print(&out, b->module.program, false);
	else
		sn_diags_print(&b->diags, &out);
	return out.text;
}

static const struct {
	const char *graph, *want;
} cases[] = {
	{ "(f32[2,1] x, f32[3] w) => (y) { y = Add (x, w) }", "y[i0, i1] = x[i0, 0] + w[i1]" },
	{ "(f16[4] x) => (y) { y = Exp (x) }", "y[i0] = f16(exp(f32(x[i0])))" },
	{ "(f32[N,4] x) => (y) { y = Identity (x) }", "for i0<N, i1<4:" },
	{ "(f32[1,2,5,5] x) => (y) <f32[4,1,3,3] w = splat 0.5> "
	  "{ y = Conv <group = 2, pads = [1,1,1,1]> (x, w) }",
	  "(x[i0, c+i1//2, i2+k0-1, i3+k1-1] else 0.0) * w[i1, c, k0, k1]" },
	{ "(f32[1,2,6] x) => (y) { y = MaxPool <kernel_shape = [2], strides = [2]> (x) }",
	  "max(k0<2) x[i0, i1, 2*i2+k0]" },
	{ "(f32[4,6] x) => (y) <i64[3] s = {4, 2, 3}> { y = Reshape (x, s) }",
	  "y[i0, i1, i2] = x[i0, 3*i1+i2]" },
	{ "(f32[N,2,3] x) => (y) <i64[2] s = {0, -1}> { y = Reshape (x, s) }",
	  "y[i0, i1] = x[i0, i1//3, i1%3]" },
	{ "(f32[2,3] x) => (y) { y = Transpose (x) }", "y[i0, i1] = x[i1, i0]" },
	{ "(f32[A] x, f32[B] w) => (y) { y = Concat <axis = 0> (x, w) }", "= w[i0]" },
	{ "(f32[2,3] x, f32[3,4] w) => (y) { y = MatMul (x, w) }", "sum(k<3) x[i0, k] * w[k, i1]" },
	{ "(f32[2,3] x) => (y) { y = ReduceMean <keepdims = 0> (x) }",
	  "sum(r0<2, r1<3) x[r0, r1]" },
	{ "(f32[1,1,H] x) => (y) <f32[3] s = {1.0, 1.0, 2.0}> "
	  "{ y = Resize <coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\"> "
	  "(x, _, s) }",
	  "y[i0, i1, i2] = x[i0, i1, i2//2]" },
	/* an index from data is kept in range */
	{ "(f32[5] x, i64[2] k) => (y) { y = Gather (x, k) }", "within(" },
	/* what is known isn't computed, and is no operand any more */
	{ "(f32[N,4] x) => (y) <i64 i = {0}> { s = Shape (x) d = Gather (s, i) f = Cast <to = 1> (d) "
	  "y = Mul (x, f) }",
	  "kernel known" },
	{ "(f32[2,4] x) => (y) { y = Shape (x) }", "i64[2] y_2 = {2, 4}" },
	/* refused by name */
	{ "(f32[1,1,8] x) => (y) <f32[3] s = {1.0, 1.0, 0.5}> "
	  "{ y = Resize <antialias = 1, mode = \"linear\"> (x, _, s) }",
	  "antialias is not supported yet" },
};

static void
programs_read_as_expected(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text = lower(*state, cases[i].graph);
		if (!strstr(text, cases[i].want))
			fail_msg("%s\nwithout %s\n%s", cases[i].graph, cases[i].want, text);
	}
}

static void
known_shapes_leave_one_kernel(void **state)
{
	const char *text = lower(*state,
				 "(f32[N,4,6] x) => (y) "
				 "<i64 zero = {0}, i64[1] rest = {-1}, i64[1] axes = {0}> "
				 "{ s = Shape (x) n = Gather (s, zero) u = Unsqueeze (n, axes) "
				 "t = Concat <axis = 0> (u, rest) y = Reshape (x, t) }");
	const char *first = strstr(text, "kernel ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "kernel "));
}

/* Operand types for a row of class CLASS. */
static const char *
dtype_of(const char *traits)
{
	return strchr(traits, 'b') ? "bool" : strchr(traits, 'i') ? "u8" : "f32";
}

static void
every_elementwise_row_lowers(void **state)
{
	int rows = 0;
	for (int op = 0; op < GR_COUNT; op++) {
		const struct sn_graph_op_info *info = sn_graph_op_info((enum sn_graph_op)op);
		if (!strchr(info->traits, 'E'))
			continue;
		const char *t = dtype_of(info->traits);
		const char *first = strchr(info->traits, 'W') ? "bool" : t;
		const char *at = op == GR_BIT_SHIFT ? "<direction = \"LEFT\"> " : "";
		const char *operands = info->max_in == 1   ? "a"
				       : info->max_in == 2 ? "a, b"
							   : "a, b, c";
		const char *text = lower(
			*state,
			sn_printf(*state,
				  "(%s[2,3] a, %s[2,3] b, %s[2,3] c) => (y) { y = %s %s(%s) }",
				  first, t, t, info->name, at, operands));
		if (!strstr(text, "kernel "))
			fail_msg("%s: %s", info->name, text);
		rows++;
	}
	assert_true(rows > 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(programs_read_as_expected),
		UNIT_TEST(known_shapes_leave_one_kernel),
		UNIT_TEST(every_elementwise_row_lowers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
