/* verify --per-kernel: what each kernel of the compiled code stores, against the tensor interpreter. */
#include <stdio.h>
#include <string.h>
#include "cli/verify.h"
#include "ir/index.h"
#include "ir/layout.h"

struct kernel_check {
	struct job *job;
	const struct sn_module *m;
	struct tolerance tolerance;
	struct value *want; /* by tensor id: what the interpreter computed; data NULL: nothing */
	int *last_step;	    /* by tensor id: the step that completes it, -1: none */
	int nchecked;
	bool has_failed;
	const char *text; /* of the first failure */
};

static void
note(void *arg, const struct sn_kernel *k, const struct sn_tensor *t, const void *data, bool is_f64)
{
	struct kernel_check *c = arg;
	struct value *v = &c->want[t->id];
	(void)k;
	*v = (struct value){ .dtype = t->type.dtype, .rank = t->type.rank };
	for (int d = 0; d < v->rank; d++)
		if (!sn_get_int(t->type.dims[d], &v->dims[d]))
			return;
	if (is_f64 || sn_dtype_info(v->dtype)->bits == 0 || !value_allocate(v, c->job->o->arena))
		return;
	if (v->bytes)
		memcpy(v->data, data, v->bytes);
}

static void
find_last_steps(struct kernel_check *c)
{
	const struct sn_plan *plan = c->m->plan;
	for (size_t i = 0; i < c->m->program->tensors.n; i++)
		c->last_step[i] = -1;
	for (size_t s = 0; s < plan->steps.n; s++) {
		struct sn_tensor_list stores;
		if (!plan->steps.v[s].kernel)
			continue;
		sn_kernel_stores(plan->steps.v[s].kernel, c->job->o->arena, &stores);
		for (size_t i = 0; i < stores.list.n; i++)
			if (stores.list.v[i]->store != TS_SCRATCH)
				c->last_step[stores.list.v[i]->id] = (int)s;
	}
}

/* Where the compiled code has put T; NULL if that is not known. */
static const char *
memory_of(struct kernel_check *c, const struct sn_tensor *t)
{
	int64_t bits = 0;
	for (; t->store == TS_VIEW || t->store == TS_INPLACE; t = t->base) {
		int64_t n = 0;
		if (t->store == TS_VIEW && t->base_offset && !sn_get_int(t->base_offset, &n))
			return NULL;
		bits += n * sn_dtype_info(t->type.dtype)->bits;
	}
	if (t->role == TR_OUTPUT)
		return (const char *)sinter_session_output(c->job->session, (uint32_t)t->role_index)
			       ->data
		       + bits / 8;
	if (t->role != TR_TEMP || c->m->plan->offsets[t->id] < 0)
		return NULL;
	const char *arena = t->place == PLACE_HOST ? sinter_session_host_arena(c->job->session)
						   : sinter_session_arena(c->job->session);
	return arena + c->m->plan->offsets[t->id] + bits / 8;
}

/* The place of an element in its layout (ir/layout.h). */
static bool
offset_of(const struct sn_layout *l, const int64_t *idx, int64_t *out)
{
	*out = 0;
	for (int k = 0; k < l->nparts; k++) {
		const struct sn_layout_part *p = &l->parts[k];
		int64_t x = (idx[p->axis] + l->halo_lo[p->axis]) / p->div, stride;
		if (!sn_get_int(p->stride, &stride))
			return false;
		*out += (p->mod ? x % p->mod : x) * stride;
	}
	return true;
}

static bool
next_index(const struct value *v, int64_t *idx)
{
	for (int d = v->rank - 1; d >= 0; d--) {
		if (++idx[d] < v->dims[d])
			return true;
		idx[d] = 0;
	}
	return false;
}

/* Part of a tensor: lo <= index < lo + n in each dimension. */
struct part {
	int64_t lo[SN_MAX_RANK], n[SN_MAX_RANK];
};

/* What comprehension M stores as R, if that is a part without holes. */
static bool
stored_part(const struct sn_comp *m, const struct sn_result *r, struct part *out)
{
	int64_t points = 1, elements = 1, x;
	for (int i = 0; i < m->naxes; i++) {
		if (!sn_get_int(m->axes[i]->extent, &x))
			return false;
		points *= x;
	}
	for (int d = 0; d < r->tensor->type.rank; d++) {
		sn_bounds(r->idx[d], &out->lo[d], &x);
		out->n[d] = x - out->lo[d] + 1;
		elements *= out->n[d];
	}
	return points == elements;
}

static bool
is_in_part(const struct part *p, const int64_t *idx, int rank)
{
	for (int d = 0; p && d < rank; d++)
		if (idx[d] < p->lo[d] || idx[d] >= p->lo[d] + p->n[d])
			return false;
	return true;
}

/* T as the compiled code left it, row-major; outside of PART (NULL: everywhere is inside) as the
 * interpreter says. */
