/* Sessions and loading, on a model written by hand: y = 2 * x, f32[N,2], weights of 64 bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/sinter_runtime.h"
#include "tests/unit/unit.h"

static const int64_t dims_of[] = { -1, 2 };
static const char *const names_of[] = { "N", "2" };
static const struct sinter_value value_in = { "x", 1, 2, dims_of, names_of };
static const struct sinter_value value_out = { "y", 1, 2, dims_of, names_of };
static const struct sinter_kernel kernels[] = { { "k00_mul", "Mul 'a\"b'" } };

enum { ARENA = 256 };

static int
model_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,
	   struct sinter_need *need)
{
	if (in[0].dims[0] > 1000)
		return SINTER_BAD_DIMS;
	out[0].dims[0] = in[0].dims[0];
	out[0].dims[1] = 2;
	out[0].bytes = (size_t)in[0].dims[0] * 8;
	need->arena_bytes = (size_t)(ARENA * nthreads);
	return SINTER_OK;
}

static int
model_init(void *context, const void *weights, size_t weights_bytes)
{
	(void)context;
	return weights && weights_bytes == 64 && *(const char *)weights == 'W' ? SINTER_OK
									       : SINTER_BAD_WEIGHTS;
}

struct work {
	const float *x;
	float *y;
};

static void
row(void *arg, int64_t i, int32_t worker)
{
	struct work *w = arg;

	(void)worker;
	w->y[2 * i] = 2 * w->x[2 * i];
	w->y[2 * i + 1] = 2 * w->x[2 * i + 1];
}

static int
model_run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *arena,
	  size_t arena_bytes, const struct sinter_hooks *hooks)
{
	struct work w = { in[0].data, out[0].data };

	(void)context;
	if (!w.x)
		return SINTER_BAD_CALL;
	if (arena_bytes < (size_t)(ARENA * hooks->nthreads))
		return SINTER_TOO_SMALL;
	memset(arena, 0x55, arena_bytes);
	if (hooks->kernel)
		hooks->kernel(hooks->ctx, 0, 0);
	if (hooks->parallel)
		hooks->parallel(hooks->ctx, row, &w, in[0].dims[0]);
	for (int64_t i = 0; !hooks->parallel && i < in[0].dims[0]; i++)
		row(&w, i, 0);
	if (hooks->kernel)
		hooks->kernel(hooks->ctx, 0, 1);
	return SINTER_OK;
}

static void
model_free(void *context)
{
	(void)context;
}

static const char *
model_text(int status)
{
	return sinter_status_text(status);
}

static const struct sinter_model model = {
	.abi = SINTER_ABI_VERSION,
	.ninputs = 1,
	.noutputs = 1,
	.nkernels = 1,
	.name = "twice",
	.inputs = &value_in,
	.outputs = &value_out,
	.kernels = kernels,
	.weights_bytes = 64,
	.context_bytes = 64,
	.dims = model_dims,
	.init = model_init,
	.run = model_run,
	.free = model_free,
	.text = model_text,
};

static char folder[] = "/tmp/sinter-test-XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *
write_weights(char first, size_t size)
{
	char bytes[128] = { 0 };
	const char *path = path_of("twice.weights");
	FILE *f = fopen(path, "w");

	bytes[0] = first;
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
	return path;
}

static struct sinter_loaded *
linked(void)
{
	struct sinter_loaded *l = NULL;

	assert_int_equal(sinter_model_link(&model, write_weights('W', 64), &l, NULL), SINTER_OK);
	return l;
}

static void
refuses_bad_weights(void **state)
{
	struct sinter_loaded *l = NULL;
	struct sinter_session *s = NULL;
	struct sinter_error e;
	(void)state;

	assert_int_equal(sinter_model_link(&model, path_of("none"), &l, &e), SINTER_NO_FILE);
	assert_non_null(strstr(e.text, "No such file"));
	assert_int_equal(sinter_model_link(&model, NULL, &l, &e), SINTER_BAD_CALL);
	assert_int_equal(sinter_model_link(&model, write_weights('W', 63), &l, &e),
			 SINTER_BAD_WEIGHTS);
	assert_non_null(strstr(e.text, "has 63 bytes, the weights of 'twice' are 64"));
	assert_null(l);
	assert_int_equal(sinter_model_link(&model, write_weights('X', 64), &l, &e), SINTER_OK);
	assert_int_equal(sinter_session_new(l, NULL, &s, &e), SINTER_BAD_WEIGHTS);
	assert_null(s);
	sinter_model_unload(l);
}

static void
refuses_another_abi(void **state)
{
	struct sinter_model other = model;
	struct sinter_loaded *l = NULL;
	struct sinter_error e;
	(void)state;

	other.abi = 99;
	assert_int_equal(sinter_model_link(&other, NULL, &l, &e), SINTER_NO_MODEL);
	assert_non_null(strstr(e.text, "ABI version 99"));
	assert_null(l);
}

static void
refuses_what_is_no_package(void **state)
{
	struct sinter_loaded *l = NULL;
	struct sinter_error e;
	(void)state;

	assert_int_equal(sinter_model_load("/nowhere/at/all", &l, &e), SINTER_NO_FILE);
	assert_int_equal(sinter_model_load(folder, &l, &e), SINTER_NO_MODEL);
	assert_non_null(strstr(e.text, "no compiled model"));
	assert_int_equal(sinter_model_load(write_weights('W', 64), &l, &e), SINTER_NO_MODEL);
	FILE *f = fopen(path_of("libhalf.so"), "w");

	fclose(f);
	assert_int_equal(sinter_model_load(folder, &l, &e), SINTER_NO_MODEL);
	assert_non_null(strstr(e.text, "can't load"));
	unlink(path_of("libhalf.so"));
	assert_null(l);
}

static void
knows_its_values(void **state)
{
	(void)state;
	struct sinter_loaded *l = linked();

	assert_ptr_equal(sinter_model_of(l), &model);
	assert_int_equal(sinter_model_input(l, "x"), 0);
	assert_int_equal(sinter_model_input(l, "y"), -1);
	assert_int_equal(sinter_model_output(l, "y"), 0);
	sinter_model_unload(l);
}

/* Binds N rows, runs, checks the result. */
static void
run_rows(struct sinter_session *s, int64_t n)
{
	static float x[2000];
	int64_t dims[] = { n, 2 };

	for (int i = 0; i < 2 * n; i++)
		x[i] = (float)i;
	assert_int_equal(sinter_session_set_input(s, 0, x, (size_t)n * 8, dims, NULL), SINTER_OK);
	assert_int_equal(sinter_session_bind(s, NULL), SINTER_OK);
	assert_int_equal(sinter_session_run(s, NULL), SINTER_OK);
	const struct sinter_tensor *y = sinter_session_output(s, 0);

	assert_int_equal(y->dims[0], n);
	assert_int_equal(y->bytes, n * 8);
	for (int i = 0; i < 2 * n; i++)
		assert_true(((const float *)y->data)[i] == (float)(2 * i));
}

