/* Tests of the elements of tensors: every field they can come in, views, splats, external files. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "tests/unit/onnx_bytes.h"
#include "tests/unit/unit.h"

struct import {
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_graph *graph;
	bytes model;
};

/* A model whose only output is its only initialiser T. */
static bytes
model_of(struct sn_arena *a, bytes t, const char *name)
{
	bytes g = pb_new(a);
	pb_message(&g, 5, t);
	pb_message(&g, 12, onnx_value(a, name, ONNX_F32, NULL));
	return onnx_model(a, g, 13);
}

static struct import
import_tensor(struct sn_arena *a, bytes t)
{
	struct import i = { .model = model_of(a, t, "w") };
	sn_pool_init(&i.pool, a);
	sn_diags_init(&i.diags, a);
	const struct sn_wire_bytes b = onnx_wire(i.model);
	i.graph = sn_onnx_import_bytes(&b, NULL, a, &i.pool, &i.diags);
	return i;
}

static const struct sn_data *
data_of(struct sn_arena *a, bytes t)
{
	struct import i = import_tensor(a, t);
	assert_int_equal(i.diags.errors, 0);
	assert_non_null(i.graph);
	return i.graph->outputs.v[0]->value->data;
}

static void
expect(struct sn_arena *a, bytes t, enum sn_diag_id id)
{
	struct import i = import_tensor(a, t);
	assert_null(i.graph);
	assert_int_equal(i.diags.errors, 1);
	assert_int_equal(i.diags.list.v[0].id, id);
}

static void
views_large_raw_data(void **state)
{
	float x[32];
	for (int i = 0; i < 32; i++)
		x[i] = (float)i;
	struct import i = import_tensor(*state,
					onnx_tensor(*state, "w", ONNX_F32, "4,8", x, sizeof(x)));
	const struct sn_value *v = i.graph->outputs.v[0]->value;
	const char *at = v->data->bytes;
	assert_true(at > i.model.text && at < i.model.text + i.model.len);
	assert_int_equal(v->type.rank, 2);
	assert_true(sn_is_int_const(v->type.dims[1], 8));
	assert_true(sn_data_get(v->data, 31).f == 31);
	assert_false(v->data->is_splat);
}

static void
finds_splats(void **state)
{
	float x[100];
	for (int i = 0; i < 100; i++)
		x[i] = 0.25f;
	const struct sn_data *d = data_of(*state,
					  onnx_tensor(*state, "w", ONNX_F32, "100", x, 400));
	assert_true(d->is_splat);
	assert_int_equal(d->n, 100);
	assert_true(sn_data_get(d, 99).f == 0.25);
	x[99] = 0;
	d = data_of(*state, onnx_tensor(*state, "w", ONNX_F32, "100", x, 400));
	assert_false(d->is_splat);
}

static void
reads_scalars_and_empty_tensors(void **state)
{
	float x = 3;
	const struct sn_data *d = data_of(*state, onnx_tensor(*state, "w", ONNX_F32, "", &x, 4));
	assert_int_equal(d->n, 1);
	assert_true(sn_data_get(d, 0).f == 3);
	d = data_of(*state, onnx_tensor(*state, "w", ONNX_I64, "0", NULL, 0));
	assert_int_equal(d->n, 0);
	d = data_of(*state, onnx_tensor(*state, "w", ONNX_I64, "4000000000,0,4000000000", NULL, 0));
	assert_int_equal(d->n, 0);
}

/* A tensor of N elements in one of the typed fields; packed or number by number. */
static bytes
typed(struct sn_arena *a, int type, const char *dims, const int64_t *x, int n, bool is_packed)
{
	unsigned field = type == ONNX_I64 ? 7 : type == ONNX_U64 ? 11 : 5;
	bytes t = onnx_tensor(a, "w", type, dims, NULL, 0), list = pb_new(a);
	for (int i = 0; i < n; i++) {
		if (is_packed)
			pb_varint(&list, (uint64_t)x[i]);
		else
			pb_int(&t, field, x[i]);
	}
	if (is_packed)
		pb_message(&t, field, list);
	return t;
}

static void
reads_integers_of_typed_fields(void **state)
{
	static const struct {
		int type;
		int64_t x;
	} cases[] = {
		{ ONNX_I32, -100000 },	 { ONNX_I8, -100 }, { ONNX_U8, 200 },	  { ONNX_BOOL, 1 },
		{ ONNX_I64, INT64_MIN }, { ONNX_U64, -1 },  { ONNX_F16, 0x3c00 },
	};
	for (size_t c = 0; c < ARRAY_LEN(cases); c++)
		for (int is_packed = 0; is_packed < 2; is_packed++)
			for (int n = 3; n <= 99; n += 96) {
				int64_t x[99] = { 0, cases[c].x };
				x[n - 1] = cases[c].x;
				bytes t = typed(*state, cases[c].type, n == 3 ? "3" : "99", x, n,
						is_packed);
				const struct sn_data *d = data_of(*state, t);
				union sn_num y = sn_data_get(d, (size_t)n - 1);
				assert_int_equal(sn_data_get(d, 0).i, 0);
				if (cases[c].type == ONNX_F16)
					assert_true(y.f == 1);
				else
					assert_int_equal(y.i, cases[c].x);
			}
}

