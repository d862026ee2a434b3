/*
 * Elements of tensors: views of raw payloads, conversion of the typed fields,
 * and the finding that all elements are one number.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/onnx_data.h"

enum {
	F_FLOAT = 4,
	F_INT32 = 5,
	F_STRING = 6,
	F_INT64 = 7,
	F_RAW = 9,
	F_DOUBLE = 10,
	F_UINT64 = 11
};
enum { BYTES_MOST_LOG2 = 46 };

/* One tensor under way. */
struct job {
	struct sn_data_source *source;
	const Pb__TensorProto *t;
	struct sn_where where;
	const char *name;
	enum sn_dtype dtype;
	size_t n, bytes; /* elements, and bytes as raw_data */
};

struct piece {
	const uint8_t *p;
	size_t size;
};

void
sn_data_source_init(struct sn_data_source *s, const struct sn_wire_bytes *b, const char *folder,
		    struct sn_arena *a, struct sn_diags *d)
{
	*s = (struct sn_data_source){ .bytes = *b, .folder = folder, .arena = a, .diags = d };
	sn_map_init(&s->maps, a);
}

bool
sn_check_dims(struct sn_data_source *s, struct sn_where where, const struct sn_declared *x,
	      size_t *out_n)
{
	uint64_t n = 1, bits;
	bool has_zero = false;
	if (x->rank > SN_MAX_RANK)
		return sn_report(s->diags, where, DG_TENSOR_RANK, x->name, (int)x->rank,
				 SN_MAX_RANK);
	for (size_t i = 0; i < x->rank; i++) {
		if (x->dims[i] < 0 || x->dims[i] >= (int64_t)1 << BYTES_MOST_LOG2)
			return sn_report(s->diags, where, DG_TENSOR_DIMS, x->name, (int)i,
					 (long long)x->dims[i]);
		has_zero |= x->dims[i] == 0;
	}
	for (size_t i = 0; i < x->rank && !has_zero; i++)
		if (__builtin_mul_overflow(n, (uint64_t)x->dims[i], &n))
			return sn_report(s->diags, where, DG_TENSOR_HUGE, x->name);
	unsigned width = x->dtype == DT_STRING ? 64 : (unsigned)sn_dtype_info(x->dtype)->bits;
	if (__builtin_mul_overflow(n, width, &bits) || bits >> (BYTES_MOST_LOG2 + 3))
		return sn_report(s->diags, where, DG_TENSOR_HUGE, x->name);
	*out_n = has_zero ? 0 : (size_t)n;
	return true;
}

static bool
bad(const struct job *j, const char *what)
{
	return sn_report(j->source->diags, j->where, DG_TENSOR_BAD, j->name, what);
}

static bool
check_size(const struct job *j, size_t have, size_t need)
{
	return have == need
	       || sn_report(j->source->diags, j->where, DG_TENSOR_SIZE, j->name,
			    (unsigned long long)have, (unsigned long long)need);
}

/* Payload record number I of FIELD, counted from 0; false if there are fewer. */
static bool
find_piece(const struct job *j, int field, size_t i, struct piece *out)
{
	const uint64_t *record = j->t->payload;
	for (size_t k = 0; k + 3 <= j->t->n_payload; k += 3, record += 3) {
		if (record[0] != (uint64_t)field || i-- > 0)
			continue;
		*out = (struct piece){ j->source->bytes.data + record[1], (size_t)record[2] };
		return true;
	}
	return false;
}

/* All elements the same? The bytes are compared with themselves one element further on, which
 * ends at the first difference: trained weights cost a page. */
static void
find_splat(struct sn_data *d)
{
	size_t size = (size_t)sn_dtype_info(d->dtype)->bits / 8;
	const char *p = d->bytes;
	if (size == 0 || size > 8 || d->n < 2 || sn_dtype_info(d->dtype)->kind == 'C')
		return;
	d->is_splat = memcmp(p, p + size, (d->n - 1) * size) == 0;
}

