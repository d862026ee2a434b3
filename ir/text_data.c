/*
 * Text of constant data: few elements in full, many as a hash.
 */
#include <math.h>
#include <string.h>
#include "ir/text.h"

enum { MAX_INLINE = 16, MAX_STAND_IN = 1 << 27, PER_LINE = 16 };

/* Complex numbers print as their two parts, one after the other. */
static enum sn_dtype
part_type(enum sn_dtype t)
{
	return t == DT_C64 ? DT_F32 : t == DT_C128 ? DT_F64 : t;
}

static size_t
nparts(enum sn_dtype t)
{
	return sn_dtype_info(t)->kind == 'C' ? 2 : 1;
}

static void
print_hex_float(struct sn_buf *out, double x)
{
	if (isfinite(x))
		sn_buf_addf(out, "%a", x);
	else
		sn_buf_add_float(out, x, false);
}

/* Part number I of the data. */
static void
print_part(struct sn_buf *out, const struct sn_data *d, size_t i, bool is_hex)
{
	enum sn_dtype t = part_type(d->dtype);
	if (t == DT_STRING) {
		sn_buf_add_quoted(out, d->strings[i]);
		return;
	}
	union sn_num x = sn_dtype_load(t, d->bytes, i);
	if (sn_is_float(t) && is_hex)
		print_hex_float(out, x.f);
	else if (sn_is_float(t))
		sn_buf_add_float(out, x.f, t != DT_F64);
	else if (t == DT_BOOL)
		sn_buf_add(out, x.i ? "true" : "false");
	else if (t == DT_U64)
		sn_buf_addf(out, "%llu", (unsigned long long)x.i);
	else
		sn_buf_addf(out, "%lld", (long long)x.i);
}

void
sn_data_print(struct sn_buf *out, const struct sn_data *d, bool with_data)
{
	size_t parts = nparts(d->dtype), n = d->n * parts;
	if (d->is_splat && d->n != 1) {
		sn_buf_add(out, "splat");
		for (size_t i = 0; i < parts; i++) {
			sn_buf_addc(out, ' ');
			print_part(out, d, i, false);
		}
		return;
	}
	if (d->n > MAX_INLINE && !with_data) {
		sn_buf_addf(out, "hash 0x%016llx", (unsigned long long)sn_data_hash(d));
		return;
	}
	sn_buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		sn_buf_add(out, i == 0 ? "" : i % PER_LINE ? ", " : ",\n\t\t");
		print_part(out, d, i, n > MAX_INLINE);
	}
	sn_buf_addc(out, '}');
}

static bool
parse_integer(struct sn_lex *x, enum sn_dtype t, union sn_num *out)
{
	if (t == DT_U64 && x->token.kind == TK_INT) {
		memcpy(&out->i, &x->token.i, sizeof(out->i));
		sn_lex_next(x);
		return true;
	}
	struct sn_lex mark = *x;
	if (!sn_lex_int(x, "an integer", &out->i))
		return false;
	if (sn_num_cast(*out, DT_I64, t).i == out->i)
		return true;
	sn_lex_back(x, &mark);
	return sn_lex_error(x, DG_TX_NUMBER, x->token.text);
}

/* Writes part number I of data in the making. */
static bool
parse_part(struct sn_lex *x, enum sn_dtype t, void *bytes, const char **strings, size_t i)
{
	union sn_num v = { .i = 0 };
	if (t == DT_STRING)
		return sn_lex_string(x, "a string", &strings[i]);
	if (sn_is_float(t)) {
		if (!sn_lex_number(x, "a number", &v.f))
			return false;
	} else if (t == DT_BOOL) {
		v.i = sn_lex_is(x, "true");
		if (!sn_lex_take(x, "true") && !sn_lex_take(x, "false"))
			return sn_lex_expected(x, "'true' or 'false'");
	} else if (!parse_integer(x, t, &v)) {
		return false;
	}
	sn_dtype_store(t, bytes, i, v);
	return true;
}

/* Enough elements for N in the text from here on? Keeps a short text from asking for much memory. */
static bool
check_length(struct sn_lex *x, size_t n)
{
	size_t left = strnlen(x->pos, n < SIZE_MAX / 2 ? 2 * n : n);
	return n == 0 || left >= n || sn_lex_expected(x, "more elements than there is text");
}

static bool
parse_elements(struct sn_lex *x, struct sn_arena *a, struct sn_data *d)
{
	enum sn_dtype t = part_type(d->dtype);
	size_t n = d->n * nparts(d->dtype);
	if (!check_length(x, n))
		return false;
	void *bytes = sn_alloc(a, sn_dtype_bytes(t, n));
	const char **strings = t == DT_STRING ? SN_NEW_ARRAY(a, n, const char *) : NULL;
	d->bytes = bytes;
	d->strings = strings;
	for (size_t i = 0; i < n; i++)
		if ((i && !sn_lex_expect(x, ",")) || !parse_part(x, t, bytes, strings, i))
			return false;
	return sn_lex_expect(x, "}");
}

static bool
parse_splat(struct sn_lex *x, struct sn_arena *a, struct sn_data *d)
{
	enum sn_dtype t = part_type(d->dtype);
	size_t parts = nparts(d->dtype);
	void *bytes = sn_alloc(a, sn_dtype_bytes(t, parts));
	const char **strings = SN_NEW_ARRAY(a, 1, const char *);
	d->is_splat = true;
	d->bytes = bytes;
	d->strings = t == DT_STRING ? strings : NULL;
	for (size_t i = 0; i < parts; i++)
		if (!parse_part(x, t, bytes, strings, i))
			return false;
	return true;
}

/* Elements that were left out: made up from the hash, floats within -1..1, integers 0 or 1. */
static void
make_up(struct sn_data *d, struct sn_arena *a)
{
	enum sn_dtype t = part_type(d->dtype);
	size_t n = d->n * nparts(d->dtype);
	void *bytes = sn_alloc(a, sn_dtype_bytes(t, n));
	uint64_t state = d->left_out;
	for (size_t i = 0; i < n; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		int64_t r = (int64_t)(state >> 40);
		union sn_num v = { .i = r & 1 };
		if (sn_is_float(t))
			v.f = (double)r / (1 << 23) - 1;
		sn_dtype_store(t, bytes, i, v);
	}
	d->bytes = bytes;
}

static bool
parse_hash(struct sn_lex *x, struct sn_arena *a, struct sn_data *d)
{
	if (x->token.kind != TK_INT)
		return sn_lex_expected(x, "a hash");
	if (d->n > MAX_STAND_IN || d->dtype == DT_STRING)
		return sn_lex_expected(x, "the elements: they are too many to make up");
	d->left_out = x->token.i ? x->token.i : 1;
	sn_lex_next(x);
	make_up(d, a);
	return true;
}

bool
sn_data_parse(struct sn_lex *x, struct sn_arena *a, enum sn_dtype t, size_t n,
	      const struct sn_data **out)
{
	struct sn_data *d = SN_NEW(a, struct sn_data);
	d->dtype = t;
	d->n = n;
	*out = d;
	if (sn_lex_take(x, "splat"))
		return parse_splat(x, a, d);
	if (sn_lex_take(x, "hash"))
		return parse_hash(x, a, d);
	return sn_lex_expect(x, "{") && parse_elements(x, a, d);
}
