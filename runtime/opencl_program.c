/* Programs of OpenCL and their kernels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/opencl.h"
#include "runtime/status.h"

/* Fails with the driver's log from its first error on. */
static int
build_failed(const struct opencl *cl, cl_program p, cl_int code, struct sinter_error *error)
{
	size_t n = 0;
	char *log = NULL;

	if (cl->f->clGetProgramBuildInfo(p, cl->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &n)
		    == CL_SUCCESS
	    && n > 0)
		log = calloc(1, n + 1);
	if (!log
	    || cl->f->clGetProgramBuildInfo(p, cl->device, CL_PROGRAM_BUILD_LOG, n, log, NULL)
		       != CL_SUCCESS) {
		free(log);
		return sinter_opencl_fail(error, code, "build the program", "");
	}
	const char *start = strstr(log, "error");

	while (start && start > log && start[-1] != '\n')
		start--;
	int status = sinter_opencl_fail(error, code,
					"build the program; the driver says:", start ? start : log);

	free(log);
	return status;
}

static cl_program
make_program(const struct opencl *cl, const struct sinter_source *s, cl_int *code)
{
	const unsigned char *binary = s->binary;
	const char **lines = (const char **)(uintptr_t)s->program->lines;
	cl_int is_good = CL_SUCCESS;

	if (!binary)
		return cl->f->clCreateProgramWithSource(cl->context, s->program->nlines, lines,
							NULL, code);
	cl_program p = cl->f->clCreateProgramWithBinary(cl->context, 1, &cl->device,
							&s->binary_bytes, &binary, &is_good, code);

	if (*code == CL_SUCCESS && is_good != CL_SUCCESS) {
		cl->f->clReleaseProgram(p);
		*code = is_good;
	}
	return p;
}

/* The program's options; where the device can, quotients and roots are rounded as on the CPU. */
static void
build_options(const struct opencl *cl, const struct sinter_program *p, char *out, size_t room)
{
	uint64_t can = sinter_opencl_number(cl, CL_DEVICE_SINGLE_FP_CONFIG, 0);

	snprintf(out, room, "%s%s", p->options,
		 can & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT
			 ? " -cl-fp32-correctly-rounded-divide-sqrt"
			 : "");
}

int
sinter_opencl_program_new(struct sinter_device *d, const struct sinter_source *source, void **out,
			  struct sinter_error *error)
{
	const struct opencl *cl = d->self;
	char options[512];
	cl_int code;
	cl_program p = make_program(cl, source, &code);

	if (code != CL_SUCCESS)
		return sinter_opencl_fail(error, code, "make a program", "");
	build_options(cl, source->program, options, sizeof(options));
	code = cl->f->clBuildProgram(p, 1, &cl->device, options, NULL, NULL);
	if (code == CL_SUCCESS) {
		*out = p;
		return SINTER_OK;
	}
	int status = build_failed(cl, p, code, error);

	cl->f->clReleaseProgram(p);
	return status;
}

void
sinter_opencl_program_free(struct sinter_device *d, void *program)
{
	const struct opencl *cl = d->self;

	if (program)
		cl->f->clReleaseProgram(program);
}

int
sinter_opencl_program_binary(struct sinter_device *d, void *program, void **out, size_t *out_bytes,
			     struct sinter_error *error)
{
	const struct opencl *cl = d->self;
	size_t n = 0;
	cl_int code = cl->f->clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof(n), &n,
					      NULL);
	unsigned char *p = code == CL_SUCCESS && n > 0 ? malloc(n) : NULL;

	if (code == CL_SUCCESS && !p)
		return sinter_fail(error, SINTER_NO_MEMORY, "the driver gives no binary");
	if (code == CL_SUCCESS)
		code = cl->f->clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof(p), &p, NULL);
	if (code != CL_SUCCESS) {
		free(p);
		return sinter_opencl_fail(error, code, "get the program's binary", "");
	}
	*out = p;
	*out_bytes = n;
	return SINTER_OK;
}

int
sinter_opencl_kernel_new(struct sinter_device *d, void *program, const char *name, void **out,
			 struct sinter_error *error)
{
	const struct opencl *cl = d->self;
	cl_int code;
	cl_kernel k = cl->f->clCreateKernel(program, name, &code);

	if (code != CL_SUCCESS)
		return sinter_opencl_fail(error, code, "make kernel", name);
	*out = k;
	return SINTER_OK;
}

void
sinter_opencl_kernel_free(struct sinter_device *d, void *kernel)
{
	const struct opencl *cl = d->self;

	if (kernel)
		cl->f->clReleaseKernel(kernel);
}
