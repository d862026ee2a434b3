/* Tests of the adapters: a node of an old opset, and the graph of newest form that it becomes. */
#include "frontend/onnx_import.h"
#include "ir/infer.h"
#include "tests/unit/onnx_bytes.h"
#include "tests/unit/unit.h"

/* One node with operands x: f32[2,3,4,5], and what is read of w, c. */
struct old {
	struct sn_arena *a;
	bytes graph, node;
	int opset;
};

static struct old
old(struct sn_arena *a, int opset, const char *type, const char *inputs, const char *outputs)
{
	struct old o = { a, pb_new(a), onnx_node(a, type, inputs, outputs), opset };
	pb_message(&o.graph, 11, onnx_value(a, "x", ONNX_F32, "2,3,4,5"));
	pb_message(&o.graph, 11, onnx_value(a, "w", ONNX_F32, "3"));
	pb_message(&o.graph, 11, onnx_value(a, "v", ONNX_F32, "3,4"));
	pb_message(&o.graph, 12, onnx_value(a, "y", ONNX_F32, NULL));
	return o;
}

/* The text of the imported and inferred graph, or the messages. */
static const char *
adapt(struct old *o)
{
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_buf b;
	sn_pool_init(&pool, o->a);
	sn_diags_init(&diags, o->a);
	sn_buf_init(&b, o->a);
	pb_message(&o->graph, 1, o->node);
	bytes m = onnx_model(o->a, o->graph, o->opset);
	const struct sn_wire_bytes w = onnx_wire(m);
	struct sn_graph *g = sn_onnx_import_bytes(&w, NULL, o->a, &pool, &diags);
	if (g)
		sn_infer_graph(g, &diags);
	if (g)
		sn_graph_print(&b, g, true);
	sn_diags_print(&diags, &b);
	return b.text;
}

/* Each of the texts must be there; the list ends with NULL. */
static void
expect(struct old *o, ...)
{
	const char *got = adapt(o), *want;
	va_list ap;
	va_start(ap, o);
	while ((want = va_arg(ap, const char *)))
		if (!strstr(got, want)) {
			va_end(ap);
			fail_msg("'%s' is not in:\n%s", want, got);
		}
	va_end(ap);
}

static void
add_ints(struct old *o, const char *name, int64_t x, int64_t y)
{
	const int64_t list[] = { x, y };
	pb_message(&o->graph, 5, onnx_tensor(o->a, name, ONNX_I64, "2", list, 16));
}

static void
add_float(struct old *o, const char *name, float x)
{
	pb_message(&o->graph, 5, onnx_tensor(o->a, name, ONNX_F32, "1", &x, 4));
}

static void
axes_become_operands(void **state)
{
	static const char *const types[] = { "Unsqueeze", "ReduceSum", "ReduceMean" };
	static const char *const shapes[] = { "f32[1,2,3,1,4,5] y", "f32[1,3,4,1] y",
					      "f32[1,3,4,1] y" };
	for (int i = 0; i < 3; i++) {
		struct old o = old(*state, 11, types[i], "x", "y");
		onnx_attr_ints(&o.node, "axes", "0,3");
		expect(&o, shapes[i], "{0, 3}", NULL);
	}
	struct old o = old(*state, 11, "Squeeze", "x", "y");
	expect(&o, "Squeeze (x)", NULL);
	/* from opset 18 on, or 13 for sums, an attribute is an error */
	o = old(*state, 17, "ReduceMean", "x", "y");
	onnx_attr_ints(&o.node, "axes", "1");
	expect(&o, "f32[2,1,4,5] y", NULL);
	o = old(*state, 18, "ReduceMean", "x", "y");
	onnx_attr_ints(&o.node, "axes", "1");
	expect(&o, "unknown attribute 'axes'", NULL);
	o = old(*state, 13, "ReduceSum", "x", "y");
	onnx_attr_ints(&o.node, "axes", "1");
	expect(&o, "unknown attribute 'axes'", NULL);
}

