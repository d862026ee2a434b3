/*
 * Reads lines: a strip of 48 rows goes in, for every 8 columns comes out how likely each letter is.
 * The best of each step, without repetitions and without class 0 ("no letter"), is the text.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "examples/common/picture.h"
#include "examples/ocr/recognise.h"

enum { ROWS = 48, STEP = 8, FEWEST_STEPS = 2 };
static const double CREDIBLE = 0.8;

static int
best_class(const float *likely, int n)
{
	int best = 0;

	for (int i = 1; i < n; i++)
		if (likely[i] > likely[best])
			best = i;
	return best;
}

static void
add_letter(struct line *l, const char *letter, float likely)
{
	size_t n = strlen(letter), at = (size_t)l->start[l->letters];

	memcpy(l->text + at, letter, n + 1);
	l->likely[l->letters++] = likely;
	l->start[l->letters] = (int)(at + n);
}

static void
decode(const float *likely, int steps, const struct alphabet *a, struct line *out)
{
	double sum = 0;

	out->letters = 0;
	out->start[0] = 0;
	out->text[0] = '\0';
	for (int t = 0, last = 0; t < steps; t++) {
		const float *row = likely + (size_t)t * (size_t)a->classes;
		int best = best_class(row, a->classes);
		if (best != 0 && best != last) {
			add_letter(out, a->letters[best], row[best]);
			sum += (double)row[best];
		}
		last = best;
	}
	out->confidence = out->letters ? sum / out->letters : 0;
}

static int
steps_of(const struct box *b)
{
	double steps = ceil(b->length / b->height * ROWS / STEP);

	return steps < FEWEST_STEPS ? FEWEST_STEPS : steps > MOST_STEPS ? MOST_STEPS : (int)steps;
}

static int
read_box(struct network *n, const struct alphabet *a, const struct picture *p, const struct box *b,
	 struct line *out, struct sinter_error *error)
{
	int64_t dims[4] = { 1, 3, ROWS, (int64_t)STEP * steps_of(b) };
	float *planes = malloc((size_t)(3 * ROWS * dims[3]) * sizeof(*planes));
	int status = SINTER_OK;

	if (!planes)
		return failed(error, SINTER_NO_MEMORY, "no memory for a line");
	sample_box(p, b, ROWS, (int)dims[3], planes);
	const struct sinter_tensor *t = network_run(n, planes, dims, error);
	if (!t)
		status = error->status;
	else if (t->dims[1] > MOST_STEPS || t->dims[2] != a->classes)
		status = failed(error, SINTER_BAD_DIMS,
				"the alphabet has %d letters, the network %lld", a->classes,
				(long long)t->dims[2]);
	else
		decode(t->data, (int)t->dims[1], a, out);
	free(planes);
	return status;
}

/* Box B turned by TURN quarters clockwise. */
static struct box
turned(struct box b, int turn)
{
	for (; turn > 0; turn--)
		b = (struct box){ b.x, b.y, -b.dy, b.dx, b.height, b.length };
	return b;
}

int
recognise_line(struct network *n, const struct alphabet *a, const struct picture *p,
	       const struct box *box, struct line *out, struct sinter_error *error)
{
	static const int turns[] = { 0, 2, 1, 3 };
	int ntries = box->length < 3 * box->height ? 4 : 2;
	struct line *other = malloc(sizeof(*other));

	if (!other)
		return failed(error, SINTER_NO_MEMORY, "no memory for a line");
	int status = read_box(n, a, p, box, out, error);
	for (int i = 1; !status && i < ntries && out->confidence < CREDIBLE; i++) {
		struct box b = turned(*box, turns[i]);
		status = read_box(n, a, p, &b, other, error);
		if (!status && other->confidence > out->confidence)
			*out = *other;
	}
	free(other);
	return status;
}
