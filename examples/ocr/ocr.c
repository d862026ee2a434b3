/* ocr: reads the text in a PNG picture with two networks that sinter compiled into this program. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "examples/ocr/detect.h"
#include "examples/ocr/recognise.h"

/* Of the generated headers, which would repeat the ABI's declarations. */
extern const struct sinter_model ocr_det_model, ocr_rec_model;

enum { EXIT_INPUT = 1, EXIT_USAGE = 2, MOST_SIDE = 1920 };
static const double BELIEVABLE = 0.5;

struct settings {
	const char *picture;
	const char *device; /* NULL: the CPU */
	char folder[4096];  /* of the weights and the alphabet */
	int threads, repeat, has_words, has_boxes;
};

struct reader {
	struct sinter_pool *pool;
	struct sinter_device *device;
	struct network det, rec;
	struct alphabet alphabet;
};

/* All that is known of a picture; large, so it lives on the heap. */
struct page {
	struct picture picture;
	int width, height; /* of the file */
	int count;
	struct box boxes[MOST_LINES];
	struct line lines[MOST_LINES];
};

static void
print_help(FILE *to)
{
	fprintf(to,
		"usage: ocr [options] PICTURE.png\n\n"
		"Prints the lines of text in a picture, each with the confidence in it.\n\n"
		"  -w, --words        a word per row, each with its own confidence\n"
		"  -b, --boxes        where each line is: centre, length, height, angle\n"
		"  -t, --threads N    threads to compute with (default 1)\n"
		"  -r, --repeat N     read N times; latencies are those of the last time\n"
		"  -d, --device NAME  what the networks were compiled for (make DEVICE=opencl):\n"
		"                     opencl:0, ...\n"
		"  -m, --models DIR   where the weights and the alphabet are\n"
		"                     (default: beside the program)\n"
		"  -h, --help         this text\n\n"
		"Exit codes: 0 ok, 1 input, 2 usage.\n");
}

/* A number from 1 to MOST, or 0. */
static int
number(const char *text, int most)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end == text || *end || n < 1 || n > most ? 0 : (int)n;
}

