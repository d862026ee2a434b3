/* Pictures: any PNG as 8-bit RGB. */
#ifndef EXAMPLES_PICTURE_H
#define EXAMPLES_PICTURE_H

#include "runtime/sinter_runtime.h"

/* Rows from top to bottom without gaps, three bytes (red, green, blue) a pixel. */
struct picture {
	int width, height;
	unsigned char *rgb;
};

/* Reads any PNG: gray, palette and 16-bit pictures are converted, transparency is blended on white.
 * SINTER_NO_FILE, SINTER_BAD_VALUE (no PNG, damaged, too large) or SINTER_NO_MEMORY with a sentence
 * in ERROR. Give back by picture_free. */
int picture_read(const char *path, struct picture *out, struct sinter_error *error);
void picture_free(struct picture *p);

/* Replaces P by a picture of half the size, each pixel the mean of four. */
void picture_halve(struct picture *p);

/* Fills ERROR with a sentence made of FORMAT, returns STATUS. */
int failed(struct sinter_error *error, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
