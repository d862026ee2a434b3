/*
 * One compiled case through the ABI: feeds the inputs, runs, compares the outputs as the suite's own
 * runner does.  Outputs and arena are as small as dims() says, filled with rubbish, and have guards
 * behind them.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "frontend/onnx_tensor.h"
#include "tests/onnx/suite_case.h"

static bool
unreadable(struct run *r, const char *path)
{
	return sn_suite_fail(r->verdict, FAILED, "%s: %.300s", path,
			     r->diags.list.n ? r->diags.list.v[0].text : "can't be read");
}

/* ---- inputs ----------------------------------------------------------------------------------- */

static void
set_tensor(struct run *r, struct sinter_tensor *t, int rank, const int64_t *dims, size_t bytes)
{
	t->rank = rank;
	t->dims = SN_NEW_ARRAY(&r->arena, SN_MAX_RANK, int64_t);
	if (rank)
		memcpy(t->dims, dims, sizeof(*dims) * (size_t)rank);
	t->bytes = t->capacity = bytes;
	t->data = sn_guarded(bytes);
}

static bool
read_input(struct run *r, uint32_t i)
{
	struct sn_tensor_data t;
	const char *path = sn_printf(&r->arena, "%s/input_%u.pb", r->set, i);
	if (!sn_onnx_read_tensor(path, &r->arena, &r->diags, &t))
		return unreadable(r, path);
	if (sn_dtype_info(t.data->dtype)->onnx != r->model->inputs[i].dtype)
		return sn_suite_fail(r->verdict, FAILED, "input %u of the data is %s", i,
				     sn_dtype_info(t.data->dtype)->text);
	size_t bytes = sn_dtype_bytes(t.data->dtype, t.data->n);
	set_tensor(r, &r->in[i], t.rank, t.dims, bytes);
	for (size_t k = 0; t.data->is_splat && k < t.data->n; k++)
		sn_dtype_store(t.data->dtype, r->in[i].data, k, sn_data_get(t.data, k));
	if (!t.data->is_splat && bytes)
		memcpy(r->in[i].data, t.data->bytes, bytes);
	return true;
}

/* 0..n-1 divided by n; open dimensions are 1. */
static bool
make_input(struct run *r, uint32_t i)
{
	const struct sinter_value *v = &r->model->inputs[i];
	int64_t dims[SN_MAX_RANK], n = 1;
	for (int d = 0; d < v->rank; d++) {
		dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
		n *= dims[d];
	}
	if (v->dtype != sn_dtype_info(DT_F32)->onnx)
		return sn_suite_fail(r->verdict, FAILED, "input %u is not f32", i);
	set_tensor(r, &r->in[i], v->rank, dims, (size_t)n * sizeof(float));
	for (int64_t k = 0; k < n; k++)
		((float *)r->in[i].data)[k] = (float)((double)k / (double)n);
	return true;
}

/* ---- the run ---------------------------------------------------------------------------------- */

