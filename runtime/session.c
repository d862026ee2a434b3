/* Sessions: memory and threads for one run at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/device_session.h"
#include "runtime/model.h"
#include "runtime/profile.h"
#include "runtime/status.h"

struct output {
	void *memory; /* the session's; NULL: none yet */
	size_t room;  /* bytes of it */
	int is_callers;
};

struct sinter_session {
	struct sinter_loaded *loaded;
	const struct sinter_model *model;
	struct sinter_pool *pool;
	struct sinter_profile *profile;
	struct sinter_device_session *device;		     /* NULL: runs on the CPU */
	int is_resident;				     /* tensors stay on the device */
	void (*kernel)(void *ctx, int32_t k, int32_t phase); /* the caller's */
	void *kernel_ctx;
	void *context;
	struct sinter_tensor *in, *out;
	struct output *outputs;
	int64_t *dims;	     /* of all inputs, then of all outputs */
	void *arena, *shown; /* shown: the device's, as it is after a kernel, for those who watch */
	size_t arena_bytes, arena_room, shown_room;
	struct sinter_hooks hooks;
	int is_ready, is_bound; /* context prepared; memory for the present dimensions */
};

static void
on_parallel(void *ctx, void (*body)(void *arg, int64_t i, int32_t worker), void *arg, int64_t n)
{
	const struct sinter_session *s = ctx;

	sinter_pool_run(s->pool, body, arg, n);
}

static void
on_kernel(void *ctx, int32_t k, int32_t phase)
{
	const struct sinter_session *s = ctx;

	if (s->kernel && phase == 0)
		s->kernel(s->kernel_ctx, k, phase);
	if (s->profile)
		sinter_profile_mark(s->profile, k, phase);
	if (s->kernel && phase != 0)
		s->kernel(s->kernel_ctx, k, phase);
}

/* A kernel of a device: those who watch see what it has left, as on the CPU. */
static void
on_device_kernel(void *ctx, int32_t k, int32_t phase)
{
	const struct sinter_session *s = ctx;

	if (phase == 0
	    || sinter_device_session_fetch(s->device, s->out, s->shown, s->shown_room) == SINTER_OK)
		s->kernel(s->kernel_ctx, k, phase);
}

/* A step that the host does of a model for a device. */
static void
on_host_step(void *ctx, int32_t k, int32_t phase)
{
	const struct sinter_session *s = ctx;

	if (s->profile)
		sinter_profile_mark(s->profile, k, phase);
	if (s->kernel)
		on_device_kernel(ctx, k, phase);
}

static size_t
ranks_of(const struct sinter_value *v, uint32_t n)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (size_t)v[i].rank;
	return sum;
}

/* Dimensions that the model fixes are known from the beginning; the others are -1. */
static int64_t *
place_dims(struct sinter_tensor *t, const struct sinter_value *v, uint32_t n, int64_t *dims)
{
	for (uint32_t i = 0; i < n; i++) {
		t[i].rank = v[i].rank;
		t[i].dims = dims;
		for (int32_t d = 0; d < v[i].rank; d++)
			*dims++ = v[i].dims[d];
	}
	return dims;
}

static int
allocate(struct sinter_session *s)
{
	const struct sinter_model *m = s->model;
	size_t nin = m->ninputs, nout = m->noutputs;

	s->context = sinter_aligned(m->context_bytes);
	s->in = calloc(nin + 1, sizeof(*s->in));
	s->out = calloc(nout + 1, sizeof(*s->out));
	s->outputs = calloc(nout + 1, sizeof(*s->outputs));
	s->dims = calloc(ranks_of(m->inputs, m->ninputs) + ranks_of(m->outputs, m->noutputs) + 1,
			 sizeof(*s->dims));
	if (!s->context || !s->in || !s->out || !s->outputs || !s->dims)
		return 0;
	int64_t *dims = place_dims(s->in, m->inputs, m->ninputs, s->dims);

	place_dims(s->out, m->outputs, m->noutputs, dims);
	return 1;
}

static void
set_hooks(struct sinter_session *s)
{
	s->hooks.ctx = s;
	s->hooks.nthreads = 1;
	if (s->pool) {
		s->hooks.nthreads = sinter_pool_threads(s->pool);
		s->hooks.parallel = on_parallel;
	}
	if (s->profile || s->kernel)
		s->hooks.kernel = s->model->program ? on_host_step : on_kernel;
}

/* The device's half, of models with a program. */
static int
open_device(struct sinter_session *s, struct sinter_device *d, struct sinter_error *error)
{
	int has_programs = d && d->driver->runs_programs;
	struct sinter_device_session_opts opts = { .profile = s->profile,
						   .kernel = s->kernel ? on_device_kernel : NULL,
						   .ctx = s,
						   .is_resident = s->is_resident };

	if (!s->model->program && !has_programs)
		return SINTER_OK;
	if (!s->model->program)
		return sinter_fail(error, SINTER_UNFIT,
				   "'%s' is compiled for the CPU, not for '%s'", s->model->name,
				   d->name);
	if (!has_programs)
		return sinter_fail(error, SINTER_NO_DEVICE,
				   "'%s' is compiled for a device: open one, such as opencl:0",
				   s->model->name);
	int status = sinter_device_session_new(s->loaded, d, &opts, &s->device, error);

	if (status == SINTER_OK)
		s->hooks.queue = sinter_device_session_queue(s->device);
	return status;
}

