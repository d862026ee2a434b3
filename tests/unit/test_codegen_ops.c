/*
 * Every scalar operation on every type that has it, as scalars and as vectors, in both dialects:
 * printed into one file, compiled without a warning, run on the edges of the types and compared
 * with the definition (sn_scalar_eval).
 */
#include "unit.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "codegen/print.h"
#include "ir/loop.h"
#include "scalar_jobs.h"

enum { N = JOB_N };

static void
build(struct sn_pool *p, struct sn_printer *out, struct sn_buf *text, const struct job *j)
{
	struct sn_func *f = sn_func_new(p->arena, p, j->name);
	const struct sn_expr *x[3], *size = sn_int(p, N);
	struct sn_buffer *in[3], *r;
	struct sn_builder b;

	sn_builder_init(&b, f);
	for (int k = 0; k < 3; k++)
		in[k] = sn_func_param(f, sn_printf(p->arena, "x%d", k), j->t, size, true);
	r = sn_func_param(f, "r", j->result, size, false);
	const struct sn_expr *at = sn_mulk(
		p, sn_at_for(&b, LK_SERIAL, "i", sn_int(p, N / j->lanes)), j->lanes);

	for (int k = 0; k < job_arity(j); k++)
		x[k] = sn_at_load_lanes(&b, "v", in[k], &at, j->lanes, 0);
	sn_at_store(&b, r, &at, job_apply(p, j, x));
	sn_at_end(&b);
	sn_printer_func(out, text, f, j->name);
}

static void *
compile(struct sn_arena *a, const char *source, const char *command)
{
	char dir[] = "/tmp/sinter-ops-XXXXXX";

	assert_non_null(mkdtemp(dir));
	FILE *f = fopen(sn_printf(a, "%s/k.c", dir), "w");

	fputs(source, f);
	fclose(f);
	assert_int_equal(
		system(sn_printf(a,
				 "cd %s && %s -Wall -Wextra -Wpedantic -Wconversion -Werror "
				 "-shared -fPIC -o k.so k.c -lm",
				 dir, command)),
		0);
	void *lib = dlopen(sn_printf(a, "%s/k.so", dir), RTLD_NOW | RTLD_LOCAL);

	assert_non_null(lib);
	if (!getenv("SHOW"))
		assert_int_equal(system(sn_printf(a, "rm -r %s", dir)), 0);
	return lib;
}

static void *
print_and_compile(struct sn_arena *a, struct jobs *j, const char *dialect, const char *command)
{
	struct sn_pool pool;
	struct sn_printer p;
	struct sn_buf funcs, all;

	sn_pool_init(&pool, a);
	sn_printer_init(&p, sn_dialect_find(dialect), a, &pool);
	sn_buf_init(&funcs, a);
	sn_buf_init(&all, a);
	for (size_t i = 0; i < j->list.n; i++)
		build(&pool, &p, &funcs, &j->list.v[i]);
	sn_buf_add(&all, "#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n"
			 "#include <stdint.h>\n#include <string.h>\n");
	sn_printer_prologue(&p, &all);
	sn_buf_add(&all, funcs.text);
	sn_buf_add(&all, "void (*const functions[])(void) = {\n");
	for (size_t i = 0; i < j->list.n; i++)
		sn_buf_addf(&all, "\t(void (*)(void))%s,\n", j->list.v[i].name);
	sn_buf_add(&all, "};\n");
	return compile(a, all.text, command);
}

static void
run(void **state, const char *dialect, int lanes, const char *command)
{
	struct sn_arena *a = *state;
	struct jobs j = { 0 };
	struct sn_guard guard;
	static uint64_t x[3][N], r[N + 2];

	a->guard = &guard;
	if (SN_GUARD_ENTER(&guard) != SN_OK)
		fail_msg("%s", guard.text);
	jobs_list(&j, a, lanes);
	void *lib = print_and_compile(a, &j, dialect, command);
	void (**f)(const void *, const void *, const void *, void *) = dlsym(lib, "functions");

	for (size_t i = 0; i < j.list.n; i++) {
		const struct job *job = &j.list.v[i];

		for (int k = 0; k < 3; k++)
			for (int e = 0; e < N; e++)
				sn_dtype_store(job->t, x[k], (size_t)e, job_operand(job->t, k, e));
		memset(r, 0x55, sizeof(r));
		f[i](x[0], x[1], x[2], r);
		job_check(job, r, 0);
	}
	dlclose(lib);
}

static void
scalars_c99(void **state)
{
	run(state, "c99", 1, "gcc -std=c99 -O1 -march=native");
}

static void
scalars_clang(void **state)
{
	run(state, "c", 1, "clang -std=gnu99 -O1");
}

static void
vectors_gcc(void **state)
{
	run(state, "c", 8, "gcc -std=gnu99 -O1 -march=native");
}

static void
vectors_clang(void **state)
{
	run(state, "c", 16, "clang -std=c99 -O1 -march=native");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(scalars_c99),
		UNIT_TEST(scalars_clang),
		UNIT_TEST(vectors_gcc),
		UNIT_TEST(vectors_clang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
