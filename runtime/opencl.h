/*
 * The OpenCL driver, inside itself: the one file that knows OpenCL's headers,
 * for runtime/opencl*.c alone.  OpenCL 1.2 is all that is used.
 *
 *	opencl.c	 devices and memories; the driver's table
 *	opencl_library.c the library that finds the platforms, what codes mean
 *	opencl_program.c programs, kernels
 *	opencl_queue.c	 queues: copies, launches, times
 *
 * Ownership: a device has the library, the context and a queue for its pinned
 * memories, from open to close.  Queues and programs borrow the functions and
 * the context, so they go before their device; a kernel goes before its
 * program's device, too.  A handle of the generic driver is the driver's own
 * object where it has one (cl_mem, cl_program, cl_kernel), else a struct of the
 * file that makes it.
 */
#ifndef RUNTIME_OPENCL_H
#define RUNTIME_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include "runtime/device.h"

struct opencl_functions {
#define F(name) __typeof__(name) *name;
#include "runtime/opencl.def"
#undef F
};

struct opencl_library {
	void *handle; /* for dlclose */
	struct opencl_functions f;
};

/* An open device, its self. */
struct opencl {
	struct opencl_library library;
	const struct opencl_functions *f; /* of the library */
	cl_platform_id platform;
	cl_device_id device;
	cl_context context;
	cl_command_queue queue; /* for the map of PINNED memory */
};

/* Opens the library that finds the platforms: libOpenCL.so.1, or what SINTER_OPENCL names.  It is
 * opened when a device is asked for, so that the runtime works where there is none.
 * SINTER_NO_DEVICE.  The caller gives it back by dlclose of its handle. */
int sinter_opencl_library(struct opencl_library *l, struct sinter_error *error);

/* CODE, which is not CL_SUCCESS, of the call that does WHAT to NAME (may be ""): fills ERROR and
 * returns the runtime's status for it. */
int sinter_opencl_fail(struct sinter_error *error, cl_int code, const char *what, const char *name);

/* The same with any CODE, SINTER_OK for CL_SUCCESS. */
int sinter_opencl_check(struct sinter_error *error, cl_int code, const char *what);

/* A number of up to 8 bytes that the device says of itself; X if it doesn't. */
uint64_t sinter_opencl_number(const struct opencl *cl, cl_device_info what, uint64_t x);

/* What follows is as struct sinter_driver says of the functions of these names. */

int sinter_opencl_program_new(struct sinter_device *d, const struct sinter_source *source,
			      void **out, struct sinter_error *error);
void sinter_opencl_program_free(struct sinter_device *d, void *program);
int sinter_opencl_program_binary(struct sinter_device *d, void *program, void **out,
				 size_t *out_bytes, struct sinter_error *error);
int sinter_opencl_kernel_new(struct sinter_device *d, void *program, const char *name, void **out,
			     struct sinter_error *error);
void sinter_opencl_kernel_free(struct sinter_device *d, void *kernel);

int sinter_opencl_queue_new(struct sinter_device *d, int is_timed, void **out,
			    struct sinter_error *error);
void sinter_opencl_queue_free(struct sinter_device *d, void *queue);
int sinter_opencl_read(void *queue, const struct sinter_memory *m, size_t offset, void *host,
		       size_t bytes, struct sinter_error *error);
int sinter_opencl_write(void *queue, const struct sinter_memory *m, size_t offset,
			const void *host, size_t bytes, struct sinter_error *error);
int sinter_opencl_copy(void *queue, const struct sinter_memory *from,
		       const struct sinter_memory *to, size_t bytes, struct sinter_error *error);
int sinter_opencl_lend(void *queue, struct sinter_memory *m, int to_host,
		       struct sinter_error *error);
int sinter_opencl_finish(void *queue, struct sinter_error *error);
int sinter_opencl_set_memory(void *queue, void *kernel, int32_t arg, const struct sinter_memory *m,
			     struct sinter_error *error);
int sinter_opencl_set_number(void *queue, void *kernel, int32_t arg, int64_t x,
			     struct sinter_error *error);
int sinter_opencl_launch(void *queue, void *kernel, const struct sinter_launch *l,
			 struct sinter_error *error);
void sinter_opencl_times(void *queue, sinter_timed_fn *each, void *arg);

#endif
