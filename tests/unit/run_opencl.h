/*
 * For tests: kernels in OpenCL C run on the first device that the driver offers.
 */
#ifndef TESTS_UNIT_RUN_OPENCL_H
#define TESTS_UNIT_RUN_OPENCL_H

#include <stddef.h>
#include <stdint.h>

struct opencl_program;

/* NULL, and in OUT_WHY the reason (the driver's text), until the next call. */
struct opencl_program *
opencl_build(const char *source, const char *options, const char **out_why);
void opencl_free(struct opencl_program *p);

/* A piece of host memory that is a memory of the kernel for the time of the call. */
struct opencl_memory {
	void *bytes;
	size_t size;
};

struct opencl_call {
	const char *kernel;
	int ndims;
	size_t groups[3], items[3];
	size_t nmems, nnums;
	const struct opencl_memory *mems;
	const int64_t *nums;
};

/* NULL, or the reason why not. */
const char *opencl_run(struct opencl_program *p, const struct opencl_call *c);

#endif
