/*
 * Declared types: element types, dimensions, symbols for those that are open.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/reader.h"

typedef Pb__TensorShapeProto__Dimension dimension;

static struct sn_where
where(const struct sn_reader *r)
{
	struct sn_where w = SN_NOWHERE;
	w.file = r->file;
	return w;
}

struct sn_type
sn_tensor_type(struct sn_pool *p, enum sn_dtype t, int rank, const int64_t *dims)
{
	struct sn_type type = { .kind = TY_TENSOR, .dtype = t, .rank = rank };
	for (int i = 0; i < rank; i++)
		type.dims[i] = sn_int(p, dims[i]);
	return type;
}

/* The dimension's name, or NULL: some exporters write a name where they mean "unknown". */
static const char *
param_of(const dimension *d)
{
	static const char *const unknown[] = { "", "?", "-1", "None", "none" };
	if (d->value_case != PB__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM || !d->dim_param)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		if (strcmp(d->dim_param, unknown[i]) == 0)
			return NULL;
	return d->dim_param;
}

/* The dimension's number, or -1. */
static int64_t
value_of(const dimension *d)
{
	return d->value_case == PB__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? d->dim_value
										   : -1;
}

static const struct sn_expr *
symbol(struct sn_reader *r, const char *name, int input, int axis)
{
	struct sn_sym *s = sn_map_get(&r->syms, name);
	if (!s) {
		s = sn_sym_new(r->pool, sn_strdup(r->arena, name), 1, INT64_MAX);
		s->is_dim = true;
		s->input = input;
		s->axis = axis;
		sn_map_put(&r->syms, name, s);
	}
	return sn_sym_expr(r->pool, s);
}

/* A name for an unnamed dimension that no other has. */
static const char *
invent_name(struct sn_reader *r, const char *input, int axis)
{
	const char *name = sn_printf(r->arena, "%s_%d", input, axis);
	while (sn_map_get(&r->syms, name))
		name = sn_printf(r->arena, "%s_", name);
	return name;
}

static const struct sn_expr *
open_dim(struct sn_reader *r, const char *name, int input, int axis)
{
	int64_t pinned = sn_pin_dim(r, name);
	return pinned >= 0 ? sn_int(r->pool, pinned) : symbol(r, name, input, axis);
}

/* Dimension AXIS of an input; PIN is what --shape says of it, -1 nothing; NULL after a report. */
static const struct sn_expr *
input_dim(struct sn_reader *r, const char *name, const dimension *d, int input, int axis,
	  int64_t pin)
{
	int64_t value = value_of(d);
	const char *param = param_of(d);
	if (value < -1) {
		sn_report(r->diags, where(r), DG_TENSOR_DIMS, name, axis, (long long)value);
		return NULL;
	}
	if (value >= 0 && pin >= 0 && pin != value) {
		sn_report(r->diags, where(r), DG_PIN_CLASH, axis, name, (long long)value,
			  (long long)pin);
		return NULL;
	}
	if (value >= 0)
		return sn_int(r->pool, value);
	if (pin >= 0 && !param)
		return sn_int(r->pool, pin);
	return open_dim(r, param ? param : invent_name(r, name, axis), input, axis);
}

/* PIN's numbers for the named dimensions of one input. */
static bool
spread(struct sn_reader *r, const struct sn_pin *pin, const Pb__TensorShapeProto *shape)
{
	const char *input = pin->name;
	int64_t dims[SN_MAX_RANK];
	memcpy(dims, pin->dims, sizeof(dims)); /* adding one may move the list */
	int rank = pin->rank;
	for (int i = 0; i < rank && (size_t)i < shape->n_dim; i++) {
		const char *param = param_of(shape->dim[i]);
		if (!param || dims[i] < 0)
			continue;
		int64_t earlier = sn_pin_dim(r, param);
		if (earlier >= 0 && earlier != dims[i])
			return sn_report(r->diags, where(r), DG_PIN_CLASH, i, input,
					 (long long)earlier, (long long)dims[i]);
		if (earlier < 0)
			sn_pin_add_dim(r, param, dims[i]);
	}
	return true;
}

bool
sn_spread_pins(struct sn_reader *r, Pb__ValueInfoProto *const *inputs, size_t n)
{
	bool is_right = true;
	for (size_t i = 0; i < n && r->pins.n; i++) {
		const struct sn_pin *pin = sn_pin_find(r, inputs[i]->name ? inputs[i]->name : "",
						       true);
		const Pb__TypeProto *t = inputs[i]->type;
		bool is_tensor = t && t->value_case == PB__TYPE_PROTO__VALUE_TENSOR_TYPE;
		if (pin && is_tensor && t->tensor_type->shape)
			is_right &= spread(r, pin, t->tensor_type->shape);
	}
	return is_right;
}

