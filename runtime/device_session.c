/* Sessions on a device. */
#include <stdlib.h>
#include <string.h>
#include "runtime/device_session.h"
#include "runtime/model.h"
#include "runtime/profile.h"
#include "runtime/resident.h"
#include "runtime/status.h"

/* One of the numbered memories of a run (enum sinter_mem). */
struct place {
	struct sinter_memory *memory; /* NULL: none yet */
	uint64_t version;	      /* another one for another memory */
	int is_shared;		      /* lies over the caller's or the session's host memory */
	int is_given;		      /* of inputs: the device has what the caller set */
	size_t bytes;		      /* of outputs: most that a run writes */
};

/* A kernel of a step, and the arguments that it has. */
struct slot {
	struct slot *next; /* of the step */
	int32_t kernel, nmems, nnums;
	int is_set; /* all arguments have been set */
	void *handle;
	int64_t args[]; /* versions of memories, then numbers */
};

struct sinter_device_session {
	struct sinter_loaded *loaded;
	struct sinter_device *device;
	const struct sinter_driver *driver;
	struct sinter_device_session_opts opts;
	struct sinter_resident *resident;
	void *queue;
	struct place *places; /* arena, weights, inputs, outputs */
	uint32_t nplaces, ninputs, noutputs;
	uint64_t versions;   /* given out */
	struct slot **slots; /* by step */
	uint32_t nsteps;
	struct sinter_queue api;
	struct sinter_error error; /* of the first call of api that failed in this run */
};

/* ---- the queue that the model sees ---- */

static int
queue_failed(struct sinter_device_session *s, const struct sinter_error *e)
{
	if (s->error.status == SINTER_OK)
		s->error = *e;
	return e->status;
}

static const struct sinter_memory *
memory_of(const struct sinter_device_session *s, int32_t mem)
{
	return mem >= 0 && (uint32_t)mem < s->nplaces ? s->places[mem].memory : NULL;
}

/* Nothing that the model says reaches the driver unchecked. */
static int
check_launch(const struct sinter_device_session *s, const struct sinter_launch *l,
	     struct sinter_error *error)
{
	const struct sinter_program *p = s->loaded->model->program;
	int64_t items = 1;
	int is_good = l->kernel >= 0 && (uint32_t)l->kernel < p->nkernels && l->step >= 0
		      && (uint32_t)l->step < s->nsteps && l->ndims >= 1 && l->ndims <= 3;

	for (int32_t i = 0; is_good && i < l->ndims; i++) {
		is_good = l->items[i] >= 1 && l->items[i] <= s->device->info.group_items
			  && l->groups[i] >= 0;
		items *= l->items[i];
	}
	if (!is_good)
		return sinter_fail(error, SINTER_BAD_CALL,
				   "step %d launches a kernel that is not there, or in a wrong way",
				   (int)l->step);
	if (items > s->device->info.group_items)
		return sinter_fail(error, SINTER_UNFIT,
				   "kernel '%s' needs groups of %lld work-items, '%s' has %d",
				   p->kernels[l->kernel], (long long)items, s->device->name,
				   (int)s->device->info.group_items);
	for (int32_t i = 0; i < l->nmems; i++)
		if (!memory_of(s, l->mems[i]))
			return sinter_fail(error, SINTER_BAD_CALL,
					   "kernel '%s' uses memory %d, which is not there",
					   p->kernels[l->kernel], (int)l->mems[i]);
	return SINTER_OK;
}

/* The slot of L, made if it is not there: a step mostly launches one kernel only. */
static int
find_slot(struct sinter_device_session *s, const struct sinter_launch *l, struct slot **out,
	  struct sinter_error *error)
{
	size_t nargs = (size_t)l->nmems + (size_t)l->nnums;
	const struct sinter_program *p = s->loaded->model->program;

