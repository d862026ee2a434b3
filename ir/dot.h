/*
 * Pictures: text in the DOT language of graphviz, the same for the same module.
 *
 * A level is turned into a picture (nodes, edges, clusters), and one printer
 * writes pictures: one colour per family of operators, a cluster per kernel,
 * shapes on edges, each constant beside its reader, and a named stub at both
 * ends in place of an edge over more than SN_DOT_RANKS ranks.
 */
#ifndef IR_DOT_H
#define IR_DOT_H

#include "ir/module.h"

enum { SN_DOT_RANKS = 8 };

void sn_graph_dot(struct sn_buf *out, const struct sn_graph *g);

/* PLAN may be NULL; with it kernels stand in the order of execution and tensors have their places in
 * the arena. */
void sn_program_dot(struct sn_buf *out, const struct sn_program *pr, const struct sn_plan *plan);

/* The highest level that M has reached. */
void sn_module_dot(struct sn_buf *out, const struct sn_module *m);

/* ---- pictures ---- */

enum sn_family {
	FA_MAP,		/* element by element */
	FA_CONTRACTION, /* sums of products: convolution, matrix product */
	FA_REDUCTION,
	FA_WINDOW, /* pooling, resizing */
	FA_NORM,
	FA_MOVE,  /* reshape, transpose, slice, concat, gather */
	FA_QUANT, /* between integers and floats */
	FA_VALUE, /* inputs and outputs */
	FA_CONST,
	FA_OTHER,
	FA_COUNT
};

struct sn_dot_node {
	const char *id, *label;
	enum sn_family family;
	int cluster; /* index, -1: none */
	int rank;    /* set by the printer */
};

/* From an earlier node to a later one. */
struct sn_dot_edge {
	int from, to;
	const char *name, *label; /* name: of a stub */
};

struct sn_dot_cluster {
	const char *label;
	int outer; /* the cluster around it, -1: none; it stands before */
};

struct sn_picture {
	struct sn_arena *arena;
	const char *name;
	SN_VEC(struct sn_dot_node) nodes;
	SN_VEC(struct sn_dot_edge) edges; /* those into a node before those out of it */
	SN_VEC(struct sn_dot_cluster) clusters;
};

/* Returns the node's index. */
int sn_picture_node(struct sn_picture *p, const char *id, const char *label, enum sn_family family,
		    int cluster);
void sn_picture_edge(struct sn_picture *p, int from, int to, const char *name, const char *label);
void sn_picture_print(struct sn_buf *out, struct sn_picture *p);

#endif
