/* Tests of ir/graph.h: edges, order, names, attributes, data, origins. */
#include "tests/unit/unit.h"
#include <math.h>
#include <string.h>
#include "ir/graph.h"

struct fixture {
	struct sn_arena *arena;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_graph *graph;
	struct sn_value *x;
};

static struct fixture *
start(void **state)
{
	struct sn_arena *a = *state;
	struct fixture *f = SN_NEW(a, struct fixture);
	f->arena = a;
	sn_pool_init(&f->pool, a);
	sn_diags_init(&f->diags, a);
	f->graph = sn_graph_new(a, &f->pool, "g");
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_F32, .rank = 1 };
	t.dims[0] = sn_int(&f->pool, 4);
	f->x = sn_graph_add_input(f->graph, "x", &t);
	return f;
}

static struct sn_node *
add(struct fixture *f, struct sn_node *before, struct sn_value *a, struct sn_value *b)
{
	struct sn_value *in[] = { a, b };
	struct sn_node *n = before ? sn_node_new_before(before, GR_ADD, in, 2, 1, NULL)
				   : sn_node_new(f->graph, GR_ADD, in, 2, 1, NULL);
	n->out[0]->type = f->x->type;
	return n;
}

static void
check(struct fixture *f)
{
	assert_true(sn_graph_verify(f->graph, &f->diags));
}

static void
keeps_uses(void **state)
{
	struct fixture *f = start(state);
	struct sn_node *a = add(f, NULL, f->x, f->x);
	struct sn_node *b = add(f, NULL, a->out[0], f->x);
	sn_graph_add_output(f->graph, b->out[0], "y");
	assert_int_equal(sn_value_nuses(f->x), 3);
	assert_int_equal(sn_value_nuses(a->out[0]), 1);
	assert_true(sn_value_is_output(b->out[0]));
	assert_false(sn_value_is_output(a->out[0]));
	check(f);
	sn_node_set_input(b, 0, f->x);
	assert_int_equal(sn_value_nuses(f->x), 4);
	assert_null(a->out[0]->uses);
	sn_node_remove(a);
	assert_int_equal(sn_value_nuses(f->x), 2);
	assert_ptr_equal(f->graph->first, b);
	check(f);
}

static void
replaces_values(void **state)
{
	struct fixture *f = start(state);
	struct sn_node *a = add(f, NULL, f->x, f->x), *b = add(f, NULL, f->x, f->x);
	struct sn_node *c = add(f, NULL, b->out[0], b->out[0]);
	sn_graph_add_output(f->graph, b->out[0], "y");
	sn_graph_add_output(f->graph, c->out[0], "z");
	sn_value_replace(b->out[0], a->out[0]);
	assert_int_equal(sn_value_nuses(a->out[0]), 3);
	assert_null(b->out[0]->uses);
	assert_ptr_equal(f->graph->outputs.v[0]->value, a->out[0]);
	assert_string_equal(f->graph->output_names.v[0], "y");
	sn_node_remove(b);
	check(f);
}

static void
keeps_order(void **state)
{
	struct fixture *f = start(state);
	struct sn_node *b = add(f, NULL, f->x, f->x), *a = add(f, b, f->x, f->x);
	struct sn_node *c = add(f, NULL, f->x, f->x);
	assert_ptr_equal(f->graph->first, a);
	sn_node_move(a, NULL);
	assert_ptr_equal(f->graph->first, b);
	assert_ptr_equal(f->graph->last, a);
	sn_node_move(a, c);
	assert_ptr_equal(c->prev, a);
	sn_node_move(a, a);
	int n = 0;
	SN_FOR_NODES(f->graph, node)
	n++;
	assert_int_equal(n, 3);
	sn_node_set_input(b, 0, a->out[0]);
	assert_false(sn_graph_verify(f->graph, &f->diags));
	assert_string_equal(f->diags.list.v[0].text,
			    sn_printf(f->arena, "broken graph: '%s' is read before it is defined",
				      a->out[0]->name));
}

