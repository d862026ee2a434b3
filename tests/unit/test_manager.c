/* Tests of passes/pass.h: the manager's order, hooks, stops, messages, and its way out of memory. */
#include "tests/unit/unit.h"
#include <string.h>
#include "passes/pass.h"

static const char text[] = "graph g (f32[2] x) => (y)\n"
			   "{\n"
			   "\ta = Relu (x)\n"
			   "\tdead = Neg (a)\n"
			   "\ty = Identity (a)\n"
			   "}\n";

static struct sn_module *
module(void **state)
{
	struct sn_arena *a = *state;
	struct sn_module *m = SN_NEW(a, struct sn_module);
	m->arena = a;
	m->pool = SN_NEW(a, struct sn_pool);
	m->diags = SN_NEW(a, struct sn_diags);
	sn_pool_init(m->pool, a);
	sn_diags_init(m->diags, a);
	assert_true(sn_module_parse(m, text, "t.sn"));
	return m;
}

static int
count_nodes(const struct sn_module *m)
{
	int n = 0;
	SN_FOR_NODES(m->graph, node)
	n++;
	return n;
}

struct seen {
	char names[200];
	int changes;
};

static void
note(void *arg, const struct sn_module *m, const struct sn_pass *p, int64_t ns, bool has_changed)
{
	struct seen *s = arg;
	assert_non_null(m->graph);
	assert_true(ns >= 0);
	strcat(strcat(s->names, p->name), " ");
	s->changes += has_changed;
}

static void
runs_in_order_and_tells(void **state)
{
	static const char *const names[] = { "infer-shapes", "remove-dead", "remove-dead",
					     "rewrite-graph", NULL };
	struct sn_module *m = module(state);
	struct seen seen = { "", 0 };
	struct sn_pipeline_opts o = {
		.passes = names, .is_verified = true, .after = note, .arg = &seen
	};
	assert_true(sn_pipeline_run(m, &o));
	assert_string_equal(seen.names, "infer-shapes remove-dead remove-dead rewrite-graph ");
	assert_int_equal(seen.changes, 3);
	assert_int_equal(count_nodes(m), 1);
}

static void
stops_where_told(void **state)
{
	static const char *const names[] = { "infer-shapes", "remove-dead", "rewrite-graph", NULL };
	struct sn_module *m = module(state);
	struct sn_pipeline_opts o = { .passes = names, .stop_after = "remove-dead" };
	assert_true(sn_pipeline_run(m, &o));
	assert_int_equal(count_nodes(m), 2);
}

static void
refuses_unknown_names_before_it_starts(void **state)
{
	static const char *const names[] = { "infer-shapes", "remove-bugs", "remove-dead", NULL };
	struct sn_module *m = module(state);
	struct sn_pipeline_opts o = { .passes = names, .stop_after = "rewrite-graph" };
	assert_false(sn_pipeline_run(m, &o));
	assert_int_equal(m->diags->errors, 2);
	assert_string_equal(m->diags->list.v[0].text, "no pass is named 'remove-bugs'");
	assert_int_equal(count_nodes(m), 3);
}

static void
resumes_from_a_later_level(void **state)
{
	static const char *const lower[] = { "infer-shapes", "lower-graph", NULL };
	struct sn_module *m = module(state);
	struct sn_pipeline_opts o = { .passes = lower, .is_verified = true };
	assert_int_equal(sn_module_level(m), LV_GRAPH);
	assert_true(sn_pipeline_run(m, &o));
	assert_int_equal(sn_module_level(m), LV_TENSOR);
	struct seen seen = { "", 0 };
	static const char *const graph[] = { "remove-dead", NULL };
	struct sn_pipeline_opts again = { .passes = graph, .after = note, .arg = &seen };
	assert_true(sn_pipeline_run(m, &again));
	assert_string_equal(seen.names, "");
}

static void
a_saved_program_is_read_back(void **state)
{
	static const char *const lower[] = { "infer-shapes", "lower-graph", NULL };
	struct sn_module *m = module(state), *back = module(state);
	struct sn_pipeline_opts o = { .passes = lower };
	assert_true(sn_pipeline_run(m, &o));
	struct sn_buf first, second;
	sn_buf_init(&first, m->arena);
	sn_buf_init(&second, m->arena);
	sn_module_print(&first, m, LV_TENSOR, true);
	back->graph = NULL;
	assert_true(sn_module_parse(back, first.text, "t.sn"));
	assert_int_equal(sn_module_level(back), LV_TENSOR);
	sn_module_print(&second, back, LV_TENSOR, true);
	assert_string_equal(first.text, second.text);
}

static void
running_out_of_memory_names_the_pass(void **state)
{
	static const char *const infer[] = { "infer-shapes", NULL };
	static const char *const lower[] = { "lower-graph", NULL };
	struct sn_module *m = module(state);
	struct sn_pipeline_opts o = { .passes = infer };
	assert_true(sn_pipeline_run(m, &o));
	struct sn_guard guard;
	o.passes = lower;
	m->arena->guard = &guard;
	m->arena->budget = m->arena->used + 2048;
	enum sn_status s = SN_GUARD_ENTER(&guard);
	if (s == SN_OK)
		sn_pipeline_run(m, &o);
	assert_int_equal(s, SN_ERR_MEMORY);
	assert_memory_equal(guard.text, "lower-graph: ", 13);
	assert_ptr_equal(m->arena->guard, &guard);
	m->arena->guard = NULL;
}

static void
names_every_pass_once(void **state)
{
	(void)state;
	int n;
	const struct sn_pass *p = sn_passes(&n);
	for (int i = 0; i < n; i++) {
		assert_ptr_equal(sn_pass_find(p[i].name), &p[i]);
		assert_true(p[i].result >= p[i].level);
		assert_true(*p[i].summary);
	}
	for (const char *const *name = sn_pipeline_default(); *name; name++)
		assert_non_null(sn_pass_find(*name));
	assert_null(sn_pass_find("no-such-pass"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(runs_in_order_and_tells),
		UNIT_TEST(stops_where_told),
		UNIT_TEST(refuses_unknown_names_before_it_starts),
		UNIT_TEST(resumes_from_a_later_level),
		UNIT_TEST(a_saved_program_is_read_back),
		UNIT_TEST(running_out_of_memory_names_the_pass),
		UNIT_TEST(names_every_pass_once),
	};
	return cmocka_run_group_tests_name("manager", tests, NULL, NULL);
}
