/* Tests of frontend/onnx_wire.h: what is refused, what stays in the file, what is dropped. */
#include "frontend/onnx.pb-c.h"
#include "frontend/onnx_wire.h"
#include "tests/unit/onnx_bytes.h"
#include "tests/unit/unit.h"

static struct Pb__ModelProto *
read_model(struct sn_arena *a, const void *data, size_t size, struct sn_diags *d)
{
	struct sn_wire_bytes b = { "m.onnx", data, size };
	sn_diags_init(d, a);
	return sn_wire_model(&b, a, d);
}

/* Reading fails with exactly this message. */
static void
expect(struct sn_arena *a, const void *data, size_t size, enum sn_diag_id id)
{
	struct sn_diags d;
	/* a copy of its own size: the address sanitizer sees reads past the end */
	assert_null(read_model(a, sn_memdup(a, data, size), size, &d));
	assert_int_equal(d.errors, 1);
	assert_int_equal(d.list.v[0].id, id);
}

static bytes
small_model(struct sn_arena *a)
{
	bytes g = pb_new(a);
	pb_message(&g, 1, onnx_node(a, "Relu", "x", "y"));
	pb_text(&g, 2, "net");
	return onnx_model(a, g, 13);
}

static void
reads_a_model(void **state)
{
	struct sn_diags d;
	bytes m = small_model(*state);
	struct Pb__ModelProto *p = read_model(*state, m.text, m.len, &d);
	assert_non_null(p);
	assert_int_equal(p->ir_version, 8);
	assert_string_equal(p->graph->name, "net");
	assert_string_equal(p->graph->node[0]->op_type, "Relu");
}

static void
refuses_other_files(void **state)
{
	expect(*state, "", 0, DG_NOT_ONNX);
	expect(*state, "<!DOCTYPE html>", 15, DG_NOT_ONNX);
	expect(*state, "PK\3\4abcd", 8, DG_NOT_ONNX);
	expect(*state, "version https://git-lfs", 23, DG_NOT_ONNX);
	expect(*state, "{\"a\": 1}", 8, DG_NOT_ONNX);
	expect(*state, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, DG_NOT_ONNX);
}

/* Every prefix is refused, and nearly all say so as "truncated". */
static void
refuses_truncated_files(void **state)
{
	bytes m = small_model(*state);
	int truncated = 0;
	for (size_t n = 3; n < m.len; n++) {
		struct sn_diags d;
		if (read_model(*state, sn_memdup(*state, m.text, n), n, &d))
			continue; /* cut between two fields */
		assert_int_equal(d.errors, 1);
		truncated += d.list.v[0].id == DG_TRUNCATED;
	}
	assert_true(truncated > (int)m.len / 2);
}

static void
refuses_wrong_wire_types(void **state)
{
	bytes m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_int(&m, 7, 5);
	expect(*state, m.text, m.len, DG_WIRE_TYPE);
	m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_text(&m, 5, "abc"); /* a single number can't be packed */
	expect(*state, m.text, m.len, DG_WIRE_TYPE);
	m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_tag(&m, 99, 3); /* groups don't exist any more */
	expect(*state, m.text, m.len, DG_WIRE_BAD);
}

static void
refuses_lengths_beyond_the_message(void **state)
{
	bytes g = pb_new(*state), m = pb_new(*state);
	pb_tag(&g, 2, 2);
	pb_varint(&g, 9); /* the name ends after the graph, inside the file */
	sn_buf_add(&g, "net");
	pb_int(&m, 1, 8);
	pb_message(&m, 7, g);
	pb_text(&m, 2, "somebody else");
	expect(*state, m.text, m.len, DG_WIRE_LENGTH);
	m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_tag(&m, 7, 2);
	pb_varint(&m, UINT64_MAX);
	expect(*state, m.text, m.len, DG_WIRE_LENGTH);
}

static void
refuses_endless_varints(void **state)
{
	bytes m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_tag(&m, 5, 0);
	sn_buf_fill(&m, (char)0xff, 11);
	expect(*state, m.text, m.len, DG_WIRE_BAD);
}

static void
refuses_nul_in_texts(void **state)
{
	bytes m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_bytes(&m, 2, "a\0b", 3);
	expect(*state, m.text, m.len, DG_WIRE_NUL);
}

static void
refuses_two_graphs(void **state)
{
	bytes g = pb_new(*state), m = pb_new(*state);
	pb_int(&m, 1, 8);
	pb_message(&m, 7, g);
	pb_message(&m, 7, g);
	expect(*state, m.text, m.len, DG_WIRE_TWICE);
}

