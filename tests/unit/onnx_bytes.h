/*
 * ONNX models as bytes, written by hand: a small protobuf writer and the few
 * messages that tests of the frontend are made of.  Independent of the reader's
 * schema, so that a wrong field number there does not cancel out.
 */
#ifndef TESTS_UNIT_ONNX_BYTES_H
#define TESTS_UNIT_ONNX_BYTES_H

#include <stdlib.h>
#include <string.h>
#include "frontend/onnx_wire.h"
#include "support/buf.h"

typedef struct sn_buf bytes;

static inline bytes
pb_new(struct sn_arena *a)
{
	bytes b;
	sn_buf_init(&b, a);
	return b;
}

static inline void
pb_varint(bytes *b, uint64_t x)
{
	for (; x >= 0x80; x >>= 7)
		sn_buf_addc(b, (char)(x | 0x80));
	sn_buf_addc(b, (char)x);
}

static inline void
pb_tag(bytes *b, unsigned field, unsigned wire)
{
	pb_varint(b, (uint64_t)field << 3 | wire);
}

static inline void
pb_int(bytes *b, unsigned field, int64_t x)
{
	pb_tag(b, field, 0);
	pb_varint(b, (uint64_t)x);
}

static inline void
pb_float(bytes *b, unsigned field, float x)
{
	pb_tag(b, field, 5);
	sn_buf_addn(b, (const char *)&x, sizeof(x));
}

static inline void
pb_bytes(bytes *b, unsigned field, const void *p, size_t n)
{
	pb_tag(b, field, 2);
	pb_varint(b, n);
	sn_buf_addn(b, p, n);
}

static inline void
pb_text(bytes *b, unsigned field, const char *s)
{
	pb_bytes(b, field, s, strlen(s));
}

static inline void
pb_message(bytes *b, unsigned field, bytes m)
{
	pb_bytes(b, field, m.text, m.len);
}

/* Each part of "a,b,,c" as a text of FIELD; "" gives none. */
static inline void
pb_list(bytes *b, unsigned field, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		pb_bytes(b, field, list, n);
		list += n + (list[n] == ',');
	}
}

/* Each number of "1,2,3" as a varint of FIELD. */
static inline void
pb_ints(bytes *b, unsigned field, const char *list)
{
	while (*list) {
		pb_int(b, field, strtoll(list, (char **)&list, 10));
		list += *list == ',';
	}
}

/* As the reader takes it. */
static inline struct sn_wire_bytes
onnx_wire(bytes m)
{
	return (struct sn_wire_bytes){ "m.onnx", (const uint8_t *)m.text, m.len };
}

/* ---- messages of ONNX ---- */

enum { ONNX_F32 = 1, ONNX_U8 = 2, ONNX_I8 = 3, ONNX_I32 = 6, ONNX_I64 = 7, ONNX_STRING = 8,
       ONNX_BOOL = 9, ONNX_F16 = 10, ONNX_F64 = 11, ONNX_U64 = 13, ONNX_C64 = 14, ONNX_U4 = 21 };

/* TensorProto with raw data; RAW NULL: none. */
static inline bytes
onnx_tensor(struct sn_arena *a, const char *name, int type, const char *dims, const void *raw,
	    size_t n)
{
	bytes t = pb_new(a);
	pb_ints(&t, 1, dims);
	pb_int(&t, 2, type);
	pb_text(&t, 8, name);
	if (raw)
		pb_bytes(&t, 9, raw, n);
	return t;
}

/* ValueInfoProto; DIMS "1,N,?" has numbers and names, NULL is no shape at all. */
static inline bytes
onnx_value(struct sn_arena *a, const char *name, int type, const char *dims)
{
	bytes shape = pb_new(a), tensor = pb_new(a), t = pb_new(a), v = pb_new(a);
	for (const char *p = dims; p && *p;) {
		bytes d = pb_new(a);
		size_t n = strcspn(p, ",");
		if ((*p >= '0' && *p <= '9') || *p == '-')
			pb_int(&d, 1, atoll(p));
		else
			pb_bytes(&d, 2, p, n);
		pb_message(&shape, 1, d);
		p += n + (p[n] == ',');
	}
	pb_int(&tensor, 1, type);
	if (dims)
		pb_message(&tensor, 2, shape);
	pb_message(&t, 1, tensor);
	pb_text(&v, 1, name);
	pb_message(&v, 2, t);
	return v;
}

static inline bytes
onnx_node(struct sn_arena *a, const char *type, const char *inputs, const char *outputs)
{
	bytes n = pb_new(a);
	pb_list(&n, 1, inputs);
	pb_list(&n, 2, outputs);
	pb_text(&n, 4, type);
	return n;
}

static inline bytes
onnx_attr(struct sn_arena *a, const char *name, int type)
{
	bytes t = pb_new(a);
	pb_text(&t, 1, name);
	pb_int(&t, 20, type);
	return t;
}

static inline void
onnx_attr_int(bytes *node, const char *name, int64_t x)
{
	bytes t = onnx_attr(node->arena, name, 2);
	pb_int(&t, 3, x);
	pb_message(node, 5, t);
}

static inline void
onnx_attr_float(bytes *node, const char *name, float x)
{
	bytes t = onnx_attr(node->arena, name, 1);
	pb_float(&t, 2, x);
	pb_message(node, 5, t);
}

static inline void
onnx_attr_text(bytes *node, const char *name, const char *x)
{
	bytes t = onnx_attr(node->arena, name, 3);
	pb_text(&t, 4, x);
	pb_message(node, 5, t);
}

static inline void
onnx_attr_ints(bytes *node, const char *name, const char *list)
{
	bytes t = onnx_attr(node->arena, name, 7);
	pb_ints(&t, 8, list);
	pb_message(node, 5, t);
}

static inline void
onnx_attr_tensor(bytes *node, const char *name, bytes tensor)
{
	bytes t = onnx_attr(node->arena, name, 4);
	pb_message(&t, 5, tensor);
	pb_message(node, 5, t);
}

static inline void
onnx_opset(bytes *b, unsigned field, const char *domain, int64_t version)
{
	bytes o = pb_new(b->arena);
	pb_text(&o, 1, domain);
	pb_int(&o, 2, version);
	pb_message(b, field, o);
}

/* ModelProto of a graph, of one opset of ai.onnx. */
static inline bytes
onnx_model(struct sn_arena *a, bytes graph, int opset)
{
	bytes m = pb_new(a);
	pb_int(&m, 1, 8);
	onnx_opset(&m, 8, "", opset);
	pb_message(&m, 7, graph);
	return m;
}

#endif
