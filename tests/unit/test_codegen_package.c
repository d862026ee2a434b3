/*
 * Packages: programs go through the passes, are written in every form, compiled without a warning,
 * loaded, run through the ABI and compared with the tensor interpreter.
 */
#include "unit.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "codegen/codegen.h"
#include "passes/pass.h"
#include "runtime/sinter_runtime.h"
#include "support/file.h"

static const char net[] =
	"program \"net\" in \"net */ ?/.onnx\" {\n"
	"\tinput f32[1, 3, 9, 11] x\n"
	"\tconst f32[20, 3, 3, 3] w = hash 7\n"
	"\tconst f32[20] bias = hash 9\n"
	"\tconst f32[10, 20] v = splat 0.125\n"
	"\ttemp f32[1, 20, 9, 11] t\n"
	"\toutput f32[1, 10, 9, 11] y\n"
	"\tkernel k00_conv_relu {\n"
	"\t\tfor n<1, m<20, h<9, i<11:\n"
	"\t\t\ts = sum(c<3, r<3, q<3) (x[n, c, h+r-1, i+q-1] else 0.0)*w[m, c, r, q]\n"
	"\t\t\tt[n, m, h, i] = max(s+bias[m], 0.0)\n"
	"\t}\n"
	"\tkernel k01_conv {\n"
	"\t\tfor n<1, m<10, h<9, i<11:\n"
	"\t\t\ts = sum(c<20) t[n, c, h, i]*v[m, c]\n"
	"\t\t\ty[n, m, h, i] = s\n"
	"\t}\n"
	"}\n";

static const char rows[] = "program \"rows\" [S in 1..1000] {\n"
			   "\tinput f32[S, 40] x\n"
			   "\tconst f32[40, 24] w = hash 3\n"
			   "\ttemp f32[S, 24] t\n"
			   "\ttemp f32[S, 24] u\n"
			   "\toutput f32[S, 24] y\n"
			   "\tkernel k00_matmul {\n"
			   "\t\tfor i<S, j<24:\n"
			   "\t\t\ts = sum(k<40) x[i, k]*w[k, j]\n"
			   "\t\t\tt[i, j] = s\n"
			   "\t}\n"
			   "\tkernel k01_tanh {\n"
			   "\t\tfor i<S, j<24:\n"
			   "\t\t\tu[i, j] = tanh(t[i, j])\n"
			   "\t}\n"
			   "\tkernel k02_add {\n"
			   "\t\tfor i<S, j<24:\n"
			   "\t\t\ts = sum(k<24) t[i, k]*u[i, j]\n"
			   "\t\t\ty[i, j] = s\n"
			   "\t}\n"
			   "}\n";

static const char one_number[] = "program \"one_number\" [S in 1..1000] {\n"
				 "\tinput f32[S, 40] x\n"
				 "\toutput f32[3] y\n"
				 "\tkernel k00_sum {\n"
				 "\t\tfor i<3:\n"
				 "\t\t\ts = sum(j<S, k<40) x[j, k]\n"
				 "\t\t\ty[i] = s\n"
				 "\t}\n"
				 "}\n";

struct bed {
	struct sn_arena *a;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_module m;
	struct sn_package_opts o;
	char folder[64];
	const struct sinter_model *model;
	void *lib;
};

static void
print_diags(struct bed *b)
{
	struct sn_buf t;

	sn_buf_init(&t, b->a);
	sn_diags_print(&b->diags, &t);
	fputs(t.text, stderr);
}

