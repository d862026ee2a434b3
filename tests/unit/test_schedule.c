/* Schedules: the loops compute what the comprehensions say, with every access checked. */
#include "unit.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "passes/pass.h"
#include "run_loops.h"

struct bed {
	struct sn_arena *a;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_module m;
	uint32_t seed;
};

static void
bed_init(struct bed *b, void **state, const char *cpu)
{
	memset(b, 0, sizeof(*b));
	b->a = *state;
	b->seed = 1;
	sn_pool_init(&b->pool, b->a);
	sn_diags_init(&b->diags, b->a);
	b->m = (struct sn_module){
		.name = "t", .arena = b->a, .pool = &b->pool, .diags = &b->diags
	};
	sn_module_aim(&b->m, sn_target_find(cpu, b->a, &b->diags));
	b->m.has_vectors = b->m.target->vector_bytes > 0 || sn_target_is_device(b->m.target);
	b->m.program = sn_program_new(b->a, &b->pool, "t");
}

static float
next_value(struct bed *b)
{
	b->seed = b->seed * 1664525u + 1013904223u;
	return (float)(b->seed >> 8) / (float)(1 << 23) - 1.0f;
}

static struct sn_tensor *
tensor(struct bed *b, const char *name, enum sn_tensor_role role, int rank,
       const struct sn_expr *const *dims)
{
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_F32, .rank = rank };
	for (int d = 0; d < rank; d++)
		t.dims[d] = dims[d];
	struct sn_tensor *x = sn_tensor_new(b->m.program, name, &t, role);
	int64_t n;
	if (role == TR_CONST && sn_type_is_static(&t, &n)) {
		void *bytes;
		x->data = sn_data_new(b->a, DT_F32, (size_t)n, &bytes);
		for (int64_t i = 0; i < n; i++)
			((float *)bytes)[i] = next_value(b);
	}
	return x;
}

static struct sn_tensor *
tensor_of(struct bed *b, const char *name, enum sn_tensor_role role, int rank, const int64_t *dims)
{
	const struct sn_expr *e[SN_MAX_RANK];
	for (int d = 0; d < rank; d++)
		e[d] = sn_int(&b->pool, dims[d]);
	return tensor(b, name, role, rank, e);
}

/* A comprehension of its own kernel storing T at its axes. */
static struct sn_comp *
comp(struct bed *b, const char *name, struct sn_tensor *t)
{
	struct sn_kernel *k = sn_kernel_new(b->m.program, name);
	struct sn_comp *m = SN_NEW(b->a, struct sn_comp);
	m->naxes = t->type.rank;
	m->nresults = 1;
	m->results[0].tensor = t;
	for (int d = 0; d < m->naxes; d++) {
		m->axes[d] = sn_axis_new(&b->pool, sn_printf(b->a, "i%d", d), t->type.dims[d]);
		m->results[0].idx[d] = sn_axis_expr(&b->pool, m->axes[d]);
	}
	SN_PUSH(b->a, &k->stages, m);
	SN_PUSH(b->a, &b->m.program->kernels, k);
	return m;
}

static const struct sn_expr *
ax(struct bed *b, const struct sn_comp *m, int i)
{
	return sn_axis_expr(&b->pool, m->axes[i]);
}

static const struct sn_expr *
red(struct bed *b, struct sn_comp *m, const char *name, const struct sn_expr *extent)
{
	m->red[m->nred] = sn_axis_new(&b->pool, name, extent);
	return sn_axis_expr(&b->pool, m->red[m->nred++]);
}

static const struct sn_expr *
sum_of_products(struct bed *b, struct sn_comp *m, const struct sn_expr *x, const struct sn_expr *y)
{
	m->reducer = sn_reducer(&b->pool, "sum", DT_F32);
	m->args[0] = sn_op2(&b->pool, OP_MUL, x, y);
	return sn_state(&b->pool, DT_F32, 0);
}

struct conv {
	int64_t c, h, w, m, r, stride, pad;
};

