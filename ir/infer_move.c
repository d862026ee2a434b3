/*
 * Inference of operators that move elements.
 */
#include <string.h>
#include "ir/infer_help.h"
#include "ir/params.h"

/* ---- joining and cutting ---------------------------------------------------------------------- */

static void
concat_known(struct sn_infer *c, struct sn_node *n)
{
	sn_dim out[SN_MAX_KNOWN];
	int count = 0;
	for (int i = 0; i < n->nin; i++) {
		int m;
		const sn_dim *known = sn_infer_known(c, n, i, &m);
		if (!known || count + m > SN_MAX_KNOWN)
			return;
		memcpy(out + count, known, (size_t)m * sizeof(*known));
		count += m;
	}
	sn_infer_set_known(c, n, 0, out, count);
}

bool
sn_infer_concat(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	int axis;
	if (!sn_infer_axis(c, n, sn_attrs(n, concat)->axis, t.rank, &axis))
		return false;
	for (int i = 1; i < n->nin; i++) {
		if (!sn_infer_check_same(c, n, 0, i)
		    || !sn_infer_check_rank(c, n, i, t.rank, t.rank))
			return false;
		for (int d = 0; d < t.rank; d++)
			if (d != axis && !sn_infer_check_dims(c, n, 0, d, i, d))
				return false;
		t.dims[axis] = sn_add(c->pool, t.dims[axis], sn_in_type(n, i)->dims[axis]);
	}
	sn_infer_set(c, n, 0, &t);
	if (t.rank == 1)
		concat_known(c, n);
	return true;
}

/* Extent of part I of NPARTS: as the operand says, else equal parts, the last one smaller. */
static sn_dim
part_extent(struct sn_pool *p, sn_dim dim, const sn_dim *sizes, int i, int nparts)
{
	if (sizes)
		return sizes[i];
	sn_dim chunk = sn_divk(p, sn_addk(p, dim, nparts - 1), nparts);
	sn_dim last = sn_sub(p, dim, sn_mulk(p, chunk, nparts - 1));
	return i == nparts - 1 ? sn_shape_max(p, last, sn_int(p, 0)) : chunk;
}

static bool
all_declared(struct sn_infer *c, struct sn_node *n)
{
	bool ok = true;
	for (int i = 0; i < n->nout; i++)
		ok = ok && sn_infer_declared(c, n, i, sn_in_type(n, 0)->dtype);
	return ok;
}

bool
sn_infer_split(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	const sn_dim *sizes, *known;
	int axis, nsizes, nknown;
	int64_t at = 0;
	if (!sn_infer_axis(c, n, sn_attrs(n, split)->axis, x->rank, &axis))
		return false;
	if (sn_infer_is_runtime(c, n, 1) && all_declared(c, n))
		return true;
	if (!sn_infer_elems(c, n, 1, "split", &sizes, &nsizes))
		return false;
	if (sizes && nsizes != n->nout)
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "split",
				      "must have one element for each result");
	sn_dim sum = sn_int(c->pool, 0);
	for (int i = 0; i < n->nout; i++)
		sum = sn_add(c->pool, sum, part_extent(c->pool, x->dims[axis], sizes, i, n->nout));
	if (!sn_infer_require(c, n, OP_EQ, sum, x->dims[axis]))
		return false;
	known = sn_infer_known(c, n, 0, &nknown);
	for (int i = 0; i < n->nout; i++) {
		struct sn_type t = *x;
		int64_t k;
		t.dims[axis] = part_extent(c->pool, x->dims[axis], sizes, i, n->nout);
		sn_infer_set(c, n, i, &t);
		if (!known || x->rank != 1 || !sn_get_int(t.dims[0], &k) || at + k > nknown)
			continue;
		sn_infer_set_known(c, n, i, known + at, (int)k);
		at += k;
	}
	return true;
}

