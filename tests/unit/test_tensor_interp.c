/*
 * Tensor interpreter: against plain loops in C, bit by bit, and at the edges of types.
 */
#include "tests/unit/unit.h"
#include <math.h>
#include <string.h>
#include "tests/unit/tensor_fixture.h"

static uint64_t
next_random(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return *s >> 33;
}

static void
fill_random(float *v, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (float)((double)next_random(&seed) / 1e9 - 1);
}

/* ---- convolution ---- */

struct conv {
	int c, h, w, m, k, stride, dilation, pad;
};

static int
conv_out(const struct conv *g, int n)
{
	return (n + 2 * g->pad - g->dilation * (g->k - 1) - 1) / g->stride + 1;
}

static float
conv_at(const struct conv *g, const float *x, const float *k, int m, int oh, int ow)
{
	float sum = 0;
	for (int c = 0; c < g->c; c++)
		for (int r = 0; r < g->k; r++)
			for (int s = 0; s < g->k; s++) {
				int h = oh * g->stride + r * g->dilation - g->pad;
				int w = ow * g->stride + s * g->dilation - g->pad;
				bool is_in = h >= 0 && h < g->h && w >= 0 && w < g->w;
				float v = is_in ? x[(c * g->h + h) * g->w + w] : 0;
				sum += v * k[((m * g->c + c) * g->k + r) * g->k + s];
			}
	return sum > 0 ? sum : 0;
}

static void
check_conv(void **state, const struct conv *g)
{
	int oh = conv_out(g, g->h), ow = conv_out(g, g->w);
	char text[1000];
	struct fixture x;
	snprintf(
		text, sizeof(text),
		"program \"p\" { input f32[1,%d,%d,%d] x input f32[%d,%d,%d,%d] k\n"
		"output f32[1,%d,%d,%d] y kernel k0 { for n<1, m<%d, h<%d, w<%d:\n"
		"s = sum(c<%d, r<%d, q<%d) (x[n, c, h*%d+r*%d-%d, w*%d+q*%d-%d] else 0.0) * k[m, c, r, q]\n"
		"y[n, m, h, w] = max(s, 0.0) } }\n",
		g->c, g->h, g->w, g->m, g->c, g->k, g->k, g->m, oh, ow, g->m, oh, ow, g->c, g->k,
		g->k, g->stride, g->dilation, g->pad, g->stride, g->dilation, g->pad);
	fixture_parse(&x, state, text);
	size_t c = (size_t)g->c, m = (size_t)g->m, taps = (size_t)g->k * (size_t)g->k;
	size_t nx = c * (size_t)g->h * (size_t)g->w, nk = m * c * taps;
	size_t ny = m * (size_t)oh * (size_t)ow;
	float *in = SN_NEW_ARRAY(x.arena, nx, float), *k = SN_NEW_ARRAY(x.arena, nk, float);
	float *y = SN_NEW_ARRAY(x.arena, ny, float);
	fill_random(in, nx, 1);
	fill_random(k, nk, 2);
	fixture_run(&x, false, (struct sn_array[]){ { DT_F32, nx, in }, { DT_F32, nk, k } },
		    &(struct sn_array){ DT_F32, ny, y });
	for (int o = 0, i = 0; o < g->m; o++)
		for (int a = 0; a < oh; a++)
			for (int b = 0; b < ow; b++, i++)
				assert_true(y[i] == conv_at(g, in, k, o, a, b));
}

