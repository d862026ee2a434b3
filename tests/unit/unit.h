/*
 * What every unit test starts with: cmocka, and an arena per test.
 *
 *	UNIT_TEST(x) in the list runs x(void **state) with *state an sn_arena.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "support/arena.h"

static inline int
unit_set_up(void **state)
{
	struct sn_arena *a = malloc(sizeof(*a));
	if (!a)
		return -1;
	sn_arena_init(a, NULL);
	*state = a;
	return 0;
}

static inline int
unit_tear_down(void **state)
{
	sn_arena_release(*state);
	free(*state);
	return 0;
}

#define UNIT_TEST(f) cmocka_unit_test_setup_teardown(f, unit_set_up, unit_tear_down)

#endif
