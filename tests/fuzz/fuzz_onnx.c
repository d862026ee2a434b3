/* Fuzz target: the bytes of a model. */
#include "tests/fuzz/fuzz_onnx.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_onnx(data, size);
	return 0;
}
