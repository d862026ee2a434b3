/* The OpenCL driver: finding devices, opening one, its memories; the table of all it does. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/opencl.h"
#include "runtime/status.h"

/* ---- finding devices ---- */

/* Counts the devices of all platforms and takes number N, if there are so many (N -1: none).  Returns
 * what failed first; devices of platforms that did not fail are counted all the same. */
static cl_int
walk_devices(const struct opencl_functions *f, int32_t n, cl_platform_id *platform,
	     cl_device_id *device, int32_t *out_n)
{
	enum { MOST = 64, NO_PLATFORM = -1001 /* the loader's, CL_PLATFORM_NOT_FOUND_KHR */ };
	cl_platform_id platforms[MOST];
	cl_device_id devices[MOST];
	cl_uint np = 0, nd;
	cl_int code = f->clGetPlatformIDs(MOST, platforms, &np), first = CL_SUCCESS;

	*out_n = 0;
	if (code != CL_SUCCESS)
		return code == NO_PLATFORM ? CL_SUCCESS : code;
	for (cl_uint i = 0; i < np && i < MOST; i++) {
		code = f->clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, MOST, devices, &nd);
		/* That a platform has no device is an error of the call, not of ours. */
		if (first == CL_SUCCESS && code != CL_DEVICE_NOT_FOUND)
			first = code;
		for (cl_uint k = 0; code == CL_SUCCESS && k < nd && k < MOST; k++, ++*out_n) {
			if (*out_n != n)
				continue;
			*platform = platforms[i];
			*device = devices[k];
		}
	}
	return first;
}

static int
opencl_count(int32_t *out_n, struct sinter_error *error)
{
	struct opencl_library l;
	int status = sinter_opencl_library(&l, error);

	if (status != SINTER_OK)
		return status;
	status = sinter_opencl_check(error, walk_devices(&l.f, -1, NULL, NULL, out_n),
				     "list OpenCL devices");
	dlclose(l.handle);
	return status;
}

/* ---- opening one ---- */

/* What the device says of WHAT; "" if that is longer than ROOM. */
static void
get_text(const struct opencl *cl, cl_device_info what, char *out, size_t room)
{
	if (cl->f->clGetDeviceInfo(cl->device, what, room, out, NULL) != CL_SUCCESS)
		out[0] = '\0';
	out[room - 1] = '\0';
}

/* A number of up to 8 bytes; X if the device doesn't say. */
uint64_t
sinter_opencl_number(const struct opencl *cl, cl_device_info what, uint64_t x)
{
	uint64_t n = 0;
	size_t size = 0;
	cl_int code = cl->f->clGetDeviceInfo(cl->device, what, sizeof(n), &n, &size);

	return code == CL_SUCCESS && size > 0 ? n : x;
}

static void
get_platform(const struct opencl *cl, char *out, size_t room)
{
	char name[64] = "", version[1024] = "";

	cl->f->clGetPlatformInfo(cl->platform, CL_PLATFORM_NAME, sizeof(name), name, NULL);
	cl->f->clGetPlatformInfo(cl->platform, CL_PLATFORM_VERSION, sizeof(version), version, NULL);
	snprintf(out, room, "%.63s, %.180s", name, version);
}

/* 0: unknown.  Who doesn't know the extension is not asked: it would be an error. */
static int32_t
get_subgroup(const struct opencl *cl)
{
	enum { WARP_SIZE_NV = 0x4003 };
	char extensions[8192] = "";

	get_text(cl, CL_DEVICE_EXTENSIONS, extensions, sizeof(extensions));
	return strstr(extensions, "cl_nv_device_attribute_query")
		       ? (int32_t)sinter_opencl_number(cl, WARP_SIZE_NV, 0)
		       : 0;
}

