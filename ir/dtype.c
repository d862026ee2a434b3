/*
 * Element types: the table, packed memory, and conversion of single elements.
 *
 * Every floating type of at most 16 bits is one row of a table (widths, bias,
 * largest code, NaN, infinity) behind one encoder and one decoder, both exact:
 * a value is rounded once, from double.
 */
#include <math.h>
#include <string.h>
#include "ir/dtype.h"

static const struct sn_dtype_info infos[DT_COUNT] = {
#define DTYPE(id, text, onnx, bits, kind) [id] = { text, onnx, bits, kind },
#include "ir/dtype.def"
#undef DTYPE
};

const struct sn_dtype_info *
sn_dtype_info(enum sn_dtype t)
{
	return &infos[t];
}

enum sn_dtype
sn_dtype_by_text(const char *text)
{
	for (int t = DT_NONE + 1; t < DT_COUNT; t++)
		if (strcmp(infos[t].text, text) == 0)
			return (enum sn_dtype)t;
	return DT_NONE;
}

enum sn_dtype
sn_dtype_by_onnx(int onnx)
{
	for (int t = DT_NONE + 1; t < DT_COUNT; t++)
		if (infos[t].onnx == onnx)
			return (enum sn_dtype)t;
	return DT_NONE;
}

size_t
sn_dtype_bytes(enum sn_dtype t, size_t n)
{
	size_t bits = (size_t)infos[t].bits;
	if (bits >= 8)
		return n * (bits / 8);
	return n / 8 * bits + (n % 8 * bits + 7) / 8;
}

/*
 * A float of SIGN, exponent and MANT bits.  Codes below are without the sign.
 * Beyond MAX_CODE a store gives INF_CODE: infinity where IEEE rounding says so,
 * the largest value where ONNX Cast saturates.
 */
struct minifloat {
	int bits, mant, bias;
	unsigned max_code, over_code, nan_code;
	bool has_inf; /* max_code + 1 is infinity */
	bool is_uz;   /* no negative zero, its code is the NaN */
};

static const struct minifloat minifloats[DT_COUNT] = {
	[DT_F16] = { 16, 10, 15, 0x7bff, 0x7c00, 0x7e00, true, false },
	[DT_BF16] = { 16, 7, 127, 0x7f7f, 0x7f80, 0x7fc0, true, false },
	[DT_F8E4M3] = { 8, 3, 7, 0x7e, 0x7e, 0x7f, false, false },
	[DT_F8E4M3UZ] = { 8, 3, 8, 0x7f, 0x7f, 0x80, false, true },
	[DT_F8E5M2] = { 8, 2, 15, 0x7b, 0x7b, 0x7f, true, false },
	[DT_F8E5M2UZ] = { 8, 2, 16, 0x7f, 0x7f, 0x80, false, true },
	/* has no NaN: one becomes minus zero, as in the suite's data */
	[DT_F4E2M1] = { 4, 1, 1, 0x7, 0x7, 0x8, false, false },
};

static unsigned
minifloat_encode(const struct minifloat *f, double x)
{
	unsigned sign = signbit(x) ? 1u << (f->bits - 1) : 0;
	if (isnan(x))
		return f->is_uz ? f->nan_code : (f->nan_code | sign);
	if (isinf(x))
		return sign | f->over_code;
	if (x == 0)
		return f->is_uz ? 0 : sign;
	int exp;
	frexp(x, &exp);
	int e = exp - 1, emin = 1 - f->bias;
	if (e < emin)
		e = emin;
	/* In units of the last place: below 2^(mant+1) before rounding, exact after. */
	double ulps = rint(ldexp(fabs(x), f->mant - e));
	double code = ldexp(e - emin, f->mant) + ulps;
	if (code > f->max_code)
		return sign | f->over_code;
	if (code == 0 && f->is_uz)
		return 0;
	return sign | (unsigned)code;
}

static double
minifloat_decode(const struct minifloat *f, unsigned bits)
{
	unsigned sign = bits >> (f->bits - 1);
	unsigned code = bits & ((1u << (f->bits - 1)) - 1);
	if (f->is_uz && bits == f->nan_code)
		return NAN;
	double x;
	if (code > f->max_code) {
		x = f->has_inf && code == f->max_code + 1 ? INFINITY : NAN;
	} else {
		unsigned field = code >> f->mant, m = code & ((1u << f->mant) - 1);
		int e = field ? (int)field - f->bias : 1 - f->bias;
		unsigned lead = field ? 1u << f->mant : 0;
		x = ldexp((double)(lead + m), e - f->mant);
	}
	return sign ? -x : x;
}

/* Powers of two 2^(code-127), 255 is NaN; rounded up (ONNX Cast's default), clamped, sign ignored. */
static unsigned
e8m0_encode(double x)
{
	if (isnan(x))
		return 0xff;
	if (isinf(x))
		return 0xfe;
	int exp;
	double m = frexp(fabs(x), &exp);
	if (m == 0)
		return 0;
	int code = (m == 0.5 ? exp - 1 : exp) + 127;
	return code < 0 ? 0 : code > 0xfe ? 0xfe : (unsigned)code;
}

static double
e8m0_decode(unsigned bits)
{
	return bits == 0xff ? NAN : ldexp(1, (int)bits - 127);
}

static uint64_t
load_bits(const void *base, size_t index, int bits)
{
	const uint8_t *p = base;
	if (bits < 8) {
		size_t per = 8 / (size_t)bits;
		return (p[index / per] >> (index % per * (size_t)bits)) & ((1u << bits) - 1);
	}
	size_t bytes = (size_t)bits / 8;
	uint64_t x = 0;
	for (size_t i = 0; i < bytes; i++)
		x |= (uint64_t)p[index * bytes + i] << (8 * i);
	return x;
}

