/*
 * Inference: for one-node and few-node graphs in text form, the type of y or
 * the message; and shape arithmetic alone.
 */
#include <string.h>
#include "unit.h"
#include "ir/infer.h"
#include "ir/shape.h"

struct one {
	const char *graph; /* between "graph g " and the end */
	const char *want;  /* type of y, or part of the message */
};

static const struct one good[] = {
	{ "(f32[2,1] x, f32[3] w) => (y) { y = Add (x, w) }", "f32[2,3]" },
	{ "(f32[N] x, f32[N] w) => (y) { y = Less (x, w) }", "bool[N]" },
	{ "(bool[2,1] c, i64[3] x, i64[1] w) => (y) { y = Where (c, x, w) }", "i64[2,3]" },
	{ "(f32[4] x) => (y) { y = Cast <to = 7> (x) }", "i64[4]" },
	{ "(f32[2,3,4] x, f32[5,1,4,6] w) => (y) { y = MatMul (x, w) }", "f32[5,2,3,6]" },
	{ "(f32[3] x, f32[3] w) => (y) { y = MatMul (x, w) }", "f32" },
	{ "(f32[N,3,H,W] x) => (y) <f32[8,3,3,3] w = splat 0.5> "
	  "{ y = Conv <pads = [1,1,1,1], strides = [2,2]> (x, w) }",
	  "f32[N,8,(H+1)//2,(W+1)//2]" },
	{ "(f32[1,1,5] x) => (y) { y = MaxPool <kernel_shape = [2], strides = [2], ceil_mode = 1> (x) }",
	  "f32[1,1,3]" },
	{ "(f32[1,2,7] x) => (y) { y = AveragePool <kernel_shape = [3], auto_pad = \"SAME_UPPER\", "
	  "strides = [2]> (x) }",
	  "f32[1,2,4]" },
	{ "(f32[1,4,5] x) => (y) <f32[4,3,2] w = splat 0.5> "
	  "{ y = ConvTranspose <strides = [2]> (x, w) }",
	  "f32[1,3,10]" },
	{ "(f32[2,N,4] x) => (y) { y = Flatten <axis = 2> (x) }", "f32[2*N,4]" },
	{ "(f32[2,3,N] x) => (y) { y = Transpose (x) }", "f32[N,3,2]" },
	{ "(f32[N,10] x) => (y) <i64[1] s = {-3}, i64[1] e = {9223372036854775807}, i64[1] a = {1}> "
	  "{ y = Slice (x, s, e, a) }",
	  "f32[N,3]" },
	{ "(f32[N] x) => (y) <i64[1] s = {-1}, i64[1] e = {-9223372036854775807}, i64[1] a = {0}, "
	  "i64[1] t = {-1}> { y = Slice (x, s, e, a, t) }",
	  "f32[N]" },
	{ "(f32[A,3] x, f32[B,3] w) => (y) { y = Concat <axis = 0> (x, w) }", "f32[A+B,3]" },
	{ "(f32[2,3,4] x) => (y) <i64[1] a = {1}> { y = ReduceSum <keepdims = 0> (x, a) }",
	  "f32[2,4]" },
	{ "(f32[2,3,4] x) => (y) { y = ArgMax <axis = -1> (x) }", "i64[2,3,1]" },
	{ "(f32[5,4] x, i64[2,3] k) => (y) { y = Gather <axis = 1> (x, k) }", "f32[5,2,3]" },
	{ "(f32[2,3] x, f32[3,4] w) => (y) { y = Einsum <equation = \"ij,jk\"> (x, w) }",
	  "f32[2,4]" },
	{ "(f32[1,8,2,N] x) => (y) { y = DepthToSpace <blocksize = 2> (x) }", "f32[1,2,4,2*N]" },
	{ "(f32[N,2] x) => (y) <i64[2] r = {3, 1}> { y = Tile (x, r) }", "f32[3*N,2]" },
	{ "(f32[N,2] x) => (y) <i64[4] p = {1, 0, 2, 0}> { y = Pad (x, p) }", "f32[N+3,2]" },
	{ "(f32[1,1,H] x) => (y) <f32[3] s = {1.0, 1.0, 2.0}> { y = Resize (x, _, s) }",
	  "f32[1,1,2*H]" },
	{ "(u8[4] x) => (y) <f32 s = {0.5}> { y = DequantizeLinear (x, s) }", "f32[4]" },
	/* small values */
	{ "(f32[N,4,6] x) => (y) <i64[3] s = {0, 2, -1}> { y = Reshape (x, s) }", "f32[N,2,12]" },
	{ "(f32[N,4,6] x) => (y) <i64[2] s = {-1, 12}> { y = Reshape (x, s) }", "f32[2*N,12]" },
	{ "(f32[N,4] x) => (y) { s = Shape (x) y = ConstantOfShape (s) }", "f32[N,4]" },
	{ "(f32[N,4] x) => (y) <i64 a = {0}, i64 d = {1}> { s = Size (x) y = Range (a, s, d) }",
	  "i64[4*N]" },
	{ "(f32[N,4] x, f32[1] w) => (y) <i64[2] m = {-1, -1}> "
	  "{ s = Shape (x) e = Equal (s, m) t = Where (e, m, s) y = Expand (w, t) }",
	  "f32[N,4]" },
	{ "(f32[N,6] x, f32[1] w) => (y) <i64[1] two = {2}, i64[1] a = {1}, i64[1] e = {2}> "
	  "{ s = Shape (x) p = Slice (s, a, e) q = Div (p, two) y = Expand (w, q) }",
	  "f32[3]" },
};

