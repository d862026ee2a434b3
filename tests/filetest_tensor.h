/*
 * Tensor level in file tests, as a row of the levels' table.
 */
#ifndef TESTS_FILETEST_TENSOR_H
#define TESTS_FILETEST_TENSOR_H

#include "tests/filetest.h"

void *ft_tensor_parse(struct ft_run *r, const char *text);
void ft_tensor_print(struct sn_buf *out, const void *ir, bool with_data);
bool ft_tensor_verify(void *ir, struct sn_diags *d);
bool ft_tensor_interp(struct ft_run *r, const void *ir);

#endif
