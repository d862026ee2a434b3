/*
 * A loaded model, inside the runtime.
 */
#ifndef RUNTIME_MODEL_H
#define RUNTIME_MODEL_H

#include <pthread.h>
#include "runtime/sinter_runtime.h"

struct sinter_resident;

struct sinter_loaded {
	const struct sinter_model *model;
	void *handle;			   /* of dlopen, NULL if linked in */
	void *weights;			   /* mapped, NULL if embedded or none */
	size_t weights_size;		   /* of the map */
	pthread_mutex_t mutex;		   /* of what follows */
	struct sinter_resident *residents; /* on devices */
};

#endif
