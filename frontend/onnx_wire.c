/*
 * The shallow walk over protobuf bytes and the call of protobuf-c.
 *
 * The schema is protobuf-c's own descriptors.  Field by field the walk checks
 * wire type and length and either copies the bytes to the skeleton, descends,
 * drops the field (nobody reads it), or leaves a tensor's payload in the file
 * and writes a private record of three numbers: field, offset, length.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/onnx_wire.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { PRIVATE_FIELD = 536870911, LENGTH_BYTES = 5 };

typedef ProtobufCMessageDescriptor schema;
typedef ProtobufCFieldDescriptor field_schema;

struct walk {
	const struct sn_wire_bytes *in;
	struct sn_diags *diags;
	struct sn_buf out; /* the skeleton */
	int messages;
};

/* One field as it lies in the file. */
struct field {
	const schema *of;
	const field_schema *is; /* NULL: unknown */
	unsigned number, wire;
	size_t start, body, end; /* tag, value (after a length), next field */
};

/* What nobody reads: not copied, so that it costs nothing. */
static const struct {
	const schema *of;
	unsigned number;
} dropped[] = {
	{ &pb__model_proto__descriptor, 20 },	  { &pb__model_proto__descriptor, 26 },
	{ &pb__graph_proto__descriptor, 10 },	  { &pb__graph_proto__descriptor, 13 },
	{ &pb__graph_proto__descriptor, 14 },	  { &pb__graph_proto__descriptor, 16 },
	{ &pb__node_proto__descriptor, 6 },	  { &pb__node_proto__descriptor, 9 },
	{ &pb__node_proto__descriptor, 10 },	  { &pb__attribute_proto__descriptor, 13 },
	{ &pb__function_proto__descriptor, 8 },	  { &pb__function_proto__descriptor, 12 },
	{ &pb__function_proto__descriptor, 14 },  { &pb__value_info_proto__descriptor, 3 },
	{ &pb__value_info_proto__descriptor, 4 }, { &pb__tensor_proto__descriptor, 12 },
	{ &pb__tensor_proto__descriptor, 16 },	  { &pb__tensor_proto__descriptor, PRIVATE_FIELD },
};

static struct sn_where
where(const struct walk *w)
{
	struct sn_where here = SN_NOWHERE;
	here.file = w->in->file;
	return here;
}

/* "field 'raw_data' of TensorProto" */
static const char *
describe(struct walk *w, const struct field *f)
{
	struct sn_arena *a = w->diags->arena;
	if (f->is)
		return sn_printf(a, "field '%s' of %s", f->is->name, f->of->short_name);
	return sn_printf(a, "a field of %s", f->of->short_name);
}

static bool
fail(struct walk *w, enum sn_diag_id id, const struct field *f)
{
	return sn_report(w->diags, where(w), id, describe(w, f), f->start);
}

/* Reads a varint at *AT, before END; false if it is cut off or longer than 64 bits. */
static bool
read_varint(const uint8_t *data, size_t *at, size_t end, uint64_t *out)
{
	uint64_t x = 0;
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t b = data[(*at)++];
		x |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*out = x;
			return true;
		}
	}
	return false;
}

/* A body of LEN bytes that begins at f->body must end in the message around, and in the file. */
static bool
set_body(struct walk *w, struct field *f, uint64_t len, size_t end)
{
	size_t here = end - f->body, left = w->in->size - f->body;
	if (len <= here) {
		f->end = f->body + (size_t)len;
		return true;
	}
	if (len > left && len < (uint64_t)1 << 40)
		return sn_report(w->diags, where(w), DG_TRUNCATED, describe(w, f), left, f->body,
				 (size_t)len - left);
	return fail(w, DG_WIRE_LENGTH, f);
}

static bool
find_end(struct walk *w, struct field *f, size_t end)
{
	uint64_t x = 0;
	switch (f->wire) {
	case WIRE_VARINT:
		f->end = f->body;
		return read_varint(w->in->data, &f->end, end, &x) || fail(w, DG_WIRE_BAD, f);
	case WIRE_64: return set_body(w, f, 8, end);
	case WIRE_32: return set_body(w, f, 4, end);
	case WIRE_BYTES:
		return (read_varint(w->in->data, &f->body, end, &x) || fail(w, DG_WIRE_BAD, f))
		       && set_body(w, f, x, end);
	default: return fail(w, DG_WIRE_BAD, f);
	}
}

/* The wire type of one element. */
static enum wire
wire_of(const field_schema *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT: return WIRE_32;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE: return WIRE_64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE: return WIRE_BYTES;
	default: return WIRE_VARINT;
	}
}

