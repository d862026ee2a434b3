/* digits: reads a row of digits in a PNG picture with a network that sinter compiled into it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "examples/common/blobs.h"
#include "examples/common/network.h"
#include "examples/common/picture.h"

/* Of the generated header, which would repeat the ABI's declarations. */
extern const struct sinter_model digits_net_model;

enum { EXIT_INPUT = 1, EXIT_USAGE = 2, SIDE = 28, INNER = 20, MOST_BLOBS = 10000, MOST_DIGITS = 500 };
enum { FEWEST_ROWS = 6 };

/* How much ink each pixel has, 0 to 1, whatever the colours. */
struct ink {
	int width, height;
	float *at;
};

/* Upright bounds of a digit; the ends are exclusive. */
struct bounds {
	int x0, y0, x1, y1;
};

struct row {
	int n;
	struct bounds digits[MOST_DIGITS];
	float planes[MOST_DIGITS][SIDE][SIDE];
};

static float
gray_of(const unsigned char *q)
{
	return 0.299F * q[0] + 0.587F * q[1] + 0.114F * q[2];
}

static int
by_value(const void *a, const void *b)
{
	const float *p = a, *q = b;

	return (*p > *q) - (*p < *q);
}

/* The colour of the ground: the median of the picture's first and last row. */
static int
ground_of(const struct picture *p, float *out)
{
	size_t w = (size_t)p->width, last = (size_t)(p->height - 1) * w;
	float *v = malloc(2 * w * sizeof(*v));

	if (!v)
		return -1;
	for (size_t x = 0; x < w; x++) {
		v[x] = gray_of(p->rgb + 3 * x);
		v[w + x] = gray_of(p->rgb + 3 * (last + x));
	}
	qsort(v, 2 * w, sizeof(*v), by_value);
	*out = v[w];
	free(v);
	return 0;
}

static int
ink_of(const struct picture *p, struct ink *out)
{
	size_t n = (size_t)p->width * (size_t)p->height;
	float ground, most = 1; /* a difference of one gray level is no ink */

	*out = (struct ink){ p->width, p->height, malloc(n * sizeof(*out->at)) };
	if (!out->at || ground_of(p, &ground))
		return -1;
	for (size_t i = 0; i < n; i++) {
		out->at[i] = fabsf(gray_of(p->rgb + 3 * i) - ground);
		most = fmaxf(most, out->at[i]);
	}
	for (size_t i = 0; i < n; i++)
		out->at[i] /= most;
	return 0;
}

static struct bounds
bounds_of(const struct blobs *b, const struct blob *blob)
{
	struct bounds r = { b->width, b->height, 0, 0 };

	for (int i = 0; i < blob->count; i++) {
		int p = b->pixels[blob->first + i], x = p % b->width, y = p / b->width;
		r.x0 = x < r.x0 ? x : r.x0;
		r.y0 = y < r.y0 ? y : r.y0;
		r.x1 = x >= r.x1 ? x + 1 : r.x1;
		r.y1 = y >= r.y1 ? y + 1 : r.y1;
	}
	return r;
}

static int
by_left(const void *a, const void *b)
{
	const struct bounds *p = a, *q = b;

	return (p->x0 > q->x0) - (p->x0 < q->x0);
}

/* What is less than half as high as the highest is dirt or a point. */
static void
select_digits(const struct blobs *b, struct row *out)
{
	int highest = FEWEST_ROWS;

	for (int i = 0; i < b->n; i++) {
		struct bounds r = bounds_of(b, &b->list[i]);
		highest = r.y1 - r.y0 > highest ? r.y1 - r.y0 : highest;
	}
	for (int i = 0; i < b->n && out->n < MOST_DIGITS; i++) {
		struct bounds r = bounds_of(b, &b->list[i]);
		if (2 * (r.y1 - r.y0) >= highest)
			out->digits[out->n++] = r;
	}
	qsort(out->digits, (size_t)out->n, sizeof(*out->digits), by_left);
}

static int
find_digits(const struct ink *k, struct row *out)
{
	struct blobs blobs = { 0 };
	size_t n = (size_t)k->width * (size_t)k->height;
	unsigned char *mask = malloc(n);

	for (size_t i = 0; mask && i < n; i++)
		mask[i] = k->at[i] > 0.5F;
	int status = mask ? blobs_find(mask, k->width, k->height, MOST_BLOBS, &blobs) : -1;
	if (!status)
		select_digits(&blobs, out);
	blobs_free(&blobs);
	free(mask);
	return status;
}

/* How much of [a, b) pixel I covers. */
static double
cover(double a, double b, int i)
{
	return fmax(0, fmin(b, i + 1) - fmax(a, i));
}

