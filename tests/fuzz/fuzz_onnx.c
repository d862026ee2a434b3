/*
 * Fuzz target: the bytes of a model.
 *
 *	make B=build/fuzz CC=clang-14 CFLAGS="$F" lib, with
 *	F="-g -O1 -fsanitize=fuzzer-no-link,address,undefined"
 *	clang-14 $F -fsanitize=fuzzer -I. tests/fuzz/fuzz_onnx.c and the libraries
 */
#include "tests/fuzz/fuzz_onnx.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_onnx(data, size);
	return 0;
}
