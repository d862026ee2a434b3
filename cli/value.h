/*
 * Tensors in files: .npy in and out, .pb (TensorProto) in; random ones.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include "ir/dtype.h"
#include "ir/type.h"
#include "support/diag.h"

/* A tensor in memory, row-major, 64-aligned. */
struct value {
	enum sn_dtype dtype;
	int rank;
	int64_t dims[SN_MAX_RANK];
	size_t n, bytes;
	void *data;
};

/* Number of elements that V's dims make; false if there are too many. */
bool value_count(const struct value *v, size_t *out);

/* Fresh zeroed memory for V, whose dtype, rank and dims are set; false if there are too many elements. */
bool value_allocate(struct value *v, struct sn_arena *a);

/* Reads PATH, .npy or .pb by its ending. WANT is the type that the model asks for: it tells apart what
 * NumPy has no types of its own for (bfloat16, 8-bit floats, 4-bit integers). Reports and returns
 * false on failure. */
bool value_read(const char *path, enum sn_dtype want, struct sn_arena *a, struct sn_diags *d,
		struct value *out);

/* The two kinds of files. */
bool npy_read(const char *path, enum sn_dtype want, struct sn_arena *a, struct sn_diags *d,
	      struct value *out);
bool npy_write(const char *path, const struct value *v, struct sn_arena *a, struct sn_diags *d);

/* NumPy's name of the type that npy_write stores. */
const char *npy_type_name(enum sn_dtype t);

/* Fills V: floats from -1 to 1, integers from 0 to 3, the same for the same SEED everywhere. */
void value_random(struct value *v, uint64_t *seed);

/* NAME as a file name: what is not a letter, digit, '.', '-' or '_' becomes '_'. */
const char *safe_file_name(struct sn_arena *a, const char *name);

#endif