static const struct sn_data *
make_view(const struct job *j, const void *bytes)
{
	struct sn_data *d = SN_NEW(j->source->arena, struct sn_data);
	d->dtype = j->dtype;
	d->n = j->n;
	d->bytes = bytes;
	find_splat(d);
	return d;
}

static const struct sn_data *
read_raw(const struct job *j)
{
	struct piece p = { j->t->raw_data.data, j->t->raw_data.len };
	bool is_view = find_piece(j, F_RAW, 0, &p);
	if (!check_size(j, p.size, j->bytes))
		return NULL;
	return make_view(j, is_view ? p.p : sn_memdup(j->source->arena, p.p, p.size));
}

/* float_data and double_data: packed they lie in the file as raw_data would; COUNT numbers of
 * SIZE bytes at NUMBERS were not packed. */
static const struct sn_data *
read_fixed(const struct job *j, int field, const void *numbers, size_t count, size_t size)
{
	struct piece p, second;
	if (!find_piece(j, field, 0, &p)) {
		if (!check_size(j, count * size, j->bytes))
			return NULL;
		return make_view(j, sn_memdup(j->source->arena, numbers, count * size));
	}
	if (count || find_piece(j, field, 1, &second)) {
		bad(j, "its elements are given in several parts");
		return NULL;
	}
	return check_size(j, p.size, j->bytes) ? make_view(j, p.p) : NULL;
}

/* Integers on their way into raw_data's layout. */
struct ints {
	uint8_t *to;
	size_t size, count, most; /* bytes of one, how many so far and at most */
};

static void
put_int(struct ints *s, uint64_t x)
{
	for (size_t i = 0; s->count < s->most && i < s->size; i++, x >>= 8)
		s->to[s->count * s->size + i] = (uint8_t)x;
	s->count++;
}

static bool
put_varints(const struct job *j, struct ints *s, struct piece p)
{
	for (const uint8_t *end = p.p + p.size; p.p < end;) {
		uint64_t x = 0;
		unsigned shift = 0;
		for (; p.p < end && *p.p >= 0x80 && shift < 63; shift += 7)
			x |= (uint64_t)(*p.p++ & 0x7f) << shift;
		if (p.p == end || *p.p >= 0x80)
			return bad(j, "a packed number is cut off");
		put_int(s, x | (uint64_t)*p.p++ << shift);
	}
	return true;
}

static void
put_unpacked(const struct job *j, int field, struct ints *s)
{
	const Pb__TensorProto *t = j->t;
	for (size_t i = 0; field == F_INT32 && i < t->n_int32_data; i++)
		put_int(s, (uint64_t)(int64_t)t->int32_data[i]);
	for (size_t i = 0; field == F_INT64 && i < t->n_int64_data; i++)
		put_int(s, (uint64_t)t->int64_data[i]);
	for (size_t i = 0; field == F_UINT64 && i < t->n_uint64_data; i++)
		put_int(s, t->uint64_data[i]);
}

/* How many integers FIELD holds; counted before memory is asked for. */
static size_t
count_ints(const struct job *j, int field)
{
	const Pb__TensorProto *t = j->t;
	size_t n = field == F_INT32   ? t->n_int32_data
		   : field == F_INT64 ? t->n_int64_data
				      : t->n_uint64_data;
	struct piece p;
	for (size_t i = 0; find_piece(j, field, i, &p); i++)
		for (size_t k = 0; k < p.size; k++)
			n += p.p[k] < 0x80;
	return n;
}

/* int32_data, int64_data, uint64_data. Types below 8 bits come as bytes, several to each number. */
static const struct sn_data *
read_ints(const struct job *j, int field)
{
	int bits = sn_dtype_info(j->dtype)->bits;
	struct ints s = { .size = bits < 8 ? 1 : (size_t)bits / 8 };
	struct piece p;
	s.most = count_ints(j, field);
	if (!check_size(j, s.most * s.size, j->bytes))
		return NULL;
	s.to = sn_alloc(j->source->arena, j->bytes);
	for (size_t i = 0; find_piece(j, field, i, &p); i++)
		if (!put_varints(j, &s, p))
			return NULL;
	put_unpacked(j, field, &s);
	return make_view(j, s.to);
}