static void
bed_init(struct bed *b, void **state, const char *text, const char *cpu, const char *dialect)
{
	memset(b, 0, sizeof(*b));
	b->a = *state;
	sn_pool_init(&b->pool, b->a);
	sn_diags_init(&b->diags, b->a);
	b->m = (struct sn_module){ .name = "net",
				   .source = "net */ ?/.onnx",
				   .arena = b->a,
				   .pool = &b->pool,
				   .diags = &b->diags };
	sn_module_aim(&b->m, sn_target_find(cpu, b->a, &b->diags));
	b->o.dialect = sn_dialect_find(dialect);
	b->m.has_vectors = sn_dialect_has_vectors(b->o.dialect)
			   && (b->m.target->vector_bytes > 0 || sn_target_is_device(b->m.target));
	strcpy(b->folder, "/tmp/sinter-package-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	b->o.folder = b->folder;
	bool ok = sn_module_parse(&b->m, text, "net.sn");

	if (!ok)
		print_diags(b);
	assert_true(ok);
}

static void
emit(struct bed *b)
{
	struct sn_pipeline_opts o = { .is_verified = true };
	bool ok = sn_pipeline_run(&b->m, &o) && sn_package_write(&b->m, &b->o);

	if (!ok)
		print_diags(b);
	assert_true(ok);
}

static void
shell(struct bed *b, const char *command)
{
	if (getenv("SHOW"))
		puts(command);
	(void)b;
	assert_int_equal(system(command), 0);
}

static void
compile(struct bed *b, const char *cc, const char *march, const char *files)
{
	shell(b,
	      sn_printf(b->a,
			"cd %s && %s -std=c99 -O2 %s -Wall -Wextra -Wpedantic -Wconversion -Werror "
			"-shared -fPIC -o net.so %s -lm",
			b->folder, cc, march, files));
	b->lib = dlopen(sn_printf(b->a, "%s/net.so", b->folder), RTLD_NOW | RTLD_LOCAL);
	assert_non_null(b->lib);
	b->model = dlsym(b->lib, "net_model");
	assert_non_null(b->model);
}

static void
tidy(struct bed *b)
{
	dlclose(b->lib);
	if (!getenv("SHOW"))
		shell(b, sn_printf(b->a, "rm -r %s", b->folder));
}

/* Memory that is aligned as the ABI asks for. */
static void *
aligned(struct bed *b, size_t n)
{
	uintptr_t p = (uintptr_t)sn_alloc(b->a, n + 64);

	return (void *)((p + 63) / 64 * 64);
}

struct call {
	int64_t in_dims[4], out_dims[4];
	struct sinter_tensor in, out;
	struct sinter_need need;
	void *context, *arena;
};

/* Prepares a call with S rows (ignored by static models). */
static void
prepare(struct bed *b, struct call *c, int64_t s, int nthreads)
{
	const struct sinter_value *x = &b->model->inputs[0];
	size_t n = 1;

	for (int i = 0; i < x->rank; i++) {
		c->in_dims[i] = x->dims[i] < 0 ? s : x->dims[i];
		n *= (size_t)c->in_dims[i];
	}
	float *v = aligned(b, n * 4);

	for (size_t i = 0; i < n; i++)
		v[i] = (float)((i * 37 + 11) % 64) / 32 - 1;
	c->in = (struct sinter_tensor){ v, c->in_dims, x->rank, n * 4, 0 };
	c->out = (struct sinter_tensor){ NULL, c->out_dims, b->model->outputs[0].rank, 0, 0 };
	assert_int_equal(b->model->dims(&c->in, &c->out, nthreads, &c->need), SINTER_OK);
	c->out.data = aligned(b, c->out.bytes);
	c->out.capacity = c->out.bytes;
	c->arena = aligned(b, c->need.arena_bytes);
	if (!c->context)
		c->context = aligned(b, b->model->context_bytes);
}

static void
compare(struct bed *b, const struct call *c, int64_t s)
{
	size_t n = c->out.bytes / 4;
	struct sn_array in = { DT_F32, c->in.capacity / 4, c->in.data };
	struct sn_array out = { DT_F32, n, SN_NEW_ARRAY(b->a, n, float) };
	struct sn_interp_opts o = { .syms = &s };

	assert_true(sn_program_interp(b->m.program, &o, &in, &out, b->a, &b->diags));
	for (size_t i = 0; i < n; i++) {
		double want = ((float *)out.bytes)[i], got = ((float *)c->out.data)[i];

		if (!(fabs(want - got) <= 1e-5))
			fail_msg("[%zu]: %g, should be %g", i, got, want);
	}
}

static const void *
weights(struct bed *b, size_t *size)
{
	struct sn_file f;

	assert_true(sn_file_map(&f, sn_printf(b->a, "%s/net.weights", b->folder), &b->diags));
	void *copy = aligned(b, f.size);

	memcpy(copy, f.data, f.size);
	*size = f.size;
	sn_file_unmap(&f);
	return copy;
}

static void
static_net(void **state)
{
	struct bed b;
	struct call c = { 0 };
	size_t size;

	for (int i = 0; i < 4; i++) {
		bed_init(&b, state, net, i % 2 ? "x86-64-v3" : "x86-64-v4", "c");
		emit(&b);
		compile(&b, i < 2 ? "gcc" : "clang", "-march=native", "net.c");
		memset(&c, 0, sizeof(c));
		prepare(&b, &c, 0, 1);
		const void *w = weights(&b, &size);

		assert_int_equal(size, b.model->weights_bytes);
		assert_int_equal(b.model->init(c.context, w, size), SINTER_OK);
		assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes,
					      NULL),
				 SINTER_OK);
		compare(&b, &c, 0);
		assert_true(c.need.arena_bytes > 0);
		assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena,
					      c.need.arena_bytes - 1, NULL),
				 SINTER_TOO_SMALL);
		tidy(&b);
	}
}