static void
runs_with_changing_sizes(void **state)
{
	(void)state;
	struct sinter_loaded *l = linked();
	struct sinter_session *s = NULL;

	assert_int_equal(sinter_session_new(l, NULL, &s, NULL), SINTER_OK);
	assert_int_equal(sinter_session_arena_bytes(s), 0);
	run_rows(s, 3);
	assert_int_equal(sinter_session_arena_bytes(s), ARENA);
	run_rows(s, 900);
	run_rows(s, 1);
	run_rows(s, 0);
	assert_null(sinter_session_output(s, 1));
	sinter_session_free(s);
	sinter_model_unload(l);
}

static void
runs_on_a_pool(void **state)
{
	(void)state;
	struct sinter_loaded *l = linked();
	struct sinter_pool *p = NULL;
	struct sinter_session *s[2] = { 0 };

	assert_int_equal(sinter_pool_new(3, &p, NULL), SINTER_OK);
	struct sinter_session_opts o = { .pool = p };

	for (int i = 0; i < 2; i++)
		assert_int_equal(sinter_session_new(l, &o, &s[i], NULL), SINTER_OK);
	for (int i = 0; i < 20; i++)
		run_rows(s[i % 2], 100 + i);
	assert_int_equal(sinter_session_arena_bytes(s[0]), 3 * ARENA);
	sinter_session_free(s[0]);
	sinter_session_free(s[1]);
	sinter_pool_free(p);
	sinter_model_unload(l);
}