static void
makes_names_unique(void **state)
{
	struct fixture *f = start(state);
	struct sn_value *v = sn_value_new(f->graph, "x", &f->x->type);
	assert_string_not_equal(v->name, "x");
	sn_value_rename(f->graph, v, "fine");
	assert_string_equal(v->name, "fine");
	assert_ptr_equal(sn_map_get(&f->graph->names, "fine"), v);
	sn_value_rename(f->graph, f->x, "z");
	assert_null(sn_map_get(&f->graph->names, "x"));
	struct sn_value *a = sn_value_new(f->graph, NULL, NULL);
	struct sn_value *b = sn_value_new(f->graph, "", NULL);
	assert_string_not_equal(a->name, b->name);
	assert_true(*a->name);
}

static void
catches_broken_lists(void **state)
{
	struct fixture *f = start(state);
	struct sn_node *a = add(f, NULL, f->x, f->x);
	sn_graph_add_output(f->graph, a->out[0], "y");
	a->in[0].value = a->out[0]; /* past the functions that write edges */
	assert_false(sn_graph_verify(f->graph, &f->diags));
	a->in[0].value = f->x;
	sn_diags_init(&f->diags, f->arena);
	check(f);
	a->out[0]->type.dtype = DT_I32;
	assert_false(sn_graph_verify(f->graph, &f->diags));
}

static void
removing_what_is_read_is_a_bug(void **state)
{
	struct fixture *f = start(state);
	struct sn_node *a = add(f, NULL, f->x, f->x);
	sn_graph_add_output(f->graph, a->out[0], "y");
	struct sn_guard guard;
	f->arena->guard = &guard;
	enum sn_status s = SN_GUARD_ENTER(&guard);
	if (s == SN_OK)
		sn_node_remove(a);
	f->arena->guard = NULL;
	assert_int_equal(s, SN_ERR_INTERNAL);
}

static void
reads_small_integers(void **state)
{
	struct fixture *f = start(state);
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_I32, .rank = 1 };
	t.dims[0] = sn_int(&f->pool, 3);
	struct sn_value *c = sn_graph_add_const(
		f->graph, "c", &t, sn_data_splat(f->arena, DT_I32, 3, (union sn_num){ .i = -5 }));
	int64_t *v;
	int n;
	assert_true(sn_value_ints(c, f->arena, &v, &n));
	assert_int_equal(n, 3);
	assert_int_equal(v[2], -5);
	assert_false(sn_value_ints(f->x, f->arena, &v, &n));
	const struct sn_expr *known[] = { sn_int(&f->pool, 7),
					  sn_sym_expr(&f->pool, sn_sym_new(&f->pool, "N", 1, 9)) };
	f->x->known = known;
	f->x->nknown = 1;
	assert_true(sn_value_ints(f->x, f->arena, &v, &n));
	assert_int_equal(v[0], 7);
	f->x->nknown = 2;
	assert_false(sn_value_ints(f->x, f->arena, &v, &n));
}

static void
attributes_have_defaults(void **state)
{
	struct sn_arena *a = *state;
	const struct sn_attrs_gemm *g = sn_attrs_new(a, AS_gemm);
	assert_true(g->alpha == 1);
	assert_int_equal(g->transB, 0);
	struct sn_attrs_conv *c = sn_attrs_new(a, AS_conv), *d = sn_attrs_new(a, AS_conv);
	assert_string_equal(c->auto_pad, "NOTSET");
	assert_int_equal(c->pads.n, -1);
	assert_true(sn_attrs_equal(AS_conv, c, d));
	assert_int_equal(sn_attrs_hash(AS_conv, c), sn_attrs_hash(AS_conv, d));
	static const int64_t pads[] = { 1, 1 };
	c->pads = (struct sn_ints){ 2, pads };
	assert_false(sn_attrs_equal(AS_conv, c, d));
	d->pads = (struct sn_ints){ 2, sn_memdup(a, pads, sizeof(pads)) };
	d->auto_pad = sn_strdup(a, "NOTSET");
	assert_true(sn_attrs_equal(AS_conv, c, d));
	assert_int_equal(sn_attrs_hash(AS_conv, c), sn_attrs_hash(AS_conv, d));
	const struct sn_attrs_cast *to = sn_attrs_new(a, AS_cast);
	assert_true(sn_attr_is_absent(AT_INT, &to->to));
	assert_int_equal(to->saturate, 1);
}

