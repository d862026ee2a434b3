/* Every OpenCL call fails in turn while a network is loaded, run and unloaded: there is a status, nothing
 * is left, and the caller goes on, on the CPU or on the device.  Under AddressSanitizer memory counts, too. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/device/shim.h"
#include "tests/unit/device_fixture.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/sinter-faults-XXXXXX";
static struct shim *shim; /* NULL: no PoCL, no loader */

enum { ROWS = 40, SECONDS = 60 };

/* ---- what goes on on the CPU: y = x + 1 ---- */

static int
cpu_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,
	 struct sinter_need *need)
{
	(void)nthreads;
	out[0].dims[0] = in[0].dims[0];
	out[0].dims[1] = in[0].dims[1];
	out[0].bytes = in[0].bytes;
	need->arena_bytes = 64;
	return SINTER_OK;
}

static int
cpu_run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *arena,
	size_t arena_bytes, const struct sinter_hooks *hooks)
{
	(void)context;
	(void)arena;
	(void)arena_bytes;
	(void)hooks;
	for (size_t i = 0; i < in[0].bytes / sizeof(float); i++)
		((float *)out[0].data)[i] = ((const float *)in[0].data)[i] + 1;
	return SINTER_OK;
}

static void
go_on_on_the_cpu(void)
{
	struct sinter_model m = device_model;
	struct sinter_device *d = NULL;
	struct sinter_loaded *l = NULL;
	struct sinter_session *s = NULL;
	float x[4] = { 1, 2, 3, 4 };

	m.program = NULL;
	m.dims = cpu_dims;
	m.run = cpu_run;
	assert_int_equal(sinter_device_open("cpu", &d, NULL), SINTER_OK);
	assert_int_equal(sinter_model_link(&m, NULL, &l, NULL), SINTER_OK);
	struct sinter_session_opts o = { .device = d };

	assert_int_equal(sinter_session_new(l, &o, &s, NULL), SINTER_OK);
	assert_int_equal(sinter_session_set_input(s, 0, x, 16, (int64_t[]){ 1, 4 }, NULL),
			 SINTER_OK);
	assert_int_equal(sinter_session_bind(s, NULL), SINTER_OK);
	assert_int_equal(sinter_session_run(s, NULL), SINTER_OK);
	assert_true(((float *)sinter_session_output(s, 0)->data)[3] == 5);
	sinter_session_free(s);
	sinter_model_unload(l);
	sinter_device_close(d);
}

/* ---- the walk ---- */

struct walk {
	struct sinter_device *device;
	struct sinter_loaded *loaded;
	struct sinter_profile *profile;
	struct sinter_session *session;
	struct sinter_memory *pinned;
	struct sinter_error error;
	int is_copied; /* as on a device that shares no memory */
};

static float x[4 * ROWS] __attribute__((aligned(64))), y[4 * ROWS] __attribute__((aligned(64)));

static int
load(struct walk *w)
{
	struct sinter_error *e = &w->error;
	int status = sinter_device_open("opencl:0", &w->device, e);

	if (status != SINTER_OK)
		return status;
	if (w->is_copied)
		w->device->info.shares_memory = 0;
	status = sinter_memory_new(w->device, SINTER_MEMORY_PINNED, 1000, &w->pinned, e);
	if (status == SINTER_OK)
		status = sinter_model_link(&device_model, NULL, &w->loaded, e);
	if (status == SINTER_OK)
		status = sinter_profile_new(w->loaded, 100, &w->profile, e);
	if (status == SINTER_OK) {
		struct sinter_session_opts o = { .device = w->device, .profile = w->profile };

		status = sinter_session_new(w->loaded, &o, &w->session, e);
	}
	return status;
}

/* Runs N rows. */
static int
run(struct walk *w, int64_t n)
{
	struct sinter_error *e = &w->error;
	struct sinter_session *s = w->session;
	int status = sinter_session_set_input(s, 0, x, (size_t)n * 16, (int64_t[]){ n, 4 }, e);

	if (status == SINTER_OK)
		status = sinter_session_set_output(s, 0, y, (size_t)n * 16, e);
	if (status == SINTER_OK)
		status = sinter_session_bind(s, e);
	if (status == SINTER_OK)
		status = sinter_session_run(s, e);
	/* A status that says all is well must not lie. */
	assert_true(status != SINTER_OK || device_is_right(x, y, n));
	return status;
}

static void
unload(struct walk *w)
{
	sinter_session_free(w->session);
	sinter_profile_free(w->profile);
	sinter_model_unload(w->loaded);
	sinter_memory_free(w->pinned);
	sinter_device_close(w->device);
}

/* One network loaded, run twice, unloaded; its status. */
static int
walk(int is_copied)
{
	struct walk w = { .is_copied = is_copied };

	alarm(SECONDS);
	int status = load(&w);

	if (status == SINTER_OK)
		status = run(&w, ROWS);
	if (status == SINTER_OK)
		status = run(&w, ROWS - 3);
	if (status != SINTER_OK) {
		assert_int_equal(w.error.status, status);
		assert_true(w.error.text[0]);
		assert_string_not_equal(sinter_status_text(status), "unknown status");
	}
	unload(&w);
	alarm(0);
	return status;
}

