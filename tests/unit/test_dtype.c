/* Tests of ir/dtype.h: every code of every small type, rounding, saturation, casts, packing. */
#include "tests/unit/unit.h"
#include <math.h>
#include <string.h>
#include "ir/dtype.h"

static double
load(enum sn_dtype t, unsigned code)
{
	uint8_t bytes[2] = { (uint8_t)code, (uint8_t)(code >> 8) };
	return sn_dtype_load(t, bytes, 0).f;
}

static unsigned
store(enum sn_dtype t, double x)
{
	uint8_t bytes[2] = { 0, 0 };
	sn_dtype_store(t, bytes, 0, (union sn_num){ .f = x });
	return bytes[0] | (unsigned)bytes[1] << 8;
}

static void
every_code_survives(void **state)
{
	(void)state;
	static const enum sn_dtype types[] = {
		DT_F16,	   DT_BF16,	DT_F8E4M3, DT_F8E4M3UZ,
		DT_F8E5M2, DT_F8E5M2UZ, DT_F8E8M0, DT_F4E2M1,
	};
	for (size_t k = 0; k < ARRAY_LEN(types); k++) {
		enum sn_dtype t = types[k];
		bool saturates = t != DT_F16 && t != DT_BF16;
		for (unsigned code = 0; code < 1u << sn_dtype_info(t)->bits; code++) {
			double x = load(t, code);
			if (isnan(x))
				assert_true(isnan(load(t, store(t, x))));
			else if (!(isinf(x) && saturates))
				assert_int_equal(store(t, x), code);
		}
	}
}