/* Two elements to a byte, one byte to a number; the last byte is half used. */
static void
reads_elements_below_a_byte(void **state)
{
	const int64_t x[] = { 0x21, 0x43, 0x05 };
	const struct sn_data *d = data_of(*state, typed(*state, ONNX_U4, "5", x, 3, true));
	for (int i = 0; i < 5; i++)
		assert_int_equal(sn_data_get(d, (size_t)i).i, i + 1);
}

/* float_data and double_data, packed, lie in the file as raw data would. */
static void
views_packed_floats(void **state)
{
	double x[20];
	for (int i = 0; i < 20; i++)
		x[i] = i;
	bytes t = onnx_tensor(*state, "w", ONNX_F64, "20", NULL, 0);
	pb_bytes(&t, 10, x, sizeof(x));
	struct import i = import_tensor(*state, t);
	const struct sn_data *d = i.graph->outputs.v[0]->value->data;
	const char *at = d->bytes;
	assert_true(at > i.model.text && at < i.model.text + i.model.len);
	assert_true(sn_data_get(d, 19).f == 19);

	t = onnx_tensor(*state, "w", ONNX_F32, "2", NULL, 0);
	pb_float(&t, 4, 1.5f);
	pb_float(&t, 4, 2.5f);
	assert_true(sn_data_get(data_of(*state, t), 1).f == 2.5);
	t = onnx_tensor(*state, "w", ONNX_C64, "10", NULL, 0);
	pb_bytes(&t, 4, x, 80);
	assert_int_equal(data_of(*state, t)->n, 10);
}

static void
reads_strings(void **state)
{
	bytes t = onnx_tensor(*state, "w", ONNX_STRING, "2", NULL, 0);
	pb_text(&t, 6, "one");
	pb_text(&t, 6, "");
	const struct sn_data *d = data_of(*state, t);
	assert_string_equal(d->strings[0], "one");
	assert_string_equal(d->strings[1], "");
	pb_text(&t, 6, "three");
	expect(*state, t, DG_TENSOR_BAD);
	t = onnx_tensor(*state, "w", ONNX_STRING, "1", NULL, 0);
	pb_bytes(&t, 6, "a\0b", 3);
	expect(*state, t, DG_TENSOR_BAD);
	expect(*state, onnx_tensor(*state, "w", ONNX_STRING, "4", "abcd", 4), DG_TENSOR_BAD);
}

static void
refuses_what_does_not_fit(void **state)
{
	float x[20] = { 0 };
	struct sn_arena *a = *state;
	expect(a, onnx_tensor(a, "w", ONNX_F32, "4", x, 12), DG_TENSOR_SIZE);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "19", x, 80), DG_TENSOR_SIZE);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "4", NULL, 0), DG_TENSOR_NONE);
	expect(a, onnx_tensor(a, "w", 99, "4", x, 16), DG_TENSOR_TYPE);
	expect(a, onnx_tensor(a, "w", 0, "4", x, 16), DG_TENSOR_TYPE);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "-4", x, 16), DG_TENSOR_DIMS);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "1,1,1,1,1,1,1,1,1", x, 4), DG_TENSOR_RANK);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "4611686018427387904", x, 16), DG_TENSOR_DIMS);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "4294967296,4294967296", x, 16), DG_TENSOR_HUGE);
	expect(a, onnx_tensor(a, "w", ONNX_F32, "4294967296,65536", x, 16), DG_TENSOR_HUGE);
	const int64_t one = 1;
	expect(a, typed(a, ONNX_I64, "1000000000000", &one, 1, true), DG_TENSOR_SIZE);
	expect(a, typed(a, ONNX_I32, "2", &one, 1, true), DG_TENSOR_SIZE);
	bytes t = onnx_tensor(a, "w", ONNX_I32, "70", NULL, 0);
	pb_bytes(&t, 5, x, 70);
	pb_tag(&t, 5, 2);
	pb_varint(&t, 70);
	sn_buf_fill(&t, (char)0x80, 70); /* a number that never ends */
	expect(a, t, DG_TENSOR_BAD);
	t = onnx_tensor(a, "w", ONNX_F32, "4", x, 16);
	bytes segment = pb_new(a);
	pb_message(&t, 3, segment);
	expect(a, t, DG_TENSOR_BAD);
}

