/* The letters that the classes of the recognition network stand for. */
#ifndef EXAMPLES_ALPHABET_H
#define EXAMPLES_ALPHABET_H

#include "runtime/sinter_runtime.h"

enum { MOST_LETTER = 8 }; /* bytes of a letter */

/* Class 0 is no letter, class i line i of the file, the one after the last a space. */
struct alphabet {
	int classes;
	char *text;
	char **letters; /* by class, NUL-terminated */
};

int alphabet_read(const char *path, struct alphabet *out, struct sinter_error *error);
void alphabet_free(struct alphabet *a);

#endif