static int
prepare(struct sinter_session *s, struct sinter_device *d, struct sinter_error *error)
{
	const struct sinter_model *m = s->model;

	if (!allocate(s))
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	int status = m->init(s->context, s->loaded->weights, s->loaded->weights_size);

	if (status != SINTER_OK)
		return sinter_fail(error, status, "'%s': %s", m->name, m->text(status));
	s->is_ready = 1;
	set_hooks(s);
	return open_device(s, d, error);
}

int
sinter_session_new(struct sinter_loaded *loaded, const struct sinter_session_opts *opts,
		   struct sinter_session **out, struct sinter_error *error)
{
	if (!loaded || !out)
		return sinter_fail(error, SINTER_BAD_CALL,
				   "no model, or nowhere to put the session");
	struct sinter_session *s = calloc(1, sizeof(*s));

	if (!s)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	s->loaded = loaded;
	s->model = loaded->model;
	s->pool = opts ? opts->pool : NULL;
	s->profile = opts ? opts->profile : NULL;
	s->kernel = opts ? opts->kernel : NULL;
	s->kernel_ctx = opts ? opts->ctx : NULL;
	s->is_resident = opts ? opts->is_resident : 0;
	int status = prepare(s, opts ? opts->device : NULL, error);

	if (status == SINTER_OK)
		*out = s;
	else
		sinter_session_free(s);
	return status;
}

void
sinter_session_free(struct sinter_session *session)
{
	if (!session)
		return;
	sinter_device_session_free(session->device);
	if (session->is_ready)
		session->model->free(session->context);
	for (uint32_t i = 0; session->outputs && i < session->model->noutputs; i++)
		free(session->outputs[i].memory);
	free(session->outputs);
	free(session->in);
	free(session->out);
	free(session->dims);
	free(session->context);
	free(session->arena);
	free(session->shown);
	free(session);
}

/* Are DIMS as V allows? The model itself checks dimensions against each other. */
static int
check_dims(const struct sinter_value *v, const int64_t *dims, struct sinter_error *error)
{
	for (int32_t d = 0; d < v->rank; d++) {
		int64_t want = v->dims[d], have = dims ? dims[d] : want;

		if (have < 0)
			return sinter_fail(error, SINTER_BAD_DIMS,
					   "input '%s': dimension %d ('%s') is not given", v->name,
					   (int)d, v->dim_names[d]);
		if (want >= 0 && have != want)
			return sinter_fail(error, SINTER_BAD_DIMS,
					   "input '%s': dimension %d is %lld, the model fixes %lld",
					   v->name, (int)d, (long long)have, (long long)want);
	}
	return SINTER_OK;
}

int
sinter_session_set_input(struct sinter_session *session, uint32_t i, const void *data, size_t bytes,
			 const int64_t *dims, struct sinter_error *error)
{
	if (i >= session->model->ninputs)
		return sinter_fail(error, SINTER_NO_NAME, "'%s' has no input %u",
				   session->model->name, (unsigned)i);
	const struct sinter_value *v = &session->model->inputs[i];
	struct sinter_tensor *t = &session->in[i];
	int status = check_dims(v, dims, error);

	if (status != SINTER_OK)
		return status;
	t->data = (void *)data;
	t->capacity = t->bytes = bytes;
	if (session->device)
		sinter_device_session_renew(session->device, i);
	for (int32_t d = 0; d < v->rank; d++) {
		int64_t n = dims ? dims[d] : v->dims[d];

		if (t->dims[d] != n)
			session->is_bound = 0;
		t->dims[d] = n;
	}
	return SINTER_OK;
}

int
sinter_session_set_output(struct sinter_session *session, uint32_t i, void *data, size_t capacity,
			  struct sinter_error *error)
{
	if (i >= session->model->noutputs)
		return sinter_fail(error, SINTER_NO_NAME, "'%s' has no output %u",
				   session->model->name, (unsigned)i);
	struct output *o = &session->outputs[i];

	o->is_callers = data != NULL;
	session->out[i].data = data ? data : o->memory;
	session->out[i].capacity = data ? capacity : o->room;
	session->is_bound = 0;
	return SINTER_OK;
}

/* Memory of at least BYTES in *P, which has ROOM; its content is lost. */
static int
make_room(void **p, size_t *room, size_t bytes)
{
	if (*p && *room >= bytes)
		return 1;
	free(*p);
	*p = sinter_aligned(bytes);
	*room = *p ? bytes : 0;
	return *p != NULL;
}