static bytes
sparse_model(struct sn_arena *a, const char *dims, const int64_t *at, const char *at_dims, size_t n)
{
	float x[] = { 5, 7 };
	bytes s = pb_new(a), g = pb_new(a);
	pb_message(&s, 1, onnx_tensor(a, "w", ONNX_F32, "2", x, 8));
	pb_message(&s, 2, onnx_tensor(a, "", ONNX_I64, at_dims, at, n * 8));
	pb_ints(&s, 3, dims);
	pb_message(&g, 15, s);
	pb_message(&g, 12, onnx_value(a, "w", ONNX_F32, NULL));
	return onnx_model(a, g, 13);
}

static void
scatters_sparse_tensors(void **state)
{
	static const struct {
		int64_t at[4];
		const char *dims;
		size_t n;
		bool is_right;
	} cases[] = {
		{ { 1, 5 }, "2", 2, true },   { { 0, 1, 1, 2 }, "2,2", 4, true },
		{ { 1, 6 }, "2", 2, false },  { { 0, 1, 1, 3 }, "2,2", 4, false },
		{ { -1, 5 }, "2", 2, false }, { { 1, 5, 2 }, "3", 3, false },
	};
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		bytes m = sparse_model(*state, "2,3", cases[c].at, cases[c].dims, cases[c].n);
		struct sn_pool pool;
		struct sn_diags diags;
		sn_pool_init(&pool, *state);
		sn_diags_init(&diags, *state);
		const struct sn_wire_bytes b = onnx_wire(m);
		struct sn_graph *g = sn_onnx_import_bytes(&b, NULL, *state, &pool, &diags);
		if (!cases[c].is_right) {
			assert_null(g);
			assert_int_equal(diags.list.v[0].id, DG_TENSOR_BAD);
			continue;
		}
		const struct sn_data *d = g->outputs.v[0]->value->data;
		assert_int_equal(d->n, 6);
		assert_true(sn_data_get(d, 0).f == 0);
		assert_true(sn_data_get(d, 1).f == 5);
		assert_true(sn_data_get(d, 5).f == 7);
	}
}

/* ---- files ---- */

struct folder {
	char path[64];
};

static struct folder
make_folder(void)
{
	struct folder f = { "/tmp/sinter-frontend-XXXXXX" };
	assert_non_null(mkdtemp(f.path));
	return f;
}