	for (struct slot *t = s->slots[l->step]; t; t = t->next)
		if (t->kernel == l->kernel && t->nmems == l->nmems && t->nnums == l->nnums) {
			*out = t;
			return SINTER_OK;
		}
	struct slot *t = malloc(sizeof(*t) + nargs * sizeof(t->args[0]));

	if (!t)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	*t = (struct slot){ s->slots[l->step], l->kernel, l->nmems, l->nnums, 0, NULL };
	int status = s->driver->kernel_new(s->device, s->resident->program, p->kernels[l->kernel],
					   &t->handle, error);

	if (status == SINTER_OK)
		s->slots[l->step] = *out = t;
	else
		free(t);
	return status;
}

/* Sets those arguments that have changed since the last launch of T. */
static int
set_args(struct sinter_device_session *s, struct slot *t, const struct sinter_launch *l,
	 struct sinter_error *error)
{
	int was_set = t->is_set, status = SINTER_OK;

	t->is_set = 0;
	for (int32_t i = 0; i < l->nmems && status == SINTER_OK; i++) {
		const struct place *p = &s->places[l->mems[i]];
		int64_t *have = &t->args[i], want = (int64_t)p->version;

		if (!was_set || *have != want)
			status = s->driver->set_memory(s->queue, t->handle, i, p->memory, error);
		*have = want;
	}
	for (int32_t i = 0; i < l->nnums && status == SINTER_OK; i++) {
		int64_t *have = &t->args[l->nmems + i], want = l->nums[i];

		if (!was_set || *have != want)
			status = s->driver->set_number(s->queue, t->handle, l->nmems + i, want,
						       error);
		*have = want;
	}
	t->is_set = status == SINTER_OK;
	return status;
}

static int
enqueue(struct sinter_device_session *s, const struct sinter_launch *l, struct sinter_error *error)
{
	struct slot *t = NULL;
	int status = check_launch(s, l, error);

	for (int32_t i = 0; status == SINTER_OK && i < l->ndims; i++)
		if (l->groups[i] == 0)
			return SINTER_OK;
	if (status == SINTER_OK)
		status = find_slot(s, l, &t, error);
	if (status == SINTER_OK)
		status = set_args(s, t, l, error);
	if (status == SINTER_OK)
		status = s->driver->launch(s->queue, t->handle, l, error);
	return status;
}

static int
on_launch(void *ctx, const struct sinter_launch *l)
{
	struct sinter_device_session *s = ctx;
	struct sinter_error e = { 0 };

	if (s->opts.kernel)
		s->opts.kernel(s->opts.ctx, l->step, 0);
	int status = enqueue(s, l, &e);

	if (status == SINTER_OK && s->opts.kernel) {
		status = s->driver->finish(s->queue, &e);
		if (status == SINTER_OK)
			s->opts.kernel(s->opts.ctx, l->step, 1);
	}
	return status == SINTER_OK ? SINTER_OK : queue_failed(s, &e);
}

/* Is [offset, offset + bytes) inside memory MEM? */
static int
check_range(const struct sinter_device_session *s, int32_t mem, size_t offset, size_t bytes,
	    struct sinter_error *error)
{
	const struct sinter_memory *m = memory_of(s, mem);

	if (m && offset <= m->bytes && bytes <= m->bytes - offset)
		return SINTER_OK;
	return sinter_fail(error, SINTER_BAD_CALL,
			   "the model copies %zu bytes at %zu of memory %d, which hasn't them",
			   bytes, offset, (int)mem);
}

static int
on_read(void *ctx, int32_t mem, size_t offset, void *host, size_t bytes)
{
	struct sinter_device_session *s = ctx;
	struct sinter_error e = { 0 };
	int status = check_range(s, mem, offset, bytes, &e);

	if (status == SINTER_OK && bytes > 0)
		status = s->driver->read(s->queue, memory_of(s, mem), offset, host, bytes, &e);
	if (status == SINTER_OK)
		status = s->driver->finish(s->queue, &e);
	return status == SINTER_OK ? SINTER_OK : queue_failed(s, &e);
}

