/*
 * Adapters that only touch attributes or names.
 */
#include <string.h>
#include "frontend/adapt.h"

/* Opset 1 always excluded padding; the attribute came with opset 7. */
bool
sn_adapt_count_include_pad(struct sn_raw_node *n)
{
	sn_raw_drop(n, "count_include_pad");
	return true;
}

/* Cast (to="FLOAT") -> Cast (to=1) */
bool
sn_adapt_cast_name(struct sn_raw_node *n)
{
	static const struct {
		const char *name;
		enum sn_dtype type;
	} names[] = {
		{ "FLOAT", DT_F32 },   { "UINT8", DT_U8 },   { "INT8", DT_I8 },
		{ "UINT16", DT_U16 },  { "INT16", DT_I16 },  { "INT32", DT_I32 },
		{ "INT64", DT_I64 },   { "BOOL", DT_BOOL },  { "STRING", DT_STRING },
		{ "FLOAT16", DT_F16 }, { "DOUBLE", DT_F64 }, { "UINT32", DT_U32 },
		{ "UINT64", DT_U64 },
	};
	const char *to = sn_raw_str(n, "to");
	for (size_t i = 0; to && i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].name, to) == 0) {
			sn_raw_set_int(n, "to", sn_dtype_info(names[i].type)->onnx);
			return true;
		}
	return !to || sn_raw_refuse(n, "the type it casts to is not known");
}

/* Opset 1 had a default, axis 1. */
bool
sn_adapt_concat_axis(struct sn_raw_node *n)
{
	sn_raw_set_int(n, "axis", sn_raw_int(n, "axis", 1));
	return true;
}

/* The third operand broadcasts anyway since opset 7. */
bool
sn_adapt_gemm_broadcast(struct sn_raw_node *n)
{
	sn_raw_drop(n, "broadcast");
	return true;
}

/* "bilinear" and "bicubic" became "linear" and "cubic" when volumes were allowed. */
bool
sn_adapt_grid_sample_mode(struct sn_raw_node *n)
{
	const char *mode = sn_raw_str(n, "mode");
	if (mode && strncmp(mode, "bi", 2) == 0)
		sn_raw_set_str(n, "mode", mode + 2);
	return true;
}

/* Whether the sequence of all outputs is wanted follows from the results. */
bool
sn_adapt_recurrent_output(struct sn_raw_node *n)
{
	sn_raw_drop(n, "output_sequence");
	return true;
}

/* The exponent was a float. */
bool
sn_adapt_power(struct sn_raw_node *n)
{
	const struct sn_raw_attr *p = sn_raw_attr(n, "p");
	if (!p || p->kind != RA_FLOAT)
		return true;
	if (!(p->f >= 1 && p->f < 1e6f) || p->f != (float)(int64_t)p->f)
		return sn_raw_refuse(n, "its exponent is not a whole number");
	sn_raw_set_int(n, "p", (int64_t)p->f);
	return true;
}

/* Pixels were not shifted by a half. */
bool
sn_adapt_roi_align_mode(struct sn_raw_node *n)
{
	sn_raw_set_str(n, "coordinate_transformation_mode", "output_half_pixel");
	return true;
}

/* Scan of opset 8 had a batch axis and lengths of sequences. */
bool
sn_adapt_scan_batch(struct sn_raw_node *n)
{
	return sn_raw_refuse(n, "Scan had a batch axis");
}

bool
sn_adapt_scatter_name(struct sn_raw_node *n)
{
	n->type = "ScatterElements";
	return true;
}

/* The two constants were shorter. */
bool
sn_adapt_selu_constants(struct sn_raw_node *n)
{
	if (!sn_raw_attr(n, "alpha"))
		sn_raw_set_float(n, "alpha", 1.6732f);
	if (!sn_raw_attr(n, "gamma"))
		sn_raw_set_float(n, "gamma", 1.0507f);
	return true;
}