/* Convolution, bias, relu: x -> y; a second one with a 1x1 window when IS_DEEP. */
static void
build_conv(struct bed *b, const struct conv *v, struct sn_tensor *x, struct sn_tensor *y,
	   const char *name)
{
	struct sn_pool *p = &b->pool;
	struct sn_tensor *k = tensor_of(b, "k", TR_CONST, 4, (int64_t[]){ v->m, v->c, v->r, v->r });
	struct sn_tensor *bias = tensor_of(b, "b", TR_CONST, 1, &v->m);
	struct sn_comp *m = comp(b, name, y);
	const struct sn_expr *c = red(b, m, "c", sn_int(p, v->c)),
			     *r = red(b, m, "r", sn_int(p, v->r));
	const struct sn_expr *s = red(b, m, "s", sn_int(p, v->r));
	const struct sn_expr *at[4] = {
		ax(b, m, 0), c,
		sn_addk(p, sn_add(p, sn_mulk(p, ax(b, m, 2), v->stride), r), -v->pad),
		sn_addk(p, sn_add(p, sn_mulk(p, ax(b, m, 3), v->stride), s), -v->pad)
	};
	const struct sn_expr *w[4] = { ax(b, m, 1), c, r, s }, *ib = ax(b, m, 1);
	const struct sn_expr *outside = v->pad ? sn_float(p, DT_F32, 0) : NULL;
	const struct sn_expr *sum = sum_of_products(b, m, sn_read(p, x, at, 4, outside),
						    sn_read(p, k, w, 4, NULL));
	sum = sn_op2(p, OP_ADD, sum, sn_read(p, bias, &ib, 1, NULL));
	m->results[0].value = sn_op2(p, OP_MAX, sum, sn_float(p, DT_F32, 0));
}

static bool
sn_run_pass(struct bed *b, bool (*pass)(struct sn_pass_ctx *c))
{
	struct sn_pass_ctx c = { &b->m, b->a, false };
	return pass(&c);
}

static void
io(struct bed *b, struct sn_tensor *x, bool is_input)
{
	struct sn_program *pr = b->m.program;
	if (is_input) {
		x->role_index = (int)pr->inputs.n;
		SN_PUSH(b->a, &pr->inputs, x);
	} else {
		x->role_index = (int)pr->outputs.n;
		SN_PUSH(b->a, &pr->outputs, x);
	}
}

static void
print_diags(struct bed *b)
{
	struct sn_buf t;
	sn_buf_init(&t, b->a);
	sn_diags_print(&b->diags, &t);
	fputs(t.text, stderr);
}

static bool
verify_all(struct bed *b)
{
	bool is_good = true;
	for (size_t i = 0; i < b->m.funcs.n; i++)
		is_good &= sn_func_verify(b->m.funcs.v[i], &b->diags);
	return is_good;
}

/* Interprets the program, brings it to loops, interprets those, and compares; the passes on loops
 * must not change a bit. */
