/*
 * Shared by the files of the suite's driver: suite.c (batches, processes), suite_compile.c (one case
 * from model to C, and its texts), suite_run.c (one case through the ABI), suite_device.c (the same on
 * a device).  tests/onnx/ only.
 */
#ifndef TESTS_ONNX_SUITE_H
#define TESTS_ONNX_SUITE_H

#include <stdbool.h>
#include "ir/target.h"
#include "runtime/sinter_abi.h"

enum outcome { PASSED, FAILED, NOT_SUPPORTED };

/* What one step says about a case; small enough to go through a pipe at once. Where a step has PASSED it
 * may say what of a model for a device runs on the CPU all the same, and why. */
struct verdict {
	enum outcome outcome;
	char why[500];
};

/* Sets the verdict; returns false, always. */
bool sn_suite_fail(struct verdict *v, enum outcome o, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct suite_case {
	char *line;	   /* whose parts the strings below are */
	const char *name;  /* "node/test_abs" */
	const char *model; /* path */
	const char *data;  /* folder of test_data_set_0; or a file that holds the only output, and the
			    * inputs are 0..n-1 divided by n */
	double rtol, atol;
	char ident[160];   /* C identifier of the compiled model */
	bool is_compiled;
	struct verdict verdict;
};

struct suite {
	const char *folder; /* of the generated files */
	const char *dialect, *device_name;
	const char *cc;
	bool has_texts; /* print -> parse -> print at all levels */
	bool is_source_only; /* a case passes when its C is written */
	bool is_alone;	     /* nothing of the device is shared by the cases' processes */
	int device_seconds;    /* limit of a case on a device */
	bool has_whole_writes; /* the host writes whole memories, see suite_device.c */
	bool is_verbose;
	const struct sn_target *target;
	struct sinter_device *device; /* of dialects for devices */
	struct suite_case *cases;
	size_t ncases;
};

/* Imports, compiles, writes IDENT.c and its companions; false: the verdict says why. */
bool sn_suite_compile(const struct suite *s, const struct suite_case *c, struct verdict *v);

/* Opens device NAME for the cases; says why not. */
bool sn_suite_open_device(struct suite *s, const char *name);

/* Runs the compiled MODEL on the case's data and compares. */
bool sn_suite_run(const struct suite *s, const struct suite_case *c,
		  const struct sinter_model *model, struct verdict *v);

#endif
