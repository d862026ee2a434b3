/* sinter: the command. */
#include <stdio.h>
#include <string.h>
#include "cli/command.h"

#define MODEL "shape dim cpu"
#define PASSES "passes stop-after dump-after verify-each time-passes"

static const struct command commands[] = {
	{ "compile", "compile MODEL -o DIR [options]",
	  "Compiles an ONNX model to C, a header, weights and a shared object.",
	  MODEL " " PASSES " target +device name weights +threads cc no-cc output quiet json",
	  cmd_compile },
	{ "run", "run MODEL|DIR [--input x=FILE]... --output DIR [options]",
	  "Runs a model, or a folder that sinter compile made, on tensors from .npy or .pb files.\n"
	  "The outputs are written as .npy files and listed in DIR/outputs.json.",
	  MODEL " target device cc input random threads profile output quiet json", cmd_run },
	{ "verify", "verify MODEL|DIR --data DIR [options]",
	  "Compares a model's outputs with the expected ones of a folder of ONNX test data\n"
	  "(input_0.pb, output_0.pb, ...) or of .npy files. A mismatch exits with 1.",
	  MODEL " target device cc data rtol atol per-kernel threads quiet json", cmd_verify },
	{ "bench", "bench MODEL|DIR [options]", "Measures how long a run takes, on random inputs.",
	  MODEL " target device cc input threads seconds resident quiet json", cmd_bench },
	{ "dot", "dot MODEL [-o FILE] [options]",
	  "Draws a model as a picture, as read or after any pass.",
	  MODEL " +device after format output timeout quiet json", cmd_dot },
	{ "info", "info MODEL|DIR [options]",
	  "Prints what a model, or a folder that sinter compile made, consists of; with --device,\n"
	  "which of its kernels run there, which on the host, and why.",
	  MODEL " +device json", cmd_info },
	{ "devices", "devices [--json]",
	  "Lists the devices that models can run on, and how fast they copy.", "json",
	  cmd_devices },
	{ "cache", "cache --list|--clear",
	  "Lists or removes the programs that devices' drivers have compiled (SINTER_CACHE_DIR).",
	  "list clear json", cmd_cache },
	{ "ops", "ops", "Prints the table of supported operators (docs/ops.md).", "json", cmd_ops },
	{ "help", "help", "Lists the commands.", "", cmd_help },
};

int
cmd_help(struct options *o)
{
	(void)o;
	printf("usage: sinter COMMAND [options]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-10s %.*s\n", commands[i].name, (int)strcspn(commands[i].summary, "\n"),
		       commands[i].summary);
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
	struct interrupt interrupt;
	struct options o = { .arena = &arena, .interrupt = &interrupt };
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(&o) + (argc < 2 ? SN_ERR_USAGE : 0);
	const struct command *c = command_find(argv[1]);
	if (!c) {
		fprintf(stderr, "sinter: '%s' is not a command; sinter help lists them\n", argv[1]);
		return SN_ERR_USAGE;
	}
	interrupt_start(&interrupt);
	if (SN_GUARD_ENTER(&guard) != SN_OK) {
		fprintf(stderr, "sinter: %s\n", guard.text);
		interrupt_remove(&interrupt);
		return SN_ERR_INTERNAL;
	}
	if (!options_parse(c, &o, argc - 1, argv + 1))
		return SN_ERR_USAGE;
	if (o.is_help) {
		options_help(c);
		return SN_OK;
	}
	int code = c->run(&o);
	interrupt_remove(&interrupt);
	sn_arena_release(&arena);
	return code;
}