/* The weights file mapped; NULL if the model has none. */
static const void *
map_weights(struct run *r)
{
	if (r->model->weights_bytes == 0)
		return NULL;
	const char *path = sn_printf(&r->arena, "%s/%s.weights", r->suite->folder, r->kase->ident);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return NULL;
	void *p = mmap(NULL, r->model->weights_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static bool
call_failed(struct run *r, const char *what, int status)
{
	return sn_suite_fail(r->verdict, FAILED, "%s: %s", what, r->model->text(status));
}

static bool
prepare(struct run *r)
{
	for (uint32_t i = 0; i < r->model->noutputs; i++) {
		r->out[i].rank = r->model->outputs[i].rank;
		r->out[i].dims = SN_NEW_ARRAY(&r->arena, SN_MAX_RANK, int64_t);
	}
	int status = r->model->dims(r->in, r->out, 1, &r->need);
	if (status)
		return call_failed(r, "dims", status);
	for (uint32_t i = 0; i < r->model->noutputs; i++) {
		r->out[i].capacity = r->out[i].bytes;
		r->out[i].data = sn_guarded(r->out[i].capacity);
	}
	r->memory = sn_guarded(r->need.arena_bytes);
	r->context = sn_guarded(r->model->context_bytes);
	status = r->model->init(r->context, map_weights(r), r->model->weights_bytes);
	return status ? call_failed(r, "init", status) : true;
}

static bool
run_guarded(struct run *r)
{
	int status = r->model->run(r->context, r->in, r->out, r->memory, r->need.arena_bytes, NULL);
	if (status)
		return call_failed(r, "run", status);
	if (!sn_is_guard_whole(r->memory, r->need.arena_bytes))
		return sn_suite_fail(r->verdict, FAILED, "wrote behind the arena");
	for (uint32_t i = 0; i < r->model->noutputs; i++)
		if (!sn_is_guard_whole(r->out[i].data, r->out[i].capacity))
			return sn_suite_fail(r->verdict, FAILED, "wrote behind output %u", i);
	for (uint32_t i = 0; i < r->model->ninputs; i++)
		if (!sn_is_guard_whole(r->in[i].data, r->in[i].capacity))
			return sn_suite_fail(r->verdict, FAILED, "wrote behind input %u", i);
	r->model->free(r->context);
	return true;
}

/* ---- outputs ---------------------------------------------------------------------------------- */

/* As numpy.testing.assert_allclose, NaN equal to NaN. */
static bool
is_close(const struct suite_case *c, double got, double want)
{
	if (isnan(got) || isnan(want))
		return isnan(got) && isnan(want);
	if (isinf(got) || isinf(want))
		return got == want;
	return fabs(got - want) <= c->atol + c->rtol * fabs(want);
}

static bool
compare_elements(struct run *r, uint32_t number, const struct sn_data *want)
{
	enum sn_dtype t = want->dtype;
	for (size_t i = 0; i < want->n; i++) {
		union sn_num g = sn_dtype_load(t, r->out[number].data, i);
		union sn_num w = sn_data_get(want, i);
		bool is_float = sn_is_float(t);
		if (is_float ? is_close(r->kase, g.f, w.f)
			     : g.i == w.i || is_close(r->kase, (double)g.i, (double)w.i))
			continue;
		if (is_float)
			return sn_suite_fail(r->verdict, FAILED, "output %u[%zu] is %.9g, not %.9g",
					     number, i, g.f, w.f);
		return sn_suite_fail(r->verdict, FAILED, "output %u[%zu] is %lld, not %lld", number,
				     i, (long long)g.i, (long long)w.i);
	}
	return true;
}

static bool
compare_output(struct run *r, uint32_t i)
{
	struct sn_tensor_data want;
	const struct sinter_tensor *got = &r->out[i];
	const char *path = r->set ? sn_printf(&r->arena, "%s/output_%u.pb", r->set, i)
				  : r->kase->data;
	if (!sn_onnx_read_tensor(path, &r->arena, &r->diags, &want))
		return unreadable(r, path);
	enum sn_dtype t = want.data->dtype;
	if (sn_dtype_info(t)->onnx != r->model->outputs[i].dtype)
		return sn_suite_fail(r->verdict, FAILED, "output %u has element type %d, not %s", i,
				     r->model->outputs[i].dtype, sn_dtype_info(t)->text);
	if (got->rank != want.rank)
		return sn_suite_fail(r->verdict, FAILED, "output %u has %d dimensions, not %d", i,
				     got->rank, want.rank);
	for (int d = 0; d < want.rank; d++)
		if (got->dims[d] != want.dims[d])
			return sn_suite_fail(r->verdict, FAILED,
					     "output %u, dimension %d is %lld, not %lld", i, d,
					     (long long)got->dims[d], (long long)want.dims[d]);
	if (got->bytes != sn_dtype_bytes(t, want.data->n))
		return sn_suite_fail(r->verdict, FAILED, "output %u has %zu bytes", i, got->bytes);
	return compare_elements(r, i, want.data);
}

/* ---- one set of data -------------------------------------------------------------------------- */

static bool
run_set(struct run *r)
{
	const struct sinter_model *m = r->model;
	r->in = SN_NEW_ARRAY(&r->arena, m->ninputs, struct sinter_tensor);
	r->out = SN_NEW_ARRAY(&r->arena, m->noutputs, struct sinter_tensor);
	for (uint32_t i = 0; i < m->ninputs; i++)
		if (!(r->set ? read_input(r, i) : make_input(r, i)))
			return false;
	if (!(m->program ? sn_suite_run_on_device(r) : prepare(r) && run_guarded(r)))
		return false;
	for (uint32_t i = 0; i < m->noutputs; i++)
		if (!compare_output(r, i))
			return false;
	return true;
}

static bool
run_sets(struct run *r)
{
	struct stat st;
	if (stat(r->kase->data, &st) == 0 && S_ISREG(st.st_mode))
		return run_set(r);
	for (int i = 0;; i++) {
		r->set = sn_printf(&r->arena, "%s/test_data_set_%d", r->kase->data, i);
		if (stat(r->set, &st) != 0)
			return i > 0 || unreadable(r, r->set);
		if (!run_set(r))
			return false;
	}
}

bool
sn_suite_run(const struct suite *s, const struct suite_case *c, const struct sinter_model *model,
	     struct verdict *v)
{
	struct run *r = calloc(1, sizeof(*r));
	if (!r)
		return sn_suite_fail(v, FAILED, "no memory");
	*r = (struct run){ .suite = s, .kase = c, .model = model, .verdict = v };
	sn_arena_init(&r->arena, &r->guard);
	sn_diags_init(&r->diags, &r->arena);
	bool ok = false;
	if (SN_GUARD_ENTER(&r->guard) == SN_OK)
		ok = run_sets(r);
	else
		sn_suite_fail(v, FAILED, "reading data: %.250s", r->guard.text);
	return ok; /* the process ends now */
}
