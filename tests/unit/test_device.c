/* Devices: a hand-written model on OpenCL, what is shared, what is made once, and what goes wrong. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runtime/cache.h"
#include "tests/unit/device_fixture.h"
#include "tests/unit/unit.h"

/* ---- a driver that counts, and that fails when it is told ---- */

enum call { MEMORY, QUEUE, PROGRAM, KERNEL, LAUNCH, FINISH, WRITE, READ, NCALLS };

static struct {
	int n[NCALLS], fail_at[NCALLS]; /* fail_at 0: never */
	int nbinaries;			/* of PROGRAM, those from a binary */
	int nasked;			/* programs asked for their binary */
	pthread_mutex_t mutex;
} calls = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static int
count(enum call c, struct sinter_error *error)
{
	pthread_mutex_lock(&calls.mutex);
	int fails = ++calls.n[c] == calls.fail_at[c];

	pthread_mutex_unlock(&calls.mutex);
	if (fails && error) {
		error->status = SINTER_DEVICE_LOST;
		strcpy(error->text, "told to fail");
	}
	return fails ? SINTER_DEVICE_LOST : SINTER_OK;
}

#define REAL sinter_driver_opencl

static int
count_memory(struct sinter_memory *m, struct sinter_error *error)
{
	int status = count(MEMORY, error);

	return status == SINTER_OK ? REAL.memory_new(m, error) : status;
}

static int
count_queue(struct sinter_device *d, int is_timed, void **out, struct sinter_error *error)
{
	int status = count(QUEUE, error);

	return status == SINTER_OK ? REAL.queue_new(d, is_timed, out, error) : status;
}

static int
count_program(struct sinter_device *d, const struct sinter_source *s, void **out,
	      struct sinter_error *error)
{
	int status = count(PROGRAM, error);

	calls.nbinaries += s->binary != NULL;
	return status == SINTER_OK ? REAL.program_new(d, s, out, error) : status;
}

static int
count_asked(struct sinter_device *d, void *program, void **out, size_t *out_bytes,
	    struct sinter_error *error)
{
	calls.nasked++;
	return REAL.program_binary(d, program, out, out_bytes, error);
}

static int
count_kernel(struct sinter_device *d, void *program, const char *name, void **out,
	     struct sinter_error *error)
{
	int status = count(KERNEL, error);

	return status == SINTER_OK ? REAL.kernel_new(d, program, name, out, error) : status;
}

static int
count_launch(void *queue, void *kernel, const struct sinter_launch *l, struct sinter_error *error)
{
	int status = count(LAUNCH, error);

	return status == SINTER_OK ? REAL.launch(queue, kernel, l, error) : status;
}

static int
count_finish(void *queue, struct sinter_error *error)
{
	int status = count(FINISH, error);

	return status == SINTER_OK ? REAL.finish(queue, error) : status;
}

static int
count_write(void *queue, const struct sinter_memory *m, size_t offset, const void *host,
	    size_t bytes, struct sinter_error *error)
{
	int status = count(WRITE, error);

	return status == SINTER_OK ? REAL.write(queue, m, offset, host, bytes, error) : status;
}

static int
count_read(void *queue, const struct sinter_memory *m, size_t offset, void *host, size_t bytes,
	   struct sinter_error *error)
{
	int status = count(READ, error);

	return status == SINTER_OK ? REAL.read(queue, m, offset, host, bytes, error) : status;
}

/* ---- one device and one model for all tests ---- */

static struct sinter_driver counting;

/* A device of its own, since tests change its description; skips the test where there is none. */
static struct sinter_device *
open_device(void)
{
	struct sinter_device *d = NULL;
	struct sinter_error e;
	int status = sinter_device_open("opencl:0", &d, &e);

	if (status == SINTER_NO_DEVICE) {
		print_message("# %s\n", e.text);
		skip();
	}
	assert_int_equal(status, SINTER_OK);
	counting = sinter_driver_opencl;
	counting.memory_new = count_memory;
	counting.queue_new = count_queue;
	counting.program_new = count_program;
	counting.program_binary = count_asked;
	counting.kernel_new = count_kernel;
	counting.launch = count_launch;
	counting.finish = count_finish;
	counting.write = count_write;
	counting.read = count_read;
	d->driver = &counting;
	memset(calls.n, 0, sizeof(calls.n));
	memset(calls.fail_at, 0, sizeof(calls.fail_at));
	calls.nbinaries = calls.nasked = 0;
	return d;
}