static int
place_output(struct sinter_session *s, uint32_t i, struct sinter_error *error)
{
	struct sinter_tensor *t = &s->out[i];
	struct output *o = &s->outputs[i];

	if (o->is_callers && t->capacity < t->bytes)
		return sinter_fail(error, SINTER_TOO_SMALL, "output '%s' needs %zu bytes, not %zu",
				   s->model->outputs[i].name, t->bytes, t->capacity);
	if (o->is_callers)
		return SINTER_OK;
	int has_room = make_room(&o->memory, &o->room, t->bytes);

	t->data = o->memory;
	t->capacity = o->room;
	if (!has_room)
		return sinter_fail(error, SINTER_NO_MEMORY,
				   "out of memory: output '%s' of %zu bytes",
				   s->model->outputs[i].name, t->bytes);
	return SINTER_OK;
}

/* The arena, or both of them, and room for those who watch what kernels leave in the device's. */
static int
place_arena(struct sinter_session *s, const struct sinter_need *need, struct sinter_error *error)
{
	size_t shown = s->device && s->kernel ? need->device_bytes : 0;

	if (!make_room(&s->arena, &s->arena_room, need->arena_bytes)
	    || (shown && !make_room(&s->shown, &s->shown_room, shown)))
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory: arena of %zu bytes",
				   need->arena_bytes + shown);
	s->arena_bytes = s->device ? need->device_bytes : need->arena_bytes;
	return s->device ? sinter_device_session_bind(s->device, s->out, need->device_bytes, error)
			 : SINTER_OK;
}

enum { DIMS_TEXT = 256 };

/* "x 1x3x32x32, y 4", as far as there is room. */
static void
describe_inputs(const struct sinter_session *s, char *text)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < s->model->ninputs; i++) {
		for (int32_t d = -1; d < s->in[i].rank; d++) {
			size_t room = DIMS_TEXT - used;
			int n = d < 0 ? snprintf(text + used, room, "%s'%s' %s", i ? ", " : "",
						 s->model->inputs[i].name, s->in[i].rank ? "" : "1")
				      : snprintf(text + used, room, "%s%lld", d ? "x" : "",
						 (long long)s->in[i].dims[d]);

			if (n < 0 || (size_t)n >= room)
				return;
			used += (size_t)n;
		}
	}
}

/* The model doesn't accept the inputs' dimensions, or something else. */
static int
refused(const struct sinter_session *s, int status, struct sinter_error *error)
{
	const struct sinter_model *m = s->model;
	const char *why = status == SINTER_BAD_DIMS && m->why ? m->why(s->in) : NULL;
	char given[DIMS_TEXT];

	if (!why)
		return sinter_fail(error, status, "'%s': %s", m->name, m->text(status));
	describe_inputs(s, given);
	return sinter_fail(error, status, "'%s': %s; given are %s", m->name, why, given);
}

int
sinter_session_bind(struct sinter_session *session, struct sinter_error *error)
{
	const struct sinter_model *m = session->model;
	struct sinter_need need = { 0 };

	session->is_bound = 0;
	int status = m->dims(session->in, session->out, session->hooks.nthreads, &need);

	if (status != SINTER_OK)
		return refused(session, status, error);
	for (uint32_t i = 0; i < m->noutputs && status == SINTER_OK; i++)
		status = place_output(session, i, error);
	if (status != SINTER_OK)
		return status;
	status = place_arena(session, &need, error);
	if (status != SINTER_OK)
		return status;
	session->is_bound = 1;
	return SINTER_OK;
}

static int
run_model(struct sinter_session *s, struct sinter_error *error)
{
	const struct sinter_model *m = s->model;
	int status = m->run(s->context, s->in, s->out, s->arena, s->arena_room, &s->hooks);

	return status == SINTER_OK
		       ? SINTER_OK
		       : sinter_fail(error, status, "'%s': %s", m->name, m->text(status));
}

int
sinter_session_run(struct sinter_session *session, struct sinter_error *error)
{
	struct sinter_session *s = session;

	if (!s->is_bound)
		return sinter_fail(error, SINTER_BAD_CALL, "'%s' is run without bind",
				   s->model->name);
	if (!s->device)
		return run_model(s, error);
	int status = sinter_device_session_begin(s->device, s->in, s->out, error);

	if (status == SINTER_OK)
		status = run_model(s, error);
	return sinter_device_session_end(s->device, s->out, status, error);
}

int
sinter_session_fetch(struct sinter_session *session, struct sinter_error *error)
{
	if (!session->is_bound)
		return sinter_fail(error, SINTER_BAD_CALL,
				   "outputs of '%s' are fetched before bind", session->model->name);
	return session->device ? sinter_device_session_outputs(session->device, session->out, error)
			       : SINTER_OK;
}

const struct sinter_tensor *
sinter_session_output(const struct sinter_session *session, uint32_t i)
{
	return i < session->model->noutputs ? &session->out[i] : NULL;
}

size_t
sinter_session_arena_bytes(const struct sinter_session *session)
{
	return session->is_bound ? session->arena_bytes : 0;
}

const void *
sinter_session_arena(const struct sinter_session *session)
{
	if (!session->is_bound)
		return NULL;
	return session->device ? session->shown : session->arena;
}

const void *
sinter_session_host_arena(const struct sinter_session *session)
{
	return session->is_bound ? session->arena : NULL;
}