bool
sn_infer_slice(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_slice s[SN_MAX_RANK];
	const sn_dim *elems;
	struct sn_ints ints;
	int count;
	for (int i = 1; i < n->nin; i++)
		if (sn_infer_is_runtime(c, n, i) && sn_infer_declared(c, n, 0, x->dtype))
			return true;
	if (!sn_infer_elems(c, n, 1, "starts", &elems, &count)
	    || !sn_infer_elems(c, n, 2, "ends", &elems, &count)
	    || !sn_infer_ints(c, n, 3, "axes", &ints) || !sn_infer_ints(c, n, 4, "steps", &ints))
		return false;
	if (!sn_node_slices(c->pool, n, s))
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "starts",
				      "and ends, axes, steps don't fit each other or the data");
	struct sn_type t = *x;
	for (int i = 0; i < t.rank; i++)
		t.dims[i] = s[i].count;
	sn_infer_set(c, n, 0, &t);
	const sn_dim *known = sn_infer_known(c, n, 0, &count);
	int64_t start, size;
	if (!known || t.rank != 1 || !sn_get_int(s[0].start, &start)
	    || !sn_get_int(s[0].count, &size))
		return true;
	sn_dim out[SN_MAX_KNOWN];
	for (int64_t i = 0; i < size; i++)
		out[i] = known[start + i * s[0].step];
	return sn_infer_set_known(c, n, 0, out, (int)size);
}

/* ---- gathering -------------------------------------------------------------------------------- */

/* Data of rank 1 with known elements and constant indices. */
static void
gather_known(struct sn_infer *c, struct sn_node *n)
{
	int count, nidx;
	const sn_dim *known = sn_infer_known(c, n, 0, &count);
	const sn_dim *idx = sn_infer_known(c, n, 1, &nidx);
	sn_dim out[SN_MAX_KNOWN];
	if (!known || !idx || sn_in_type(n, 0)->rank != 1)
		return;
	for (int i = 0; i < nidx; i++) {
		int64_t k;
		if (!sn_get_int(idx[i], &k) || k < -count || k >= count)
			return;
		out[i] = known[k < 0 ? k + count : k];
	}
	sn_infer_set_known(c, n, 0, out, nidx);
}

static bool
check_index_class(struct sn_infer *c, struct sn_node *n, int i)
{
	return sn_is_int(sn_in_type(n, i)->dtype)
	       || SN_INFER_ERROR(c, n, DG_OPERAND_CLASS, sn_in_name(n, i),
				 sn_infer_text(c, sn_in_type(n, i)), "integers there");
}

bool
sn_infer_gather(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0), *idx = sn_in_type(n, 1);
	struct sn_type t = *x;
	int axis;
	if (!check_index_class(c, n, 1)
	    || !sn_infer_axis(c, n, sn_attrs(n, axis_first)->axis, x->rank, &axis))
		return false;
	if (x->rank - 1 + idx->rank > SN_MAX_RANK)
		return SN_INFER_ERROR(c, n, DG_RANK_LIMIT, x->rank - 1 + idx->rank, SN_MAX_RANK);
	t.rank = axis;
	for (int i = 0; i < idx->rank; i++)
		t.dims[t.rank++] = idx->dims[i];
	for (int i = axis + 1; i < x->rank; i++)
		t.dims[t.rank++] = x->dims[i];
	sn_infer_set(c, n, 0, &t);
	gather_known(c, n);
	return true;
}