static struct sinter_loaded *
linked(const struct sinter_model *m)
{
	struct sinter_loaded *l = NULL;

	assert_int_equal(sinter_model_link(m, NULL, &l, NULL), SINTER_OK);
	return l;
}

static struct sinter_session *
session_on(struct sinter_loaded *l, struct sinter_device *d)
{
	struct sinter_session_opts o = { .device = d };
	struct sinter_session *s = NULL;
	struct sinter_error e = { 0 };

	assert_int_equal(sinter_session_new(l, &o, &s, &e), SINTER_OK);
	return s;
}

enum { ROWS = 1000 };

struct buffers {
	float x[4 * ROWS + 16], y[4 * ROWS + 16];
} __attribute__((aligned(64)));

/* Runs N rows from X to Y (NULL: the session's); true if the result is right. */
static int
run_rows(struct sinter_session *s, float *x, float *y, int64_t n)
{
	int64_t dims[] = { n, 4 };
	size_t bytes = (size_t)n * 16;

	for (int64_t i = 0; i < 4 * n; i++)
		x[i] = (float)(i % 1000);
	if (sinter_session_set_input(s, 0, x, bytes, dims, NULL) != SINTER_OK
	    || sinter_session_set_output(s, 0, y, bytes, NULL) != SINTER_OK
	    || sinter_session_bind(s, NULL) != SINTER_OK
	    || sinter_session_run(s, NULL) != SINTER_OK)
		return 0;
	const struct sinter_tensor *t = sinter_session_output(s, 0);

	return t->dims[0] == n && t->bytes == bytes && device_is_right(x, t->data, n);
}

/* ---- devices ---- */

static void
note_name(void *arg, const char *name)
{
	char *list = arg;

	strncat(list, name, 100);
	strcat(list, " ");
}

static void
lists_and_opens(void **state)
{
	char list[1000] = "";
	struct sinter_device *d = NULL;
	struct sinter_error e;
	double gbs = 0;
	(void)state;

	sinter_device_each(note_name, list, NULL);
	assert_int_equal(strncmp(list, "cpu ", 4), 0);
	assert_int_equal(sinter_device_open("cpu", &d, &e), SINTER_OK);
	assert_string_equal(sinter_device_info(d)->kind, "cpu");
	assert_true(sinter_device_info(d)->memory_bytes > 1 << 20);
	assert_int_equal(sinter_device_bandwidth(d, &gbs, &e), SINTER_OK);
	assert_true(gbs > 0.1 && gbs < 1e5);
	sinter_device_close(d);
	d = open_device();
	assert_non_null(strstr(list, "opencl:0 "));
	const struct sinter_device_info *i = sinter_device_info(d);

	assert_string_equal(i->kind, "opencl");
	assert_true(i->name[0] && i->driver[0] && i->platform[0]);
	assert_true(i->units > 0 && i->group_items > 0 && i->local_bytes > 0);
	assert_int_equal(sinter_device_bandwidth(d, &gbs, &e), SINTER_OK);
	assert_true(gbs > 0.1 && gbs < 1e5);
	sinter_device_close(d);
}

static void
refuses_unknown_names(void **state)
{
	static const char *const names[] = { "",	 "gpu",	      "cpu:0",	   "opencl:",
					     "opencl:x", "opencl:-1", "opencl:1x", "cpux" };
	struct sinter_device *d = NULL;
	struct sinter_error e;
	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(sinter_device_open(names[i], &d, &e), SINTER_NO_DEVICE);
		assert_non_null(strstr(e.text, "there is no device"));
	}
	assert_int_equal(sinter_device_open(NULL, &d, &e), SINTER_BAD_CALL);
	assert_int_equal(sinter_device_open("opencl:999", &d, &e), SINTER_NO_DEVICE);
	assert_null(d);
}

static void
works_without_opencl(void **state)
{
	char list[1000] = "";
	struct sinter_device *d = NULL;
	struct sinter_error e;
	(void)state;

	setenv("SINTER_OPENCL", "/nowhere/libOpenCL.so", 1);
	assert_int_equal(sinter_device_each(note_name, list, &e), SINTER_NO_DEVICE);
	assert_string_equal(list, "cpu ");
	assert_non_null(strstr(e.text, "/nowhere/libOpenCL.so"));
	assert_int_equal(sinter_device_open("opencl:0", &d, &e), SINTER_NO_DEVICE);
	/* A library, but not OpenCL's. */
	setenv("SINTER_OPENCL", "libm.so.6", 1);
	assert_int_equal(sinter_device_open("opencl:0", &d, &e), SINTER_NO_DEVICE);
	assert_non_null(strstr(e.text, "clGetPlatformIDs"));
	unsetenv("SINTER_OPENCL");
	assert_null(d);
}

