/*
 * One run of a case, shared by suite_run.c (data, the CPU, comparison) and suite_device.c.
 */
#ifndef TESTS_ONNX_SUITE_CASE_H
#define TESTS_ONNX_SUITE_CASE_H

#include <stdlib.h>
#include <string.h>
#include "support/arena.h"
#include "support/diag.h"
#include "tests/onnx/suite.h"

enum { GUARD = 64, RUBBISH = 0xa5 };

struct run {
	const struct suite *suite;
	const struct suite_case *kase;
	const struct sinter_model *model;
	struct verdict *verdict;
	struct sn_arena arena;
	struct sn_guard guard;
	struct sn_diags diags;
	const char *set; /* folder of one data set */
	struct sinter_tensor *in, *out;
	void *context, *memory;
	struct sinter_need need;
};

/* N bytes of rubbish and a guard behind them, aligned to 64. */
static inline void *
sn_guarded(size_t n)
{
	size_t size = (n + 2 * GUARD - 1) / GUARD * GUARD;
	unsigned char *p = aligned_alloc(GUARD, size + GUARD);
	if (p)
		memset(p, RUBBISH, size + GUARD);
	return p;
}

static inline bool
sn_is_guard_whole(const void *base, size_t n)
{
	const unsigned char *p = (const unsigned char *)base + n;
	for (int i = 0; i < GUARD; i++)
		if (p[i] != RUBBISH)
			return false;
	return true;
}

/* Runs R on the suite's device; its outputs stay until the process ends. */
bool sn_suite_run_on_device(struct run *r);

#endif