static const struct one bad[] = {
	{ "(f32[2] x, f32[3] w) => (y) { y = Add (x, w) }", "don't broadcast" },
	{ "(f32[2] x, i64[2] w) => (y) { y = Add (x, w) }", "element types must be the same" },
	{ "(i64[2] x) => (y) { y = Sin (x) }", "the operator takes floating point" },
	{ "(f32[1,4,8,8] x) => (y) <f32[8,3,3,3] w = splat 0.5> { y = Conv (x, w) }",
	  "'w' has 3 input channels, 'x' has 4" },
	{ "(f32[4] x) => (y) { y = Softmax <axis = 1> (x) }",
	  "axis 1 is outside the 1 dimensions" },
	{ "(f32[4,3] x) => (y) <i64[2] s = {5, -1}> { y = Reshape (x, s) }", "can't be reshaped" },
	{ "(f32[4,3] x, i64[2] s) => (y) { y = Reshape (x, s) }", "must be known when compiling" },
	{ "(f32[2,3] x, f32[4,5] w) => (y) { y = MatMul (x, w) }",
	  "dimension 1 must equal dimension 0" },
	{ "(f32[2,3] x) => (y) { y = Transpose <perm = [0, 0]> (x) }", "no permutation" },
	{ "(f32[4] x) => (y) { y = Cast <to = 99> (x) }", "no element type" },
	{ "(f32[1,1,2] x) => (y) { y = MaxPool <kernel_shape = [4]> (x) }", "doesn't fit" },
};

struct result {
	bool ok;
	const char *type, *messages;
};

static struct result
infer(struct sn_arena *a, const char *text)
{
	struct sn_pool *p = SN_NEW(a, struct sn_pool);
	struct sn_diags *d = SN_NEW(a, struct sn_diags);
	struct sn_buf b;
	sn_pool_init(p, a);
	sn_diags_init(d, a);
	sn_buf_init(&b, a);
	struct sn_graph *g = sn_graph_parse(sn_printf(a, "graph g %s", text), "t.sn", a, p, d);
	struct result r = { .ok = g && sn_infer_graph(g, d) };
	if (r.ok)
		sn_type_print(&b, &g->outputs.v[0]->value->type);
	r.type = r.ok ? b.text : "";
	sn_buf_init(&b, a);
	sn_diags_print(d, &b);
	r.messages = b.text;
	return r;
}

static void
types_are_inferred(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct result r = infer(*state, good[i].graph);
		if (!r.ok)
			fail_msg("%s\n%s", good[i].graph, r.messages);
		assert_string_equal(r.type, good[i].want);
	}
}