/* Writes to memory M and reads it back, by the queue and, where the host has an address, by that. */
static void
check_memory(struct sinter_device *d, struct sinter_memory *m)
{
	const char text[] = "what was written";
	char back[sizeof(text)] = "";
	void *q = NULL;

	if (m->kind != SINTER_MEMORY_HOST) {
		assert_int_equal(d->driver->queue_new(d, 0, &q, NULL), SINTER_OK);
		assert_int_equal(d->driver->write(q, m, 3, text, sizeof(text), NULL), SINTER_OK);
		assert_int_equal(d->driver->read(q, m, 3, back, sizeof(text), NULL), SINTER_OK);
		assert_int_equal(d->driver->finish(q, NULL), SINTER_OK);
		d->driver->queue_free(d, q);
		assert_string_equal(back, text);
	}
	char *p = sinter_memory_data(m);

	if (m->kind == SINTER_MEMORY_DEVICE) {
		assert_null(p);
		return;
	}
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 64, 0);
	memcpy(p, text, sizeof(text));
	assert_string_equal(p, text);
}

static void
has_memories_by_kind(void **state)
{
	struct sinter_device *devices[2] = { NULL, open_device() };
	struct sinter_memory *m = NULL;
	struct sinter_error e;
	(void)state;

	assert_int_equal(sinter_device_open("cpu", &devices[0], NULL), SINTER_OK);
	for (int i = 0; i < 2; i++)
		for (int k = SINTER_MEMORY_HOST; k <= SINTER_MEMORY_PINNED; k++) {
			if (k == SINTER_MEMORY_SHARED && !devices[i]->info.shares_memory)
				continue;
			assert_int_equal(sinter_memory_new(devices[i], k, 100, &m, &e), SINTER_OK);
			check_memory(devices[i], m);
			sinter_memory_free(m);
		}
	m = NULL;
	devices[1]->info.shares_memory = 0;
	assert_int_equal(sinter_memory_new(devices[1], SINTER_MEMORY_SHARED, 1, &m, &e),
			 SINTER_UNFIT);
	assert_int_equal(sinter_memory_new(devices[1], SINTER_MEMORY_DEVICE, (size_t)1 << 60, &m,
					   &e),
			 SINTER_NO_MEMORY);
	assert_non_null(strstr(e.text, "1152921504606846976 bytes"));
	assert_null(m);
	sinter_device_close(devices[0]);
	sinter_device_close(devices[1]);
}

/* ---- runs ---- */

static void
runs_with_changing_sizes(void **state)
{
	static const int64_t sizes[] = { 3, ROWS, 16, 17, 1, 0, 500 };
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	struct buffers *b = calloc(1, sizeof(*b));
	(void)state;

	for (int shares = d->info.shares_memory; shares >= 0; shares--) {
		d->info.shares_memory = shares;
		struct sinter_session *s = session_on(l, d);

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			assert_true(run_rows(s, b->x, NULL, sizes[i]));
			assert_true(run_rows(s, b->x + 1, b->y + 1, sizes[i]));
			assert_true(run_rows(s, b->x, b->y, sizes[i]));
		}
		sinter_session_free(s);
	}
	free(b);
	sinter_model_unload(l);
	sinter_device_close(d);
}

static void
copies_nothing_where_memory_is_shared(void **state)
{
	static struct buffers b;
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	(void)state;

	if (!d->info.shares_memory)
		skip();
	struct sinter_session *s = session_on(l, d);

	assert_true(run_rows(s, b.x, b.y, 100));
	assert_true(run_rows(s, b.x, NULL, 100));
	assert_int_equal(calls.n[WRITE], 0);
	assert_int_equal(calls.n[READ], 0);
	/* Memory that isn't aligned is copied. */
	assert_true(run_rows(s, b.x + 1, b.y, 100));
	assert_int_equal(calls.n[WRITE], 1);
	assert_int_equal(calls.n[READ], 0);
	/* So is an output that lies over an input: the input is read to the end first. */
	assert_int_equal(sinter_session_set_input(s, 0, b.x, 1600, (int64_t[]){ 100, 4 }, NULL),
			 SINTER_OK);
	assert_int_equal(sinter_session_set_output(s, 0, b.x, 1600, NULL), SINTER_OK);
	memcpy(b.y, b.x, sizeof(b.x));
	assert_int_equal(sinter_session_bind(s, NULL), SINTER_OK);
	assert_int_equal(sinter_session_run(s, NULL), SINTER_OK);
	assert_true(device_is_right(b.y, b.x, 100));
	assert_int_equal(calls.n[READ], 1);
	sinter_session_free(s);
	sinter_model_unload(l);
	sinter_device_close(d);
}