static void
refuses_wrong_calls(void **state)
{
	int64_t wide[] = { 4, 3 }, many[] = { 2000, 2 }, four[] = { 4, 2 };
	float x[8] = { 0 }, y[8];
	struct sinter_session *s = NULL;
	struct sinter_error e;
	(void)state;
	struct sinter_loaded *l = linked();

	assert_int_equal(sinter_session_new(l, NULL, &s, NULL), SINTER_OK);
	assert_int_equal(sinter_session_run(s, &e), SINTER_BAD_CALL);
	assert_int_equal(sinter_session_set_input(s, 1, x, 32, four, &e), SINTER_NO_NAME);
	assert_int_equal(sinter_session_set_input(s, 0, x, 32, wide, &e), SINTER_BAD_DIMS);
	assert_string_equal(e.text, "input 'x': dimension 1 is 3, the model fixes 2");
	assert_int_equal(sinter_session_set_input(s, 0, x, 32, NULL, &e), SINTER_BAD_DIMS);
	assert_int_equal(sinter_session_set_input(s, 0, x, 32, many, &e), SINTER_OK);
	assert_int_equal(sinter_session_bind(s, &e), SINTER_BAD_DIMS);
	assert_int_equal(sinter_session_set_input(s, 0, x, 32, four, &e), SINTER_OK);
	assert_int_equal(sinter_session_set_output(s, 0, y, 31, &e), SINTER_OK);
	assert_int_equal(sinter_session_bind(s, &e), SINTER_TOO_SMALL);
	assert_string_equal(e.text, "output 'y' needs 32 bytes, not 31");
	assert_int_equal(sinter_session_set_output(s, 0, y, 32, &e), SINTER_OK);
	assert_int_equal(sinter_session_bind(s, &e), SINTER_OK);
	assert_int_equal(sinter_session_run(s, &e), SINTER_OK);
	assert_ptr_equal(sinter_session_output(s, 0)->data, y);
	sinter_session_free(s);
	sinter_model_unload(l);
}

static void
records_kernels(void **state)
{
	(void)state;
	struct sinter_loaded *l = linked();
	struct sinter_profile *p = NULL;
	struct sinter_session *s = NULL;
	uint64_t calls, ns;
	char text[4096] = { 0 };

	assert_int_equal(sinter_profile_new(l, 2, &p, NULL), SINTER_OK);
	struct sinter_session_opts o = { .profile = p };

	assert_int_equal(sinter_session_new(l, &o, &s, NULL), SINTER_OK);
	for (int i = 0; i < 5; i++)
		run_rows(s, 4);
	sinter_profile_kernel(p, 0, &calls, &ns);
	assert_int_equal(calls, 5);
	sinter_profile_kernel(p, 7, &calls, &ns);
	assert_int_equal(calls, 0);
	assert_int_equal(sinter_profile_write(p, path_of("trace.json"), NULL), SINTER_OK);
	FILE *f = fopen(path_of("trace.json"), "r");

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	int events = 0;

	for (const char *c = text; (c = strstr(c, "\"name\":\"k00_mul\"")); c++)
		events++;
	assert_int_equal(events, 2);
	assert_non_null(strstr(text, "\"nodes\":\"Mul 'a\\\"b'\""));
	assert_int_equal(sinter_profile_write(p, "/nowhere/trace.json", NULL), SINTER_NO_FILE);
	unlink(path_of("trace.json"));
	sinter_session_free(s);
	sinter_profile_free(p);
	sinter_model_unload(l);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path_of("twice.weights"));
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_weights),	      cmocka_unit_test(refuses_another_abi),
		cmocka_unit_test(refuses_what_is_no_package), cmocka_unit_test(knows_its_values),
		cmocka_unit_test(runs_with_changing_sizes),   cmocka_unit_test(runs_on_a_pool),
		cmocka_unit_test(refuses_wrong_calls),	      cmocka_unit_test(records_kernels),
	};
	return cmocka_run_group_tests_name("runtime", tests, make_folder, remove_folder);
}
