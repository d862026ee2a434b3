/*
 * The sinter command: one table of subcommands, one set of options.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/compiler.h"

/* What every command that reads a model understands; see cli/options.def. */
struct options {
	struct sn_arena *arena;
	const char *model;	       /* first operand */
	SN_VEC(const char *) operands; /* the others */
	SN_VEC(const char *) shapes, dims, inputs;
	const char *output, *target, *cpu, *name, *weights, *cc;
	const char *passes, *stop_after, *dump_after, *format, *after, *data, *profile, *device;
	const char *threads, *random, *seconds, *timeout, *rtol, *atol;
	bool is_threaded, is_source_only, is_verified, is_timed, is_json, is_per_kernel, is_quiet,
		is_help;
};

struct command {
	const char *name, *usage, *summary;
	const char *options; /* names of the options it takes, separated by blanks */
	int (*run)(struct options *o);
};

const struct command *command_find(const char *name);

/* Reads the words after the command; false after a message about wrong usage. */
bool options_parse(const struct command *c, struct options *o, int argc, char **argv);
void options_help(const struct command *c);

/* The compiler's options that O asks for. */
void options_compiler(struct options *o, struct sn_compiler_opts *out);

/* Prints the diagnostics of a compilation on stderr (JSON with --json) and returns the exit code. */
int finish(struct sn_compiler *c, enum sn_status s, const struct options *o);

int cmd_compile(struct options *o);
int cmd_help(struct options *o);

#endif
