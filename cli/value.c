/* Tensors of the command line: from files, or random. */
#include <ctype.h>
#include <string.h>
#include "cli/value.h"
#include "frontend/onnx_tensor.h"

bool
value_count(const struct value *v, size_t *out)
{
	size_t n = 1;
	for (int d = 0; d < v->rank; d++)
		if (v->dims[d] < 0 || __builtin_mul_overflow(n, (size_t)v->dims[d], &n))
			return false;
	*out = n;
	return n <= SIZE_MAX / 32;
}

bool
value_allocate(struct value *v, struct sn_arena *a)
{
	if (!value_count(v, &v->n))
		return false;
	v->bytes = sn_dtype_bytes(v->dtype, v->n);
	uintptr_t p = (uintptr_t)sn_alloc(a, v->bytes + 64);
	v->data = (void *)((p + 63) / 64 * 64);
	return true;
}

static bool
pb_read(const char *path, struct sn_arena *a, struct sn_diags *d, struct value *out)
{
	struct sn_tensor_data t;
	*out = (struct value){ 0 };
	if (!sn_onnx_read_tensor(path, a, d, &t))
		return false;
	out->dtype = t.data->dtype;
	out->rank = t.rank;
	memcpy(out->dims, t.dims, sizeof(out->dims));
	if (t.data->strings)
		return sn_report(d, SN_NOWHERE, DG_NPY, path,
				 "tensors of strings can't be used yet");
	if (!value_allocate(out, a))
		return sn_report(d, SN_NOWHERE, DG_NPY, path, "too many elements");
	if (t.data->is_splat)
		for (size_t i = 0; i < out->n; i++)
			sn_dtype_store(out->dtype, out->data, i, sn_data_get(t.data, i));
	else if (out->bytes)
		memcpy(out->data, t.data->bytes, out->bytes);
	return true;
}

bool
value_read(const char *path, enum sn_dtype want, struct sn_arena *a, struct sn_diags *d,
	   struct value *out)
{
	size_t n = strlen(path);
	if (n > 3 && !strcmp(path + n - 3, ".pb"))
		return pb_read(path, a, d, out);
	return npy_read(path, want, a, d, out);
}

/* splitmix64 */
static uint64_t
next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void
value_random(struct value *v, uint64_t *seed)
{
	int bits = sn_dtype_info(v->dtype)->bits;
	for (size_t i = 0; i < v->n; i++) {
		uint64_t r = next(seed) >> 40;
		union sn_num x = { 0 };
		if (sn_is_float(v->dtype))
			x.f = (double)r / (1 << 23) - 1;
		else
			x.i = (int64_t)(v->dtype == DT_BOOL || bits == 2 ? r & 1 : r & 3);
		sn_dtype_store(v->dtype, v->data, i, x);
	}
}

const char *
safe_file_name(struct sn_arena *a, const char *name)
{
	char *s = sn_strdup(a, *name ? name : "_");
	for (char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			*c = '_';
	if (*s == '.')
		*s = '_';
	return strlen(s) > 200 ? sn_strndup(a, s, 200) : s;
}
