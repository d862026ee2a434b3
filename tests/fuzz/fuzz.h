/*
 * What fuzz targets share: the entry point that libFuzzer calls, and how a
 * finding that no sanitizer sees becomes a crash.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline _Noreturn void
fuzz_die(const char *why)
{
	fprintf(stderr, "finding: %s\n", why);
	abort();
}

#endif
