/*
 * Constant tensor data: making it, comparing it bit by bit, hashing it.
 *
 * A splat and dense data of one repeated element are equal and hash alike, so
 * that merging constants does not depend on how a model happened to write them.
 */
#include <string.h>
#include "ir/data.h"
#include "support/map.h"

struct sn_data *
sn_data_new(struct sn_arena *a, enum sn_dtype t, size_t n, void **out_bytes)
{
	struct sn_data *d = SN_NEW(a, struct sn_data);
	d->dtype = t;
	d->n = n;
	void *bytes = sn_alloc_array(a, 1, sn_dtype_bytes(t, n));
	d->bytes = bytes;
	if (out_bytes)
		*out_bytes = bytes;
	return d;
}

struct sn_data *
sn_data_splat(struct sn_arena *a, enum sn_dtype t, size_t n, union sn_num x)
{
	void *bytes;
	struct sn_data *d = sn_data_new(a, t, 1, &bytes);
	sn_dtype_store(t, bytes, 0, x);
	d->n = n;
	d->is_splat = true;
	return d;
}

/* Bits of element I, as bytes: true if those of A[I] and B[J] are the same. */
static bool
is_same_element(const struct sn_data *a, size_t i, const struct sn_data *b, size_t j)
{
	int bits = sn_dtype_info(a->dtype)->bits;
	if (a->dtype == DT_STRING)
		return strcmp(a->strings[i], b->strings[j]) == 0;
	const uint8_t *p = a->bytes, *q = b->bytes;
	if (bits >= 8) {
		size_t size = (size_t)bits / 8;
		return memcmp(p + i * size, q + j * size, size) == 0;
	}
	size_t per = 8 / (size_t)bits, w = (size_t)bits;
	unsigned x = p[i / per] >> (i % per * w), y = q[j / per] >> (j % per * w);
	return ((x ^ y) & ((1u << bits) - 1)) == 0;
}

static bool
is_uniform(const struct sn_data *d)
{
	if (d->is_splat)
		return true;
	for (size_t i = 1; i < d->n; i++)
		if (!is_same_element(d, 0, d, i))
			return false;
	return d->n > 0;
}

bool
sn_data_equal(const struct sn_data *a, const struct sn_data *b)
{
	if (a == b)
		return true;
	if (a->dtype != b->dtype || a->n != b->n)
		return false;
	if (a->left_out || b->left_out)
		return a->left_out == b->left_out;
	if (a->is_splat && b->is_splat)
		return is_same_element(a, 0, b, 0);
	int bits = sn_dtype_info(a->dtype)->bits;
	if (!a->is_splat && !b->is_splat && bits >= 8)
		return a->n == 0 || memcmp(a->bytes, b->bytes, sn_dtype_bytes(a->dtype, a->n)) == 0;
	for (size_t i = 0; i < a->n; i++)
		if (!is_same_element(a, a->is_splat ? 0 : i, b, b->is_splat ? 0 : i))
			return false;
	return true;
}

static uint64_t
hash_element(uint64_t h, const struct sn_data *d, size_t i)
{
	int bits = sn_dtype_info(d->dtype)->bits;
	if (d->dtype == DT_STRING)
		return sn_hash(h, d->strings[i], strlen(d->strings[i]) + 1);
	const uint8_t *p = d->bytes;
	if (bits >= 8)
		return sn_hash(h, p + i * ((size_t)bits / 8), (size_t)bits / 8);
	size_t per = 8 / (size_t)bits;
	uint8_t x = (uint8_t)((p[i / per] >> (i % per * (size_t)bits)) & ((1u << bits) - 1));
	return sn_hash(h, &x, 1);
}

uint64_t
sn_data_hash(const struct sn_data *d)
{
	if (d->left_out)
		return d->left_out;
	uint64_t head[2] = { (uint64_t)d->dtype, d->n };
	uint64_t h = sn_hash(0, head, sizeof(head));
	if (d->n == 0)
		return h;
	if (is_uniform(d))
		return hash_element(h, d, 0);
	if (sn_dtype_info(d->dtype)->bits >= 8)
		return sn_hash(h, d->bytes, sn_dtype_bytes(d->dtype, d->n));
	for (size_t i = 0; i < d->n; i++)
		h = hash_element(h, d, i);
	return h;
}
