/*
 * The device's half of a session: memories of a run, the queue that the model
 * launches through, kernels with their arguments.
 *
 * Threads: as the session, one at a time.  What is made in one run is kept for
 * the next; with the same dimensions and addresses nothing is made again.
 */
#ifndef RUNTIME_DEVICE_SESSION_H
#define RUNTIME_DEVICE_SESSION_H

#include "runtime/device.h"

struct sinter_loaded;
struct sinter_device_session;

struct sinter_device_session_opts {
	struct sinter_profile *profile; /* NULL: none; gets the times of kernels */
	/* NULL: none; called before and after each launch, the latter when it is done. */
	void (*kernel)(void *ctx, int32_t k, int32_t phase);
	void *ctx;
	int is_resident; /* inputs and outputs stay on the device, see sinter_session_opts */
};

/* Of LOADED, a model with a program, on D.  Statuses of sinter_session_new.  Give back by
 * sinter_device_session_free. */
int sinter_device_session_new(struct sinter_loaded *loaded, struct sinter_device *d,
			      const struct sinter_device_session_opts *opts,
			      struct sinter_device_session **out, struct sinter_error *error);
void sinter_device_session_free(struct sinter_device_session *s);

/* The queue of hooks. */
const struct sinter_queue *sinter_device_session_queue(struct sinter_device_session *s);

/* Makes an arena of at least BYTES on the device; OUT says the most bytes of each output. */
int sinter_device_session_bind(struct sinter_device_session *s, const struct sinter_tensor *out,
			       size_t bytes, struct sinter_error *error);

/* Before the model's run: gives inputs and outputs (data, bytes) memories and hands them over. */
int sinter_device_session_begin(struct sinter_device_session *s, const struct sinter_tensor *in,
				const struct sinter_tensor *out, struct sinter_error *error);

/* The caller has set input I anew. */
void sinter_device_session_renew(struct sinter_device_session *s, uint32_t i);

/* Fetches the outputs of a resident session; of others, does nothing. */
int sinter_device_session_outputs(struct sinter_device_session *s, const struct sinter_tensor *out,
				  struct sinter_error *error);

/* After it, whatever begin and run returned (STATUS): fetches outputs if there are, waits for
 * all work, and returns STATUS or what failed on the device, which ERROR then tells. */
int sinter_device_session_end(struct sinter_device_session *s, const struct sinter_tensor *out,
			      int status, struct sinter_error *error);

/* In the callback opts.kernel, phase 1: fetches the outputs, and the arena to HOST, which has room for
 * BYTES. */
int sinter_device_session_fetch(struct sinter_device_session *s, const struct sinter_tensor *out,
				void *host, size_t bytes);

#endif
