/*
 * Loop level in file tests, as a row of the levels' table.
 */
#ifndef TESTS_FILETEST_LOOP_H
#define TESTS_FILETEST_LOOP_H

#include "tests/filetest.h"

void *ft_loop_parse(struct ft_run *r, const char *text);
void ft_loop_print(struct sn_buf *out, const void *ir, bool with_data);
bool ft_loop_interp(struct ft_run *r, const void *ir);

#endif
