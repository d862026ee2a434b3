/*
 * The runtime of compiled models: loads one, gives it memory and threads, runs
 * it, records how long its kernels took.  docs/runtime.md has an example.
 *
 *	struct sinter_loaded    a model and its weights, shared by all that run it
 *	struct sinter_session   one run at a time: context, bound tensors, arena
 *	struct sinter_pool      worker threads, shared by sessions
 *	struct sinter_profile   times of kernels, of one session
 *
 * Ownership: what a _new, _load or _link function returns is the caller's, who
 * gives it back by the function named there, sessions before what they use.
 * Strings and structures that are returned belong to the object asked.
 *
 * Threads: different objects may be used by different threads at the same time.
 * A loaded model and a pool may be used by many threads at once; a session and
 * its profile by one at a time.
 *
 * Errors: functions that can fail return SINTER_OK or another status; ERROR
 * (may be NULL) then holds a sentence that names the file or tensor.  On
 * failure nothing is returned through OUT and nothing is leaked.  The runtime
 * never aborts, exits or prints.  sinter_session_run allocates nothing.
 */
#ifndef SINTER_RUNTIME_H
#define SINTER_RUNTIME_H

#include "runtime/sinter_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Beside those of enum sinter_status, which end below 64. */
enum sinter_runtime_status {
	SINTER_NO_MEMORY = 64,
	SINTER_NO_FILE = 65,	/* a file can't be opened, read or written */
	SINTER_NO_MODEL = 66,	/* not a compiled model, or of another ABI version */
	SINTER_NO_THREADS = 67, /* the system gave fewer threads than asked for */
	SINTER_NO_NAME = 68,	/* there is no input or output of that name or number */
};

/* A sentence for any status; a constant. */
const char *sinter_status_text(int status);

struct sinter_error {
	int status;
	char text[512]; /* NUL-terminated, one line */
};

/* ---- models ---- */

struct sinter_loaded;

/* Loads the compiled model in PATH: a folder that holds one libNAME.so, or that file.  NAME.weights
 * beside it is mapped read-only and shared with all processes that use it.  Code in PATH is executed:
 * load what you trust.  SINTER_NO_FILE, SINTER_NO_MODEL, SINTER_BAD_WEIGHTS (wrong size),
 * SINTER_NO_MEMORY.  Give back by sinter_model_unload. */
int sinter_model_load(const char *path, struct sinter_loaded **out, struct sinter_error *error);

/* The same for a MODEL linked into the program (NAME_model of its header).  WEIGHTS_PATH is the
 * weights file; NULL if they are embedded or there are none. */
int sinter_model_link(const struct sinter_model *model, const char *weights_path,
		      struct sinter_loaded **out, struct sinter_error *error);

/* NULL does nothing.  All its sessions must be gone. */
void sinter_model_unload(struct sinter_loaded *loaded);

/* Name, inputs, outputs, kernels (runtime/sinter_abi.h); valid until sinter_model_unload. */
const struct sinter_model *sinter_model_of(const struct sinter_loaded *loaded);

/* The number of the input or output NAME, or -1. */
int sinter_model_input(const struct sinter_loaded *loaded, const char *name);
int sinter_model_output(const struct sinter_loaded *loaded, const char *name);

/* ---- threads ---- */

struct sinter_pool;

/* NTHREADS threads, 1 to 1024, the one that runs a session among them: NTHREADS - 1 are started.
 * They wait for work for about 30 us actively, then asleep.  SINTER_BAD_CALL, SINTER_NO_THREADS,
 * SINTER_NO_MEMORY.  Give back by sinter_pool_free. */
int sinter_pool_new(int32_t nthreads, struct sinter_pool **out, struct sinter_error *error);

/* Ends the threads. NULL does nothing; no session may be running on it. */
void sinter_pool_free(struct sinter_pool *pool);

int32_t sinter_pool_threads(const struct sinter_pool *pool);

/* Calls body(arg, i, worker) for all 0 <= i < n on the pool's threads and the caller's, returns when
 * all are done; it is `parallel` of struct sinter_hooks.  Calls from several threads at once are
 * served one after the other; a body must not call it.  Allocates nothing. */