static bool
is_packed(const struct field *f)
{
	return f->wire == WIRE_BYTES && wire_of(f->is) != WIRE_BYTES;
}

static bool
check_wire_type(struct walk *w, const struct field *f)
{
	enum wire want = wire_of(f->is);
	if (f->wire != want && !(is_packed(f) && f->is->label == PROTOBUF_C_LABEL_REPEATED))
		return sn_report(w->diags, where(w), DG_WIRE_TYPE, describe(w, f), f->start,
				 (int)f->wire, (int)want);
	size_t size = want == WIRE_32 ? 4 : want == WIRE_64 ? 8 : 1;
	if (is_packed(f) && (f->end - f->body) % size)
		return fail(w, DG_WIRE_BAD, f);
	if (f->is->type == PROTOBUF_C_TYPE_STRING
	    && memchr(w->in->data + f->body, 0, f->end - f->body))
		return fail(w, DG_WIRE_NUL, f);
	return true;
}

static bool
read_field(struct walk *w, const schema *of, size_t at, size_t end, struct field *f)
{
	uint64_t tag;
	*f = (struct field){ .of = of, .start = at, .body = at };
	if (!read_varint(w->in->data, &f->body, end, &tag))
		return fail(w, DG_WIRE_BAD, f);
	f->wire = tag & 7;
	f->number = (unsigned)(tag >> 3);
	if (tag >> 32 || f->number == 0)
		return fail(w, DG_WIRE_BAD, f);
	f->is = protobuf_c_message_descriptor_get_field(of, f->number);
	return find_end(w, f, end) && (!f->is || check_wire_type(w, f));
}

static void
put_varint(struct sn_buf *out, uint64_t x)
{
	for (; x >= 0x80; x >>= 7)
		sn_buf_addc(out, (char)(x | 0x80));
	sn_buf_addc(out, (char)x);
}

/* The same in LENGTH_BYTES bytes, at OFFSET: lengths are known after their bodies. */
static void
patch_length(struct sn_buf *out, size_t offset, size_t x)
{
	for (int i = 0; i < LENGTH_BYTES; i++, x >>= 7)
		out->text[offset + (size_t)i] = (char)((x & 0x7f) | (i + 1 < LENGTH_BYTES) << 7);
}

static void
put_fixed64(struct sn_buf *out, uint64_t x)
{
	for (int i = 0; i < 8; i++, x >>= 8)
		sn_buf_addc(out, (char)(x & 0xff));
}

/* The private record that stands for a payload. */
static void
put_payload(struct walk *w, const struct field *f)
{
	put_varint(&w->out, (uint64_t)PRIVATE_FIELD << 3 | WIRE_BYTES);
	put_varint(&w->out, 24);
	put_fixed64(&w->out, f->number);
	put_fixed64(&w->out, f->body);
	put_fixed64(&w->out, f->end - f->body);
}

static bool
is_payload(const struct field *f)
{
	bool is_data = is_packed(f) || f->is->type == PROTOBUF_C_TYPE_BYTES;
	return f->of == &pb__tensor_proto__descriptor && is_data && f->number != 1
	       && f->is->label
			  == (is_packed(f) ? PROTOBUF_C_LABEL_REPEATED : PROTOBUF_C_LABEL_OPTIONAL)
	       && f->end - f->body >= SN_WIRE_PAYLOAD;
}

static bool
is_dropped(const struct field *f)
{
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		if (dropped[i].of == f->of && dropped[i].number == f->number)
			return true;
	return !f->is;
}

static bool
is_over_budget(const struct walk *w)
{
	return w->messages > SN_WIRE_MESSAGES || w->out.len > (size_t)SN_WIRE_MEGABYTES << 20;
}

static bool
report_budget(const struct walk *w)
{
	return sn_report(w->diags, where(w), DG_WIRE_BUDGET, SN_WIRE_MESSAGES, SN_WIRE_MEGABYTES);
}

static bool walk_message(struct walk *w, const schema *of, size_t at, size_t end, int depth);

static bool
copy_field(struct walk *w, const struct field *f, int depth)
{
	if (is_payload(f)) {
		put_payload(w, f);
		return true;
	}
	const char *data = (const char *)w->in->data;
	if (f->is->type != PROTOBUF_C_TYPE_MESSAGE) {
		sn_buf_addn(&w->out, data + f->start, f->end - f->start);
		return true;
	}
	put_varint(&w->out, (uint64_t)f->number << 3 | WIRE_BYTES);
	size_t length = w->out.len;
	sn_buf_fill(&w->out, 0, LENGTH_BYTES);
	if (!walk_message(w, f->is->descriptor, f->body, f->end, depth + 1))
		return false;
	patch_length(&w->out, length, w->out.len - length - LENGTH_BYTES);
	return true;
}