static void
errors_name_what_is_wrong(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct result r = infer(*state, bad[i].graph);
		assert_false(r.ok);
		if (!strstr(r.messages, bad[i].want))
			fail_msg("%s\n%s", bad[i].graph, r.messages);
	}
}

static void
all_errors_in_one_run(void **state)
{
	struct result r = infer(*state, "(f32[2] x, f32[3] w) => (y, z) "
					"{ y = Add (x, w) z = Mul (w, x) u = Exp (y) }");
	const char *first = strstr(r.messages, "don't broadcast");
	assert_non_null(first);
	const char *second = strstr(first + 1, "don't broadcast");
	assert_non_null(second);
	/* Exp of what failed says nothing more */
	assert_null(strstr(r.messages, "Exp"));
}

static void
errors_show_the_node_and_its_operands(void **state)
{
	struct result r = infer(*state, "(f32[1,4,8,8] x) => (y) <f32[8,3,3,3] w = splat 0.5> "
					"{ h = Relu (x) @ Relu 0 \"relu0\" "
					"y = Conv <group = 2> (h, w) @ Conv 1 \"conv1\" }");
	const char *want = "Conv 'conv1' (node 1): 'w' has 6 input channels, 'h' has 4\n"
			   "    1 | y = Conv <group = 2> (h, w)\n"
			   "      |                       ^\n"
			   "  note: 'h' is f32[1,4,8,8], written by Relu 'relu0' (node 0)\n"
			   "  hint: ";
	if (!strstr(r.messages, want))
		fail_msg("%s", r.messages);
}

/* ---- shape arithmetic ------------------------------------------------------------------------- */

struct dims {
	struct sn_pool p;
	const struct sn_expr *N, *M;
};

static void
make_dims(struct dims *d, struct sn_arena *a)
{
	sn_pool_init(&d->p, a);
	d->N = sn_sym_expr(&d->p, sn_sym_new(&d->p, "N", 1, INT64_MAX));
	d->M = sn_sym_expr(&d->p, sn_sym_new(&d->p, "M", 1, INT64_MAX));
}

static void
quotients_cancel(void **state)
{
	struct dims d;
	const struct sn_expr *q;
	make_dims(&d, *state);
	const struct sn_expr *num[3] = { d.N, sn_int(&d.p, 12),
					 sn_addk(&d.p, sn_mulk(&d.p, d.M, 2), 2) };
	const struct sn_expr *den[2] = { sn_addk(&d.p, d.M, 1), sn_int(&d.p, 8) };
	assert_true(sn_shape_quotient(&d.p, num, 3, den, 2, &q));
	assert_ptr_equal(q, sn_mulk(&d.p, d.N, 3));
	const struct sn_expr *seven = sn_int(&d.p, 7);
	assert_false(sn_shape_quotient(&d.p, &num[1], 1, &seven, 1, &q));
}

static void
reshapes_fall_into_groups(void **state)
{
	struct dims d;
	struct sn_reshape_group g[SN_MAX_RANK];
	make_dims(&d, *state);
	struct sn_type s = { .rank = 4, .dims = { d.N, sn_int(&d.p, 6), d.M, sn_int(&d.p, 4) } };
	struct sn_type t = { .rank = 5,
			     .dims = { d.N, sn_int(&d.p, 2), sn_int(&d.p, 3), sn_mulk(&d.p, d.M, 4),
				       sn_int(&d.p, 1) } };
	assert_int_equal(sn_shape_reshape_groups(&d.p, &s, &t, g), 4);
	assert_int_equal(g[0].s1, 1);
	assert_int_equal(g[0].d1, 1);
	assert_int_equal(g[1].s1, 2);
	assert_int_equal(g[1].d1, 3);
	assert_int_equal(g[2].s1, 4);
	assert_int_equal(g[2].d1, 4);
	assert_int_equal(g[3].d1, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(types_are_inferred),
		UNIT_TEST(errors_name_what_is_wrong),
		UNIT_TEST(all_errors_in_one_run),
		UNIT_TEST(quotients_cancel),
		UNIT_TEST(errors_show_the_node_and_its_operands),
		UNIT_TEST(reshapes_fall_into_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
