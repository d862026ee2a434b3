/*
 * emit=DIALECT of the file tests: what is shared by the languages.
 */
#ifndef TESTS_FILETEST_EMIT_H
#define TESTS_FILETEST_EMIT_H

#include "codegen/dialect.h"
#include "tests/filetest_loop.h"

/* Writes SOURCE to PATH and calls the compiler: COMMAND with PATH at its end. A complaint fails. */
bool ft_emit_source(struct ft_run *r, const char *path, const char *source, const char *command);

/* The memory of each parameter of a kernel, by "; set memory=own" (default) or "one". */
const int *ft_kernel_slots(struct ft_run *r, const struct sn_func *f);

/* Looks for warnings in the kernel that R printed, and runs it on ARGS. */
bool ft_run_kernel(struct ft_run *r, const struct sn_dialect *d, const struct ft_args *args,
		   const char *folder);

#endif
