/*
 * A loaded model, inside the runtime.
 */
#ifndef RUNTIME_MODEL_H
#define RUNTIME_MODEL_H

#include "runtime/sinter_runtime.h"

struct sinter_loaded {
	const struct sinter_model *model;
	void *handle;	     /* of dlopen, NULL if linked in */
	void *weights;	     /* mapped, NULL if embedded or none */
	size_t weights_size; /* of the map */
};

#endif
