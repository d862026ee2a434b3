/* Status texts, and what all files of the runtime need. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "runtime/status.h"

static const struct {
	int status;
	const char *text;
} texts[] = {
	{ SINTER_OK, "no error" },
	{ SINTER_BAD_CALL, "wrong call: something is missing, misaligned or of the wrong rank" },
	{ SINTER_BAD_DIMS, "dimensions contradict the model's or each other" },
	{ SINTER_TOO_SMALL, "a buffer is too small" },
	{ SINTER_BAD_WEIGHTS, "the weights are damaged or another model's" },
	{ SINTER_BAD_INDEX, "an index in the data was out of range" },
	{ SINTER_BAD_VALUE, "the data has a value that the model can't work on" },
	{ SINTER_NO_MEMORY, "out of memory" },
	{ SINTER_NO_FILE, "a file can't be opened, read or written" },
	{ SINTER_NO_MODEL, "not a compiled model of this ABI version" },
	{ SINTER_NO_THREADS, "the system gave fewer threads than asked for" },
	{ SINTER_NO_NAME, "there is no such input or output" },
	{ SINTER_NO_DEVICE, "there is no such device, or its driver is not installed" },
	{ SINTER_UNFIT, "the device can't do what the model needs" },
	{ SINTER_NO_BUILD, "the device's driver refuses the model's program" },
	{ SINTER_DEVICE_LOST, "a call of the device's driver failed" },
};

const char *
sinter_status_text(int status)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "unknown status";
}

int
sinter_fail(struct sinter_error *error, int status, const char *format, ...)
{
	va_list args;

	if (!error)
		return status;
	error->status = status;
	va_start(args, format);
	int n = vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	if (n < 0)
		error->text[0] = '\0';
	for (char *c = error->text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return status;
}

void *
sinter_aligned(size_t size)
{
	void *p;
	size_t n = size ? size : 1;

	if (posix_memalign(&p, 64, n) != 0)
		return NULL;
	return memset(p, 0, n);
}

int64_t
sinter_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
