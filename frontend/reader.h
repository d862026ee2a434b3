/*
 * The reader at work: what the parts of the frontend share.
 *
 * A model is read node by node.  Each becomes a raw node (operands as values,
 * attributes as ONNX has them), adapters bring it to the newest form
 * (frontend/adapt.h), and it is finished into a node of the graph.
 */
#ifndef FRONTEND_READER_H
#define FRONTEND_READER_H

#include "frontend/onnx_data.h"
#include "frontend/onnx_import.h"

struct Pb__AttributeProto;
struct Pb__FunctionProto;
struct Pb__GraphProto;
struct Pb__ModelProto;
struct Pb__NodeProto;
struct Pb__OperatorSetIdProto;
struct Pb__TypeProto;
struct Pb__ValueInfoProto;

enum {
	SN_READER_NODES = 500000,	/* most nodes, functions inlined */
	SN_READER_CALLS = 64,		/* most functions within functions */
};

/* --shape and --dim, parsed. */
struct sn_pin {
	const char *text, *name;
	int rank;			/* of a shape; a dimension has one entry */
	int64_t dims[SN_MAX_RANK];	/* -1: left open */
	bool is_shape, is_used;
};

/* One model being read. */
struct sn_reader {
	const char *file;
	struct sn_arena *arena;		/* of the graph */
	struct sn_arena *scratch;	/* gone after the import */
	struct sn_pool *pool;
	struct sn_diags *diags;
	struct sn_data_source data;
	struct sn_map functions;	/* by sn_function_key */
	struct sn_map syms;		/* struct sn_sym by name */
	struct sn_map unknown;		/* struct sn_unknown by operator */
	SN_VEC(struct sn_pin) pins;
	int64_t ir_version;
	int nodes;			/* read so far, functions inlined */
};

/* An operator that nobody knows, and how often it occurs. */
struct sn_unknown {
	const char *domain, *type;
	struct sn_where where;
	int n;
};

/* What a name stands for; value NULL is an absent optional operand of a function. */
struct sn_binding { struct sn_value *value; };

/* A call that is being inlined. */
struct sn_call {
	const struct sn_call *outer;
	const struct Pb__FunctionProto *function;
	const struct sn_raw_attr *attrs;	/* as given, then defaults */
	size_t nattrs;
};

/* Names that are visible at one place: of a graph, a region, or a function's body. */
struct sn_scope {
	struct sn_reader *reader;
	struct sn_graph *graph;			/* where nodes go */
	const struct sn_scope *outer;		/* region: the names around it */
	const struct sn_call *call;		/* inside a function's body */
	const char *prefix;			/* of names of values, "" outside functions */
	const struct sn_opset *opsets;
	size_t nopsets;
	struct sn_map values;			/* struct sn_binding by name */
	struct Pb__NodeProto *const *nodes;	/* being read */
	size_t nnodes;
	struct sn_map writers;			/* index + 1 of the node that writes a name */
	struct sn_node *inferred;		/* types are known up to this node (adapters) */
};

/* The numbers are AttributeProto.type's. */
enum sn_raw_kind {
	RA_NONE, RA_FLOAT, RA_INT, RA_STRING, RA_TENSOR, RA_GRAPH, RA_FLOATS, RA_INTS, RA_STRINGS,
	RA_TENSORS, RA_GRAPHS, RA_SPARSE, RA_SPARSES, RA_TYPE, RA_TYPES, RA_COUNT
};

struct sn_raw_attr {
	const char *name;
	enum sn_raw_kind kind;
	int64_t i;
	float f;
	const char *s;
	struct sn_ints ints;
	struct sn_floats floats;
	struct sn_strs strs;
	struct sn_attr_tensor tensor;		/* sparse ones as well */
	const struct Pb__GraphProto *graph;
	const struct sn_scope *scope;		/* whose names the graph may read */
};

struct sn_raw_node {
	struct sn_scope *scope;
	const char *domain, *type, *name;
	int version;				/* opset of its form, adapters raise it */
	int opset;				/* as the model says */
	SN_VEC(struct sn_value *) in;		/* NULL: absent */
	SN_VEC(const char *) out;		/* names; "" and NULL: not wanted */
	SN_VEC(struct sn_raw_attr) attrs;
	const struct sn_origin *origin;
};

