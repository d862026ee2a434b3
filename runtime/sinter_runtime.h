/*
 * The runtime of compiled models: loads one, gives it memory and threads, runs
 * it, records how long its kernels took.  docs/runtime.md has an example.
 *
 *	struct sinter_loaded    a model and its weights, shared by all that run it
 *	struct sinter_session   one run at a time: context, bound tensors, arena
 *	struct sinter_pool      worker threads, shared by sessions
 *	struct sinter_profile   times of kernels, of one session
 *	struct sinter_device    what models run on: "cpu", "opencl:0"; shared by sessions
 *	struct sinter_memory    memory that a device reaches fast
 *
 * Ownership: what a _new, _load or _link function returns is the caller's, who
 * gives it back by the function named there, sessions before what they use.
 * Strings and structures that are returned belong to the object asked.
 *
 * Threads: different objects may be used by different threads at the same time.
 * A loaded model, a pool and a device may be used by many threads at once; a
 * session and its profile by one at a time.
 *
 * Errors: functions that can fail return SINTER_OK or another status; ERROR
 * (may be NULL) then holds a sentence that names the file or tensor.  On
 * failure nothing is returned through OUT and nothing is leaked.  The runtime
 * never aborts, exits or prints.  sinter_session_run allocates nothing; on a
 * device it makes what it needs in the first run after a bind or a change of
 * addresses.
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
	SINTER_NO_DEVICE = 69,	/* no such device, or its driver is not installed */
	SINTER_UNFIT = 70,	/* the device can't do what the model needs */
	SINTER_NO_BUILD = 71,	/* the driver refuses the model's program */
	SINTER_DEVICE_LOST = 72 /* a call of the driver failed; the session can't go on */
};

/* A sentence for any status; a constant. */
const char *sinter_status_text(int status);

struct sinter_error {
	int status;
	char text[1024]; /* NUL-terminated, one line */
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

/* ---- devices ---- */

struct sinter_device;

struct sinter_device_info {
	const char *kind; /* "cpu", "opencl" */
	char name[128], driver[128], platform[256];
	uint64_t memory_bytes;	/* in all */
	uint64_t largest_bytes; /* of one memory */
	uint64_t local_bytes;	/* local memory of a group */
	int32_t units;		/* groups that run at once, at least */
	int32_t group_items;	/* most work-items of a group; 0: runs no programs */
	int32_t subgroup;	/* items that run in step, 0: unknown */
	int32_t load_floats;	/* f32 that one item best loads at once */
	int32_t has_f64;
	int32_t is_cpu;	       /* its units are cores of the host */
	int32_t shares_memory; /* with the host: inputs and outputs are used where they lie */
};

/* Calls EACH with the name of every device: "cpu", then "opencl:0", "opencl:1", ... in the order of
 * the OpenCL loader.  Where a driver can't be asked for its devices, the names of all others come all
 * the same; then SINTER_NO_DEVICE without a loader, SINTER_NO_MEMORY or SINTER_DEVICE_LOST where the
 * driver fails, and the error says why.  A loader that knows no driver has no devices, which is no error. */
int sinter_device_each(void (*each)(void *arg, const char *name), void *arg,
		       struct sinter_error *error);

/* Opens the device NAME; "opencl" is "opencl:0".  SINTER_NO_DEVICE, SINTER_NO_MEMORY, SINTER_DEVICE_LOST.  Give back by
 * sinter_device_close. */
int sinter_device_open(const char *name, struct sinter_device **out, struct sinter_error *error);

/* NULL does nothing.  Its sessions and memories must be gone. */
void sinter_device_close(struct sinter_device *device);

/* What the device is; valid until it is closed. */
const struct sinter_device_info *sinter_device_info(const struct sinter_device *device);

/* Measures how fast the device copies its memory: bytes read and written, in 10^9 a second. */
int
sinter_device_bandwidth(struct sinter_device *device, double *out_gbs, struct sinter_error *error);

enum sinter_memory_kind {
	SINTER_MEMORY_HOST,   /* plain memory of the host */
	SINTER_MEMORY_DEVICE, /* the device's own; the host has no address of it */
	SINTER_MEMORY_SHARED, /* one memory for both; where info has shares_memory */
	SINTER_MEMORY_PINNED  /* of the host, copied to and from the device fast */
};

struct sinter_memory;

/* BYTES (0 counts as 1) of memory of a KIND, for the caller's inputs and outputs.  SINTER_NO_MEMORY;
 * SINTER_UNFIT if the device has no such kind.  Give back by sinter_memory_free. */
int sinter_memory_new(struct sinter_device *device, enum sinter_memory_kind kind, size_t bytes,
		      struct sinter_memory **out, struct sinter_error *error);
void sinter_memory_free(struct sinter_memory *memory);

/* Its address in the host, aligned to 64, for set_input and set_output; NULL of kind DEVICE. */
void *sinter_memory_data(const struct sinter_memory *memory);

/* ---- the cache of programs ----
 *
 * What drivers make of programs is kept on disk: in $SINTER_CACHE_DIR, else $XDG_CACHE_HOME/sinter,
 * else ~/.cache/sinter.  SINTER_CACHE=off in the environment turns it off; SINTER_CACHE_BYTES bounds
 * it (default 2^28).  Any number of processes may share it. */

struct sinter_cache_entry {
	char name[33];	  /* of the file, without its ending */
	char label[160];  /* model and device */
	uint64_t bytes;	  /* of the file */
	int64_t used_at;  /* seconds since 1970 */
	int32_t is_whole; /* 0: another version's, or cut short; it will be built again */
};

/* Calls EACH for all entries.  SINTER_NO_FILE if the folder can't be read; none yet is fine. */
int sinter_cache_each(void (*each)(void *arg, const struct sinter_cache_entry *e), void *arg,
		      struct sinter_error *error);

/* Removes all entries; *OUT_BYTES is what they had.  SINTER_NO_FILE. */
int sinter_cache_clear(uint64_t *out_bytes, struct sinter_error *error);

/* Writes the folder's path to OUT, of ROOM bytes; "" if the cache is off or has no place. */
void sinter_cache_folder(char *out, size_t room);

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
	 * not called.  On a device each kernel is waited for, and its arena and outputs are fetched;
	 * where that fails, the call is left out and the run fails. */
	void (*kernel)(void *ctx, int32_t k, int32_t phase);
	void *ctx;
	/* What to run on; NULL: the CPU.  Models for a device need one. */
	struct sinter_device *device;
	/* On a device other than the CPU: inputs are written there by the first run after
	 * sinter_session_set_input only, and outputs stay there until sinter_session_fetch. */
	int is_resident;
};

