/* Networks: what the examples need of the runtime, with a clock. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "examples/common/network.h"
#include "examples/common/picture.h"

int
network_open(struct network *n, const struct sinter_model *model, const struct network_place *place,
	     struct sinter_error *error)
{
	char path[4096];

	*n = (struct network){ .weights_bytes = model->weights_bytes };
	int length = snprintf(path, sizeof(path), "%s/%s.weights", place->folder, model->name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return failed(error, SINTER_NO_FILE, "the path '%s' is too long", place->folder);
	int status = sinter_model_link(model, path, &n->loaded, error);
	return status ? status : sinter_session_new(n->loaded, &place->opts, &n->session, error);
}

void
network_close(struct network *n)
{
	sinter_session_free(n->session);
	sinter_model_unload(n->loaded);
	*n = (struct network){ 0 };
}

void
program_folder(char *out, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", out, room - 1);

	out[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(out, '/');
	snprintf(slash ? slash : out, slash ? room - (size_t)(slash - out) : room, "%s",
		 slash ? "" : ".");
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Memory is no part of the latency: bind keeps what is large enough. */
const struct sinter_tensor *
network_run(struct network *n, const float *data, const int64_t *dims, struct sinter_error *error)
{
	size_t bytes = (size_t)(dims[0] * dims[1] * dims[2] * dims[3]) * sizeof(*data);

	if (sinter_session_set_input(n->session, 0, data, bytes, dims, error)
	    || sinter_session_bind(n->session, error))
		return NULL;
	int64_t start = now_ns();
	if (sinter_session_run(n->session, error))
		return NULL;
	n->total_ns += now_ns() - start;
	n->runs++;
	size_t arena = sinter_session_arena_bytes(n->session);
	if (arena > n->arena_bytes)
		n->arena_bytes = arena;
	return sinter_session_output(n->session, 0);
}

void
network_report(const struct network *n, const char *title, const char *what)
{
	double ms = n->runs ? (double)n->total_ns / n->runs / 1e6 : 0;

	printf("%-12s %8.2f ms  %-24s  arena %6.2f MB  weights %6.2f MB\n", title, ms, what,
	       (double)n->arena_bytes / 1e6, (double)n->weights_bytes / 1e6);
}
