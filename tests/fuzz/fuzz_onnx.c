/*
 * Fuzz target: the bytes of a model, through the frontend and inference.
 *
 *	clang-14 -g -O1 -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_onnx.c
 *
 * Every input is read twice, the second time with so little memory that an
 * allocation on the way fails: which one depends on the input's hash.
 */
#include "frontend/onnx_import.h"
#include "ir/infer.h"
#include "support/map.h"
#include "tests/fuzz/fuzz.h"

enum { BUDGET = 64 << 20 };

/* Imports in the guard's frame; the bytes that the arena had handed out at the end. */
static size_t
import_within(const void *data, size_t size, size_t budget)
{
	struct sn_guard guard;
	struct sn_arena a;
	struct sn_pool pool;
	struct sn_diags diags;
	sn_arena_init(&a, &guard);
	enum sn_status status = SN_GUARD_ENTER(&guard);
	if (status == SN_ERR_INTERNAL)
		fuzz_die(guard.text);
	if (status == SN_OK) {
		sn_pool_init(&pool, &a);
		sn_diags_init(&diags, &a);
		a.budget = budget;
		struct sn_graph *g = sn_onnx_import_bytes("fuzz", data, size, NULL, &a, &pool,
							  &diags);
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used = import_within(data, size, BUDGET);
	import_within(data, size, 1 + sn_hash(0, data, size) % (used + 1));
	return 0;
}
