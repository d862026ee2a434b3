/* OpenCL's library, and what its codes mean. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/opencl.h"
#include "runtime/status.h"

/* ---- the library ---- */

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define F(name) { #name, offsetof(struct opencl_functions, name) },
#include "runtime/opencl.def"
#undef F
};

int
sinter_opencl_library(struct opencl_library *l, struct sinter_error *error)
{
	const char *path = getenv("SINTER_OPENCL");

	/* Drivers keep threads and handlers that must not lose their code. */
	l->handle = dlopen(path && *path ? path : "libOpenCL.so.1",
			   RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!l->handle)
		return sinter_fail(error, SINTER_NO_DEVICE, "no OpenCL: %s", dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *p = dlsym(l->handle, functions[i].name);

		if (!p) {
			dlclose(l->handle);
			return sinter_fail(error, SINTER_NO_DEVICE, "OpenCL's library has no %s",
					   functions[i].name);
		}
		memcpy((char *)&l->f + functions[i].offset, &p, sizeof(p));
	}
	return SINTER_OK;
}

/* ---- errors ---- */

static const struct {
	cl_int code;
	int status;
	const char *name;
} codes[] = {
	{ CL_DEVICE_NOT_FOUND, SINTER_NO_DEVICE, "no device found" },
	{ CL_DEVICE_NOT_AVAILABLE, SINTER_NO_DEVICE, "device not available" },
	{ CL_COMPILER_NOT_AVAILABLE, SINTER_UNFIT, "no compiler available" },
	{ CL_MEM_OBJECT_ALLOCATION_FAILURE, SINTER_NO_MEMORY, "out of device memory" },
	{ CL_OUT_OF_RESOURCES, SINTER_DEVICE_LOST, "out of resources" },
	{ CL_OUT_OF_HOST_MEMORY, SINTER_NO_MEMORY, "out of host memory" },
	{ CL_BUILD_PROGRAM_FAILURE, SINTER_NO_BUILD, "build failure" },
	{ CL_INVALID_BUFFER_SIZE, SINTER_NO_MEMORY, "more than the device has in one buffer" },
	{ CL_INVALID_BINARY, SINTER_NO_BUILD, "invalid binary" },
	{ CL_INVALID_BUILD_OPTIONS, SINTER_NO_BUILD, "invalid build options" },
	{ CL_INVALID_KERNEL_NAME, SINTER_NO_BUILD, "no kernel of that name" },
	{ CL_INVALID_KERNEL_ARGS, SINTER_BAD_CALL, "arguments missing" },
	{ CL_INVALID_ARG_INDEX, SINTER_BAD_CALL, "more arguments than the kernel has" },
	{ CL_INVALID_ARG_SIZE, SINTER_BAD_CALL, "argument of another size" },
	{ CL_INVALID_WORK_GROUP_SIZE, SINTER_UNFIT, "work-group too large for this kernel" },
	{ CL_INVALID_WORK_ITEM_SIZE, SINTER_UNFIT, "work-group too large in one dimension" },
};

int
sinter_opencl_fail(struct sinter_error *error, cl_int code, const char *what, const char *name)
{
	int status = SINTER_DEVICE_LOST;
	const char *text = "the driver failed";

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code) {
			status = codes[i].status;
			text = codes[i].name;
		}
	return sinter_fail(error, status, "can't %s%s%s: %s (OpenCL error %d)", what,
			   name[0] ? " " : "", name, text, (int)code);
}

int
sinter_opencl_check(struct sinter_error *error, cl_int code, const char *what)
{
	return code == CL_SUCCESS ? SINTER_OK : sinter_opencl_fail(error, code, what, "");
}
