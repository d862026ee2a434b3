/*
 * The printer: functions built by hand, printed in each dialect, compiled by gcc and clang without
 * a warning, run, and compared with plain C.
 */
#include "unit.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "codegen/codegen.h"
#include "ir/loop.h"

typedef void (*func2)(const float *, const float *, float *);

struct fixture {
	struct sn_arena *arena;
	struct sn_pool pool;
	struct sn_func *f;
	struct sn_builder b;
};

static void
set_up(struct fixture *t, void **state, const char *name)
{
	t->arena = *state;
	sn_pool_init(&t->pool, t->arena);
	t->f = sn_func_new(t->arena, &t->pool, name);
	sn_builder_init(&t->b, t->f);
}

static const struct sn_expr *
k(struct fixture *t, int64_t x)
{
	return sn_int(&t->pool, x);
}

/* Compiles the printed F and returns its address. */
static void *
build(struct fixture *t, const char *dialect, const char *cc)
{
	struct sn_buf text;
	char dir[] = "/tmp/sinter-test-XXXXXX";

	sn_buf_init(&text, t->arena);
	sn_print_func(&text, sn_dialect_find(dialect), t->f);
	if (getenv("SHOW"))
		puts(text.text);
	assert_non_null(mkdtemp(dir));
	FILE *f = fopen(sn_printf(t->arena, "%s/k.c", dir), "w");
	fputs(text.text, f);
	fprintf(f, "\nvoid (*const sn_test_kernel)(void) = (void (*)(void))%s;\n", t->f->name);
	fclose(f);
	assert_int_equal(
		system(sn_printf(t->arena,
				 "%s -std=c99 -O2 -march=native -Wall -Wextra "
				 "-Wpedantic -Wconversion -Werror -shared -fPIC -o %s/k.so "
				 "%s/k.c -lm",
				 cc, dir, dir)),
		0);
	void *lib = dlopen(sn_printf(t->arena, "%s/k.so", dir), RTLD_NOW);
	assert_non_null(lib);
	assert_int_equal(system(sn_printf(t->arena, "rm -r %s", dir)), 0);
	return *(void **)dlsym(lib, "sn_test_kernel");
}

static const char *const compilers[] = { "gcc", "clang" };

static void
fill(float *x, int n, unsigned seed)
{
	for (int i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		x[i] = (float)(seed >> 8) / (1 << 23) - 1;
	}
}

enum { M = 4, N = 32, K = 37 };

/* C[M,N] = max(A[M,K] * B[K,N], 0) with accumulators in registers. */
static void
build_gemm(struct fixture *t)
{
	struct sn_builder *b = &t->b;
	struct sn_pool *p = &t->pool;
	struct sn_buffer *x = sn_func_param(t->f, "a", DT_F32, k(t, M * K), true);
	struct sn_buffer *w = sn_func_param(t->f, "w", DT_F32, k(t, K * N), true);
	struct sn_buffer *y = sn_func_param(t->f, "y", DT_F32, k(t, M * N), false);
	struct sn_buffer *acc = sn_at_alloc(b, SP_REG, "acc", DT_F32, 2, (int64_t[]){ M, N / 16 });
	const struct sn_expr *zero = sn_splat(p, sn_float(p, DT_F32, 0), 16);

	acc->lanes = 16;
	const struct sn_expr *i = sn_at_for(b, LK_UNROLLED, "i", k(t, M));
	const struct sn_expr *j = sn_at_for(b, LK_UNROLLED, "j", k(t, N / 16));
	sn_at_store(b, acc, (const struct sn_expr *[]){ i, j }, zero);
	sn_at_end(b);
	sn_at_end(b);
	const struct sn_expr *r = sn_at_for(b, LK_SERIAL, "k", k(t, K));
	i = sn_at_for(b, LK_UNROLLED, "i", k(t, M));
	const struct sn_expr *at = sn_add(p, sn_mulk(p, i, K), r);
	const struct sn_expr *av = sn_at_load(b, "av", x, &at);
	j = sn_at_for(b, LK_UNROLLED, "j", k(t, N / 16));
	at = sn_add(p, sn_mulk(p, r, N), sn_mulk(p, j, 16));
	const struct sn_expr *wv = sn_at_load_lanes(b, "wv", w, &at, 16, 0);
	const struct sn_expr *c = sn_at_load(b, "c", acc, (const struct sn_expr *[]){ i, j });
	sn_at_store(b, acc, (const struct sn_expr *[]){ i, j },
		    sn_op3(p, OP_MAC, sn_splat(p, av, 16), wv, c));
	sn_at_end(b);
	sn_at_end(b);
	sn_at_end(b);
	i = sn_at_for(b, LK_UNROLLED, "i", k(t, M));
	j = sn_at_for(b, LK_UNROLLED, "j", k(t, N / 16));
	c = sn_at_load(b, "c", acc, (const struct sn_expr *[]){ i, j });
	at = sn_add(p, sn_mulk(p, i, N), sn_mulk(p, j, 16));
	sn_at_store(b, y, &at, sn_op2(p, OP_MAX, c, zero));
	sn_at_end(b);
	sn_at_end(b);
}

static void
gemm_with_vectors(void **state)
{
	struct fixture t;
	float a[M * K], w[K * N], y[M * N];

	set_up(&t, state, "k00_gemm");
	build_gemm(&t);
	fill(a, M * K, 1);
	fill(w, K * N, 2);
	for (size_t c = 0; c < ARRAY_LEN(compilers); c++) {
		func2 f;

		*(void **)&f = build(&t, "c", compilers[c]);
		memset(y, 0, sizeof(y));
		f(a, w, y);
		for (int i = 0; i < M; i++)
			for (int j = 0; j < N; j++) {
				double sum = 0;

				for (int r = 0; r < K; r++)
					sum += (double)a[i * K + r] * w[r * N + j];
				assert_true(fabs(y[i * N + j] - fmax(sum, 0)) < 1e-5);
			}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(gemm_with_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
