/*
 * A model for a device, written by hand: f32[N,4] x, weights w[4];
 * a = x * w in the arena, then y[i] = a[last - i] + 1 through local memory.
 */
#ifndef TESTS_UNIT_DEVICE_FIXTURE_H
#define TESTS_UNIT_DEVICE_FIXTURE_H

#include "runtime/device.h"

/* The model; parts of it may be changed in a copy. */
extern const struct sinter_model device_model;
extern const struct sinter_program device_program;

/* What run does wrong, of the thread that runs it. */
enum device_fault { FAULT_NONE, FAULT_KERNEL, FAULT_MEMORY, FAULT_GROUP, FAULT_COPY };
extern __thread enum device_fault device_fault;

/* Is Y what the model makes of X, with N rows? */
int device_is_right(const float *x, const float *y, int64_t n);

#endif