static void
makes_nothing_after_the_first_run(void **state)
{
	static struct buffers b;
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	(void)state;

	for (int shares = d->info.shares_memory; shares >= 0; shares--) {
		d->info.shares_memory = shares;
		struct sinter_session *s = session_on(l, d);

		assert_true(run_rows(s, b.x, b.y, 100));
		int memories = calls.n[MEMORY], kernels = calls.n[KERNEL], queues = calls.n[QUEUE];

		for (int i = 0; i < 10; i++) {
			assert_int_equal(sinter_session_run(s, NULL), SINTER_OK);
			assert_true(device_is_right(b.x, b.y, 100));
		}
		/* Bound again, nothing has changed. */
		assert_true(run_rows(s, b.x, b.y, 100));
		assert_int_equal(calls.n[MEMORY], memories);
		assert_int_equal(calls.n[KERNEL], kernels);
		assert_int_equal(calls.n[QUEUE], queues);
		sinter_session_free(s);
	}
	sinter_model_unload(l);
	sinter_device_close(d);
}

static void
sees_new_inputs_in_the_same_memory(void **state)
{
	static struct buffers b;
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	struct sinter_session *s = session_on(l, d);
	(void)state;

	assert_true(run_rows(s, b.x, b.y, 50));
	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < 200; i++)
			b.x[i] = (float)(i * k);
		assert_int_equal(sinter_session_run(s, NULL), SINTER_OK);
		assert_true(device_is_right(b.x, b.y, 50));
	}
	sinter_session_free(s);
	sinter_model_unload(l);
	sinter_device_close(d);
}

static void
shares_the_program_and_the_weights(void **state)
{
	struct buffers *b = calloc(2, sizeof(*b));
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	(void)state;

	struct sinter_session *s[2] = { session_on(l, d), NULL };
	int memories = calls.n[MEMORY];

	s[1] = session_on(l, d);
	assert_int_equal(calls.n[MEMORY], memories);
	assert_int_equal(calls.n[PROGRAM], 1);
	for (int i = 0; i < 10; i++)
		assert_true(run_rows(s[i % 2], b[i % 2].x, b[i % 2].y, 100 + i));
	sinter_session_free(s[0]);
	assert_true(run_rows(s[1], b[1].x, NULL, 30));
	sinter_session_free(s[1]);
	free(b);
	sinter_model_unload(l);
	sinter_device_close(d);
}

struct thread {
	pthread_t id;
	struct sinter_loaded *loaded;
	struct sinter_device *device;
	struct buffers b;
	int is_good;
};

static void *
run_thread(void *arg)
{
	struct thread *t = arg;
	struct sinter_session_opts o = { .device = t->device };

	t->is_good = 1;
	for (int k = 0; k < 3 && t->is_good; k++) {
		struct sinter_session *s = NULL;

		t->is_good = sinter_session_new(t->loaded, &o, &s, NULL) == SINTER_OK;
		for (int i = 0; i < 20 && t->is_good; i++)
			t->is_good = run_rows(s, t->b.x, i % 2 ? t->b.y : NULL, 1 + 40 * i);
		sinter_session_free(s);
	}
	return NULL;
}

