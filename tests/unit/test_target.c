/* Tests of ir/target.h: compiled-in targets, XML files, errors, native from made-up machines. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <libxml/relaxng.h>
#include "ir/target.h"
#include "ir/target_native.h"
#include "support/file.h"
#include "tests/unit/unit.h"

static const struct sn_target *
find(struct sn_arena *a, const char *name, const char **out_messages)
{
	struct sn_diags d;
	struct sn_buf b;
	sn_diags_init(&d, a);
	sn_buf_init(&b, a);
	const struct sn_target *t = sn_target_find(name, a, &d);
	sn_diags_print(&d, &b);
	*out_messages = b.text;
	assert_int_equal(t == NULL, d.errors > 0);
	return t;
}

/* What the reader makes of XML in a file. */
static const struct sn_target *
find_xml(struct sn_arena *a, const char *xml, const char **out_messages)
{
	struct sn_diags d;
	sn_diags_init(&d, a);
	const char *path = sn_printf(a, "/tmp/sinter-target-%ld.xml", (long)getpid());
	assert_true(sn_file_write(path, xml, strlen(xml), &d));
	const struct sn_target *t = find(a, path, out_messages);
	unlink(path);
	return t;
}

static void
every_compiled_in_target_is_sound(void **state)
{
	const char *messages;
	for (const char *const *name = sn_target_names(); *name; name++) {
		const struct sn_target *t = find(*state, *name, &messages);
		assert_string_equal(messages, "");
		assert_string_equal(t->name, *name);
		assert_int_equal(t->vector_bytes & (t->vector_bytes - 1), 0);
		assert_true(t->nregs >= 16 && t->fma_ports >= 1 && t->l1_bytes >= 16 << 10);
		assert_true(t->l1_bytes % (t->l1_ways * t->line_bytes) == 0);
		assert_int_equal(sn_target_lanes(t, 4), t->vector_bytes ? t->vector_bytes / 4 : 1);
	}
}

static void
compiled_in_targets_follow_the_schema(void **state)
{
	static const char *const xml[] = {
#define TARGET(name, xml) xml,
#include "ir/targets.def"
		"<target><l2/></target>",
	};
	(void)state;
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt("docs/target.rng");
	xmlRelaxNG *schema = xmlRelaxNGParse(parser);
	assert_non_null(schema);
	xmlRelaxNGValidCtxt *valid = xmlRelaxNGNewValidCtxt(schema);
	xmlRelaxNGSetValidErrors(valid, NULL, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(xml); i++) {
		xmlDoc *doc = xmlReadMemory(xml[i], (int)strlen(xml[i]), "x", NULL, 0);
		bool is_bad = i + 1 == ARRAY_LEN(xml);
		assert_int_equal(xmlRelaxNGValidateDoc(valid, doc) != 0, is_bad);
		xmlFreeDoc(doc);
	}
	xmlRelaxNGFreeValidCtxt(valid);
	xmlRelaxNGFree(schema);
	xmlRelaxNGFreeParserCtxt(parser);
}

static void
zen_4_and_5_differ_in_width(void **state)
{
	const char *messages;
	const struct sn_target *zen4 = find(*state, "znver4", &messages);
	const struct sn_target *zen5 = find(*state, "znver5", &messages);
	assert_int_equal(zen4->vector_bytes, 64);
	assert_int_equal(zen5->vector_bytes, 64);
	assert_int_equal(zen4->fma_ports, 1);
	assert_int_equal(zen5->fma_ports, 2);
	assert_int_equal(zen5->l1_bytes, 48 << 10);
	assert_true(zen4->has_vnni && zen4->has_bf16);
}

