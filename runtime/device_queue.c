/* The queue that a model for a device sees. */
#include <stdlib.h>
#include "runtime/device_queue.h"
#include "runtime/status.h"

/* A kernel of a step, and the arguments that it has. */
struct sinter_slot {
	struct sinter_slot *next; /* of the step */
	int32_t kernel, nmems, nnums;
	int is_set; /* all arguments have been set */
	void *handle;
	int64_t args[]; /* versions of memories, then numbers */
};

int
sinter_device_queue_failed(struct sinter_device_queue *q, const struct sinter_error *e)
{
	if (q->error.status == SINTER_OK)
		q->error = *e;
	return e->status;
}

/* ---- what the model calls ---- */

static const struct sinter_memory *
memory_of(const struct sinter_device_queue *q, int32_t mem)
{
	return mem >= 0 && (uint32_t)mem < q->nplaces ? q->places[mem].memory : NULL;
}

/* Nothing that the model says reaches the driver unchecked. */
static int
check_launch(const struct sinter_device_queue *q, const struct sinter_launch *l,
	     struct sinter_error *error)
{
	const struct sinter_program *p = q->model->program;
	int64_t items = 1;
	int is_good = l->kernel >= 0 && (uint32_t)l->kernel < p->nkernels && l->step >= 0
		      && (uint32_t)l->step < q->model->nkernels && l->ndims >= 1 && l->ndims <= 3;

	for (int32_t i = 0; is_good && i < l->ndims; i++) {
		is_good = l->items[i] >= 1 && l->items[i] <= q->device->info.group_items
			  && l->groups[i] >= 0;
		items *= l->items[i];
	}
	if (!is_good)
		return sinter_fail(error, SINTER_BAD_CALL,
				   "step %d launches a kernel that is not there, or in a wrong way",
				   (int)l->step);
	if (items > q->device->info.group_items)
		return sinter_fail(error, SINTER_UNFIT,
				   "kernel '%s' needs groups of %lld work-items, '%s' has %d",
				   p->kernels[l->kernel], (long long)items, q->device->name,
				   (int)q->device->info.group_items);
	for (int32_t i = 0; i < l->nmems; i++)
		if (!memory_of(q, l->mems[i]))
			return sinter_fail(error, SINTER_BAD_CALL,
					   "kernel '%s' uses memory %d, which is not there",
					   p->kernels[l->kernel], (int)l->mems[i]);
	return SINTER_OK;
}

/* The slot of L, made if it is not there: a step mostly launches one kernel only. */
static int
find_slot(struct sinter_device_queue *q, const struct sinter_launch *l, struct sinter_slot **out,
	  struct sinter_error *error)
{
	size_t nargs = (size_t)l->nmems + (size_t)l->nnums;
	const struct sinter_program *p = q->model->program;

	for (struct sinter_slot *t = q->slots[l->step]; t; t = t->next)
		if (t->kernel == l->kernel && t->nmems == l->nmems && t->nnums == l->nnums) {
			*out = t;
			return SINTER_OK;
		}
	struct sinter_slot *t = malloc(sizeof(*t) + nargs * sizeof(t->args[0]));

	if (!t)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	*t = (struct sinter_slot){ q->slots[l->step], l->kernel, l->nmems, l->nnums, 0, NULL };
	int status = q->device->driver->kernel_new(q->device, q->program, p->kernels[l->kernel],
						   &t->handle, error);

	if (status == SINTER_OK)
		q->slots[l->step] = *out = t;
	else
		free(t);
	return status;
}

/* Sets those arguments that have changed since the last launch of T. */
static int
set_args(struct sinter_device_queue *q, struct sinter_slot *t, const struct sinter_launch *l,
	 struct sinter_error *error)
{
	int was_set = t->is_set, status = SINTER_OK;

	t->is_set = 0;
	for (int32_t i = 0; i < l->nmems && status == SINTER_OK; i++) {
		const struct sinter_place *p = &q->places[l->mems[i]];
		int64_t *have = &t->args[i], want = (int64_t)p->version;

		if (!was_set || *have != want)
			status = q->device->driver->set_memory(q->handle, t->handle, i, p->memory,
							       error);
		*have = want;
	}
	for (int32_t i = 0; i < l->nnums && status == SINTER_OK; i++) {
		int64_t *have = &t->args[l->nmems + i], want = l->nums[i];

		if (!was_set || *have != want)
			status = q->device->driver->set_number(q->handle, t->handle, l->nmems + i,
							       want, error);
		*have = want;
	}
	t->is_set = status == SINTER_OK;
	return status;
}