/* onnx_graph.c: reads the inputs, constants, nodes and outputs of a graph into scope->graph. */
bool sn_read_graph(struct sn_scope *s, const struct Pb__GraphProto *g);
bool sn_read_nodes(struct sn_scope *s, struct Pb__NodeProto *const *nodes, size_t n);

/* Binds NAME to V (NULL: absent); false after a report if it is taken in this scope. */
bool sn_scope_bind(struct sn_scope *s, struct sn_where where, const char *name,
		   struct sn_value *v);
/* What NAME stands for here or further out, or NULL. */
const struct sn_binding *sn_scope_find(const struct sn_scope *s, const char *name);

/* onnx_order.c: says why NAME, read by node INDEX of scope S, is not known there. */
bool sn_report_unknown_name(const struct sn_scope *s, int index, struct sn_where where,
			    const char *name);
void sn_scope_index_writers(struct sn_scope *s);

/* onnx_node.c: reads one node, with all that it expands to. */
bool sn_read_node(struct sn_scope *s, const struct Pb__NodeProto *p, int index);
/* Notes the unknown operators of a body that is not read. */
void sn_note_unknown_inside(struct sn_scope *s, const struct Pb__GraphProto *g);

/* onnx_attr.c */
bool sn_read_attr(struct sn_scope *s, const struct Pb__AttributeProto *p, struct sn_where where,
		  struct sn_raw_attr *out);
const char *sn_raw_kind_text(enum sn_raw_kind kind);

/* onnx_function.c */
bool sn_read_functions(struct sn_reader *r, const struct Pb__ModelProto *m);
const struct Pb__FunctionProto *sn_find_function(const struct sn_reader *r,
						 const struct Pb__NodeProto *p);
bool sn_inline_call(struct sn_raw_node *n, const struct Pb__FunctionProto *f);

/* onnx_import.c: opset imports, domain "ai.onnx" as ""; returns their number. */
size_t sn_read_opsets(struct sn_reader *r, struct Pb__OperatorSetIdProto *const *list, size_t n,
		    struct sn_opset **out);
const char *sn_domain_text(const char *domain);

/* onnx_type.c: types of inputs (unknown dimensions become symbols), of constants, and of other
 * declared values (unknown dimensions NULL). Spreading: a shape given for one input fixes the
 * names in it for all. */
bool sn_spread_pins(struct sn_reader *r, struct Pb__ValueInfoProto *const *inputs, size_t n);
bool sn_read_input_type(struct sn_reader *r, const struct Pb__ValueInfoProto *p, int input,
			struct sn_type *out);
bool sn_read_declared_type(struct sn_reader *r, const struct Pb__TypeProto *p,
			   struct sn_type *out);
struct sn_type sn_tensor_type(struct sn_pool *p, enum sn_dtype t, int rank, const int64_t *dims);

/* pins.c: parses the options; applies shapes to the dimensions' names of one input; reports pins
 * that nothing used. */
bool sn_pins_parse(struct sn_reader *r, const struct sn_import_opts *o);
struct sn_pin *sn_pin_find(struct sn_reader *r, const char *name, bool is_shape);
/* The value given for dimension NAME, or -1; and one more that follows from a shape. */
int64_t sn_pin_dim(struct sn_reader *r, const char *name);
void sn_pin_add_dim(struct sn_reader *r, const char *name, int64_t x);
bool sn_pins_check_used(struct sn_reader *r);

/* build.c: makes the node of the graph from a raw node in its newest form, binds its results. */
bool sn_raw_finish(struct sn_raw_node *n);
/* Unknown operators: counted while reading, each reported once at the end (true: none). */
void sn_note_unknown(struct sn_reader *r, const char *domain, const char *type,
		     struct sn_where where);
bool sn_report_unknown_ops(struct sn_reader *r);
/* Binds the names of N's results to values of unknown type, so that reading can go on. */
void sn_raw_bind_unknown(struct sn_raw_node *n);
struct sn_where sn_raw_where(const struct sn_raw_node *n);

#endif
