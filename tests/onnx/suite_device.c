/*
 * A compiled case on a device.
 *
 * Each case is a process of its own, forked from one that has opened the device and built a program
 * on it: a driver that compiles in the process (PoCL) has read its library of built-in functions by
 * then, which takes it longer than to compile a small model (0.5 of 0.9 s).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/device.h"
#include "tests/onnx/suite_case.h"

/* ---- the device ---- */

static int
no_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,
	struct sinter_need *need)
{
	(void)in, (void)out, (void)nthreads;
	*need = (struct sinter_need){ 0 };
	return SINTER_OK;
}

static int
no_init(void *context, const void *weights, size_t bytes)
{
	(void)context, (void)weights, (void)bytes;
	return SINTER_OK;
}

static int
one_launch(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *arena,
	   size_t bytes, const struct sinter_hooks *hooks)
{
	static const int32_t mems[] = { SINTER_MEM_ARENA };
	const struct sinter_launch l = {
		.ndims = 1,
		.items = { 1, 1, 1 },
		.groups = { 1, 1, 1 },
		.nmems = 1,
		.mems = mems,
	};
	(void)context, (void)in, (void)out, (void)arena, (void)bytes;
	return hooks->queue->launch(hooks->queue->ctx, &l);
}

static void
no_free(void *context)
{
	(void)context;
}

static const char *
no_text(int status)
{
	(void)status;
	return "failed";
}

/* A model of one kernel that does nothing. */
static const char *const lines[] = { "kernel void nothing(global uchar *m) { }\n" };
static const char *const names[] = { "nothing" };
static const struct sinter_kernel kernels[] = { { "nothing", "" } };
static const struct sinter_program program = {
	.language = "OpenCL C 1.2",
	.options = "-cl-std=CL1.2",
	.nlines = 1,
	.nkernels = 1,
	.lines = lines,
	.kernels = names,
	.group_items = 1,
};
static const struct sinter_model nothing = {
	.abi = SINTER_ABI_VERSION,
	.nkernels = 1,
	.name = "nothing",
	.kernels = kernels,
	.context_bytes = 64,
	.dims = no_dims,
	.init = no_init,
	.run = one_launch,
	.free = no_free,
	.text = no_text,
	.program = &program,
};

/* Drivers of other hardware don't survive a fork: there each case opens the device. */
static bool
close_again(struct suite *s, struct sinter_loaded *loaded)
{
	sinter_model_unload(loaded);
	sinter_device_close(s->device);
	s->device = NULL;
	return true;
}

bool
sn_suite_open_device(struct suite *s, const char *name)
{
	struct sinter_session_opts opts = { 0 };
	struct sinter_loaded *loaded;
	struct sinter_session *session;
	struct sinter_error e;
	if (sinter_device_open(name, &s->device, &e) != SINTER_OK
	    || sinter_model_link(&nothing, NULL, &loaded, &e) != SINTER_OK)
		goto failed;
	if (!sinter_device_info(s->device)->is_cpu)
		return close_again(s, loaded);
	opts.device = s->device;
	if (sinter_session_new(loaded, &opts, &session, &e) != SINTER_OK
	    || sinter_session_bind(session, &e) != SINTER_OK
	    || sinter_session_run(session, &e) != SINTER_OK)
		goto failed;
	sinter_session_free(session);
	sinter_model_unload(loaded);
	return true;
failed:
	fprintf(stderr, "suite: %s\n", e.text);
	return false;
}

/* ---- whole writes ---- */

static const struct sinter_driver *usual;
static struct sinter_driver whole;

/*
 * A write of all of M, BYTES of it new.  For oclgrind 21.10: where the host writes a part of a memory,
 * all the rest is uninitialised to it from then on, whatever kernels store there.
 */
static int
write_whole(void *queue, const struct sinter_memory *m, size_t offset, const void *host,
	    size_t bytes, struct sinter_error *error)
{
	char *all = malloc(m->bytes);
	int status = all ? usual->read(queue, m, 0, all, m->bytes, error) : SINTER_NO_MEMORY;
	if (status == SINTER_OK)
		status = usual->finish(queue, error);
	if (status == SINTER_OK) {
		memcpy(all + offset, host, bytes);
		status = usual->write(queue, m, 0, all, m->bytes, error);
	}
	if (status == SINTER_OK)
		status = usual->finish(queue, error);
	free(all);
	return status;
}

static void
write_whole_memories(struct sinter_device *d)
{
	usual = d->driver;
	whole = *usual;
	whole.write = write_whole;
	d->driver = &whole;
}

/* ---- a case ---- */

static bool
device_failed(struct run *r, const struct sinter_error *e)
{
	return sn_suite_fail(r->verdict, FAILED, "%s", e->text);
}

/* A session's outputs are where it says; they stay until the process ends. */
static bool
run_session(struct run *r, struct sinter_session *s)
{
	struct sinter_error e;
	for (uint32_t i = 0; i < r->model->ninputs; i++)
		if (sinter_session_set_input(s, i, r->in[i].data, r->in[i].bytes, r->in[i].dims, &e)
		    != SINTER_OK)
			return device_failed(r, &e);
	if (sinter_session_bind(s, &e) != SINTER_OK)
		return device_failed(r, &e);
	for (uint32_t i = 0; i < r->model->noutputs; i++) {
		size_t bytes = sinter_session_output(s, i)->bytes;
		if (sinter_session_set_output(s, i, sn_guarded(bytes), bytes, &e) != SINTER_OK)
			return device_failed(r, &e);
	}
	if (sinter_session_bind(s, &e) != SINTER_OK || sinter_session_run(s, &e) != SINTER_OK)
		return device_failed(r, &e);
	for (uint32_t i = 0; i < r->model->noutputs; i++)
		r->out[i] = *sinter_session_output(s, i);
	return true;
}

bool
sn_suite_run_on_device(struct run *r)
{
	const char *weights = sn_printf(&r->arena, "%s/%s.weights", r->suite->folder,
					r->kase->ident);
	struct sinter_session_opts opts = { .device = r->suite->device };
	struct sinter_loaded *loaded;
	struct sinter_session *s;
	struct sinter_error e;
	if (!opts.device
	    && sinter_device_open(r->suite->device_name, &opts.device, &e) != SINTER_OK)
		return device_failed(r, &e);
	if (r->suite->has_whole_writes)
		write_whole_memories(opts.device);
	if (sinter_model_link(r->model, r->model->weights_bytes ? weights : NULL, &loaded, &e)
		    != SINTER_OK
	    || sinter_session_new(loaded, &opts, &s, &e) != SINTER_OK)
		return device_failed(r, &e);
	if (!run_session(r, s))
		return false;
	for (uint32_t i = 0; i < r->model->noutputs; i++)
		if (!sn_is_guard_whole(r->out[i].data, r->out[i].bytes))
			return sn_suite_fail(r->verdict, FAILED, "wrote behind output %u", i);
	return true;
}