static void
plain_c99(void **state)
{
	struct bed b;
	struct call c = { 0 };
	size_t size;

	for (int i = 0; i < 2; i++) {
		bed_init(&b, state, i ? rows : net, "generic", "c99");
		emit(&b);
		compile(&b, i ? "gcc" : "clang", "", "net.c");
		memset(&c, 0, sizeof(c));
		prepare(&b, &c, 13, 1);
		const void *w = weights(&b, &size);

		assert_int_equal(b.model->init(c.context, w, size), SINTER_OK);
		assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes,
					      NULL),
				 SINTER_OK);
		compare(&b, &c, 13);
		tidy(&b);
	}
}

static void
symbolic_rows(void **state)
{
	struct bed b;
	struct call c = { 0 };
	size_t size;
	static const int64_t sizes[] = { 1, 37, 37, 5, 1000 };

	bed_init(&b, state, rows, "x86-64-v4", "c");
	emit(&b);
	compile(&b, "gcc", "-march=native", "net.c");
	const void *w = weights(&b, &size);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		prepare(&b, &c, sizes[i], 1);
		if (i == 0)
			assert_int_equal(b.model->init(c.context, w, size), SINTER_OK);
		assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes,
					      NULL),
				 SINTER_OK);
		assert_int_equal(c.out_dims[0], sizes[i]);
		compare(&b, &c, sizes[i]);
	}
	tidy(&b);
}

/* What a caller can do wrong gives a status and touches nothing. */
/* Sizes of the inputs are open, those of the outputs are not: no parameter is unused. */
static void
closed_outputs(void **state)
{
	struct bed b;
	struct call c = { 0 };

	bed_init(&b, state, one_number, "generic", "c99");
	emit(&b);
	compile(&b, "gcc", "", "net.c");
	prepare(&b, &c, 7, 1);
	assert_int_equal(b.model->init(c.context, NULL, 0), SINTER_OK);
	assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes, NULL),
			 SINTER_OK);
	compare(&b, &c, 7);
	tidy(&b);
}

