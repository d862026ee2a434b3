/* sinter: the command. */
#include <stdio.h>
#include <string.h>
#include "cli/command.h"

#define MODEL "shape dim cpu"
#define PASSES "passes stop-after dump-after verify-each time-passes"

static const struct command commands[] = {
	{ "compile", "compile MODEL -o DIR [options]",
	  "Compiles an ONNX model to C, a header, weights and a shared object.",
	  MODEL " " PASSES " target name weights threads cc no-cc output quiet json", cmd_compile },
	{ "help", "help", "Lists the commands.", "", cmd_help },
};

int
cmd_help(struct options *o)
{
	(void)o;
	printf("usage: sinter COMMAND [options]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	printf("\nsinter COMMAND --help tells more. Exit codes: 0 ok, 1 input, 2 usage, 3 internal.\n");
	return SN_OK;
}

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	struct sn_guard guard;
	struct sn_arena arena;
	sn_arena_init(&arena, &guard);
	struct options o = { .arena = &arena };
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(&o) + (argc < 2 ? SN_ERR_USAGE : 0);
	const struct command *c = command_find(argv[1]);
	if (!c) {
		fprintf(stderr, "sinter: '%s' is not a command; sinter help lists them\n", argv[1]);
		return SN_ERR_USAGE;
	}
	if (SN_GUARD_ENTER(&guard) != SN_OK) {
		fprintf(stderr, "sinter: %s\n", guard.text);
		return SN_ERR_INTERNAL;
	}
	if (!options_parse(c, &o, argc - 1, argv + 1))
		return SN_ERR_USAGE;
	if (o.is_help) {
		options_help(c);
		return SN_OK;
	}
	int code = c->run(&o);
	sn_arena_release(&arena);
	return code;
}
