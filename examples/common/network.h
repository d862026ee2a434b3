/* A compiled network of one input and one output, linked into the program, and its figures. */
#ifndef EXAMPLES_NETWORK_H
#define EXAMPLES_NETWORK_H

#include "runtime/sinter_runtime.h"

struct network {
	struct sinter_loaded *loaded;
	struct sinter_session *session;
	size_t weights_bytes, arena_bytes; /* of the largest arena so far */
	int64_t total_ns;		   /* of RUNS runs */
	int runs;
};

/* Where networks run: OPTS's pool and device may be NULL, FOLDER has their weights. */
struct network_place {
	const char *folder;
	struct sinter_session_opts opts;
};

/* Maps the file MODEL->name.weights in PLACE's folder. Give back by network_close, also after a
 * failure. Statuses as of sinter_model_link and sinter_session_new. */
int network_open(struct network *n, const struct sinter_model *model,
		 const struct network_place *place, struct sinter_error *error);
void network_close(struct network *n);

/* Runs on DATA of dimensions DIMS[4]; the output is valid until the next run. NULL on failure. */
const struct sinter_tensor *
network_run(struct network *n, const float *data, const int64_t *dims, struct sinter_error *error);

/* Prints the mean latency since runs was set to 0, and the sizes. */
void network_report(const struct network *n, const char *title, const char *what);

/* The folder that the running program lies in. */
void program_folder(char *out, size_t room);

#endif
