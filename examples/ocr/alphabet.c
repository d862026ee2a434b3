/* Alphabets: a letter per line, whatever else it may look like (some are blanks of other scripts). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "examples/common/picture.h"
#include "examples/ocr/alphabet.h"

enum { MOST_BYTES = 1 << 20 };

static int
count_lines(const char *text)
{
	int n = 0;

	for (const char *p = text; *p; n++) {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return n;
}

/* Cuts the text at its line ends; false if a letter is too long. */
static int
split(struct alphabet *a)
{
	static char empty[] = "", space[] = " ";
	char *p = a->text;

	a->letters[0] = empty;
	for (int i = 1; i < a->classes - 1; i++) {
		size_t n = strcspn(p, "\n");
		if (n >= MOST_LETTER)
			return 0;
		a->letters[i] = p;
		p += n;
		if (*p)
			*p++ = '\0';
	}
	a->letters[a->classes - 1] = space;
	return 1;
}

static int
read_stream(FILE *f, const char *path, struct alphabet *out, struct sinter_error *error)
{
	out->text = malloc(MOST_BYTES);
	if (!out->text)
		return failed(error, SINTER_NO_MEMORY, "no memory for '%s'", path);
	size_t n = fread(out->text, 1, MOST_BYTES - 1, f);
	if (ferror(f))
		return failed(error, SINTER_NO_FILE, "can't read '%s': %s", path, strerror(errno));
	out->text[n] = '\0';
	out->classes = count_lines(out->text) + 2;
	out->letters = malloc((size_t)out->classes * sizeof(*out->letters));
	if (!out->letters)
		return failed(error, SINTER_NO_MEMORY, "no memory for '%s'", path);
	return split(out) ? SINTER_OK
			  : failed(error, SINTER_BAD_VALUE, "'%s' is not an alphabet", path);
}

int
alphabet_read(const char *path, struct alphabet *out, struct sinter_error *error)
{
	FILE *f = fopen(path, "rb");

	*out = (struct alphabet){ 0 };
	if (!f)
		return failed(error, SINTER_NO_FILE, "can't open '%s': %s", path, strerror(errno));
	int status = read_stream(f, path, out, error);
	fclose(f);
	if (status)
		alphabet_free(out);
	return status;
}

void
alphabet_free(struct alphabet *a)
{
	free(a->letters);
	free(a->text);
	*a = (struct alphabet){ 0 };
}
