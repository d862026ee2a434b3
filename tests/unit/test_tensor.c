/*
 * Tensor level: building, reducers, the text form on made-up programs, its errors.
 */
#include "tests/unit/unit.h"
#include <string.h>
#include "tests/unit/tensor_fixture.h"

static const char *
print(struct sn_arena *a, const struct sn_program *pr)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_program_print(&b, pr, true);
	return b.text;
}

/* ---- building ---- */

static void
test_names_are_unique(void **state)
{
	struct fixture x;
	struct sn_type t = { .dtype = DT_F32 };
	fixture_init(&x, state);
	struct sn_program *pr = sn_program_new(x.arena, &x.pool, "p");
	assert_string_equal(sn_tensor_new(pr, "x", &t, TR_TEMP)->name, "x");
	assert_string_equal(sn_tensor_new(pr, "x_2", &t, TR_TEMP)->name, "x_2");
	assert_string_equal(sn_tensor_new(pr, "x", &t, TR_TEMP)->name, "x_3");
	assert_string_equal(sn_tensor_new(pr, "x", &t, TR_INPUT)->name, "x_4");
	assert_string_equal(sn_tensor_new(pr, NULL, &t, TR_TEMP)->name, "t4");
	assert_string_equal(sn_kernel_new(pr, "x")->name, "x");
	assert_string_equal(sn_kernel_new(pr, "x")->name, "x_2");
	assert_int_equal(pr->inputs.n, 1);
}

static void
test_knobs(void **state)
{
	struct fixture x;
	fixture_init(&x, state);
	struct sn_program *pr = sn_program_new(x.arena, &x.pool, "p");
	struct sn_kernel *k = sn_kernel_new(pr, "k");
	assert_int_equal(sn_kernel_knob(k, "mr", 7), 7);
	sn_kernel_set_knob(pr, k, "mr", 6);
	sn_kernel_set_knob(pr, k, "nr", 16);
	sn_kernel_set_knob(pr, k, "mr", 8);
	assert_int_equal(sn_kernel_knob(k, "mr", 7), 8);
	assert_int_equal(k->knobs.n, 2);
}

static const char two_stages[] =
	"program \"p\" { input f32[4,8] x input f32[8] b input i64[4] at temp f32[4] m output f32[4,8] y\n"
	"kernel k { for i<4: s = max(j<8) x[i, j] + b[j] m[i] = s\n"
	"for i<4, j<8: y[i, j] = (x[at[i], j] else 0.0) - m[i] } }";

static void
test_reads_and_stores(void **state)
{
	struct fixture x;
	struct sn_tensor_list l;
	char names[64] = "";
	fixture_parse(&x, state, two_stages);
	sn_kernel_reads(x.pr->kernels.v[0], x.arena, &l);
	for (size_t i = 0; i < l.list.n; i++)
		strcat(strcat(names, l.list.v[i]->name), " ");
	assert_string_equal(names, "x b at m ");
	sn_kernel_stores(x.pr->kernels.v[0], x.arena, &l);
	assert_int_equal(l.list.n, 2);
	assert_string_equal(l.list.v[0]->name, "m");
	assert_string_equal(l.list.v[1]->name, "y");
}

static void
test_copy_has_fresh_axes(void **state)
{
	struct fixture x;
	fixture_parse(&x, state, two_stages);
	const struct sn_comp *c = x.pr->kernels.v[0]->stages.v[0];
	const char *before = print(x.arena, x.pr);
	struct sn_comp *copy = sn_comp_copy(x.pr, c);
	assert_ptr_not_equal(copy->axes[0], c->axes[0]);
	assert_false(sn_expr_has_axis(copy->args[0], c->red[0]));
	assert_true(sn_expr_has_axis(copy->args[0], copy->red[0]));
	assert_ptr_equal(copy->results[0].idx[0], sn_axis_expr(&x.pool, copy->axes[0]));
	assert_string_equal(print(x.arena, x.pr), before);
	x.pr->kernels.v[0]->stages.v[0] = copy;
	assert_string_equal(print(x.arena, x.pr), before);
}

