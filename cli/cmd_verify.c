/* sinter verify: a model against the expected outputs of a data folder. */
#include <stdio.h>
#include <string.h>
#include "cli/verify.h"

struct verify {
	struct job job;
	struct tolerance tolerance;
	struct kernel_check *kernels; /* NULL: not asked for */
	struct sn_buf json;
	bool has_mismatch;
};

static bool
read_inputs(struct verify *v, const char *folder)
{
	struct job *j = &v->job;
	struct sn_arena *a = j->o->arena;
	for (uint32_t i = 0; i < j->model->ninputs; i++) {
		const struct sinter_value *in = &j->model->inputs[i];
		enum sn_dtype want = sn_dtype_by_onnx(in->dtype);
		const char *path = data_file(a, folder, "input", i, in->name);
		if (!path)
			return sn_report(&j->diags, SN_NOWHERE, DG_NO_DATA, folder,
					 sn_printf(a, "no file for input %u, '%s'", (unsigned)i,
						   in->name));
		if (!value_read(path, want, a, &j->diags, &j->inputs[i]))
			return false;
		if (j->inputs[i].dtype != want)
			return sn_report(&j->diags, SN_NOWHERE, DG_NPY, path,
					 sn_printf(a, "elements of type %s, the model wants %s",
						   sn_dtype_info(j->inputs[i].dtype)->text,
						   sn_dtype_info(want)->text));
	}
	return true;
}

static const char *
shape_text(struct sn_arena *a, const struct value *v)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_buf_addf(&b, "%s[", sn_dtype_info(v->dtype)->text);
	for (int d = 0; d < v->rank; d++)
		sn_buf_addf(&b, "%s%lld", d ? "," : "", (long long)v->dims[d]);
	sn_buf_add(&b, "]");
	return b.text;
}

static bool
has_same_shape(const struct value *a, const struct value *b)
{
	return a->dtype == b->dtype && a->rank == b->rank
	       && (a->rank == 0 || !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof(*a->dims)));
}

static void
print_json(struct verify *v, const char *name, const struct value *want, const struct difference *d)
{
	struct sn_buf *b = &v->json;
	sn_buf_add(b, b->len > 1 ? ",\n  {\"output\": " : "\n  {\"output\": ");
	sn_buf_add_json(b, name);
	sn_buf_addf(b, ", \"max_abs\": %.9g, \"max_rel\": %.9g, \"max_ulp\": ", d->max_abs,
		    d->max_rel);
	sn_buf_addf(b, d->has_ulp ? "%.3g" : "null", d->max_ulp);
	sn_buf_addf(b, ", \"elements\": %zu, \"wrong\": %zu}", want->n, d->nwrong);
}

static void
print_text(struct verify *v, const char *name, const struct value *have, const struct value *want,
	   const struct difference *d)
{
	struct sn_arena *a = v->job.o->arena;
	printf("%s  %s: max abs %.3g, max rel %.3g", name, shape_text(a, want), d->max_abs,
	       d->max_rel);
	if (d->has_ulp)
		printf(", %.3g ulp", d->max_ulp);
	if (d->nwrong)
		printf("  MISMATCH: %zu of %zu elements; %s is %s, not %s", d->nwrong, want->n,
		       index_text(a, want, d->first), element_text(a, have, d->first),
		       element_text(a, want, d->first));
	printf(d->nwrong ? "\n" : "  ok\n");
}

static bool
compare_output(struct verify *v, uint32_t i, const char *path)
{
	struct job *j = &v->job;
	struct value have = job_output(j, i), want;
	const char *name = j->model->outputs[i].name;
	if (!value_read(path, have.dtype, j->o->arena, &j->diags, &want))
		return false;
	if (!has_same_shape(&have, &want)) {
		v->has_mismatch = true;
		fprintf(j->o->is_json ? stderr : stdout, "%s  MISMATCH: %s, not %s\n", name,
			shape_text(j->o->arena, &have), shape_text(j->o->arena, &want));
		return true;
	}
	struct difference d = compare_values(&have, &want, &v->tolerance);
	v->has_mismatch |= d.nwrong > 0;
	if (j->o->is_json)
		print_json(v, name, &want, &d);
	else
		print_text(v, name, &have, &want, &d);
	return true;
}

