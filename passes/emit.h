/*
 * From comprehensions to loop statements: what all schedules share.
 *
 * A schedule opens loops and says which loop expression stands for each axis;
 * this turns the reads of an expression into load statements (layout, scratch,
 * outside values) and results into stores.
 */
#ifndef PASSES_EMIT_H
#define PASSES_EMIT_H

#include "passes/schedule.h"

struct sn_emit_pair {
	const struct sn_expr *from, *to;
};

/* What stands for what at the present point: axes, and reads and states that are already in locals. */
struct sn_scope {
	SN_VEC(struct sn_emit_pair) pairs;
};

struct sn_emit {
	struct sn_sched_ctx *c;
	const struct sn_kernel *kernel;
	struct sn_builder *b;
	struct sn_map buffers;		 /* by tensor id */
	struct sn_map params;		 /* by tensor id: parameter number + 1 */
	SN_VEC(struct sn_tensor *) args; /* the tensor behind each parameter */
	const struct sn_map
		*elsewhere;	     /* scratch tensors that need no memory, by id + 1, or NULL */
	const struct sn_expr *slice; /* which slice of scratch is meant; NULL: the only one */
};

/* Makes a parameter for each distinct stored tensor that K reads or stores. */
void sn_emit_init(struct sn_emit *e, struct sn_sched_ctx *c, const struct sn_kernel *k,
		  struct sn_builder *b);

/* Where T is; NULL: nowhere yet. */
struct sn_buffer *sn_emit_buffer(struct sn_emit *e, const struct sn_tensor *t);

/* Does the kernel read tensors that it stores, too, itself or by another name? */
bool sn_emit_rereads(struct sn_emit *e);

/* Allocates the scratch tensors of the kernel, SLICES of each; of private ones, inside the shared axes'
 * loops, there is one. */
void sn_emit_scratch(struct sn_emit *e, enum sn_space space, int64_t slices);

void sn_scope_put(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *from,
		  const struct sn_expr *to);
void sn_scope_axis(struct sn_emit *e, struct sn_scope *s, const struct sn_axis *axis,
		   const struct sn_expr *to);

/* A copy that can grow without touching the original. */
struct sn_scope sn_scope_copy(struct sn_emit *e, const struct sn_scope *s);

/* X with the scope applied; reads that are not in the scope yet are loaded here and put into it. */
const struct sn_expr *sn_emit_expr(struct sn_emit *e, struct sn_scope *s, const struct sn_expr *x);

/* Indices from data in M that depend on nothing but what is in scope are checked here, so that it is not
 * done again in each inner loop. */
void sn_emit_checks(struct sn_emit *e, struct sn_scope *s, const struct sn_comp *m);

/* Element offset of a tensor's element in its buffer, indices already loop expressions. */
const struct sn_expr *
sn_emit_offset(struct sn_emit *e, const struct sn_tensor *t, const struct sn_expr *const *idx);

/* Says that the element at offset AT of a tensor that the kernel reads will be read soon. */
void sn_emit_prefetch(struct sn_emit *e, const struct sn_tensor *t, const struct sn_expr *at);

/* Stores result R of a stage; its value is emitted first. */
void sn_emit_result(struct sn_emit *e, struct sn_scope *s, const struct sn_result *r);

/* Loops that write FILL into the halo of every tensor that K is the first to store and whose layout has one. */
void sn_emit_halos(struct sn_emit *e);
bool sn_emit_has_halos(struct sn_emit *e); /* are there any? */

/* Which dimensions of a read may fall outside what its layout holds with the read's outside value. */
unsigned sn_read_guards(struct sn_pool *p, const struct sn_expr *read);

/* Distinct reads under X, operands first. */
struct sn_read_list {
	SN_VEC(const struct sn_expr *) list;
};
void sn_reads_of(const struct sn_expr *x, struct sn_arena *scratch, struct sn_read_list *out);

/* Reduction states as register buffers of rank RANK and extents DIMS; init stores, step applies ARGS. */
struct sn_acc {
	int n;
	struct sn_buffer *buf[4];
};
void sn_emit_acc_alloc(struct sn_emit *e, const struct sn_reducer *r, enum sn_space space, int rank,
		       const int64_t *dims, struct sn_acc *out);
void sn_emit_acc_init(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		      const struct sn_expr *const *idx);
void sn_emit_acc_step(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		      const struct sn_expr *const *idx, const struct sn_expr *const *args);
/* a := merge(a, b) at IDX of each. */
void sn_emit_acc_merge(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
		       const struct sn_expr *const *ia, const struct sn_acc *b,
		       const struct sn_expr *const *ib);
/* Loads the states into locals and puts EX_STATE i for them into the scope. */
void sn_emit_acc_states(struct sn_emit *e, const struct sn_reducer *r, const struct sn_acc *a,
			const struct sn_expr *const *idx, struct sn_scope *s);

#endif