static void
bad_calls(void **state)
{
	struct bed b;
	struct call c = { 0 };
	size_t size;

	bed_init(&b, state, rows, "x86-64-v4", "c");
	emit(&b);
	compile(&b, "gcc", "-march=native", "net.c");
	unsigned char *w = (unsigned char *)weights(&b, &size);
	const struct sinter_model *m = b.model;

	prepare(&b, &c, 7, 1);
	assert_int_equal(m->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes, NULL),
			 SINTER_BAD_CALL);
	for (size_t i = 0; i < size; i += i < 64 ? 8 : 97) {
		if (i >= 32 && i < 64)
			continue;
		w[i] ^= 0x80;
		assert_int_equal(m->init(c.context, w, size), SINTER_BAD_WEIGHTS);
		w[i] ^= 0x80;
	}
	assert_int_equal(m->init(c.context, w, size - 64), SINTER_BAD_WEIGHTS);
	assert_int_equal(m->init(c.context, NULL, 0), SINTER_BAD_WEIGHTS);
	assert_int_equal(m->init(c.context, w, size), SINTER_OK);
	c.out.capacity--;
	assert_int_equal(m->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes, NULL),
			 SINTER_TOO_SMALL);
	c.out.capacity++;
	c.in_dims[1] = 41;
	assert_int_equal(m->dims(&c.in, &c.out, 1, &c.need), SINTER_BAD_DIMS);
	c.in_dims[1] = 40;
	c.in_dims[0] = INT64_MAX;
	assert_int_equal(m->dims(&c.in, &c.out, 1, &c.need), SINTER_BAD_DIMS);
	c.in_dims[0] = -1;
	assert_int_equal(m->dims(&c.in, &c.out, 1, &c.need), SINTER_BAD_DIMS);
	c.in_dims[0] = 1001;
	assert_int_equal(m->dims(&c.in, &c.out, 1, &c.need), SINTER_BAD_DIMS);
	c.in.rank = 3;
	assert_int_equal(m->dims(&c.in, &c.out, 1, &c.need), SINTER_BAD_CALL);
	assert_string_equal(m->text(SINTER_OK), "ok");
	tidy(&b);
}

static const char halves[] = "program \"halves\" [N in 1..1000] {\n"
			     "\tinput f32[N] x\n"
			     "\toutput f32[N] y\n"
			     "\trequire 2*(N//2) == N @ Reshape 4 \"pairs\"\n"
			     "\trequire N != 6 | N == 7\n"
			     "\tkernel k00_copy {\n"
			     "\t\tfor i<N:\n"
			     "\t\t\ty[i] = x[i]\n"
			     "\t}\n"
			     "}\n";

/* Requirements are checked by dims and run; why tells which one is broken. */
static void
requirements(void **state)
{
	static const char *const dialects[] = { "c", "c99" };
	static const struct {
		int64_t n;
		const char *why;
	} cases[] = {
		{ 4, NULL },
		{ 5, "the model requires 2*(N//2) == N (Reshape 'pairs')" },
		{ 6, "the model requires N != 6" },
		{ 0, "dimension 0 of 'x' ('N') must be 1 to 1000" },
		{ 1001, "dimension 0 of 'x' ('N') must be 1 to 1000" },
	};

	for (size_t d = 0; d < ARRAY_LEN(dialects); d++) {
		struct bed b;
		struct call c = { 0 };

		bed_init(&b, state, halves, d ? "generic" : "x86-64-v3", dialects[d]);
		emit(&b);
		compile(&b, d ? "clang" : "gcc", d ? "" : "-march=native", "net.c");
		prepare(&b, &c, 4, 1);
		assert_int_equal(b.model->init(c.context, NULL, 0), SINTER_OK);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			int want = cases[i].why ? SINTER_BAD_DIMS : SINTER_OK;
			const char *why;

			c.in_dims[0] = cases[i].n;
			assert_int_equal(b.model->dims(&c.in, &c.out, 1, &c.need), want);
			assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena,
						      c.need.arena_bytes, NULL),
					 want);
			why = b.model->why(&c.in);
			if (cases[i].why)
				assert_non_null(why ? strstr(why, cases[i].why) : NULL);
			else
				assert_null(why);
		}
		tidy(&b);
	}
}

