/*
 * Adapters that turn attributes into operands: in newer forms what may be
 * computed at run time is an operand.
 */
#include "frontend/adapt.h"

/* x, axes=[..] -> x, axes */
bool
sn_adapt_axes_input(struct sn_raw_node *n)
{
	sn_raw_set_in(n, 1, sn_raw_take(n, "axes"));
	return true;
}

/* The same; an empty list meant "all" and still does. */
bool
sn_adapt_reduce_axes(struct sn_raw_node *n)
{
	return sn_adapt_axes_input(n);
}

/* A number of type T, f32 if that isn't known. */
static struct sn_value *
number(struct sn_raw_node *n, enum sn_dtype t, float x)
{
	enum sn_dtype type = t == DT_NONE ? DT_F32 : t;
	union sn_num num;
	if (sn_is_float(type))
		num.f = (double)x;
	else
		num.i = (int64_t)x;
	return sn_raw_const(n, type, 0, 1, &num);
}

static enum sn_dtype
dtype_of(struct sn_raw_node *n, size_t i)
{
	struct sn_value *v = sn_raw_in(n, i);
	return v ? sn_raw_type(n, v)->dtype : DT_NONE;
}

/* x, min=, max= -> x, min, max */
bool
sn_adapt_clip_limits(struct sn_raw_node *n)
{
	static const char *const names[] = { "min", "max" };
	enum sn_dtype t = dtype_of(n, 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct sn_raw_attr *a = sn_raw_attr(n, names[i]);
		if (!a || a->kind != RA_FLOAT)
			continue;
		float x = a->f;
		sn_raw_drop(n, names[i]);
		sn_raw_set_in(n, i + 1, number(n, t, x));
	}
	return true;
}

/* paddings= -> pads= */
bool
sn_adapt_pad_names(struct sn_raw_node *n)
{
	struct sn_raw_attr *a = sn_raw_attr(n, "paddings");
	if (a)
		a->name = "pads";
	return true;
}

/* x, pads=, value= -> x, pads, value */
bool
sn_adapt_pad_inputs(struct sn_raw_node *n)
{
	const struct sn_raw_attr *a = sn_raw_attr(n, "value");
	float x = a && a->kind == RA_FLOAT ? a->f : 0;
	enum sn_dtype t = dtype_of(n, 0);
	sn_raw_drop(n, "value");
	sn_raw_set_in(n, 1, sn_raw_take(n, "pads"));
	if (a && x != 0)
		sn_raw_set_in(n, 2, number(n, t, x));
	return true;
}

/* x, shape=[..] -> x, shape */
bool
sn_adapt_reshape_shape(struct sn_raw_node *n)
{
	sn_raw_set_in(n, 1, sn_raw_take(n, "shape"));
	return true;
}

/* x, starts=, ends=, axes= -> x, starts, ends, axes */
bool
sn_adapt_slice_inputs(struct sn_raw_node *n)
{
	static const char *const names[] = { "starts", "ends", "axes" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		sn_raw_set_in(n, i + 1, sn_raw_take(n, names[i]));
	return true;
}

/* Opset 1 could take the lengths as a second operand, in the type of the data. */
bool
sn_adapt_split_first(struct sn_raw_node *n)
{
	return n->in.n < 2 || sn_raw_refuse(n, "Split had its lengths as operand");
}

/* x, split=[..] -> x, split */
bool
sn_adapt_split_input(struct sn_raw_node *n)
{
	sn_raw_set_in(n, 1, sn_raw_take(n, "split"));
	return true;
}

/* Equal parts: their number became an attribute. */
bool
sn_adapt_split_equal(struct sn_raw_node *n)
{
	if (!sn_raw_in(n, 1))
		sn_raw_set_int(n, "num_outputs", (int64_t)n->out.n);
	return true;
}

/* x, k= -> x, k */
bool
sn_adapt_top_k_input(struct sn_raw_node *n)
{
	sn_raw_set_in(n, 1, sn_raw_take(n, "k"));
	return true;
}

/* x, dft_length, axis= -> x, dft_length, axis; the default moved from 1 to -2. */
bool
sn_adapt_dft_axis(struct sn_raw_node *n)
{
	union sn_num axis = { .i = sn_raw_int(n, "axis", 1) };
	sn_raw_drop(n, "axis");
	sn_raw_set_in(n, 2, sn_raw_const(n, DT_I64, 0, 1, &axis));
	return true;
}

/* x, tiles, axis -> x, repeats, where both numbers are constants. */
bool
sn_adapt_tile_axis(struct sn_raw_node *n)
{
	struct sn_value *tiles = sn_raw_in(n, 1), *axis = sn_raw_in(n, 2);
	int rank = sn_raw_in(n, 0) ? sn_raw_type(n, sn_raw_in(n, 0))->rank : -1;
	bool is_known = tiles && axis && tiles->data && axis->data && tiles->data->n == 1
			&& axis->data->n == 1 && rank >= 0;
	if (!is_known)
		return sn_raw_refuse(n, "Tile had an axis that is not a constant here");
	union sn_num a = sn_num_cast(sn_data_get(axis->data, 0), axis->data->dtype, DT_I64);
	union sn_num t = sn_num_cast(sn_data_get(tiles->data, 0), tiles->data->dtype, DT_I64);
	int64_t repeats[SN_MAX_RANK];
	if (a.i < 0 || a.i >= rank)
		return sn_raw_refuse(n, "Tile's axis does not exist");
	for (int i = 0; i < rank; i++)
		repeats[i] = i == a.i ? t.i : 1;
	n->in.n = 1;
	sn_raw_set_in(n, 1, sn_raw_ints(n, repeats, rank));
	return true;
}