static void
data_compares_by_bits(void **state)
{
	struct sn_arena *a = *state;
	struct sn_data *s = sn_data_splat(a, DT_I4, 5, (union sn_num){ .i = -3 });
	void *bytes;
	struct sn_data *d = sn_data_new(a, DT_I4, 5, &bytes);
	for (size_t i = 0; i < 5; i++)
		sn_dtype_store(DT_I4, bytes, i, (union sn_num){ .i = -3 });
	assert_true(sn_data_equal(s, d));
	assert_int_equal(sn_data_hash(s), sn_data_hash(d));
	sn_dtype_store(DT_I4, bytes, 4, (union sn_num){ .i = 3 });
	assert_false(sn_data_equal(s, d));
	struct sn_data *p = sn_data_splat(a, DT_F32, 2, (union sn_num){ .f = 0.0 });
	struct sn_data *m = sn_data_splat(a, DT_F32, 2, (union sn_num){ .f = -0.0 });
	assert_false(sn_data_equal(p, m));
	struct sn_data *nan = sn_data_splat(a, DT_F32, 2, (union sn_num){ .f = NAN });
	assert_true(sn_data_equal(nan, sn_data_splat(a, DT_F32, 2, (union sn_num){ .f = NAN })));
}

static void
origins_are_sets(void **state)
{
	struct sn_arena *a = *state;
	const struct sn_origin *x = sn_origin_of(a, "m", "Conv", "c", 3);
	const struct sn_origin *y = sn_origin_of(a, "m", "Relu", "", 1);
	const struct sn_origin *both = sn_origin_join(a, x, y);
	assert_int_equal(both->n, 2);
	assert_int_equal(both->nodes[0]->index, 1);
	assert_ptr_equal(sn_origin_join(a, both, x), both);
	assert_ptr_equal(sn_origin_join(a, NULL, x), x);
	assert_int_equal(sn_origin_join(a, x, sn_origin_of(a, "m", "Conv", "c", 3))->n, 1);
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_origin_print(&b, both);
	assert_string_equal(b.text, "Relu 1, Conv 'c'");
	assert_string_equal(sn_origin_where(both).op, "Relu");
}

static void
types_print_and_count(void **state)
{
	struct fixture *f = start(state);
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_BF16, .rank = 2 };
	t.dims[0] = sn_int(&f->pool, 6);
	t.dims[1] = sn_int(&f->pool, INT64_MAX / 4);
	int64_t count;
	assert_false(sn_type_is_static(&t, &count));
	t.dims[1] = sn_int(&f->pool, 7);
	assert_true(sn_type_is_static(&t, &count));
	assert_int_equal(count, 42);
	struct sn_type seq = { .kind = TY_SEQUENCE, .elem = &t },
		       opt = { .kind = TY_OPTIONAL, .elem = &seq };
	struct sn_buf b;
	sn_buf_init(&b, f->arena);
	sn_type_print(&b, &opt);
	assert_string_equal(b.text, "optional(seq(bf16[6,7]))");
	assert_false(sn_type_equal(&seq, &opt));
	assert_true(sn_type_equal(&t, &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(keeps_uses),
		UNIT_TEST(replaces_values),
		UNIT_TEST(keeps_order),
		UNIT_TEST(makes_names_unique),
		UNIT_TEST(catches_broken_lists),
		UNIT_TEST(removing_what_is_read_is_a_bug),
		UNIT_TEST(reads_small_integers),
		UNIT_TEST(attributes_have_defaults),
		UNIT_TEST(data_compares_by_bits),
		UNIT_TEST(origins_are_sets),
		UNIT_TEST(types_print_and_count),
	};
	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
