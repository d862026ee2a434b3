/*
 * Every scalar operation on every type in OpenCL C, as scalars and in vectors of each width: one
 * kernel for each type, which does all its operations, built and run by the driver and compared
 * with the definition (sn_scalar_eval).
 */
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "codegen/print.h"
#include "ir/loop.h"
#include "run_opencl.h"
#include "scalar_jobs.h"

enum { ITEMS = 4 };

/* What one kernel reads and writes. */
struct kernel {
	enum sn_dtype t;
	const char *name;
	SN_VEC(const struct job *) jobs;
	size_t first[DT_COUNT]; /* results of each type so far */
	struct sn_buffer *results[DT_COUNT];
};

/* Stores the result of J after those of its type. */
static void
add_job(struct kernel *k, struct sn_builder *b, const struct job *j, const struct sn_expr *const *x,
	const struct sn_expr *at)
{
	const struct sn_expr *to = sn_addk(b->pool, at, (int64_t)(k->first[j->result]));

	sn_at_store(b, k->results[j->result], &to, job_apply(b->pool, j, x));
	k->first[j->result] += JOB_N;
}

static void
build(struct kernel *k, struct sn_printer *out, struct sn_buf *text, int lanes)
{
	struct sn_pool *p = out->pool;
	struct sn_func *f = sn_func_new(p->arena, p, k->name);
	const struct sn_expr *x[3], *size = sn_int(p, JOB_N);
	struct sn_buffer *in[3];
	struct sn_builder b;

	sn_builder_init(&b, f);
	for (int i = 0; i < 3; i++)
		in[i] = sn_func_param(f, sn_printf(p->arena, "x%d", i), k->t, size, true);
	for (int t = 0; t < DT_COUNT; t++)
		if (k->first[t])
			k->results[t] = sn_func_param(f, sn_printf(p->arena, "r%d", t),
						      (enum sn_dtype)t,
						      sn_int(p, (int64_t)k->first[t]), false);
	memset(k->first, 0, sizeof(k->first));
	const struct sn_expr *g = sn_at_for(&b, LK_GRID, "g", sn_int(p, JOB_N / lanes / ITEMS));
	const struct sn_expr *i = sn_at_for(&b, LK_ITEM, "i", sn_int(p, ITEMS));
	const struct sn_expr *at = sn_mulk(p, sn_add(p, sn_mulk(p, g, ITEMS), i), lanes);

	for (int n = 0; n < 3; n++)
		x[n] = sn_at_load_lanes(&b, "v", in[n], &at, lanes, 0);
	for (size_t n = 0; n < k->jobs.n; n++)
		add_job(k, &b, k->jobs.v[n], x, at);
	sn_at_end(&b);
	sn_at_end(&b);
	sn_printer_kernel(out, text, f, k->name, NULL);
}

/* Parameters in the order of build(). */
static void
run_kernel(struct sn_arena *a, struct opencl_program *program, struct kernel *k, int lanes)
{
	struct opencl_memory mems[3 + DT_COUNT];
	int64_t nums[3 + DT_COUNT] = { 0 };
	void *results[DT_COUNT];
	struct opencl_call c = {
		.kernel = k->name, .ndims = 1, .nmems = 3, .mems = mems, .nums = nums
	};

	for (int n = 0; n < 3; n++) {
		mems[n].size = sn_dtype_bytes(k->t, JOB_N);
		mems[n].bytes = sn_alloc(a, mems[n].size);
		for (int e = 0; e < JOB_N; e++)
			sn_dtype_store(k->t, mems[n].bytes, (size_t)e, job_operand(k->t, n, e));
	}
	for (int t = 0; t < DT_COUNT; t++)
		if (k->first[t]) {
			struct opencl_memory *m = &mems[c.nmems++];

			m->size = sn_dtype_bytes((enum sn_dtype)t, k->first[t]);
			m->bytes = results[t] = sn_alloc(a, m->size);
			memset(m->bytes, 0x55, m->size);
		}
	c.nnums = c.nmems;
	c.groups[0] = (size_t)(JOB_N / lanes / ITEMS);
	c.items[0] = ITEMS;
	const char *why = opencl_run(program, &c);

	if (why)
		fail_msg("%s", why);
	memset(k->first, 0, sizeof(k->first));
	for (size_t n = 0; n < k->jobs.n; n++) {
		const struct job *j = k->jobs.v[n];

		job_check(j, results[j->result], k->first[j->result]);
		k->first[j->result] += JOB_N;
	}
}

/* Drivers take long to build these kernels: in all widths the types of some sizes only. */
static bool
is_tested(enum sn_dtype t, int lanes)
{
	return lanes == 1 || lanes == 4 || t == DT_F32 || t == DT_F16 || t == DT_I8 || t == DT_U64
	       || t == DT_BOOL;
}

/* One kernel for each type that JOBS has. */
static void
sort_jobs(struct sn_arena *a, const struct jobs *jobs, int lanes, struct kernel *kernels)
{
	for (size_t i = 0; i < jobs->list.n; i++) {
		const struct job *j = &jobs->list.v[i];
		struct kernel *k = &kernels[j->t];

		if (!is_tested(j->t, lanes))
			continue;
		k->t = j->t;
		k->name = sn_printf(a, "on_%s", sn_dtype_info(j->t)->text);
		k->first[j->result]++;
		SN_PUSH(a, &k->jobs, j);
	}
}

static void
run(void **state, int lanes)
{
	struct sn_arena *a = *state;
	struct jobs jobs = { 0 };
	struct sn_guard guard;
	static struct kernel kernels[DT_COUNT];
	struct sn_pool pool;
	struct sn_printer p;
	struct sn_buf funcs, all;
	const char *why;

	a->guard = &guard;
	if (SN_GUARD_ENTER(&guard) != SN_OK)
		fail_msg("%s", guard.text);
	memset(kernels, 0, sizeof(kernels));
	sn_pool_init(&pool, a);
	sn_printer_init(&p, sn_dialect_find("opencl"), a, &pool);
	sn_buf_init(&funcs, a);
	sn_buf_init(&all, a);
	jobs_list(&jobs, a, lanes);
	sort_jobs(a, &jobs, lanes, kernels);
	for (int t = 0; t < DT_COUNT; t++)
		if (kernels[t].name)
			build(&kernels[t], &p, &funcs, lanes);
	sn_printer_prologue(&p, &all);
	sn_buf_add(&all, funcs.text);
	if (getenv("SHOW"))
		puts(all.text);
	struct opencl_program *program = opencl_build(all.text, p.dialect->flags, &why);

	if (!program)
		fail_msg("%s", why);
	for (int t = 0; t < DT_COUNT; t++)
		if (kernels[t].name)
			run_kernel(a, program, &kernels[t], lanes);
	opencl_free(program);
}

static void
scalars(void **state)
{
	run(state, 1);
}

static void
pairs(void **state)
{
	run(state, 2);
}

static void
vectors_of_4(void **state)
{
	run(state, 4);
}

static void
vectors_of_8(void **state)
{
	run(state, 8);
}

static void
vectors_of_16(void **state)
{
	run(state, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(scalars),	 UNIT_TEST(pairs),	   UNIT_TEST(vectors_of_4),
		UNIT_TEST(vectors_of_8), UNIT_TEST(vectors_of_16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