static void
check(struct bed *b, const int64_t *syms)
{
	struct sn_program *pr = b->m.program;
	struct sn_array in[8], want[8], got[8] = { 0 };
	assert_true(pr->inputs.n <= ARRAY_LEN(in) && pr->outputs.n <= ARRAY_LEN(want));
	for (size_t i = 0; i < pr->inputs.n; i++) {
		const struct sn_tensor *t = pr->inputs.v[i];
		size_t n = (size_t)loop_value(&b->m, sn_type_count(&b->pool, &t->type), syms, b->a);
		float *v = SN_NEW_ARRAY(b->a, n, float);
		for (size_t j = 0; j < n; j++)
			v[j] = next_value(b);
		in[i] = (struct sn_array){ DT_F32, n, v };
	}
	for (size_t i = 0; i < pr->outputs.n; i++) {
		const struct sn_tensor *t = pr->outputs.v[i];
		size_t n = (size_t)loop_value(&b->m, sn_type_count(&b->pool, &t->type), syms, b->a);
		want[i] = (struct sn_array){ DT_F32, n, SN_NEW_ARRAY(b->a, n, float) };
	}
	struct sn_interp_opts o = { .syms = syms };
	bool ok = sn_program_interp(pr, &o, in, want, b->a, &b->diags)
		  && sn_run_pass(b, sn_pass_assign_layouts)
		  && sn_run_pass(b, sn_pass_choose_schedule)
		  && sn_run_pass(b, sn_pass_pack_constants)
		  && sn_run_pass(b, sn_pass_apply_schedules)
		  && loops_run(&b->m, syms, in, got, b->a);
	struct sn_array plain[8];
	memcpy(plain, got, sizeof(plain));
	ok = ok && verify_all(b) && sn_run_pass(b, sn_pass_vectorize)
	     && sn_run_pass(b, sn_pass_legalize_vectors) && sn_run_pass(b, sn_pass_hoist_invariants)
	     && verify_all(b) && loops_run(&b->m, syms, in, got, b->a);
	if (!ok || getenv("SHOW")) {
		struct sn_buf t;
		sn_buf_init(&t, b->a);
		for (size_t i = 0; i < b->m.funcs.n; i++)
			sn_func_print(&t, b->m.funcs.v[i]);
		fputs(t.text, stderr);
		print_diags(b);
	}
	assert_true(ok);
	for (size_t i = 0; i < pr->outputs.n; i++)
		assert_memory_equal(plain[i].bytes, got[i].bytes, got[i].n * sizeof(float));
	for (size_t i = 0; i < pr->outputs.n; i++)
		for (size_t j = 0; j < want[i].n; j++) {
			float x = ((float *)want[i].bytes)[j], y = ((float *)got[i].bytes)[j];
			if (!(fabsf(x - y) <= 1e-5f * (1 + fabsf(x))))
				fail_msg("output %zu [%zu]: %g, should be %g", i, j, (double)y,
					 (double)x);
		}
}

static void
check_conv(void **state, const char *cpu, const struct conv *v)
{
	struct bed b;
	bed_init(&b, state, cpu);
	int64_t oh = (v->h + 2 * v->pad - v->r) / v->stride + 1;
	int64_t ow = (v->w + 2 * v->pad - v->r) / v->stride + 1;
	struct sn_tensor *x = tensor_of(&b, "x", TR_INPUT, 4, (int64_t[]){ 1, v->c, v->h, v->w });
	struct sn_tensor *t = tensor_of(&b, "t", TR_TEMP, 4, (int64_t[]){ 1, v->m, oh, ow });
	struct sn_tensor *y = tensor_of(&b, "y", TR_OUTPUT, 4, (int64_t[]){ 1, 24, oh, ow });
	struct conv second = { v->m, oh, ow, 24, 3, 1, 1 };
	io(&b, x, true);
	io(&b, y, false);
	build_conv(&b, v, x, t, "conv_a");
	build_conv(&b, &second, t, y, "conv_b");
	check(&b, NULL);
}

static const struct conv convs[] = {
	{ 3, 9, 11, 32, 3, 2, 1 },
	{ 20, 5, 6, 40, 1, 1, 0 },
	{ 16, 7, 7, 16, 3, 1, 1 },
	{ 5, 6, 17, 7, 5, 1, 2 },
};

static void
test_conv_v4(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(convs); i++)
		check_conv(state, "x86-64-v4", &convs[i]);
}

static void
test_conv_v3(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(convs); i++)
		check_conv(state, "x86-64-v3", &convs[i]);
}

static void
test_conv_generic(void **state)
{
	check_conv(state, "generic", &convs[0]);
}

/* y[s, n] = sum(k) x[s, k] * w[k, n] + b[n] with S a symbol. */
static void
check_matmul(void **state, const char *cpu, const int64_t *size, bool is_symbolic)
{
	struct bed b;
	int64_t rows = size[0], k = size[1], n = size[2];
	bed_init(&b, state, cpu);
	struct sn_pool *p = &b.pool;
	struct sn_sym *sym = sn_sym_new(p, "S", 1, 1000);
	const struct sn_expr *s = is_symbolic ? sn_sym_expr(p, sym) : sn_int(p, rows);
	struct sn_tensor *x = tensor(&b, "x", TR_INPUT, 2,
				     (const struct sn_expr *[]){ s, sn_int(p, k) });
	struct sn_tensor *w = tensor_of(&b, "w", TR_CONST, 2, (int64_t[]){ k, n });
	struct sn_tensor *y = tensor(&b, "y", TR_OUTPUT, 2,
				     (const struct sn_expr *[]){ s, sn_int(p, n) });
	io(&b, x, true);
	io(&b, y, false);
	struct sn_comp *m = comp(&b, "matmul", y);
	const struct sn_expr *r = red(&b, m, "k", sn_int(p, k));
	m->results[0].value = sum_of_products(
		&b, m, sn_read(p, x, (const struct sn_expr *[]){ ax(&b, m, 0), r }, 2, NULL),
		sn_read(p, w, (const struct sn_expr *[]){ r, ax(&b, m, 1) }, 2, NULL));
	check(&b, &rows);
}

