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

static bool
is_numeric(enum sn_dtype t)
{
	return sn_is_float(t) || sn_is_int(t);
}

/* A number of type T, f32 if that isn't known. */
static struct sn_value *
number(struct sn_raw_node *n, enum sn_dtype t, float x)
{
	enum sn_dtype type = is_numeric(t) ? t : DT_F32;
	union sn_num num = { .f = (double)x };
	num = sn_num_cast(num, DT_F32, type);
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

/* The one number that V is, if it is a constant. */
static bool
get_number(const struct sn_value *v, int64_t *out)
{
	if (!v || !v->data || v->data->n != 1 || !is_numeric(v->data->dtype))
		return false;
	*out = sn_num_cast(sn_data_get(v->data, 0), v->data->dtype, DT_I64).i;
	return true;
}

/* x, tiles, axis -> x, repeats, where both numbers are constants. */
bool
sn_adapt_tile_axis(struct sn_raw_node *n)
{
	int rank = sn_raw_in(n, 0) ? sn_raw_type(n, sn_raw_in(n, 0))->rank : -1;
	int64_t repeats[SN_MAX_RANK], tiles, axis;
	if (rank < 0 || !get_number(sn_raw_in(n, 1), &tiles) || !get_number(sn_raw_in(n, 2), &axis))
		return sn_raw_refuse(n, "Tile had an axis that is not a constant here");
	if (axis < 0 || axis >= rank)
		return sn_raw_refuse(n, "Tile's axis does not exist");
	for (int i = 0; i < rank; i++)
		repeats[i] = i == axis ? tiles : 1;
	n->in.n = 1;
	sn_raw_set_in(n, 1, sn_raw_ints(n, repeats, rank));
	return true;
}