static bool
compare_outputs(struct verify *v, const char *folder)
{
	struct job *j = &v->job;
	int n = 0;
	for (uint32_t i = 0; i < j->model->noutputs; i++) {
		const char *path = data_file(j->o->arena, folder, "output", i,
					     j->model->outputs[i].name);
		if (path && !compare_output(v, i, path))
			return false;
		n += path != NULL;
	}
	return n > 0 || v->kernels
	       || sn_report(&j->diags, SN_NOWHERE, DG_NO_DATA, folder, "no file for any output");
}

static bool
verify_set(struct verify *v, const char *folder)
{
	struct job *j = &v->job;
	bool is_good = true;
	if (!read_inputs(v, folder) || !job_bind(j))
		return false;
	if (v->kernels && !kernel_check_run(v->kernels, &is_good))
		return false;
	v->has_mismatch |= !is_good;
	return job_run(j) && compare_outputs(v, folder);
}

static bool
is_static(const struct job *j)
{
	for (uint32_t i = 0; i < j->model->ninputs; i++)
		for (int d = 0; d < j->model->inputs[i].rank; d++)
			if (j->model->inputs[i].dims[d] < 0)
				return false;
	return j->compiler.module->plan->is_static;
}

/* --per-kernel reads the plan of a static model: compiles once more with the shapes of the data. */
static bool
open_static(struct verify *v, const char *folder)
{
	struct job *j = &v->job;
	struct options *o = j->o;
	if (!j->is_compiled)
		return sn_report(&j->diags, SN_NOWHERE, DG_RUNTIME,
				 "--per-kernel needs the ONNX model, not a compiled one");
	if (is_static(j))
		return true;
	if (!read_inputs(v, folder))
		return false;
	for (uint32_t i = 0; i < j->model->ninputs; i++) {
		struct sn_buf b;
		sn_buf_init(&b, o->arena);
		sn_buf_addf(&b, "%s=", j->model->inputs[i].name);
		for (int d = 0; d < j->inputs[i].rank; d++)
			sn_buf_addf(&b, "%s%lld", d ? "x" : "", (long long)j->inputs[i].dims[d]);
		if (j->inputs[i].rank)
			SN_PUSH(o->arena, &o->shapes, b.text);
	}
	if (job_close(j, true) != SN_OK)
		return false;
	job_init(j, o);
	v->kernels = kernel_check_new(j, &v->tolerance);
	return job_open(j, 0);
}

static bool
verify(struct verify *v)
{
	struct job *j = &v->job;
	struct data_sets sets = { 0 };
	find_data_sets(j->o->arena, j->o->data, &sets);
	if (j->o->is_per_kernel)
		v->kernels = kernel_check_new(j, &v->tolerance);
	if (!job_open(j, 0) || (v->kernels && !open_static(v, sets.list.v[0])))
		return false;
	for (size_t i = 0; i < sets.list.n; i++) {
		if (sets.list.n > 1 && !j->o->is_json)
			printf("%s\n", sets.list.v[i]);
		if (!verify_set(v, sets.list.v[i]))
			return false;
	}
	return true;
}

int
cmd_verify(struct options *o)
{
	struct verify v = { .tolerance = { .rtol = 1e-3, .atol = 1e-7 } };
	if (!o->model || !o->data) {
		fprintf(stderr, "sinter verify: needs a model and --data DIR\n");
		return SN_ERR_USAGE;
	}
	if (!option_number("rtol", o->rtol, 0, 1e300, &v.tolerance.rtol)
	    || !option_number("atol", o->atol, 0, 1e300, &v.tolerance.atol))
		return SN_ERR_USAGE;
	sn_buf_init(&v.json, o->arena);
	sn_buf_add(&v.json, "[");
	job_init(&v.job, o);
	bool ok = verify(&v);
	if (o->is_json && ok)
		printf("%s\n]\n", v.json.text);
	int code = job_close(&v.job, ok);
	return code ? code : v.has_mismatch ? SN_ERR_INPUT : SN_OK;
}