static void
clip_gets_limits(void **state)
{
	struct old o = old(*state, 6, "Clip", "x", "y");
	onnx_attr_float(&o.node, "max", 6);
	expect(&o, "{6}", "Clip (x, _, v", NULL);
	o = old(*state, 6, "Clip", "x", "y");
	onnx_attr_float(&o.node, "min", -1);
	expect(&o, "{-1}", "Clip (x, v", NULL);
}

/* The constant has the type of the data, found by inference of what stands before. */
static void
clip_limits_have_the_type_of_the_data(void **state)
{
	struct old o = old(*state, 6, "Clip", "d", "y");
	bytes cast = onnx_node(*state, "Cast", "x", "d");
	onnx_attr_int(&cast, "to", ONNX_F64);
	pb_message(&o.graph, 1, cast);
	onnx_attr_float(&o.node, "min", 2);
	const char *got = adapt(&o);
	assert_non_null(strstr(got, "f64 v"));
	/* the output is declared f32: what is wrong is said once, by inference */
	assert_non_null(strstr(got, "error"));
}

static void
pads_become_operands(void **state)
{
	struct old o = old(*state, 1, "Pad", "x", "y");
	onnx_attr_ints(&o.node, "paddings", "0,0,1,1,0,0,2,2");
	onnx_attr_float(&o.node, "value", 3);
	expect(&o, "f32[2,3,7,8] y", "{0, 0, 1, 1, 0, 0, 2, 2}", "{3}", NULL);
	o = old(*state, 2, "Pad", "x", "y");
	onnx_attr_ints(&o.node, "pads", "0,0,1,1,0,0,2,2");
	onnx_attr_text(&o.node, "mode", "reflect");
	expect(&o, "f32[2,3,7,8] y", "mode = \"reflect\"", NULL);
}

static void
slices_become_operands(void **state)
{
	struct old o = old(*state, 1, "Slice", "x", "y");
	onnx_attr_ints(&o.node, "starts", "1,-2");
	onnx_attr_ints(&o.node, "ends", "2,100");
	onnx_attr_ints(&o.node, "axes", "1,3");
	expect(&o, "f32[2,1,4,2] y", NULL);
	o = old(*state, 9, "Slice", "x", "y");
	onnx_attr_ints(&o.node, "starts", "1");
	onnx_attr_ints(&o.node, "ends", "2");
	expect(&o, "f32[1,3,4,5] y", NULL);
}

static void
splits_become_operands(void **state)
{
	struct old o = old(*state, 2, "Split", "x", "y,z");
	onnx_attr_int(&o.node, "axis", 3);
	onnx_attr_ints(&o.node, "split", "4,1");
	expect(&o, "f32[2,3,4,4] y", "f32[2,3,4,1] z", NULL);
	o = old(*state, 13, "Split", "x", "y,z");
	expect(&o, "f32[1,3,4,5] y", "num_outputs = 2", NULL);
	o = old(*state, 18, "Split", "x", "y,z");
	onnx_attr_int(&o.node, "num_outputs", 2);
	expect(&o, "f32[1,3,4,5] y", NULL);
}

static void
reshape_gets_its_shape(void **state)
{
	struct old o = old(*state, 1, "Reshape", "x", "y");
	onnx_attr_ints(&o.node, "shape", "6,0,-1");
	expect(&o, "f32[6,3,", NULL);
}

static void
cast_gets_a_number(void **state)
{
	struct old o = old(*state, 1, "Cast", "x", "y");
	onnx_attr_text(&o.node, "to", "FLOAT");
	expect(&o, "to = 1", NULL);
	o = old(*state, 1, "Cast", "x", "y");
	onnx_attr_text(&o.node, "to", "QUATERNION");
	expect(&o, "E0127", "is not known", NULL);
}

