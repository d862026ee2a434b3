/* Tests of support/map.h: lookup, replacement, order of iteration, interning. */
#include "support/map.h"
#include "tests/unit/unit.h"

static void
finds_what_was_put(void **state)
{
	struct sn_map m;
	static int numbers[1000];
	sn_map_init(&m, *state);
	assert_null(sn_map_get(&m, "0"));
	for (int i = 0; i < 1000; i++)
		sn_map_put(&m, sn_printf(*state, "%d", i), &numbers[i]);
	assert_int_equal(m.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(sn_map_get(&m, sn_printf(*state, "%d", i)), &numbers[i]);
	assert_null(sn_map_get(&m, "1000"));
	assert_null(sn_map_get(&m, ""));
}

static void
replaces_an_earlier_value(void **state)
{
	struct sn_map m;
	int a, b;
	sn_map_init(&m, *state);
	sn_map_put(&m, "x", &a);
	sn_map_put(&m, "x", &b);
	assert_int_equal(m.n, 1);
	assert_ptr_equal(sn_map_get(&m, "x"), &b);
}

static void
iterates_in_order_of_insertion(void **state)
{
	struct sn_map m;
	sn_map_init(&m, *state);
	for (int i = 0; i < 100; i++)
		sn_map_put_num(&m, (uint64_t)(100 - i) << 32, NULL);
	for (int i = 0; i < 100; i++)
		assert_int_equal(m.entries[i].num, (uint64_t)(100 - i) << 32);
}

static void
copies_its_keys(void **state)
{
	struct sn_map m;
	char key[] = "abc";
	sn_map_init(&m, *state);
	sn_map_put(&m, key, state);
	key[0] = 'x';
	assert_ptr_equal(sn_map_get(&m, "abc"), state);
}

static void
keeps_number_zero(void **state)
{
	struct sn_map m;
	sn_map_init(&m, *state);
	sn_map_put_num(&m, 0, state);
	sn_map_put_num(&m, UINT64_MAX, &m);
	assert_ptr_equal(sn_map_get_num(&m, 0), state);
	assert_ptr_equal(sn_map_get_num(&m, UINT64_MAX), &m);
	assert_null(sn_map_get_num(&m, 1));
}

static void
interns_equal_strings_once(void **state)
{
	struct sn_map m;
	char copy[] = "conv1";
	sn_map_init(&m, *state);
	const char *first = sn_intern(&m, "conv1");
	for (int i = 0; i < 100; i++)
		sn_intern(&m, sn_printf(*state, "other%d", i));
	assert_ptr_equal(sn_intern(&m, copy), first);
	assert_string_equal(first, "conv1");
}

static void
hashes_as_fnv_1a(void **state)
{
	(void)state;
	assert_true(sn_hash(0, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(sn_hash(0, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(sn_hash(sn_hash(0, "foo", 3), "bar", 3) == sn_hash(0, "foobar", 6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(finds_what_was_put),
		UNIT_TEST(replaces_an_earlier_value),
		UNIT_TEST(iterates_in_order_of_insertion),
		UNIT_TEST(copies_its_keys),
		UNIT_TEST(keeps_number_zero),
		UNIT_TEST(interns_equal_strings_once),
		UNIT_TEST(hashes_as_fnv_1a),
	};
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