static void
test_convolution(void **state)
{
	static const struct conv cases[] = {
		{ 3, 9, 11, 4, 3, 1, 1, 1 },  { 5, 7, 7, 6, 3, 1, 1, 1 },
		{ 2, 1, 300, 3, 3, 1, 1, 1 }, { 2, 300, 1, 2, 5, 1, 1, 2 },
		{ 3, 17, 15, 2, 3, 2, 1, 1 }, { 3, 17, 33, 2, 3, 2, 2, 2 },
		{ 4, 1, 1, 5, 3, 1, 1, 1 },   { 1, 20, 20, 1, 7, 3, 1, 6 },
		{ 8, 6, 6, 40, 1, 1, 1, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_conv(state, &cases[i]);
}

/* ---- other shapes of computing ---- */

static void
test_matmul(void **state)
{
	enum { M = 5, K = 37, N = 300 };
	static float a[M * K], b[K * N], bt[N * K], y[M * N], yt[M * N];
	struct fixture x;
	fill_random(a, M * K, 3);
	fill_random(b, K * N, 4);
	for (int k = 0; k < K; k++)
		for (int n = 0; n < N; n++)
			bt[n * K + k] = b[k * N + n];
	fixture_parse(&x, state,
		      "program \"p\" { input f32[5,37] a input f32[37,300] b input f32[300,37] bt\n"
		      "output f32[5,300] y output f32[5,300] yt kernel k {\n"
		      "for m<5, n<300: s = sum(k<37) a[m, k] * b[k, n] y[m, n] = s\n"
		      "for m<5, n<300: s = sum(k<37) a[m, k] * bt[n, k] yt[m, n] = s } }");
	fixture_run(&x, false,
		    (struct sn_array[]){ ARRAY(DT_F32, a), ARRAY(DT_F32, b), ARRAY(DT_F32, bt) },
		    (struct sn_array[]){ ARRAY(DT_F32, y), ARRAY(DT_F32, yt) });
	for (int m = 0; m < M; m++)
		for (int n = 0; n < N; n++) {
			float s = 0;
			for (int k = 0; k < K; k++)
				s += a[m * K + k] * b[k * N + n];
			assert_true(y[m * N + n] == s && yt[m * N + n] == s);
		}
}

static void
test_softmax_in_stages(void **state)
{
	enum { R = 3, N = 270 };
	static float v[R * N], y[R * N];
	struct fixture x;
	fill_random(v, R * N, 5);
	fixture_parse(&x, state,
		      "program \"p\" { input f32[3,270] x output f32[3,270] y\n"
		      "temp f32[3] m scratch temp f32[3,270] e scratch temp f32[3] t scratch\n"
		      "kernel k shared 1 {\n"
		      "for i<3: s = max(j<270) x[i, j] m[i] = s\n"
		      "for i<3, j<270: e[i, j] = exp(x[i, j] - m[i])\n"
		      "for i<3: s = sum(j<270) e[i, j] t[i] = s\n"
		      "for i<3, j<270: y[i, j] = e[i, j] / t[i] } }");
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y));
	for (int i = 0; i < R; i++) {
		float most = -INFINITY, sum = 0, e[N];
		for (int j = 0; j < N; j++)
			most = fmaxf(most, v[i * N + j]);
		for (int j = 0; j < N; j++)
			sum += e[j] = (float)exp((double)(v[i * N + j] - most));
		for (int j = 0; j < N; j++)
			assert_true(y[i * N + j] == e[j] / sum);
	}
}

static void
test_max_pool_outside_is_least(void **state)
{
	static float v[] = { -3, -1, -2, -5, NAN, -4, -7, -8, -9 }, y[9];
	struct fixture x;
	fixture_parse(
		&x, state,
		"program \"p\" { input f32[3,3] x output f32[3,3] y kernel k { for h<3, w<3:\n"
		"s = max(r<3, q<3) (x[h+r-1, w+q-1] else -inf) y[h, w] = s } }");
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y));
	for (int i = 0; i < 9; i++)
		assert_true(isnan(y[i]));
	v[4] = -6;
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y));
	static const float max[] = { -1, -1, -1, -1, -1, -1, -5, -4, -4 };
	assert_memory_equal(y, max, sizeof(max));
}

static void
test_argmax_ties_and_nan(void **state)
{
	static float v[] = {
		1, 3, 3, 2, NAN, 5, NAN, 1, -INFINITY, -INFINITY, -INFINITY, -INFINITY
	};
	static int64_t y[12];
	static const int64_t want[] = { 1, 0, 0, 2, 2, 3, 0, 0, 0, 0, 2, 3 };
	struct fixture x;
	fixture_parse(&x, state,
		      "program \"p\" { input f32[3,4] x output i64[4,3] y kernel k {\n"
		      "for i<3: v, at = argmax(j<4) x[i, j], j y[0, i] = at\n"
		      "for i<3: v, at = argmax_last(j<4) x[i, j], j y[1, i] = at\n"
		      "for i<3: v, at = argmin(j<4) x[i, j], j y[2, i] = at\n"
		      "for i<3: v, at = argmin_last(j<4) x[i, j], j y[3, i] = at } }");
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_I64, y));
	assert_memory_equal(y, want, sizeof(want));
}

