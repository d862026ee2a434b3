/* Tests of ir/lex.h and ir/expr_parse.h: tokens, places, numbers, precedence, types. */
#include "tests/unit/unit.h"
#include <math.h>
#include <string.h>
#include "ir/expr_parse.h"

struct fixture {
	struct sn_arena *arena;
	struct sn_diags diags;
	struct sn_lex lex;
};

static struct fixture *
start(void **state, const char *text)
{
	struct fixture *f = SN_NEW(*state, struct fixture);
	f->arena = *state;
	sn_diags_init(&f->diags, f->arena);
	sn_lex_init(&f->lex, text, "t.sn", f->arena, &f->diags);
	return f;
}

static void
finds_tokens_and_places(void **state)
{
	struct fixture *f = start(state, "ab_1 \"x y\\x41\\n\" ; no\n\t12..0x1F # no\n=> <=1.5e3");
	static const struct {
		enum sn_token_kind kind;
		const char *text;
		int line, column;
	} want[] = {
		{ TK_NAME, "ab_1", 1, 1 }, { TK_STRING, "x yA\n", 1, 6 }, { TK_INT, "12", 2, 2 },
		{ TK_SIGN, "..", 2, 4 },   { TK_INT, "0x1F", 2, 6 },	  { TK_SIGN, "=>", 3, 1 },
		{ TK_SIGN, "<=", 3, 4 },   { TK_FLOAT, "1.5e3", 3, 6 },	  { TK_END, "", 3, 11 },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(f->lex.token.kind, want[i].kind);
		assert_string_equal(f->lex.token.text, want[i].text);
		assert_int_equal(f->lex.token.line, want[i].line);
		assert_int_equal(f->lex.token.column, want[i].column);
		sn_lex_next(&f->lex);
	}
}

static void
reads_numbers(void **state)
{
	struct fixture *f = start(state,
				  "-9223372036854775808 9223372036854775807 0x1.8p-3 -inf nan "
				  "-0 18446744073709551615 0.1");
	int64_t i;
	double d;
	assert_true(sn_lex_int(&f->lex, "i", &i) && i == INT64_MIN);
	assert_true(sn_lex_int(&f->lex, "i", &i) && i == INT64_MAX);
	assert_true(sn_lex_number(&f->lex, "x", &d) && d == 0x1.8p-3);
	assert_true(sn_lex_number(&f->lex, "x", &d) && d == -INFINITY);
	assert_true(sn_lex_number(&f->lex, "x", &d) && isnan(d));
	assert_true(sn_lex_number(&f->lex, "x", &d) && d == 0 && signbit(d));
	assert_true(f->lex.token.i == UINT64_MAX);
	assert_false(sn_lex_int(&f->lex, "i", &i));
	assert_int_equal(f->diags.errors, 1);
	assert_int_equal(f->lex.token.kind, TK_END);
}

static void
reports_one_error(void **state)
{
	static const char *const bad[] = { "12ab",    "1e",	   "0x", "\"a",
					   "\"\\q\"", "\"\\x00\"", "`",	 "99999999999999999999",
					   "1.2.3",   "\"a\nb\"" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct fixture *f = start(state, bad[i]);
		assert_int_equal(f->diags.errors, 1);
		assert_false(sn_lex_expect(&f->lex, "x"));
		assert_int_equal(f->diags.errors, 1);
		assert_int_equal(f->diags.list.v[0].where.line, 1);
		assert_int_equal(f->diags.list.v[0].where.column, 1);
	}
}

static void
shows_the_line(void **state)
{
	struct fixture *f = start(state, "a\n\tb c\n");
	sn_lex_next(&f->lex);
	sn_lex_next(&f->lex);
	sn_lex_expected(&f->lex, "a 'd'");
	assert_string_equal(f->diags.list.v[0].text, "expected a 'd', found 'c'");
	assert_string_equal(f->diags.list.v[0].excerpt, "    2 |  b c\n      |    ^");
	f = start(state, "a\r\r b");
	sn_lex_next(&f->lex);
	sn_lex_expected(&f->lex, "'c'");
	assert_string_equal(f->diags.list.v[0].excerpt, "    1 | a   b\n      |     ^");
}