static void
write_file(struct sn_arena *a, const struct folder *f, const char *name, const void *p, size_t n)
{
	FILE *out = fopen(sn_printf(a, "%s/%s", f->path, name), "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(p, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
}

static void
add_pair(bytes *t, const char *key, const char *value)
{
	bytes e = pb_new(t->arena);
	pb_text(&e, 1, key);
	pb_text(&e, 2, value);
	pb_message(t, 13, e);
}

static bytes
external(struct sn_arena *a, const char *location, const char *offset, const char *length)
{
	bytes t = onnx_tensor(a, "w", ONNX_F32, "4", NULL, 0);
	pb_int(&t, 14, 1);
	if (location)
		add_pair(&t, "location", location);
	if (offset)
		add_pair(&t, "offset", offset);
	if (length)
		add_pair(&t, "length", length);
	return t;
}

static const struct {
	const char *location, *offset, *length;
	enum sn_diag_id id; /* DIAG_COUNT: it is read */
} externals[] = {
	{ "data.bin", "8", "16", DIAG_COUNT },
	{ "data.bin", "8", NULL, DIAG_COUNT },
	{ "sub/data.bin", "0", "16", DIAG_COUNT },
	{ "inner", "8", "16", DIAG_COUNT }, /* a link that stays inside */
	{ NULL, NULL, NULL, DG_TENSOR_NONE },
	{ "data.bin", "12", NULL, DG_TENSOR_SIZE },
	{ "data.bin", "0", "20", DG_TENSOR_SIZE },
	{ "data.bin", "8", "17", DG_EXTERNAL_RANGE },
	{ "data.bin", "25", NULL, DG_EXTERNAL_RANGE },
	{ "data.bin", "9223372036854775807", "16", DG_EXTERNAL_RANGE },
	{ "data.bin", "99999999999999999999", "16", DG_EXTERNAL_KEY },
	{ "data.bin", "-8", "16", DG_EXTERNAL_KEY },
	{ "data.bin", "8", "16b", DG_EXTERNAL_KEY },
	{ "missing.bin", "8", "16", DG_EXTERNAL_PATH },
	{ "/etc/passwd", "8", "16", DG_EXTERNAL_PATH },
	{ "../data.bin", "8", "16", DG_EXTERNAL_PATH },
	{ "sub/../../data.bin", "8", "16", DG_EXTERNAL_PATH },
	{ "", "8", "16", DG_EXTERNAL_PATH },
	{ "leak", "8", "16", DG_EXTERNAL_PATH }, /* a link that leads out */
	{ "sub", "0", "16", DG_OPEN },
};

static void
check_external(struct sn_arena *a, const struct folder *f, size_t i)
{
	struct sn_pool pool;
	struct sn_diags diags;
	sn_pool_init(&pool, a);
	sn_diags_init(&diags, a);
	bytes m = model_of(
		a, external(a, externals[i].location, externals[i].offset, externals[i].length),
		"w");
	write_file(a, f, "m.onnx", m.text, m.len);
	struct sn_graph *g = sn_onnx_import(sn_printf(a, "%s/m.onnx", f->path), NULL, a, &pool,
					    &diags);
	if (externals[i].id != DIAG_COUNT) {
		assert_null(g);
		assert_int_equal(diags.errors, 1);
		assert_int_equal(diags.list.v[0].id, externals[i].id);
		return;
	}
	assert_non_null(g);
	assert_true(sn_data_get(g->outputs.v[0]->value->data, 3).f == 5);
}

static void
reads_external_data_inside_the_folder_only(void **state)
{
	const float x[] = { 0, 1, 2, 3, 4, 5 };
	struct sn_arena *a = *state;
	struct folder f = make_folder(), out = make_folder();
	write_file(a, &f, "data.bin", x, sizeof(x));
	write_file(a, &out, "leak.bin", x, sizeof(x));
	assert_int_equal(mkdir(sn_printf(a, "%s/sub", f.path), 0777), 0);
	write_file(a, &f, "sub/data.bin", x + 2, 16);
	assert_int_equal(symlink("data.bin", sn_printf(a, "%s/inner", f.path)), 0);
	assert_int_equal(
		symlink(sn_printf(a, "%s/leak.bin", out.path), sn_printf(a, "%s/leak", f.path)), 0);
	for (size_t i = 0; i < ARRAY_LEN(externals); i++)
		check_external(a, &f, i);
	static const char *const names[] = { "m.onnx", "inner", "leak", "data.bin",
					     "sub/data.bin" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(sn_printf(a, "%s/%s", f.path, names[i]));
	unlink(sn_printf(a, "%s/leak.bin", out.path));
	rmdir(sn_printf(a, "%s/sub", f.path));
	rmdir(f.path);
	rmdir(out.path);
}

static void
refuses_external_data_without_a_folder(void **state)
{
	expect(*state, external(*state, "data.bin", NULL, NULL), DG_EXTERNAL_PATH);
}

static void
reads_value_files(void **state)
{
	struct sn_arena *a = *state;
	struct folder f = make_folder();
	const char *path = sn_printf(a, "%s/x.pb", f.path);
	float x = 7;
	struct sn_tensor_data t;
	struct sn_onnx_value v;
	struct sn_diags d;
	sn_diags_init(&d, a);
	bytes tensor = onnx_tensor(a, "x", ONNX_F32, "1,1", &x, 4), outer = pb_new(a);
	write_file(a, &f, "x.pb", tensor.text, tensor.len);
	assert_true(sn_onnx_read_tensor(path, a, &d, &t));
	assert_string_equal(t.name, "x");
	assert_int_equal(t.rank, 2);
	assert_true(sn_data_get(t.data, 0).f == 7);

	pb_message(&outer, 3, tensor);
	pb_message(&outer, 3, tensor);
	write_file(a, &f, "x.pb", outer.text, outer.len);
	assert_true(sn_onnx_read_value(path, TY_SEQUENCE, a, &d, &v));
	assert_int_equal(v.n, 2);
	assert_true(sn_data_get(v.items[1].tensor.data, 0).f == 7);

	write_file(a, &f, "x.pb", "", 0);
	assert_true(sn_onnx_read_value(path, TY_OPTIONAL, a, &d, &v));
	assert_int_equal(v.n, 0);
	assert_false(sn_onnx_read_tensor(path, a, &d, &t));
	unlink(path);
	rmdir(f.path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(views_large_raw_data),
		UNIT_TEST(finds_splats),
		UNIT_TEST(reads_scalars_and_empty_tensors),
		UNIT_TEST(reads_integers_of_typed_fields),
		UNIT_TEST(reads_elements_below_a_byte),
		UNIT_TEST(views_packed_floats),
		UNIT_TEST(reads_strings),
		UNIT_TEST(refuses_what_does_not_fit),
		UNIT_TEST(scatters_sparse_tensors),
		UNIT_TEST(reads_external_data_inside_the_folder_only),
		UNIT_TEST(refuses_external_data_without_a_folder),
		UNIT_TEST(reads_value_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