static void
store_bits(void *base, size_t index, int bits, uint64_t x)
{
	uint8_t *p = base;
	if (bits < 8) {
		size_t per = 8 / (size_t)bits, shift = index % per * (size_t)bits;
		unsigned mask = ((1u << bits) - 1) << shift;
		p[index / per] = (uint8_t)((p[index / per] & ~mask) | ((x << shift) & mask));
		return;
	}
	size_t bytes = (size_t)bits / 8;
	for (size_t i = 0; i < bytes; i++)
		p[index * bytes + i] = (uint8_t)(x >> (8 * i));
}

/* The low BITS of X as a signed or unsigned number. */
static int64_t
wrap(uint64_t x, int bits, bool is_signed)
{
	if (bits < 64) {
		uint64_t mask = ((uint64_t)1 << bits) - 1;
		x &= mask;
		if (is_signed && (x >> (bits - 1) & 1))
			x |= ~mask;
	}
	int64_t r;
	memcpy(&r, &x, sizeof(r));
	return r;
}

static double
float_of_bits(enum sn_dtype t, uint64_t bits)
{
	if (t == DT_F32) {
		uint32_t b = (uint32_t)bits;
		float f;
		memcpy(&f, &b, sizeof(f));
		return f;
	}
	if (t == DT_F64) {
		double d;
		memcpy(&d, &bits, sizeof(d));
		return d;
	}
	if (t == DT_F8E8M0)
		return e8m0_decode((unsigned)bits);
	return minifloat_decode(&minifloats[t], (unsigned)bits);
}

static uint64_t
bits_of_float(enum sn_dtype t, double x)
{
	if (t == DT_F32) {
		float f = (float)x;
		uint32_t b;
		memcpy(&b, &f, sizeof(b));
		return b;
	}
	if (t == DT_F64) {
		uint64_t b;
		memcpy(&b, &x, sizeof(b));
		return b;
	}
	if (t == DT_F8E8M0)
		return e8m0_encode(x);
	return minifloat_encode(&minifloats[t], x);
}

union sn_num
sn_dtype_load(enum sn_dtype t, const void *base, size_t index)
{
	if (t == DT_F32) { /* nearly all data there is */
		float f;
		memcpy(&f, (const char *)base + index * sizeof(f), sizeof(f));
		return (union sn_num){ .f = f };
	}
	const struct sn_dtype_info *d = &infos[t];
	uint64_t bits = load_bits(base, index, d->bits);
	if (d->kind == 'F')
		return (union sn_num){ .f = float_of_bits(t, bits) };
	if (d->kind == 'B')
		return (union sn_num){ .i = bits != 0 };
	return (union sn_num){ .i = wrap(bits, d->bits, d->kind == 'I') };
}

void
sn_dtype_store(enum sn_dtype t, void *base, size_t index, union sn_num x)
{
	const struct sn_dtype_info *d = &infos[t];
	uint64_t bits = d->kind == 'F'	 ? bits_of_float(t, x.f)
			: d->kind == 'B' ? x.i != 0
					 : (uint64_t)x.i;
	/* a cast saturates; an infinity that is there has come from data */
	if (t == DT_F8E5M2 && isinf(x.f))
		bits = signbit(x.f) ? 0xfc : 0x7c;
	store_bits(base, index, d->bits, bits);
}

/* Truncates towards zero; NaN gives 0, what is out of range the nearest end. */
static int64_t
int_of_float(double x, int bits, bool is_signed)
{
	if (isnan(x))
		return 0;
	double t = trunc(x);
	double top = ldexp(1, is_signed ? bits - 1 : bits), low = is_signed ? -top : 0;
	if (t < low)
		return is_signed ? wrap((uint64_t)1 << (bits - 1), bits, true) : 0;
	if (t >= top) {
		uint64_t max = is_signed ? ((uint64_t)1 << (bits - 1)) - 1
					 : ~(uint64_t)0 >> (64 - bits);
		return wrap(max, bits, is_signed);
	}
	return is_signed ? (int64_t)t : wrap((uint64_t)t, bits, false);
}

/* Rounded once to f32 and f64; to the smaller types by way of f32, as C code does it. */
static double
float_of_int(int64_t i, bool is_u64, enum sn_dtype to)
{
	if (to == DT_F64)
		return is_u64 ? (double)(uint64_t)i : (double)i;
	return is_u64 ? (double)(float)(uint64_t)i : (double)(float)i;
}

union sn_num
sn_num_cast(union sn_num x, enum sn_dtype from, enum sn_dtype to)
{
	const struct sn_dtype_info *d = &infos[to];
	bool is_float = infos[from].kind == 'F';
	if (from == to)
		return x;
	if (d->kind == 'B')
		return (union sn_num){ .i = is_float ? x.f != 0 : x.i != 0 };
	if (d->kind == 'F') {
		double f = is_float ? x.f : float_of_int(x.i, from == DT_U64, to);
		return (union sn_num){ .f = float_of_bits(to, bits_of_float(to, f)) };
	}
	if (d->kind != 'I' && d->kind != 'U')
		return x;
	if (is_float)
		return (union sn_num){ .i = int_of_float(x.f, d->bits, d->kind == 'I') };
	return (union sn_num){ .i = wrap((uint64_t)x.i, d->bits, d->kind == 'I') };
}
