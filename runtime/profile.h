/*
 * Recording of kernel times, inside the runtime.
 */
#ifndef RUNTIME_PROFILE_H
#define RUNTIME_PROFILE_H

#include "runtime/sinter_runtime.h"

/* Phase 0 begins kernel K, phase 1 ends it. */
void sinter_profile_mark(struct sinter_profile *p, int32_t k, int32_t phase);

#endif
