/* Sessions on a device. */
#include <stdlib.h>
#include "runtime/device_queue.h"
#include "runtime/device_session.h"
#include "runtime/model.h"
#include "runtime/profile.h"
#include "runtime/resident.h"
#include "runtime/status.h"

struct sinter_device_session {
	struct sinter_loaded *loaded;
	struct sinter_device *device;
	const struct sinter_driver *driver;
	struct sinter_device_session_opts opts;
	struct sinter_resident *resident;
	struct sinter_place *places; /* arena, weights, inputs, outputs */
	uint32_t nplaces, ninputs, noutputs;
	uint64_t versions; /* given out */
	struct sinter_device_queue queue;
};

/* ---- making and ending ---- */

static int
prepare(struct sinter_device_session *s, struct sinter_error *error)
{
	const struct sinter_model *m = s->loaded->model;

	s->ninputs = m->ninputs;
	s->noutputs = m->noutputs;
	s->nplaces = SINTER_MEM_IO + m->ninputs + m->noutputs;
	s->places = calloc(s->nplaces, sizeof(*s->places));
	if (!s->places)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	int status = sinter_resident_get(s->loaded, s->device, &s->resident, error);

	if (status != SINTER_OK)
		return status;
	s->places[SINTER_MEM_WEIGHTS].memory = s->resident->weights;
	s->places[SINTER_MEM_WEIGHTS].version = ++s->versions;
	s->queue = (struct sinter_device_queue){ .device = s->device,
						 .model = m,
						 .program = s->resident->program,
						 .places = s->places,
						 .nplaces = s->nplaces,
						 .kernel = s->opts.kernel,
						 .ctx = s->opts.ctx };
	return sinter_device_queue_open(&s->queue, s->opts.profile != NULL, error);
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
	int status = prepare(s, error);

	if (status == SINTER_OK)
		*out = s;
	else
		sinter_device_session_free(s);
	return status;
}

/* Puts M, or nothing, in the place of what is there. */
static void
replace(struct sinter_device_session *s, struct sinter_place *p, struct sinter_memory *m,
	int is_shared)
{
	/* A driver keeps what is mapped. */
	if (p->memory && p->memory->is_lent
	    && s->driver->lend(s->queue.handle, p->memory, 0, NULL) == SINTER_OK)
		s->driver->finish(s->queue.handle, NULL);
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
	sinter_device_queue_clear(&s->queue);
	for (uint32_t i = 0; s->places && i < s->nplaces; i++)
		if (i != SINTER_MEM_WEIGHTS)
			replace(s, &s->places[i], NULL, 0);
	sinter_device_queue_release(&s->queue);
	sinter_resident_release(s->loaded, s->resident);
	free(s->places);
	free(s);
}

const struct sinter_queue *
sinter_device_session_queue(struct sinter_device_session *s)
{
	return &s->queue.api;
}

/* ---- memories of a run ---- */

/* Memory of the device with room for BYTES. */
static int
make_room(struct sinter_device_session *s, struct sinter_place *p, size_t bytes,
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
can_share(const struct sinter_device_session *s, const struct sinter_place *place, const void *data,
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
place(struct sinter_device_session *s, struct sinter_place *p, void *data, size_t bytes,
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
give_input(struct sinter_device_session *s, struct sinter_place *p, const struct sinter_tensor *t,
	   struct sinter_error *error)
{
	if (s->opts.is_resident && p->is_given)
		return SINTER_OK;
	int status = place(s, p, t->data, t->bytes, error);

	p->is_given = status == SINTER_OK;
	if (status != SINTER_OK)
		return status;
	if (p->is_shared)
		return s->driver->lend(s->queue.handle, p->memory, 0, error);
	if (!t->data || t->bytes == 0)
		return SINTER_OK;
	return s->driver->write(s->queue.handle, p->memory, 0, t->data, t->bytes, error);
}

static int
give_output(struct sinter_device_session *s, struct sinter_place *p, const struct sinter_tensor *t,
	    struct sinter_error *error)
{
	int status = place(s, p, t->data, p->bytes, error);

	if (status != SINTER_OK || !p->is_shared)
		return status;
	return s->driver->lend(s->queue.handle, p->memory, 0, error);
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
	struct sinter_place *io = s->places + SINTER_MEM_IO;
	int status = SINTER_OK;

	s->queue.error.status = SINTER_OK;
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
	const struct sinter_place *p = &s->places[SINTER_MEM_IO + s->ninputs + i];

	if (p->is_shared || t->bytes == 0)
		return SINTER_OK;
	return s->driver->read(s->queue.handle, p->memory, 0, t->data, t->bytes, error);
}

/* All shared memories to the host, or to kernels. */
static int
lend_all(struct sinter_device_session *s, int to_host, struct sinter_error *error)
{
	int status = SINTER_OK;

	for (uint32_t i = SINTER_MEM_IO; i < s->nplaces; i++)
		if (s->places[i].is_shared && status == SINTER_OK)
			status = s->driver->lend(s->queue.handle, s->places[i].memory, to_host,
						 error);
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
		status = s->driver->finish(s->queue.handle, error);
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
	if (has_outputs(status) && s->queue.error.status != SINTER_OK)
		status = s->queue.error.status;
	if (status != SINTER_OK && s->queue.error.status == status && error)
		*error = s->queue.error;
	int finished = SINTER_OK;

	if (has_outputs(status) && !s->opts.is_resident)
		finished = take_all(s, out, &e);
	if (finished == SINTER_OK && !s->opts.is_resident)
		finished = lend_all(s, 1, &e);
	if (finished == SINTER_OK)
		finished = s->driver->finish(s->queue.handle, &e);
	else
		s->driver->finish(s->queue.handle, NULL);
	if (s->opts.profile)
		s->driver->times(s->queue.handle, on_time, s->opts.profile);
	if (!has_outputs(status) || finished == SINTER_OK)
		return status;
	return sinter_fail(error, finished, "%s", e.text);
}

int
sinter_device_session_fetch(struct sinter_device_session *s, const struct sinter_tensor *out,
			    void *host, size_t bytes)
{
	struct sinter_error e = { 0 };
	const struct sinter_memory *arena = s->places[SINTER_MEM_ARENA].memory;
	int status = SINTER_OK;

	if (arena && bytes > 0)
		status = s->driver->read(s->queue.handle, arena, 0, host,
					 bytes < arena->bytes ? bytes : arena->bytes, &e);
	if (status == SINTER_OK)
		status = show_outputs(s, out, &e);
	return status == SINTER_OK ? SINTER_OK : sinter_device_queue_failed(&s->queue, &e);
}
