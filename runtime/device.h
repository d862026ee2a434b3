/*
 * Devices, inside the runtime: one table of functions for each kind.
 *
 * Threads: all functions may be called by several threads at once; a queue and
 * a kernel belong to one thread at a time.  Errors: a function that returns int
 * returns SINTER_OK or fails with a sentence in ERROR (may be NULL), having made
 * nothing.  Ownership: what a _new function makes is given back by its _free,
 * before the device is closed.
 */
#ifndef RUNTIME_DEVICE_H
#define RUNTIME_DEVICE_H

#include "runtime/sinter_runtime.h"

struct sinter_device;

struct sinter_memory {
	struct sinter_device *device;
	enum sinter_memory_kind kind;
	size_t bytes;
	void *data;	 /* address in the host; NULL of kind DEVICE */
	void *handle;	 /* the driver's; NULL of kind HOST */
	int owns_data;	 /* DATA is free()d with it */
	int is_constant; /* kernels only read it */
	int is_lent;	 /* of kind SHARED: the host has it now */
};

/* What a driver compiles: text, or a BINARY that it made of that text before. */
struct sinter_source {
	const struct sinter_program *program;
	const void *binary; /* NULL: build from the text */
	size_t binary_bytes;
};

/* One launch that was timed; START is on the host's clock. */
typedef void sinter_timed_fn(void *arg, int32_t step, int64_t start_ns, int64_t ns);

struct sinter_driver {
	const char *kind; /* "opencl": its devices are "opencl:N"; without number if is_single */
	int is_single, runs_programs;
	int (*count)(int32_t *out_n, struct sinter_error *error);
	/* Device N of the kind: fills d->info and d->self. */
	int (*open)(struct sinter_device *d, int32_t n, struct sinter_error *error);
	void (*close)(struct sinter_device *d);

	/* Fills m->handle and, of kind PINNED, m->data; kind, bytes and, of kind SHARED, data are
	 * there. */
	int (*memory_new)(struct sinter_memory *m, struct sinter_error *error);
	void (*memory_free)(struct sinter_memory *m);

	/* Calls are done in order, and may be done after their return; finish waits. */
	int (*queue_new)(struct sinter_device *d, int is_timed, void **out,
			 struct sinter_error *error);
	void (*queue_free)(struct sinter_device *d, void *queue);
	/* HOST must stay as it is until finish. */
	int (*read)(void *queue, const struct sinter_memory *m, size_t offset, void *host,
		    size_t bytes, struct sinter_error *error);
	int (*write)(void *queue, const struct sinter_memory *m, size_t offset, const void *host,
		     size_t bytes, struct sinter_error *error);
	int (*copy)(void *queue, const struct sinter_memory *from, const struct sinter_memory *to,
		    size_t bytes, struct sinter_error *error);
	/* Hands SHARED memory to the host (TO_HOST, to be used after finish) or to kernels. */
	int (*lend)(void *queue, struct sinter_memory *m, int to_host, struct sinter_error *error);
	int (*finish)(void *queue, struct sinter_error *error);
	/* After finish: tells the launches since the last call, of a queue that is timed. */
	void (*times)(void *queue, sinter_timed_fn *each, void *arg);

	/* Drivers that don't run programs have NULL from here on. */
	int (*program_new)(struct sinter_device *d, const struct sinter_source *source, void **out,
			   struct sinter_error *error);
	void (*program_free)(struct sinter_device *d, void *program);
	/* What the driver wants to see again in sinter_source.binary; *OUT is the caller's, for free(). */
	int (*program_binary)(struct sinter_device *d, void *program, void **out, size_t *out_bytes,
			      struct sinter_error *error);
	int (*kernel_new)(struct sinter_device *d, void *program, const char *name, void **out,
			  struct sinter_error *error);
	void (*kernel_free)(struct sinter_device *d, void *kernel);
	int (*set_memory)(void *queue, void *kernel, int32_t arg, const struct sinter_memory *m,
			  struct sinter_error *error);
	int (*set_number)(void *queue, void *kernel, int32_t arg, int64_t x,
			  struct sinter_error *error);
	int (*launch)(void *queue, void *kernel, const struct sinter_launch *l,
		      struct sinter_error *error);
};

extern const struct sinter_driver sinter_driver_cpu, sinter_driver_opencl;

struct sinter_device {
	const struct sinter_driver *driver;
	char name[32]; /* "opencl:0" */
	struct sinter_device_info info;
	void *self; /* the driver's */
};

/* SHARED memory over BYTES (not 0) at HOST, which must live as long; IS_CONSTANT: kernels only read
 * it. Kernels have it at first. Give back by sinter_memory_free. */
int sinter_memory_wrap(struct sinter_device *d, void *host, size_t bytes, int is_constant,
		       struct sinter_memory **out, struct sinter_error *error);

#endif