static void
known_codes(void **state)
{
	(void)state;
	static const struct {
		enum sn_dtype t;
		unsigned code;
		double x;
	} rows[] = {
		{ DT_F16, 0x3c00, 1 },	       { DT_F16, 0xc000, -2 },
		{ DT_F16, 0x7bff, 65504 },     { DT_F16, 0x0001, 0x1p-24 },
		{ DT_F16, 0x7c00, INFINITY },  { DT_BF16, 0x3f80, 1 },
		{ DT_BF16, 0x4049, 3.140625 }, { DT_F8E4M3, 0x38, 1 },
		{ DT_F8E4M3, 0x7e, 448 },      { DT_F8E4M3, 0x01, 0x1p-9 },
		{ DT_F8E4M3UZ, 0x40, 1 },      { DT_F8E4M3UZ, 0x7f, 240 },
		{ DT_F8E5M2, 0x3c, 1 },	       { DT_F8E5M2, 0x7b, 57344 },
		{ DT_F8E5M2, 0x01, 0x1p-16 },  { DT_F8E5M2UZ, 0x40, 1 },
		{ DT_F8E5M2UZ, 0x7f, 57344 },  { DT_F8E8M0, 127, 1 },
		{ DT_F8E8M0, 0, 0x1p-127 },    { DT_F8E8M0, 254, 0x1p127 },
		{ DT_F4E2M1, 0x1, 0.5 },       { DT_F4E2M1, 0x7, 6 },
		{ DT_F4E2M1, 0xf, -6 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(load(rows[i].t, rows[i].code) == rows[i].x);
	assert_true(isnan(load(DT_F8E4M3, 0x7f)));
	assert_true(isnan(load(DT_F8E4M3UZ, 0x80)));
	assert_true(isinf(load(DT_F8E5M2, 0x7c)));
	assert_true(isnan(load(DT_F8E8M0, 0xff)));
}

static void
rounds_to_even_and_saturates(void **state)
{
	(void)state;
	assert_int_equal(store(DT_F16, 1 + 0x1p-11), 0x3c00);
	assert_int_equal(store(DT_F16, 1 + 3 * 0x1p-11), 0x3c02);
	assert_int_equal(store(DT_F16, 1 + 0x1p-11 + 0x1p-40), 0x3c01);
	assert_int_equal(store(DT_F16, 65519), 0x7bff);
	assert_int_equal(store(DT_F16, 65520), 0x7c00);
	assert_int_equal(store(DT_F16, 0x1p-25), 0);
	assert_int_equal(store(DT_F16, 0x1p-25 + 0x1p-50), 1);
	assert_int_equal(store(DT_BF16, 1 + 0x1p-8), 0x3f80);
	assert_int_equal(store(DT_F8E4M3, 1e9), 0x7e);
	assert_int_equal(store(DT_F8E4M3, -INFINITY), 0xfe);
	assert_int_equal(store(DT_F8E4M3UZ, -1e-9), 0);
	assert_int_equal(store(DT_F8E5M2, 1e9), 0x7b);
	assert_int_equal(store(DT_F4E2M1, 2.5), 0x4);
	assert_int_equal(store(DT_F4E2M1, 5), 0x6);
	assert_int_equal(store(DT_F4E2M1, -100), 0xf);
	assert_int_equal(store(DT_F8E8M0, 1.0001), 128);
	assert_int_equal(store(DT_F8E8M0, 2), 128);
}

static int64_t
to_int(double x, enum sn_dtype t)
{
	return sn_num_cast((union sn_num){ .f = x }, DT_F32, t).i;
}

static int64_t
wrapped(int64_t x, enum sn_dtype t)
{
	return sn_num_cast((union sn_num){ .i = x }, DT_I64, t).i;
}

static void
casts_as_documented(void **state)
{
	(void)state;
	assert_int_equal(to_int(-1.9, DT_I8), -1);
	assert_int_equal(to_int(300, DT_I8), 127);
	assert_int_equal(to_int(-300, DT_I8), -128);
	assert_int_equal(to_int(-1, DT_U8), 0);
	assert_int_equal(to_int(NAN, DT_I32), 0);
	assert_true(to_int(1e30, DT_I64) == INT64_MAX);
	assert_true(to_int(-1e30, DT_I64) == INT64_MIN);
	assert_true((uint64_t)to_int(1e30, DT_U64) == UINT64_MAX);
	assert_true((uint64_t)to_int(0x1p63, DT_U64) == (uint64_t)1 << 63);
	assert_int_equal(to_int(0.5, DT_BOOL), 1);
	assert_int_equal(wrapped(300, DT_I8), 44);
	assert_int_equal(wrapped(-1, DT_U8), 255);
	assert_int_equal(wrapped(9, DT_I4), -7);
	assert_int_equal(wrapped(7, DT_I2), -1);
	union sn_num big = { .i = -1 };
	assert_true(sn_num_cast(big, DT_U64, DT_F64).f == 0x1p64);
	assert_true(sn_num_cast(big, DT_I64, DT_F64).f == -1);
	union sn_num odd = { .i = 16777217 };
	assert_true(sn_num_cast(odd, DT_I32, DT_F32).f == 16777216);
	assert_true(sn_num_cast((union sn_num){ .f = 0.1 }, DT_F64, DT_F32).f == (double)0.1f);
}

static void
packs_small_types(void **state)
{
	(void)state;
	static const enum sn_dtype types[] = { DT_I2, DT_U2, DT_I4, DT_U4 };
	for (size_t k = 0; k < ARRAY_LEN(types); k++) {
		uint8_t bytes[4] = { 0xa5, 0xa5, 0xa5, 0xa5 };
		int bits = sn_dtype_info(types[k])->bits;
		for (size_t i = 0; i < 7; i++)
			sn_dtype_store(types[k], bytes, i, (union sn_num){ .i = (int64_t)i - 3 });
		for (size_t i = 0; i < 7; i++)
			assert_int_equal(sn_dtype_load(types[k], bytes, i).i,
					 wrapped((int64_t)i - 3, types[k]));
		assert_int_equal(sn_dtype_bytes(types[k], 7), (7 * bits + 7) / 8);
	}
	uint8_t two[1] = { 0 };
	sn_dtype_store(DT_U4, two, 0, (union sn_num){ .i = 3 });
	assert_int_equal(two[0], 3); /* the first element lies in the low bits */
}

static void
reads_unaligned_memory(void **state)
{
	(void)state;
	uint8_t bytes[32] = { 0 };
	double pi = 3.25;
	memcpy(bytes + 9, &pi, sizeof(pi));
	assert_true(sn_dtype_load(DT_F64, bytes + 1, 1).f == pi);
	sn_dtype_store(DT_I32, bytes + 3, 2, (union sn_num){ .i = -7 });
	assert_int_equal(sn_dtype_load(DT_I32, bytes + 3, 2).i, -7);
}

static void
finds_types(void **state)
{
	(void)state;
	for (int t = DT_NONE + 1; t < DT_COUNT; t++) {
		const struct sn_dtype_info *info = sn_dtype_info((enum sn_dtype)t);
		assert_int_equal(sn_dtype_by_text(info->text), t);
		assert_int_equal(sn_dtype_by_onnx(info->onnx), t);
	}
	assert_int_equal(sn_dtype_by_text("f33"), DT_NONE);
	assert_int_equal(sn_dtype_by_onnx(0), DT_NONE);
	assert_int_equal(sn_dtype_by_onnx(99), DT_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(every_code_survives),
		UNIT_TEST(known_codes),
		UNIT_TEST(rounds_to_even_and_saturates),
		UNIT_TEST(casts_as_documented),
		UNIT_TEST(packs_small_types),
		UNIT_TEST(reads_unaligned_memory),
		UNIT_TEST(finds_types),
	};
	return cmocka_run_group_tests_name("dtype", tests, NULL, NULL);
}
