/*
 * A small client of OpenCL for tests, which knows nothing of the runtime's. The loader is opened at
 * run time, so that only these tests need it.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "run_opencl.h"
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS(F) \
	F(clGetPlatformIDs) \
	F(clGetDeviceIDs) \
	F(clCreateContext) \
	F(clReleaseContext) \
	F(clCreateCommandQueue) \
	F(clReleaseCommandQueue) \
	F(clCreateProgramWithSource) \
	F(clBuildProgram) \
	F(clGetProgramBuildInfo) \
	F(clReleaseProgram) \
	F(clCreateKernel) \
	F(clSetKernelArg) \
	F(clReleaseKernel) \
	F(clCreateBuffer) \
	F(clReleaseMemObject) \
	F(clEnqueueNDRangeKernel) \
	F(clEnqueueReadBuffer) \
	F(clFinish)

/* The functions of the loader. */
struct loader {
	void *lib;
#define MEMBER(name) __typeof__(&name) name;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

struct opencl_program {
	struct loader cl;
	cl_device_id device;
	cl_context context;
	cl_command_queue queue;
	cl_program program;
};

static char why[4096];

static const char *
say(const char *what, cl_int code)
{
	snprintf(why, sizeof(why), "%s: OpenCL error %d", what, code);
	return why;
}

static bool
load(struct loader *l)
{
	bool ok = true;

	l->lib = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!l->lib)
		return false;
#define GET(name) \
	*(void **)&l->name = dlsym(l->lib, #name); \
	ok &= l->name != NULL;
	FUNCTIONS(GET)
#undef GET
	return ok;
}

static bool
open_device(struct opencl_program *p)
{
	cl_platform_id platform;
	cl_int e;

	if (!load(&p->cl) || p->cl.clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS
	    || p->cl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &p->device, NULL)
		       != CL_SUCCESS) {
		say("no device, install pocl-opencl-icd", CL_DEVICE_NOT_FOUND);
		return false;
	}
	p->context = p->cl.clCreateContext(NULL, 1, &p->device, NULL, NULL, &e);
	if (e == CL_SUCCESS)
		p->queue = p->cl.clCreateCommandQueue(p->context, p->device, 0, &e);
	if (e != CL_SUCCESS)
		say("context", e);
	return e == CL_SUCCESS;
}

struct opencl_program *
opencl_build(const char *source, const char *options, const char **out_why)
{
	struct opencl_program *p = calloc(1, sizeof(*p));
	cl_int e;

	*out_why = why;
	if (!open_device(p)) {
		opencl_free(p);
		return NULL;
	}
	p->program = p->cl.clCreateProgramWithSource(p->context, 1, &source, NULL, &e);
	e = p->cl.clBuildProgram(p->program, 1, &p->device, options, NULL, NULL);
	if (e == CL_SUCCESS)
		return p;
	say("build", e);
	p->cl.clGetProgramBuildInfo(p->program, p->device, CL_PROGRAM_BUILD_LOG, sizeof(why), why,
				    NULL);
	opencl_free(p);
	return NULL;
}

void
opencl_free(struct opencl_program *p)
{
	if (p->program)
		p->cl.clReleaseProgram(p->program);
	if (p->queue)
		p->cl.clReleaseCommandQueue(p->queue);
	if (p->context)
		p->cl.clReleaseContext(p->context);
	free(p); /* the loader stays: drivers have threads */
}

/* Puts the arguments in their places; *OUT_BUFS are the memories. */
static cl_int
set_arguments(struct opencl_program *p, const struct opencl_call *c, cl_kernel k, cl_mem *out_bufs)
{
	cl_int e = CL_SUCCESS;
	cl_uint n = 0;

	for (size_t i = 0; i < c->nmems && e == CL_SUCCESS; i++) {
		out_bufs[i] = p->cl.clCreateBuffer(p->context,
						   CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
						   c->mems[i].size, c->mems[i].bytes, &e);
		if (e == CL_SUCCESS)
			e = p->cl.clSetKernelArg(k, n++, sizeof(cl_mem), &out_bufs[i]);
	}
	for (size_t i = 0; i < c->nnums && e == CL_SUCCESS; i++)
		e = p->cl.clSetKernelArg(k, n++, sizeof(int64_t), &c->nums[i]);
	return e;
}

static cl_int
launch(struct opencl_program *p, const struct opencl_call *c, cl_kernel k, cl_mem const *bufs)
{
	size_t total[3] = { 1, 1, 1 };
	cl_int e = CL_SUCCESS;

	for (int i = 0; i < c->ndims; i++)
		total[i] = c->groups[i] * c->items[i];
	if (total[0] * total[1] * total[2] > 0)
		e = p->cl.clEnqueueNDRangeKernel(p->queue, k, (cl_uint)c->ndims, NULL, total,
						 c->items, 0, NULL, NULL);
	for (size_t i = 0; i < c->nmems && e == CL_SUCCESS; i++)
		e = p->cl.clEnqueueReadBuffer(p->queue, bufs[i], CL_TRUE, 0, c->mems[i].size,
					      c->mems[i].bytes, 0, NULL, NULL);
	return e == CL_SUCCESS ? p->cl.clFinish(p->queue) : e;
}

const char *
opencl_run(struct opencl_program *p, const struct opencl_call *c)
{
	cl_mem *bufs = calloc(c->nmems + 1, sizeof(*bufs));
	cl_int e;
	cl_kernel k = p->cl.clCreateKernel(p->program, c->kernel, &e);

	if (e == CL_SUCCESS)
		e = set_arguments(p, c, k, bufs);
	if (e == CL_SUCCESS)
		e = launch(p, c, k, bufs);
	for (size_t i = 0; i < c->nmems; i++)
		if (bufs[i])
			p->cl.clReleaseMemObject(bufs[i]);
	if (k)
		p->cl.clReleaseKernel(k);
	free(bufs);
	return e == CL_SUCCESS ? NULL : say(c->kernel, e);
}
