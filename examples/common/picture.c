/* Pictures from PNG files, by libpng; no other file of the examples knows it. */
#include <errno.h>
#include <png.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "examples/common/picture.h"

enum { MOST_PIXELS = 100000000 };

int
failed(struct sinter_error *error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error->status = status;
	return status;
}

/* Sixteen bits without a word on their gamma are taken for sRGB, as everybody else does. */
static int
decode(png_image *image, const char *path, struct picture *out, struct sinter_error *error)
{
	static const png_color white = { 255, 255, 255 };

	if ((uint64_t)image->width * image->height > MOST_PIXELS)
		return failed(error, SINTER_BAD_VALUE, "'%s' is too large: %u x %u pixels", path,
			      image->width, image->height);
	image->format = PNG_FORMAT_RGB;
	image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
	out->width = (int)image->width;
	out->height = (int)image->height;
	out->rgb = malloc(PNG_IMAGE_SIZE(*image));
	if (!out->rgb)
		return failed(error, SINTER_NO_MEMORY, "no memory for '%s'", path);
	if (png_image_finish_read(image, &white, out->rgb, 0, NULL))
		return SINTER_OK;
	picture_free(out);
	return failed(error, SINTER_BAD_VALUE, "'%s' is damaged: %s", path, image->message);
}

static int
read_stream(FILE *f, const char *path, struct picture *out, struct sinter_error *error)
{
	unsigned char head[8];
	png_image image = { .version = PNG_IMAGE_VERSION };
	size_t n = fread(head, 1, sizeof(head), f);

	if (ferror(f))
		return failed(error, SINTER_NO_FILE, "can't read '%s': %s", path, strerror(errno));
	if (n < sizeof(head) || png_sig_cmp(head, 0, sizeof(head)) != 0)
		return failed(error, SINTER_BAD_VALUE, "'%s' is not a PNG picture", path);
	rewind(f);
	if (!png_image_begin_read_from_stdio(&image, f))
		return failed(error, SINTER_BAD_VALUE, "'%s' is damaged: %s", path, image.message);

	int status = decode(&image, path, out, error);
	png_image_free(&image);
	return status;
}

int
picture_read(const char *path, struct picture *out, struct sinter_error *error)
{
	FILE *f = fopen(path, "rb");

	*out = (struct picture){ 0 };
	if (!f)
		return failed(error, SINTER_NO_FILE, "can't open '%s': %s", path, strerror(errno));
	int status = read_stream(f, path, out, error);
	fclose(f);
	return status;
}

void
picture_free(struct picture *p)
{
	free(p->rgb);
	p->rgb = NULL;
}

void
picture_halve(struct picture *p)
{
	int w = p->width / 2, h = p->height / 2;
	size_t stride = 3 * (size_t)p->width;
	unsigned char *to = p->rgb; /* in place: it never overtakes what is still read */

	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			for (int c = 0; c < 3; c++) {
				const unsigned char *q = p->rgb + 2 * (size_t)y * stride
							 + 6 * (size_t)x + c;
				*to++ = (unsigned char)((q[0] + q[3] + q[stride] + q[stride + 3] + 2)
							/ 4);
			}
	p->width = w;
	p->height = h;
}
