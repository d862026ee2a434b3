/* Tests of support/diag.h: text form, JSON form, limits. */
#include <string.h>
#include "support/diag.h"
#include "tests/unit/unit.h"

static const struct sn_where conv1 = {
	.file = "model.onnx",
	.op = "Conv",
	.name = "conv1",
	.index = 12,
};

static const char *
render(struct sn_arena *a, const struct sn_diags *d)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_diags_print(d, &b);
	return b.text;
}

static void
prints_place_subject_excerpt_and_hint(void **state)
{
	struct sn_diags d;
	sn_diags_init(&d, *state);
	assert_false(sn_report_excerpt(&d, conv1, "   12 | h = Foo (x)\n      |         ^",
				       DG_UNKNOWN_OP, "Foo", "ai.me"));
	assert_int_equal(d.errors, 1);
	assert_string_equal(render(*state, &d),
			    "model.onnx: error[E0120]: Conv 'conv1' (node 12): "
			    "operator 'Foo' of domain 'ai.me' is not supported\n"
			    "   12 | h = Foo (x)\n"
			    "      |         ^\n"
			    "  hint: sinter ops lists what is\n");
}

static void
prints_what_is_known_of_the_place(void **state)
{
	struct sn_diags d;
	sn_diags_init(&d, *state);
	sn_report(&d, SN_NOWHERE, DG_UNSUPPORTED, "a");
	sn_report(&d, (struct sn_where){ .file = "f.sn", .line = 3, .index = -1 }, DG_UNSUPPORTED,
		  "b");
	sn_report(&d,
		  (struct sn_where){
			  .file = "f.sn", .line = 3, .column = 7, .name = "n", .index = -1 },
		  DG_UNSUPPORTED, "c");
	sn_report(&d, (struct sn_where){ .op = "Relu", .index = 0 }, DG_UNSUPPORTED, "d");
	assert_string_equal(render(*state, &d),
			    "error[E0400]: a is not supported yet\n"
			    "f.sn:3: error[E0400]: b is not supported yet\n"
			    "f.sn:3:7: error[E0400]: 'n': c is not supported yet\n"
			    "error[E0400]: Relu (node 0): d is not supported yet\n");
}

static void
copies_what_it_keeps(void **state)
{
	struct sn_diags d;
	char name[] = "first";
	struct sn_where where = { .name = name, .index = -1 };
	sn_diags_init(&d, *state);
	sn_report(&d, where, DG_UNSUPPORTED, name);
	strcpy(name, "xxxxx");
	assert_string_equal(render(*state, &d),
			    "error[E0400]: 'first': first is not supported yet\n");
}

static void
counts_errors_over_the_limit(void **state)
{
	struct sn_diags d;
	sn_diags_init(&d, *state);
	d.limit = 2;
	for (int i = 0; i < 5; i++)
		sn_report(&d, SN_NOWHERE, DG_UNSUPPORTED, "it");
	assert_int_equal(d.errors, 5);
	assert_int_equal(d.list.n, 2);
	assert_string_equal(render(*state, &d), "error[E0400]: it is not supported yet\n"
						"error[E0400]: it is not supported yet\n"
						"3 more errors\n");
}

static void
prints_json(void **state)
{
	struct sn_diags d;
	struct sn_buf b;
	sn_diags_init(&d, *state);
	sn_buf_init(&b, *state);
	sn_diags_print_json(&d, &b);
	assert_string_equal(b.text, "{\"errors\": 0, \"warnings\": 0, \"messages\": []}\n");

	sn_report(&d, conv1, DG_UNSUPPORTED, "\"x\"");
	sn_buf_init(&b, *state);
	sn_diags_print_json(&d, &b);
	assert_string_equal(
		b.text,
		"{\"errors\": 1, \"warnings\": 0, \"messages\": [\n"
		"  {\"code\": \"E0400\", \"severity\": \"error\", \"file\": \"model.onnx\", "
		"\"op\": \"Conv\", \"name\": \"conv1\", \"node\": 12, "
		"\"text\": \"\\\"x\\\" is not supported yet\"}\n]}\n");
}

/* A code names one message for good, and its first letter says how grave it is. */
static void
codes_are_unique_and_fit_the_severity(void **state)
{
	static const struct {
		const char *code;
		enum sn_severity severity;
		const char *text;
	} rows[] = {
#define DIAG(id, code, severity, text, hint) { code, severity, text },
#include "support/diag.def"
#undef DIAG
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(strlen(rows[i].code), 5);
		assert_int_equal(rows[i].code[0], "NRWE"[rows[i].severity]);
		assert_true(rows[i].text[0] < 'A' || rows[i].text[0] > 'Z' || rows[i].text[1] < 'a'
			    || rows[i].text[1] > 'z');
		assert_int_not_equal(rows[i].text[strlen(rows[i].text) - 1], '.');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[i].code, rows[k].code);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(prints_place_subject_excerpt_and_hint),
		UNIT_TEST(prints_what_is_known_of_the_place),
		UNIT_TEST(copies_what_it_keeps),
		UNIT_TEST(counts_errors_over_the_limit),
		UNIT_TEST(prints_json),
		UNIT_TEST(codes_are_unique_and_fit_the_severity),
	};
	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