/* 3,000 levels in 30 KB crash a reader that recurses as deep as the file says. */
static void
refuses_deep_nesting(void **state)
{
	bytes g = pb_new(*state);
	for (int i = 0; i < 1000; i++) {
		bytes attr = pb_new(*state), node = pb_new(*state), outer = pb_new(*state);
		pb_message(&attr, 6, g);
		pb_message(&node, 5, attr);
		pb_message(&outer, 1, node);
		g = outer;
	}
	bytes m = onnx_model(*state, g, 13);
	expect(*state, m.text, m.len, DG_WIRE_DEPTH);
}

/* Megabytes of empty nodes would become hundreds of megabytes. */
static void
refuses_too_many_messages(void **state)
{
	bytes g = pb_new(*state);
	for (int i = 0; i <= SN_WIRE_MESSAGES; i++)
		pb_bytes(&g, 1, "", 0);
	bytes m = onnx_model(*state, g, 13);
	expect(*state, m.text, m.len, DG_WIRE_BUDGET);
}

/* 100 MB of empty names: 2 bytes each in the file, 32 in memory. */
static void
refuses_too_much_memory(void **state)
{
	bytes n = pb_new(*state), g = pb_new(*state);
	for (int i = 0; i < 25000000; i++)
		sn_buf_addn(&n, "\x0a\0", 2);
	pb_message(&g, 1, n);
	bytes m = onnx_model(*state, g, 13);
	struct sn_diags d;
	assert_null(read_model(*state, m.text, m.len, &d));
	assert_int_equal(d.list.v[0].id, DG_WIRE_BUDGET);
}

static const Pb__TensorProto *
first_tensor(const Pb__ModelProto *m)
{
	return m->graph->initializer[0];
}

static bytes
model_of_tensor(struct sn_arena *a, bytes t)
{
	bytes g = pb_new(a);
	pb_message(&g, 5, t);
	return onnx_model(a, g, 13);
}

static void
leaves_large_payloads_in_the_file(void **state)
{
	char raw[64];
	struct sn_diags d;
	memset(raw, 7, sizeof(raw));
	bytes m = model_of_tensor(*state, onnx_tensor(*state, "w", ONNX_F32, "16", raw, 64));
	const Pb__TensorProto *t = first_tensor(read_model(*state, m.text, m.len, &d));
	assert_false(t->has_raw_data);
	assert_int_equal(t->n_payload, 3);
	assert_int_equal(t->payload[0], 9);
	assert_memory_equal(m.text + t->payload[1], raw, 64);
	assert_int_equal(t->payload[2], 64);

	m = model_of_tensor(*state, onnx_tensor(*state, "w", ONNX_U8, "63", raw, 63));
	t = first_tensor(read_model(*state, m.text, m.len, &d));
	assert_true(t->has_raw_data);
	assert_int_equal(t->n_payload, 0);
}

/* A file that brings records of its own could read anything. */
static void
drops_private_records_of_the_file(void **state)
{
	uint64_t evil[3] = { 9, 1 << 20, 4096 };
	struct sn_diags d;
	bytes t = onnx_tensor(*state, "w", ONNX_F32, "1024", NULL, 0);
	pb_bytes(&t, 536870911, evil, sizeof(evil));
	pb_tag(&t, 536870911, 1);
	sn_buf_addn(&t, (const char *)evil, 8);
	bytes m = model_of_tensor(*state, t);
	assert_int_equal(first_tensor(read_model(*state, m.text, m.len, &d))->n_payload, 0);
}

static void
drops_what_nobody_reads(void **state)
{
	struct sn_diags d;
	bytes n = onnx_node(*state, "Relu", "x", "y"), g = pb_new(*state);
	pb_text(&n, 6, "a long story");
	pb_text(&n, 77, "from the future");
	pb_message(&g, 1, n);
	pb_message(&g, 13, onnx_value(*state, "x", ONNX_F32, "1"));
	bytes m = onnx_model(*state, g, 13);
	const Pb__ModelProto *p = read_model(*state, m.text, m.len, &d);
	assert_null(p->graph->node[0]->doc_string);
	assert_int_equal(p->graph->n_value_info, 0);
	assert_int_equal(p->graph->node[0]->base.n_unknown_fields, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(reads_a_model),
		UNIT_TEST(refuses_other_files),
		UNIT_TEST(refuses_truncated_files),
		UNIT_TEST(refuses_wrong_wire_types),
		UNIT_TEST(refuses_lengths_beyond_the_message),
		UNIT_TEST(refuses_endless_varints),
		UNIT_TEST(refuses_nul_in_texts),
		UNIT_TEST(refuses_two_graphs),
		UNIT_TEST(refuses_deep_nesting),
		UNIT_TEST(refuses_too_many_messages),
		UNIT_TEST(refuses_too_much_memory),
		UNIT_TEST(leaves_large_payloads_in_the_file),
		UNIT_TEST(drops_private_records_of_the_file),
		UNIT_TEST(drops_what_nobody_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