static void
test_reducers_by_type(void **state)
{
	struct fixture x;
	fixture_init(&x, state);
	assert_null(sn_reducer(&x.pool, "median", DT_F32));
	assert_null(sn_reducer(&x.pool, "and", DT_F32));
	assert_null(sn_reducer(&x.pool, "sum", DT_BOOL));
	assert_true(sn_reducer(&x.pool, "max", DT_I8)->init[0]->num.i == -128);
	assert_true(sn_reducer(&x.pool, "min", DT_U16)->init[0]->num.i == 65535);
	assert_true(sn_reducer(&x.pool, "min", DT_U64)->init[0]->num.i == -1);
	assert_true(sn_reducer(&x.pool, "and", DT_BOOL)->init[0]->num.i == 1);
	assert_true(sn_reducer(&x.pool, "and", DT_I16)->init[0]->num.i == -1);
	assert_int_equal(sn_reducer(&x.pool, "argmax", DT_F32)->nstates, 2);
}

/* Merging halves gives what one run over all gives. */
static void
test_merge_agrees_with_step(void **state)
{
	static const double values[] = { 2, 5, 5, 1, 5, 0 };
	static const char *const names[] = { "sum",    "prod",	 "max",		"min",
					     "argmax", "argmin", "argmax_last", "argmin_last" };
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct fixture x;
		fixture_init(&x, state);
		const struct sn_reducer *r = sn_reducer(&x.pool, names[k], DT_F64);
		const struct sn_expr *part[3][4];
		/* all; the even ones; the odd ones */
		for (int p = 0; p < 3; p++) {
			for (int s = 0; s < r->nstates; s++)
				part[p][s] = r->init[s];
			for (int i = 0; i < 6; i++) {
				const struct sn_expr *next[4];
				struct sn_subst sub;
				if (p && i % 2 != p - 1)
					continue;
				sn_subst_init(&sub, &x.pool, x.arena);
				sn_subst_put(&sub, sn_arg(&x.pool, DT_F64, 0),
					     sn_float(&x.pool, DT_F64, values[i]));
				sn_subst_put(&sub, sn_arg(&x.pool, DT_I64, 1), sn_int(&x.pool, i));
				for (int s = 0; s < r->nstates; s++)
					sn_subst_put(&sub, sn_state(&x.pool, r->state_types[s], s),
						     part[p][s]);
				for (int s = 0; s < r->nstates; s++)
					next[s] = sn_subst(&sub, r->step[s]);
				memcpy(part[p], next, sizeof(next));
			}
		}
		struct sn_subst sub;
		sn_subst_init(&sub, &x.pool, x.arena);
		for (int s = 0; s < r->nstates; s++) {
			sn_subst_put(&sub, sn_state(&x.pool, r->state_types[s], s), part[1][s]);
			sn_subst_put(&sub, sn_other(&x.pool, r->state_types[s], s), part[2][s]);
		}
		for (int s = 0; s < r->nstates; s++)
			assert_ptr_equal(sn_subst(&sub, r->merge[s]), part[0][s]);
	}
}

/* ---- made-up programs: text, verifier and interpreter agree about them ---- */

struct maker {
	struct fixture *x;
	uint64_t seed;
	const struct sn_expr *axes[8];
	int naxes;
	const struct sn_tensor *tensor;	       /* f32[9,9] */
	SN_VEC(const struct sn_expr *) values; /* f32, to be used again */
};

static unsigned
pick(struct maker *m, unsigned n)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(m->seed >> 33) % n;
}

static const struct sn_expr *
make_index(struct maker *m, int depth)
{
	struct sn_pool *p = &m->x->pool;
	const struct sn_expr *a = m->axes[pick(m, (unsigned)m->naxes)];
	if (depth == 0)
		return a;
	const struct sn_expr *b = make_index(m, depth - 1);
	switch (pick(m, 6)) {
	case 0: return sn_mulk(p, a, (int64_t)pick(m, 5) - 2);
	case 1: return sn_divk(p, b, 1 + pick(m, 4));
	case 2: return sn_modk(p, b, 1 + pick(m, 4));
	case 3: return sn_op2(p, OP_MIN, a, b);
	case 4: return sn_sub(p, a, b);
	default: return sn_addk(p, sn_add(p, a, b), (int64_t)pick(m, 5) - 2);
	}
}

