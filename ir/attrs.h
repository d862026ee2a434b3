/*
 * Attributes: one typed struct per set, everything else generated from ir/attrs.def.
 *
 * A set is shared by operators with the same attributes (Conv and ConvInteger).
 * The field table below drives the ONNX reader, printer, parser, equality and hash.
 */
#ifndef IR_ATTRS_H
#define IR_ATTRS_H

#include <stddef.h>
#include "ir/data.h"

enum sn_attr_kind { AT_INT, AT_FLOAT, AT_STR, AT_INTS, AT_FLOATS, AT_STRS, AT_DATA };

struct sn_ints {
	int n;
	const int64_t *v;
}; /* n < 0: absent */
struct sn_floats {
	int n;
	const float *v;
};
struct sn_strs {
	int n;
	const char *const *v;
};

/* The C type behind each kind. AT_DATA is a tensor attribute. */
struct sn_attr_tensor {
	const struct sn_data *data;
	int rank;
	int64_t dims[8];
};
typedef int64_t sn_attr_INT;
typedef float sn_attr_FLOAT;
typedef const char *sn_attr_STR;
typedef struct sn_ints sn_attr_INTS;
typedef struct sn_floats sn_attr_FLOATS;
typedef struct sn_strs sn_attr_STRS;
typedef struct sn_attr_tensor sn_attr_DATA;

#define ATTR_SET(set) struct sn_attrs_##set {
#define ATTR(set, kind, name, def) sn_attr_##kind name;
#define ATTR_END(set) \
	} \
	;
#include "ir/attrs.def"

enum sn_attr_set {
	AS_NONE,
#define ATTR_SET(set) AS_##set,
#define ATTR(set, kind, name, def)
#define ATTR_END(set)
#include "ir/attrs.def"
	AS_COUNT
};

struct sn_attr_field {
	const char *name; /* as in ONNX */
	enum sn_attr_kind kind;
	size_t offset;	 /* in the set's struct */
	const char *def; /* default as text: "1", "0.5", "NOTSET"; "-" required; "" absent */
};

struct sn_attr_layout {
	const char *name;
	size_t size;
	int nfields;
	const struct sn_attr_field *fields;
};
const struct sn_attr_layout *sn_attr_layout(enum sn_attr_set set);

/* A struct of the set with all defaults filled in (INT without one: INT64_MIN means absent). */
void *sn_attrs_new(struct sn_arena *a, enum sn_attr_set set);
bool sn_attr_is_absent(enum sn_attr_kind kind, const void *field);
bool sn_attr_equal(enum sn_attr_kind kind, const void *field, const void *other);
bool sn_attrs_equal(enum sn_attr_set set, const void *a, const void *b);
uint64_t sn_attrs_hash(enum sn_attr_set set, const void *a);

#endif
