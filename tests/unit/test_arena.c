/* Tests of support/arena.h and support/vec.h: alignment, zeroing, budget, ways out of memory. */
#include <string.h>
#include "support/arena.h"
#include "support/diag.h"
#include "support/vec.h"
#include "tests/unit/unit.h"

static void
aligns_and_zeroes(void **state)
{
	for (size_t size = 0; size < 600; size++) {
		unsigned char *p = sn_alloc(*state, size);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
}

static void
keeps_objects_apart(void **state)
{
	enum { N = 2000 };
	unsigned char *p[N];
	size_t size[N];
	for (int i = 0; i < N; i++) {
		size[i] = (size_t)(i * 37 % 9000);
		p[i] = sn_alloc(*state, size[i]);
		memset(p[i], i & 0xff, size[i]);
	}
	for (int i = 0; i < N; i++)
		for (size_t k = 0; k < size[i]; k++)
			assert_int_equal(p[i][k], i & 0xff);
}

static void
counts_what_it_hands_out(void **state)
{
	struct sn_arena *a = *state;
	sn_alloc(a, 100);
	sn_alloc_array(a, 3, 1000000);
	assert_int_equal(a->used, 3000100);
	sn_arena_release(a);
	assert_int_equal(a->used, 0);
	assert_non_null(sn_alloc(a, 1));
}

/* Status with which an allocation of COUNT * SIZE leaves through a guard. */
static enum sn_status
leave_status(struct sn_guard *guard, size_t budget, size_t count, size_t size)
{
	struct sn_arena a;
	sn_arena_init(&a, guard);
	a.budget = budget;
	enum sn_status status = SN_GUARD_ENTER(guard);
	if (status == SN_OK)
		sn_alloc_array(&a, count, size);
	sn_arena_release(&a);
	return status;
}

static void
leaves_through_the_guard_when_memory_ends(void **state)
{
	(void)state;
	struct sn_guard guard;
	assert_int_equal(leave_status(&guard, 0, SIZE_MAX / 4, 1), SN_ERR_MEMORY);
	assert_non_null(strstr(guard.text, "out of memory"));
	assert_int_equal(leave_status(&guard, 0, SIZE_MAX, 1), SN_ERR_MEMORY);
	assert_int_equal(leave_status(&guard, 0, SIZE_MAX / 2, 3), SN_ERR_MEMORY);
	assert_int_equal(leave_status(&guard, 0, 10, 10), SN_OK);
}

static void
holds_to_its_budget(void **state)
{
	(void)state;
	struct sn_guard guard;
	assert_int_equal(leave_status(&guard, 1000, 1000, 1), SN_OK);
	assert_int_equal(leave_status(&guard, 1000, 1001, 1), SN_ERR_MEMORY);
	assert_non_null(strstr(guard.text, "budget of 1000 bytes"));
}

static void
children_have_what_is_left(void **state)
{
	struct sn_guard guard;
	struct sn_arena a;
	(void)state;
	sn_arena_init(&a, &guard);
	assert_int_equal(sn_arena_child(&a)->budget, 0);
	a.budget = a.used + 1000;
	struct sn_arena *child = sn_arena_child(&a);
	assert_true(child->budget > 500 && child->budget < 1000);
	enum sn_status status = SN_GUARD_ENTER(&guard);
	if (status == SN_OK)
		sn_alloc(child, 1000);
	assert_int_equal(status, SN_ERR_MEMORY);
	sn_arena_release(&a);
}

static void
reports_a_bug_through_the_guard(void **state)
{
	(void)state;
	struct sn_guard guard;
	enum sn_status status = SN_GUARD_ENTER(&guard);
	if (status == SN_OK)
		sn_bug(&guard, "value %d has no type", 7);
	assert_int_equal(status, SN_ERR_INTERNAL);
	assert_string_equal(guard.text, "value 7 has no type");
}

static void
copies_strings(void **state)
{
	assert_string_equal(sn_strdup(*state, ""), "");
	assert_string_equal(sn_strdup(*state, "abc"), "abc");
	assert_string_equal(sn_strndup(*state, "abc", 2), "ab");
	assert_string_equal(sn_strndup(*state, "abc", 9), "abc");
	assert_string_equal(sn_printf(*state, "%s-%d", "x", 12), "x-12");
	assert_memory_equal(sn_memdup(*state, "a\0b", 3), "a\0b", 3);
}

static void
grows_vectors(void **state)
{
	SN_VEC(int) v = { 0 };
	for (int i = 0; i < 1000; i++)
		SN_PUSH(*state, &v, i * i);
	assert_int_equal(v.n, 1000);
	assert_true(v.cap >= v.n);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i * i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(aligns_and_zeroes),
		UNIT_TEST(keeps_objects_apart),
		UNIT_TEST(counts_what_it_hands_out),
		UNIT_TEST(leaves_through_the_guard_when_memory_ends),
		UNIT_TEST(holds_to_its_budget),
		UNIT_TEST(children_have_what_is_left),
		UNIT_TEST(reports_a_bug_through_the_guard),
		UNIT_TEST(copies_strings),
		UNIT_TEST(grows_vectors),
	};
	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
