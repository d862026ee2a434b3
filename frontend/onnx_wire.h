/*
 * The first walk over a model's bytes, before protobuf-c sees any of them.
 *
 * protobuf-c copies every payload and recurses as deep as a file asks it to.
 * The walk follows the schema through the mapped file, checks it, and hands a
 * small skeleton to protobuf-c, in which the large payloads of tensors are
 * replaced by where they lie in the file.
 */
#ifndef FRONTEND_ONNX_WIRE_H
#define FRONTEND_ONNX_WIRE_H

#include "support/arena.h"
#include "support/diag.h"

enum {
	SN_WIRE_DEPTH = 64,		/* nested messages */
	SN_WIRE_MESSAGES = 1000000,	/* in one file */
	SN_WIRE_MEGABYTES = 512,	/* of skeleton, and of what protobuf-c makes of it */
	SN_WIRE_PAYLOAD = 64,		/* smallest payload that stays in the file, bytes */
};

struct sn_wire_bytes {
	const char *file;	/* name for messages */
	const uint8_t *data;
	size_t size;
};

struct Pb__ModelProto;
struct Pb__TensorProto;
struct Pb__SequenceProto;
struct Pb__OptionalProto;

/* The unpacked message in arena A, payloads of 64 bytes and more left out; NULL after a report. */
struct Pb__ModelProto *sn_wire_model(const struct sn_wire_bytes *b, struct sn_arena *a,
				     struct sn_diags *d);
struct Pb__TensorProto *sn_wire_tensor(const struct sn_wire_bytes *b, struct sn_arena *a,
				       struct sn_diags *d);
struct Pb__SequenceProto *sn_wire_sequence(const struct sn_wire_bytes *b, struct sn_arena *a,
					   struct sn_diags *d);
struct Pb__OptionalProto *sn_wire_optional(const struct sn_wire_bytes *b, struct sn_arena *a,
					   struct sn_diags *d);

#endif