/* Protobuf would merge two occurrences of a single message; no writer of ONNX makes them. */
static bool
check_once(struct walk *w, const struct field *f, uint64_t *seen)
{
	uint64_t bit = (uint64_t)1 << (f->is - f->of->fields);
	bool is_twice = *seen & bit && f->is->type == PROTOBUF_C_TYPE_MESSAGE
			&& f->is->label != PROTOBUF_C_LABEL_REPEATED;
	*seen |= bit;
	return !is_twice || fail(w, DG_WIRE_TWICE, f);
}

static bool
walk_message(struct walk *w, const schema *of, size_t at, size_t end, int depth)
{
	uint64_t seen = 0;
	struct field f;
	w->messages++;
	if (depth > SN_WIRE_DEPTH)
		return sn_report(w->diags, where(w), DG_WIRE_DEPTH, SN_WIRE_DEPTH, at);
	for (; at < end; at = f.end) {
		if (is_over_budget(w))
			return report_budget(w);
		if (!read_field(w, of, at, end, &f))
			return false;
		if (is_dropped(&f))
			continue;
		if (!check_once(w, &f, &seen) || !copy_field(w, &f, depth))
			return false;
	}
	return true;
}

/* protobuf-c's allocator: an arena and a budget. */
struct budget {
	struct sn_arena *arena;
	size_t left;
	bool is_over;
};

static void *
budget_alloc(void *data, size_t size)
{
	struct budget *b = data;
	if (size > b->left) {
		b->is_over = true;
		return NULL;
	}
	b->left -= size;
	return sn_alloc(b->arena, size);
}

static void
budget_free(void *data, void *p)
{
	(void)data;
	(void)p;
}

static void *
unpack(struct walk *w, const schema *of, struct sn_arena *a)
{
	struct budget b = { .arena = a, .left = (size_t)SN_WIRE_MEGABYTES << 20 };
	ProtobufCAllocator alloc = { budget_alloc, budget_free, &b };
	void *m = protobuf_c_message_unpack(of, &alloc, w->out.len, (const uint8_t *)w->out.text);
	if (m)
		return m;
	struct field f = { .of = of };
	if (b.is_over)
		report_budget(w);
	else
		fail(w, DG_WIRE_BAD, &f);
	return NULL;
}

/* A model that does not even begin with a field of ModelProto is something else altogether. */
static bool
is_foreign(const struct sn_wire_bytes *b)
{
	uint64_t tag;
	size_t at = 0;
	if (!read_varint(b->data, &at, b->size, &tag) || tag >> 32)
		return true;
	const field_schema *f = protobuf_c_message_descriptor_get_field(
		&pb__model_proto__descriptor, (unsigned)(tag >> 3));
	return !f || (tag & 7) != wire_of(f);
}

static void *
read_message(const struct sn_wire_bytes *b, const schema *of, struct sn_arena *a,
	     struct sn_diags *d)
{
	struct walk w = { .in = b, .diags = d };
	sn_buf_init(&w.out, a);
	if (of == &pb__model_proto__descriptor && is_foreign(b)) {
		sn_report(d, where(&w), DG_NOT_ONNX);
		return NULL;
	}
	if (!walk_message(&w, of, 0, b->size, 1))
		return NULL;
	return unpack(&w, of, a);
}

struct Pb__ModelProto *
sn_wire_model(const struct sn_wire_bytes *b, struct sn_arena *a, struct sn_diags *d)
{
	return read_message(b, &pb__model_proto__descriptor, a, d);
}

struct Pb__TensorProto *
sn_wire_tensor(const struct sn_wire_bytes *b, struct sn_arena *a, struct sn_diags *d)
{
	return read_message(b, &pb__tensor_proto__descriptor, a, d);
}

struct Pb__SequenceProto *
sn_wire_sequence(const struct sn_wire_bytes *b, struct sn_arena *a, struct sn_diags *d)
{
	return read_message(b, &pb__sequence_proto__descriptor, a, d);
}

struct Pb__OptionalProto *
sn_wire_optional(const struct sn_wire_bytes *b, struct sn_arena *a, struct sn_diags *d)
{
	return read_message(b, &pb__optional_proto__descriptor, a, d);
}