static int
on_write(void *ctx, int32_t mem, size_t offset, const void *host, size_t bytes)
{
	struct sinter_device_session *s = ctx;
	struct sinter_error e = { 0 };
	int status = check_range(s, mem, offset, bytes, &e);

	if (status == SINTER_OK && bytes > 0)
		status = s->driver->write(s->queue, memory_of(s, mem), offset, host, bytes, &e);
	if (status == SINTER_OK)
		status = s->driver->finish(s->queue, &e);
	return status == SINTER_OK ? SINTER_OK : queue_failed(s, &e);
}

/* ---- making and ending ---- */

static int
prepare(struct sinter_device_session *s, struct sinter_error *error)
{
	const struct sinter_model *m = s->loaded->model;

	s->ninputs = m->ninputs;
	s->noutputs = m->noutputs;
	s->nplaces = SINTER_MEM_IO + m->ninputs + m->noutputs;
	s->nsteps = m->nkernels;
	s->places = calloc(s->nplaces, sizeof(*s->places));
	s->slots = calloc((size_t)m->nkernels + 1, sizeof(*s->slots));
	if (!s->places || !s->slots)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	int status = sinter_resident_get(s->loaded, s->device, &s->resident, error);

	if (status != SINTER_OK)
		return status;
	s->places[SINTER_MEM_WEIGHTS].memory = s->resident->weights;
	s->places[SINTER_MEM_WEIGHTS].version = ++s->versions;
	return s->driver->queue_new(s->device, s->opts.profile != NULL, &s->queue, error);
}

int
sinter_device_session_new(struct sinter_loaded *loaded, struct sinter_device *d,
			  const struct sinter_device_session_opts *opts,
			  struct sinter_device_session **out, struct sinter_error *error)
{
	struct sinter_device_session *s = calloc(1, sizeof(*s));

	if (!s)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	s->loaded = loaded;
	s->device = d;
	s->driver = d->driver;
	s->opts = *opts;
	s->api = (struct sinter_queue){ s, on_launch, on_read, on_write };
	int status = prepare(s, error);

	if (status == SINTER_OK)
		*out = s;
	else
		sinter_device_session_free(s);
	return status;
}

/* Puts M, or nothing, in the place of what is there. */
static void
replace(struct sinter_device_session *s, struct place *p, struct sinter_memory *m, int is_shared)
{
	/* A driver keeps what is mapped. */
	if (p->memory && p->memory->is_lent
	    && s->driver->lend(s->queue, p->memory, 0, NULL) == SINTER_OK)
		s->driver->finish(s->queue, NULL);
	sinter_memory_free(p->memory);
	p->memory = m;
	p->version = ++s->versions;
	p->is_shared = is_shared;
}

/* Kernels, memories, queue: in that order, none is used any more. */
void
sinter_device_session_free(struct sinter_device_session *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->slots && i < s->nsteps; i++)
		for (struct slot *t = s->slots[i], *next; t; t = next) {
			next = t->next;
			s->driver->kernel_free(s->device, t->handle);
			free(t);
		}
	for (uint32_t i = 0; s->places && i < s->nplaces; i++)
		if (i != SINTER_MEM_WEIGHTS)
			replace(s, &s->places[i], NULL, 0);
	if (s->queue)
		s->driver->queue_free(s->device, s->queue);
	sinter_resident_release(s->loaded, s->resident);
	free(s->slots);
	free(s->places);
	free(s);
}

const struct sinter_queue *
sinter_device_session_queue(struct sinter_device_session *s)
{
	return &s->api;
}

/* ---- memories of a run ---- */

/* Memory of the device with room for BYTES. */
static int
make_room(struct sinter_device_session *s, struct place *p, size_t bytes,
	  struct sinter_error *error)
{
	enum { LEAST = 64 };
	struct sinter_memory *m;

