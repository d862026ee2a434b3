/*
 * Tensor interpreter: memory of tensors, and kernels in order.
 *
 * Schedules are ignored, and so is where tensors live, but for views and what
 * they lie in (ir/interp_view.c): every other tensor has row-major memory of its
 * own, given back to a pool after its last use.
 */
#include <string.h>

#include "ir/interp.h"

/* ---- numbers known from the symbols ---- */

bool
sn_interp_dim(const struct sn_expr *e, const int64_t *syms, int64_t *out)
{
	union sn_num x;
	if (e->dtype != DT_I64 || !sn_expr_value(e, syms, &x))
		return false;
	*out = x.i;
	return true;
}

/* ---- memory ---- */

/* Blocks that tensors no longer need. */
struct block {
	char *bytes;
	size_t size;
};
struct blocks {
	SN_VEC(struct block) list;
};

static char *
take_block(struct blocks *b, struct sn_arena *a, size_t size)
{
	size_t best = b->list.n;
	for (size_t i = 0; i < b->list.n; i++)
		if (b->list.v[i].size >= size && b->list.v[i].size / 2 <= size
		    && (best == b->list.n || b->list.v[i].size < b->list.v[best].size))
			best = i;
	if (best == b->list.n)
		return sn_alloc(a, size);
	char *bytes = b->list.v[best].bytes;
	b->list.v[best] = b->list.v[--b->list.n];
	return bytes;
}

static bool
fail(struct interp *in, const struct sn_tensor *t, const char *why)
{
	in->has_failed = true;
	return sn_report(in->diags, SN_NOWHERE, DG_INTERP_TENSOR, t->name, why);
}

static bool
shape_memory(struct interp *in, const struct sn_tensor *t)
{
	struct mem *m = &in->mem[t->id];
	char kind = sn_dtype_info(t->type.dtype)->kind;
	if (t->type.kind != TY_TENSOR || t->type.rank < 0)
		return fail(in, t, "is not a tensor of known rank");
	if (kind == 'C' || kind == 'S' || kind == '-')
		return fail(in, t, "has elements that are neither numbers nor truth values");
	m->dtype = interp_dtype(in, t->type.dtype);
	m->count = 1;
	m->last_use = -1;
	for (int i = t->type.rank - 1; i >= 0; i--) {
		if (!sn_interp_dim(t->type.dims[i], in->opts->syms, &m->dims[i]) || m->dims[i] < 0)
			return fail(in, t, "has a dimension that is not known");
		m->strides[i] = m->count;
		if (__builtin_mul_overflow(m->count, m->dims[i], &m->count)
		    || m->count > (int64_t)1 << 40)
			return fail(in, t, "is too large");
	}
	return true;
}

static void
place(struct mem *m, char *bytes)
{
	m->bytes = bytes;
	m->is_aligned = (uintptr_t)bytes % 8 == 0;
}

static void
place_const(struct interp *in, const struct sn_tensor *t)
{
	struct mem *m = &in->mem[t->id];
	m->dtype = t->data->dtype;
	place(m, (char *)t->data->bytes);
	m->is_splat = t->data->is_splat;
	if (m->is_splat) {
		memset(m->strides, 0, sizeof(m->strides));
		m->is_aligned = false;
	}
}

/* Is memory of type GIVEN good for a tensor declared as WANT? */
static bool
suits(const struct interp *in, enum sn_dtype given, enum sn_dtype want)
{
	return given == want || (in->opts->is_all_f64 && sn_is_float(want) && given == DT_F64);
}

static bool
check_array(struct interp *in, const struct sn_tensor *t, const struct sn_array *a)
{
	if (!suits(in, a->dtype, t->type.dtype))
		return fail(in, t, "is given with elements of another type");
	if (a->n != (size_t)in->mem[t->id].count)
		return fail(in, t, "is given with another number of elements");
	return true;
}

static bool
place_arguments(struct interp *in, const struct sn_array *args, struct sn_array *out)
{
	const struct sn_program *pr = in->pr;
	bool ok = true;
	for (size_t i = 0; i < pr->inputs.n; i++) {
		struct mem *m = &in->mem[pr->inputs.v[i]->id];
		if (!check_array(in, pr->inputs.v[i], &args[i])) {
			ok = false;
			continue;
		}
		m->dtype = args[i].dtype;
		place(m, args[i].bytes);
	}
	for (size_t i = 0; i < pr->outputs.n; i++) {
		struct mem *m = &in->mem[pr->outputs.v[i]->id];
		if (!check_array(in, pr->outputs.v[i], &out[i]))
			ok = false;
		else if (m->dtype == out[i].dtype && !m->root)
			place(m, out[i].bytes);
	}
	return ok;
}

static void
note_uses(struct interp *in, const struct sn_kernel *k, int number)
{
	struct sn_tensor_list list;
	sn_kernel_reads(k, in->arena, &list);
	for (size_t i = 0; i < list.list.n; i++)
		in->mem[list.list.v[i]->id].last_use = number;
	sn_kernel_stores(k, in->arena, &list);
	for (size_t i = 0; i < list.list.n; i++) {
		struct mem *m = &in->mem[list.list.v[i]->id];
		m->last_use = m->last_store = number;
	}
}