struct trace {
	int calls, bodies;
};

static void
count_bodies(void *ctx, void (*body)(void *arg, int64_t i, int32_t worker), void *arg, int64_t n)
{
	struct trace *t = ctx;

	t->bodies++;
	for (int64_t i = n - 1; i >= 0; i--)
		body(arg, i, (int32_t)(i % 3));
}

static void
count_kernels(void *ctx, int32_t k, int32_t phase)
{
	struct trace *t = ctx;

	assert_int_equal(t->calls, 2 * k + phase);
	t->calls++;
}

static void
threads_and_hooks(void **state)
{
	struct bed b;
	struct call c = { 0 };
	struct trace t = { 0, 0 };
	struct sinter_hooks hooks = { &t, count_bodies, 3, count_kernels, NULL };
	size_t size;

	bed_init(&b, state, net, "x86-64-v4", "c");
	b.m.is_threaded = true;
	emit(&b);
	compile(&b, "gcc", "-march=native", "net.c");
	prepare(&b, &c, 0, 3);
	const void *w = weights(&b, &size);

	assert_int_equal(b.model->init(c.context, w, size), SINTER_OK);
	assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes,
				      &hooks),
			 SINTER_OK);
	compare(&b, &c, 0);
	assert_int_equal(t.calls, 2 * (int)b.model->nkernels);
	assert_true(t.bodies > 0);
	tidy(&b);
}

/* ---- models for a device ---- */

static const char chain[] = "program \"chain\" {\n"
			    "\tinput f32[6, 50] x\n"
			    "\tconst f32[50, 50] a = hash 1\n"
			    "\tconst f32[50, 50] b = hash 2\n"
			    "\tconst f32[50, 50] c = hash 3\n"
			    "\ttemp f32[6, 50] t\n"
			    "\ttemp f32[6, 50] u\n"
			    "\toutput f32[6, 50] y\n"
			    "\tkernel k00_matmul {\n"
			    "\t\tfor i<6, j<50:\n"
			    "\t\t\ts = sum(k<50) x[i, k]*a[k, j]\n"
			    "\t\t\tt[i, j] = s\n"
			    "\t}\n"
			    "\tkernel k01_matmul {\n"
			    "\t\tfor i<6, j<50:\n"
			    "\t\t\ts = sum(k<50) t[i, k]*b[k, j]\n"
			    "\t\t\tu[i, j] = s\n"
			    "\t}\n"
			    "\tkernel k02_matmul {\n"
			    "\t\tfor i<6, j<50:\n"
			    "\t\t\ts = sum(k<50) u[i, k]*c[k, j]\n"
			    "\t\t\ty[i, j] = s\n"
			    "\t}\n"
			    "}\n";

/* What a queue was asked for: kernels, and the memories of each. */
struct launches {
	int n, kernels[3], mems[3][3];
};

static int
note_launch(void *ctx, const struct sinter_launch *l)
{
	struct launches *all = ctx;

	assert_int_equal(l->step, all->n);
	assert_in_range(l->nmems, 2, 3);
	assert_true(l->groups[0] > 0 && l->items[0] > 0);
	all->kernels[all->n] = l->kernel;
	memcpy(all->mems[all->n++], l->mems, sizeof(int32_t) * (size_t)l->nmems);
	return all->n == 3 ? SINTER_BAD_VALUE : SINTER_OK;
}

/* Steps of one function share a kernel where their tensors lie in memories alike: the first and the
 * last read one memory and write another, the one between does both in the arena. */
