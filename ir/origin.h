/*
 * Origins: which nodes of the model something came from.
 *
 * Every node, comprehension and loop statement carries one; fusing joins them.
 * Messages, emitted comments, profiles and pictures use them.
 */
#ifndef IR_ORIGIN_H
#define IR_ORIGIN_H

#include "support/arena.h"
#include "support/buf.h"
#include "support/diag.h"

struct sn_origin_node {
	const char *file; /* model file */
	const char *op;	  /* ONNX operator type */
	const char *name; /* node name, "" if it has none */
	int index;	  /* node number in its graph */
};

/* A set of nodes in order of index; immutable. */
struct sn_origin {
	int n;
	const struct sn_origin_node *const *nodes;
};

const struct sn_origin *
sn_origin_of(struct sn_arena *a, const char *file, const char *op, const char *name, int index);
const struct sn_origin *sn_origin_join(struct sn_arena *a, const struct sn_origin *x,
				       const struct sn_origin *y); /* either may be NULL */

/* "Conv 'conv1', Relu 'relu0'" */
void sn_origin_print(struct sn_buf *out, const struct sn_origin *o);
struct sn_where sn_origin_where(const struct sn_origin *o);

#endif
