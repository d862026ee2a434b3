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
static char library[512]; /* the shim's */
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

struct network {
	const struct sinter_model *model;
	int (*is_right)(const float *x, const float *y, int64_t n);
};

static const struct network turned = { &device_model, device_is_right };
/* Kernel, read, a step on the host, write, kernel. */
static const struct network mixed = { &device_mixed_model, device_mixed_is_right };

/* What is walked, and how calls fail. */
struct way {
	const struct network *network;
	int code;	/* that calls fail with */
	int is_copied;	/* as on a device that shares no memory */
	int is_cached;	/* the program is on disk already */
	int is_watched; /* the caller looks on between steps */
	int is_lasting; /* all calls fail from one on, as when the device is gone */
	int is_direct;	/* no loader between, which would keep the platforms that it has found */
};

struct walk {
	const struct way *way;
	struct sinter_device *device;
	struct sinter_loaded *loaded;
	struct sinter_profile *profile;
	struct sinter_session *session;
	struct sinter_memory *pinned;
	struct sinter_error error;
	int nwatched; /* calls of watch in this run */
};

static float x[4 * ROWS] __attribute__((aligned(64))), y[4 * ROWS] __attribute__((aligned(64)));

/* Sees what the host's step has got and made. */
static void
watch(void *ctx, int32_t k, int32_t phase)
{
	struct walk *w = ctx;
	const float *a = sinter_session_host_arena(w->session);

	w->nwatched++;
	if (w->way->network != &mixed || k != 2)
		return;
	const float *b = a + device_room(sinter_session_output(w->session, 0)->bytes) / sizeof(*b);

	for (int i = 0; i < 4 * 16 && phase == 1; i++) {
		assert_true(a[i] == device_scaled(x, i));
		assert_true(b[i] == a[i] * a[i]);
	}
}

static int
load(struct walk *w)
{
	struct sinter_error *e = &w->error;
	int status = sinter_device_open("opencl:0", &w->device, e);

	if (status != SINTER_OK)
		return status;
	if (w->way->is_copied)
		w->device->info.shares_memory = 0;
	status = sinter_memory_new(w->device, SINTER_MEMORY_PINNED, 1000, &w->pinned, e);
	if (status == SINTER_OK)
		status = sinter_model_link(w->way->network->model, NULL, &w->loaded, e);
	if (status == SINTER_OK)
		status = sinter_profile_new(w->loaded, 100, &w->profile, e);
	if (status == SINTER_OK) {
		struct sinter_session_opts o = { .device = w->device,
						 .profile = w->profile,
						 .kernel = w->way->is_watched ? watch : NULL,
						 .ctx = w };

		status = sinter_session_new(w->loaded, &o, &w->session, e);
	}
	return status;
}