static void
reads_a_file(void **state)
{
	const char *messages;
	const struct sn_target *t = find_xml(
		*state,
		"<?xml version='1.0'?><!-- mine -->\n<target name='board'>\n"
		"<compiler flags='-O2 &quot;x&quot;'/>"
		"<vector bytes='32' registers='64'/><features fma='yes'/>"
		"<l2 bytes='1.5M'/><machine cores='3' ghz='2.5'/></target>",
		&messages);
	assert_string_equal(messages, "");
	assert_string_equal(t->name, "board");
	assert_string_equal(t->march, "-O2 \"x\"");
	assert_int_equal(t->vector_bytes, 32);
	assert_int_equal(t->nregs, 64);
	assert_true(t->has_fma);
	assert_false(t->has_vnni);
	assert_int_equal(t->l1_bytes, 32 << 10);
	assert_int_equal(t->l2_bytes, 3 << 19);
	assert_int_equal(t->cores, 3);
	assert_true(t->ghz == 2.5);
}

static void
refuses_an_unknown_name(void **state)
{
	const char *messages;
	assert_null(find(*state, "pdp11", &messages));
	assert_non_null(
		strstr(messages, "error[E0450]: unknown target 'pdp11', there are native, "));
	assert_null(find(*state, "", &messages));
	assert_null(find(*state, "/nowhere/x.xml", &messages));
	assert_non_null(strstr(messages, "error[E0001]"));
}

