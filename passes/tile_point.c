/* The points of a tile: rows, vectors, lanes, and one step of the reduction for all of them. */
#include "passes/tile_impl.h"

/* Row index of the accumulators: row2 * rows + row. */
const struct sn_expr *
tile_open_rows(struct tile *t, struct sn_scope *s)
{
	enum sn_loop_kind kind = t->is_rolled ? LK_SERIAL : LK_UNROLLED;
	const struct sn_expr *q = sn_at_for(t->b, kind, "q", sn_int(t->pool, t->rows2));
	const struct sn_expr *p = sn_at_for(t->b, kind, "p", sn_int(t->pool, t->rows));
	if (t->k.row >= 0)
		sn_scope_axis(&t->e, s, t->m->axes[t->k.row], sn_add(t->pool, t->row_base, p));
	if (t->k.row2 >= 0)
		sn_scope_axis(&t->e, s, t->m->axes[t->k.row2], sn_add(t->pool, t->row2_base, q));
	return sn_add(t->pool, sn_mulk(t->pool, q, t->rows), p);
}

void
tile_close_rows(struct tile *t)
{
	sn_at_end(t->b);
	sn_at_end(t->b);
}

/* Opens the loops over vectors and lanes; IDX gets the accumulators' last two indices. */
void
tile_open_lanes(struct tile *t, struct sn_scope *s, const struct sn_expr **idx)
{
	const struct sn_expr *j = sn_at_for(t->b, LK_UNROLLED, "j", sn_int(t->pool, t->nvecs));
	const struct sn_expr *l = sn_at_for(t->b, LK_VECTOR, "l", sn_int(t->pool, t->nlanes));
	j = sn_addk(t->pool, j, t->first_vec);
	const struct sn_expr *v = sn_add(t->pool, sn_mulk(t->pool, j, t->k.lanes), l);
	sn_scope_axis(&t->e, s, t->m->axes[t->k.vec], sn_add(t->pool, t->vec_base, v));
	idx[0] = j;
	idx[1] = l;
}

void
tile_close_lanes(struct tile *t)
{
	sn_at_end(t->b);
	sn_at_end(t->b);
}

/* Calls F inside the loops over rows, vectors and lanes. */
void
tile_each_point(struct tile *t, const struct sn_scope *s, tile_point_fn f)
{
	struct sn_scope in = sn_scope_copy(&t->e, s);
	const struct sn_expr *idx[3];
	idx[0] = tile_open_rows(t, &in);
	tile_open_lanes(t, &in, idx + 1);
	f(t, &in, idx);
	tile_close_lanes(t);
	tile_close_rows(t);
}

static bool
moves_with(const struct sn_expr *read, const struct tile *t, int axis)
{
	if (axis < 0)
		return false;
	for (int d = 0; d < read->tensor->type.rank; d++)
		if (sn_expr_has_axis(read->args[d], t->m->axes[axis]))
			return true;
	return false;
}

/* Loads one read that depends on the vectors but not on the rows into registers, before the rows. */
static struct sn_buffer *
load_vectors(struct tile *t, const struct sn_expr *read)
{
	int64_t dims[2] = { t->nv, t->lanes };
	struct sn_buffer *buf = sn_at_alloc(t->b, SP_REG, read->tensor->name,
					    (enum sn_dtype)read->dtype, t->lanes == 1 ? 1 : 2,
					    dims);
	struct sn_scope s = sn_scope_copy(&t->e, &t->scope);
	const struct sn_expr *idx[2];
	tile_open_lanes(t, &s, idx);
	sn_at_store(t->b, buf, idx, sn_emit_expr(&t->e, &s, read));
	tile_close_lanes(t);
	return buf;
}

void
tile_sort_reads(struct tile *t, struct tile_reads *out)
{
	struct sn_arena *a = t->c->scratch;
	*out = (struct tile_reads){ 0 };
	for (int i = 0; i < t->m->reducer->nargs; i++) {
		struct sn_read_list reads = { 0 };
		sn_reads_of(t->m->args[i], a, &reads);
		for (size_t j = 0; j < reads.list.n; j++) {
			const struct sn_expr *x = reads.list.v[j];
			bool v = moves_with(x, t, t->k.vec);
			bool r = moves_with(x, t, t->k.row) || moves_with(x, t, t->k.row2);
			struct sn_read_list *l = v ? (r ? &out->both : &out->vectors)
						   : (r ? &out->rows : &out->same);
			SN_PUSH(a, &l->list, x);
		}
	}
}

static void
put_loaded(struct tile *t, struct sn_scope *s, const struct tile_reads *r,
	   const struct sn_expr *const *idx)
{
	for (size_t i = 0; i < r->vectors.list.n; i++)
		sn_scope_put(&t->e, s, r->vectors.list.v[i],
			     sn_at_load(t->b, r->buffers.v[i]->name, r->buffers.v[i], idx));
}

/* One step of the reduction for the whole tile. */
void
tile_step(struct tile *t)
{
	struct tile_reads r;
	tile_sort_reads(t, &r);
	for (size_t i = 0; i < r.same.list.n; i++)
		sn_emit_expr(&t->e, &t->scope, r.same.list.v[i]);
	for (size_t i = 0; i < r.vectors.list.n; i++)
		SN_PUSH(t->c->scratch, &r.buffers, load_vectors(t, r.vectors.list.v[i]));
	tile_ahead_step(t);
	struct sn_scope s = sn_scope_copy(&t->e, &t->scope);
	const struct sn_expr *idx[3], *args[4];
	idx[0] = tile_open_rows(t, &s);
	for (size_t i = 0; i < r.rows.list.n; i++)
		sn_emit_expr(&t->e, &s, r.rows.list.v[i]);
	tile_open_lanes(t, &s, idx + 1);
	put_loaded(t, &s, &r, idx + 1);
	for (int i = 0; i < t->m->reducer->nargs; i++)
		args[i] = sn_emit_expr(&t->e, &s, t->m->args[i]);
	sn_emit_acc_step(&t->e, t->m->reducer, &t->sums[t->nsums - 1].acc, idx, args);
	tile_close_lanes(t);
	tile_close_rows(t);
}
