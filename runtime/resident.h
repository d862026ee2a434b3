/*
 * A model on a device: the program built and the weights put there, once for
 * all sessions of the pair.
 */
#ifndef RUNTIME_RESIDENT_H
#define RUNTIME_RESIDENT_H

#include "runtime/device.h"

struct sinter_loaded;

struct sinter_resident {
	struct sinter_device *device;
	struct sinter_memory *weights; /* NULL: the model has none */
	void *program;		       /* the driver's */
	int nusers;
	struct sinter_resident *next; /* of the model */
};

/* What LOADED has on D, made by the first caller while others wait.  Checks that D can do what the
 * program needs.  SINTER_UNFIT, SINTER_NO_BUILD, SINTER_NO_MEMORY, SINTER_DEVICE_LOST.  Each caller
 * gives it back by sinter_resident_release; the last one frees it. */
int sinter_resident_get(struct sinter_loaded *loaded, struct sinter_device *d,
			struct sinter_resident **out, struct sinter_error *error);
void sinter_resident_release(struct sinter_loaded *loaded, struct sinter_resident *r);

#endif
