/* Tests of reading graphs: names, order, types, pins, functions, and each message about them. */
#include "frontend/onnx_import.h"
#include "tests/unit/onnx_bytes.h"
#include "tests/unit/unit.h"

struct import {
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_model_info info;
	struct sn_graph *graph;
};

static struct import *
import_with(struct sn_arena *a, bytes m, struct sn_import_opts o)
{
	struct import *i = SN_NEW(a, struct import);
	sn_pool_init(&i->pool, a);
	sn_diags_init(&i->diags, a);
	o.info = &i->info;
	const struct sn_wire_bytes b = onnx_wire(m);
	i->graph = sn_onnx_import_bytes(&b, &o, a, &i->pool, &i->diags);
	return i;
}

static struct import *
import(struct sn_arena *a, bytes m)
{
	return import_with(a, m, (struct sn_import_opts){ 0 });
}

static const char *
print(struct sn_arena *a, const struct import *i)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_diags_print(&i->diags, &b);
	if (i->graph)
		sn_graph_print(&b, i->graph, true);
	return b.text;
}

/* The import fails, and the messages say so. */
static void
expect(struct sn_arena *a, const struct import *i, const char *text)
{
	const char *got = print(a, i);
	assert_null(i->graph);
	assert_true(i->diags.errors > 0);
	if (!strstr(got, text))
		fail_msg("'%s' is not in:\n%s", text, got);
}

static void
expect_graph(struct sn_arena *a, const struct import *i, const char *text)
{
	const char *got = print(a, i);
	assert_non_null(i->graph);
	if (!strstr(got, text))
		fail_msg("'%s' is not in:\n%s", text, got);
}

/* An input x: f32[DIMS], an output y. */
static bytes
graph_of(struct sn_arena *a, const char *dims)
{
	bytes g = pb_new(a);
	pb_message(&g, 11, onnx_value(a, "x", ONNX_F32, dims));
	pb_message(&g, 12, onnx_value(a, "y", ONNX_F32, NULL));
	return g;
}

static void
add_node(bytes *g, const char *type, const char *inputs, const char *outputs)
{
	pb_message(g, 1, onnx_node(g->arena, type, inputs, outputs));
}

static bytes
relu_model(struct sn_arena *a, const char *dims)
{
	bytes g = graph_of(a, dims);
	add_node(&g, "Relu", "x", "y");
	return onnx_model(a, g, 13);
}

/* ---- the good ones ---- */

