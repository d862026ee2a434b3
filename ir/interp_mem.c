/*
 * Tensor interpreter: elements of tensors to rows and back.
 *
 * Memory may be unaligned (constants lie in the model as they came), hence
 * memcpy.
 */
#include <string.h>

#include "ir/interp.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#define LOADER(name, M, C, E) \
	static void name(void *dst, const struct mem *m, int64_t index, int64_t stride, int n) \
	{ \
		C *restrict d = dst; \
		const char *s = m->bytes + index * (int64_t)sizeof(M); \
		int64_t step = stride * (int64_t)sizeof(M); \
		M x; \
		if (stride == 1) { \
			for (int i = 0; i < n; i++) { \
				memcpy(&x, s + (size_t)i * sizeof(M), sizeof(M)); \
				d[i] = (C)E(x); \
			} \
		} else { \
			for (int i = 0; i < n; i++, s += step) { \
				memcpy(&x, s, sizeof(M)); \
				d[i] = (C)E(x); \
			} \
		} \
	}

#define STORER(name, M, C, E) \
	static void name(const struct mem *m, int64_t index, int64_t stride, const void *src, \
			 int n) \
	{ \
		const C *v = src; \
		char *d = m->bytes + index * (int64_t)sizeof(M); \
		int64_t step = stride * (int64_t)sizeof(M); \
		for (int i = 0; i < n; i++, d += step) { \
			M x = (M)E(v[i]); \
			memcpy(d, &x, sizeof(M)); \
		} \
	}

#define SAME(x) (x)
#define TRUTH(x) ((x) != 0)
LOADER(load_f32, float, float, SAME)
LOADER(load_f32_wide, float, double, SAME)
LOADER(load_f64, double, double, SAME)
LOADER(load_i64, int64_t, int64_t, SAME)
LOADER(load_i32, int32_t, int64_t, SAME)
LOADER(load_i16, int16_t, int64_t, SAME)
LOADER(load_i8, int8_t, int64_t, SAME)
LOADER(load_u32, uint32_t, int64_t, SAME)
LOADER(load_u16, uint16_t, int64_t, SAME)
LOADER(load_u8, uint8_t, int64_t, SAME)
LOADER(load_bool, uint8_t, int64_t, TRUTH)
STORER(store_f32, float, float, SAME)
STORER(store_f64, double, double, SAME)
STORER(store_64, int64_t, int64_t, SAME)
STORER(store_32, uint32_t, int64_t, SAME)
STORER(store_16, uint16_t, int64_t, SAME)
STORER(store_8, uint8_t, int64_t, SAME)
STORER(store_bool, uint8_t, int64_t, TRUTH)

static void
load_any(enum carrier c, void *dst, const struct mem *m, int64_t index, int64_t stride, int n)
{
	for (int i = 0; i < n; i++, index += stride)
		carrier_put(c, dst, i, sn_dtype_load(m->dtype, m->bytes, (size_t)index));
}

static void
load_any_f32(void *dst, const struct mem *m, int64_t index, int64_t stride, int n)
{
	load_any(CR_F32, dst, m, index, stride, n);
}

static void
load_any_f64(void *dst, const struct mem *m, int64_t index, int64_t stride, int n)
{
	load_any(CR_F64, dst, m, index, stride, n);
}

static void
load_any_i64(void *dst, const struct mem *m, int64_t index, int64_t stride, int n)
{
	load_any(CR_I64, dst, m, index, stride, n);
}

static void
store_any(enum carrier c, const struct mem *m, int64_t index, int64_t stride, const void *src,
	  int n)
{
	for (int i = 0; i < n; i++, index += stride)
		sn_dtype_store(m->dtype, m->bytes, (size_t)index, carrier_get(c, src, i));
}

static void
store_any_f32(const struct mem *m, int64_t index, int64_t stride, const void *src, int n)
{
	store_any(CR_F32, m, index, stride, src, n);
}

static void
store_any_f64(const struct mem *m, int64_t index, int64_t stride, const void *src, int n)
{
	store_any(CR_F64, m, index, stride, src, n);
}

static void
store_any_i64(const struct mem *m, int64_t index, int64_t stride, const void *src, int n)
{
	store_any(CR_I64, m, index, stride, src, n);
}

static const struct mem_row {
	enum sn_dtype dtype;
	enum carrier carrier;
	load_fn *load;
	store_fn *store;
} mem_rows[] = {
	{ DT_F32, CR_F32, load_f32, store_f32 }, { DT_F32, CR_F64, load_f32_wide, store_any_f64 },
	{ DT_F64, CR_F64, load_f64, store_f64 }, { DT_I64, CR_I64, load_i64, store_64 },
	{ DT_U64, CR_I64, load_i64, store_64 },	 { DT_I32, CR_I64, load_i32, store_32 },
	{ DT_I16, CR_I64, load_i16, store_16 },	 { DT_I8, CR_I64, load_i8, store_8 },
	{ DT_U32, CR_I64, load_u32, store_32 },	 { DT_U16, CR_I64, load_u16, store_16 },
	{ DT_U8, CR_I64, load_u8, store_8 },	 { DT_BOOL, CR_I64, load_bool, store_bool },
};

load_fn *
sn_interp_load_fn(enum sn_dtype memory, enum carrier c)
{
	static load_fn *const any[] = { load_any_f32, load_any_f64, load_any_i64 };
	for (size_t i = 0; i < ARRAY_LEN(mem_rows); i++)
		if (mem_rows[i].dtype == memory && mem_rows[i].carrier == c)
			return mem_rows[i].load;
	return any[c];
}

store_fn *
sn_interp_store_fn(enum sn_dtype memory, enum carrier c)
{
	static store_fn *const any[] = { store_any_f32, store_any_f64, store_any_i64 };
	for (size_t i = 0; i < ARRAY_LEN(mem_rows); i++)
		if (mem_rows[i].dtype == memory && mem_rows[i].carrier == c)
			return mem_rows[i].store;
	return any[c];
}