/* A session of LOADED, which it uses until sinter_session_free, as well as the pool, the profile and
 * the device of OPTS (may be NULL).  Checks the weights: SINTER_BAD_WEIGHTS if they are another
 * model's or damaged; SINTER_NO_MEMORY.  The first session of LOADED on a device builds the program
 * and puts the weights there, the others share both: SINTER_NO_BUILD, SINTER_UNFIT,
 * SINTER_NO_DEVICE (a model for a device without one), SINTER_DEVICE_LOST. */
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
 * the outputs are complete.  On a device also SINTER_DEVICE_LOST and SINTER_NO_MEMORY; whatever the
 * status, nothing runs on the device any more and the caller's memory is free to be used. */
int sinter_session_run(struct sinter_session *session, struct sinter_error *error);

/* Fetches the outputs of the last run of a session whose tensors stay on the device (is_resident);
 * elsewhere they are there already.  SINTER_BAD_CALL before bind, SINTER_DEVICE_LOST. */
int sinter_session_fetch(struct sinter_session *session, struct sinter_error *error);

/* Output I with its dimensions (after bind) and elements (after run), valid until the next bind,
 * run or free; NULL if there is no such output. */
const struct sinter_tensor *sinter_session_output(const struct sinter_session *session, uint32_t i);

/* The arena, for tools that look at what kernels leave there (plan in the compiler's module); NULL
 * before bind.  On a device it has what kernels leave there in a session with opts.kernel only. */
const void *sinter_session_arena(const struct sinter_session *session);

/* The same of what steps on the host use; on the CPU the arena itself. */
const void *sinter_session_host_arena(const struct sinter_session *session);

/* Bytes of the arena, on a device of the device's; 0 before bind. */
size_t sinter_session_arena_bytes(const struct sinter_session *session);

#ifdef __cplusplus
}
#endif

#endif