static void
launches_of_device(void **state)
{
	struct bed b;
	struct call c = { 0 };
	struct launches all = { 0 };
	struct sinter_queue queue = { &all, note_launch, NULL, NULL };
	struct sinter_hooks hooks = { .queue = &queue };
	size_t size;

	bed_init(&b, state, chain, "opencl", "opencl");
	emit(&b);
	compile(&b, "gcc", "", "net.c");
	prepare(&b, &c, 0, 1);
	assert_int_equal(c.need.arena_bytes, 0);
	const void *w = weights(&b, &size);

	assert_int_equal(b.model->init(c.context, w, size), SINTER_OK);
	assert_int_equal(b.model->run(c.context, &c.in, &c.out, NULL, 0, NULL), SINTER_BAD_CALL);
	assert_int_equal(b.model->run(c.context, &c.in, &c.out, NULL, 0, &hooks), SINTER_BAD_VALUE);
	assert_int_equal(all.n, 3);
	assert_int_equal(b.model->program->nkernels, 2);
	assert_int_equal(all.kernels[0], all.kernels[2]);
	assert_int_not_equal(all.kernels[0], all.kernels[1]);
	assert_int_equal(all.mems[0][0], SINTER_MEM_ARENA);
	assert_int_equal(all.mems[2][0], SINTER_MEM_IO + 1);
	tidy(&b);
}

/* Runs what was prepared in a session on the first device. */
static void
run_session(struct bed *b, struct call *c)
{
	struct sinter_session_opts opts = { 0 };
	struct sinter_loaded *loaded;
	struct sinter_session *s;
	struct sinter_error e;
	const char *path = sn_printf(b->a, "%s/net.weights", b->folder);

	if (sinter_device_open("opencl:0", &opts.device, &e) != SINTER_OK)
		fail_msg("%s", e.text);
	if (sinter_model_link(b->model, path, &loaded, &e) != SINTER_OK)
		fail_msg("%s", e.text);
	if (sinter_session_new(loaded, &opts, &s, &e) != SINTER_OK)
		fail_msg("%s", e.text);
	if (sinter_session_set_input(s, 0, c->in.data, c->in.capacity, c->in_dims, &e) != SINTER_OK
	    || sinter_session_set_output(s, 0, c->out.data, c->out.capacity, &e) != SINTER_OK
	    || sinter_session_bind(s, &e) != SINTER_OK || sinter_session_run(s, &e) != SINTER_OK)
		fail_msg("%s", e.text);
	sinter_session_free(s);
	sinter_model_unload(loaded);
	sinter_device_close(opts.device);
}

static void
on_a_device(void **state)
{
	static const struct {
		const char *text, *cc;
		int64_t rows;
	} cases[] = { { net, "gcc", 0 }, { rows, "clang", 37 }, { rows, "gcc", 1 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bed b;
		struct call c = { 0 };

		bed_init(&b, state, cases[i].text, "opencl", "opencl");
		emit(&b);
		compile(&b, cases[i].cc, "", "net.c");
		prepare(&b, &c, cases[i].rows, 1);
		assert_true(c.need.device_bytes > 0);
		run_session(&b, &c);
		compare(&b, &c, cases[i].rows);
		shell(&b, sn_printf(b.a,
				    "clang-14 -x cl -cl-std=CL1.2 -fsyntax-only -Wall -Werror "
				    "%s/net.cl",
				    b.folder));
		tidy(&b);
	}
}

static const char picks[] = "program \"picks\" [N in 1..1000] {\n"
			    "\tinput i64[N] at\n"
			    "\tconst f32[3, 8] x = hash 5\n"
			    "\toutput f32[N, 8] y\n"
			    "\tkernel k00_gather {\n"
			    "\t\tfor i<N, j<8:\n"
			    "\t\t\ty[i, j] = x[within(at[i], 3), j]\n"
			    "\t}\n"
			    "}\n";

/* An index out of range: all outputs are there, the status says so, whoever's iteration it was. */
static void
bad_indices(void **state)
{
	static const int64_t bad[] = { 3, -1, INT64_MAX, INT64_MIN };

	for (int i = 0; i < 3; i++) {
		struct bed b;
		struct call c = { 0 };
		struct trace t = { 0, 0 };
		struct sinter_hooks hooks = { &t, count_bodies, 3, NULL, NULL };
		int64_t at[20];
		size_t size;

		bed_init(&b, state, picks, i ? "generic" : "x86-64-v3", i == 2 ? "c99" : "c");
		b.m.is_threaded = i < 2;
		emit(&b);
		compile(&b, i ? "clang" : "gcc", "", "net.c");
		prepare(&b, &c, 20, 3);
		const void *w = weights(&b, &size);

		assert_int_equal(b.model->init(c.context, w, size), SINTER_OK);
		c.in.data = at;
		c.in.capacity = sizeof(at);
		for (int k = 0; k < 20 * 5; k++) {
			for (int j = 0; j < 20; j++)
				at[j] = j % 3;
			at[k % 20] = k / 20 < 4 ? bad[k / 20] : 0;
			memset(c.out.data, 0xff, c.out.bytes);
			memset(c.arena, 0xff, c.need.arena_bytes);
			assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena,
						      c.need.arena_bytes, &hooks),
					 k / 20 < 4 ? SINTER_BAD_INDEX : SINTER_OK);
			for (int j = 0; j < 160; j++)
				assert_true(!isnan(((float *)c.out.data)[j]));
		}
		assert_int_equal(t.bodies > 0, b.m.is_threaded);
		tidy(&b);
	}
}

