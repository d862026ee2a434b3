/*
 * Reads the bytes of a model: frontend and inference, as the fuzz target
 * (fuzz_onnx.c) and the unit tests' short run of it do.
 */
#ifndef TESTS_FUZZ_ONNX_H
#define TESTS_FUZZ_ONNX_H

#include "frontend/onnx_import.h"
#include "ir/infer.h"
#include "support/map.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_BUDGET = 64 << 20 };

/* Imports in the guard's frame; the bytes that the arena had handed out at the end. */
static inline size_t
fuzz_import(const void *data, size_t size, size_t budget)
{
	struct sn_guard guard;
	struct sn_arena a;
	struct sn_pool pool;
	struct sn_diags diags;
	const struct sn_wire_bytes bytes = { "fuzz", data, size };
	sn_arena_init(&a, &guard);
	enum sn_status status = SN_GUARD_ENTER(&guard);
	if (status == SN_ERR_INTERNAL)
		fuzz_die(guard.text);
	if (status == SN_OK) {
		sn_pool_init(&pool, &a);
		sn_diags_init(&diags, &a);
		a.budget = budget;
		struct sn_graph *g = sn_onnx_import_bytes(&bytes, NULL, &a, &pool, &diags);
		if (!g && diags.errors == 0)
			fuzz_die("import failed without a message");
		if (g && diags.errors)
			fuzz_die("import succeeded with errors");
		if (g)
			sn_infer_graph(g, &diags);
	}
	size_t used = a.used;
	sn_arena_release(&a);
	return used;
}

/* Twice, the second time with so little memory that an allocation on the way fails: which one
 * depends on the input's hash. */
static inline void
fuzz_onnx(const void *data, size_t size)
{
	size_t used = fuzz_import(data, size, FUZZ_BUDGET);
	fuzz_import(data, size, 1 + sn_hash(0, data, size) % (used + 1));
}

#endif
