/*
 * Graph level in file tests, as a row of the levels' table.
 */
#ifndef TESTS_FILETEST_GRAPH_H
#define TESTS_FILETEST_GRAPH_H

#include "tests/filetest.h"

void *ft_graph_parse(struct ft_run *r, const char *text);
void ft_graph_print(struct sn_buf *out, const void *ir, bool with_data);
bool ft_graph_verify(void *ir, struct sn_diags *d);

#endif
