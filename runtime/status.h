/*
 * Errors inside the runtime: a status and a sentence for the caller.
 */
#ifndef RUNTIME_STATUS_H
#define RUNTIME_STATUS_H

#include "runtime/sinter_runtime.h"

#if defined(__GNUC__)
#define SINTER_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define SINTER_PRINTF(f, a)
#endif

/* Fills ERROR (may be NULL) and returns STATUS. */
int
sinter_fail(struct sinter_error *error, int status, const char *format, ...) SINTER_PRINTF(3, 4);

/* SIZE zeroed bytes (at least 1) that begin at a multiple of 64, for free(); NULL when out of memory. */
void *sinter_aligned(size_t size);

/* Nanoseconds of the monotonic clock. */
int64_t sinter_now_ns(void);

#endif
