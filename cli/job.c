/* A model at work: compile, load, bind, run. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "cli/device.h"
#include "cli/job.h"

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool
is_package(const char *path)
{
	struct stat st;
	size_t n = strlen(path);
	return (n > 3 && !strcmp(path + n - 3, ".so"))
	       || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

void
job_init(struct job *j, struct options *o)
{
	*j = (struct job){ .o = o };
	sn_diags_init(&j->diags, o->arena);
}

bool
job_failed(struct job *j, const struct sinter_error *e)
{
	return sn_report(&j->diags, SN_NOWHERE, DG_RUNTIME, e->text);
}

/* A model is compiled for the device that it will run on, as the device describes itself. */
static bool
options_device(struct job *j, struct sn_compiler_opts *co)
{
	if (!j->device)
		return true;
	if (!co->dialect)
		co->dialect = "opencl";
	if (!co->cpu)
		co->target = device_target(sinter_device_info(j->device), j->o->arena, &j->diags);
	return co->cpu || co->target;
}

/* Compiles the model to a temporary folder. */
static const char *
compile(struct job *j)
{
	struct sn_compiler_opts co;
	struct sn_emit_opts eo;
	const char *folder = interrupt_temp(j->o->interrupt);
	if (!folder) {
		sn_report(&j->diags, SN_NOWHERE, DG_WRITE, "$TMPDIR/sinter-XXXXXX",
			  "can't make a folder");
		return NULL;
	}
	options_compiler(j->o, &co);
	options_emit(j->o, &eo);
	eo.folder = folder;
	if (!options_device(j, &co))
		return NULL;
	sn_compiler_init(&j->compiler);
	j->is_compiled = true;
	int64_t t0 = now_ns();
	enum sn_status s = sn_compiler_run(&j->compiler, &co);
	if (s == SN_OK)
		s = sn_compiler_emit(&j->compiler, &eo);
	j->compile_ns = now_ns() - t0;
	j->emit_ns = j->compile_ns - j->compiler.cc_ns;
	show_progress(j->o, NULL);
	j->code = (int)s;
	return s == SN_OK ? folder : NULL;
}

static bool
make_session(struct job *j, size_t events)
{
	struct sinter_error e;
	int threads = 1;
	if (!option_int("threads", j->o->threads, 1, 1024, &threads)) {
		j->code = SN_ERR_USAGE;
		return false;
	}
	if (threads > 1 && sinter_pool_new(threads, &j->pool, &e) != SINTER_OK)
		return job_failed(j, &e);
	if (events && sinter_profile_new(j->loaded, events, &j->profile, &e) != SINTER_OK)
		return job_failed(j, &e);
	struct sinter_session_opts so = { .pool = j->pool,
					  .profile = j->profile,
					  .kernel = j->on_kernel,
					  .ctx = j,
					  .device = j->device,
					  .is_resident = j->o->is_resident };
	return sinter_session_new(j->loaded, &so, &j->session, &e) == SINTER_OK
	       || job_failed(j, &e);
}

bool
job_open(struct job *j, size_t events)
{
	struct sinter_error e;
	if (is_program_device(j->o->device)
	    && sinter_device_open(j->o->device, &j->device, &e) != SINTER_OK)
		return job_failed(j, &e);
	const char *folder = is_package(j->o->model) ? j->o->model : compile(j);
	if (!folder)
		return false;
	int64_t t0 = now_ns();
	if (sinter_model_load(folder, &j->loaded, &e) != SINTER_OK)
		return job_failed(j, &e);
	j->model = sinter_model_of(j->loaded);
	bool ok = make_session(j, events);
	j->load_ns = now_ns() - t0;
	j->inputs = SN_NEW_ARRAY(j->o->arena, (size_t)j->model->ninputs + 1, struct value);
	return ok;
}

/* ---- inputs ---- */

static bool
bad_input(struct job *j, const char *name, const char *why)
{
	return sn_report(&j->diags, SN_NOWHERE, DG_INPUT, name, why);
}

/* WORD is "name=file"; a model's names may contain '='. */
static bool
read_input(struct job *j, const char *word, bool *is_given)
{
	for (uint32_t i = 0; i < j->model->ninputs; i++) {
		const struct sinter_value *v = &j->model->inputs[i];
		size_t n = strlen(v->name);
		if (strncmp(word, v->name, n) != 0 || word[n] != '=')
			continue;
		enum sn_dtype want = sn_dtype_by_onnx(v->dtype);
		if (is_given[i])
			return bad_input(j, v->name, "is given twice");
		is_given[i] = true;
		if (!value_read(word + n + 1, want, j->o->arena, &j->diags, &j->inputs[i]))
			return bad_input(j, v->name, "can't be read from its file");
		if (j->inputs[i].dtype == want)
			return true;
		return bad_input(j, v->name,
				 sn_printf(j->o->arena,
					   "'%s' has elements of type %s, the model wants %s",
					   word + n + 1, sn_dtype_info(j->inputs[i].dtype)->text,
					   sn_dtype_info(want)->text));
	}
	return bad_input(j, sn_strndup(j->o->arena, word, strcspn(word, "=")),
			 strchr(word, '=') ? "the model has no input of that name"
					   : "a file is given as --input NAME=FILE");
}

