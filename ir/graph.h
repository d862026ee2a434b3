/*
 * Graph level: what is computed, in the newest meaning of ONNX operators.
 *
 * A graph in SSA form.  Nodes and values are arena objects linked by pointers,
 * each with a dense id, so that a pass's side table is an array.  An operand
 * slot *is* the use record; only the functions below write edges, so the use
 * lists are never stale.  Nodes stand in a doubly linked list in an order in
 * which every operand is defined before it is used.
 */
#ifndef IR_GRAPH_H
#define IR_GRAPH_H

#include "ir/attrs.h"
#include "ir/data.h"
#include "ir/origin.h"
#include "ir/require.h"
#include "ir/type.h"
#include "support/vec.h"

enum sn_graph_op {
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) id,
#include "ir/ops.def"
	GR_COUNT
};

struct sn_graph_op_info {
	const char *domain, *name, *since, *traits;
	enum sn_attr_set attrs;
	int min_in, max_in, min_out, max_out; /* max -1: no limit */
};

const struct sn_graph_op_info *sn_graph_op_info(enum sn_graph_op op);
/* GR_COUNT if unknown. DOMAIN "" is ai.onnx. For readers only (frontend, parser of the text form). */
enum sn_graph_op sn_graph_op_by_name(const char *domain, const char *name);

struct sn_node;
struct sn_graph;

/* An operand slot. */
struct sn_use {
	struct sn_value *value; /* NULL: absent optional operand */
	struct sn_node *node;	/* the reader; NULL: a graph output */
	int slot;
	struct sn_use *next, *prev; /* other uses of the value */
};

struct sn_value {
	int id;		  /* dense in the graph */
	const char *name; /* unique in the graph, never "" */
	struct sn_type type;
	struct sn_node *def; /* NULL: input or constant */
	int def_index;
	struct sn_use *uses;
	const struct sn_data *data;	    /* a constant (initialiser or folded) */
	const struct sn_expr *const *known; /* elements of a small integer tensor as dimension
						 * expressions, in order; NULL when not known */
	int nknown;
};

struct sn_node {
	int id;
	enum sn_graph_op op;
	int nin, nout;
	struct sn_use *in;     /* nin slots */
	struct sn_value **out; /* nout results; NULL: result not wanted */
	void *attrs;	       /* struct sn_attrs_<set> of the operator's row */
	const struct sn_origin *origin;
	struct sn_graph *graph;
	struct sn_node *next, *prev;
	struct sn_graph **regions; /* bodies of If, Loop, Scan */
	int nregions;
};

struct sn_graph {
	const char *name;
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_map names; /* of values */
	struct sn_node *first, *last;
	SN_VEC(struct sn_value *) inputs;  /* in declared order, without constants */
	SN_VEC(struct sn_use *) outputs;   /* in declared order; slots with node NULL */
	SN_VEC(const char *) output_names; /* as declared (a value may be output twice) */
	int nnodes, nvalues;		   /* bounds of ids */
	struct sn_requires requires;	   /* what inference took for granted (outermost graph) */
	struct sn_graph *outer;		   /* region: the graph around; values of it may be read */
};

struct sn_graph *sn_graph_new(struct sn_arena *a, struct sn_pool *p, const char *name);

/* A new value; a taken name gets a suffix. NAME NULL makes one up. */
struct sn_value *sn_value_new(struct sn_graph *g, const char *name, const struct sn_type *type);
struct sn_value *sn_graph_add_input(struct sn_graph *g, const char *name, const struct sn_type *t);
struct sn_value *sn_graph_add_const(struct sn_graph *g, const char *name, const struct sn_type *t,
				    const struct sn_data *data);
void sn_graph_add_output(struct sn_graph *g, struct sn_value *v, const char *name);
void sn_graph_set_output(struct sn_graph *g, int i, struct sn_value *v);

/* A new node with NIN operands (entries may be NULL) and NOUT fresh results of unknown type, at the
 * end or before BEFORE; attributes at their defaults. Results are renamed by sn_value_rename. */
struct sn_node *sn_node_new(struct sn_graph *g, enum sn_graph_op op, struct sn_value *const *in,
			    int nin, int nout, const struct sn_origin *origin);
struct sn_node *
sn_node_new_before(struct sn_node *before, enum sn_graph_op op, struct sn_value *const *in, int nin,
		   int nout, const struct sn_origin *origin);
/* A body for N (then_branch, else_branch; body), after those it has: an empty graph inside N's. */
struct sn_graph *sn_node_add_region(struct sn_node *n, const char *name);
void sn_node_set_input(struct sn_node *n, int slot, struct sn_value *v);
/* A taken name gets a suffix; NULL makes one up. */
void sn_value_rename(struct sn_graph *g, struct sn_value *v, const char *name);
/* Exactly that name, which must be free in G itself (an outer value of it is hidden); NULL: gives
 * up the name it has. For the parser; else use sn_value_rename. */
void sn_value_set_name(struct sn_graph *g, struct sn_value *v, const char *name);

/* All uses of OLD (graph outputs too) read NEW from now on. */
void sn_value_replace(struct sn_value *old, struct sn_value *new_value);

/* Unlinks N, whose results must have no uses; N->graph is NULL from then on. */
void sn_node_remove(struct sn_node *n);
void sn_node_move(struct sn_node *n, struct sn_node *before);
bool sn_value_is_output(const struct sn_value *v);
int sn_value_nuses(const struct sn_value *v);

static inline bool
sn_value_is_const(const struct sn_value *v)
{
	return v && v->data;
}
static inline struct sn_value *
sn_in(const struct sn_node *n, int i)
{
	return i < n->nin ? n->in[i].value : NULL;
}
#define sn_attrs(n, set) ((const struct sn_attrs_##set *)(n)->attrs)

#define SN_FOR_NODES(g, n) \
	for (struct sn_node *n = (g)->first, *n##_next; n && (n##_next = n->next, 1); n = n##_next)
#define SN_FOR_USES(v, u) \
	for (struct sn_use *u = (v)->uses, *u##_next; u && (u##_next = u->next, 1); u = u##_next)

/* Elements of a small integer constant or known value; false if not known as numbers. */
bool sn_value_ints(const struct sn_value *v, struct sn_arena *a, int64_t **out, int *out_n);

/* Text form (docs/ir.md): follows ONNX's textual syntax; constants of more than 16 elements print
 * as a hash unless WITH_DATA. Parsing reports into DIAGS and returns NULL on error. */
void sn_graph_print(struct sn_buf *out, const struct sn_graph *g, bool with_data);
void sn_node_print(struct sn_buf *out, const struct sn_node *n); /* its line, for messages */
/* "   12 | y = Conv <group = 1> (x, w)" with the node's number and a caret under operand OPERAND (-1:
 * none) in a line below. */
void sn_node_print_excerpt(struct sn_buf *out, const struct sn_node *n, int operand);
struct sn_graph *sn_graph_parse(const char *text, const char *file, struct sn_arena *a,
				struct sn_pool *p, struct sn_diags *diags);
/* The same from where X stands; X goes on after the graph. */
struct sn_lex;
struct sn_graph *sn_graph_parse_from(struct sn_lex *x, struct sn_arena *a, struct sn_pool *p);

/* Checks use lists, order, arity, types by inferring again; reports all errors. */
bool sn_graph_verify(struct sn_graph *g, struct sn_diags *diags);

#endif
