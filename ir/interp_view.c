/*
 * Tensor interpreter: tensors that lie inside of others.
 *
 * Once a pass has made a tensor a view, nothing copies its elements any more,
 * so the interpreter must find them where they are: in the memory of the root,
 * laid out as the layouts say.  Halos and padding are never read.
 */
#include "ir/interp.h"

#include "ir/layout.h"

bool
sn_interp_find_views(struct interp *in)
{
	for (size_t i = 0; i < in->pr->tensors.n; i++) {
		const struct sn_tensor *t = in->pr->tensors.v[i], *root = t;
		size_t steps = 0;
		while (root->store == TS_VIEW && root->base && steps++ < in->pr->tensors.n)
			root = root->base;
		if (root == t)
			continue;
		if (root->store == TS_VIEW || root->type.dtype != t->type.dtype)
			return sn_report(in->diags, SN_NOWHERE, DG_INTERP_TENSOR, t->name,
					 "is a view of no tensor of its type");
		in->mem[t->id].root = &in->mem[root->id];
		in->mem[t->id].is_shared = in->mem[root->id].is_shared = true;
	}
	return true;
}

const struct sn_expr *
sn_interp_view_offset(struct interp *in, const struct sn_tensor *t,
		      const struct sn_expr *const *idx)
{
	struct sn_pool *p = in->pr->pool;
	const struct sn_expr *sum = sn_layout_offset(p, sn_layout_of(p, t), idx);
	for (; t->store == TS_VIEW && t->base; t = t->base)
		if (t->base_offset)
			sum = sn_add(p, sum, t->base_offset);
	return sum;
}

bool
sn_interp_shared_size(struct interp *in, const struct sn_tensor *t, int64_t *out)
{
	return sn_interp_dim(sn_layout_of(in->pr->pool, t)->size, in->opts->syms, out);
}

/* Offset of row-major element number I by the layout's parts. */
static int64_t
element_offset(struct interp *in, const struct sn_tensor *t, int64_t i)
{
	const struct sn_layout *l = sn_layout_of(in->pr->pool, t);
	int64_t idx[SN_MAX_RANK], sum = 0, x;
	for (int d = t->type.rank - 1; d >= 0; d--) {
		idx[d] = i % in->mem[t->id].dims[d] + l->halo_lo[d];
		i /= in->mem[t->id].dims[d];
	}
	for (int k = 0; k < l->nparts; k++) {
		const struct sn_layout_part *part = &l->parts[k];
		int64_t v = idx[part->axis] / part->div;
		if (sn_interp_dim(part->stride, in->opts->syms, &x))
			sum += (part->mod ? v % part->mod : v) * x;
	}
	for (; t->store == TS_VIEW && t->base; t = t->base)
		if (t->base_offset && sn_interp_dim(t->base_offset, in->opts->syms, &x))
			sum += x;
	return sum;
}

const void *
sn_interp_dense(struct interp *in, const struct sn_tensor *t)
{
	const struct mem *m = &in->mem[t->id];
	if (!m->is_shared)
		return m->bytes;
	void *copy = sn_alloc(in->arena, sn_dtype_bytes(m->dtype, (size_t)m->count));
	for (int64_t i = 0; i < m->count; i++) {
		size_t at = m->is_splat ? 0 : (size_t)element_offset(in, t, i);
		sn_dtype_store(m->dtype, copy, (size_t)i, sn_dtype_load(m->dtype, m->bytes, at));
	}
	return copy;
}