static void
runs_in_two_threads(void **state)
{
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	struct thread *t = calloc(2, sizeof(*t));
	(void)state;

	for (int i = 0; i < 2; i++) {
		t[i].loaded = l;
		t[i].device = d;
		assert_int_equal(pthread_create(&t[i].id, NULL, run_thread, &t[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i].id, NULL);
		assert_true(t[i].is_good);
	}
	free(t);
	sinter_model_unload(l);
	sinter_device_close(d);
}

static int nwatched;

static void
watch(void *ctx, int32_t k, int32_t phase)
{
	struct sinter_session *const *s = ctx;

	nwatched += phase;
	if (phase == 1 && k == 0) {
		const float *a = (const float *)((const char *)sinter_session_arena(*s) + 64);

		assert_true(a[0] == 0 && a[1] == -2 && a[2] == 1 && a[3] == 12);
	}
}

static void
shows_and_times_kernels(void **state)
{
	static struct buffers b;
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	struct sinter_session *s = NULL;
	struct sinter_profile *p = NULL;
	uint64_t ncalls, ns;
	(void)state;

	assert_int_equal(sinter_profile_new(l, 100, &p, NULL), SINTER_OK);
	struct sinter_session_opts o = { .device = d, .profile = p, .kernel = watch, .ctx = &s };

	nwatched = 0;
	for (int shares = d->info.shares_memory; shares >= 0; shares--) {
		d->info.shares_memory = shares;
		sinter_profile_clear(p);
		assert_int_equal(sinter_session_new(l, &o, &s, NULL), SINTER_OK);
		for (int i = 0; i < 3; i++)
			assert_true(run_rows(s, b.x, NULL, 100));
		for (uint32_t k = 0; k < 2; k++) {
			sinter_profile_kernel(p, k, &ncalls, &ns);
			assert_int_equal(ncalls, 3);
			assert_true(ns > 0 && ns < 10000000000u);
		}
		sinter_session_free(s);
	}
	assert_int_equal(nwatched % 6, 0);
	assert_true(nwatched > 0);
	sinter_profile_free(p);
	sinter_model_unload(l);
	sinter_device_close(d);
}

/* ---- errors ---- */

/* A session of device_model with its program changed to P on D must fail with STATUS and TEXT. */
static void
check_refused(struct sinter_device *d, const struct sinter_program *p, int status, const char *text)
{
	struct sinter_model m = device_model;
	struct sinter_session_opts o = { .device = d };
	struct sinter_session *s = NULL;
	struct sinter_error e = { 0 };

	m.program = p;
	struct sinter_loaded *l = linked(&m);

	assert_int_equal(sinter_session_new(l, &o, &s, &e), status);
	assert_null(s);
	if (!strstr(e.text, text))
		fail_msg("no '%s' in '%s'", text, e.text);
	sinter_model_unload(l);
}

static void
refuses_what_the_device_cannot_do(void **state)
{
	static const char *const wrong[] = {
		"kernel void scale(global float *x) { *x = wrong; }\n"
	};
	struct sinter_device *d = open_device(), *cpu = NULL;
	struct sinter_program p = device_program;
	(void)state;

	p.group_items = 1 << 24;
	check_refused(d, &p, SINTER_UNFIT, "groups of 16777216 work-items");
	p = device_program;
	p.local_bytes = (size_t)1 << 40;
	check_refused(d, &p, SINTER_UNFIT, "1099511627776 bytes of local memory");
	p = device_program;
	p.features = SINTER_NEEDS_F64;
	d->info.has_f64 = 0;
	check_refused(d, &p, SINTER_UNFIT, "needs f64");
	p = device_program;
	p.lines = wrong;
	p.nlines = 1;
	check_refused(d, &p, SINTER_NO_BUILD, "'wrong'");
	assert_int_equal(sinter_device_open("cpu", &cpu, NULL), SINTER_OK);
	check_refused(cpu, &device_program, SINTER_NO_DEVICE, "open one, such as opencl:0");
	check_refused(NULL, &device_program, SINTER_NO_DEVICE, "open one, such as opencl:0");
	check_refused(d, NULL, SINTER_UNFIT, "compiled for the CPU");
	sinter_device_close(cpu);
	sinter_device_close(d);
}

static void
survives_wrong_launches(void **state)
{
	static struct buffers b;
	static const struct {
		enum device_fault fault;
		int status;
		const char *text;
	} rows[] = {
		{ FAULT_KERNEL, SINTER_BAD_CALL, "step 1 launches" },
		{ FAULT_MEMORY, SINTER_BAD_CALL, "memory 99" },
		{ FAULT_GROUP, SINTER_BAD_CALL, "step 1 launches" },
		{ FAULT_COPY, SINTER_BAD_CALL, "18446744073709551614 bytes at 1 of memory 0" },
	};
	struct sinter_device *d = open_device();
	struct sinter_loaded *l = linked(&device_model);
	struct sinter_session *s = session_on(l, d);
	struct sinter_error e;
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(run_rows(s, b.x, b.y, 100));
		device_fault = rows[i].fault;
		assert_int_equal(sinter_session_run(s, &e), rows[i].status);
		assert_non_null(strstr(e.text, rows[i].text));
		device_fault = FAULT_NONE;
	}
	assert_true(run_rows(s, b.x, b.y, 100));
	sinter_session_free(s);
	sinter_model_unload(l);
	sinter_device_close(d);
}

