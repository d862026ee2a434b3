/* Reads the words of a command line by the table cli/options.def. */
#include <getopt.h>
#include <stdio.h>
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

bool
options_parse(const struct command *c, struct options *o, int argc, char **argv)
{
	struct option list[ARRAY_LEN(rows) + 1];
	int map[ARRAY_LEN(rows)], n = 0, which, ch;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (takes(c, &rows[i])) {
			map[n] = (int)i;
			list[n++] = (struct option){ rows[i].name, rows[i].kind != F, NULL, 0 };
		}
	list[n] = (struct option){ 0 };
	optind = 1;
	while ((ch = getopt_long(argc, argv, "o:h", list, &which)) != -1) {
		if (ch == 'o')
			o->output = optarg;
		else if (ch == 'h')
			o->is_help = true;
		else if (ch == 0)
			set(o, &rows[map[which]], optarg);
		else
			return false;
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
		snprintf(word, sizeof(word), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		printf("  %-24s %s\n", word, rows[i].help);
	}
}