static void
test_gather(void **state)
{
	static float v[] = { 10, 11, 20, 21, 30, 31 }, y[8];
	static int64_t at[] = { 2, 0, -1, 1 };
	static const float want[] = { 30, 31, 10, 11, 30, 31, 20, 21 };
	struct fixture x;
	fixture_parse(
		&x, state,
		"program \"p\" { input f32[3,2] x input i64[4] at output f32[4,2] y\n"
		"kernel k { for i<4, j<2: y[i, j] = x[select(at[i] < 0, at[i]+3, at[i]), j] } }");
	fixture_run(&x, false, (struct sn_array[]){ ARRAY(DT_F32, v), ARRAY(DT_I64, at) },
		    &ARRAY(DT_F32, y));
	assert_memory_equal(y, want, sizeof(want));
	at[1] = INT64_MAX;
	assert_false(fixture_try(&x, false,
				 (struct sn_array[]){ ARRAY(DT_F32, v), ARRAY(DT_I64, at) },
				 &ARRAY(DT_F32, y)));
	assert_int_equal(x.diags.list.v[0].id, DG_INTERP_RANGE);
}

static void
test_concat_transpose_reshape(void **state)
{
	static int32_t a[6], b[4], y[10], t[10];
	struct fixture x;
	for (int i = 0; i < 10; i++)
		*(i < 6 ? &a[i] : &b[i - 6]) = i;
	fixture_parse(
		&x, state,
		"program \"p\" { input i32[2,3] a input i32[2,2] b output i32[2,5] y output i32[5,2] t\n"
		"kernel c { for i<2, j<3: y[i, j] = a[i, j] for i<2, j<2: y[i, j+3] = b[i, j] }\n"
		"kernel r { for i<5, j<2: t[i, j] = y[(2*i+j)//5, (2*i+j)%5] } }");
	fixture_run(&x, false, (struct sn_array[]){ ARRAY(DT_I32, a), ARRAY(DT_I32, b) },
		    (struct sn_array[]){ ARRAY(DT_I32, y), ARRAY(DT_I32, t) });
	static const int32_t want[] = { 0, 1, 2, 6, 7, 3, 4, 5, 8, 9 };
	assert_memory_equal(y, want, sizeof(want));
	assert_memory_equal(t, want, sizeof(want));
}

/* ---- types ---- */

static void
test_integers_wrap(void **state)
{
	static int32_t a[] = { INT32_MAX, INT32_MIN, 65536, -7 }, sum[4];
	static uint8_t b[] = { 255, 128, 3, 0 }, y[4];
	static uint64_t u[] = { UINT64_MAX, 1, 5, 0 }, most[1];
	struct fixture x;
	fixture_parse(&x, state,
		      "program \"p\" { input i32[4] a input u8[4] b input u64[4] u\n"
		      "output i32[4] sum output u8[4] y output u64[1] most kernel k {\n"
		      "for i<4: s = sum(j<3) a[i] * a[i] sum[i] = s + a[i]\n"
		      "for i<4: y[i] = b[i] * u8(3) + u8(200)\n"
		      "for i<1: s = max(j<4) u[j] most[i] = s } }");
	fixture_run(&x, false,
		    (struct sn_array[]){ ARRAY(DT_I32, a), ARRAY(DT_U8, b), ARRAY(DT_U64, u) },
		    (struct sn_array[]){ ARRAY(DT_I32, sum), ARRAY(DT_U8, y),
					 ARRAY(DT_U64, most) });
	for (int i = 0; i < 4; i++) {
		uint32_t s = (uint32_t)a[i] * (uint32_t)a[i] * 3u + (uint32_t)a[i];
		assert_int_equal((uint32_t)sum[i], s);
		assert_int_equal(y[i], (uint8_t)(b[i] * 3 + 200));
	}
	assert_true(most[0] == UINT64_MAX);
}

