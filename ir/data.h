/*
 * Constant tensor data: a view, never copied before packing.
 *
 * Bytes lie in the mapped model (unaligned: read through sn_dtype_load), in an
 * external file's map, or in an arena.  A constant whose elements are all one
 * number is a splat and stays one number until it is packed, so that a model
 * of nine kilobytes with half a gigabyte of weights costs nothing.
 */
#ifndef IR_DATA_H
#define IR_DATA_H

#include "ir/dtype.h"
#include "support/arena.h"

struct sn_data {
	enum sn_dtype dtype;
	size_t n;		    /* elements */
	bool is_splat;		    /* bytes holds one element */
	const void *bytes;	    /* ONNX raw_data layout (little endian, sub-byte packed) */
	const char *const *strings; /* DT_STRING */
	uint64_t left_out;	    /* not 0: read from a text that had only this hash of the
					 * elements; bytes are made up */
};

static inline union sn_num
sn_data_get(const struct sn_data *d, size_t i)
{
	return sn_dtype_load(d->dtype, d->bytes, d->is_splat ? 0 : i);
}

/* Fresh data in arena A with zeroed bytes (writable through *out_bytes), and a splat. */
struct sn_data *sn_data_new(struct sn_arena *a, enum sn_dtype t, size_t n, void **out_bytes);
struct sn_data *sn_data_splat(struct sn_arena *a, enum sn_dtype t, size_t n, union sn_num x);

/* Same elements bit by bit? And a hash to find out quickly. */
bool sn_data_equal(const struct sn_data *a, const struct sn_data *b);
uint64_t sn_data_hash(const struct sn_data *d);

#endif