/* Softmax over a matrix, unless the axis is the last one. */
static void
softmax_sees_a_matrix(void **state)
{
	struct old o = old(*state, 11, "Softmax", "x", "y");
	expect(&o, "f32[2,60] v", "Flatten (x)", "Softmax", "Shape (x)", "f32[2,3,4,5] y = Reshape",
	       NULL);
	o = old(*state, 11, "LogSoftmax", "x", "y");
	onnx_attr_int(&o.node, "axis", 2);
	expect(&o, "f32[6,20] v", "axis = 2", "LogSoftmax", NULL);
	o = old(*state, 11, "Softmax", "x", "y");
	onnx_attr_int(&o.node, "axis", 3);
	expect(&o, "y = Softmax (x)", NULL);
	o = old(*state, 13, "Softmax", "x", "y");
	onnx_attr_int(&o.node, "axis", 1);
	expect(&o, "y = Softmax <axis = 1> (x)", NULL);
}

static void
broadcasts_from_an_axis(void **state)
{
	struct old o = old(*state, 6, "Add", "x,w", "y");
	onnx_attr_int(&o.node, "broadcast", 1);
	onnx_attr_int(&o.node, "axis", 1);
	expect(&o, "{1, 2}", "f32[3,1,1] v", "Unsqueeze (w", "f32[2,3,4,5] y = Add (x, v", NULL);
	o = old(*state, 1, "Mul", "x,v", "y");
	onnx_attr_int(&o.node, "broadcast", 1);
	onnx_attr_int(&o.node, "axis", -3);
	onnx_attr_ints(&o.node, "consumed_inputs", "0,0");
	expect(&o, "f32[3,4,1] v", "f32[2,3,4,5] y = Mul", NULL);
	o = old(*state, 6, "Sub", "x,x", "y");
	expect(&o, "y = Sub (x, x)", NULL);
	o = old(*state, 6, "Add", "x,w", "y");
	onnx_attr_int(&o.node, "broadcast", 1);
	onnx_attr_int(&o.node, "axis", 4);
	expect(&o, "E0127", NULL);
}

static void
slopes_stand_under_channels(void **state)
{
	struct old o = old(*state, 6, "PRelu", "x,w", "y");
	expect(&o, "f32[3,1,1] v", "y = PRelu (x, v", NULL);
}

static void
batch_norm_loses_its_flags(void **state)
{
	struct old o = old(*state, 6, "BatchNormalization", "x,w,w,w,w", "y");
	onnx_attr_int(&o.node, "is_test", 1);
	onnx_attr_int(&o.node, "spatial", 1);
	expect(&o, "y = BatchNormalization (x, w, w, w, w)", NULL);
	o = old(*state, 6, "BatchNormalization", "x,w,w,w,w", "y");
	onnx_attr_int(&o.node, "spatial", 0);
	expect(&o, "E0127", NULL);
	o = old(*state, 9, "BatchNormalization", "x,w,w,w,w", "y,m");
	expect(&o, "E0127", "for training", NULL);
	o = old(*state, 9, "BatchNormalization", "x,w,w,w,w", "y,,,,");
	expect(&o, "y = BatchNormalization", NULL);
}

static void
dropout_is_not_training(void **state)
{
	struct old o = old(*state, 7, "Dropout", "x", "y");
	onnx_attr_float(&o.node, "ratio", 0.5f);
	expect(&o, "f32[2,3,4,5] y = Dropout (x)", NULL);
}

static void
upsample_becomes_resize(void **state)
{
	struct old o = old(*state, 7, "Upsample", "x", "y");
	bytes scales = onnx_attr(*state, "scales", 6);
	pb_float(&scales, 7, 1);
	pb_float(&scales, 7, 1);
	pb_float(&scales, 7, 2);
	pb_float(&scales, 7, 2);
	pb_message(&o.node, 5, scales);
	onnx_attr_text(&o.node, "mode", "bilinear");
	expect(&o, "f32[2,3,8,10] y = Resize", "coordinate_transformation_mode = \"asymmetric\"",
	       "nearest_mode = \"floor\"", "mode = \"linear\"", NULL);
	o = old(*state, 1, "Upsample", "x", "y");
	onnx_attr_float(&o.node, "height_scale", 3);
	onnx_attr_float(&o.node, "width_scale", 2);
	expect(&o, "f32[2,3,12,10] y = Resize", "(x, _, v", "{1, 1, 3, 2}", NULL);
}

