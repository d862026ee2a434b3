/*
 * The three levels as the file tests see them: text in, text out, checks.
 */
#ifndef TESTS_FILETEST_LEVELS_H
#define TESTS_FILETEST_LEVELS_H

#include "tests/filetest.h"

struct ft_level {
	const char *name;
	/* NULL after diagnostics. */
	void *(*parse)(struct ft_run *r, const char *text);
	void (*print)(struct sn_buf *out, const void *ir, bool with_data);
	bool (*verify)(void *ir, struct sn_diags *d); /* NULL: none */
	bool (*interp)(struct ft_run *r, const void *ir); /* prints results; NULL: none */
};

/* The level that ARGS starts with; fails and returns NULL if there is none. */
const struct ft_level *ft_level_find(struct ft_run *r, const char *args);

#endif