/* Mean ink of the rectangle of corners (x0, y0) and (x1, y1). */
static float
mean_ink(const struct ink *k, double x0, double y0, double x1, double y1)
{
	double sum = 0;

	for (int y = (int)y0; y < y1 && y < k->height; y++)
		for (int x = (int)x0; x < x1 && x < k->width; x++)
			sum += cover(y0, y1, y) * cover(x0, x1, x)
			       * (double)k->at[(size_t)y * (size_t)k->width + (size_t)x];
	return (float)(sum / ((x1 - x0) * (y1 - y0)));
}

/* The longer side becomes 20 of the 28 pixels; train.py does the same. */
static void
normalise(const struct ink *k, const struct bounds *r, float plane[SIDE][SIDE])
{
	int w = r->x1 - r->x0, h = r->y1 - r->y0, longer = w > h ? w : h;
	int columns = (int)fmax(1, round((double)w * INNER / longer));
	int rows = (int)fmax(1, round((double)h * INNER / longer));
	double sx = (double)w / columns, sy = (double)h / rows;

	for (int y = 0; y < rows; y++)
		for (int x = 0; x < columns; x++)
			plane[(SIDE - rows) / 2 + y][(SIDE - columns) / 2 + x] =
				mean_ink(k, r->x0 + x * sx, r->y0 + y * sy, r->x0 + (x + 1) * sx,
					 r->y0 + (y + 1) * sy);
}

static int
find_row(const struct picture *p, struct row *out)
{
	struct ink ink = { 0 };
	int status = ink_of(p, &ink);

	if (!status)
		status = find_digits(&ink, out);
	for (int i = 0; !status && i < out->n; i++)
		normalise(&ink, &out->digits[i], out->planes[i]);
	free(ink.at);
	return status;
}

static void
print_digits(const float *likely, int n)
{
	for (int i = 0; i < n; i++, likely += 10) {
		int best = 0;
		for (int d = 1; d < 10; d++)
			best = likely[d] > likely[best] ? d : best;
		printf("  %.2f  %d\n", (double)likely[best], best);
	}
	printf("\n");
}

/* Runs the network on all digits and prints what they are. */
static int
name_digits(struct row *row, const struct network_place *place, struct sinter_error *error)
{
	struct network net = { 0 };
	int64_t dims[4] = { row->n, 1, SIDE, SIDE };
	const struct sinter_tensor *t = NULL;
	int status = network_open(&net, &digits_net_model, place, error);

	if (!status)
		t = network_run(&net, &row->planes[0][0][0], dims, error);
	if (t) {
		print_digits(t->data, row->n);
		network_report(&net, "all digits", "at once");
	}
	network_close(&net);
	return status || t ? status : (int)error->status;
}

static int
read_row(const char *path, const struct network_place *place, struct row *row,
	 struct sinter_error *error)
{
	struct picture picture;
	int status = picture_read(path, &picture, error);

	if (status)
		return status;
	if (find_row(&picture, row))
		status = failed(error, SINTER_NO_MEMORY, "no memory for the digits");
	picture_free(&picture);
	printf("%s: %d digit%s\n\n", path, row->n, row->n == 1 ? "" : "s");
	if (!status && row->n)
		status = name_digits(row, place, error);
	return status;
}

static int
usage(FILE *to, int code)
{
	fprintf(to,
		"usage: digits PICTURE.png [DEVICE]\n\n"
		"Prints the digits of a row, each with the confidence in it. They may have any\n"
		"colour on a plain ground, and must not touch. digits_net.weights lies beside the\n"
		"program. DEVICE is opencl:0, ... where that is what the network was compiled for\n"
		"(make digits DEVICE=opencl).\n\n"
		"Exit codes: 0 ok, 1 input, 2 usage.\n");
	return code;
}

/* Reads PATH on DEVICE, or the CPU if that is NULL. */
static int
digits(const char *path, const char *device, struct sinter_error *error)
{
	char folder[4096];
	struct network_place place = { .folder = folder };
	struct row *row = calloc(1, sizeof(*row));
	int status = row ? SINTER_OK : failed(error, SINTER_NO_MEMORY, "no memory");

	program_folder(folder, sizeof(folder));
	if (!status && device)
		status = sinter_device_open(device, &place.opts.device, error);
	if (!status)
		status = read_row(path, &place, row, error);
	sinter_device_close(place.opts.device);
	free(row);
	return status;
}

int
main(int argc, char **argv)
{
	struct sinter_error error = { 0 };

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return usage(stdout, 0);
	if (argc < 2 || argc > 3 || argv[1][0] == '-')
		return usage(stderr, EXIT_USAGE);
	int status = digits(argv[1], argv[2], &error);
	if (status)
		fprintf(stderr, "digits: %s\n", error.text);
	return status ? EXIT_INPUT : 0;
}
