/*
 * Tensors in files of their own: TensorProto, SequenceProto, OptionalProto, as
 * in the test data that accompanies ONNX models.
 */
#ifndef FRONTEND_ONNX_TENSOR_H
#define FRONTEND_ONNX_TENSOR_H

#include "ir/data.h"
#include "ir/type.h"
#include "support/diag.h"

/* A tensor with its data; views may lie in a mapped file that lives as long as the arena. */
struct sn_tensor_data {
	const char *name;		/* "" if it has none */
	int rank;
	int64_t dims[SN_MAX_RANK];
	const struct sn_data *data;	/* dtype and elements */
};

/* A tensor, a sequence of values, or an optional (n is 0 or 1). */
struct sn_onnx_value {
	enum sn_type_kind kind;
	struct sn_tensor_data tensor;
	size_t n;
	const struct sn_onnx_value *items;
};

/* Maps and reads PATH; reports and returns false on failure. */
bool sn_onnx_read_tensor(const char *path, struct sn_arena *a, struct sn_diags *d,
			 struct sn_tensor_data *out);

/* The same for a value of the given kind: the type of the graph's input or output says which, the
 * file does not. */
bool sn_onnx_read_value(const char *path, enum sn_type_kind kind, struct sn_arena *a,
			struct sn_diags *d, struct sn_onnx_value *out);

#endif