static void
names_survive_printing(void **state)
{
	static const char *const names[] = {
		"a", "a/b", "", "1x", "new\nline", "\"", "\x01", "if"
	};
	static const char *const keywords[] = { "if", NULL };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct sn_buf b;
		sn_buf_init(&b, *state);
		sn_lex_print_name(&b, names[i], keywords);
		assert_int_equal(*b.text == '"', i != 0);
		struct fixture *f = start(state, b.text);
		const char *back;
		assert_true(sn_lex_name(&f->lex, "a name", &back));
		assert_string_equal(back, names[i]);
		assert_int_equal(f->lex.token.kind, TK_END);
	}
}

struct names {
	struct sn_pool *pool;
	struct sn_local *vector;
	struct sn_axis *i;
};

static const struct sn_expr *
leaf(void *arg, const char *name, bool is_quoted)
{
	(void)is_quoted;
	struct names *n = arg;
	if (strcmp(name, "i") == 0)
		return sn_axis_expr(n->pool, n->i);
	return strcmp(name, "v") == 0 ? sn_local_expr(n->pool, n->vector) : NULL;
}

static const char *
reparse(void **state, const char *text)
{
	struct fixture *f = start(state, text);
	struct sn_pool *p = SN_NEW(f->arena, struct sn_pool);
	sn_pool_init(p, f->arena);
	struct names n = { p, sn_local_new(p, "v", DT_F32, 8),
			   sn_axis_new(p, "i", sn_int(p, 100)) };
	struct sn_expr_scope scope = { .leaf = leaf, .arg = &n };
	const struct sn_expr *e = sn_expr_parse(&f->lex, p, &scope);
	if (!e)
		return f->diags.errors == 1 ? f->diags.list.v[0].text : "no message";
	struct sn_buf b;
	sn_buf_init(&b, f->arena);
	sn_expr_print(&b, e);
	return b.text;
}

static void
parses_what_it_prints(void **state)
{
	static const char *const texts[] = {
		"2*i+1",
		"i//7%3",
		"f16(1.5)",
		"f64(0.1)",
		"u64(18446744073709551615)",
		"max(v, splat_8(0.0))",
		"select(i < 5, f32(i), 1.0)",
		"bitcast_i32(f32(i))",
		"-1",
		"(i == 3) | (i < 1)",
		"nan",
		"-inf",
		"f32(iota_4(i))",
		"true",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *once = reparse(state, texts[i]);
		assert_string_equal(reparse(state, once), once);
		assert_null(strstr(once, "expected"));
	}
	assert_string_equal(reparse(state, "1 + 2 * 3"), "7");
	assert_string_equal(reparse(state, "10 - 3 - 2"), "5");
	assert_string_equal(reparse(state, "f64(0.1)"), "f64(0.1)");
}

static void
refuses_types_that_disagree(void **state)
{
	assert_string_equal(reparse(state, "i + 1.0"),
			    "operands of '+' have different types, i64 and f32");
	assert_string_equal(reparse(state, "exp(i)"), "'exp' can't take an operand of type i64");
	assert_string_equal(reparse(state, "max(i)"), "'max' takes 2 operands, not 1");
	assert_string_equal(reparse(state, "frob(i)"), "unknown operation 'frob'");
	assert_string_equal(reparse(state, "nobody"), "unknown name 'nobody'");
	assert_string_equal(reparse(state, "v + splat_4(1.0)"),
			    "'+' can't take an operand of type a vector of another length");
	assert_string_equal(reparse(state, "select(i, v, v)"),
			    "'select' can't take an operand of type i64");
	assert_string_equal(reparse(state, "bitcast_f64(v)"),
			    "'bitcast' can't take an operand of type f32");
	assert_string_equal(reparse(state, "x[i]"), "unknown tensor 'x'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(finds_tokens_and_places),	UNIT_TEST(reads_numbers),
		UNIT_TEST(reports_one_error),		UNIT_TEST(shows_the_line),
		UNIT_TEST(names_survive_printing),	UNIT_TEST(parses_what_it_prints),
		UNIT_TEST(refuses_types_that_disagree),
	};
	return cmocka_run_group_tests_name("lex", tests, NULL, NULL);
}