static const struct sn_expr *
make_value(struct maker *m, int depth)
{
	static const enum sn_scalar_op ops[] = { OP_ADD, OP_SUB, OP_MUL, OP_MIN, OP_MAX };
	struct sn_pool *p = &m->x->pool;
	const struct sn_expr *e;
	if (m->values.n && pick(m, 3) == 0)
		return m->values.v[pick(m, (unsigned)m->values.n)];
	if (depth == 0) {
		const struct sn_expr *idx[] = { make_index(m, 2), make_index(m, 1) };
		e = sn_read(p, m->tensor, idx, 2, sn_float(p, DT_F32, (double)pick(m, 3) - 1));
	} else if (pick(m, 4) == 0) {
		e = sn_op1(p, pick(m, 2) ? OP_ABS : OP_NEG, make_value(m, depth - 1));
	} else if (pick(m, 6) == 0) {
		e = sn_op3(p, OP_SELECT, sn_op2(p, OP_LT, make_index(m, 1), sn_int(p, 3)),
			   make_value(m, depth - 1), make_value(m, depth - 1));
	} else if (pick(m, 8) == 0) {
		e = sn_cast(p, DT_F32, make_index(m, 2));
	} else {
		e = sn_op2(p, ops[pick(m, ARRAY_LEN(ops))], make_value(m, depth - 1),
			   make_value(m, depth - 1));
	}
	SN_PUSH(m->x->arena, &m->values, e);
	return e;
}

static void
make_comp(struct maker *m, struct sn_kernel *k, struct sn_tensor *y)
{
	static const char *const reducers[] = { "sum", "max", "min" };
	struct sn_pool *p = &m->x->pool;
	struct sn_comp *c = SN_NEW(m->x->arena, struct sn_comp);
	m->naxes = 0;
	m->values.n = 0;
	for (int i = 0; i < 2; i++) {
		c->axes[c->naxes] = sn_axis_new(p, i ? "j" : "i", sn_int(p, i ? 11 : 13));
		m->axes[m->naxes++] = sn_axis_expr(p, c->axes[c->naxes++]);
	}
	const struct sn_expr *outer = make_value(m, 1);
	if (pick(m, 3)) {
		c->reducer = sn_reducer(p, reducers[pick(m, 3)], DT_F32);
		for (unsigned i = 0; i < 1 + pick(m, 2); i++) {
			/* a name that is taken, sometimes */
			const char *name = pick(m, 2) ? "j" : "r";
			c->red[c->nred] = sn_axis_new(p, name, sn_int(p, 1 + pick(m, 4)));
			m->axes[m->naxes++] = sn_axis_expr(p, c->red[c->nred++]);
		}
		c->args[0] = make_value(m, 4);
		m->naxes = 2;
		m->values.n = 0;
		SN_PUSH(m->x->arena, &m->values, sn_state(p, DT_F32, 0));
	}
	SN_PUSH(m->x->arena, &m->values, outer);
	c->results[c->nresults++] =
		(struct sn_result){ y, { m->axes[0], m->axes[1] }, make_value(m, 4) };
	SN_PUSH(m->x->arena, &k->stages, c);
}

static void
make_program(struct maker *m)
{
	struct fixture *x = m->x;
	struct sn_type in = { .dtype = DT_F32, .rank = 2 }, out = in;
	in.dims[0] = in.dims[1] = sn_int(&x->pool, 9);
	out.dims[0] = sn_int(&x->pool, 13);
	out.dims[1] = sn_int(&x->pool, 11);
	x->pr = sn_program_new(x->arena, &x->pool, "made");
	m->tensor = sn_tensor_new(x->pr, "x", &in, TR_INPUT);
	for (unsigned i = 0; i < 1 + pick(m, 3); i++) {
		struct sn_kernel *k = sn_kernel_new(x->pr, "k");
		make_comp(m, k, sn_tensor_new(x->pr, "y", &out, TR_OUTPUT));
		SN_PUSH(x->arena, &x->pr->kernels, k);
	}
}

static void
run_made(struct fixture *x, float *y)
{
	float v[81];
	struct sn_array out[3];
	for (int i = 0; i < 81; i++)
		v[i] = (float)(i * 7 % 19 - 9);
	for (size_t i = 0; i < x->pr->outputs.n; i++)
		out[i] = (struct sn_array){ DT_F32, 143, y + 143 * i };
	fixture_run(x, false, &ARRAY(DT_F32, v), out);
}

