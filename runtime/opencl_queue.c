/* Queues of OpenCL: copies, launches and their times. */
#include <stdlib.h>
#include "runtime/opencl.h"
#include "runtime/status.h"

struct timed {
	cl_event event;
	int32_t step;
	int64_t host_ns; /* when it was put into the queue */
};

struct queue {
	const struct opencl_functions *f;
	cl_command_queue queue;
	int is_timed;
	struct timed *timed;
	size_t ntimed, room;
};

int
sinter_opencl_queue_new(struct sinter_device *d, int is_timed, void **out,
			struct sinter_error *error)
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
		return sinter_opencl_fail(error, code, "make a queue", "");
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

void
sinter_opencl_queue_free(struct sinter_device *d, void *queue)
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

int
sinter_opencl_read(void *queue, const struct sinter_memory *m, size_t offset, void *host,
		   size_t bytes, struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_int code = q->f->clEnqueueReadBuffer(q->queue, m->handle, CL_FALSE, offset, bytes, host,
						0, NULL, NULL);

	return sinter_opencl_check(error, code, "read from the device");
}

int
sinter_opencl_write(void *queue, const struct sinter_memory *m, size_t offset, const void *host,
		    size_t bytes, struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_int code = q->f->clEnqueueWriteBuffer(q->queue, m->handle, CL_FALSE, offset, bytes, host,
						 0, NULL, NULL);

	return sinter_opencl_check(error, code, "write to the device");
}

int
sinter_opencl_copy(void *queue, const struct sinter_memory *from, const struct sinter_memory *to,
		   size_t bytes, struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_int code = q->f->clEnqueueCopyBuffer(q->queue, from->handle, to->handle, 0, 0, bytes, 0,
						NULL, NULL);

	return sinter_opencl_check(error, code, "copy on the device");
}

/* The host has what is mapped. */
int
sinter_opencl_lend(void *queue, struct sinter_memory *m, int to_host, struct sinter_error *error)
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
		return sinter_opencl_fail(error, code, to_host ? "map" : "unmap", "shared memory");
	m->is_lent = to_host;
	return SINTER_OK;
}

int
sinter_opencl_finish(void *queue, struct sinter_error *error)
{
	const struct queue *q = queue;

	return sinter_opencl_check(error, q->f->clFinish(q->queue),
				   "finish the work on the device");
}

/* ---- launches ---- */

int
sinter_opencl_set_memory(void *queue, void *kernel, int32_t arg, const struct sinter_memory *m,
			 struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_mem mem = m->handle;
	cl_int code = q->f->clSetKernelArg(kernel, (cl_uint)arg, sizeof(mem), &mem);

	return sinter_opencl_check(error, code, "set an argument");
}

int
sinter_opencl_set_number(void *queue, void *kernel, int32_t arg, int64_t x,
			 struct sinter_error *error)
{
	const struct queue *q = queue;
	cl_long n = x;
	cl_int code = q->f->clSetKernelArg(kernel, (cl_uint)arg, sizeof(n), &n);

	return sinter_opencl_check(error, code, "set an argument");
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

int
sinter_opencl_launch(void *queue, void *kernel, const struct sinter_launch *l,
		     struct sinter_error *error)
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
	return sinter_opencl_check(error, code, "launch");
}

/* ---- times ---- */

static uint64_t
time_of(const struct queue *q, cl_event e, cl_profiling_info what)
{
	cl_ulong ns = 0;

	q->f->clGetEventProfilingInfo(e, what, sizeof(ns), &ns, NULL);
	return ns;
}

void
sinter_opencl_times(void *queue, sinter_timed_fn *each, void *arg)
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
