/*
 * What run, verify and bench share: a model, compiled first if it is an ONNX file, and a session.
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "cli/command.h"
#include "cli/value.h"
#include "runtime/sinter_runtime.h"

struct job {
	struct options *o;
	struct sn_diags diags; /* of the command itself */
	struct sn_compiler compiler;
	bool is_compiled; /* MODEL was an ONNX file */
	int code;	  /* exit code of a failed compilation */
	struct sinter_loaded *loaded;
	const struct sinter_model *model;
	struct sinter_device *device; /* NULL: the CPU */
	struct sinter_pool *pool;
	struct sinter_profile *profile;
	struct sinter_session *session;
	struct value *inputs;
	/* Set before job_open: sinter_session_opts.kernel, with J as ctx. */
	void (*on_kernel)(void *job, int32_t k, int32_t phase);
	void *arg;			      /* of on_kernel */
	int64_t emit_ns, compile_ns, load_ns; /* without and with the C compiler; load and init */
};

void job_init(struct job *j, struct options *o);

/* Compiles and loads the model (or loads a package) and makes a session; with room for EVENTS kernel
 * calls in a profile if not 0. All functions here report and return false on failure. */
bool job_open(struct job *j, size_t events);

/* Fills j->inputs: from --input, the others random if SEED is not NULL. */
bool job_inputs(struct job *j, uint64_t *seed);

/* Gives j->inputs to the session and makes room for the outputs. */
bool job_bind(struct job *j);
bool job_run(struct job *j);

/* Output I after job_run: a view of the session's memory. */
struct value job_output(const struct job *j, uint32_t i);

/* Reports an error of the runtime. */
bool job_failed(struct job *j, const struct sinter_error *e);

/* Prints what was reported, gives all back, and returns the exit code. */
int job_close(struct job *j, bool ok);

/* Folder or shared object, thus not an ONNX file? */
bool is_package(const char *path);

#endif
