/* Halos: loops that write the outside value around a tensor, by its first writer in the run. */
#include "ir/index.h"
#include "passes/emit.h"

static bool
has_halo(const struct sn_tensor *t)
{
	if (!t->layout || !t->layout->has_fill || t->store != TS_OWN)
		return false;
	for (int d = 0; d < t->layout->rank; d++)
		if (t->layout->halo_lo[d] || t->layout->halo_hi[d])
			return true;
	return false;
}

static bool
stores(struct sn_emit *e, const struct sn_kernel *k, const struct sn_tensor *t)
{
	struct sn_tensor_list list = { 0 };
	sn_kernel_stores(k, e->c->scratch, &list);
	for (size_t i = 0; i < list.list.n; i++)
		if (list.list.v[i] == t)
			return true;
	return false;
}

static bool
is_first_writer(struct sn_emit *e, const struct sn_tensor *t)
{
	const struct sn_program *pr = e->c->module->program;
	for (size_t i = 0; i < pr->kernels.n; i++)
		if (stores(e, pr->kernels.v[i], t))
			return pr->kernels.v[i] == e->kernel;
	return false;
}

/* The block that a layout keeps innermost, 0: none. */
static int64_t
inner_block(const struct sn_layout *l, int *out_axis)
{
	const struct sn_layout_part *p = &l->parts[l->nparts - 1];
	*out_axis = p->axis;
	return p->mod;
}

/* One band of dimension DIM from FROM on, COUNT wide: all other dimensions in full, except that those
 * before DIM stay inside, so that no element is written twice. */
static void
fill_band(struct sn_emit *e, const struct sn_tensor *t, int dim, const struct sn_expr *from,
	  int64_t count)
{
	struct sn_pool *p = e->c->pool;
	const struct sn_layout *l = t->layout;
	const struct sn_expr *idx[SN_MAX_RANK] = { NULL };
	int block_dim, opened = 0;
	int64_t block = inner_block(l, &block_dim);
	if (block_dim == dim)
		block = 0; /* the band begins inside a block */
	for (int d = 0; d < l->rank; d++) {
		const struct sn_expr *base = sn_int(p, 0), *n = t->type.dims[d];
		if (d == dim) {
			base = from;
			n = sn_int(p, count);
		} else if (d > dim) {
			base = sn_int(p, -l->halo_lo[d]);
			n = sn_addk(p, n, l->halo_lo[d] + l->halo_hi[d]);
		}
		if (block && d == block_dim) {
			n = sn_divk(p, sn_addk(p, n, block - 1), block);
			base = sn_mulk(p, sn_at_for(e->b, LK_SERIAL, "b", n), block);
			idx[d] = base;
		} else {
			idx[d] = sn_add(p, base, sn_at_for(e->b, LK_SERIAL, "h", n));
		}
		opened++;
	}
	if (block) {
		const struct sn_expr *v = sn_at_for(e->b, LK_VECTOR, "l", sn_int(p, block));
		idx[block_dim] = sn_add(p, idx[block_dim], v);
		opened++;
	}
	const struct sn_expr *off = sn_layout_offset(p, l, idx);
	sn_at_store(e->b, sn_map_get_num(&e->buffers, (uint64_t)t->id + 1), &off,
		    sn_const(p, t->type.dtype, l->fill));
	for (; opened > 0; opened--)
		sn_at_end(e->b);
}

static bool
is_ours(struct sn_emit *e, const struct sn_tensor *t)
{
	return has_halo(t) && stores(e, e->kernel, t) && is_first_writer(e, t);
}

bool
sn_emit_has_halos(struct sn_emit *e)
{
	bool has = false;
	for (size_t i = 0; i < e->args.n; i++)
		has |= is_ours(e, e->args.v[i]);
	return has;
}

void
sn_emit_halos(struct sn_emit *e)
{
	for (size_t i = 0; i < e->args.n; i++) {
		const struct sn_tensor *t = e->args.v[i];
		if (!is_ours(e, t))
			continue;
		for (int d = 0; d < t->layout->rank; d++) {
			if (t->layout->halo_lo[d])
				fill_band(e, t, d, sn_int(e->c->pool, -t->layout->halo_lo[d]),
					  t->layout->halo_lo[d]);
			if (t->layout->halo_hi[d])
				fill_band(e, t, d, t->type.dims[d], t->layout->halo_hi[d]);
		}
	}
}
