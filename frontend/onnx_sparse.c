/*
 * Sparse tensors: their values scattered into zeros.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/onnx_data.h"

enum { DENSE_MOST = 1 << 30 }; /* bytes; a sparse tensor of a few bytes can claim any size */

struct sparse {
	const Pb__SparseTensorProto *t;
	struct sn_tensor_data values, indices;
	size_t nnz, rank, n;
};

/* The offset of element I, or false if its index lies outside. */
static bool
find_offset(const struct sparse *s, size_t i, size_t *out)
{
	size_t width = s->indices.rank == 1 ? 1 : s->rank, at = 0;
	for (size_t k = 0; k < width; k++) {
		int64_t x = sn_data_get(s->indices.data, i * width + k).i;
		int64_t extent = s->indices.rank == 1 ? (int64_t)s->n : s->t->dims[k];
		if (x < 0 || x >= extent)
			return false;
		at = at * (size_t)extent + (size_t)x;
	}
	*out = at;
	return true;
}

static const char *
check(const struct sparse *s)
{
	const struct sn_data *v = s->values.data, *x = s->indices.data;
	if (s->values.rank != 1 || v->dtype == DT_STRING || sn_dtype_info(v->dtype)->bits < 8)
		return "sparse values must be a list of numbers";
	if (x->dtype != DT_I64 || s->indices.rank < 1 || s->indices.rank > 2
	    || s->indices.dims[0] != (int64_t)s->nnz)
		return "sparse indices must be i64[values] or i64[values,rank]";
	if (s->indices.rank == 2 && s->indices.dims[1] != (int64_t)s->rank)
		return "sparse indices must have one column for each dimension";
	return NULL;
}

static const char *
scatter(const struct sparse *s, char *to)
{
	const struct sn_data *v = s->values.data;
	size_t size = (size_t)sn_dtype_info(v->dtype)->bits / 8, at = 0;
	for (size_t i = 0; i < s->nnz; i++) {
		if (!find_offset(s, i, &at))
			return "a sparse index lies outside";
		memcpy(to + at * size, (const char *)v->bytes + (v->is_splat ? 0 : i) * size, size);
	}
	return NULL;
}

bool
sn_read_sparse(struct sn_data_source *src, const Pb__SparseTensorProto *t, struct sn_where where,
	       struct sn_tensor_data *out)
{
	struct sparse s = { .t = t, .rank = t->n_dims };
	if (!t->values || !t->indices)
		return sn_report(src->diags, where, DG_TENSOR_NONE, "");
	if (!sn_read_tensor(src, t->values, where, &s.values)
	    || !sn_read_tensor(src, t->indices, where, &s.indices))
		return false;
	const char *name = s.values.name;
	enum sn_dtype dtype = s.values.data->dtype;
	struct sn_declared x = { name, dtype, t->n_dims, t->dims };
	if (!sn_check_dims(src, where, &x, &s.n))
		return false;
	s.nnz = s.values.data->n;
	const char *why = check(&s);
	if (!why && sn_dtype_bytes(dtype, s.n) > DENSE_MOST)
		return sn_report(src->diags, where, DG_TENSOR_HUGE, name);
	void *bytes;
	*out = (struct sn_tensor_data){ .name = name, .rank = (int)s.rank };
	for (size_t i = 0; i < s.rank; i++)
		out->dims[i] = t->dims[i];
	if (!why) {
		out->data = sn_data_new(src->arena, dtype, s.n, &bytes);
		why = scatter(&s, bytes);
	}
	return !why || sn_report(src->diags, where, DG_TENSOR_BAD, name, why);
}