static void
reads_nodes_in_order(void **state)
{
	bytes g = graph_of(*state, "2,3");
	add_node(&g, "Relu", "x", "h");
	add_node(&g, "Add", "h,x", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	expect_graph(*state, i, "h = Relu (x)");
	expect_graph(*state, i, "y = Add (h, x)");
}

static void
reads_attributes(void **state)
{
	bytes g = graph_of(*state, "1,3,8,8"), n = onnx_node(*state, "MaxPool", "x", "y");
	onnx_attr_ints(&n, "kernel_shape", "2,3");
	onnx_attr_int(&n, "ceil_mode", 1);
	onnx_attr_text(&n, "auto_pad", "SAME_UPPER");
	pb_message(&g, 1, n);
	struct import *i = import(*state, onnx_model(*state, g, 13));
	assert_non_null(i->graph);
	const struct sn_attrs_pool *at = sn_attrs(i->graph->first, pool);
	assert_int_equal(at->kernel_shape.n, 2);
	assert_int_equal(at->kernel_shape.v[1], 3);
	assert_int_equal(at->ceil_mode, 1);
	assert_string_equal(at->auto_pad, "SAME_UPPER");
	assert_true(at->pads.n < 0);
}

static void
takes_constants_as_values(void **state)
{
	float x[] = { 1, 2 };
	bytes g = graph_of(*state, "2"), n = onnx_node(*state, "Constant", "", "c");
	onnx_attr_tensor(&n, "value", onnx_tensor(*state, "", ONNX_F32, "2", x, 8));
	pb_message(&g, 1, n);
	add_node(&g, "Add", "x,c", "h");
	n = onnx_node(*state, "Constant", "", "d");
	onnx_attr_float(&n, "value_float", 3);
	pb_message(&g, 1, n);
	add_node(&g, "Add", "h,d", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	expect_graph(*state, i, "f32[2] c = {1, 2}");
	expect_graph(*state, i, "f32 d = {3}");
	assert_int_equal(i->graph->nnodes, 2);
}

/* Half a gigabyte of weights that is one number stays one number. */
static void
keeps_splats_small(void **state)
{
	const int64_t dims[] = { 1 << 14, 1 << 14 };
	const float fill = 0.5f;
	bytes g = graph_of(*state, "1,16384"), n = onnx_node(*state, "ConstantOfShape", "s", "w");
	pb_message(&g, 5, onnx_tensor(*state, "s", ONNX_I64, "2", dims, 16));
	onnx_attr_tensor(&n, "value", onnx_tensor(*state, "", ONNX_F32, "1", &fill, 4));
	pb_message(&g, 1, n);
	add_node(&g, "MatMul", "x,w", "y");
	size_t before = ((struct sn_arena *)*state)->used;
	struct import *i = import(*state, onnx_model(*state, g, 13));
	const struct sn_value *w = sn_in(i->graph->first, 1);
	assert_true(w->data->is_splat);
	assert_int_equal(w->data->n, 1 << 28);
	assert_true(sn_data_get(w->data, 5).f == 0.5);
	assert_true(((struct sn_arena *)*state)->used - before < 100000);
}

/* Before IR 4 initialisers were inputs too. */
static void
takes_inputs_with_initialisers_as_constants(void **state)
{
	float w = 2;
	bytes g = graph_of(*state, "1");
	pb_message(&g, 11, onnx_value(*state, "w", ONNX_F32, "1"));
	pb_message(&g, 5, onnx_tensor(*state, "w", ONNX_F32, "1", &w, 4));
	add_node(&g, "Add", "x,w", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	assert_non_null(i->graph);
	assert_int_equal(i->graph->inputs.n, 1);
}

/* From IR 4 on it is a default that a caller could replace; here it is not. */
static void
remarks_on_inputs_with_defaults(void **state)
{
	float w = 2;
	bytes g = graph_of(*state, "1");
	pb_message(&g, 11, onnx_value(*state, "w", ONNX_F32, "1"));
	pb_message(&g, 5, onnx_tensor(*state, "w", ONNX_F32, "1", &w, 4));
	add_node(&g, "Add", "x,w", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	assert_non_null(i->graph);
	assert_int_equal(i->diags.list.n, 1);
	assert_int_equal(i->diags.list.v[0].id, DG_DEFAULT_INPUT);
}

static void
leaves_out_what_is_not_wanted(void **state)
{
	bytes g = graph_of(*state, "4"), n = onnx_node(*state, "Clip", "x,,x", "y,,");
	pb_message(&g, 1, n);
	add_node(&g, "Clip", "x,,", "z");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	assert_non_null(i->graph);
	const struct sn_node *clip = i->graph->first;
	assert_int_equal(clip->nin, 3);
	assert_null(sn_in(clip, 1));
	assert_int_equal(clip->nout, 1);
	assert_int_equal(clip->next->nin, 1);
}

static void
keeps_what_the_model_says_of_itself(void **state)
{
	bytes m = relu_model(*state, "1"), e = pb_new(*state);
	pb_text(&m, 2, "a trainer");
	pb_text(&e, 1, "alphabet");
	pb_text(&e, 2, "abc");
	pb_message(&m, 14, e);
	struct import *i = import(*state, m);
	assert_int_equal(i->info.ir_version, 8);
	assert_string_equal(i->info.producer, "a trainer");
	assert_int_equal(i->info.opsets.v[0].version, 13);
	assert_string_equal(i->info.metadata.v[0].key, "alphabet");
	assert_string_equal(i->info.metadata.v[0].value, "abc");
	assert_int_equal(i->info.nodes, 1);
}

/* ---- dimensions ---- */

static void
makes_symbols_of_open_dimensions(void **state)
{
	bytes g = graph_of(*state, "N,?,-1,3,N");
	pb_message(&g, 11, onnx_value(*state, "z", ONNX_F32, "N"));
	add_node(&g, "Relu", "x", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	const struct sn_type *x = &i->graph->inputs.v[0]->type, *z = &i->graph->inputs.v[1]->type;
	assert_ptr_equal(x->dims[0], x->dims[4]);
	assert_ptr_equal(x->dims[0], z->dims[0]);
	assert_string_equal(x->dims[1]->sym->name, "x_1");
	assert_string_equal(x->dims[2]->sym->name, "x_2");
	assert_true(sn_is_int_const(x->dims[3], 3));
	assert_int_equal(x->dims[0]->sym->lo, 1);
	assert_true(x->dims[0]->sym->is_dim);
	assert_int_equal(x->dims[2]->sym->axis, 2);
}

/* A dimension that somebody has named like an unnamed one. */
static void
keeps_invented_names_apart(void **state)
{
	bytes g = pb_new(*state);
	pb_message(&g, 11, onnx_value(*state, "w", ONNX_F32, "x_0"));
	pb_message(&g, 11, onnx_value(*state, "x", ONNX_F32, "?"));
	struct import *i = import(*state, onnx_model(*state, g, 13));
	assert_ptr_not_equal(i->graph->inputs.v[0]->type.dims[0],
			     i->graph->inputs.v[1]->type.dims[0]);
}

static struct import *
pin(struct sn_arena *a, bytes m, const char *shape, const char *dim)
{
	return import_with(a, m,
			   (struct sn_import_opts){ .shapes = &shape,
						    .nshapes = shape != NULL,
						    .dims = &dim,
						    .ndims = dim != NULL });
}

static void
pins_dimensions(void **state)
{
	bytes g = graph_of(*state, "N,3,?");
	pb_message(&g, 11, onnx_value(*state, "z", ONNX_F32, "N"));
	add_node(&g, "Relu", "x", "y");
	bytes m = onnx_model(*state, g, 13);
	struct import *i = pin(*state, m, "x=4x3x?", NULL);
	assert_non_null(i->graph);
	assert_true(sn_is_int_const(i->graph->inputs.v[0]->type.dims[0], 4));
	assert_true(sn_is_int_const(i->graph->inputs.v[1]->type.dims[0], 4));
	assert_string_equal(i->graph->inputs.v[0]->type.dims[2]->sym->name, "x_2");
	i = pin(*state, m, NULL, "N=8");
	assert_true(sn_is_int_const(i->graph->inputs.v[1]->type.dims[0], 8));
	i = pin(*state, m, NULL, "N=0");
	assert_true(sn_is_int_const(i->graph->inputs.v[1]->type.dims[0], 0));
	i = pin(*state, m, NULL, "x_2=5");
	assert_true(sn_is_int_const(i->graph->inputs.v[0]->type.dims[2], 5));
	i = pin(*state, relu_model(*state, NULL), "x=2,7", NULL);
	assert_int_equal(i->graph->inputs.v[0]->type.rank, 2);
	i = pin(*state, relu_model(*state, NULL), "x=2x?", NULL);
	assert_string_equal(i->graph->inputs.v[0]->type.dims[1]->sym->name, "x_1");
	i = pin(*state, relu_model(*state, NULL), "x=", NULL);
	assert_int_equal(i->graph->inputs.v[0]->type.rank, 0);
}

static void
refuses_pins_that_do_not_fit(void **state)
{
	bytes m = relu_model(*state, "N,3");
	expect(*state, pin(*state, m, "z=1x3", NULL), "there is no input 'z'");
	expect(*state, pin(*state, m, NULL, "M=1"), "there is no dimension 'M'");
	expect(*state, pin(*state, m, "x=1x4", NULL), "dimension 1 of 'x' is 3");
	expect(*state, pin(*state, m, "x=1x3x3", NULL), "has 2 dimensions, the given shape 3");
	expect(*state, pin(*state, m, "x=2x3", "N=4"), "is 4, the given shape says 2");
	static const char *const bad[] = { "x",
					   "=1",
					   "x=1x",
					   "x=ax3",
					   "x=0x",
					   "x=1 x3",
					   "x=x3",
					   "x=99999999999999999999",
					   "x=1x2x3x4x5x6x7x8x9" };
	for (size_t k = 0; k < ARRAY_LEN(bad); k++)
		expect(*state, pin(*state, m, bad[k], NULL), "can't read '");
	expect(*state, pin(*state, m, NULL, "N=1x2"), "can't read '");
	expect(*state, pin(*state, m, NULL, "N=?"), "can't read '");
}

static void
refuses_absurd_inputs(void **state)
{
	struct sn_arena *a = *state;
	expect(a, import(a, relu_model(a, NULL)), "input 'x' has no shape");
	expect(a, import(a, relu_model(a, "-7")), "absurd dimensions of 'x': axis 0 is -7");
	expect(a, import(a, relu_model(a, "1,1,1,1,1,1,1,1,1")), "has 9 dimensions, at most 8");
	expect(a, import(a, relu_model(a, "9999999,9999999,9999999")), "the size of 'x' overflows");
	bytes g = pb_new(a), v = pb_new(a);
	pb_text(&v, 1, "x");
	pb_message(&g, 11, v);
	expect(a, import(a, onnx_model(a, g, 13)), "input 'x' has no usable type");
	g = pb_new(a);
	pb_message(&g, 11, onnx_value(a, "x", 77, "1"));
	expect(a, import(a, onnx_model(a, g, 13)), "unknown element type 77");
}

/* ---- names and order ---- */

static void
refuses_undefined_names(void **state)
{
	bytes g = graph_of(*state, "1");
	pb_message(&g, 12, onnx_value(*state, "nothing", ONNX_F32, NULL));
	add_node(&g, "Add", "x,w", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	expect(*state, i, "Add (node 0): 'w' is not defined anywhere");
	expect(*state, i, "graph output 'nothing' is not defined anywhere");
	assert_int_equal(i->diags.errors, 2);
}

static void
refuses_names_defined_twice(void **state)
{
	bytes g = graph_of(*state, "1");
	add_node(&g, "Relu", "x", "y");
	add_node(&g, "Abs", "x", "y");
	expect(*state, import(*state, onnx_model(*state, g, 13)),
	       "Abs (node 1): 'y' is defined twice");
	g = graph_of(*state, "1");
	add_node(&g, "Relu", "x", "x");
	add_node(&g, "Relu", "x", "y");
	expect(*state, import(*state, onnx_model(*state, g, 13)), "'x' is defined twice");
	float w = 1;
	g = graph_of(*state, "1");
	pb_message(&g, 5, onnx_tensor(*state, "w", ONNX_F32, "1", &w, 4));
	pb_message(&g, 5, onnx_tensor(*state, "w", ONNX_F32, "1", &w, 4));
	add_node(&g, "Add", "x,w", "y");
	expect(*state, import(*state, onnx_model(*state, g, 13)), "'w' is defined twice");
}

static void
tells_unordered_from_cyclic(void **state)
{
	bytes g = graph_of(*state, "1");
	add_node(&g, "Add", "x,h", "y");
	add_node(&g, "Abs", "x", "h");
	expect(*state, import(*state, onnx_model(*state, g, 13)),
	       "Add (node 0): reads 'h' before node 1 writes it");
	g = graph_of(*state, "1");
	add_node(&g, "Add", "x,h", "y");
	add_node(&g, "Abs", "y", "k");
	add_node(&g, "Neg", "k", "h");
	expect(*state, import(*state, onnx_model(*state, g, 13)),
	       "Add (node 0): depends on its own result through 'h'");
	g = graph_of(*state, "1");
	add_node(&g, "Add", "x,y", "y");
	expect(*state, import(*state, onnx_model(*state, g, 13)), "depends on its own result");
}

static void
refuses_empty_names(void **state)
{
	bytes g = graph_of(*state, "1");
	pb_message(&g, 11, onnx_value(*state, "", ONNX_F32, "1"));
	pb_message(&g, 12, onnx_value(*state, "", ONNX_F32, "1"));
	pb_message(&g, 5, onnx_tensor(*state, "", ONNX_F32, "0", NULL, 0));
	add_node(&g, "Relu", "x", "y");
	struct import *i = import(*state, onnx_model(*state, g, 13));
	expect(*state, i, "graph input 1 has no name");
	expect(*state, i, "graph output 1 has no name");
	expect(*state, i, "graph initializer 0 has no name");
}

/* ---- operators ---- */

static void
lists_all_unknown_operators_once(void **state)
{
	bytes g = graph_of(*state, "1"), n = onnx_node(*state, "Frobnicate", "x", "h");
	pb_message(&g, 1, n);
	add_node(&g, "Frobnicate", "h", "k");
	n = onnx_node(*state, "Grumble", "k", "y");
	pb_text(&n, 7, "my.domain");
	pb_message(&g, 1, n);
	bytes m = onnx_model(*state, g, 13);
	onnx_opset(&m, 8, "my.domain", 1);
	struct import *i = import(*state, m);
	expect(*state, i,
	       "operator 'Frobnicate' of domain 'ai.onnx' is not supported "
	       "(the first of 2 such nodes)");
	expect(*state, i, "operator 'Grumble' of domain 'my.domain' is not supported");
	assert_int_equal(i->diags.errors, 2);
}

/* A message about operator TYPE with the operands and results given. */
static void
expect_node(struct sn_arena *a, bytes node, const char *text)
{
	bytes g = graph_of(a, "1,3,8,8");
	pb_message(&g, 1, node);
	expect(a, import(a, onnx_model(a, g, 13)), text);
}

static void
refuses_wrong_operands_and_attributes(void **state)
{
	struct sn_arena *a = *state;
	expect_node(a, onnx_node(a, "Relu", "x,x", "y"), "has 2 operands, 1 expected");
	expect_node(a, onnx_node(a, "Add", "x", "y"), "has 1 operands, 2 expected");
	expect_node(a, onnx_node(a, "Relu", "x", "y,z"), "has 2 results, 0 to 1 expected");
	expect_node(a, onnx_node(a, "Concat", "", "y"), "has 0 operands, at least 1 expected");
	expect_node(a, onnx_node(a, "Where", "x,,x", "y"), "operand 1 is missing");
	bytes n = onnx_node(a, "Relu", "x", "y");
	onnx_attr_int(&n, "slope", 1);
	expect_node(a, n, "Relu (node 0): unknown attribute 'slope'");
	n = onnx_node(a, "MaxPool", "x", "y");
	expect_node(a, n, "attribute 'kernel_shape' is missing");
	onnx_attr_int(&n, "kernel_shape", 3);
	expect_node(a, n, "attribute 'kernel_shape' is of type int, ints expected");
	n = onnx_node(a, "LeakyRelu", "x", "y");
	onnx_attr_float(&n, "alpha", 1);
	onnx_attr_float(&n, "alpha", 2);
	expect_node(a, n, "attribute 'alpha' is given twice");
	n = onnx_node(a, "Constant", "", "y");
	expect_node(a, n, "attribute 'value' is missing");
	onnx_attr_int(&n, "value_float", 3);
	expect_node(a, n, "attribute 'value_float' is of type int, float expected");
}

static void
refuses_versions_it_does_not_know(void **state)
{
	bytes g = graph_of(*state, "1"), m = pb_new(*state);
	add_node(&g, "Relu", "x", "y");
	expect(*state, import(*state, onnx_model(*state, g, 28)),
	       "opset 28 of 'ai.onnx' is not one of 1 to 27");
	expect(*state, import(*state, onnx_model(*state, g, 0)), "opset 0 of 'ai.onnx'");
	pb_int(&m, 1, 99);
	onnx_opset(&m, 8, "", 13);
	expect(*state, import(*state, m), "the model has no graph");
	pb_message(&m, 7, g);
	expect(*state, import(*state, m), "IR version 99 is not one of 1 to 13");
	m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_message(&m, 7, g);
	expect(*state, import(*state, m), "domain 'ai.onnx', which the model does not import");
}

/* ---- bodies ---- */

/* A body that reads OPERAND and the region's own input i, and writes o. */
static bytes
body(struct sn_arena *a, const char *operand)
{
	bytes g = pb_new(a);
	pb_message(&g, 11, onnx_value(a, "i", ONNX_F32, "?,3"));
	pb_message(&g, 1, onnx_node(a, "Add", sn_printf(a, "i,%s", operand), "o"));
	pb_message(&g, 12, onnx_value(a, "o", ONNX_F32, NULL));
	return g;
}

static void
add_body(bytes *node, const char *name, bytes g)
{
	bytes t = onnx_attr(node->arena, name, 5);
	pb_message(&t, 6, g);
	pb_message(node, 5, t);
}

/* Bodies come in a fixed order and see the names around them. */
static void
reads_bodies(void **state)
{
	bytes g = graph_of(*state, "1"), n = onnx_node(*state, "Identity", "x", "y");
	add_node(&g, "Relu", "x", "h");
	add_body(&n, "else_branch", body(*state, "x"));
	add_body(&n, "then_branch", body(*state, "h"));
	pb_message(&g, 1, n);
	struct import *i = import(*state, onnx_model(*state, g, 13));
	assert_non_null(i->graph);
	const struct sn_node *node = i->graph->last;
	assert_int_equal(node->nregions, 2);
	const struct sn_graph *then_branch = node->regions[0];
	assert_string_equal(then_branch->name, "then_branch");
	assert_ptr_equal(then_branch->outer, i->graph);
	assert_string_equal(sn_in(then_branch->first, 1)->name, "h");
	assert_int_equal(sn_in(then_branch->first, 1)->def->graph == i->graph, 1);
	assert_string_equal(then_branch->output_names.v[0], "o");
	assert_null(then_branch->inputs.v[0]->type.dims[0]);
	assert_true(sn_is_int_const(then_branch->inputs.v[0]->type.dims[1], 3));
}

static void
refuses_bad_bodies(void **state)
{
	bytes g = graph_of(*state, "1"), n = onnx_node(*state, "Identity", "x", "y");
	add_body(&n, "then_branch", body(*state, "later"));
	pb_message(&g, 1, n);
	add_node(&g, "Relu", "x", "later");
	expect(*state, import(*state, onnx_model(*state, g, 13)),
	       "reads 'later' before node 1 writes it");
	n = onnx_node(*state, "Identity", "x", "y");
	add_body(&n, "trunk", body(*state, "x"));
	expect_node(*state, n, "unknown attribute 'trunk'");
	n = onnx_node(*state, "Nonsense", "x", "y");
	bytes inner = pb_new(*state);
	pb_message(&inner, 1, onnx_node(*state, "Gibberish", "x", "o"));
	add_body(&n, "body", inner);
	expect_node(*state, n, "operator 'Gibberish'");
}

/* ---- functions ---- */

/* A function DOMAIN.NAME (a, b) => (c) with the given node, which may be followed by more. */
static bytes
function(struct sn_arena *a, const char *name, bytes node)
{
	bytes f = pb_new(a);
	pb_text(&f, 1, name);
	pb_list(&f, 4, "a,b");
	pb_list(&f, 5, "c");
	pb_text(&f, 10, "my");
	pb_message(&f, 7, node);
	onnx_opset(&f, 9, "", 13);
	onnx_opset(&f, 9, "my", 1);
	return f;
}

static bytes
call(struct sn_arena *a, const char *name, const char *inputs, const char *output)
{
	bytes n = onnx_node(a, name, inputs, output);
	pb_text(&n, 7, "my");
	return n;
}

static bytes
model_calling(struct sn_arena *a, bytes node)
{
	bytes g = graph_of(a, "4");
	pb_message(&g, 1, node);
	bytes m = onnx_model(a, g, 13);
	onnx_opset(&m, 8, "my", 1);
	return m;
}

static void
inlines_functions(void **state)
{
	bytes inner = onnx_node(*state, "Add", "a,b", "t");
	bytes f = function(*state, "twice", inner);
	pb_message(&f, 7, onnx_node(*state, "Mul", "t,b", "c"));
	bytes outer = function(*state, "four", call(*state, "twice", "a,b", "t"));
	pb_message(&outer, 7, call(*state, "twice", "t,a", "c"));
	bytes m = model_calling(*state, call(*state, "four", "x,x", "y"));
	pb_message(&m, 25, f);
	pb_message(&m, 25, outer);
	struct import *i = import(*state, m);
	expect_graph(*state, i, "\"four/twice/t\" = Add (x, x)");
	expect_graph(*state, i, "\"four/t\" = Mul (\"four/twice/t\", x)");
	expect_graph(*state, i, "y = Mul (");
	assert_int_equal(i->graph->nnodes, 4);
	assert_int_equal(i->info.functions, 2);
}

/* alpha = @slope: what the call gives, else the function's default, else nothing. */
static bytes
leaky(struct sn_arena *a, bool has_default)
{
	bytes n = onnx_node(a, "LeakyRelu", "a", "c"), ref = onnx_attr(a, "alpha", 1);
	pb_text(&ref, 21, "slope");
	pb_message(&n, 5, ref);
	bytes f = function(a, "leaky", n), attr = onnx_attr(a, "slope", 1);
	pb_float(&attr, 2, 0.5f);
	if (has_default)
		pb_message(&f, 11, attr);
	else
		pb_text(&f, 6, "slope");
	return f;
}

static float
slope_of(struct sn_arena *a, bool has_default, bool is_given)
{
	bytes n = call(a, "leaky", "x", "y");
	if (is_given)
		onnx_attr_float(&n, "slope", 0.75f);
	bytes m = model_calling(a, n);
	pb_message(&m, 25, leaky(a, has_default));
	struct import *i = import(a, m);
	assert_non_null(i->graph);
	return sn_attrs(i->graph->first, leaky)->alpha;
}

static void
fills_in_attribute_references(void **state)
{
	assert_true(slope_of(*state, true, true) == 0.75f);
	assert_true(slope_of(*state, true, false) == 0.5f);
	assert_true(slope_of(*state, false, true) == 0.75f);
	assert_true(slope_of(*state, false, false) == 0.01f);
}

static void
refuses_bad_functions(void **state)
{
	bytes m = model_calling(*state, call(*state, "f", "x,x", "y"));
	pb_message(&m, 25, function(*state, "f", call(*state, "g", "a,b", "c")));
	pb_message(&m, 25, function(*state, "g", call(*state, "f", "a,b", "c")));
	expect(*state, import(*state, m), "function 'f' calls itself");
	m = model_calling(*state, call(*state, "f", "x,x,x", "y"));
	bytes f = function(*state, "f", onnx_node(*state, "Relu", "a", "c"));
	pb_message(&m, 25, f);
	expect(*state, import(*state, m), "function 'f' has 2 inputs, the call 3");
	pb_message(&m, 25, f);
	expect(*state, import(*state, m), "function 'f' of domain 'my' is defined twice");
	m = model_calling(*state, call(*state, "f", "x", "y"));
	pb_message(&m, 25, function(*state, "f", onnx_node(*state, "Relu", "b", "c")));
	expect(*state, import(*state, m), "operand 0 is missing");
	bytes n = onnx_node(*state, "LeakyRelu", "x", "y"), ref = onnx_attr(*state, "alpha", 1);
	pb_text(&ref, 21, "slope");
	pb_message(&n, 5, ref);
	expect(*state, import(*state, model_calling(*state, n)), "refers to 'slope'");
}

/* Each function calls the next one ten times: a thousand bytes become 10^20 nodes. */
static void
refuses_functions_that_explode(void **state)
{
	bytes m = model_calling(*state, call(*state, "f0", "x,x", "y"));
	for (int i = 0; i < 20; i++) {
		const char *next = sn_printf(*state, "f%d", i + 1);
		bytes f = function(*state, sn_printf(*state, "f%d", i),
				   call(*state, next, "a,b", "c"));
		for (int k = 0; k < 9; k++)
			pb_message(&f, 7, call(*state, next, "a,b", sn_printf(*state, "d%d", k)));
		pb_message(&m, 25, f);
	}
	pb_message(&m, 25, function(*state, "f20", onnx_node(*state, "Relu", "a", "c")));
	expect(*state, import(*state, m), "nodes with all functions inlined");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(reads_nodes_in_order),
		UNIT_TEST(reads_attributes),
		UNIT_TEST(takes_constants_as_values),
		UNIT_TEST(keeps_splats_small),
		UNIT_TEST(takes_inputs_with_initialisers_as_constants),
		UNIT_TEST(remarks_on_inputs_with_defaults),
		UNIT_TEST(leaves_out_what_is_not_wanted),
		UNIT_TEST(keeps_what_the_model_says_of_itself),
		UNIT_TEST(makes_symbols_of_open_dimensions),
		UNIT_TEST(keeps_invented_names_apart),
		UNIT_TEST(pins_dimensions),
		UNIT_TEST(refuses_pins_that_do_not_fit),
		UNIT_TEST(refuses_absurd_inputs),
		UNIT_TEST(refuses_undefined_names),
		UNIT_TEST(refuses_names_defined_twice),
		UNIT_TEST(tells_unordered_from_cyclic),
		UNIT_TEST(refuses_empty_names),
		UNIT_TEST(lists_all_unknown_operators_once),
		UNIT_TEST(refuses_wrong_operands_and_attributes),
		UNIT_TEST(refuses_versions_it_does_not_know),
		UNIT_TEST(reads_bodies),
		UNIT_TEST(refuses_bad_bodies),
		UNIT_TEST(inlines_functions),
		UNIT_TEST(fills_in_attribute_references),
		UNIT_TEST(refuses_bad_functions),
		UNIT_TEST(refuses_functions_that_explode),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
