/*
 * Element types, one table (ir/dtype.def), and the conversion of single
 * elements between memory and the two carriers that interpreters compute in.
 */
#ifndef IR_DTYPE_H
#define IR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sn_dtype {
#define DTYPE(id, text, onnx, bits, kind) id,
#include "ir/dtype.def"
#undef DTYPE
	DT_COUNT
};

struct sn_dtype_info {
	const char *text;
	int onnx;  /* TensorProto.DataType */
	int bits;  /* 0 for strings */
	char kind; /* F I U B C S */
};

const struct sn_dtype_info *sn_dtype_info(enum sn_dtype t);

/* DT_NONE if there is no such type. */
enum sn_dtype sn_dtype_by_text(const char *text);
enum sn_dtype sn_dtype_by_onnx(int onnx);

static inline bool
sn_is_float(enum sn_dtype t)
{
	return sn_dtype_info(t)->kind == 'F';
}
static inline bool
sn_is_int(enum sn_dtype t)
{
	return sn_dtype_info(t)->kind == 'I' || sn_dtype_info(t)->kind == 'U';
}

/* Bytes of N elements; sub-byte types are packed and rounded up. */
size_t sn_dtype_bytes(enum sn_dtype t, size_t n);

/* One element in a carrier: f for floats (f32 values are exact in a double), i for integers and
 * bool (u64 as its bits). */
union sn_num {
	double f;
	int64_t i;
};

/* Element number INDEX of packed, perhaps unaligned memory. Not for strings and complex. */
union sn_num sn_dtype_load(enum sn_dtype t, const void *base, size_t index);

/* Stores with the type's own rounding (to nearest even; float overflow to inf or the type's
 * largest value as ONNX Cast with saturate says). */
void sn_dtype_store(enum sn_dtype t, void *base, size_t index, union sn_num x);

/* X of type FROM in type TO, as the scalar operation cast (docs/ir.md). */
union sn_num sn_num_cast(union sn_num x, enum sn_dtype from, enum sn_dtype to);

#endif
