/*
 * Versions end here: adapters bring older forms of operators to the newest.
 *
 * A row of frontend/adapt.def names an operator, the first opset that no longer
 * needs the adapter, and the function.  A node of an older opset passes through
 * every row of its operator that is ahead of it, oldest first; an adapter may
 * also rename the node and is followed by the new operator's later rows.
 *
 * An adapter changes the raw node in place and may emit nodes before it; it
 * reports and returns false where the newest form cannot say the same.
 */
#ifndef FRONTEND_ADAPT_H
#define FRONTEND_ADAPT_H

#include "frontend/reader.h"

bool sn_adapt(struct sn_raw_node *n);

#define ADAPT(type, before, name) bool sn_adapt_##name(struct sn_raw_node *n);
#include "frontend/adapt.def"
#undef ADAPT

/* Attributes of a raw node, by name; NULL or the default if absent. */
struct sn_raw_attr *sn_raw_attr(const struct sn_raw_node *n, const char *name);
int64_t sn_raw_int(const struct sn_raw_node *n, const char *name, int64_t def);
const char *sn_raw_str(const struct sn_raw_node *n, const char *name);
void sn_raw_drop(struct sn_raw_node *n, const char *name);
void sn_raw_drop_all(struct sn_raw_node *n);
void sn_raw_set_int(struct sn_raw_node *n, const char *name, int64_t x);
void sn_raw_set_float(struct sn_raw_node *n, const char *name, float x);
void sn_raw_set_str(struct sn_raw_node *n, const char *name, const char *s);

/* Takes the attribute away and gives it as a constant: i64[n] of ints, i64[1] of an int, f32[n] of
 * floats; NULL if it is absent. */
struct sn_value *sn_raw_take(struct sn_raw_node *n, const char *name);

/* Operands. Setting one beyond the end fills with absent ones. */
struct sn_value *sn_raw_in(const struct sn_raw_node *n, size_t i);
void sn_raw_set_in(struct sn_raw_node *n, size_t i, struct sn_value *v);
bool sn_raw_wants(const struct sn_raw_node *n, size_t result);

/* Constants and nodes before the raw node; the node has one result and attributes at defaults. */
struct sn_value *sn_raw_const(struct sn_raw_node *n, enum sn_dtype t, int rank, int64_t count,
			      const union sn_num *x);
struct sn_value *sn_raw_ints(struct sn_raw_node *n, const int64_t *x, int count);
struct sn_node *sn_raw_emit(struct sn_raw_node *n, enum sn_graph_op op,
			    struct sn_value *const *in, int nin);

/* V's type as inference knows it at this point; rank -1 or DT_NONE where it doesn't. */
const struct sn_type *sn_raw_type(struct sn_raw_node *n, struct sn_value *v);

/* "this form can't be brought to the newest: WHY"; returns false. */
bool sn_raw_refuse(const struct sn_raw_node *n, const char *why);

#endif