static const struct sn_data *
read_strings(const struct job *j)
{
	struct sn_arena *a = j->source->arena;
	if (j->t->n_string_data != j->n) {
		bad(j, "the number of strings is not that of its shape");
		return NULL;
	}
	const char **list = SN_NEW_ARRAY(a, j->n, const char *);
	for (size_t i = 0; i < j->n; i++) {
		ProtobufCBinaryData s = j->t->string_data[i];
		if (s.len && memchr(s.data, 0, s.len)) {
			bad(j, "a string contains a NUL byte");
			return NULL;
		}
		list[i] = sn_strndup(a, s.len ? (const char *)s.data : "", s.len);
	}
	struct sn_data *d = SN_NEW(a, struct sn_data);
	*d = (struct sn_data){ .dtype = DT_STRING, .n = j->n, .strings = list };
	return d;
}

static bool
has_payload(const struct job *j)
{
	const Pb__TensorProto *t = j->t;
	return t->n_payload || t->has_raw_data || t->n_float_data || t->n_int32_data
	       || t->n_int64_data || t->n_double_data || t->n_uint64_data || t->n_string_data;
}

static const struct sn_data *
read_typed(const struct job *j)
{
	const Pb__TensorProto *t = j->t;
	switch (j->dtype) {
	case DT_STRING: return read_strings(j);
	case DT_F32:
	case DT_C64: return read_fixed(j, F_FLOAT, t->float_data, t->n_float_data, sizeof(float));
	case DT_F64:
	case DT_C128:
		return read_fixed(j, F_DOUBLE, t->double_data, t->n_double_data, sizeof(double));
	case DT_I64: return read_ints(j, F_INT64);
	case DT_U64:
	case DT_U32: return read_ints(j, F_UINT64);
	default: return read_ints(j, F_INT32);
	}
}

static const struct sn_data *
read_data(const struct job *j)
{
	const Pb__TensorProto *t = j->t;
	const void *bytes;
	struct piece p;
	if (t->segment) {
		bad(j, "segments are not supported");
		return NULL;
	}
	if (t->has_data_location && t->data_location == PB__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
		bool is_read = sn_read_external(j->source, t, j->where, j->bytes, &bytes);
		return is_read ? make_view(j, bytes) : NULL;
	}
	if (!has_payload(j) && j->n) {
		sn_report(j->source->diags, j->where, DG_TENSOR_NONE, j->name);
		return NULL;
	}
	if (t->has_raw_data || find_piece(j, F_RAW, 0, &p)) {
		if (j->dtype != DT_STRING)
			return read_raw(j);
		bad(j, "strings can't be raw data");
		return NULL;
	}
	return read_typed(j);
}

bool
sn_read_tensor(struct sn_data_source *s, const Pb__TensorProto *t, struct sn_where where,
	       struct sn_tensor_data *out)
{
	struct job j = { .source = s, .t = t, .where = where, .name = t->name ? t->name : "" };
	*out = (struct sn_tensor_data){ .name = sn_strdup(s->arena, j.name) };
	j.dtype = sn_dtype_by_onnx(t->data_type);
	if (j.dtype == DT_NONE)
		return sn_report(s->diags, where, DG_TENSOR_TYPE, j.name, (int)t->data_type);
	struct sn_declared x = { j.name, j.dtype, t->n_dims, t->dims };
	if (!sn_check_dims(s, where, &x, &j.n))
		return false;
	j.bytes = sn_dtype_bytes(j.dtype, j.n);
	out->rank = (int)t->n_dims;
	for (size_t i = 0; i < t->n_dims; i++)
		out->dims[i] = t->dims[i];
	out->data = read_data(&j);
	return out->data != NULL;
}
