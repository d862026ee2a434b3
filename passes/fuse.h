/*
 * What the fusing passes share: who writes and reads each tensor, what a
 * comprehension costs, and the parts of fuse-map.
 */
#ifndef PASSES_FUSE_H
#define PASSES_FUSE_H

#include "ir/tensor.h"
#include "passes/pass.h"

/* Caps of one comprehension. */
enum { SN_FUSE_NODES = 256, SN_FUSE_READS = 32 };

struct sn_fuse_info {
	struct sn_comp *writer;	  /* the last one */
	struct sn_kernel *kernel; /* the last one's */
	int nwriters;
	int nreaders; /* comprehensions */
};

struct sn_fuse_read {
	const struct sn_expr *expr;
	bool is_in_args; /* read for every point of the reduction */
};

/* What one comprehension reads and computes. */
struct sn_fuse_reads {
	SN_VEC(struct sn_fuse_read) list; /* distinct expressions, in order of first occurrence */
	int nnodes;
	double cost; /* of all operations, once each; an addition is 1 */
};

struct sn_fuse {
	struct sn_program *program;
	struct sn_pool *pool;
	struct sn_arena *arena, *scratch;
	struct sn_fuse_info *info; /* by tensor id */
	int *position;		   /* in the program's list, by kernel id */
	uint32_t *seen;		   /* by expression id: the walk that was there last */
	size_t nseen;
	uint32_t *counted; /* the same by tensor id */
	uint32_t walk;
	struct sn_fuse_reads spare; /* reused by sn_fuse_count */
};

void sn_fuse_init(struct sn_fuse *f, struct sn_pass_ctx *c);

/* OUT's list is reused if it has room. */
void sn_fuse_reads(struct sn_fuse *f, const struct sn_comp *m, struct sn_fuse_reads *out);

/* Adds DELTA to the readers of every tensor that M reads; called with -1 before M is changed and
 * with +1 afterwards. */
void sn_fuse_count(struct sn_fuse *f, const struct sn_comp *m, int delta);

/* True if M reduces nothing: each result is an expression of reads. */
bool sn_fuse_is_map(const struct sn_comp *m);

/* The result of M that stores T. */
struct sn_result *sn_fuse_result(struct sn_comp *m, const struct sn_tensor *t);

/* Cost of computing E once, its reads free. */
double sn_fuse_cost(struct sn_fuse *f, const struct sn_expr *e);

/* Extent or size as a number; unknown ones count as 64. */
double sn_fuse_size(const struct sn_expr *extent);
double sn_fuse_elements(const struct sn_tensor *t);

/* 0 <= IDX < extent in every dimension of T, proved. */
bool
sn_fuse_in_range(struct sn_pool *p, const struct sn_tensor *t, const struct sn_expr *const *idx);

/* Takes stage M, nobody's reader any more, out of K, and its reads out of the counts. */
void sn_fuse_drop_stage(struct sn_fuse *f, struct sn_kernel *k, const struct sn_comp *m);

/* Stage number of M in K; -1 if it is not there. */
int sn_fuse_stage(const struct sn_kernel *k, const struct sn_comp *m);

/* K does the work of FIRST and then SECOND (one of them K itself): it gets the name and origin. */
void sn_fuse_name(struct sn_fuse *f, struct sn_kernel *k, const struct sn_kernel *first,
		  const struct sn_kernel *second);

/* Takes kernels without stages out of the program. */
void sn_fuse_sweep(struct sn_program *pr);

/* passes/fuse_inline.c: producers into M, a stage of K. True if anything changed. */
bool sn_fuse_inline(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m);

/* passes/fuse_merge.c: map M, a stage of K, into one of its producers. True if it is gone. */
bool sn_fuse_merge(struct sn_fuse *f, struct sn_kernel *k, struct sn_comp *m);

/*
 * passes/fuse_invert.c: turns an index map around.  G[d] is the index in
 * dimension d of T over AXES, AT[d] an element's index in T; *out[i] is the
 * value of AXES[i] for which G gives AT.  False if G is not a rearrangement of
 * digits that meets every element of T once.
 */
struct sn_index_map {
	const struct sn_axis *const *axes;
	int naxes;
	const struct sn_tensor *tensor;
	const struct sn_expr *const *g;
};
bool sn_fuse_invert(struct sn_pool *p, const struct sn_index_map *map,
		    const struct sn_expr *const *at, const struct sn_expr **out);

/* True if E is a sum of axes and symbols and products of them. */
bool sn_fuse_is_affine(const struct sn_expr *e);

#endif