static bool
read_tensor(struct kernel_check *c, const struct sn_tensor *t, const struct part *part,
	    struct value *out)
{
	const struct sn_layout *l = sn_layout_of(c->m->pool, t);
	const char *p = memory_of(c, t);
	int64_t idx[SN_MAX_RANK] = { 0 }, at;
	*out = c->want[t->id];
	if (!p || !value_allocate(out, c->job->o->arena))
		return false;
	for (size_t i = 0; i < out->n; i++) {
		if (!offset_of(l, idx, &at))
			return false;
		sn_dtype_store(out->dtype, out->data, i,
			       is_in_part(part, idx, out->rank)
				       ? sn_dtype_load(out->dtype, p, (size_t)at)
				       : sn_dtype_load(out->dtype, c->want[t->id].data, i));
		next_index(out, idx);
	}
	return true;
}

static void
describe(struct kernel_check *c, int step, const struct sn_tensor *t, const struct value *have,
	 const struct difference *d)
{
	struct sn_arena *a = c->job->o->arena;
	const struct sinter_kernel *k = &c->job->model->kernels[step];
	const struct value *want = &c->want[t->id];
	c->has_failed = true;
	c->text = sn_printf(a,
			    "kernel %s (step %d of %u, from %s) departs: '%s' max abs %.3g, "
			    "%zu of %zu elements; %s is %s, the interpreter says %s",
			    k->name, step, (unsigned)c->job->model->nkernels, k->nodes, t->name,
			    d->max_abs, d->nwrong, want->n, index_text(a, want, d->first),
			    element_text(a, have, d->first), element_text(a, want, d->first));
}

static void
check_part(struct kernel_check *c, int step, const struct sn_tensor *t, const struct part *part)
{
	struct value have;
	if (c->has_failed || !c->want[t->id].data || !read_tensor(c, t, part, &have))
		return;
	c->nchecked += !part;
	struct difference d = compare_values(&have, &c->want[t->id], &c->tolerance);
	if (d.nwrong)
		describe(c, step, t, &have, &d);
}

/* Tensors that STEP completes, and slices of others: their first readers come before the end. */
static void
check_step(struct kernel_check *c, int step)
{
	const struct sn_kernel *k = c->m->plan->steps.v[step].kernel;
	for (size_t i = 0; i < c->m->program->tensors.n; i++)
		if (c->last_step[i] == step)
			check_part(c, step, c->m->program->tensors.v[i], NULL);
	for (size_t i = 0; k && i < k->stages.n; i++)
		for (int r = 0; r < k->stages.v[i]->nresults; r++) {
			const struct sn_result *result = &k->stages.v[i]->results[r];
			struct part part;
			if (c->last_step[result->tensor->id] > step
			    && stored_part(k->stages.v[i], result, &part))
				check_part(c, step, result->tensor, &part);
		}
}

static void
on_kernel(void *job, int32_t k, int32_t phase)
{
	struct kernel_check *c = ((struct job *)job)->arg;
	if (phase == 1 && c->m && !c->has_failed)
		check_step(c, k);
}

struct kernel_check *
kernel_check_new(struct job *j, const struct tolerance *t)
{
	struct kernel_check *c = SN_NEW(j->o->arena, struct kernel_check);
	c->job = j;
	c->tolerance = *t;
	c->tolerance.is_by_magnitude = true;
	j->on_kernel = on_kernel;
	j->arg = c;
	return c;
}

static bool
interpret(struct kernel_check *c)
{
	const struct sn_program *pr = c->m->program;
	struct sn_arena *a = c->job->o->arena;
	struct sn_array *in = SN_NEW_ARRAY(a, pr->inputs.n + 1, struct sn_array),
			*out = SN_NEW_ARRAY(a, pr->outputs.n + 1, struct sn_array);
	int64_t *syms = SN_NEW_ARRAY(a, (size_t)c->m->pool->nsyms + 1, int64_t);
	struct sn_interp_opts io = { .syms = syms, .watch = note, .arg = c };
	for (size_t i = 0; i < pr->inputs.n; i++) {
		const struct value *v = &c->job->inputs[i];
		in[i] = (struct sn_array){ v->dtype, v->n, v->data };
	}
	for (size_t i = 0; i < pr->outputs.n; i++) {
		const struct sinter_tensor *t = sinter_session_output(c->job->session, (uint32_t)i);
		struct value v = job_output(c->job, (uint32_t)i);
		out[i] = (struct sn_array){ v.dtype, v.n, sn_alloc(a, t->bytes + 16) };
	}
	show_progress(c->job->o, "interpreting");
	struct sn_arena *scratch = sn_arena_child(a);
	bool ok = sn_program_interp(pr, &io, in, out, scratch, &c->job->diags);
	sn_arena_release(scratch);
	show_progress(c->job->o, NULL);
	return ok;
}

bool
kernel_check_run(struct kernel_check *c, bool *out_ok)
{
	struct sn_arena *a = c->job->o->arena;
	c->m = c->job->compiler.module;
	size_t n = c->m->program->tensors.n + 1;
	c->want = SN_NEW_ARRAY(a, n, struct value);
	c->last_step = SN_NEW_ARRAY(a, n, int);
	find_last_steps(c);
	if (!interpret(c) || !job_run(c->job))
		return false;
	*out_ok = !c->has_failed;
	if (c->has_failed)
		printf("%s\n", c->text);
	else
		printf("%d results of %zu kernels agree with the interpreter\n", c->nchecked,
		       c->m->plan->steps.n);
	c->m = NULL;
	return true;
}