/* Embedded weights need no file; both forms hold the same bytes. */
static void
linked_weights(void **state)
{
	static const enum sn_weights_form forms[] = { WF_OBJECT, WF_ARRAY };
	static const char *const files[] = { "net.c net_weights.S", "net.c net_weights.c" };

	for (size_t i = 0; i < 2; i++) {
		struct bed b;
		struct call c = { 0 };
		size_t size;

		bed_init(&b, state, net, "x86-64-v3", "c");
		b.o.weights = forms[i];
		emit(&b);
		compile(&b, i ? "clang" : "gcc", "-march=native", files[i]);
		prepare(&b, &c, 0, 1);
		const void *w = weights(&b, &size);

		assert_memory_equal(w, b.model->weights, size);
		assert_int_equal(b.model->init(c.context, NULL, 0), SINTER_OK);
		assert_int_equal(b.model->run(c.context, &c.in, &c.out, c.arena, c.need.arena_bytes,
					      NULL),
				 SINTER_OK);
		compare(&b, &c, 0);
		tidy(&b);
	}
}

/* The same module gives the same bytes; the object needs nothing but memory and mathematics. */
static void
deterministic_and_clean(void **state)
{
	struct bed b, again;

	bed_init(&b, state, net, "x86-64-v4", "c");
	bed_init(&again, state, net, "x86-64-v4", "c");
	emit(&b);
	emit(&again);
	shell(&b, sn_printf(b.a, "diff -r %s %s", b.folder, again.folder));
	shell(&b,
	      sn_printf(b.a, "grep -q '\"abi\": %d,' %s/model.json", SINTER_ABI_VERSION, b.folder));
	compile(&b, "gcc", "-march=native", "net.c");
	shell(&b, sn_printf(b.a,
			    "cd %s && gcc -O2 -march=native -c net.c && ! nm net.o | grep ' U ' | "
			    "grep -vE 'mem(cpy|set|cmp)|expf?|tanhf?'",
			    b.folder));
	shell(&b, sn_printf(b.a, "rm -r %s", again.folder));
	tidy(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(static_net),	      UNIT_TEST(plain_c99),
		UNIT_TEST(symbolic_rows),     UNIT_TEST(closed_outputs),
		UNIT_TEST(bad_calls),	      UNIT_TEST(requirements),
		UNIT_TEST(threads_and_hooks), UNIT_TEST(bad_indices),
		UNIT_TEST(linked_weights),    UNIT_TEST(launches_of_device),
		UNIT_TEST(on_a_device),	      UNIT_TEST(deterministic_and_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