static bool
check_static_size(struct sn_reader *r, const char *name, const struct sn_type *t)
{
	int64_t dims[SN_MAX_RANK];
	size_t n;
	for (int i = 0; i < t->rank; i++)
		if (!sn_get_int(t->dims[i], &dims[i]))
			dims[i] = 1;
	struct sn_declared x = { name, t->dtype, (size_t)t->rank, dims };
	return sn_check_dims(&r->data, where(r), &x, &n);
}

static bool
read_dtype(struct sn_reader *r, const char *name, int onnx, struct sn_type *out)
{
	out->dtype = sn_dtype_by_onnx(onnx);
	return out->dtype != DT_NONE || sn_report(r->diags, where(r), DG_TENSOR_TYPE, name, onnx);
}

/* An input whose file says nothing of its shape: --shape says all. */
static bool
read_pinned(struct sn_reader *r, const char *name, const struct sn_pin *given, int input,
	    struct sn_type *out)
{
	if (!given)
		return sn_report(r->diags, where(r), DG_NO_RANK, name);
	struct sn_pin pin = *given;
	out->rank = pin.rank;
	for (int i = 0; i < pin.rank; i++)
		out->dims[i] = pin.dims[i] >= 0 ? sn_int(r->pool, pin.dims[i])
						: open_dim(r, invent_name(r, name, i), input, i);
	return check_static_size(r, name, out);
}

static bool
read_input_shape(struct sn_reader *r, const char *name, const Pb__TensorShapeProto *shape,
		 int input, struct sn_type *out)
{
	struct sn_pin *pin = sn_pin_find(r, name, true);
	if (pin)
		pin->is_used = true;
	if (!shape)
		return read_pinned(r, name, pin, input, out);
	if (shape->n_dim > SN_MAX_RANK)
		return sn_report(r->diags, where(r), DG_TENSOR_RANK, name, (int)shape->n_dim,
				 SN_MAX_RANK);
	out->rank = (int)shape->n_dim;
	if (pin && pin->rank != out->rank)
		return sn_report(r->diags, where(r), DG_PIN_RANK, name, out->rank, pin->rank);
	for (int i = 0; i < out->rank; i++) {
		out->dims[i] = input_dim(r, name, shape->dim[i], input, i, pin ? pin->dims[i] : -1);
		if (!out->dims[i])
			return false;
	}
	return check_static_size(r, name, out);
}

static bool
no_type(struct sn_reader *r, const char *name, const char *why)
{
	return sn_report(r->diags, where(r), DG_TYPE_NONE, "input", name, why);
}

bool
sn_read_input_type(struct sn_reader *r, const Pb__ValueInfoProto *p, int input, struct sn_type *out)
{
	*out = (struct sn_type){ .kind = TY_TENSOR, .rank = -1 };
	if (!p->type)
		return no_type(r, p->name, "the file does not give one");
	if (p->type->value_case != PB__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return sn_read_declared_type(r, p->type, out)
		       || no_type(r, p->name,
				  "only tensors, sequences and optionals are supported");
	const Pb__TypeProto__Tensor *t = p->type->tensor_type;
	return read_dtype(r, p->name, t->elem_type, out)
	       && read_input_shape(r, p->name, t->shape, input, out);
}

/* As far as it is known: open dimensions whose name is no input's stay NULL. */
static bool
read_declared_tensor(struct sn_reader *r, const Pb__TypeProto__Tensor *t, struct sn_type *out)
{
	out->dtype = sn_dtype_by_onnx(t->elem_type);
	if (!t->shape || t->shape->n_dim > SN_MAX_RANK)
		return out->dtype != DT_NONE;
	out->rank = (int)t->shape->n_dim;
	for (int i = 0; i < out->rank; i++) {
		const dimension *d = t->shape->dim[i];
		const char *param = param_of(d);
		int64_t value = param ? sn_pin_dim(r, param) : value_of(d);
		const struct sn_sym *s = param ? sn_map_get(&r->syms, param) : NULL;
		out->dims[i] = value >= 0 ? sn_int(r->pool, value)
			       : s	  ? sn_sym_expr(r->pool, s)
					  : NULL;
	}
	return out->dtype != DT_NONE;
}

bool
sn_read_declared_type(struct sn_reader *r, const Pb__TypeProto *p, struct sn_type *out)
{
	*out = (struct sn_type){ .kind = TY_TENSOR, .rank = -1 };
	if (p->value_case == PB__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return read_declared_tensor(r, p->tensor_type, out);
	bool is_sequence = p->value_case == PB__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
	bool is_optional = p->value_case == PB__TYPE_PROTO__VALUE_OPTIONAL_TYPE;
	const Pb__TypeProto *inner = is_sequence   ? p->sequence_type->elem_type
				     : is_optional ? p->optional_type->elem_type
						   : NULL;
	if (!inner)
		return false;
	struct sn_type *elem = SN_NEW(r->arena, struct sn_type);
	out->kind = is_sequence ? TY_SEQUENCE : TY_OPTIONAL;
	out->rank = 0;
	out->elem = elem;
	return sn_read_declared_type(r, inner, elem);
}
