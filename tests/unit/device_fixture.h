/*
 * Models for a device, written by hand: f32[N,4] x, weights w[4];
 * a = x * w in the arena, then y[i] = a[last - i] + 1 through local memory.
 * The mixed one has a step on the host between the two: a is read from the
 * device, b = a * a, b is written to it, and y is made of b.
 */
#ifndef TESTS_UNIT_DEVICE_FIXTURE_H
#define TESTS_UNIT_DEVICE_FIXTURE_H

#include "runtime/device.h"

/* The models; parts of them may be changed in a copy. */
extern const struct sinter_model device_model, device_mixed_model;
extern const struct sinter_program device_program;

/* What run does wrong, of the thread that runs it. */
enum device_fault { FAULT_NONE, FAULT_KERNEL, FAULT_MEMORY, FAULT_GROUP, FAULT_COPY };
extern __thread enum device_fault device_fault;

/* Element I of a. */
float device_scaled(const float *x, int64_t i);

/* What a value of BYTES takes of an arena: in the host's, b lies behind a. */
size_t device_room(size_t bytes);

/* Is Y what the model makes of X, with N rows? */
int device_is_right(const float *x, const float *y, int64_t n);
int device_mixed_is_right(const float *x, const float *y, int64_t n);

#endif