static void
test_narrow_floats_round_each_step(void **state)
{
	/* 2049 is not a number of f16: 2048 + 1 stays 2048, twice */
	static uint16_t v[] = { 0x6800, 0x3c00, 0x3c00 }, y[1], b[1];
	struct fixture x;
	fixture_parse(&x, state,
		      "program \"p\" { input f16[3] x output f16[1] y output bf16[1] b kernel k {\n"
		      "for i<1: s = sum(j<3) x[j] y[i] = s\n"
		      "for i<1: b[i] = bf16(f32(x[0])) + bf16(1.0) } }");
	fixture_run(&x, false, &ARRAY(DT_F16, v),
		    (struct sn_array[]){ ARRAY(DT_F16, y), ARRAY(DT_BF16, b) });
	assert_int_equal(y[0], 0x6800);
	assert_int_equal(b[0], 0x4500);
}

static void
test_all_in_f64(void **state)
{
	static float v[1000], y32[1];
	static double y64[1];
	double sum = 0;
	float fsum = 0;
	struct fixture x;
	for (int i = 0; i < 1000; i++) {
		v[i] = 0.1f * (float)(i % 7);
		sum += (double)v[i] * (double)v[i];
		fsum += v[i] * v[i];
	}
	fixture_parse(&x, state,
		      "program \"p\" { input f32[1000] x output f32[1] y kernel k {\n"
		      "for i<1: s = sum(j<1000) x[j] * x[j] y[i] = sqrt(s) } }");
	fixture_run(&x, true, &ARRAY(DT_F32, v), &ARRAY(DT_F64, y64));
	assert_true(y64[0] == sqrt(sum));
	fixture_run(&x, true, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y32));
	assert_true(y32[0] == (float)sqrt(sum));
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y32));
	assert_true(y32[0] == sqrtf(fsum) && y32[0] != (float)sqrt(sum));
}

static void
test_packed_elements(void **state)
{
	static uint8_t v[] = { 0xf1, 0x27, 0x08 }, y[3]; /* 1 -1 7 2 -8 */
	struct fixture x;
	fixture_parse(&x, state,
		      "program \"p\" { input i4[5] x output i4[5] y kernel k {\n"
		      "for i<5: y[i] = select(i4(2) < x[i], i4(2), neg(x[i]) - i4(1)) } }");
	fixture_run(&x, false, &(struct sn_array){ DT_I4, 5, v },
		    &(struct sn_array){ DT_I4, 5, y });
	/* -1-1 = -2; 1-1 = 0; 7 > 2: 2; -2-1 = -3; 8 wraps to -8, -9 wraps to 7 */
	static const int8_t is[] = { -2, 0, 2, -3, 7 };
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(sn_dtype_load(DT_I4, y, i).i, is[i]);
}

static void
test_constants_unaligned_and_splat(void **state)
{
	static char bytes[4 * 3 + 1];
	static float y[3];
	float v[] = { 1, 2, 3 };
	struct sn_data data = { .dtype = DT_F32, .n = 3, .bytes = bytes + 1 };
	struct fixture x;
	fixture_parse(&x, state,
		      "program \"p\" { const f32[3] c = {0, 0, 0} const f32[3] d = splat 0.5\n"
		      "output f32[3] y kernel k { for i<3: y[i] = c[i] + d[i] } }");
	memcpy(bytes + 1, v, sizeof(v));
	for (size_t i = 0; i < x.pr->tensors.n; i++)
		if (!strcmp(x.pr->tensors.v[i]->name, "c"))
			x.pr->tensors.v[i]->data = &data;
	fixture_run(&x, false, NULL, &ARRAY(DT_F32, y));
	assert_true(y[0] == 1.5f && y[1] == 2.5f && y[2] == 3.5f);
}

static void
test_symbolic_extents(void **state)
{
	static float v[600], y[300];
	struct fixture x;
	fill_random(v, 600, 9);
	fixture_parse(&x, state,
		      "program \"p\" [N in 1..*] { input f32[2*N] x output f32[N] y\n"
		      "kernel k { for i<N: y[i] = x[2*i+1] - x[i] } }");
	x.syms[0] = 300;
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y));
	for (int i = 0; i < 300; i++)
		assert_true(y[i] == v[2 * i + 1] - v[i]);
	x.syms[0] = 299;
	assert_false(fixture_try(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y)));
	assert_int_equal(x.diags.list.v[0].id, DG_INTERP_TENSOR);
}