static void
names_the_line_of_what_is_wrong(void **state)
{
	static const struct {
		const char *xml, *message;
	} cases[] = {
		{ "", "target description: " },
		{ "<target>", ":1: error[E0451]" },
		{ "<machine/>", "no element <target>" },
		{ "<target>\n<vektor/></target>", ":2: error[E0452]: a target description has no "
						  "element 'vektor'" },
		{ "<target>\n\n<vector width='4'/></target>",
		  ":3: error[E0452]: a target description has no attribute 'width of <vector>'" },
		{ "<target><vector bytes='48'/></target>",
		  "'bytes' of <vector> must be a power of two from 0 to 256, not '48'" },
		{ "<target><vector bytes='512'/></target>", "not '512'" },
		{ "<target><vector registers='many'/></target>", "not 'many'" },
		{ "<target><vector registers='-1'/></target>", "not '-1'" },
		{ "<target><vector registers='1.5'/></target>", "a whole number from 1 to 1024" },
		{ "<target><vector registers=''/></target>", "not ''" },
		{ "<target><vector registers='16K'/></target>", "not '16K'" },
		{ "<target><l2 bytes='16X'/></target>", "not '16X'" },
		{ "<target><l2 bytes='99999999999999999999G'/></target>", "from 0 to 1e+12" },
		{ "<target><features fma='true'/></target>",
		  "'fma' of <features> must be yes or no, not 'true'" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *messages;
		assert_null(find_xml(*state, cases[i].xml, &messages));
		if (!strstr(messages, cases[i].message))
			fail_msg("%s\n%s", cases[i].xml, messages);
	}
}

static void
reports_all_mistakes_of_a_file(void **state)
{
	const char *messages;
	assert_null(find_xml(*state, "<target><a/><b/><vector bytes='x'/></target>", &messages));
	assert_non_null(strstr(messages, "'a'"));
	assert_non_null(strstr(messages, "'b'"));
	assert_non_null(strstr(messages, "'x'"));
}

static void
does_not_expand_entities(void **state)
{
	const char *messages;
	const struct sn_target *t = find_xml(*state,
					     "<!DOCTYPE t [<!ENTITY x SYSTEM '/etc/passwd'>]>"
					     "<target><l1 ways='4'/>&x;</target>",
					     &messages);
	assert_true(!t || t->l1_ways == 4);
	assert_null(strstr(messages, "root:"));
}

static void
native_knows_this_machine(void **state)
{
	const char *messages;
	const struct sn_target *t = find(*state, "native", &messages);
	assert_non_null(t);
	assert_string_equal(t->name, "native");
	assert_true(t->cores >= 1);
	assert_true(t->l1_bytes >= 8 << 10 && t->l1_bytes <= 1 << 20);
	struct sn_cpu_facts facts = sn_cpu_facts_read();
	assert_int_equal(t->vector_bytes == 64, facts.has_avx512);
}

static void
half_width_cores_have_one_port(void **state)
{
	static const struct {
		bool is_amd;
		int family, model, ports;
	} cores[] = {
		{ true, 0x19, 0x11, 1 }, /* Zen 4 server */
		{ true, 0x19, 0x61, 1 }, /* Zen 4 desktop */
		{ true, 0x1a, 0x02, 2 }, /* Zen 5 server */
		{ true, 0x1a, 0x44, 2 }, /* Zen 5 desktop */
		{ true, 0x1a, 0x24, 1 }, /* Zen 5 mobile */
		{ false, 6, 0x55, 2 },	 /* Skylake server */
		{ false, 6, 0x8f, 2 },	 /* Sapphire Rapids */
		{ false, 6, 0x8c, 1 },	 /* Tiger Lake */
	};
	const char *messages;
	for (size_t i = 0; i < ARRAY_LEN(cores); i++) {
		struct sn_cpu_facts f = { .is_x86 = true,
					  .is_amd = cores[i].is_amd,
					  .family = cores[i].family,
					  .model = cores[i].model,
					  .has_avx2_fma = true,
					  .has_avx512 = true };
		assert_string_equal(sn_native_base(&f), "x86-64-v4");
		struct sn_target t = *find(*state, "x86-64-v4", &messages);
		sn_native_apply(&t, &f);
		assert_int_equal(t.fma_ports, cores[i].ports);
	}
	struct sn_cpu_facts avx2 = { .is_x86 = true, .has_avx2_fma = true };
	assert_string_equal(sn_native_base(&avx2), "x86-64-v3");
	struct sn_cpu_facts old = { .is_x86 = true };
	assert_string_equal(sn_native_base(&old), "x86-64");
}

static void
put(struct sn_arena *a, const char *folder, const char *name, const char *text)
{
	struct sn_diags d;
	sn_diags_init(&d, a);
	assert_true(sn_make_folder(folder, a, &d));
	assert_true(sn_file_write(sn_printf(a, "%s/%s", folder, name), text, strlen(text), &d));
}

static void
reads_caches_of_sysfs(void **state)
{
	struct sn_arena *a = *state;
	const char *root = sn_printf(a, "/tmp/sinter-sysfs-%ld", (long)getpid());
	const char *first = sn_printf(a, "%s/cpu0/cache/index0", root);
	const char *second = sn_printf(a, "%s/cpu0/cache/index1", root);
	const char *third = sn_printf(a, "%s/cpu0/cache/index2", root);
	put(a, first, "type", "Data\n");
	put(a, first, "level", "1\n");
	put(a, first, "size", "48K\n");
	put(a, first, "ways_of_associativity", "12\n");
	put(a, first, "coherency_line_size", "128\n");
	put(a, second, "type", "Instruction\n");
	put(a, second, "level", "1\n");
	put(a, second, "size", "32K\n");
	put(a, third, "type", "Unified\n");
	put(a, third, "level", "2\n");
	put(a, third, "size", "2M\n");
	struct sn_target t = { .l1_bytes = 1, .l2_bytes = 2, .l3_bytes = 3 };
	sn_native_read_caches(&t, root);
	assert_int_equal(t.l1_bytes, 48 << 10);
	assert_int_equal(t.l1_ways, 12);
	assert_int_equal(t.line_bytes, 128);
	assert_int_equal(t.l2_bytes, 2 << 20);
	assert_int_equal(t.l3_bytes, 3);
	assert_int_equal(system(sn_printf(a, "rm -rf '%s'", root)), 0);
	sn_native_read_caches(&t, root);
	assert_int_equal(t.l1_bytes, 48 << 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(every_compiled_in_target_is_sound),
		UNIT_TEST(compiled_in_targets_follow_the_schema),
		UNIT_TEST(zen_4_and_5_differ_in_width),
		UNIT_TEST(reads_a_file),
		UNIT_TEST(refuses_an_unknown_name),
		UNIT_TEST(names_the_line_of_what_is_wrong),
		UNIT_TEST(reports_all_mistakes_of_a_file),
		UNIT_TEST(does_not_expand_entities),
		UNIT_TEST(native_knows_this_machine),
		UNIT_TEST(half_width_cores_have_one_port),
		UNIT_TEST(reads_caches_of_sysfs),
	};
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