bool
sn_infer_gather_elements(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type t = *sn_in_type(n, 1);
	int axis;
	t.dtype = x->dtype;
	if (!check_index_class(c, n, 1) || !sn_infer_check_rank(c, n, 1, x->rank, x->rank)
	    || !sn_infer_axis(c, n, sn_attrs(n, axis_first)->axis, x->rank, &axis))
		return false;
	for (int i = 0; i < x->rank; i++)
		if (i != axis && !sn_infer_require(c, n, OP_LE, t.dims[i], x->dims[i]))
			return false;
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_gather_nd(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0), *idx = sn_in_type(n, 1);
	int64_t depth, batch = sn_attrs(n, gather_nd)->batch_dims;
	if (!check_index_class(c, n, 1) || !sn_infer_check_rank(c, n, 1, 1, SN_MAX_RANK))
		return false;
	if (!sn_get_int(idx->dims[idx->rank - 1], &depth) || batch < 0 || batch >= idx->rank
	    || depth < 1 || batch + depth > x->rank)
		return SN_INFER_ERROR(
			c, n, DG_SHAPES, sn_in_name(n, 0), sn_infer_text(c, x), sn_in_name(n, 1),
			sn_infer_text(c, idx),
			"the last dimension of the indices, with batch_dims, doesn't fit");
	for (int i = 0; i < (int)batch; i++)
		if (!sn_infer_check_dims(c, n, 0, i, 1, i))
			return false;
	struct sn_type t = *idx;
	t.dtype = x->dtype;
	t.rank = idx->rank - 1;
	if (t.rank + x->rank - (int)(batch + depth) > SN_MAX_RANK)
		return SN_INFER_ERROR(c, n, DG_RANK_LIMIT, t.rank + x->rank, SN_MAX_RANK);
	for (int i = (int)(batch + depth); i < x->rank; i++)
		t.dims[t.rank++] = x->dims[i];
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_one_hot(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	const sn_dim *depth;
	int axis, count;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, sn_in_type(n, 2)->dtype))
		return true;
	if (!sn_infer_elems(c, n, 1, "depth", &depth, &count)
	    || !sn_infer_check_rank(c, n, 0, 0, SN_MAX_RANK - 1)
	    || !sn_infer_axis(c, n, sn_attrs(n, axis)->axis, x->rank + 1, &axis))
		return false;
	struct sn_type t = { .kind = TY_TENSOR, .dtype = sn_in_type(n, 2)->dtype };
	sn_dim extent = sn_is_float((enum sn_dtype)depth[0]->dtype)
				? sn_cast(c->pool, DT_I64, depth[0])
				: depth[0];
	for (int i = 0; i <= x->rank; i++)
		t.dims[t.rank++] = i == axis ? extent : x->dims[i - (i > axis)];
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_reverse_sequence(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_attrs_reverse *at = sn_attrs(n, reverse);
	int time, batch;
	return sn_infer_check_rank(c, n, 0, 2, SN_MAX_RANK) && sn_infer_check_rank(c, n, 1, 1, 1)
	       && check_index_class(c, n, 1)
	       && sn_infer_axis(c, n, at->time_axis, sn_in_type(n, 0)->rank, &time)
	       && sn_infer_axis(c, n, at->batch_axis, sn_in_type(n, 0)->rank, &batch)
	       && sn_infer_check_dims(c, n, 0, batch, 1, 0) && sn_infer_same(c, n);
}

/* ---- rearranging ------------------------------------------------------------------------------ */

bool
sn_infer_transpose(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_ints perm = sn_attrs(n, transpose)->perm;
	struct sn_type t = *x;
	unsigned seen = 0;
	for (int i = 0; i < x->rank; i++) {
		int64_t from = perm.n >= 0 && i < perm.n ? perm.v[i] : x->rank - 1 - i;
		if ((perm.n >= 0 && perm.n != x->rank) || from < 0 || from >= x->rank
		    || seen >> from & 1)
			return SN_INFER_ERROR(c, n, DG_ATTR, "perm",
					      sn_printf(c->arena,
							"is no permutation of the %d "
							"dimensions of '%s'",
							x->rank, sn_in_name(n, 0)));
		seen |= 1u << from;
		t.dims[i] = x->dims[from];
	}
	int count;
	const sn_dim *known = sn_infer_known(c, n, 0, &count);
	sn_infer_set(c, n, 0, &t);
	return !known || x->rank > 1 || sn_infer_set_known(c, n, 0, known, count);
}

static bool
check_block(struct sn_infer *c, struct sn_node *n, int64_t *out)
{
	*out = sn_attrs(n, block)->blocksize;
	if (*out < 1 || *out > 32768)
		return SN_INFER_ERROR(c, n, DG_ATTR, "blocksize", "must be at least 1");
	return sn_infer_check_rank(c, n, 0, 4, 4);
}

bool
sn_infer_depth_to_space(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	int64_t b, channels;
	if (!check_block(c, n, &b))
		return false;
	if (sn_get_int(t.dims[1], &channels) && channels % (b * b))
		return SN_INFER_ERROR(c, n, DG_ATTR, "blocksize",
				      "squared must divide the number of channels");
	if (!sn_infer_require_divides(c, n, b * b, t.dims[1]))
		return false;
	t.dims[1] = sn_divk(c->pool, t.dims[1], b * b);
	t.dims[2] = sn_mulk(c->pool, t.dims[2], b);
	t.dims[3] = sn_mulk(c->pool, t.dims[3], b);
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_space_to_depth(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	int64_t b;
	if (!check_block(c, n, &b))
		return false;
	if (!sn_infer_require_divides(c, n, b, t.dims[2])
	    || !sn_infer_require_divides(c, n, b, t.dims[3]))
		return false;
	t.dims[1] = sn_mulk(c->pool, t.dims[1], b * b);
	t.dims[2] = sn_divk(c->pool, t.dims[2], b);
	t.dims[3] = sn_divk(c->pool, t.dims[3], b);
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_tile(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	const sn_dim *repeats;
	int count;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, t.dtype))
		return true;
	if (!sn_infer_elems(c, n, 1, "repeats", &repeats, &count))
		return false;
	if (count != t.rank)
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "repeats",
				      "must have one element for each dimension of the data");
	for (int i = 0; i < t.rank; i++)
		t.dims[i] = sn_mul(c->pool, t.dims[i], repeats[i]);
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_trilu(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_check_rank(c, n, 0, 2, SN_MAX_RANK) && sn_infer_same(c, n);
}

