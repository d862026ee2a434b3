/*
 * Layout of pictures by graphviz' library, in a child process with a time limit.
 */
#ifndef CLI_GRAPHVIZ_H
#define CLI_GRAPHVIZ_H

#include <stdbool.h>

/* Draws DOT text as FORMAT (svg, png, pdf) into the file PATH. NULL if all went well, else what went
 * wrong, a constant; PATH may then hold part of a picture. */
const char *graphviz_draw(const char *dot, const char *format, const char *path, int seconds);

#endif