static bool
make_memory(struct interp *in, const struct sn_array *args, struct sn_array *out)
{
	const struct sn_program *pr = in->pr;
	bool ok = true;
	in->mem = SN_NEW_ARRAY(in->arena, pr->tensors.n, struct mem);
	for (size_t i = 0; i < pr->tensors.n; i++)
		ok &= shape_memory(in, pr->tensors.v[i]);
	if (!ok || !sn_interp_find_views(in) || !place_arguments(in, args, out))
		return false;
	for (size_t i = 0; i < pr->tensors.n; i++)
		if (pr->tensors.v[i]->role == TR_CONST)
			place_const(in, pr->tensors.v[i]);
	for (size_t i = 0; i < pr->kernels.n; i++)
		note_uses(in, pr->kernels.v[i], (int)i);
	return true;
}

/* ---- running ---- */

static bool
run_kernel(struct interp *in, const struct sn_kernel *k)
{
	in->kernel = k;
	for (size_t i = 0; i < k->stages.n && !in->has_failed; i++) {
		struct plan p;
		if (sn_plan_build(&p, in, k->stages.v[i], in->work))
			sn_plan_run(&p);
		else
			in->has_failed = true;
		sn_arena_release(in->work);
	}
	return !in->has_failed;
}

/* Memory of views and of what they lie in, which is kept to the end. */
static void
place_shared(struct interp *in, const struct sn_tensor *t)
{
	while (in->mem[t->id].root && t->base)
		t = t->base;
	struct mem *root = &in->mem[t->id];
	int64_t n = root->count;
	if (!root->bytes && sn_interp_shared_size(in, t, &n))
		place(root, sn_alloc(in->arena, sn_dtype_bytes(root->dtype, (size_t)n)));
	for (size_t i = 0; i < in->pr->tensors.n; i++) {
		struct mem *m = &in->mem[i];
		if (m->root != root)
			continue;
		m->dtype = root->dtype;
		m->is_splat = root->is_splat;
		place(m, root->bytes);
	}
}

/* Memory for what a kernel touches first. */
static void
before_kernel(struct interp *in, struct blocks *free_blocks, const struct sn_tensor_list *list)
{
	for (size_t i = 0; i < list->list.n; i++) {
		struct mem *m = &in->mem[list->list.v[i]->id];
		size_t size = sn_dtype_bytes(m->dtype, (size_t)m->count);
		if (m->is_shared)
			place_shared(in, list->list.v[i]);
		else if (!m->bytes)
			place(m, take_block(free_blocks, in->arena, size));
	}
}

static void
after_kernel(struct interp *in, struct blocks *free_blocks, const struct sn_tensor_list *list,
	     int kernel)
{
	for (size_t i = 0; i < list->list.n; i++) {
		const struct sn_tensor *t = list->list.v[i];
		struct mem *m = &in->mem[t->id];
		if (m->last_use != kernel || t->role != TR_TEMP || m->is_shared || !m->bytes)
			continue;
		SN_PUSH(in->arena, &free_blocks->list,
			(struct block){ m->bytes, sn_dtype_bytes(m->dtype, (size_t)m->count) });
		m->bytes = NULL;
	}
}

static void
watch(struct interp *in, const struct sn_kernel *k, const struct sn_tensor_list *stores, int kernel)
{
	if (!in->opts->watch)
		return;
	for (size_t i = 0; i < stores->list.n; i++) {
		const struct sn_tensor *t = stores->list.v[i];
		const struct mem *m = &in->mem[t->id];
		if (m->last_store == kernel)
			in->opts->watch(in->opts->arg, k, t, sn_interp_dense(in, t),
					m->dtype == DT_F64 && t->type.dtype != DT_F64);
	}
}

static bool
run_kernels(struct interp *in)
{
	struct blocks free_blocks = { 0 };
	for (size_t i = 0; i < in->pr->kernels.n; i++) {
		const struct sn_kernel *k = in->pr->kernels.v[i];
		struct sn_tensor_list reads, stores;
		sn_kernel_reads(k, in->arena, &reads);
		sn_kernel_stores(k, in->arena, &stores);
		before_kernel(in, &free_blocks, &stores);
		before_kernel(in, &free_blocks, &reads);
		if (!run_kernel(in, k))
			return false;
		watch(in, k, &stores, (int)i);
		after_kernel(in, &free_blocks, &stores, (int)i);
		after_kernel(in, &free_blocks, &reads, (int)i);
	}
	return true;
}

/* Outputs that could not be computed in the caller's memory. */
static void
copy_outputs(struct interp *in, struct sn_array *out)
{
	for (size_t i = 0; i < in->pr->outputs.n; i++) {
		const struct sn_tensor *t = in->pr->outputs.v[i];
		const struct mem *m = &in->mem[t->id];
		if (m->bytes == out[i].bytes || !m->bytes)
			continue;
		const void *dense = sn_interp_dense(in, t);
		for (size_t j = 0; j < out[i].n; j++)
			sn_dtype_store(out[i].dtype, out[i].bytes, j,
				       sn_dtype_load(m->dtype, dense, j));
	}
}

static bool
check_requires(struct interp *in)
{
	const struct sn_require *r = sn_requires_broken(&in->pr->requires, in->opts->syms);
	return !r
	       || sn_report(in->diags, sn_origin_where(r->origin), DG_INTERP_REQUIRE,
			    sn_require_text(in->arena, r));
}

bool
sn_program_interp(const struct sn_program *pr, const struct sn_interp_opts *o,
		  const struct sn_array *in, struct sn_array *out, struct sn_arena *scratch,
		  struct sn_diags *diags)
{
	struct interp x = { .pr = pr, .opts = o, .arena = scratch, .diags = diags };
	x.work = sn_arena_child(scratch);
	if (!check_requires(&x) || !make_memory(&x, in, out) || !run_kernels(&x))
		return false;
	copy_outputs(&x, out);
	return true;
}