static void
test_reducer_of_its_own(void **state)
{
	static float v[300], y[1];
	float m = -INFINITY, s = 0;
	struct fixture x;
	fill_random(v, 300, 11);
	for (int i = 0; i < 300; i++) {
		float most = m > v[i] ? m : v[i];
		s = s * (float)exp((double)(m - most)) + (float)exp((double)(v[i] - most));
		m = most;
	}
	fixture_parse(
		&x, state,
		"program \"p\" { input f32[300] x output f32[1] y reducer online(f32) -> (f32, f32) {\n"
		"init -inf, 0.0 step max(state0, arg0), state1*exp(state0-max(state0, arg0))\n"
		" + exp(arg0 - max(state0, arg0)) }\n"
		"kernel k { for i<1: m, s = online(j<300) x[j] y[i] = m + s } }");
	fixture_run(&x, false, &ARRAY(DT_F32, v), &ARRAY(DT_F32, y));
	assert_true(y[0] == m + s);
}

/* ---- every operation equals its definition on single numbers ---- */

enum { NVALUES = 300 };

static union sn_num
special(enum sn_dtype t, uint64_t *seed)
{
	static const double floats[] = { 0,	-0.0, 1,    -1,	      0.5,	 -2.5, 3,
					 1e-40, 6e4,  3e38, INFINITY, -INFINITY, NAN };
	static const int64_t ints[] = { 0,    1,   -1,	      2,	 7,	    -8,	      127,
					-128, 255, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
	size_t k = next_random(seed) % (ARRAY_LEN(floats) + 4);
	if (sn_is_float(t)) {
		double f = k < ARRAY_LEN(floats) ? floats[k] : (double)next_random(seed) / 1e8 - 10;
		return sn_num_cast((union sn_num){ .f = f }, DT_F64, t);
	}
	int64_t i = k < ARRAY_LEN(ints) ? ints[k] : (int64_t)(next_random(seed) % 16) - 8;
	return sn_num_cast((union sn_num){ .i = i }, DT_I64, t);
}

static bool
takes(enum sn_scalar_op op, enum sn_dtype t)
{
	const struct sn_scalar_info *info = sn_scalar_info(op);
	char kind = sn_dtype_info(t)->kind;
	if (op == OP_CAST || op == OP_BITCAST || op >= OP_SPLAT)
		return false;
	return info->operands == 'A' || (info->operands == 'F' && kind == 'F')
	       || (info->operands == 'I' && kind != 'F') || (info->operands == 'N' && kind != 'B');
}

static bool
same_number(enum sn_dtype t, union sn_num a, union sn_num b)
{
	if (!sn_is_float(t))
		return a.i == b.i;
	return (isnan(a.f) && isnan(b.f)) || (a.f == b.f && signbit(a.f) == signbit(b.f));
}

/* FORM: bit i set: operand i is one number for all lanes. */
static void
check_op(struct fixture *x, enum sn_scalar_op op, enum sn_dtype t, int form)
{
	struct sn_pool *p = &x->pool;
	int arity = sn_scalar_info(op)->arity;
	bool is_test = sn_scalar_info(op)->result == 'B';
	const struct sn_expr *n = sn_int(p, NVALUES), *args[3];
	struct sn_type type = { .dtype = t, .rank = 1, .dims = { n } }, result = type, cond = type;
	result.dtype = is_test ? DT_BOOL : t;
	cond.dtype = DT_BOOL;
	x->pr = sn_program_new(x->arena, p, "p");
	const struct sn_axis *axis = sn_axis_new(p, "i", n);
	const struct sn_expr *i = sn_axis_expr(p, axis), *zero = sn_int(p, 0);
	struct sn_array in[3], out;
	uint64_t seed = (uint64_t)op * 77 + t;
	for (int k = 0; k < arity; k++) {
		const struct sn_type *ty = op == OP_SELECT && k == 0 ? &cond : &type;
		struct sn_tensor *tensor = sn_tensor_new(x->pr, "x", ty, TR_INPUT);
		args[k] = sn_read(p, tensor, form >> k & 1 ? &zero : &i, 1, NULL);
		in[k] = (struct sn_array){ ty->dtype, NVALUES, sn_alloc(x->arena, 8 * NVALUES) };
		for (size_t j = 0; j < NVALUES; j++)
			sn_dtype_store(ty->dtype, in[k].bytes, j, special(ty->dtype, &seed));
	}
	struct sn_tensor *y = sn_tensor_new(x->pr, "y", &result, TR_OUTPUT);
	struct sn_kernel *kernel = sn_kernel_new(x->pr, "k");
	struct sn_comp *c = SN_NEW(x->arena, struct sn_comp);
	c->axes[c->naxes++] = axis;
	c->results[c->nresults++] = (struct sn_result){ y, { i }, sn_op(p, op, args, arity) };
	SN_PUSH(x->arena, &kernel->stages, c);
	SN_PUSH(x->arena, &x->pr->kernels, kernel);
	out = (struct sn_array){ result.dtype, NVALUES, sn_alloc(x->arena, 8 * NVALUES) };
	fixture_run(x, false, in, &out);
	for (size_t j = 0; j < NVALUES; j++) {
		union sn_num v[3], want, got = sn_dtype_load(result.dtype, out.bytes, j);
		for (int k = 0; k < arity; k++)
			v[k] = sn_dtype_load(in[k].dtype, in[k].bytes, form >> k & 1 ? 0 : j);
		want = sn_scalar_eval(op, t, result.dtype, v);
		if (!same_number(result.dtype, want, got))
			fail_msg("%s on %s: element %zu", sn_scalar_info(op)->text,
				 sn_dtype_info(t)->text, j);
	}
}

static void
test_operations_equal_their_definition(void **state)
{
	static const enum sn_dtype types[] = { DT_F64, DT_F32, DT_F16, DT_I64, DT_I32,
					       DT_I8,  DT_U8,  DT_U64, DT_BOOL };
	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		for (int op = 0; op < OP_COUNT; op++)
			for (int form = 0; form < 1 << sn_scalar_info(op)->arity; form++) {
				struct fixture x;
				struct sn_arena *a = sn_arena_child(*state);
				if (op == OP_WITHIN || !takes((enum sn_scalar_op)op, types[k]))
					continue;
				fixture_init(&x, (void **)&a);
				check_op(&x, (enum sn_scalar_op)op, types[k], form);
				sn_arena_release(a);
			}
}

static void
test_casts_equal_their_definition(void **state)
{
	static const enum sn_dtype types[] = { DT_F64, DT_F32, DT_F16, DT_BF16, DT_I64,
					       DT_I32, DT_I8,  DT_U8,  DT_U64,	DT_BOOL };
	for (size_t a = 0; a < ARRAY_LEN(types); a++)
		for (size_t b = 0; b < ARRAY_LEN(types); b++) {
			struct fixture x;
			char text[300];
			uint64_t seed = a * 31 + b, v[40], y[40];
			snprintf(text, sizeof(text),
				 "program \"p\" { input %s[40] x output %s[40] y\n"
				 "kernel k { for i<40: y[i] = %s(x[i]) } }",
				 sn_dtype_info(types[a])->text, sn_dtype_info(types[b])->text,
				 sn_dtype_info(types[b])->text);
			fixture_parse(&x, state, text);
			for (size_t j = 0; j < 40; j++)
				sn_dtype_store(types[a], v, j, special(types[a], &seed));
			fixture_run(&x, false, &(struct sn_array){ types[a], 40, v },
				    &(struct sn_array){ types[b], 40, y });
			for (size_t j = 0; j < 40; j++) {
				union sn_num from = sn_dtype_load(types[a], v, j);
				uint64_t bits = 0;
				sn_dtype_store(types[b], &bits, 0,
					       sn_num_cast(from, types[a], types[b]));
				assert_true(same_number(types[b], sn_dtype_load(types[b], &bits, 0),
							sn_dtype_load(types[b], y, j)));
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_convolution),
		UNIT_TEST(test_matmul),
		UNIT_TEST(test_softmax_in_stages),
		UNIT_TEST(test_max_pool_outside_is_least),
		UNIT_TEST(test_argmax_ties_and_nan),
		UNIT_TEST(test_gather),
		UNIT_TEST(test_concat_transpose_reshape),
		UNIT_TEST(test_integers_wrap),
		UNIT_TEST(test_narrow_floats_round_each_step),
		UNIT_TEST(test_all_in_f64),
		UNIT_TEST(test_packed_elements),
		UNIT_TEST(test_constants_unaligned_and_splat),
		UNIT_TEST(test_symbolic_extents),
		UNIT_TEST(test_reducer_of_its_own),
		UNIT_TEST(test_operations_equal_their_definition),
		UNIT_TEST(test_casts_equal_their_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
