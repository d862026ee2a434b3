/*
 * The OpenCL driver, the one file that knows OpenCL's headers.  The library
 * that finds the platforms is opened when a device is asked for, so that the
 * runtime works where there is none; SINTER_OPENCL names another one.  OpenCL
 * 1.2 is all that is used.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/device.h"
#include "runtime/status.h"

#define FUNCTIONS(F) \
	F(clGetPlatformIDs) \
	F(clGetPlatformInfo) \
	F(clGetDeviceIDs) \
	F(clGetDeviceInfo) \
	F(clCreateContext) \
	F(clReleaseContext) \
	F(clCreateCommandQueue) \
	F(clReleaseCommandQueue) \
	F(clCreateBuffer) \
	F(clReleaseMemObject) \
	F(clEnqueueReadBuffer) \
	F(clEnqueueWriteBuffer) \
	F(clEnqueueCopyBuffer) \
	F(clEnqueueMapBuffer) \
	F(clEnqueueUnmapMemObject) \
	F(clEnqueueNDRangeKernel) \
	F(clFinish) \
	F(clCreateProgramWithSource) \
	F(clCreateProgramWithBinary) \
	F(clBuildProgram) \
	F(clGetProgramBuildInfo) \
	F(clGetProgramInfo) \
	F(clReleaseProgram) \
	F(clCreateKernel) \
	F(clReleaseKernel) \
	F(clSetKernelArg) \
	F(clGetEventProfilingInfo) \
	F(clReleaseEvent)

struct functions {
#define F(name) __typeof__(name) *name;
	FUNCTIONS(F)
#undef F
};

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define F(name) { #name, offsetof(struct functions, name) },
	FUNCTIONS(F)
#undef F
};

/* The loader's library. */
struct library {
	void *handle;
	struct functions f;
};

/* An open device. */
struct opencl {
	struct library library;
	const struct functions *f; /* of the library */
	cl_platform_id platform;
	cl_device_id device;
	cl_context context;
	cl_command_queue queue; /* for the map of PINNED memory */
};

struct timed {
	cl_event event;
	int32_t step;
	int64_t host_ns; /* when it was put into the queue */
};

struct queue {
	const struct functions *f;
	cl_command_queue queue;
	int is_timed;
	struct timed *timed;
	size_t ntimed, room;
};

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
	{ -1001, SINTER_NO_DEVICE, "no OpenCL platform is installed" },
};

/* CODE, which is not CL_SUCCESS, of the call that does WHAT to NAME (may be ""). */
static int
fail(struct sinter_error *error, cl_int code, const char *what, const char *name)
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

static int
check(struct sinter_error *error, cl_int code, const char *what)
{
	return code == CL_SUCCESS ? SINTER_OK : fail(error, code, what, "");
}

/* ---- finding devices ---- */

static int
library_open(struct library *l, struct sinter_error *error)
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

/* Counts the devices of all platforms and takes number N, if there are so many (N -1: none). */
static int
walk_devices(const struct functions *f, int32_t n, cl_platform_id *platform, cl_device_id *device,
	     int32_t *out_n)
{
	enum { MOST = 64 };
	cl_platform_id platforms[MOST];
	cl_device_id devices[MOST];
	cl_uint np = 0, nd;
	cl_int code = f->clGetPlatformIDs(MOST, platforms, &np);

	*out_n = 0;
	for (cl_uint i = 0; code == CL_SUCCESS && i < np && i < MOST; i++) {
		/* A platform without devices is an error of the call, not of ours. */
		if (f->clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, MOST, devices, &nd)
		    != CL_SUCCESS)
			continue;
		for (cl_uint k = 0; k < nd && k < MOST; k++, ++*out_n) {
			if (*out_n != n)
				continue;
			*platform = platforms[i];
			*device = devices[k];
		}
	}
	return code;
}

