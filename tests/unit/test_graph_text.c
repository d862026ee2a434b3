/* Tests of the graph level's text: print -> parse -> print, and errors at the right place. */
#include "tests/unit/unit.h"
#include <string.h>
#include "ir/graph.h"

struct fixture {
	struct sn_arena arena;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_guard guard;
};

static int
set_up(void **state)
{
	static struct fixture f;
	memset(&f, 0, sizeof(f));
	sn_arena_init(&f.arena, NULL);
	sn_pool_init(&f.pool, &f.arena);
	sn_diags_init(&f.diags, &f.arena);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	sn_arena_release(&f->arena);
	return 0;
}

static const char *
print(struct fixture *f, const struct sn_graph *g, bool with_data)
{
	struct sn_buf b;
	sn_buf_init(&b, &f->arena);
	sn_graph_print(&b, g, with_data);
	return b.text;
}

static const char *
messages(struct fixture *f)
{
	struct sn_buf b;
	sn_buf_init(&b, &f->arena);
	sn_diags_print(&f->diags, &b);
	return b.text;
}

static struct sn_graph *
parse(struct fixture *f, const char *text)
{
	struct sn_graph *g = sn_graph_parse(text, "t.sn", &f->arena, &f->pool, &f->diags);
	if (!g)
		print_message("%s", messages(f));
	assert_non_null(g);
	if (!sn_graph_verify(g, &f->diags)) {
		print_message("%s", messages(f));
		fail();
	}
	return g;
}

/* TEXT prints as itself, and so does the print's parse. */
static void
check_same(struct fixture *f, const char *text)
{
	struct sn_graph *g = parse(f, text);
	const char *once = print(f, g, false);
	assert_string_equal(once, text);
	assert_string_equal(print(f, parse(f, once), false), text);
	const char *full = print(f, g, true);
	assert_string_equal(print(f, parse(f, full), true), full);
}

static void
prints_what_it_read(void **state)
{
	check_same(
		*state,
		"graph \"net\" in \"m.onnx\" [N in 1..64]"
		" (f32[N,3,8,8] x, i64[1] axes) => (f32[N,4,8,8] y, f32[N,4,8,8] h as \"hid den\")\n"
		"\t<f32[4,3,3,3] w = hash 0x0123456789abcdef,\n"
		"\t f32[4] b = {0.5, -1, nan, 1e-05},\n"
		"\t f32[1,4,1,1] s = splat 2.5,\n"
		"\t i64[2] \"a/b\" = {-9223372036854775808, 3},\n"
		"\t u64 u = {18446744073709551615},\n"
		"\t i4[3] q = {-8, 7, 0},\n"
		"\t bool[2] f = {true, false}>\n"
		"{\n"
		"\tf32[N,4,8,8] h = Conv <pads = [1, 1, 1, 1]> (x, w, b) @ Conv 3 \"conv1\"\n"
		"\tf32[N,4,8,8] m = Mul (h, s) @ Mul 4 \"\", Relu 5 \"r\" in \"o.onnx\"\n"
		"\tf32[N,4,8,8] y = Relu (m)\n"
		"\ti64[4] \"shape of y\" {N, 4, 8, 8} = Shape (y)\n"
		"\tc = Concat <axis = 0> (\"a/b\", \"shape of y\", axes)\n"
		"\tk = Cast <to = 11> (u)\n"
		"\tl = Cast <to = 1> (q)\n"
		"\tz = Not (f)\n"
		"}\n");
}

static void
prints_absent_operands_and_results(void **state)
{
	check_same(*state, "graph \"g\" (f32[4,4] x, f32 hi) => (y)\n"
			   "{\n"
			   "\ty = Clip (x, _, hi)\n"
			   "\t_, bool[4,4] \"_\" = Dropout (x, hi)\n"
			   "\tr = Not (\"_\")\n"
			   "}\n");
}

static void
prints_bodies(void **state)
{
	check_same(*state, "graph \"g\" (bool c, f32[2] x) => (y)\n"
			   "\t<f32[2] k = {1, 2}>\n"
			   "{\n"
			   "\ty = Relu (x)\n"
			   "\t\tregion then_branch () => (t)\n"
			   "\t\t{\n"
			   "\t\t\tt = Add (x, k)\n"
			   "\t\t}\n"
			   "\t\tregion else_branch () => (e)\n"
			   "\t\t\t<f32[2] k2 = {3, 4}>\n"
			   "\t\t{\n"
			   "\t\t\te = Add (x, k2)\n"
			   "\t\t}\n"
			   "}\n");
}

static void
declares_symbols_on_sight(void **state)
{
	struct fixture *f = *state;
	struct sn_graph *g = parse(f, "graph g (f32[N,2*N+M] x) => (x) {}");
	const struct sn_sym *n = g->inputs.v[0]->type.dims[0]->sym;
	assert_string_equal(n->name, "N");
	assert_true(n->is_dim);
	assert_int_equal(n->input, 0);
	assert_int_equal(n->axis, 0);
	assert_string_equal(
		print(f, g, false),
		"graph \"g\" [N in 1..*, M in 1..*] (f32[N,2*N+M] x) => (f32[N,2*N+M] x)\n{\n}\n");
}

