/* Reads the words of a command line by the table cli/options.def. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/command.h"

enum kind { F, S, L };

struct option_row {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *argument, *help;
};

static const struct option_row rows[] = {
#define OPTION(name, kind, field, argument, help) \
	{ name, kind, offsetof(struct options, field), argument, help },
#include "cli/options.def"
#undef OPTION
};

typedef SN_VEC(const char *) string_list;

/* Is NAME one of the words of LIST? */
static bool
is_word_of(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static bool
takes(const struct command *c, const struct option_row *r)
{
	return !strcmp(r->name, "help") || is_word_of(c->options, r->name);
}

static const char *
plain_name(const struct option_row *r)
{
	return r->name + (r->name[0] == '+');
}

static void
set(struct options *o, const struct option_row *r, const char *value)
{
	void *field = (char *)o + r->offset;
	if (r->kind == F)
		*(bool *)field = true;
	else if (r->kind == S)
		*(const char **)field = value;
	else
		SN_PUSH(o->arena, (string_list *)field, value);
}

static bool
operands(struct options *o, int argc, char **argv)
{
	for (int i = optind; i < argc; i++) {
		if (!o->model)
			o->model = argv[i];
		else
			SN_PUSH(o->arena, &o->operands, argv[i]);
	}
	return true;
}

/* getopt has named the option. */
static bool
hint(const struct command *c)
{
	fprintf(stderr, "usage: sinter %s\nsinter %s --help tells more\n", c->usage, c->name);
	return false;
}

bool
options_parse(const struct command *c, struct options *o, int argc, char **argv)
{
	struct option list[ARRAY_LEN(rows) + 1];
	int map[ARRAY_LEN(rows)], n = 0, which, ch;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (takes(c, &rows[i])) {
			map[n] = (int)i;
			list[n++] = (struct option){ plain_name(&rows[i]), rows[i].kind != F, NULL,
						     0 };
		}
	list[n] = (struct option){ 0 };
	optind = 1;
	argv[0] = sn_printf(o->arena, "sinter %s",
			    c->name); /* getopt begins its messages with it */
	while ((ch = getopt_long(argc, argv, "o:h", list, &which)) != -1) {
		if (ch == 'o')
			o->output = optarg;
		else if (ch == 'h')
			o->is_help = true;
		else if (ch == 0)
			set(o, &rows[map[which]], optarg);
		else
			return hint(c);
	}
	return operands(o, argc, argv);
}

void
options_help(const struct command *c)
{
	printf("usage: sinter %s\n\n%s\n\n", c->usage, c->summary);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char word[64];
		if (!takes(c, &rows[i]))
			continue;
		snprintf(word, sizeof(word), "--%s%s%s", plain_name(&rows[i]),
			 rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
		printf("  %-24s %s\n", word, rows[i].help);
	}
}

bool
option_number(const char *name, const char *text, double lo, double hi, double *out)
{
	char *end;
	if (!text)
		return true;
	double x = strtod(text, &end);
	if (end == text || *end || !(x >= lo && x <= hi)) {
		fprintf(stderr, "sinter: --%s is a number from %g to %g, not '%s'\n", name, lo, hi,
			text);
		return false;
	}
	*out = x;
	return true;
}

bool
option_int(const char *name, const char *text, int lo, int hi, int *out)
{
	double x = *out;
	if (!option_number(name, text, lo, hi, &x))
		return false;
	*out = (int)x;
	if (*out == x)
		return true;
	fprintf(stderr, "sinter: --%s is a whole number, not '%s'\n", name, text);
	return false;
}
