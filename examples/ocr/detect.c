/*
 * Finds lines: the network says for each pixel how likely it lies in the middle part of a line of
 * text.  Connected likely pixels are a line; their principal axis is its direction.  The network
 * shrinks lines, so that neighbours stay apart; the boxes are grown again.
 */
#include <math.h>
#include <stdlib.h>
#include "examples/common/blobs.h"
#include "examples/ocr/detect.h"

enum { LONGEST = 960, GRID = 32, SHORTEST_SIDE = 3 };
static const double LIKELY = 0.3, SCORE = 0.5, GROWTH = 1.6;

/* The network's map and how it lies on the picture. */
struct map {
	const float *likely;
	int width;
	double sx, sy; /* pixels of the picture per pixel of the map */
};

static int
rounded(double side)
{
	int n = (int)(side / GRID + 0.5) * GRID;

	return n < GRID ? GRID : n > LONGEST ? LONGEST : n;
}

struct detect_size
detect_size(const struct picture *p)
{
	int longer = p->width > p->height ? p->width : p->height;
	double scale = longer > LONGEST ? (double)LONGEST / longer : 1;

	return (struct detect_size){ rounded(p->height * scale), rounded(p->width * scale) };
}

/* Mean over the set's own pixels: a box around a tilted line has much else in it. */
static double
score_of(const struct map *m, const int *pixels, int count)
{
	double sum = 0;

	for (int i = 0; i < count; i++)
		sum += (double)m->likely[pixels[i]];
	return sum / count;
}

static double
px_of(const struct map *m, int pixel)
{
	return (pixel % m->width + 0.5) * m->sx;
}

static double
py_of(const struct map *m, int pixel)
{
	return (pixel / m->width + 0.5) * m->sy;
}

/* Angle of the axis along which the pixels spread most, in (-pi/2, pi/2]. */
static double
principal_angle(const struct map *m, const int *pixels, int count)
{
	double x = 0, y = 0, xx = 0, xy = 0, yy = 0;

	for (int i = 0; i < count; i++) {
		x += px_of(m, pixels[i]) / count;
		y += py_of(m, pixels[i]) / count;
	}
	for (int i = 0; i < count; i++) {
		double dx = px_of(m, pixels[i]) - x, dy = py_of(m, pixels[i]) - y;
		xx += dx * dx;
		xy += dx * dy;
		yy += dy * dy;
	}
	return 0.5 * atan2(2 * xy, xx - yy);
}

/* The smallest box of direction ANGLE around the pixels. */
static struct box
box_around(const struct map *m, const int *pixels, int count, double angle)
{
	struct box b = { .dx = cos(angle), .dy = sin(angle) };
	double u0 = INFINITY, u1 = -INFINITY, v0 = INFINITY, v1 = -INFINITY;

	for (int i = 0; i < count; i++) {
		double x = px_of(m, pixels[i]), y = py_of(m, pixels[i]);
		double u = x * b.dx + y * b.dy, v = y * b.dx - x * b.dy;
		u0 = fmin(u0, u);
		u1 = fmax(u1, u);
		v0 = fmin(v0, v);
		v1 = fmax(v1, v);
	}
	/* A pixel has a size. */
	b.length = u1 - u0 + fabs(b.dx) * m->sx + fabs(b.dy) * m->sy;
	b.height = v1 - v0 + fabs(b.dy) * m->sx + fabs(b.dx) * m->sy;
	b.x = (u0 + u1) / 2 * b.dx - (v0 + v1) / 2 * b.dy;
	b.y = (u0 + u1) / 2 * b.dy + (v0 + v1) / 2 * b.dx;
	return b;
}

static void
grow(struct box *b)
{
	double d = b->length * b->height * GROWTH / (2 * (b->length + b->height));

	b->length += 2 * d;
	b->height += 2 * d;
}

/* Mean direction of the long lines that are not upright: that of the page. */
static double
page_angle(const struct box *boxes, int count)
{
	double x = 0, y = 0;

	for (int i = 0; i < count; i++)
		if (boxes[i].length > 3 * boxes[i].height && boxes[i].dx > fabs(boxes[i].dy)) {
			x += boxes[i].length * boxes[i].dx;
			y += boxes[i].length * boxes[i].dy;
		}
	return atan2(y, x); /* 0 if there is none */
}