bool
sn_infer_pad(struct sn_infer *c, struct sn_node *n)
{
	struct sn_type t = *sn_in_type(n, 0);
	struct sn_padding pads[SN_MAX_RANK];
	const sn_dim *elems;
	struct sn_ints axes;
	int count;
	if ((sn_infer_is_runtime(c, n, 1) || sn_infer_is_runtime(c, n, 3))
	    && sn_infer_declared(c, n, 0, t.dtype))
		return true;
	if (!sn_infer_elems(c, n, 1, "pads", &elems, &count)
	    || !sn_infer_ints(c, n, 3, "axes", &axes) || !sn_infer_check_same(c, n, 0, 2))
		return false;
	if (!sn_node_pads(c->pool, n, pads))
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "pads",
				      "must have two elements for each dimension");
	for (int i = 0; i < t.rank; i++)
		t.dims[i] = sn_add(c->pool, sn_add(c->pool, t.dims[i], pads[i].lo), pads[i].hi);
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_center_crop_pad(struct sn_infer *c, struct sn_node *n)
{
	struct sn_ints axes = sn_attrs(n, axes)->axes;
	struct sn_type t = *sn_in_type(n, 0);
	const sn_dim *extents;
	int count;
	if (sn_infer_is_runtime(c, n, 1) && sn_infer_declared(c, n, 0, t.dtype))
		return true;
	if (!sn_infer_elems(c, n, 1, "shape", &extents, &count))
		return false;
	if (count != (axes.n >= 0 ? axes.n : t.rank))
		return SN_INFER_ERROR(c, n, DG_OPERAND_VALUE, sn_in_name(n, 1), "shape",
				      "must have one element for each axis");
	for (int i = 0; i < count; i++) {
		int axis;
		if (!sn_infer_axis(c, n, axes.n >= 0 ? axes.v[i] : i, t.rank, &axis))
			return false;
		t.dims[axis] = extents[i];
	}
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_grid_sample(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0), *grid = sn_in_type(n, 1);
	struct sn_type t = *x;
	if (!sn_infer_check_rank(c, n, 0, 3, SN_MAX_RANK)
	    || !sn_infer_check_rank(c, n, 1, x->rank, x->rank)
	    || !sn_infer_check_dims(c, n, 0, 0, 1, 0))
		return false;
	if (!sn_is_int_const(grid->dims[x->rank - 1], x->rank - 2))
		return SN_INFER_ERROR(c, n, DG_SHAPES, sn_in_name(n, 0), sn_infer_text(c, x),
				      sn_in_name(n, 1), sn_infer_text(c, grid),
				      "the grid needs one coordinate for each spatial axis");
	for (int i = 2; i < x->rank; i++)
		t.dims[i] = grid->dims[i - 1];
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_resize(struct sn_infer *c, struct sn_node *n)
{
	static const char *const what[4] = { "X", "roi", "scales", "sizes" };
	struct sn_type t = *sn_in_type(n, 0);
	struct sn_resize r[SN_MAX_RANK];
	const sn_dim *elems;
	int count;
	for (int i = 2; i < 4; i++)
		if (sn_infer_is_runtime(c, n, i) && sn_infer_declared(c, n, 0, t.dtype))
			return true;
	for (int i = 2; i < 4; i++)
		if (!sn_infer_elems(c, n, i, what[i], &elems, &count))
			return false;
	if (!sn_node_resizes(c->pool, n, r))
		return SN_INFER_ERROR(c, n, DG_ATTR, "axes",
				      "(or the rank of the data) doesn't fit scales, sizes or roi");
	for (int i = 0; i < t.rank; i++)
		t.dims[i] = r[i].out;
	return sn_infer_set(c, n, 0, &t);
}
