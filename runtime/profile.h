/*
 * Recording of kernel times, inside the runtime.
 */
#ifndef RUNTIME_PROFILE_H
#define RUNTIME_PROFILE_H

#include "runtime/sinter_runtime.h"

/* Phase 0 begins kernel K, phase 1 ends it. */
void sinter_profile_mark(struct sinter_profile *p, int32_t k, int32_t phase);

/* Kernel K took NS from START_NS (sinter_now_ns) on; other than mark, it may be told later. */
void sinter_profile_add(struct sinter_profile *p, int32_t k, int64_t start_ns, int64_t ns);

#endif