static const int64_t products[][3] = {
	{ 1, 40, 100 }, { 17, 300, 33 }, { 30, 16, 64 }, { 70, 40, 100 }, { 65, 530, 47 }
};

static const char *const devices[] = { "opencl", "pocl", "nvidia-h200" };

static void
test_matmul(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(products); i++)
		check_matmul(state, "x86-64-v4", products[i], false);
}

static void
test_matmul_symbolic(void **state)
{
	check_matmul(state, "x86-64-v4", products[0], true);
	check_matmul(state, "x86-64-v4", (int64_t[]){ 37, 70, 48 }, true);
}

static void
test_matmul_device(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(products); i++)
		check_matmul(state, devices[i % 3], products[i / 2], i % 2);
}

static void
test_conv_device(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(convs); i++)
		check_conv(state, devices[i % 3], &convs[i]);
}

/* s[h, i, j] = sum(d) q[i, h*D+d] * k[j, h*D+d], then o[i, h*D+d] = sum(j) s[h, i, j] * v[j, h*D+d]: products
 * of operands that are not constants. */
static void
check_scores(void **state, const char *cpu, int64_t len, bool is_symbolic)
{
	struct bed b;
	bed_init(&b, state, cpu);
	struct sn_pool *p = &b.pool;
	struct sn_sym *sym = sn_sym_new(p, "S", 1, 1000);
	const struct sn_expr *n = is_symbolic ? sn_sym_expr(p, sym) : sn_int(p, len);
	const struct sn_expr *wide[2] = { n, sn_int(p, 64) }, *cube[3] = { sn_int(p, 2), n, n };
	struct sn_tensor *q = tensor(&b, "q", TR_INPUT, 2, wide),
			 *k = tensor(&b, "k", TR_INPUT, 2, wide);
	struct sn_tensor *v = tensor(&b, "v", TR_INPUT, 2, wide),
			 *s = tensor(&b, "s", TR_TEMP, 3, cube);
	struct sn_tensor *o = tensor(&b, "o", TR_OUTPUT, 2, wide);
	io(&b, q, true);
	io(&b, k, true);
	io(&b, v, true);
	io(&b, o, false);
	struct sn_comp *m = comp(&b, "scores", s);
	const struct sn_expr *d = red(&b, m, "d", sn_int(p, 32));
	const struct sn_expr *col = sn_add(p, sn_mulk(p, ax(&b, m, 0), 32), d);
	m->results[0].value = sum_of_products(
		&b, m, sn_read(p, q, (const struct sn_expr *[]){ ax(&b, m, 1), col }, 2, NULL),
		sn_read(p, k, (const struct sn_expr *[]){ ax(&b, m, 2), col }, 2, NULL));
	m = comp(&b, "mix", s);
	m->results[0].tensor = o;
	m->axes[2] = sn_axis_new(p, "d", sn_int(p, 32));
	const struct sn_expr *j = red(&b, m, "j", n);
	col = sn_add(p, sn_mulk(p, ax(&b, m, 0), 32), ax(&b, m, 2));
	m->results[0].idx[0] = ax(&b, m, 1);
	m->results[0].idx[1] = col;
	m->results[0].idx[2] = NULL;
	m->results[0].value = sum_of_products(
		&b, m,
		sn_read(p, s, (const struct sn_expr *[]){ ax(&b, m, 0), ax(&b, m, 1), j }, 3, NULL),
		sn_read(p, v, (const struct sn_expr *[]){ j, col }, 2, NULL));
	check(&b, &len);
}

