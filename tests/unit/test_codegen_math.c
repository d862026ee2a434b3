/*
 * Accuracy of the mathematical functions as emitted: all of f32 in steps of a prime, against the C
 * library in double, for vectors and scalars, with and without fused multiply-add.
 */
#include "unit.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "codegen/codegen.h"
#include "ir/loop.h"

enum { STEP = 9973, LANES = 16, MAX_N = 1 << 19 };

static double
sigmoid(double x)
{
	return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static const struct {
	enum sn_scalar_op op;
	double (*exact)(double x);
	double ulps;  /* most allowed */
	double range; /* of |x| */
} cases[] = {
	{ OP_EXP, exp, 1, INFINITY },		{ OP_EXPM1, expm1, 1.5, INFINITY },
	{ OP_LOG, log, 1, INFINITY },		{ OP_LOG1P, log1p, 1.5, INFINITY },
	{ OP_SIGMOID, sigmoid, 2.5, INFINITY }, { OP_TANH, tanh, 3, INFINITY },
	{ OP_ERF, erf, 2, INFINITY },		{ OP_SIN, sin, 1.5, INFINITY },
	{ OP_COS, cos, 1.5, INFINITY },		{ OP_RINT, rint, 0, INFINITY },
	{ OP_FLOOR, floor, 0, INFINITY },	{ OP_CEIL, ceil, 0, INFINITY },
	{ OP_TRUNC, trunc, 0, INFINITY },	{ OP_SQRT, sqrt, 0.5, INFINITY },
	{ OP_ATAN, atan, 1, INFINITY },
};

/* A function for each case, over N elements. */
static void
print_functions(struct sn_buf *out, struct sn_arena *a, const char *dialect, int lanes)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sn_pool p;
		struct sn_builder b;

		sn_pool_init(&p, a);
		struct sn_func *f = sn_func_new(a, &p, sn_printf(a, "f%zu", i));
		struct sn_sym *n = sn_sym_new(&p, "n", 1, INT64_MAX);
		const struct sn_expr *size = sn_sym_expr(&p, n);
		struct sn_buffer *x = sn_func_param(f, "x", DT_F32, size, true);
		struct sn_buffer *y = sn_func_param(f, "y", DT_F32, size, false);

		SN_PUSH(a, &f->syms, n);
		sn_builder_init(&b, f);
		const struct sn_expr *k = sn_at_for(&b, LK_SERIAL, "i", sn_divk(&p, size, lanes));
		const struct sn_expr *at = sn_mulk(&p, k, lanes);
		const struct sn_expr *v = sn_at_load_lanes(&b, "v", x, &at, lanes, 0);

		sn_at_store(&b, y, &at, sn_op1(&p, cases[i].op, v));
		sn_at_end(&b);
		sn_buf_addf(out, "/* FILE %zu */\n", i);
		sn_print_func(out, sn_dialect_find(dialect), f);
		sn_buf_addf(out,
			    "void (*const f%zu_pointer)(const float *, float *, int64_t) = f%zu;\n",
			    i, i);
	}
}

/* Writes each function into a file of its own and compiles all. */
static void *
compile(struct sn_arena *a, const char *text, const char *command)
{
	char dir[] = "/tmp/sinter-math-XXXXXX";

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *from = strstr(text, sn_printf(a, "/* FILE %zu */", i));
		const char *to = strstr(from + 1, "/* FILE");
		FILE *f = fopen(sn_printf(a, "%s/f%zu.c", dir, i), "w");

		fwrite(from, 1, to ? (size_t)(to - from) : strlen(from), f);
		fclose(f);
	}
	assert_int_equal(
		system(sn_printf(a,
				 "cd %s && %s -Wall -Wextra -Wpedantic -Wconversion -Werror "
				 "-shared -fPIC -o f.so f*.c -lm",
				 dir, command)),
		0);
	void *lib = dlopen(sn_printf(a, "%s/f.so", dir), RTLD_NOW | RTLD_LOCAL);

	assert_non_null(lib);
	if (!getenv("SHOW"))
		assert_int_equal(system(sn_printf(a, "rm -r %s", dir)), 0);
	return lib;
}

static double
ulps(double want, float got)
{
	float near = (float)want;

	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got) ? 0 : INFINITY;
	if (isinf(near) || isinf(got))
		return near == got ? 0 : INFINITY;
	float mag = fabsf(near) < 0x1p-126f ? 0x1p-126f : fabsf(near);

	return fabs(want - got) / ldexp(1, ilogb(mag) - 23);
}

static int
arguments(float *x, double range)
{
	int n = 0;

	for (uint64_t b = 0; b < (uint64_t)1 << 32; b += STEP) {
		uint32_t bits = (uint32_t)b;

		memcpy(&x[n], &bits, 4);
		if (!(fabs(x[n]) > range) && !(isnan(x[n]) && range < INFINITY))
			n++;
	}
	static const float special[] = { 0.0f,	-0.0f, INFINITY, -INFINITY, NAN,  1.0f,
					 -1.0f, 88.7f, -87.4f,	 -103.9f,   0.5f, 1.5f,
					 2.5f,	-0.5f, -1.5f,	 8388607.5f };

	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (!(fabs(special[i]) > range) && !(isnan(special[i]) && range < INFINITY))
			x[n++] = special[i];
	while (n % LANES)
		x[n++] = 1;
	return n;
}

static void
measure(struct sn_arena *a, const char *dialect, int lanes, const char *command)
{
	static float x[MAX_N], y[MAX_N];
	struct sn_buf text;

	sn_buf_init(&text, a);
	print_functions(&text, a, dialect, lanes);
	void *lib = compile(a, text.text, command);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		void (**f)(const float *, float *, int64_t);
		int n = arguments(x, cases[i].range), at = 0;
		double worst = 0;

		*(void **)&f = dlsym(lib, sn_printf(a, "f%zu_pointer", i));
		(*f)(x, y, n);
		for (int j = 0; j < n; j++) {
			double e = ulps(cases[i].exact(x[j]), y[j]);

			if (e > worst) {
				worst = e;
				at = j;
			}
		}
		print_message("%-8s %2d lanes: %.3f ulp at %a\n", sn_scalar_info(cases[i].op)->text,
			      lanes, worst, (double)x[at]);
		if (worst > cases[i].ulps)
			fail_msg("%s(%a) = %a, off by %g ulp", sn_scalar_info(cases[i].op)->text,
				 (double)x[at], (double)y[at], worst);
	}
	dlclose(lib);
}

static void
vectors_gcc(void **state)
{
	measure(*state, "c", LANES, "gcc -std=c99 -O2 -march=native");
}

static void
vectors_clang(void **state)
{
	measure(*state, "c", LANES, "clang -std=c99 -O2 -march=native");
}

static void
vectors_without_fma(void **state)
{
	measure(*state, "c", 4, "gcc -std=c99 -O2");
}

static void
scalars(void **state)
{
	measure(*state, "c99", 1, "gcc -std=c99 -O2 -march=native");
	measure(*state, "c99", 1, "clang -std=c99 -O2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(vectors_gcc),
		UNIT_TEST(vectors_clang),
		UNIT_TEST(vectors_without_fma),
		UNIT_TEST(scalars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
