/*
 * The text of a file test, and writing a new expectation into it.
 */
#ifndef TESTS_FILETEST_FILE_H
#define TESTS_FILETEST_FILE_H

#include "tests/filetest.h"

/* Reads PATH into F; false if it can't be read or a setting has no '='. */
bool ft_file_read(struct ft_file *f, const char *path, struct sn_arena *a, struct sn_diags *d);

/* Makes OUTPUT what the file expects. */
bool ft_file_bless(const struct ft_file *f, const char *output, struct sn_arena *a,
		   struct sn_diags *d);

#endif