static void
test_scores(void **state)
{
	check_scores(state, "x86-64-v4", 37, false);
	check_scores(state, "x86-64-v4", 37, true);
	check_scores(state, "x86-64-v4", 5, true);
}

static void
test_scores_device(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		check_scores(state, devices[i], 37, i > 0);
}

/* Softmax over the last axis as three stages with shared rows. */
static void
check_softmax(void **state, const char *cpu, int64_t rows, int64_t n)
{
	struct bed b;
	bed_init(&b, state, cpu);
	struct sn_pool *p = &b.pool;
	struct sn_tensor *x = tensor_of(&b, "x", TR_INPUT, 2, (int64_t[]){ rows, n });
	struct sn_tensor *top = tensor_of(&b, "top", TR_TEMP, 1, &rows);
	struct sn_tensor *e = tensor_of(&b, "e", TR_TEMP, 2, (int64_t[]){ rows, n });
	struct sn_tensor *sum = tensor_of(&b, "sum", TR_TEMP, 1, &rows);
	struct sn_tensor *y = tensor_of(&b, "y", TR_OUTPUT, 2, (int64_t[]){ rows, n });
	io(&b, x, true);
	io(&b, y, false);
	struct sn_comp *m[4];
	struct sn_tensor *t[4] = { top, e, sum, y };
	for (int i = 0; i < 4; i++) {
		m[i] = comp(&b, "softmax", t[i]);
		m[i]->axes[0] = m[0]->axes[0];
		m[i]->results[0].idx[0] = ax(&b, m[0], 0);
		if (i < 3)
			t[i]->store = TS_SCRATCH;
	}
	struct sn_kernel *k = b.m.program->kernels.v[0];
	for (int i = 1; i < 4; i++)
		SN_PUSH(b.a, &k->stages, m[i]);
	b.m.program->kernels.n = 1;
	k->nshared = 1;
	const struct sn_expr *row = ax(&b, m[0], 0);
	const struct sn_expr *j = red(&b, m[0], "j", sn_int(p, n));
	m[0]->reducer = sn_reducer(p, "max", DT_F32);
	m[0]->args[0] = sn_read(p, x, (const struct sn_expr *[]){ row, j }, 2, NULL);
	m[0]->results[0].value = sn_state(p, DT_F32, 0);
	const struct sn_expr *at[2] = { row, ax(&b, m[1], 1) };
	m[1]->results[0].value = sn_op1(p, OP_EXP,
					sn_op2(p, OP_SUB, sn_read(p, x, at, 2, NULL),
					       sn_read(p, top, &row, 1, NULL)));
	j = red(&b, m[2], "j", sn_int(p, n));
	m[2]->reducer = sn_reducer(p, "sum", DT_F32);
	m[2]->args[0] = sn_read(p, e, (const struct sn_expr *[]){ row, j }, 2, NULL);
	m[2]->results[0].value = sn_state(p, DT_F32, 0);
	at[1] = ax(&b, m[3], 1);
	m[3]->results[0].value = sn_op2(p, OP_DIV, sn_read(p, e, at, 2, NULL),
					sn_read(p, sum, &row, 1, NULL));
	check(&b, NULL);
}

static void
test_softmax(void **state)
{
	check_softmax(state, "x86-64-v4", 3, 77);
}

static void
test_softmax_device(void **state)
{
	check_softmax(state, "opencl", 3, 77);
	check_softmax(state, "pocl", 37, 5);
	check_softmax(state, "nvidia-h200", 5, 600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_conv_v4),	 UNIT_TEST(test_conv_v3),
		UNIT_TEST(test_conv_generic),	 UNIT_TEST(test_matmul),
		UNIT_TEST(test_matmul_symbolic), UNIT_TEST(test_softmax),
		UNIT_TEST(test_scores),		 UNIT_TEST(test_matmul_device),
		UNIT_TEST(test_conv_device),	 UNIT_TEST(test_scores_device),
		UNIT_TEST(test_softmax_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