static int
opencl_count(int32_t *out_n, struct sinter_error *error)
{
	struct library l;
	int status = library_open(&l, error);

	if (status != SINTER_OK)
		return status;
	status = check(error, walk_devices(&l.f, -1, NULL, NULL, out_n), "list OpenCL devices");
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
static uint64_t
get_number(const struct opencl *cl, cl_device_info what, uint64_t x)
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
		       ? (int32_t)get_number(cl, WARP_SIZE_NV, 0)
		       : 0;
}

static void
get_info(const struct opencl *cl, struct sinter_device_info *i)
{
	get_text(cl, CL_DEVICE_NAME, i->name, sizeof(i->name));
	get_text(cl, CL_DRIVER_VERSION, i->driver, sizeof(i->driver));
	get_platform(cl, i->platform, sizeof(i->platform));
	i->memory_bytes = get_number(cl, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
	i->largest_bytes = get_number(cl, CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
	i->local_bytes = get_number(cl, CL_DEVICE_LOCAL_MEM_SIZE, 0);
	i->units = (int32_t)get_number(cl, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
	i->group_items = (int32_t)get_number(cl, CL_DEVICE_MAX_WORK_GROUP_SIZE, 1);
	i->subgroup = get_subgroup(cl);
	i->load_floats = (int32_t)get_number(cl, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, 1);
	i->has_f64 = get_number(cl, CL_DEVICE_DOUBLE_FP_CONFIG, 0) != 0;
	i->is_cpu = (get_number(cl, CL_DEVICE_TYPE, 0) & CL_DEVICE_TYPE_CPU) != 0;
	i->shares_memory = get_number(cl, CL_DEVICE_HOST_UNIFIED_MEMORY, 0) != 0;
}

static int
make_context(struct opencl *cl, struct sinter_error *error)
{
	cl_context_properties props[] = { CL_CONTEXT_PLATFORM, (cl_context_properties)cl->platform,
					  0 };
	cl_int code;

	cl->context = cl->f->clCreateContext(props, 1, &cl->device, NULL, NULL, &code);
	if (code != CL_SUCCESS)
		return fail(error, code, "make a context", "");
	cl->queue = cl->f->clCreateCommandQueue(cl->context, cl->device, 0, &code);
	if (code == CL_SUCCESS)
		return SINTER_OK;
	cl->f->clReleaseContext(cl->context);
	return fail(error, code, "make a queue", "");
}

static int
open_device(struct opencl *cl, struct sinter_device *d, int32_t n, struct sinter_error *error)
{
	int32_t count = 0;
	cl_int code = walk_devices(cl->f, n, &cl->platform, &cl->device, &count);

	if (code != CL_SUCCESS)
		return fail(error, code, "open", d->name);
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
	int status = library_open(&cl->library, error);

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
	return fail(error, code, "map pinned memory", "");
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
		return fail(error, code, what, "");
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

/* ---- queues ---- */

static int
opencl_queue_new(struct sinter_device *d, int is_timed, void **out, struct sinter_error *error)
{
	const struct opencl *cl = d->self;
	struct queue *q = calloc(1, sizeof(*q));
	cl_int code;

	if (!q)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	q->f = cl->f;
	q->is_timed = is_timed;
	q->queue = cl->f->clCreateCommandQueue(cl->context, cl->device,
					       is_timed ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
	if (code != CL_SUCCESS) {
		free(q);
		return fail(error, code, "make a queue", "");
	}
	*out = q;
	return SINTER_OK;
}

static void
forget_times(struct queue *q)
{
	for (size_t i = 0; i < q->ntimed; i++)
		q->f->clReleaseEvent(q->timed[i].event);
	q->ntimed = 0;
}

static void
opencl_queue_free(struct sinter_device *d, void *queue)
{
	struct queue *q = queue;
	(void)d;

	if (!q)
		return;
	forget_times(q);
	q->f->clReleaseCommandQueue(q->queue);
	free(q->timed);
	free(q);
}

static int
opencl_read(void *queue, const struct sinter_memory *m, size_t offset, void *host, size_t bytes,
	    struct sinter_error *error)
{
	const struct queue *q = queue;

	return check(error,
		     q->f->clEnqueueReadBuffer(q->queue, m->handle, CL_FALSE, offset, bytes, host,
					       0, NULL, NULL),
		     "read from the device");
}

static int
opencl_write(void *queue, const struct sinter_memory *m, size_t offset, const void *host,
	     size_t bytes, struct sinter_error *error)
{
	const struct queue *q = queue;

	return check(error,
		     q->f->clEnqueueWriteBuffer(q->queue, m->handle, CL_FALSE, offset, bytes, host,
						0, NULL, NULL),
		     "write to the device");
}

static int
opencl_copy(void *queue, const struct sinter_memory *from, const struct sinter_memory *to,
	    size_t bytes, struct sinter_error *error)
{
	const struct queue *q = queue;

	return check(error,
		     q->f->clEnqueueCopyBuffer(q->queue, from->handle, to->handle, 0, 0, bytes, 0,
					       NULL, NULL),
		     "copy on the device");
}

/* The host has what is mapped. */
static int
opencl_lend(void *queue, struct sinter_memory *m, int to_host, struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_map_flags how = m->is_constant ? CL_MAP_WRITE : CL_MAP_READ | CL_MAP_WRITE;
	cl_int code;

	if (m->is_lent == to_host)
		return SINTER_OK;
	if (to_host)
		q->f->clEnqueueMapBuffer(q->queue, m->handle, CL_FALSE, how, 0, m->bytes, 0, NULL,
					 NULL, &code);
	else
		code = q->f->clEnqueueUnmapMemObject(q->queue, m->handle, m->data, 0, NULL, NULL);
	if (code != CL_SUCCESS)
		return fail(error, code, to_host ? "map" : "unmap", "shared memory");
	m->is_lent = to_host;
	return SINTER_OK;
}

static int
opencl_finish(void *queue, struct sinter_error *error)
{
	const struct queue *q = queue;

	return check(error, q->f->clFinish(q->queue), "finish the work on the device");
}

static uint64_t
time_of(const struct queue *q, cl_event e, cl_profiling_info what)
{
	cl_ulong ns = 0;

	q->f->clGetEventProfilingInfo(e, what, sizeof(ns), &ns, NULL);
	return ns;
}

static void
opencl_times(void *queue, sinter_timed_fn *each, void *arg)
{
	struct queue *q = queue;

	for (size_t i = 0; i < q->ntimed; i++) {
		const struct timed *t = &q->timed[i];
		uint64_t queued = time_of(q, t->event, CL_PROFILING_COMMAND_QUEUED),
			 start = time_of(q, t->event, CL_PROFILING_COMMAND_START),
			 end = time_of(q, t->event, CL_PROFILING_COMMAND_END);

		if (queued <= start && start <= end)
			each(arg, t->step, t->host_ns + (int64_t)(start - queued),
			     (int64_t)(end - start));
	}
	forget_times(q);
}

/* ---- programs ---- */

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
		return fail(error, code, "build the program", "");
	}
	const char *start = strstr(log, "error");

	while (start && start > log && start[-1] != '\n')
		start--;
	int status = fail(error, code, "build the program; the driver says:", start ? start : log);

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
	uint64_t can = get_number(cl, CL_DEVICE_SINGLE_FP_CONFIG, 0);

	snprintf(out, room, "%s%s", p->options,
		 can & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT
			 ? " -cl-fp32-correctly-rounded-divide-sqrt"
			 : "");
}

static int
opencl_program_new(struct sinter_device *d, const struct sinter_source *source, void **out,
		   struct sinter_error *error)
{
	const struct opencl *cl = d->self;
	char options[512];
	cl_int code;
	cl_program p = make_program(cl, source, &code);

	if (code != CL_SUCCESS)
		return fail(error, code, "make a program", "");
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

static void
opencl_program_free(struct sinter_device *d, void *program)
{
	const struct opencl *cl = d->self;

	if (program)
		cl->f->clReleaseProgram(program);
}

static int
opencl_program_binary(struct sinter_device *d, void *program, void **out, size_t *out_bytes,
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
		return fail(error, code, "get the program's binary", "");
	}
	*out = p;
	*out_bytes = n;
	return SINTER_OK;
}

static int
opencl_kernel_new(struct sinter_device *d, void *program, const char *name, void **out,
		  struct sinter_error *error)
{
	const struct opencl *cl = d->self;
	cl_int code;
	cl_kernel k = cl->f->clCreateKernel(program, name, &code);

	if (code != CL_SUCCESS)
		return fail(error, code, "make kernel", name);
	*out = k;
	return SINTER_OK;
}

static void
opencl_kernel_free(struct sinter_device *d, void *kernel)
{
	const struct opencl *cl = d->self;

	if (kernel)
		cl->f->clReleaseKernel(kernel);
}

static int
opencl_set_memory(void *queue, void *kernel, int32_t arg, const struct sinter_memory *m,
		  struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_mem mem = m->handle;

	return check(error, q->f->clSetKernelArg(kernel, (cl_uint)arg, sizeof(cl_mem), &mem),
		     "set an argument");
}

static int
opencl_set_number(void *queue, void *kernel, int32_t arg, int64_t x, struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_long n = x;

	return check(error, q->f->clSetKernelArg(kernel, (cl_uint)arg, sizeof(n), &n),
		     "set an argument");
}

/* Room for one more event. */
static int
grow_timed(struct queue *q)
{
	if (!q->is_timed || q->ntimed < q->room)
		return 1;
	size_t room = q->room ? 2 * q->room : 256;
	struct timed *p = realloc(q->timed, room * sizeof(*p));

	if (!p)
		return 0;
	q->timed = p;
	q->room = room;
	return 1;
}

static int
opencl_launch(void *queue, void *kernel, const struct sinter_launch *l, struct sinter_error *error)
{
	struct queue *q = queue;
	size_t items[3] = { 1, 1, 1 }, all[3] = { 1, 1, 1 };

	for (int32_t i = 0; i < l->ndims; i++) {
		items[i] = (size_t)l->items[i];
		all[i] = items[i] * (size_t)l->groups[i];
	}
	if (!grow_timed(q))
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	struct timed *t = q->is_timed ? &q->timed[q->ntimed] : NULL;

	if (t) {
		t->step = l->step;
		t->host_ns = sinter_now_ns();
	}
	cl_int code = q->f->clEnqueueNDRangeKernel(q->queue, kernel, (cl_uint)l->ndims, NULL, all,
						   items, 0, NULL, t ? &t->event : NULL);
	if (code == CL_SUCCESS && t)
		q->ntimed++;
	return check(error, code, "launch");
}

const struct sinter_driver sinter_driver_opencl = {
	.kind = "opencl",
	.runs_programs = 1,
	.count = opencl_count,
	.open = opencl_open,
	.close = opencl_close,
	.memory_new = opencl_memory_new,
	.memory_free = opencl_memory_free,
	.queue_new = opencl_queue_new,
	.queue_free = opencl_queue_free,
	.read = opencl_read,
	.write = opencl_write,
	.copy = opencl_copy,
	.lend = opencl_lend,
	.finish = opencl_finish,
	.times = opencl_times,
	.program_new = opencl_program_new,
	.program_free = opencl_program_free,
	.program_binary = opencl_program_binary,
	.kernel_new = opencl_kernel_new,
	.kernel_free = opencl_kernel_free,
	.set_memory = opencl_set_memory,
	.set_number = opencl_set_number,
	.launch = opencl_launch,
};
