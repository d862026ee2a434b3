/* Tests of support/buf.h and support/format.h: growth, floats, quoting, locales. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include "support/buf.h"
#include "support/format.h"
#include "tests/unit/unit.h"

static void
appends(void **state)
{
	struct sn_buf b;
	sn_buf_init(&b, *state);
	assert_string_equal(b.text, "");
	sn_buf_add(&b, "ab");
	sn_buf_addc(&b, 'c');
	sn_buf_addn(&b, "defg", 2);
	sn_buf_addf(&b, "%d", 42);
	sn_buf_fill(&b, '-', 3);
	assert_string_equal(b.text, "abcde42---");
	assert_int_equal(b.len, 10);
}

static void
grows_over_every_boundary(void **state)
{
	struct sn_buf b;
	sn_buf_init(&b, *state);
	for (int i = 0; i < 500; i++) {
		sn_buf_addf(&b, "%03d,", i);
		assert_int_equal(strlen(b.text), b.len);
	}
	assert_int_equal(b.len, 2000);
	assert_memory_equal(b.text + 4 * 123, "123,", 4);
	sn_buf_fill(&b, 'x', 10000);
	assert_int_equal(strlen(b.text), 12000);
}

static const char *
float_text(struct sn_arena *a, double x, bool is_f32)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_buf_add_float(&b, x, is_f32);
	return b.text;
}

static void
prints_the_shortest_float(void **state)
{
	assert_string_equal(float_text(*state, 0.1f, true), "0.1");
	assert_string_equal(float_text(*state, 0.1, false), "0.1");
	assert_string_equal(float_text(*state, 0.1f, false), "0.10000000149011612");
	assert_string_equal(float_text(*state, -0.0, true), "-0");
	assert_string_equal(float_text(*state, 1e-5, true), "1e-05");
	assert_string_equal(float_text(*state, FLT_MAX, true), "3.4028235e+38");
	assert_string_equal(float_text(*state, 1e-45f, true), "1e-45");
	assert_string_equal(float_text(*state, 16777217.0, false), "16777217");
	assert_string_equal(float_text(*state, 1e300, true), "inf");
	assert_string_equal(float_text(*state, -INFINITY, false), "-inf");
	assert_string_equal(float_text(*state, NAN, true), "nan");
}

static void
float_text_reads_back(void **state)
{
	uint32_t bits = 1;
	for (int i = 0; i < 20000; i++) {
		bits = bits * 1664525u + 1013904223u;
		float x;
		memcpy(&x, &bits, sizeof(x));
		if (isnan(x))
			continue;
		float back = sn_strtof(float_text(*state, x, true), NULL);
		assert_memory_equal(&back, &x, sizeof(x));
	}
}

static void
quotes(void **state)
{
	struct sn_buf b;
	sn_buf_init(&b, *state);
	sn_buf_add_quoted(&b, "a\"b\\c\n\t\x01\x7f\xc3\xa4");
	assert_string_equal(b.text, "\"a\\\"b\\\\c\\n\\t\\x01\\x7f\xc3\xa4\"");
}

static void
quotes_for_json(void **state)
{
	struct sn_buf b;
	sn_buf_init(&b, *state);
	sn_buf_add_json(&b, "a\"\\\n\xc3\xa4");
	sn_buf_add_json(&b, "\xff\xc3(\xed\xa0\x80\xe2\x82");
	assert_string_equal(b.text, "\"a\\\"\\\\\\u000a\xc3\xa4\""
				    "\"\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void
ignores_the_locale(void **state)
{
	static const char *const with_comma[] = {
		"de_DE.UTF-8",
		"fr_FR.UTF-8",
		"de_DE",
		"cs_CZ.UTF-8",
	};
	const char *set = NULL;
	for (size_t i = 0; i < ARRAY_LEN(with_comma) && !set; i++)
		set = setlocale(LC_NUMERIC, with_comma[i]);
	if (!set)
		skip();
	const char *text = sn_printf(*state, "%.1f", 1.5);
	double x = sn_strtod("2.5", NULL);
	setlocale(LC_NUMERIC, "C");
	assert_string_equal(text, "1.5");
	assert_true(x == 2.5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(appends),
		UNIT_TEST(grows_over_every_boundary),
		UNIT_TEST(prints_the_shortest_float),
		UNIT_TEST(float_text_reads_back),
		UNIT_TEST(quotes),
		UNIT_TEST(quotes_for_json),
		UNIT_TEST(ignores_the_locale),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
