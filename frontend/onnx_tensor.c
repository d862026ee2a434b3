/*
 * Files that hold one value: a tensor, a sequence, an optional.
 */
#include "frontend/onnx.pb-c.h"
#include "frontend/onnx_data.h"
#include "frontend/onnx_tensor.h"

/* The wire walk has limited how deep values lie within values, so recursion is bounded. */
static bool
read_sequence(struct sn_data_source *s, const Pb__SequenceProto *p, struct sn_onnx_value *out);
static bool
read_optional(struct sn_data_source *s, const Pb__OptionalProto *p, struct sn_onnx_value *out);

static bool
read_tensor(struct sn_data_source *s, const Pb__TensorProto *t, struct sn_onnx_value *out)
{
	struct sn_where where = SN_NOWHERE;
	where.file = s->bytes.file;
	out->kind = TY_TENSOR;
	return sn_read_tensor(s, t, where, &out->tensor);
}

static bool
read_sparse(struct sn_data_source *s, const Pb__SparseTensorProto *t, struct sn_onnx_value *out)
{
	struct sn_where where = SN_NOWHERE;
	where.file = s->bytes.file;
	out->kind = TY_TENSOR;
	return sn_read_sparse(s, t, where, &out->tensor);
}

/* A sequence holds values of one kind; the other lists are empty. */
static bool
read_sequence(struct sn_data_source *s, const Pb__SequenceProto *p, struct sn_onnx_value *out)
{
	size_t n = p->n_tensor_values + p->n_sparse_tensor_values + p->n_sequence_values
		   + p->n_optional_values;
	struct sn_onnx_value *items = SN_NEW_ARRAY(s->arena, n, struct sn_onnx_value);
	*out = (struct sn_onnx_value){ .kind = TY_SEQUENCE, .n = n, .items = items };
	bool is_read = true;
	for (size_t i = 0; i < p->n_tensor_values; i++)
		is_read &= read_tensor(s, p->tensor_values[i], items++);
	for (size_t i = 0; i < p->n_sparse_tensor_values; i++)
		is_read &= read_sparse(s, p->sparse_tensor_values[i], items++);
	for (size_t i = 0; i < p->n_sequence_values; i++)
		is_read &= read_sequence(s, p->sequence_values[i], items++);
	for (size_t i = 0; i < p->n_optional_values; i++)
		is_read &= read_optional(s, p->optional_values[i], items++);
	return is_read;
}

static bool
read_optional(struct sn_data_source *s, const Pb__OptionalProto *p, struct sn_onnx_value *out)
{
	struct sn_onnx_value *item = SN_NEW(s->arena, struct sn_onnx_value);
	*out = (struct sn_onnx_value){ .kind = TY_OPTIONAL, .n = 1, .items = item };
	if (p->tensor_value)
		return read_tensor(s, p->tensor_value, item);
	if (p->sparse_tensor_value)
		return read_sparse(s, p->sparse_tensor_value, item);
	if (p->sequence_value)
		return read_sequence(s, p->sequence_value, item);
	if (p->optional_value)
		return read_optional(s, p->optional_value, item);
	out->n = 0;
	return true;
}

static bool
read_value(struct sn_data_source *s, enum sn_type_kind kind, struct sn_arena *scratch,
	   struct sn_onnx_value *out)
{
	if (kind == TY_SEQUENCE) {
		const Pb__SequenceProto *p = sn_wire_sequence(&s->bytes, scratch, s->diags);
		return p && read_sequence(s, p, out);
	}
	if (kind == TY_OPTIONAL) {
		const Pb__OptionalProto *p = sn_wire_optional(&s->bytes, scratch, s->diags);
		return p && read_optional(s, p, out);
	}
	const Pb__TensorProto *t = sn_wire_tensor(&s->bytes, scratch, s->diags);
	return t && read_tensor(s, t, out);
}

bool
sn_onnx_read_value(const char *path, enum sn_type_kind kind, struct sn_arena *a, struct sn_diags *d,
		   struct sn_onnx_value *out)
{
	struct sn_file file;
	*out = (struct sn_onnx_value){ .kind = kind };
	if (!sn_map_for(a, path, d, &file))
		return false;
	struct sn_wire_bytes bytes = { path, file.data, file.size };
	struct sn_data_source s;
	sn_data_source_init(&s, &bytes, NULL, a, d);
	return read_value(&s, kind, a, out);
}

bool
sn_onnx_read_tensor(const char *path, struct sn_arena *a, struct sn_diags *d,
		    struct sn_tensor_data *out)
{
	struct sn_onnx_value v;
	bool is_read = sn_onnx_read_value(path, TY_TENSOR, a, d, &v);
	*out = v.tensor;
	return is_read;
}