/* The number that --dim gives for dimension NAME, or -1. */
static int64_t
dim_option(const struct options *o, const char *name)
{
	size_t n = strlen(name);
	long long x;
	for (size_t i = 0; i < o->dims.n; i++)
		if (!strncmp(o->dims.v[i], name, n) && o->dims.v[i][n] == '='
		    && sscanf(o->dims.v[i] + n + 1, "%lld", &x) == 1)
			return x;
	return -1;
}

/* Dimension D of what --shape gives for the input NAME, or -1. */
static int64_t
shape_option(const struct options *o, const char *name, int d)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < o->shapes.n; i++) {
		const char *p = o->shapes.v[i];
		long long x;
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		for (p += n + 1; d > 0 && *p; d--) {
			p += strcspn(p, "x");
			p += *p == 'x';
		}
		return d == 0 && sscanf(p, "%lld", &x) == 1 ? x : -1;
	}
	return -1;
}

static bool
random_input(struct job *j, uint32_t i, uint64_t *seed)
{
	const struct sinter_value *v = &j->model->inputs[i];
	struct value *x = &j->inputs[i];
	*x = (struct value){ .dtype = sn_dtype_by_onnx(v->dtype), .rank = v->rank };
	for (int d = 0; d < v->rank; d++) {
		int64_t n = v->dims[d];
		if (n < 0)
			n = shape_option(j->o, v->name, d);
		if (n < 0)
			n = dim_option(j->o, v->dim_names[d]);
		if (n < 0)
			return bad_input(j, v->name,
					 sn_printf(j->o->arena,
						   "dimension %d ('%s') is open: say --dim %s=N or "
						   "--shape, or give a file",
						   d, v->dim_names[d], v->dim_names[d]));
		x->dims[d] = n;
	}
	if (!value_allocate(x, j->o->arena))
		return bad_input(j, v->name, "has too many elements");
	value_random(x, seed);
	return true;
}

bool
job_inputs(struct job *j, uint64_t *seed)
{
	bool *is_given = SN_NEW_ARRAY(j->o->arena, (size_t)j->model->ninputs + 1, bool), ok = true;
	for (size_t i = 0; i < j->o->inputs.n; i++)
		ok &= read_input(j, j->o->inputs.v[i], is_given);
	for (uint32_t i = 0; i < j->model->ninputs; i++)
		if (is_given[i])
			continue;
		else if (seed)
			ok &= random_input(j, i, seed);
		else
			ok = bad_input(j, j->model->inputs[i].name,
				       "has no value: give --input NAME=FILE, or --random SEED");
	return ok;
}

bool
job_bind(struct job *j)
{
	struct sinter_error e;
	for (uint32_t i = 0; i < j->model->ninputs; i++) {
		const struct value *v = &j->inputs[i];
		const struct sinter_value *want = &j->model->inputs[i];
		if (v->rank != want->rank)
			return bad_input(j, want->name,
					 sn_printf(j->o->arena,
						   "has %d dimensions, the model wants %d", v->rank,
						   (int)want->rank));
		if (sinter_session_set_input(j->session, i, v->data, v->bytes, v->dims, &e)
		    != SINTER_OK)
			return job_failed(j, &e);
	}
	return sinter_session_bind(j->session, &e) == SINTER_OK || job_failed(j, &e);
}

bool
job_run(struct job *j)
{
	struct sinter_error e;
	return sinter_session_run(j->session, &e) == SINTER_OK || job_failed(j, &e);
}

struct value
job_output(const struct job *j, uint32_t i)
{
	const struct sinter_tensor *t = sinter_session_output(j->session, i);
	struct value v = { .dtype = sn_dtype_by_onnx(j->model->outputs[i].dtype),
			   .rank = t->rank,
			   .n = 1,
			   .bytes = t->bytes,
			   .data = t->data };
	for (int d = 0; d < t->rank; d++) {
		v.dims[d] = t->dims[d];
		v.n *= (size_t)t->dims[d];
	}
	return v;
}

int
job_close(struct job *j, bool ok)
{
	struct sn_buf b;
	sn_buf_init(&b, j->o->arena);
	sinter_session_free(j->session);
	sinter_profile_free(j->profile);
	sinter_pool_free(j->pool);
	sinter_model_unload(j->loaded);
	sinter_device_close(j->device);
	interrupt_remove(j->o->interrupt);
	if (j->is_compiled && j->code == SN_OK && j->compiler.diags.list.n == 0)
		sn_compiler_release(&j->compiler);
	else if (j->is_compiled)
		j->code = finish(&j->compiler, (enum sn_status)j->code, j->o);
	if (j->o->is_json && j->diags.list.n)
		sn_diags_print_json(&j->diags, &b);
	else
		sn_diags_print(&j->diags, &b);
	fputs(b.text, stderr);
	return j->code ? j->code : ok ? SN_OK : SN_ERR_INPUT;
}