	if (p->memory && !p->is_shared && p->memory->bytes >= bytes)
		return SINTER_OK;
	replace(s, p, NULL, 0);
	int status = sinter_memory_new(s->device, SINTER_MEMORY_DEVICE,
				       bytes < LEAST ? LEAST : bytes, &m, error);

	if (status == SINTER_OK)
		replace(s, p, m, 0);
	return status;
}

int
sinter_device_session_bind(struct sinter_device_session *s, const struct sinter_tensor *out,
			   size_t bytes, struct sinter_error *error)
{
	for (uint32_t i = 0; i < s->noutputs; i++)
		s->places[SINTER_MEM_IO + s->ninputs + i].bytes = out[i].bytes;
	return make_room(s, &s->places[SINTER_MEM_ARENA], bytes, error);
}

/* May kernels use BYTES at DATA where they lie? Not if another place lies over a part of them: what
 * is written through one need not be seen through the other. */
static int
can_share(const struct sinter_device_session *s, const struct place *place, const void *data,
	  size_t bytes)
{
	uintptr_t begin = (uintptr_t)data, end = begin + bytes;

	if (!s->device->info.shares_memory || !data || begin % 64 != 0 || bytes == 0)
		return 0;
	for (uint32_t i = SINTER_MEM_IO; &s->places[i] < place; i++) {
		const struct sinter_memory *m = s->places[i].memory;
		uintptr_t p = s->places[i].is_shared ? (uintptr_t)m->data : 0;

		if (p && begin < p + m->bytes && p < end)
			return 0;
	}
	return 1;
}

/* Gives P memory for BYTES at DATA. */
static int
place(struct sinter_device_session *s, struct place *p, void *data, size_t bytes,
      struct sinter_error *error)
{
	struct sinter_memory *m;
	int is_input = p < &s->places[SINTER_MEM_IO + s->ninputs];

	if (!can_share(s, p, data, bytes))
		return make_room(s, p, bytes, error);
	if (p->is_shared && p->memory->data == data && p->memory->bytes == bytes)
		return SINTER_OK;
	replace(s, p, NULL, 0);
	int status = sinter_memory_wrap(s->device, data, bytes, is_input, &m, error);

	if (status == SINTER_OK)
		replace(s, p, m, 1);
	return status;
}

/* Inputs are written to the device, unless they are shared, or there already. */
static int
give_input(struct sinter_device_session *s, struct place *p, const struct sinter_tensor *t,
	   struct sinter_error *error)
{
	if (s->opts.is_resident && p->is_given)
		return SINTER_OK;
	int status = place(s, p, t->data, t->bytes, error);

	p->is_given = status == SINTER_OK;
	if (status != SINTER_OK)
		return status;
	if (p->is_shared)
		return s->driver->lend(s->queue, p->memory, 0, error);
	if (!t->data || t->bytes == 0)
		return SINTER_OK;
	return s->driver->write(s->queue, p->memory, 0, t->data, t->bytes, error);
}

static int
give_output(struct sinter_device_session *s, struct place *p, const struct sinter_tensor *t,
	    struct sinter_error *error)
{
	int status = place(s, p, t->data, p->bytes, error);

	if (status != SINTER_OK || !p->is_shared)
		return status;
	return s->driver->lend(s->queue, p->memory, 0, error);
}

void
sinter_device_session_renew(struct sinter_device_session *s, uint32_t i)
{
	s->places[SINTER_MEM_IO + i].is_given = 0;
}

int
sinter_device_session_begin(struct sinter_device_session *s, const struct sinter_tensor *in,
			    const struct sinter_tensor *out, struct sinter_error *error)
{
	struct place *io = s->places + SINTER_MEM_IO;
	int status = SINTER_OK;

	s->error.status = SINTER_OK;
	for (uint32_t i = 0; i < s->ninputs && status == SINTER_OK; i++)
		status = give_input(s, io + i, &in[i], error);
	for (uint32_t i = 0; i < s->noutputs && status == SINTER_OK; i++)
		status = give_output(s, io + s->ninputs + i, &out[i], error);
	return status;
}