/* Each call of the driver fails in turn, from the first session to the end of the second run; a
 * failed run can be repeated. */
static void
survives_failing_calls(void **state)
{
	static struct buffers b;
	struct sinter_device *d = open_device();
	struct sinter_session_opts o = { .device = d };
	struct sinter_error e;
	int nfailed = 0, shared = d->info.shares_memory;
	(void)state;

	for (int i = 0; i < 2 * NCALLS; i++)
		for (int k = 1; k < 6; k++) {
			struct sinter_loaded *l = linked(&device_model);
			struct sinter_session *s = NULL;

			d->info.shares_memory = shared && i < NCALLS;
			memset(calls.n, 0, sizeof(calls.n));
			calls.fail_at[i % NCALLS] = k;
			if (sinter_session_new(l, &o, &s, &e) == SINTER_OK) {
				int is_good = run_rows(s, b.x, b.y, 100)
					      && run_rows(s, b.x, b.y, 200);

				nfailed += !is_good;
				calls.fail_at[i % NCALLS] = 0;
				assert_true(run_rows(s, b.x, b.y, 300));
				sinter_session_free(s);
			} else {
				assert_string_equal(e.text, "told to fail");
				nfailed++;
			}
			calls.fail_at[i % NCALLS] = 0;
			sinter_model_unload(l);
		}
	assert_true(nfailed > 20);
	sinter_device_close(d);
}

/* ---- the cache of programs ---- */

static char cache[] = "/tmp/sinter-device-XXXXXX";

static int
clear_cache(void **state)
{
	char command[128];
	(void)state;

	setenv("SINTER_CACHE", "off", 1);
	snprintf(command, sizeof(command), "rm -rf '%s'", cache);
	return system(command) == 0 ? 0 : -1;
}

static int
use_cache(void **state)
{
	int status = clear_cache(state);

	unsetenv("SINTER_CACHE");
	setenv("SINTER_CACHE_DIR", cache, 1);
	return status;
}

/* Loads the model anew and runs it; says what that built. */
static int
run_anew(struct sinter_device *d, int *nsources, int *nbinaries)
{
	static struct buffers b;
	int n = calls.n[PROGRAM], nb = calls.nbinaries;
	struct sinter_loaded *l = linked(&device_model);
	struct sinter_session *s = session_on(l, d);
	int is_good = run_rows(s, b.x, b.y, 100);

	*nbinaries = calls.nbinaries - nb;
	*nsources = calls.n[PROGRAM] - n - *nbinaries;
	sinter_session_free(s);
	sinter_model_unload(l);
	return is_good;
}

static void
note_entry(void *arg, const struct sinter_cache_entry *e)
{
	*(struct sinter_cache_entry *)arg = *e;
}

static void
keeps_programs_on_disk(void **state)
{
	struct sinter_device *d = open_device();
	struct sinter_cache_entry e = { .name = "" };
	struct sinter_cache_key k = { { 0, 0 } };
	int nsources, nbinaries;
	uint64_t bytes;
	char half[17] = "";
	(void)state;

	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 1 && nbinaries == 0);
	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 0 && nbinaries == 1);
	assert_int_equal(sinter_cache_each(note_entry, &e, NULL), SINTER_OK);
	assert_int_equal(strncmp(e.label, "turned on ", 10), 0);
	/* An entry that is whole, but that the driver refuses. */
	for (int i = 0; i < 2; i++) {
		memcpy(half, e.name + 16 * i, 16);
		k.words[i] = strtoull(half, NULL, 16);
	}
	sinter_cache_put(&k, "garbage", "garbage", 7);
	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 1 && nbinaries == 1);
	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 0 && nbinaries == 1);
	/* Another driver has other binaries. */
	strcpy(d->info.driver, "another");
	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 1 && nbinaries == 0);
	assert_int_equal(sinter_cache_clear(&bytes, NULL), SINTER_OK);
	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 1 && nbinaries == 0);
	/* Nobody asks for a binary that nobody keeps: a driver may compile once more for it. */
	setenv("SINTER_CACHE", "off", 1);
	calls.nasked = 0;
	assert_true(run_anew(d, &nsources, &nbinaries));
	assert_true(nsources == 1 && calls.nasked == 0);
	sinter_device_close(d);
}

