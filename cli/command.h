/*
 * The sinter command: one table of subcommands, one set of options.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/compiler.h"
#include "cli/interrupt.h"

/* What every command that reads a model understands; see cli/options.def. */
struct options {
	struct sn_arena *arena;
	struct interrupt *interrupt;
	const char *model;	       /* first operand */
	SN_VEC(const char *) operands; /* the others */
	SN_VEC(const char *) shapes, dims, inputs;
	const char *output, *target, *cpu, *name, *weights, *cc;
	const char *passes, *stop_after, *dump_after, *format, *after, *data, *profile, *device;
	const char *threads, *random, *seconds, *timeout, *rtol, *atol;
	bool is_threaded, is_source_only, is_verified, is_timed, is_json, is_per_kernel, is_quiet,
		is_resident, is_help, is_listed, is_cleared;
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
void options_emit(struct options *o, struct sn_emit_opts *out);

/* Prints the diagnostics of a compilation on stderr (JSON with --json) and returns the exit code. */
int finish(struct sn_compiler *c, enum sn_status s, const struct options *o);

/* Numbers of options: *OUT stays as it is when TEXT is NULL; false after a message. */
bool option_number(const char *name, const char *text, double lo, double hi, double *out);
bool option_int(const char *name, const char *text, int lo, int hi, int *out);

/* Is there a person to show progress to? */
bool is_progress_shown(const struct options *o);
/* Shows WHAT is being done on a line that the next call replaces; NULL: clears it. */
void show_progress(const struct options *o, const char *what);

int cmd_bench(struct options *o);
int cmd_cache(struct options *o);
int cmd_compile(struct options *o);
int cmd_devices(struct options *o);
int cmd_dot(struct options *o);
int cmd_info(struct options *o);
int cmd_ops(struct options *o);
int cmd_run(struct options *o);
int cmd_verify(struct options *o);
int cmd_help(struct options *o);

#endif
