/* sinter run: tensors from files through a model to files. */
#include <stdio.h>
#include <string.h>
#include "cli/job.h"
#include "support/file.h"

/* A file name that no other output has. */
static const char *
file_name(struct job *j, struct sn_map *taken, const char *name)
{
	struct sn_arena *a = j->o->arena;
	const char *base = safe_file_name(a, name), *s = base;
	for (int i = 2; sn_map_get(taken, s); i++)
		s = sn_printf(a, "%s_%d", base, i);
	sn_map_put(taken, s, j);
	return sn_printf(a, "%s.npy", s);
}

static void
list_output(struct sn_buf *b, const char *name, const char *file, const struct value *v)
{
	sn_buf_add(b, b->len > 1 ? ",\n  {\"name\": " : "\n  {\"name\": ");
	sn_buf_add_json(b, name);
	sn_buf_add(b, ", \"file\": ");
	sn_buf_add_json(b, file);
	sn_buf_add(b, ", \"shape\": [");
	for (int d = 0; d < v->rank; d++)
		sn_buf_addf(b, "%s%lld", d ? ", " : "", (long long)v->dims[d]);
	sn_buf_addf(b, "], \"dtype\": \"%s\"}", npy_type_name(v->dtype));
}

/* One file for each output, then the list of them. */
static bool
write_outputs(struct job *j)
{
	struct sn_arena *a = j->o->arena;
	const char *folder = j->o->output;
	struct sn_map taken;
	struct sn_buf b;
	sn_map_init(&taken, a);
	sn_buf_init(&b, a);
	sn_buf_add(&b, "[");
	if (!sn_make_folder(folder, a, &j->diags))
		return false;
	for (uint32_t i = 0; i < j->model->noutputs; i++) {
		const char *name = j->model->outputs[i].name, *file = file_name(j, &taken, name);
		struct value v = job_output(j, i);
		if (!npy_write(sn_printf(a, "%s/%s", folder, file), &v, a, &j->diags))
			return false;
		list_output(&b, name, file, &v);
	}
	sn_buf_add(&b, j->model->noutputs ? "\n]\n" : "]\n");
	return sn_file_write(sn_printf(a, "%s/outputs.json", folder), b.text, b.len, &j->diags);
}

static bool
write_profile(struct job *j)
{
	struct sinter_error e;
	return !j->profile || sinter_profile_write(j->profile, j->o->profile, &e) == SINTER_OK
	       || job_failed(j, &e);
}

int
cmd_run(struct options *o)
{
	struct job j;
	int seed_number = 0;
	if (!o->model || !o->output) {
		fprintf(stderr, "sinter run: needs a model and --output DIR\n");
		return SN_ERR_USAGE;
	}
	if (!option_int("random", o->random, 0, 2147483647, &seed_number))
		return SN_ERR_USAGE;
	uint64_t seed = (uint64_t)seed_number;
	job_init(&j, o);
	interrupt_output(o->interrupt, o->output);
	bool ok = job_open(&j, o->profile ? 65536 : 0) && job_inputs(&j, o->random ? &seed : NULL)
		  && job_bind(&j) && job_run(&j) && write_outputs(&j) && write_profile(&j);
	return job_close(&j, ok);
}
