/* sinter bench: how long a run takes. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "cli/job.h"

struct bench {
	SN_VEC(int64_t) ns;
	int64_t median, least;
};

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
by_size(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

/* Two runs to warm up, then at least three and until SECONDS are over. */
static bool
measure(struct job *j, double seconds, struct bench *b)
{
	show_progress(j->o, "measuring");
	for (int i = 0; i < 2; i++)
		if (!job_run(j))
			return false;
	int64_t end = now_ns() + (int64_t)(seconds * 1e9), t0 = now_ns();
	while (b->ns.n < 3 || t0 < end) {
		if (!job_run(j))
			return false;
		int64_t t1 = now_ns();
		SN_PUSH(j->o->arena, &b->ns, t1 - t0);
		t0 = now_ns();
	}
	qsort(b->ns.v, b->ns.n, sizeof(*b->ns.v), by_size);
	b->median = b->ns.v[b->ns.n / 2];
	b->least = b->ns.v[0];
	show_progress(j->o, NULL);
	return true;
}

static void
add_field(struct sn_buf *out, const char *name, int64_t x, bool is_known)
{
	if (is_known)
		sn_buf_addf(out, ",\n  \"%s\": %lld", name, (long long)x);
	else
		sn_buf_addf(out, ",\n  \"%s\": null", name);
}

static void
print_json(const struct job *j, const struct bench *b)
{
	struct sn_buf out;
	sn_buf_init(&out, j->o->arena);
	sn_buf_add(&out, "{\n  \"name\": ");
	sn_buf_add_json(&out, j->model->name);
	add_field(&out, "median_ns", b->median, true);
	add_field(&out, "min_ns", b->least, true);
	add_field(&out, "runs", (int64_t)b->ns.n, true);
	add_field(&out, "load_ns", j->load_ns, true);
	add_field(&out, "emit_ns", j->emit_ns, j->is_compiled);
	add_field(&out, "compile_ns", j->compile_ns, j->is_compiled);
	add_field(&out, "arena_bytes", (int64_t)sinter_session_arena_bytes(j->session), true);
	add_field(&out, "weights_bytes", (int64_t)j->model->weights_bytes, true);
	add_field(&out, "kernels", j->model->nkernels, true);
	printf("%s\n}\n", out.text);
}

static void
print_text(const struct job *j, const struct bench *b)
{
	printf("%s: median %.3f ms, least %.3f ms of %zu runs\n", j->model->name,
	       (double)b->median / 1e6, (double)b->least / 1e6, b->ns.n);
	printf("kernels %u, arena %.2f MB, weights %.2f MB\n", (unsigned)j->model->nkernels,
	       (double)sinter_session_arena_bytes(j->session) / 1e6,
	       (double)j->model->weights_bytes / 1e6);
	if (j->is_compiled)
		printf("compiled in %.2f s, without the C compiler %.2f s; ",
		       (double)j->compile_ns / 1e9, (double)j->emit_ns / 1e9);
	printf("loaded in %.2f ms\n", (double)j->load_ns / 1e6);
}

int
cmd_bench(struct options *o)
{
	struct job j;
	struct bench b = { 0 };
	double seconds = 2;
	uint64_t seed = 1;
	if (!o->model) {
		fprintf(stderr, "sinter bench: needs a model\n");
		return SN_ERR_USAGE;
	}
	if (!option_number("seconds", o->seconds, 0, 3600, &seconds))
		return SN_ERR_USAGE;
	job_init(&j, o);
	bool ok = job_open(&j, 0) && job_inputs(&j, &seed) && job_bind(&j)
		  && measure(&j, seconds, &b);
	if (ok && o->is_json)
		print_json(&j, &b);
	else if (ok)
		print_text(&j, &b);
	return job_close(&j, ok);
}