/* Opset 11 had to be given something for roi and scales. */
static void
resize_drops_empty_operands(void **state)
{
	struct old o = old(*state, 11, "Resize", "x,e,e,s", "y");
	const int64_t sizes[] = { 2, 3, 8, 8 };
	pb_message(&o.graph, 5, onnx_tensor(*state, "e", ONNX_F32, "0", NULL, 0));
	pb_message(&o.graph, 5, onnx_tensor(*state, "s", ONNX_I64, "4", sizes, 32));
	expect(&o, "f32[2,3,8,8] y = Resize (x, _, _, s)", NULL);
}

static void
tile_gets_repeats(void **state)
{
	struct old o = old(*state, 1, "Tile", "x,t,k", "y");
	add_float(&o, "t", 3);
	add_float(&o, "k", 2);
	expect(&o, "f32[2,3,12,5] y = Tile", NULL);
	o = old(*state, 1, "Tile", "x,w,w", "y");
	expect(&o, "E0127", NULL);
}

static void
norms_and_constants(void **state)
{
	struct old o = old(*state, 1, "Selu", "x", "y");
	expect(&o, "alpha = 1.6732", "gamma = 1.0507", NULL);
	o = old(*state, 1, "GlobalLpPool", "x", "y");
	onnx_attr_float(&o.node, "p", 3);
	expect(&o, "p = 3", NULL);
	o = old(*state, 1, "Concat", "x,x", "y");
	expect(&o, "f32[2,6,4,5] y", NULL);
	o = old(*state, 6, "Gemm", "v,g,c", "y");
	add_ints(&o, "unused", 0, 0);
	pb_message(&o.graph, 11, onnx_value(*state, "g", ONNX_F32, "4,2"));
	pb_message(&o.graph, 11, onnx_value(*state, "c", ONNX_F32, "2"));
	onnx_attr_int(&o.node, "broadcast", 1);
	expect(&o, "f32[3,2] y = Gemm", NULL);
}

static void
group_norm_repeats_its_scale(void **state)
{
	struct old o = old(*state, 18, "GroupNormalization", "z,s,s", "y");
	pb_message(&o.graph, 11, onnx_value(*state, "z", ONNX_F32, "1,6,4"));
	pb_message(&o.graph, 11, onnx_value(*state, "s", ONNX_F32, "2"));
	onnx_attr_int(&o.node, "num_groups", 2);
	expect(&o, "Expand", "f32[6] v", "f32[1,6,4] y = GroupNormalization <num_groups = 2>",
	       NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(axes_become_operands),
		UNIT_TEST(clip_gets_limits),
		UNIT_TEST(clip_limits_have_the_type_of_the_data),
		UNIT_TEST(pads_become_operands),
		UNIT_TEST(slices_become_operands),
		UNIT_TEST(splits_become_operands),
		UNIT_TEST(reshape_gets_its_shape),
		UNIT_TEST(cast_gets_a_number),
		UNIT_TEST(softmax_sees_a_matrix),
		UNIT_TEST(broadcasts_from_an_axis),
		UNIT_TEST(slopes_stand_under_channels),
		UNIT_TEST(batch_norm_loses_its_flags),
		UNIT_TEST(dropout_is_not_training),
		UNIT_TEST(upsample_becomes_resize),
		UNIT_TEST(resize_drops_empty_operands),
		UNIT_TEST(tile_gets_repeats),
		UNIT_TEST(norms_and_constants),
		UNIT_TEST(group_norm_repeats_its_scale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