static void
test_made_up_programs_round_trip(void **state)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct fixture x, again;
		struct sn_arena *a = sn_arena_child(*state);
		static float y[3 * 143], z[3 * 143];
		memset(y, 0, sizeof(y));
		memset(z, 0, sizeof(z));
		fixture_init(&x, (void **)&a);
		make_program(&(struct maker){ .x = &x, .seed = seed * 977 });
		if (!sn_program_verify(x.pr, &x.diags))
			fixture_show(&x);
		assert_int_equal(x.diags.errors, 0);
		const char *text = print(a, x.pr);
		fixture_parse(&again, (void **)&a, text);
		assert_string_equal(print(a, again.pr), text);
		run_made(&x, y);
		run_made(&again, z);
		assert_memory_equal(y, z, sizeof(y));
		sn_arena_release(a);
	}
}

/* ---- the text form's size and errors ---- */

static void
test_shared_parts_keep_the_text_short(void **state)
{
	struct fixture x;
	struct sn_buf b;
	sn_buf_init(&b, *state);
	sn_buf_add(&b, "program \"p\" { input f32[4] x output f32[4] y kernel k { for i<4:\n"
		       "let a0 = x[i] + 1.0\n");
	for (int i = 1; i < 200; i++)
		sn_buf_addf(&b, "let a%d = a%d * a%d + a%d\n", i, i - 1, i - 1, i - 1);
	sn_buf_add(&b, "y[i] = a199 } }");
	fixture_parse(&x, state, b.text);
	assert_in_range(strlen(print(x.arena, x.pr)), 1000, 20000);
}

static void
test_errors_have_a_place(void **state)
{
	static const struct {
		const char *text;
		int line, column;
	} cases[] = {
		{ "", 1, 1 },
		{ "program \"p\" {", 1, 14 },
		{ "program \"p\" {\n input f32[4] x\n input f32[4] x }", 3, 15 },
		{ "program \"p\" {\n input f32[?] x }", 2, 8 },
		{ "program \"p\" {\n temp f32[4] v view w }", 2, 16 },
		{ "program \"p\" {\n output f32[4] y kernel k {\n for i<4: y[i, 0] = 1.0 } }", 3,
		  19 },
		{ "program \"p\" {\n output f32[4] y kernel k {\n for i<4: y[i] = j } }", 3, 18 },
		{ "program \"p\" {\n output f32[4] y kernel k {\n for i<4, i<4: y[i] = 1.0 } }", 3,
		  14 },
		{ "program \"p\" {\n output f32[4] y kernel k {\n for i<4: s = mean(j<4) 1.0 y[i] = s } }",
		  3, 29 },
		{ "program \"p\" {\n kernel k { } kernel k { } }", 2, 22 },
		{ "program \"p\" { } x", 1, 17 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture x;
		fixture_init(&x, state);
		assert_null(sn_program_parse(cases[i].text, "t", x.arena, &x.pool, &x.diags));
		assert_int_equal(x.diags.errors, 1);
		assert_int_equal(x.diags.list.v[0].where.line, cases[i].line);
		assert_int_equal(x.diags.list.v[0].where.column, cases[i].column);
	}
}

/* Every prefix of a program, and the program with each byte replaced, is refused or read. */
static void
test_damaged_text(void **state)
{
	char text[sizeof(two_stages)];
	for (size_t i = 0; i + 1 < sizeof(two_stages); i++) {
		for (int k = 0; k < 3; k++) {
			struct fixture x;
			struct sn_arena *a = sn_arena_child(*state);
			memcpy(text, two_stages, sizeof(text));
			text[i] = "\0({"[k];
			fixture_init(&x, (void **)&a);
			x.pr = sn_program_parse(text, "t", a, &x.pool, &x.diags);
			assert_true(x.pr != NULL || x.diags.errors > 0);
			if (x.pr)
				sn_program_verify(x.pr, &x.diags);
			sn_arena_release(a);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_names_are_unique),
		UNIT_TEST(test_knobs),
		UNIT_TEST(test_reads_and_stores),
		UNIT_TEST(test_copy_has_fresh_axes),
		UNIT_TEST(test_reducers_by_type),
		UNIT_TEST(test_merge_agrees_with_step),
		UNIT_TEST(test_made_up_programs_round_trip),
		UNIT_TEST(test_shared_parts_keep_the_text_short),
		UNIT_TEST(test_errors_have_a_place),
		UNIT_TEST(test_damaged_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
