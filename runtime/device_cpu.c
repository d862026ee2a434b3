/* The host itself as a device: its memories are plain memory, its queue does everything at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "runtime/device.h"
#include "runtime/status.h"

static int
cpu_count(int32_t *out_n, struct sinter_error *error)
{
	(void)error;
	*out_n = 1;
	return SINTER_OK;
}

/* What the system calls the processor; "" if it doesn't say. */
static void
read_name(char *out, size_t room)
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");

	out[0] = '\0';
	while (f && !out[0] && fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) == 0 && colon)
			snprintf(out, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
	}
	if (f)
		fclose(f);
}

static int
cpu_open(struct sinter_device *d, int32_t n, struct sinter_error *error)
{
	struct sinter_device_info *i = &d->info;
	struct utsname u;
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	(void)n;
	(void)error;

	read_name(i->name, sizeof(i->name));
	if (uname(&u) == 0) {
		snprintf(i->platform, sizeof(i->platform), "%.60s %.60s", u.sysname, u.machine);
		snprintf(i->driver, sizeof(i->driver), "%.120s", u.release);
	}
	i->memory_bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
	i->largest_bytes = i->memory_bytes;
	i->units = cores > 0 ? (int32_t)cores : 1;
	i->subgroup = 1;
	i->load_floats = 1;
	i->has_f64 = 1;
	i->is_cpu = 1;
	i->shares_memory = 1;
	return SINTER_OK;
}

static void
cpu_close(struct sinter_device *d)
{
	(void)d;
}

/* What has no address yet is allocated; a handle says so. */
static int
cpu_memory_new(struct sinter_memory *m, struct sinter_error *error)
{
	if (m->data)
		return SINTER_OK;
	m->handle = sinter_aligned(m->bytes);
	if (!m->handle)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory: %zu bytes", m->bytes);
	if (m->kind == SINTER_MEMORY_PINNED)
		m->data = m->handle;
	return SINTER_OK;
}

static void
cpu_memory_free(struct sinter_memory *m)
{
	free(m->handle);
}

static int
cpu_queue_new(struct sinter_device *d, int is_timed, void **out, struct sinter_error *error)
{
	(void)is_timed;
	(void)error;
	*out = d;
	return SINTER_OK;
}

static void
cpu_queue_free(struct sinter_device *d, void *queue)
{
	(void)d;
	(void)queue;
}

static char *
address(const struct sinter_memory *m)
{
	return m->data ? m->data : m->handle;
}

static int
cpu_read(void *queue, const struct sinter_memory *m, size_t offset, void *host, size_t bytes,
	 struct sinter_error *error)
{
	(void)queue;
	(void)error;
	memcpy(host, address(m) + offset, bytes);
	return SINTER_OK;
}

static int
cpu_write(void *queue, const struct sinter_memory *m, size_t offset, const void *host, size_t bytes,
	  struct sinter_error *error)
{
	(void)queue;
	(void)error;
	memcpy(address(m) + offset, host, bytes);
	return SINTER_OK;
}

static int
cpu_copy(void *queue, const struct sinter_memory *from, const struct sinter_memory *to,
	 size_t bytes, struct sinter_error *error)
{
	(void)queue;
	(void)error;
	memcpy(address(to), address(from), bytes);
	return SINTER_OK;
}

static int
cpu_lend(void *queue, struct sinter_memory *m, int to_host, struct sinter_error *error)
{
	(void)queue;
	(void)error;
	m->is_lent = to_host;
	return SINTER_OK;
}

static int
cpu_finish(void *queue, struct sinter_error *error)
{
	(void)queue;
	(void)error;
	return SINTER_OK;
}

static void
cpu_times(void *queue, sinter_timed_fn *each, void *arg)
{
	(void)queue;
	(void)each;
	(void)arg;
}

const struct sinter_driver sinter_driver_cpu = {
	.kind = "cpu",
	.is_single = 1,
	.count = cpu_count,
	.open = cpu_open,
	.close = cpu_close,
	.memory_new = cpu_memory_new,
	.memory_free = cpu_memory_free,
	.queue_new = cpu_queue_new,
	.queue_free = cpu_queue_free,
	.read = cpu_read,
	.write = cpu_write,
	.copy = cpu_copy,
	.lend = cpu_lend,
	.finish = cpu_finish,
	.times = cpu_times,
};