static void
get_info(const struct opencl *cl, struct sinter_device_info *i)
{
	get_text(cl, CL_DEVICE_NAME, i->name, sizeof(i->name));
	get_text(cl, CL_DRIVER_VERSION, i->driver, sizeof(i->driver));
	get_platform(cl, i->platform, sizeof(i->platform));
	i->memory_bytes = sinter_opencl_number(cl, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
	i->largest_bytes = sinter_opencl_number(cl, CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
	i->local_bytes = sinter_opencl_number(cl, CL_DEVICE_LOCAL_MEM_SIZE, 0);
	i->units = (int32_t)sinter_opencl_number(cl, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
	i->group_items = (int32_t)sinter_opencl_number(cl, CL_DEVICE_MAX_WORK_GROUP_SIZE, 1);
	i->subgroup = get_subgroup(cl);
	i->load_floats = (int32_t)sinter_opencl_number(cl, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT,
						       1);
	i->has_f64 = sinter_opencl_number(cl, CL_DEVICE_DOUBLE_FP_CONFIG, 0) != 0;
	i->is_cpu = (sinter_opencl_number(cl, CL_DEVICE_TYPE, 0) & CL_DEVICE_TYPE_CPU) != 0;
	i->shares_memory = sinter_opencl_number(cl, CL_DEVICE_HOST_UNIFIED_MEMORY, 0) != 0;
}

static int
make_context(struct opencl *cl, struct sinter_error *error)
{
	cl_context_properties props[] = { CL_CONTEXT_PLATFORM, (cl_context_properties)cl->platform,
					  0 };
	cl_int code;

	cl->context = cl->f->clCreateContext(props, 1, &cl->device, NULL, NULL, &code);
	if (code != CL_SUCCESS)
		return sinter_opencl_fail(error, code, "make a context", "");
	cl->queue = cl->f->clCreateCommandQueue(cl->context, cl->device, 0, &code);
	if (code == CL_SUCCESS)
		return SINTER_OK;
	cl->f->clReleaseContext(cl->context);
	return sinter_opencl_fail(error, code, "make a queue", "");
}

static int
open_device(struct opencl *cl, struct sinter_device *d, int32_t n, struct sinter_error *error)
{
	int32_t count = 0;
	cl_int code = walk_devices(cl->f, n, &cl->platform, &cl->device, &count);

	if (n >= count && code != CL_SUCCESS)
		return sinter_opencl_fail(error, code, "open", d->name);
	if (n >= count)
		return sinter_fail(error, SINTER_NO_DEVICE, "no '%s': OpenCL has %d device%s here",
				   d->name, (int)count, count == 1 ? "" : "s");
	get_info(cl, &d->info);
	return make_context(cl, error);
}

static int
opencl_open(struct sinter_device *d, int32_t n, struct sinter_error *error)
{
	struct opencl *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	int status = sinter_opencl_library(&cl->library, error);

	if (status == SINTER_OK) {
		cl->f = &cl->library.f;
		status = open_device(cl, d, n, error);
		if (status != SINTER_OK)
			dlclose(cl->library.handle);
	}
	if (status == SINTER_OK)
		d->self = cl;
	else
		free(cl);
	return status;
}

static void
opencl_close(struct sinter_device *d)
{
	struct opencl *cl = d->self;

	cl->f->clReleaseCommandQueue(cl->queue);
	cl->f->clReleaseContext(cl->context);
	dlclose(cl->library.handle);
	free(cl);
}

/* ---- memories ---- */

/* Gives PINNED memory its address, for good: kernels don't use it. */
static int
pin(const struct opencl *cl, struct sinter_memory *m, struct sinter_error *error)
{
	cl_int code;

	m->data = cl->f->clEnqueueMapBuffer(cl->queue, m->handle, CL_TRUE,
					    CL_MAP_READ | CL_MAP_WRITE, 0, m->bytes, 0, NULL, NULL,
					    &code);
	if (code == CL_SUCCESS)
		return SINTER_OK;
	m->data = NULL;
	cl->f->clReleaseMemObject(m->handle);
	return sinter_opencl_fail(error, code, "map pinned memory", "");
}

static int
opencl_memory_new(struct sinter_memory *m, struct sinter_error *error)
{
	static const cl_mem_flags flags[] = { [SINTER_MEMORY_DEVICE] = 0,
					      [SINTER_MEMORY_SHARED] = CL_MEM_USE_HOST_PTR,
					      [SINTER_MEMORY_PINNED] = CL_MEM_ALLOC_HOST_PTR };
	const struct opencl *cl = m->device->self;
	cl_mem_flags access = m->is_constant ? CL_MEM_READ_ONLY : CL_MEM_READ_WRITE;
	char what[64];
	cl_int code;

	m->handle = cl->f->clCreateBuffer(cl->context, flags[m->kind] | access, m->bytes, m->data,
					  &code);
	if (code != CL_SUCCESS) {
		snprintf(what, sizeof(what), "make a memory of %zu bytes", m->bytes);
		return sinter_opencl_fail(error, code, what, "");
	}
	return m->kind == SINTER_MEMORY_PINNED ? pin(cl, m, error) : SINTER_OK;
}

static void
opencl_memory_free(struct sinter_memory *m)
{
	const struct opencl *cl = m->device->self;

	if (m->kind == SINTER_MEMORY_PINNED
	    && cl->f->clEnqueueUnmapMemObject(cl->queue, m->handle, m->data, 0, NULL, NULL)
		       == CL_SUCCESS)
		cl->f->clFinish(cl->queue);
	cl->f->clReleaseMemObject(m->handle);
}

const struct sinter_driver sinter_driver_opencl = {
	.kind = "opencl",
	.runs_programs = 1,
	.count = opencl_count,
	.open = opencl_open,
	.close = opencl_close,
	.memory_new = opencl_memory_new,
	.memory_free = opencl_memory_free,
	.queue_new = sinter_opencl_queue_new,
	.queue_free = sinter_opencl_queue_free,
	.read = sinter_opencl_read,
	.write = sinter_opencl_write,
	.copy = sinter_opencl_copy,
	.lend = sinter_opencl_lend,
	.finish = sinter_opencl_finish,
	.times = sinter_opencl_times,
	.program_new = sinter_opencl_program_new,
	.program_free = sinter_opencl_program_free,
	.program_binary = sinter_opencl_program_binary,
	.kernel_new = sinter_opencl_kernel_new,
	.kernel_free = sinter_opencl_kernel_free,
	.set_memory = sinter_opencl_set_memory,
	.set_number = sinter_opencl_set_number,
	.launch = sinter_opencl_launch,
};