static void
round_trips_data(void **state)
{
	struct fixture *f = *state;
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_F32, .rank = 1 };
	t.dims[0] = sn_int(&f->pool, 40);
	void *bytes;
	struct sn_data *d = sn_data_new(&f->arena, DT_F32, 40, &bytes);
	for (size_t i = 0; i < 40; i++)
		sn_dtype_store(DT_F32, bytes, i, (union sn_num){ .f = 1.0 / (double)(i + 1) });
	struct sn_graph *g = sn_graph_new(&f->arena, &f->pool, "g");
	sn_graph_add_output(g, sn_graph_add_const(g, "w", &t, d), "w");
	struct sn_graph *back = parse(f, print(f, g, true));
	assert_true(sn_data_equal(back->outputs.v[0]->value->data, d));
	struct sn_graph *hashed = parse(f, print(f, g, false));
	assert_int_equal(sn_data_hash(hashed->outputs.v[0]->value->data), sn_data_hash(d));
}

static void
reports_where_and_what(void **state)
{
	static const struct {
		const char *text, *place, *what;
	} rows[] = {
		{ "graph g (f32[4 x) => () {}", "1:16", "expected ']', found 'x'" },
		{ "graph g () => (y) {}", "1:16", "unknown value 'y'" },
		{ "graph g (f32 x) => () {\n y = Relu (z)\n}", "2:12", "unknown value 'z'" },
		{ "graph g (f32 x) => () {\n x = Relu (x)\n}", "2:2",
		  "value 'x' is defined twice" },
		{ "graph g (f32 x) => () {\n y = Frob (x)\n}", "2:6", "unknown operator 'Frob'" },
		{ "graph g (f32 x) => () {\n y = Relu (x, x)\n}", "2:6",
		  "takes 1 operands, not 2" },
		{ "graph g (f32 x) => () {\n y = Conv <gruop = 1> (x, x)\n}", "2:12",
		  "unknown attribute 'gruop'" },
		{ "graph g () => (k) <f32[2] k = {1.0}> {}", "1:35", "expected ',', found '}'" },
		{ "graph g () => (k) <i8 k = {300}> {}", "1:28", "'300' is not a number" },
		{ "graph g () => (k) <f32[9] k = {1}> {}", "1:32", "expected more elements" },
		{ "graph g (f32[N.] x) => () {}", "1:15", "expected ']', found '.'" },
		{ "graph g (f32[\"] x) => () {}", "1:14", "string without end" },
		{ "graph g (f32[true] x) => () {}", "1:18", "can't take an operand of type bool" },
		{ "graph g (f32[1] x) => (x) {} y", "1:30", "expected the end, found 'y'" },
		{ "graph g (f32[99999999999999999999] x) => () {}", "1:14",
		  "not a number, or too large" },
		{ "graph g () => () {", "1:19", "found the end" },
		{ "", "1:1", "expected 'graph', found the end" },
		{ "graph g [N in 4..2] () => () {}", "1:19", "expected a lower bound" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = *state;
		sn_diags_init(&f->diags, &f->arena);
		assert_null(sn_graph_parse(rows[i].text, "t.sn", &f->arena, &f->pool, &f->diags));
		assert_int_equal(f->diags.errors, 1);
		const char *text = messages(f);
		if (!strstr(text, sn_printf(&f->arena, "t.sn:%s: error", rows[i].place))
		    || !strstr(text, rows[i].what))
			fail_msg("%s\ngives %s", rows[i].text, text);
	}
}

/* Every beginning of a good text, and every text with one byte changed, is parsed without harm. */
static void
survives_broken_text(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
		"graph \"n\" in \"m\" [N in 1..64] (f32[N,3] x, seq(f32[?]) s) => (f32[N,3] y as \"z\")\n"
		"\t<f32[2] b = {0x1p-3, -inf}, i4[3] q = splat -1, f32[99] h = hash 0x1> {\n"
		"\tf32[N,(3*N)//2 % 4] y {N, min(N, 2)} = Conv <pads = [1, 1], auto_pad = \"V\\x41\">"
		" (x, _, b) @ Conv 3 \"c\"\n"
		"\tt = Relu (x) region a () => (u) { u = Relu (x) }\n}\n";
	static const char bytes[] = "\"(<{[]}>)*,=-0x9~\n\\_.\x80";
	char broken[sizeof(text)];
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++) {
			memcpy(broken, text, sizeof(text));
			broken[i] = bytes[k];
			sn_diags_init(&f->diags, &f->arena);
			if (!sn_graph_parse(broken, NULL, &f->arena, &f->pool, &f->diags))
				if (f->diags.errors != 1)
					fail_msg("%s\n%s", broken, messages(f));
		}
	}
}

static void
limits_nesting(void **state)
{
	struct fixture *f = *state;
	struct sn_buf b;
	sn_buf_init(&b, &f->arena);
	sn_buf_add(&b, "graph g (f32[");
	sn_buf_fill(&b, '(', 100000);
	assert_null(sn_graph_parse(b.text, NULL, &f->arena, &f->pool, &f->diags));
	assert_non_null(strstr(messages(f), "nested more than"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(prints_what_it_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(prints_absent_operands_and_results, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(prints_bodies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(declares_symbols_on_sight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(round_trips_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_where_and_what, set_up, tear_down),
		cmocka_unit_test_setup_teardown(survives_broken_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_nesting, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
