/*
 * From ONNX to the graph level: the frontend's public entry.
 *
 * All versions of all operators end here: the graph that comes out speaks the
 * newest meaning only.  Dimensions that the model leaves open become symbols
 * of at least 1: dim_param names are shared, and each unnamed one ('-1', '?',
 * no name) is a symbol of its own, named after input and axis ("x_0").
 */
#ifndef FRONTEND_ONNX_IMPORT_H
#define FRONTEND_ONNX_IMPORT_H

#include "frontend/onnx_wire.h"
#include "ir/graph.h"

enum {
	SN_ONNX_IR_NEWEST = 13,		/* IR versions up to */
	SN_ONNX_OPSET_NEWEST = 27,	/* opsets of ai.onnx up to */
};

struct sn_opset { const char *domain; int64_t version; };	/* domain "" is ai.onnx */
struct sn_meta { const char *key, *value; };

/* What a model says about itself; all strings are the arena's, "" if absent. */
struct sn_model_info {
	int64_t ir_version, model_version;
	const char *producer, *producer_version, *domain, *doc, *graph_name;
	SN_VEC(struct sn_opset) opsets;
	SN_VEC(struct sn_meta) metadata;
	int nodes, functions;		/* as written in the file, bodies not counted */
};

/* Options of an import; zeroes are fine. */
struct sn_import_opts {
	const char *const *shapes;	/* "x=1x3x224x224": the input's shape, '?' leaves an axis */
	int nshapes;
	const char *const *dims;	/* "N=8": a dimension, everywhere */
	int ndims;
	struct sn_model_info *info;	/* filled if not NULL */
};

/*
 * Reads the model at PATH. The graph, and the mapped files that its constants
 * are views of, live as long as arena A. NULL after reporting all that is wrong
 * with the model; O may be NULL.
 */
struct sn_graph *sn_onnx_import(const char *path, const struct sn_import_opts *o,
				struct sn_arena *a, struct sn_pool *p, struct sn_diags *d);

/* The same from bytes in memory, which must outlive the arena; b->file stands in messages. There is
 * no folder, so external data is refused. */
struct sn_graph *sn_onnx_import_bytes(const struct sn_wire_bytes *b, const struct sn_import_opts *o,
				      struct sn_arena *a, struct sn_pool *p, struct sn_diags *d);

#endif