/* Boxes of the sets that pass for lines; a short word has no axis of its own and takes the page's. */
static int
boxes_of(const struct map *m, const struct blobs *b, struct box *out)
{
	int n = 0, from[MOST_LINES];

	for (int i = 0; i < b->n; i++) {
		const int *pixels = b->pixels + b->list[i].first;
		int count = b->list[i].count;
		struct box box = box_around(m, pixels, count, principal_angle(m, pixels, count));
		if (box.height < SHORTEST_SIDE * fmin(m->sx, m->sy)
		    || score_of(m, pixels, count) < SCORE)
			continue;
		from[n] = i;
		out[n++] = box;
	}
	double angle = page_angle(out, n);
	for (int i = 0; i < n; i++) {
		const struct blob *blob = &b->list[from[i]];
		if (out[i].length < 3 * out[i].height)
			out[i] = box_around(m, b->pixels + blob->first, blob->count, angle);
		grow(&out[i]);
	}
	return n;
}

/* Where a box stands on a page that is turned back. */
struct place {
	double down, right, height;
	struct box box;
};

static int
by_down(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	return (p->down > q->down) - (p->down < q->down);
}

static int
by_right(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	return (p->right > q->right) - (p->right < q->right);
}

/* From top to bottom; what is less than half a line apart, from left to right. */
static void
sort_boxes(struct box *boxes, int n, struct place *places)
{
	double angle = page_angle(boxes, n), dx = cos(angle), dy = sin(angle);

	for (int i = 0; i < n; i++)
		places[i] = (struct place){ .down = boxes[i].y * dx - boxes[i].x * dy,
					    .right = boxes[i].x * dx + boxes[i].y * dy,
					    .height = boxes[i].height,
					    .box = boxes[i] };
	qsort(places, (size_t)n, sizeof(*places), by_down);
	for (int i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n; j++)
			if (places[j].down - places[j - 1].down > places[i].height / 2)
				break;
		qsort(places + i, (size_t)(j - i), sizeof(*places), by_right);
	}
	for (int i = 0; i < n; i++)
		boxes[i] = places[i].box;
}

static int
lines_of_map(const struct map *m, int rows, struct box *out, int *out_count,
	     struct sinter_error *error)
{
	int n = rows * m->width, status = SINTER_OK;
	unsigned char *mask = malloc((size_t)n);
	struct place *places = malloc(MOST_LINES * sizeof(*places));
	struct blobs blobs = { 0 };

	for (int i = 0; mask && i < n; i++)
		mask[i] = (double)m->likely[i] > LIKELY;
	if (!mask || !places || blobs_find(mask, m->width, rows, MOST_LINES, &blobs)) {
		status = failed(error, SINTER_NO_MEMORY, "no memory for the lines");
	} else {
		*out_count = boxes_of(m, &blobs, out);
		sort_boxes(out, *out_count, places);
	}
	blobs_free(&blobs);
	free(places);
	free(mask);
	return status;
}

int
detect_lines(struct network *n, const struct picture *p, struct box out[MOST_LINES], int *out_count,
	     struct sinter_error *error)
{
	struct detect_size size = detect_size(p);
	int64_t dims[4] = { 1, 3, size.rows, size.columns };
	float *planes = malloc(3 * (size_t)size.rows * (size_t)size.columns * sizeof(*planes));
	int status = SINTER_OK;

	if (!planes)
		return failed(error, SINTER_NO_MEMORY, "no memory for the picture");
	struct box whole = box_whole(p);
	sample_box(p, &whole, size.rows, size.columns, planes);
	const struct sinter_tensor *t = network_run(n, planes, dims, error);
	if (!t) {
		status = error->status;
	} else {
		struct map m = { .likely = t->data,
				 .width = size.columns,
				 .sx = (double)p->width / size.columns,
				 .sy = (double)p->height / size.rows };
		status = lines_of_map(&m, size.rows, out, out_count, error);
	}
	free(planes);
	return status;
}