void sinter_pool_run(struct sinter_pool *pool, void (*body)(void *arg, int64_t i, int32_t worker),
		     void *arg, int64_t n);

/* ---- profiles ---- */

struct sinter_profile;

/* Room for the latest EVENTS (at least 1) kernel calls of one session of LOADED, which must live as
 * long.  SINTER_BAD_CALL, SINTER_NO_MEMORY.  Give back by sinter_profile_free. */
int sinter_profile_new(const struct sinter_loaded *loaded, size_t events,
		       struct sinter_profile **out, struct sinter_error *error);
void sinter_profile_free(struct sinter_profile *profile);

/* Forgets what has been recorded. */
void sinter_profile_clear(struct sinter_profile *profile);

/* Runs and nanoseconds of kernel K since the start or the last clear, all calls, not the latest only. */
void sinter_profile_kernel(const struct sinter_profile *profile, uint32_t k, uint64_t *out_calls,
			   uint64_t *out_ns);

/* Writes the latest calls as Chrome trace JSON (chrome://tracing, ui.perfetto.dev), through a
 * temporary file beside PATH that is renamed.  SINTER_NO_FILE. */
int sinter_profile_write(const struct sinter_profile *profile, const char *path,
			 struct sinter_error *error);

/* ---- sessions ---- */

struct sinter_session;

struct sinter_session_opts {
	struct sinter_pool *pool;	/* NULL: the calling thread alone */
	struct sinter_profile *profile; /* NULL: none */
	/* Called before (phase 0) and after (phase 1) kernel K of each run, on the running thread; NULL:
	 * not called. */
	void (*kernel)(void *ctx, int32_t k, int32_t phase);
	void *ctx;
};

/* A session of LOADED, which it uses until sinter_session_free, as well as the pool and the profile
 * of OPTS (may be NULL).  Checks the weights: SINTER_BAD_WEIGHTS if they are another model's or
 * damaged; SINTER_NO_MEMORY. */
int sinter_session_new(struct sinter_loaded *loaded, const struct sinter_session_opts *opts,
		       struct sinter_session **out, struct sinter_error *error);
void sinter_session_free(struct sinter_session *session);

/* Input I is DATA (BYTES of elements in row-major order, aligned to the element at least, read by
 * run, which must stay valid until then) with dimensions DIMS (rank entries, copied; NULL: those the
 * model fixes).  SINTER_NO_NAME, SINTER_BAD_DIMS. */
int sinter_session_set_input(struct sinter_session *session, uint32_t i, const void *data,
			     size_t bytes, const int64_t *dims, struct sinter_error *error);

/* Output I goes to DATA, of CAPACITY bytes; NULL: to memory of the session (the default). */
int sinter_session_set_output(struct sinter_session *session, uint32_t i, void *data,
			      size_t capacity, struct sinter_error *error);

/* Checks the dimensions of all inputs, computes those of the outputs, allocates the arena and the
 * outputs that are the session's.  Needed before the first run and after dimensions or outputs have
 * changed; memory that is large enough is kept.  Input data may be NULL until run.
 * SINTER_BAD_DIMS, SINTER_TOO_SMALL (an output of the caller's), SINTER_NO_MEMORY. */
int sinter_session_bind(struct sinter_session *session, struct sinter_error *error);

/* Runs once.  Statuses of the model; SINTER_BAD_CALL if bind is missing.  After SINTER_BAD_INDEX
 * the outputs are complete. */
int sinter_session_run(struct sinter_session *session, struct sinter_error *error);

/* Output I with its dimensions (after bind) and elements (after run), valid until the next bind,
 * run or free; NULL if there is no such output. */
const struct sinter_tensor *sinter_session_output(const struct sinter_session *session, uint32_t i);

/* The arena, for tools that look at what kernels leave there (plan in the compiler's module); NULL
 * before bind. */
const void *sinter_session_arena(const struct sinter_session *session);

/* Bytes of the arena; 0 before bind. */
size_t sinter_session_arena_bytes(const struct sinter_session *session);

#ifdef __cplusplus
}
#endif

#endif
