/*
 * The queue that a model for a device sees (hooks->queue): checks what the
 * model says, keeps a kernel for each step with the arguments that it has, and
 * remembers what failed.
 *
 * Threads: as the session, one at a time.  Ownership: the driver's queue and
 * the kernels are the queue's; places with their memories, the program and the
 * device are its session's, and stay until it is released.
 */
#ifndef RUNTIME_DEVICE_QUEUE_H
#define RUNTIME_DEVICE_QUEUE_H

#include "runtime/device.h"

/* One of the numbered memories of a run (enum sinter_mem); only the session changes it. */
struct sinter_place {
	struct sinter_memory *memory; /* NULL: none yet */
	uint64_t version;	      /* another one for another memory */
	int is_shared;		      /* lies over the caller's or the session's host memory */
	int is_given;		      /* of inputs: the device has what the caller set */
	size_t bytes;		      /* of outputs: most that a run writes */
};

struct sinter_slot;

struct sinter_device_queue {
	/* The session's, there before sinter_device_queue_open. */
	struct sinter_device *device;
	const struct sinter_model *model;
	void *program; /* the driver's */
	const struct sinter_place *places;
	uint32_t nplaces;
	/* NULL: none; called before and after each launch, the latter when it is done. */
	void (*kernel)(void *ctx, int32_t k, int32_t phase);
	void *ctx;

	/* The queue's own, 0 before. */
	void *handle;		    /* the driver's */
	struct sinter_queue api;    /* what the model calls */
	struct sinter_slot **slots; /* by step */
	struct sinter_error error;  /* of the first that failed since its status was set to 0 */
};

/* Makes the driver's queue, with times of launches if IS_TIMED, and API, which has Q's address.
 * SINTER_NO_MEMORY, SINTER_DEVICE_LOST; release Q in any case. */
int sinter_device_queue_open(struct sinter_device_queue *q, int is_timed,
			     struct sinter_error *error);

/* Gives the kernels back, before the memories that they have as arguments go; launches make them
 * anew. */
void sinter_device_queue_clear(struct sinter_device_queue *q);

/* Gives back what Q owns; nothing may be under way. */
void sinter_device_queue_release(struct sinter_device_queue *q);

/* Remembers E, if nothing has failed before, and returns its status. */
int sinter_device_queue_failed(struct sinter_device_queue *q, const struct sinter_error *e);

#endif