/* Runs N rows of other numbers than the last time. */
static int
run(struct walk *w, int64_t n)
{
	const struct network *net = w->way->network;
	struct sinter_error *e = &w->error;
	struct sinter_session *s = w->session;

	for (int64_t i = 0; i < 4 * ROWS; i++)
		x[i] = (float)(i + n);
	w->nwatched = 0;
	int status = sinter_session_set_input(s, 0, x, (size_t)n * 16, (int64_t[]){ n, 4 }, e);

	if (status == SINTER_OK)
		status = sinter_session_set_output(s, 0, y, (size_t)n * 16, e);
	if (status == SINTER_OK)
		status = sinter_session_bind(s, e);
	if (status == SINTER_OK)
		status = sinter_session_run(s, e);
	/* A status that says all is well must not lie. */
	assert_true(status != SINTER_OK || net->is_right(x, y, n));
	assert_true(status != SINTER_OK || !w->way->is_watched
		    || w->nwatched == 2 * (int)net->model->nkernels);
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
walk(const struct way *way)
{
	struct walk w = { .way = way };

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
use_shim_directly(int is_direct)
{
	if (is_direct)
		setenv("SINTER_OPENCL", library, 1);
	else
		unsetenv("SINTER_OPENCL");
}

static void
arm(int from, int to, int code)
{
	shim->ncalls = 0;
	shim->fail_from = from;
	shim->fail_to = to;
	shim->code = code;
	shim->failed = "none";
}

/* Fails call N of the walk, and all after it if that lasts; returns whether the walk had so many. */
static int
check_fault(const struct way *way, int n)
{
	uint64_t bytes;

	if (!way->is_cached)
		sinter_cache_clear(&bytes, NULL);
	arm(n, way->is_lasting ? 1 << 30 : n, way->code);
	int status = walk(way), ncalls = shim->ncalls;

	if (shim->nlive != 0)
		fail_msg("%d objects are left after call %d, %s, failed (status %d)", shim->nlive,
			 n, shim->failed, status);
	if (way->is_lasting && n <= ncalls / 2)
		assert_true(status != SINTER_OK);
	arm(0, 0, 0);
	go_on_on_the_cpu();
	if (n % 16 == 0)
		assert_int_equal(walk(way), SINTER_OK);
	return n <= ncalls;
}

static void
each_call_fails(void **state)
{
	const struct way *way = *state;
	int n = 1;

	if (!shim)
		skip();
	arm(0, 0, 0);
	shim->nlive = 0;
	use_shim_directly(way->is_direct);
	assert_int_equal(walk(way), SINTER_OK);
	while (check_fault(way, n))
		n++;
	use_shim_directly(0);
	assert_true(n > 60);
}

/* What fails when devices are looked for, and what comes of listing and of opening one. */
static const struct {
	const char *only;
	int code, each, open;
	const char *each_text, *open_text;
} findings[] = {
	{ "clGetPlatformIDs", -6, SINTER_NO_MEMORY, SINTER_NO_MEMORY,
	  "can't list OpenCL devices: out of host memory (OpenCL error -6)",
	  "can't open opencl:0: out of host memory (OpenCL error -6)" },
	{ "clGetPlatformIDs", -77, SINTER_DEVICE_LOST, SINTER_DEVICE_LOST,
	  "can't list OpenCL devices: the driver failed (OpenCL error -77)",
	  "can't open opencl:0: the driver failed (OpenCL error -77)" },
	{ "clGetDeviceIDs", -5, SINTER_DEVICE_LOST, SINTER_DEVICE_LOST,
	  "can't list OpenCL devices: out of resources (OpenCL error -5)",
	  "can't open opencl:0: out of resources (OpenCL error -5)" },
	/* No platform, and a platform without a device. */
	{ "clGetPlatformIDs", -1001, SINTER_OK, SINTER_NO_DEVICE, "",
	  "no 'opencl:0': OpenCL has 0 devices here" },
	{ "clGetDeviceIDs", -1, SINTER_OK, SINTER_NO_DEVICE, "",
	  "no 'opencl:0': OpenCL has 0 devices here" },
};

static void
note_name(void *arg, const char *name)
{
	char *list = arg;

	strncat(list, name, 100);
	strcat(list, " ");
}

static void
finding_can_fail(void **state)
{
	(void)state;
	if (!shim)
		skip();
	use_shim_directly(1);
	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
		struct sinter_device *d = NULL;
		struct sinter_error e = { 0 };
		char list[1000] = "";

		shim->only = findings[i].only;
		arm(1, 1 << 30, findings[i].code);
		assert_int_equal(sinter_device_each(note_name, list, &e), findings[i].each);
		assert_string_equal(e.text, findings[i].each_text);
		assert_string_equal(list, "cpu ");
		assert_int_equal(sinter_device_open("opencl:0", &d, &e), findings[i].open);
		assert_string_equal(e.text, findings[i].open_text);
		assert_null(d);
		shim->only = NULL;
		arm(0, 0, 0);
		assert_int_equal(sinter_device_each(note_name, list, &e), SINTER_OK);
		assert_non_null(strstr(list, "opencl:0 "));
	}
	use_shim_directly(0);
}

/* The first of two platforms fails: the devices of the other are there. */
static void
other_drivers_are_found(void **state)
{
	struct sinter_device *d = NULL;
	struct sinter_error e = { 0 };
	char list[1000] = "";
	(void)state;

	if (!shim)
		skip();
	use_shim_directly(1);
	shim->is_twice = 1;
	shim->only = "clGetDeviceIDs";
	arm(1, 1, -5);
	assert_int_equal(sinter_device_each(note_name, list, &e), SINTER_DEVICE_LOST);
	assert_string_equal(list, "cpu opencl:0 ");
	arm(1, 1, -5);
	assert_int_equal(sinter_device_open("opencl:0", &d, &e), SINTER_OK);
	sinter_device_close(d);
	arm(1, 1, -5);
	assert_int_equal(sinter_device_open("opencl:1", &d, &e), SINTER_DEVICE_LOST);
	assert_string_equal(e.text, "can't open opencl:1: out of resources (OpenCL error -5)");
	arm(0, 0, 0);
	assert_int_equal(sinter_device_open("opencl:1", &d, &e), SINTER_OK);
	sinter_device_close(d);
	assert_int_equal(sinter_device_open("opencl:2", &d, &e), SINTER_NO_DEVICE);
	assert_string_equal(e.text, "no 'opencl:2': OpenCL has 2 devices here");
	shim->is_twice = 0;
	shim->only = NULL;
	use_shim_directly(0);
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
	char icd[64];
	ssize_t n = readlink("/proc/self/exe", library, sizeof(library) - 64);
	char *end = NULL;
	void *handle, *p;
	shim_state_fn *get;
	struct sinter_device *d = NULL;
	(void)state;

	if (n < 0 || !mkdtemp(folder))
		return -1;
	library[n] = '\0';
	for (int i = 0; i < 2 && (end = strrchr(library, '/')); i++)
		*end = '\0';
	strcat(library, "/device/shim.so");
	snprintf(icd, sizeof(icd), "%s/shim.icd", folder);
	FILE *f = fopen(icd, "w");

	if (!f || fprintf(f, "%s\n", library) < 0 || fclose(f) != 0)
		return -1;
	setenv("OCL_ICD_VENDORS", folder, 1);
	setenv("SINTER_CACHE_DIR", folder, 1);
	unsetenv("SINTER_OPENCL");
	handle = dlopen(library, RTLD_NOW);
	p = handle ? dlsym(handle, SHIM_STATE) : NULL;
	if (!p)
		return -1;
	memcpy(&get, &p, sizeof(p));
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

static struct way once = { &turned, .code = -5 };
static struct way cached = { &turned, .code = -6, .is_cached = 1 };
static struct way copied = { &turned, .code = -5, .is_copied = 1, .is_cached = 1 };
static struct way lasting = { &turned, .code = -5, .is_lasting = 1 };
static struct way direct = { &turned, .code = -5, .is_cached = 1, .is_direct = 1 };
static struct way on_host = { &mixed, .code = -5, .is_cached = 1 };
static struct way on_host_copied = { &mixed, .code = -5, .is_copied = 1, .is_cached = 1 };
static struct way on_host_watched = { &mixed, .code = -6, .is_cached = 1, .is_watched = 1 };
static struct way on_host_lasting = { &mixed, .code = -5, .is_cached = 1, .is_lasting = 1 };

#define WAY(w, text) \
	{ \
		.name = "each call fails " text, .test_func = each_call_fails, \
		.initial_state = &(w) \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WAY(once, "once"),
		WAY(cached, "once with a cached program"),
		WAY(copied, "once where data is copied"),
		WAY(lasting, "from one on"),
		WAY(direct, "once without a loader"),
		WAY(on_host, "once with steps on the host"),
		WAY(on_host_copied, "once with steps on the host where data is copied"),
		WAY(on_host_watched, "once with steps on the host and a caller that looks on"),
		WAY(on_host_lasting, "from one on with steps on the host"),
		cmocka_unit_test(finding_can_fail),
		cmocka_unit_test(other_drivers_are_found),
		cmocka_unit_test(measuring_can_fail),
	};
	return cmocka_run_group_tests_name("device faults", tests, set_up, tear_down);
}