/* Fetches output I, or gives it back to the host. */
static int
take_back(struct sinter_device_session *s, uint32_t i, const struct sinter_tensor *t,
	  struct sinter_error *error)
{
	const struct place *p = &s->places[SINTER_MEM_IO + s->ninputs + i];

	if (p->is_shared || t->bytes == 0)
		return SINTER_OK;
	return s->driver->read(s->queue, p->memory, 0, t->data, t->bytes, error);
}

/* All shared memories to the host, or to kernels. */
static int
lend_all(struct sinter_device_session *s, int to_host, struct sinter_error *error)
{
	int status = SINTER_OK;

	for (uint32_t i = SINTER_MEM_IO; i < s->nplaces; i++)
		if (s->places[i].is_shared && status == SINTER_OK)
			status = s->driver->lend(s->queue, s->places[i].memory, to_host, error);
	return status;
}

static int
take_all(struct sinter_device_session *s, const struct sinter_tensor *out,
	 struct sinter_error *error)
{
	int status = SINTER_OK;

	for (uint32_t i = 0; i < s->noutputs && status == SINTER_OK; i++)
		status = take_back(s, i, &out[i], error);
	return status;
}

/* Outputs to the host, for a look. */
static int
show_outputs(struct sinter_device_session *s, const struct sinter_tensor *out,
	     struct sinter_error *error)
{
	int status = take_all(s, out, error);

	if (status == SINTER_OK)
		status = lend_all(s, 1, error);
	if (status == SINTER_OK)
		status = s->driver->finish(s->queue, error);
	return status == SINTER_OK ? lend_all(s, 0, error) : status;
}

int
sinter_device_session_outputs(struct sinter_device_session *s, const struct sinter_tensor *out,
			      struct sinter_error *error)
{
	return s->opts.is_resident ? show_outputs(s, out, error) : SINTER_OK;
}

static int
has_outputs(int status)
{
	return status == SINTER_OK || status == SINTER_BAD_INDEX;
}

static void
on_time(void *arg, int32_t step, int64_t start_ns, int64_t ns)
{
	sinter_profile_add(arg, step, start_ns, ns);
}

int
sinter_device_session_end(struct sinter_device_session *s, const struct sinter_tensor *out,
			  int status, struct sinter_error *error)
{
	struct sinter_error e = { 0 };

	/* What nobody has told the model: a step could not be shown to who watches. */
	if (has_outputs(status) && s->error.status != SINTER_OK)
		status = s->error.status;
	if (status != SINTER_OK && s->error.status == status && error)
		*error = s->error;
	int finished = SINTER_OK;

	if (has_outputs(status) && !s->opts.is_resident)
		finished = take_all(s, out, &e);
	if (finished == SINTER_OK && !s->opts.is_resident)
		finished = lend_all(s, 1, &e);
	if (finished == SINTER_OK)
		finished = s->driver->finish(s->queue, &e);
	else
		s->driver->finish(s->queue, NULL);
	if (s->opts.profile)
		s->driver->times(s->queue, on_time, s->opts.profile);
	if (!has_outputs(status) || finished == SINTER_OK)
		return status;
	return sinter_fail(error, finished, "%s", e.text);
}

int
sinter_device_session_fetch(struct sinter_device_session *s, const struct sinter_tensor *out,
			    void *host, size_t bytes)
{
	struct sinter_error e = { 0 };
	const struct sinter_memory *arena = memory_of(s, SINTER_MEM_ARENA);
	int status = SINTER_OK;

	if (arena && bytes > 0)
		status = s->driver->read(s->queue, arena, 0, host,
					 bytes < arena->bytes ? bytes : arena->bytes, &e);
	if (status == SINTER_OK)
		status = show_outputs(s, out, &e);
	return status == SINTER_OK ? SINTER_OK : queue_failed(s, &e);
}
