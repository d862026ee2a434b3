/*
 * The compiler as a library: from a model file to a module at any level, and to
 * a package on disk.  The sinter command, the tests and other programs are its
 * clients.  No globals, no exit, no printing.
 */
#ifndef CLI_COMPILER_H
#define CLI_COMPILER_H

#include "codegen/codegen.h"
#include "frontend/onnx_import.h"
#include "passes/pass.h"

struct sn_compiler_opts {
	const char *model;	      /* path of the ONNX file, or of IR text (.sn) */
	struct sn_import_opts import; /* pinned dimensions */
	const char *name;	      /* C identifier; NULL: from the file's name */
	const char *dialect;	      /* NULL: "c" */
	const char *cpu;	      /* NULL: "native" */
	const struct sn_target *target; /* instead of cpu; NULL: that */
	bool is_threaded;
	struct sn_pipeline_opts pipeline;
};

/* One compilation; everything it makes lives until sn_compiler_release. */
struct sn_compiler {
	struct sn_arena arena;
	struct sn_guard guard;
	struct sn_diags diags;
	struct sn_pool pool;
	struct sn_module *module;
	const struct sn_dialect *dialect;
	int cc_signal; /* that ended the C compiler, 0: none */
	int64_t import_ns, passes_ns, emit_ns, cc_ns;
};

void sn_compiler_init(struct sn_compiler *c);
void sn_compiler_release(struct sn_compiler *c);

/* Imports and runs the pipeline. On failure c->diags says why. */
enum sn_status sn_compiler_run(struct sn_compiler *c, const struct sn_compiler_opts *o);

struct sn_emit_opts {
	const char *folder;
	enum sn_weights_form weights;
	const char *cc;				    /* C compiler, NULL: "cc"; */
	bool is_source_only;			    /* do not call it */
	const char **out_line;			    /* the exact command line, if not NULL */
	void (*stage)(void *arg, const char *what); /* progress; NULL: none */
	void *arg;
};

/* Writes the package, with the compiler's command line in FOLDER/build.sh, and compiles it to
 * FOLDER/libNAME.so, which appears when it is complete. */
enum sn_status sn_compiler_emit(struct sn_compiler *c, const struct sn_emit_opts *o);

/* A C identifier made of a model's file name. */
const char *sn_compiler_name(struct sn_arena *a, const char *path);

#endif