static int
enqueue(struct sinter_device_queue *q, const struct sinter_launch *l, struct sinter_error *error)
{
	struct sinter_slot *t = NULL;
	int status = check_launch(q, l, error);

	for (int32_t i = 0; status == SINTER_OK && i < l->ndims; i++)
		if (l->groups[i] == 0)
			return SINTER_OK;
	if (status == SINTER_OK)
		status = find_slot(q, l, &t, error);
	if (status == SINTER_OK)
		status = set_args(q, t, l, error);
	if (status == SINTER_OK)
		status = q->device->driver->launch(q->handle, t->handle, l, error);
	return status;
}

static int
on_launch(void *ctx, const struct sinter_launch *l)
{
	struct sinter_device_queue *q = ctx;
	struct sinter_error e = { 0 };

	if (q->kernel)
		q->kernel(q->ctx, l->step, 0);
	int status = enqueue(q, l, &e);

	if (status == SINTER_OK && q->kernel) {
		status = q->device->driver->finish(q->handle, &e);
		if (status == SINTER_OK)
			q->kernel(q->ctx, l->step, 1);
	}
	return status == SINTER_OK ? SINTER_OK : sinter_device_queue_failed(q, &e);
}

/* Is [offset, offset + bytes) inside memory MEM? */
static int
check_range(const struct sinter_device_queue *q, int32_t mem, size_t offset, size_t bytes,
	    struct sinter_error *error)
{
	const struct sinter_memory *m = memory_of(q, mem);

	if (m && offset <= m->bytes && bytes <= m->bytes - offset)
		return SINTER_OK;
	return sinter_fail(error, SINTER_BAD_CALL,
			   "the model copies %zu bytes at %zu of memory %d, which hasn't them",
			   bytes, offset, (int)mem);
}

static int
on_read(void *ctx, int32_t mem, size_t offset, void *host, size_t bytes)
{
	struct sinter_device_queue *q = ctx;
	struct sinter_error e = { 0 };
	int status = check_range(q, mem, offset, bytes, &e);

	if (status == SINTER_OK && bytes > 0)
		status = q->device->driver->read(q->handle, memory_of(q, mem), offset, host, bytes,
						 &e);
	if (status == SINTER_OK)
		status = q->device->driver->finish(q->handle, &e);
	return status == SINTER_OK ? SINTER_OK : sinter_device_queue_failed(q, &e);
}

static int
on_write(void *ctx, int32_t mem, size_t offset, const void *host, size_t bytes)
{
	struct sinter_device_queue *q = ctx;
	struct sinter_error e = { 0 };
	int status = check_range(q, mem, offset, bytes, &e);

	if (status == SINTER_OK && bytes > 0)
		status = q->device->driver->write(q->handle, memory_of(q, mem), offset, host, bytes,
						  &e);
	if (status == SINTER_OK)
		status = q->device->driver->finish(q->handle, &e);
	return status == SINTER_OK ? SINTER_OK : sinter_device_queue_failed(q, &e);
}

/* ---- making and ending ---- */

int
sinter_device_queue_open(struct sinter_device_queue *q, int is_timed, struct sinter_error *error)
{
	q->api = (struct sinter_queue){ q, on_launch, on_read, on_write };
	q->slots = calloc((size_t)q->model->nkernels + 1, sizeof(*q->slots));
	if (!q->slots)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	return q->device->driver->queue_new(q->device, is_timed, &q->handle, error);
}

void
sinter_device_queue_clear(struct sinter_device_queue *q)
{
	for (uint32_t i = 0; q->slots && i < q->model->nkernels; i++) {
		for (struct sinter_slot *t = q->slots[i], *next; t; t = next) {
			next = t->next;
			q->device->driver->kernel_free(q->device, t->handle);
			free(t);
		}
		q->slots[i] = NULL;
	}
}

void
sinter_device_queue_release(struct sinter_device_queue *q)
{
	sinter_device_queue_clear(q);
	if (q->handle)
		q->device->driver->queue_free(q->device, q->handle);
	free(q->slots);
}