/* The driver's binary with so many zeros behind it that writing it takes its time. */
static int
long_binary(struct sinter_device *d, void *program, void **out, size_t *out_bytes,
	    struct sinter_error *error)
{
	enum { MORE = 100 << 20 };
	int status = REAL.program_binary(d, program, out, out_bytes, error);
	char *p = status == SINTER_OK ? realloc(*out, *out_bytes + MORE) : NULL;

	if (!p)
		return status;
	memset(p + *out_bytes, 0, MORE);
	*out = p;
	*out_bytes += MORE;
	return SINTER_OK;
}

/* A process of its own that runs the model: exits with the number of programs that were built from
 * text, 77 without a device, 99 if the result was wrong. */
static pid_t
start_process(int writes_long)
{
	pid_t child = fork();
	struct sinter_device *d = NULL;
	int nsources, nbinaries;

	if (child != 0)
		return child;
	if (sinter_device_open("opencl:0", &d, NULL) != SINTER_OK)
		_exit(77);
	sinter_device_close(d);
	d = open_device();
	if (writes_long)
		counting.program_binary = long_binary;
	int is_good = run_anew(d, &nsources, &nbinaries);

	_exit(is_good ? nsources : 99);
}

static int
exit_code(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
has_temporary(void)
{
	char command[128];

	snprintf(command, sizeof(command), "ls '%s' 2>/dev/null | grep -q '^tmp-'", cache);
	return system(command) == 0;
}

/* Stops CHILD while it writes an entry; false if it has ended before, with *OUT_CODE. */
static int
stop_while_writing(pid_t child, int *out_code)
{
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (!has_temporary())
			continue;
		kill(child, SIGSTOP);
		waitpid(child, &status, WUNTRACED);
		if (!WIFSTOPPED(status))
			break;
		if (has_temporary())
			return 1;
		kill(child, SIGCONT);
	}
	*out_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return 0;
}

/* Before anything else: children may use OpenCL only if their parent has not. */
static void
shares_the_cache_with_a_process_that_is_killed(void **state)
{
	int status = 0, code = 0, is_stopped = 0;
	pid_t killed = 0;

	for (int tries = 0; tries < 10 && !is_stopped && code != 77; tries++) {
		use_cache(state);
		killed = start_process(1);
		is_stopped = stop_while_writing(killed, &code);
	}
	if (code == 77)
		skip();
	assert_true(is_stopped);
	kill(killed, SIGKILL);
	waitpid(killed, &status, 0);
	assert_true(WIFSIGNALED(status) && has_temporary());
	/* What it began to write is no entry: the next one builds and keeps, the one after finds. */
	assert_int_equal(exit_code(start_process(0)), 1);
	assert_int_equal(exit_code(start_process(0)), 0);
}

#define CACHE_TEST(f) cmocka_unit_test_setup_teardown(f, use_cache, clear_cache)

static int
make_folder(void **state)
{
	(void)state;
	setenv("SINTER_CACHE", "off", 1);
	return mkdtemp(cache) ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CACHE_TEST(shares_the_cache_with_a_process_that_is_killed),
		cmocka_unit_test(lists_and_opens),
		cmocka_unit_test(refuses_unknown_names),
		cmocka_unit_test(works_without_opencl),
		cmocka_unit_test(has_memories_by_kind),
		cmocka_unit_test(runs_with_changing_sizes),
		cmocka_unit_test(copies_nothing_where_memory_is_shared),
		cmocka_unit_test(makes_nothing_after_the_first_run),
		cmocka_unit_test(sees_new_inputs_in_the_same_memory),
		cmocka_unit_test(shares_the_program_and_the_weights),
		cmocka_unit_test(runs_in_two_threads),
		cmocka_unit_test(shows_and_times_kernels),
		cmocka_unit_test(refuses_what_the_device_cannot_do),
		cmocka_unit_test(survives_wrong_launches),
		cmocka_unit_test(survives_failing_calls),
		CACHE_TEST(keeps_programs_on_disk),
	};
	return cmocka_run_group_tests_name("device", tests, make_folder, clear_cache);
}