/* -1: go on; else the exit code. */
static int
parse(int argc, char **argv, struct settings *s)
{
	static const struct option options[] = {
		{ "words", no_argument, NULL, 'w' },
		{ "boxes", no_argument, NULL, 'b' },
		{ "threads", required_argument, NULL, 't' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "device", required_argument, NULL, 'd' },
		{ "models", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*s = (struct settings){ .threads = 1, .repeat = 1 };
	program_folder(s->folder, sizeof(s->folder));
	while ((c = getopt_long(argc, argv, "wbt:r:d:m:h", options, NULL)) != -1) {
		switch (c) {
		case 'w': s->has_words = 1; break;
		case 'b': s->has_boxes = 1; break;
		case 't': s->threads = number(optarg, 256); break;
		case 'r': s->repeat = number(optarg, 1000000); break;
		case 'd': s->device = optarg; break;
		case 'm': snprintf(s->folder, sizeof(s->folder), "%s", optarg); break;
		case 'h': print_help(stdout); return 0;
		default: fprintf(stderr, "ocr --help lists the options\n"); return EXIT_USAGE;
		}
	}
	if (s->threads && s->repeat && optind + 1 == argc) {
		s->picture = argv[optind];
		return -1;
	}
	if (!s->threads || !s->repeat)
		fprintf(stderr, "ocr: --threads and --repeat take a number from 1\n");
	else
		print_help(stderr);
	return EXIT_USAGE;
}

static int
open_reader(struct reader *r, const struct settings *s, struct sinter_error *error)
{
	char path[sizeof(s->folder) + 32];
	int status = SINTER_OK;

	if (s->threads > 1)
		status = sinter_pool_new(s->threads, &r->pool, error);
	if (!status && s->device)
		status = sinter_device_open(s->device, &r->device, error);
	const struct network_place place = { s->folder, { .pool = r->pool, .device = r->device } };
	if (!status)
		status = network_open(&r->det, &ocr_det_model, &place, error);
	if (!status)
		status = network_open(&r->rec, &ocr_rec_model, &place, error);
	snprintf(path, sizeof(path), "%s/ocr_rec.alphabet", s->folder);
	return status ? status : alphabet_read(path, &r->alphabet, error);
}

static void
close_reader(struct reader *r)
{
	network_close(&r->det);
	network_close(&r->rec);
	sinter_pool_free(r->pool);
	sinter_device_close(r->device);
	alphabet_free(&r->alphabet);
}

static int
read_page(struct reader *r, struct page *page, struct sinter_error *error)
{
	int count = 0, status = detect_lines(&r->det, &page->picture, page->boxes, &count, error);

	page->count = 0;
	for (int i = 0; !status && i < count; i++) {
		struct line *line = &page->lines[page->count];
		status = recognise_line(&r->rec, &r->alphabet, &page->picture, &page->boxes[i],
					line, error);
		if (status || line->confidence < BELIEVABLE)
			continue;
		page->boxes[page->count++] = page->boxes[i];
	}
	return status;
}

/* The words of a line, each with the mean of its letters. */
static void
print_words(const struct line *l)
{
	double sum = 0;
	int first = 0;

	for (int i = 0; i <= l->letters; i++) {
		int is_end = i == l->letters || l->text[l->start[i]] == ' ';
		if (is_end && i > first)
			printf("  %.2f  %.*s\n", sum / (i - first), l->start[i] - l->start[first],
			       l->text + l->start[first]);
		if (is_end) {
			first = i + 1;
			sum = 0;
		} else {
			sum += (double)l->likely[i];
		}
	}
}

static void
print_page(const struct page *page, const struct settings *s)
{
	double scale = (double)page->width / page->picture.width;

	printf("%s: %d x %d pixels, %d line%s of text\n\n", s->picture, page->width, page->height,
	       page->count, page->count == 1 ? "" : "s");
	for (int i = 0; i < page->count; i++) {
		const struct box *b = &page->boxes[i];
		if (s->has_boxes)
			printf("  (%.0f,%.0f) %.0f x %.0f, %.1f degrees\n", b->x * scale,
			       b->y * scale, b->length * scale, b->height * scale,
			       -atan2(b->dy, b->dx) * 180 / 3.14159265358979);
		if (s->has_words)
			print_words(&page->lines[i]);
		else
			printf("  %.2f  %s\n", page->lines[i].confidence, page->lines[i].text);
	}
	printf("%s", page->count ? "\n" : "");
}

static void
print_networks(const struct reader *r, const struct page *page)
{
	char what[64];
	struct detect_size size = detect_size(&page->picture);

	snprintf(what, sizeof(what), "for %d x %d pixels", size.columns, size.rows);
	network_report(&r->det, "detection", what);
	snprintf(what, sizeof(what), "a line, mean of %d", r->rec.runs);
	network_report(&r->rec, "recognition", what);
}

static int
run(struct reader *r, struct page *page, const struct settings *s, struct sinter_error *error)
{
	int status = picture_read(s->picture, &page->picture, error);

	if (!status)
		status = open_reader(r, s, error);
	if (status)
		return status;
	page->width = page->picture.width;
	page->height = page->picture.height;
	while (page->picture.width >= MOST_SIDE || page->picture.height >= MOST_SIDE)
		picture_halve(&page->picture);
	for (int i = 0; !status && i < s->repeat; i++) {
		r->det.runs = r->rec.runs = 0;
		r->det.total_ns = r->rec.total_ns = 0;
		status = read_page(r, page, error);
	}
	if (status)
		return status;
	print_page(page, s);
	print_networks(r, page);
	return SINTER_OK;
}

int
main(int argc, char **argv)
{
	struct settings s;
	struct sinter_error error = { 0 };
	struct reader reader = { 0 };
	int code = parse(argc, argv, &s);

	if (code >= 0)
		return code;
	struct page *page = calloc(1, sizeof(*page));
	int status = page ? run(&reader, page, &s, &error)
			  : failed(&error, SINTER_NO_MEMORY, "no memory");
	if (status)
		fprintf(stderr, "ocr: %s\n", error.text);
	close_reader(&reader);
	if (page)
		picture_free(&page->picture);
	free(page);
	return status ? EXIT_INPUT : 0;
}