/* ---- faults ---- */

static void
arm(int from, int to, int code)
{
	shim->ncalls = 0;
	shim->fail_from = from;
	shim->fail_to = to;
	shim->code = code;
	shim->failed = "none";
}

/* Fails call N of the walk, and all after it if IS_LASTING, with the program in the cache or not;
 * returns whether the walk had so many. */
static int
check_fault(int n, int is_lasting, int code, int is_copied, int is_cached)
{
	uint64_t bytes;

	if (!is_cached)
		sinter_cache_clear(&bytes, NULL);
	arm(n, is_lasting ? 1 << 30 : n, code);
	int status = walk(is_copied), ncalls = shim->ncalls;

	if (shim->nlive != 0)
		fail_msg("%d objects are left after call %d, %s, failed (status %d)", shim->nlive,
			 n, shim->failed, status);
	if (is_lasting && n <= ncalls / 2)
		assert_true(status != SINTER_OK);
	arm(0, 0, 0);
	go_on_on_the_cpu();
	if (n % 16 == 0)
		assert_int_equal(walk(is_copied), SINTER_OK);
	return n <= ncalls;
}

static void
check_faults(int is_lasting, int code, int is_copied, int is_cached)
{
	int n = 1;

	if (!shim)
		skip();
	arm(0, 0, 0);
	assert_int_equal(walk(is_copied), SINTER_OK);
	while (check_fault(n, is_lasting, code, is_copied, is_cached))
		n++;
	assert_true(n > 60);
}

static void
each_call_fails_once(void **state)
{
	(void)state;
	check_faults(0, -5, 0, 0);
}

static void
each_call_fails_once_with_a_cached_program(void **state)
{
	(void)state;
	check_faults(0, -6, 0, 1);
}

static void
each_call_fails_once_where_data_is_copied(void **state)
{
	(void)state;
	check_faults(0, -5, 1, 1);
}

/* As when the device is gone. */
static void
all_calls_fail_from_one_on(void **state)
{
	(void)state;
	check_faults(1, -5, 0, 0);
}

static void
measuring_can_fail(void **state)
{
	struct sinter_device *d = NULL;
	struct sinter_error e;
	double gbs;
	(void)state;

	if (!shim)
		skip();
	arm(0, 0, 0);
	assert_int_equal(sinter_device_open("opencl:0", &d, &e), SINTER_OK);
	int nlive = shim->nlive;

	shim->only = "clEnqueueCopyBuffer";
	arm(2, 2, -5);
	assert_int_equal(sinter_device_bandwidth(d, &gbs, &e), SINTER_DEVICE_LOST);
	assert_string_equal(e.text, "can't copy on the device: out of resources (OpenCL error -5)");
	assert_int_equal(shim->nlive, nlive);
	shim->only = NULL;
	arm(0, 0, 0);
	sinter_device_close(d);
}

/* Puts the shim under the loader, as its only vendor. */
static int
set_up(void **state)
{
	char path[512], icd[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	char *end = NULL;
	void *library, *p;
	shim_state_fn *get;
	struct sinter_device *d = NULL;
	(void)state;

	if (n < 0 || !mkdtemp(folder))
		return -1;
	path[n] = '\0';
	for (int i = 0; i < 2 && (end = strrchr(path, '/')); i++)
		*end = '\0';
	strcat(path, "/device/shim.so");
	snprintf(icd, sizeof(icd), "%s/shim.icd", folder);
	FILE *f = fopen(icd, "w");

	if (!f || fprintf(f, "%s\n", path) < 0 || fclose(f) != 0)
		return -1;
	setenv("OCL_ICD_VENDORS", folder, 1);
	setenv("SINTER_CACHE_DIR", folder, 1);
	library = dlopen(path, RTLD_NOW);
	p = library ? dlsym(library, SHIM_STATE) : NULL;
	if (!p)
		return -1;
	memcpy(&get, &p, sizeof(p));
	for (int i = 0; i < 4 * ROWS; i++)
		x[i] = (float)i;
	struct sinter_error e;

	if (sinter_device_open("opencl:0", &d, &e) == SINTER_OK)
		shim = get();
	else
		print_message("# %s\n", e.text);
	sinter_device_close(d);
	return 0;
}

static int
tear_down(void **state)
{
	char command[64];
	(void)state;

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(each_call_fails_once_with_a_cached_program),
		cmocka_unit_test(each_call_fails_once_where_data_is_copied),
		cmocka_unit_test(all_calls_fail_from_one_on),
		cmocka_unit_test(measuring_can_fail),
	};
	return cmocka_run_group_tests_name("device faults", tests, set_up, tear_down);
}
