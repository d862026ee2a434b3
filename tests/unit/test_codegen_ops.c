/*
 * Every scalar operation on every type that has it, as scalars and as vectors, in both dialects:
 * printed into one file, compiled without a warning, run on the edges of the types and compared
 * with the definition (sn_scalar_eval).
 */
#include "unit.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "codegen/print.h"
#include "ir/loop.h"

enum { NVALUES = 24, N = NVALUES * NVALUES };

static const enum sn_dtype types[] = {
	DT_F64, DT_F32, DT_F16, DT_BF16, DT_I64, DT_I32,  DT_I16,
	DT_I8,	DT_U64, DT_U32, DT_U16,	 DT_U8,	 DT_BOOL,
};

/* One function under test: OP on T, giving RESULT. */
struct job {
	enum sn_scalar_op op;
	enum sn_dtype t, result;
	int lanes;
	const char *name;
};
struct jobs {
	SN_VEC(struct job) list;
};

/* ---- values ---- */

static union sn_num
value(enum sn_dtype t, int i)
{
	static const double floats[NVALUES] = {
		0.0,  -0.0, 1,	   -1,	 0.5,	   -0.5,     1.5,	2.5,
		-2.5, 3,    -7.25, 100,	 -1000.75, 65504,    -70000,	1e-3,
		1e-8, 3e9,  -3e9,  1e19, -1e19,	   INFINITY, -INFINITY, NAN,
	};
	static const int64_t ints[NVALUES] = {
		0,    1,   -1,	2,     -2,     3,	  5,	     -7,
		7,    8,   31,	33,    63,     100,	  -100,	     127,
		-128, 128, 255, 32767, -32768, INT64_MAX, INT64_MIN, 0x123456789abcdef,
	};
	const struct sn_dtype_info *d = sn_dtype_info(t);
	union sn_num x;

	if (d->kind == 'F')
		return sn_num_cast((union sn_num){ .f = floats[i] }, DT_F64, t);
	x.i = ints[i];
	if (d->kind == 'B')
		x.i = i & 1;
	else if (i >= NVALUES - 3 && d->bits < 64) /* the ends of the type */
		x.i = ints[i] == INT64_MIN ? (int64_t)1 << (d->bits - 1)
					   : ((int64_t)1 << (d->bits - 1)) - 1;
	return sn_num_cast(x, DT_I64, t);
}

/* Operand K of element I. */
static union sn_num
operand(enum sn_dtype t, int k, int i)
{
	return value(t, k == 0 ? i % NVALUES : k == 1 ? i / NVALUES : (i * 7 + 3) % NVALUES);
}

/* ---- which operations on which types ---- */

static bool
accepts(enum sn_scalar_op op, enum sn_dtype t)
{
	char kind = sn_dtype_info(t)->kind;

	switch (sn_scalar_info(op)->operands) {
	case 'F': return kind == 'F';
	case 'I': return kind != 'F';
	case 'N': return kind != 'B';
	default: return true;
	}
}

static void
add_job(struct jobs *j, struct sn_arena *a, struct job x)
{
	x.name = sn_printf(a, "f%zu", j->list.n);
	SN_PUSH(a, &j->list, x);
}

static bool
is_tested(enum sn_scalar_op op)
{
	return op != OP_SPLAT && op != OP_IOTA && op != OP_LANE_SUM && op != OP_LANE_MAX
	       && op != OP_LANE_MIN && op != OP_CAST && op != OP_BITCAST;
}

static void
list_jobs(struct jobs *j, struct sn_arena *a, int lanes)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		enum sn_dtype t = types[i];

		for (int op = 0; op < OP_COUNT; op++) {
			if (!is_tested(op) || !accepts(op, t)
			    || (t == DT_BOOL && (op == OP_SHL || op == OP_SHR)))
				continue;
			enum sn_dtype r = sn_scalar_info(op)->result == 'B' ? DT_BOOL : t;

			add_job(j, a, (struct job){ op, t, r, lanes, NULL });
		}
		for (size_t k = 0; k < ARRAY_LEN(types); k++) {
			if (types[k] != t)
				add_job(j, a, (struct job){ OP_CAST, t, types[k], lanes, NULL });
			if (types[k] != t && t != DT_BOOL && types[k] != DT_BOOL && t != DT_F16
			    && t != DT_BF16 && types[k] != DT_F16 && types[k] != DT_BF16
			    && sn_dtype_info(t)->bits == sn_dtype_info(types[k])->bits)
				add_job(j, a, (struct job){ OP_BITCAST, t, types[k], lanes, NULL });
		}
	}
}

