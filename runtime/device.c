/* Devices by name, and their memories. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/device.h"
#include "runtime/status.h"

static const struct sinter_driver *const drivers[] = { &sinter_driver_cpu, &sinter_driver_opencl };

enum { NDRIVERS = sizeof(drivers) / sizeof(drivers[0]) };

static void
put_name(const struct sinter_driver *v, int32_t n, char *out, size_t room)
{
	if (v->is_single)
		snprintf(out, room, "%s", v->kind);
	else
		snprintf(out, room, "%s:%d", v->kind, (int)n);
}

int
sinter_device_each(void (*each)(void *arg, const char *name), void *arg, struct sinter_error *error)
{
	int status = SINTER_OK;

	for (int i = 0; i < NDRIVERS; i++) {
		int32_t n = 0;
		int s = drivers[i]->count(&n, error);

		if (s != SINTER_OK)
			status = s;
		for (int32_t k = 0; k < n; k++) {
			char name[32];

			put_name(drivers[i], k, name, sizeof(name));
			each(arg, name);
		}
	}
	return status;
}

/* The driver of device NAME, and the device's number in it; NULL if there is no such name. */
static const struct sinter_driver *
find_driver(const char *name, int32_t *out_n)
{
	for (int i = 0; i < NDRIVERS; i++) {
		size_t len = strlen(drivers[i]->kind);
		char *end;

		*out_n = 0;
		if (strncmp(name, drivers[i]->kind, len) != 0)
			continue;
		if (!name[len])
			return drivers[i];
		if (drivers[i]->is_single || name[len] != ':')
			continue;
		long n = strtol(name + len + 1, &end, 10);

		*out_n = (int32_t)n;
		if (name[len + 1] >= '0' && name[len + 1] <= '9' && !*end && n < 1000)
			return drivers[i];
	}
	return NULL;
}

int
sinter_device_open(const char *name, struct sinter_device **out, struct sinter_error *error)
{
	int32_t n;
	const struct sinter_driver *v = name && out ? find_driver(name, &n) : NULL;

	if (!name || !out)
		return sinter_fail(error, SINTER_BAD_CALL, "no name, or nowhere to put the device");
	if (!v)
		return sinter_fail(error, SINTER_NO_DEVICE,
				   "there is no device '%.64s': they are named cpu, opencl:0, ...",
				   name);
	struct sinter_device *d = calloc(1, sizeof(*d));

	if (!d)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	d->driver = v;
	d->info.kind = v->kind;
	put_name(v, n, d->name, sizeof(d->name));
	int status = v->open(d, n, error);

	if (status == SINTER_OK)
		*out = d;
	else
		free(d);
	return status;
}

void
sinter_device_close(struct sinter_device *device)
{
	if (!device)
		return;
	device->driver->close(device);
	free(device);
}

const struct sinter_device_info *
sinter_device_info(const struct sinter_device *device)
{
	return &device->info;
}

/* ---- memories ---- */

static int
make_memory(const struct sinter_memory *model, struct sinter_memory **out,
	    struct sinter_error *error)
{
	struct sinter_memory *m = malloc(sizeof(*m));
	int status = SINTER_OK;

	if (!m)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	*m = *model;
	if (m->owns_data && !(m->data = sinter_aligned(m->bytes)))
		status = sinter_fail(error, SINTER_NO_MEMORY, "out of memory: %zu bytes", m->bytes);
	else if (m->kind != SINTER_MEMORY_HOST)
		status = m->device->driver->memory_new(m, error);
	if (status == SINTER_OK) {
		*out = m;
		return SINTER_OK;
	}
	if (m->owns_data)
		free(m->data);
	free(m);
	return status;
}

int
sinter_memory_new(struct sinter_device *device, enum sinter_memory_kind kind, size_t bytes,
		  struct sinter_memory **out, struct sinter_error *error)
{
	struct sinter_memory m = { .device = device,
				   .kind = kind,
				   .bytes = bytes ? bytes : 1,
				   .owns_data = kind == SINTER_MEMORY_HOST
						|| kind == SINTER_MEMORY_SHARED };

	if (!device || !out || (unsigned)kind > SINTER_MEMORY_PINNED)
		return sinter_fail(error, SINTER_BAD_CALL, "no device, or no such kind of memory");
	if (kind == SINTER_MEMORY_SHARED && !device->info.shares_memory)
		return sinter_fail(error, SINTER_UNFIT, "'%s' shares no memory with the host",
				   device->name);
	return make_memory(&m, out, error);
}

int
sinter_memory_wrap(struct sinter_device *d, void *host, size_t bytes, int is_constant,
		   struct sinter_memory **out, struct sinter_error *error)
{
	struct sinter_memory m = { .device = d,
				   .kind = SINTER_MEMORY_SHARED,
				   .bytes = bytes,
				   .data = host,
				   .is_constant = is_constant };

	return make_memory(&m, out, error);
}

void
sinter_memory_free(struct sinter_memory *memory)
{
	if (!memory)
		return;
	if (memory->kind != SINTER_MEMORY_HOST)
		memory->device->driver->memory_free(memory);
	if (memory->owns_data)
		free(memory->data);
	free(memory);
}

void *
sinter_memory_data(const struct sinter_memory *memory)
{
	return memory->data;
}

/* ---- bandwidth ---- */

enum { COPY_BYTES = 64 << 20, COPIES = 4, ROUNDS = 3 };

/* Nanoseconds of the fastest of ROUNDS times COPIES copies; the first, which touches the memory, does
 * not count. */
static int
time_copies(const struct sinter_driver *v, void *queue, struct sinter_memory *const *m,
	    int64_t *out_ns, struct sinter_error *error)
{
	int status = SINTER_OK;

	*out_ns = INT64_MAX;
	for (int r = 0; r <= ROUNDS && status == SINTER_OK; r++) {
		int64_t t0 = sinter_now_ns();

		for (int i = 0; i < COPIES && status == SINTER_OK; i++)
			status = v->copy(queue, m[i % 2], m[1 - i % 2], COPY_BYTES, error);
		if (status == SINTER_OK)
			status = v->finish(queue, error);
		int64_t ns = sinter_now_ns() - t0;

		if (r > 0 && ns < *out_ns)
			*out_ns = ns;
	}
	return status;
}

int
sinter_device_bandwidth(struct sinter_device *device, double *out_gbs, struct sinter_error *error)
{
	const struct sinter_driver *v = device->driver;
	struct sinter_memory *m[2] = { NULL, NULL };
	void *queue = NULL;
	int64_t ns = 1;
	int status = v->queue_new(device, 0, &queue, error);

	for (int i = 0; i < 2 && status == SINTER_OK; i++)
		status = sinter_memory_new(device, SINTER_MEMORY_DEVICE, COPY_BYTES, &m[i], error);
	if (status == SINTER_OK)
		status = time_copies(v, queue, m, &ns, error);
	if (status == SINTER_OK)
		*out_gbs = 2.0 * COPIES * COPY_BYTES / (double)(ns > 0 ? ns : 1);
	v->queue_free(device, queue);
	sinter_memory_free(m[0]);
	sinter_memory_free(m[1]);
	return status;
}
