/*
 * Programs of the tensor level in unit tests: from text, run on arrays.
 */
#ifndef TESTS_UNIT_TENSOR_FIXTURE_H
#define TESTS_UNIT_TENSOR_FIXTURE_H

#include <stdio.h>
#include "ir/tensor.h"

struct fixture {
	struct sn_arena *arena;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_program *pr;
	int64_t syms[8];
};

static inline void
fixture_init(struct fixture *x, void **state)
{
	*x = (struct fixture){ .arena = *state };
	sn_pool_init(&x->pool, *state);
	sn_diags_init(&x->diags, *state);
}

/* What went wrong, for a failing test's log. */
static inline void
fixture_show(struct fixture *x)
{
	struct sn_buf b;
	sn_buf_init(&b, x->arena);
	sn_diags_print(&x->diags, &b);
	fputs(b.text, stderr);
}

/* A program that must be well. */
static inline void
fixture_parse(struct fixture *x, void **state, const char *text)
{
	fixture_init(x, state);
	x->pr = sn_program_parse(text, "test", x->arena, &x->pool, &x->diags);
	bool ok = x->pr && sn_program_verify(x->pr, &x->diags);
	if (!ok)
		fixture_show(x);
	assert_true(ok);
}

static inline bool
fixture_try(struct fixture *x, bool is_f64, const struct sn_array *in, struct sn_array *out)
{
	struct sn_interp_opts o = { .is_all_f64 = is_f64, .syms = x->syms };
	return sn_program_interp(x->pr, &o, in, out, sn_arena_child(x->arena), &x->diags);
}

static inline void
fixture_run(struct fixture *x, bool is_f64, const struct sn_array *in, struct sn_array *out)
{
	bool ok = fixture_try(x, is_f64, in, out);
	if (!ok)
		fixture_show(x);
	assert_true(ok);
}

#define ARRAY(t, a) ((struct sn_array){ (t), ARRAY_LEN(a), (a) })

#endif