/* ---- functions ---- */

static const struct sn_expr *
apply(struct sn_pool *p, const struct job *j, const struct sn_expr *const *x)
{
	if (j->op == OP_CAST)
		return sn_cast(p, j->result, x[0]);
	if (j->op == OP_BITCAST)
		return sn_bitcast(p, j->result, x[0]);
	if (j->op == OP_SELECT)
		return sn_op3(p, OP_SELECT, sn_op2(p, OP_NE, x[0], x[1]), x[1], x[2]);
	return sn_op(p, j->op, x, sn_scalar_info(j->op)->arity);
}

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

	for (int k = 0; k < sn_scalar_info(j->op)->arity || (j->op == OP_SELECT && k < 3); k++)
		x[k] = sn_at_load_lanes(&b, "v", in[k], &at, j->lanes, 0);
	sn_at_store(&b, r, &at, apply(p, j, x));
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

/* ---- comparing ---- */

static bool
is_close(enum sn_scalar_op op, enum sn_dtype t, double want, double got)
{
	static const double eps[] = {
		[DT_F64] = 1e-14, [DT_F32] = 3e-7, [DT_F16] = 1e-3, [DT_BF16] = 8e-3
	};
	/* the edge of a rounding after few operations, or the error of a function */
	double tolerance = eps[t] * (op == OP_TAN || op == OP_POW || op == OP_MOD ? 16 : 1);

	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (want == got)
		return true;
	return fabs(want - got)
	       <= tolerance * fmax(fabs(want), ldexp(1, t == DT_F64 ? -1000 : -126));
}

static void
check(const struct job *j, const void *got)
{
	for (int i = 0; i < N; i++) {
		union sn_num x[3], want, have = sn_dtype_load(j->result, got, (size_t)i);

		for (int k = 0; k < 3; k++)
			x[k] = operand(j->t, k, i);
		if (j->op == OP_SELECT) {
			union sn_num c = sn_scalar_eval(OP_NE, j->t, DT_BOOL, x);

			want = c.i ? x[1] : x[2];
		} else {
			want = sn_scalar_eval(j->op, j->t, j->result, x);
		}
		bool is_float = sn_is_float(j->result);

		if (j->op == OP_MAC && is_float) { /* either of its two forms */
			union sn_num once = { .f = x[0].f * x[1].f + x[2].f };

			if (is_close(j->op, j->result, sn_num_cast(once, DT_F64, j->t).f, have.f))
				continue;
		}
		if (is_float ? is_close(j->op, j->result, want.f, have.f) : want.i == have.i)
			continue;
		fail_msg("%s (%s -> %s, %d lanes) of %g/%lld, %g/%lld: %g/%lld, should be %g/%lld",
			 sn_scalar_info(j->op)->text, sn_dtype_info(j->t)->text,
			 sn_dtype_info(j->result)->text, j->lanes, x[0].f, (long long)x[0].i,
			 x[1].f, (long long)x[1].i, have.f, (long long)have.i, want.f,
			 (long long)want.i);
	}
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
	list_jobs(&j, a, lanes);
	void *lib = print_and_compile(a, &j, dialect, command);
	void (**f)(const void *, const void *, const void *, void *) = dlsym(lib, "functions");

	for (size_t i = 0; i < j.list.n; i++) {
		const struct job *job = &j.list.v[i];

		for (int k = 0; k < 3; k++)
			for (int e = 0; e < N; e++)
				sn_dtype_store(job->t, x[k], (size_t)e, operand(job->t, k, e));
		memset(r, 0x55, sizeof(r));
		f[i](x[0], x[1], x[2], r);
		check(job, r);
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
