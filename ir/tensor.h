/*
 * Tensor level: meaning by index.
 *
 * A program is an ordered list of kernels; a kernel an ordered list of
 * comprehensions, its stages.  A comprehension computes, for every point of
 * its parallel axes, one or more results:
 *
 *	for n<1, m<64, h<56, w<56:
 *	  s = sum(c<64, r<3, s<3) (x[n, c, h+r-1, w+s-1] else 0) * k[m, c, r, s]
 *	  y[n, m, h, w] = max(s + b[m], 0)
 *
 * - Reads and stores carry one index expression per dimension.  A store index
 *   is affine and injective over the parallel axes; most are the axes
 *   themselves.  A tensor may be stored by several comprehensions into
 *   disjoint parts (that is all that Concat is); a part may be read once it is
 *   stored, the whole after the last.
 * - A read may have an outside value, taken when an index is out of range; a
 *   read without one is proved in range.
 * - The value of a result is an expression over the axes, reads, and the states
 *   of at most one reduction (EX_STATE).  A reduction is a reducer (state
 *   tuple, init, step, merge) applied to argument expressions over parallel
 *   and reduction axes.  A reducer without merge is ordered.
 *
 * The tensor level says nothing of layout or loops; a tensor's place
 * (scratch, view, layout) is decided later and stored beside, and the
 * interpreter ignores it.
 */
#ifndef IR_TENSOR_H
#define IR_TENSOR_H

#include "ir/data.h"
#include "ir/expr.h"
#include "ir/origin.h"
#include "ir/require.h"
#include "ir/type.h"
#include "support/diag.h"
#include "support/vec.h"

struct sn_layout;
struct sn_kernel;

enum sn_tensor_role { TR_INPUT, TR_OUTPUT, TR_CONST, TR_TEMP };

/* Where the elements live; decided by fusing (SCRATCH) and by the storage pass. */
enum sn_tensor_store {
	TS_OWN,	    /* memory of its own: arena, caller's, or weights */
	TS_VIEW,    /* elements of BASE: index map below */
	TS_INPLACE, /* the memory of BASE, which is dead afterwards, same layout */
	TS_SCRATCH, /* inside its kernel only, one slice for each point of the kernel's shared axes */
};

/* Of programs for a device: what runs on the host all the same, and the copies between both
 * (passes/place_kernels.c). Programs for a CPU know the target alone. */
enum sn_place {
	PLACE_TARGET,
	PLACE_HOST,
	PLACE_TRANSFER, /* of kernels: copies a whole tensor from one to the other */
};

struct sn_tensor {
	int id; /* dense in the program */
	const char *name;
	struct sn_type type;
	enum sn_tensor_role role;
	int role_index;		    /* which input or output */
	const struct sn_data *data; /* TR_CONST */
	enum sn_tensor_store store;
	struct sn_tensor *base;		   /* TS_VIEW, TS_INPLACE */
	const struct sn_expr *base_offset; /* TS_VIEW: elements from base's start (after layout) */
	const struct sn_layout *layout;	   /* NULL: row-major, dense (ir/layout.h) */
	enum sn_place place;		   /* of temporaries; constants are in both memories */
	const struct sn_origin *origin;
};

/* A way to combine many values into one state tuple. */
struct sn_reducer {
	const char *name; /* "sum", "max", "argmax", ...; see ir/reduce.def */
	int nstates, nargs;
	enum sn_dtype state_types[4], arg_types[4];
	const struct sn_expr *init[4];
	const struct sn_expr *step[4]; /* over EX_STATE and EX_ARG */
	const struct sn_expr
		*merge[4]; /* over EX_STATE (earlier) and EX_OTHER (later); [0] NULL: ordered */
};

/* The built-in reducers for element type T (ir/reduce.def): sum prod max min and or; argmax argmin
 * (arguments and states: value, index; ties keep the smaller index) argmax_last argmin_last.  NULL
 * if there is none of that name for T. */
const struct sn_reducer *sn_reducer(struct sn_pool *p, const char *name, enum sn_dtype t);

enum { SN_MAX_AXES = 16, SN_MAX_RESULTS = 4 };

struct sn_result {
	struct sn_tensor *tensor;
	const struct sn_expr *idx[SN_MAX_RANK]; /* store index, over the parallel axes */
	const struct sn_expr *value;
};

struct sn_comp {
	int naxes, nred;
	const struct sn_axis *axes[SN_MAX_AXES]; /* parallel, outermost first */
	const struct sn_axis *red[SN_MAX_AXES];	 /* reduction, in the order of summing */
	const struct sn_reducer *reducer;	 /* NULL when nred is 0 and no state is used */
	const struct sn_expr *args[4];		 /* of the reducer, over axes and red */
	int nresults;
	struct sn_result results[SN_MAX_RESULTS];
	const struct sn_origin *origin;
};

/*
 * The first NSHARED parallel axes of every stage are the same axis objects: the
 * kernel's shared axes.  A scratch tensor lives for one point of them, so its
 * store and its reads use them unchanged in the leading dimensions.
 */
struct sn_kernel {
	int id;
	const char *name; /* C identifier, e.g. k03_conv_relu */
	int nshared;
	SN_VEC(struct sn_comp *) stages;
	const struct sn_origin *origin;
	enum sn_place place;
	const char *why; /* it runs on the host; NULL: it doesn't */
	/* chosen by the choose pass, see passes/schedule.h */
	const char *schedule; /* name of a row of passes/schedules.def; NULL: not chosen */
	SN_VEC(struct sn_knob {
		const char *name;
		int64_t value;
	})
	knobs;
};

struct sn_program {
	const char *name;
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_map names; /* taken ones: of tensors, and of kernels with a ':' before */
	int nkernels;	     /* bound of kernel ids */
	SN_VEC(struct sn_tensor *) tensors;
	SN_VEC(struct sn_kernel *) kernels; /* in order of execution */
	SN_VEC(struct sn_tensor *) inputs, outputs;
	struct sn_requires requires; /* checked before the first kernel */
	bool has_transfers;	     /* between host and device: memories are told apart */
};

struct sn_program *sn_program_new(struct sn_arena *a, struct sn_pool *p, const char *name);

/* A taken name gets a suffix, NULL makes one up. Inputs and outputs join the program's lists in the
 * order of making (role_index). */
struct sn_tensor *sn_tensor_new(struct sn_program *pr, const char *name, const struct sn_type *t,
				enum sn_tensor_role role);

/* Not yet in the program's list; a taken name gets a suffix. */
struct sn_kernel *sn_kernel_new(struct sn_program *pr, const char *name);
/* A new kernel for stage M of K alone, named after K, where K runs; not yet in the program's list. */
struct sn_kernel *
sn_kernel_of_stage(struct sn_program *pr, const struct sn_kernel *k, struct sn_comp *m);
void sn_kernel_rename(struct sn_program *pr, struct sn_kernel *k, const char *name);

/* The knob's value, DEF if it has not been set. */
int64_t sn_kernel_knob(const struct sn_kernel *k, const char *name, int64_t def);
void sn_kernel_set_knob(struct sn_program *pr, struct sn_kernel *k, const char *name, int64_t v);

/* Distinct tensors read or stored by a kernel, in order of first occurrence. */
struct sn_tensor_list {
	SN_VEC(struct sn_tensor *) list;
};
void sn_kernel_reads(const struct sn_kernel *k, struct sn_arena *a, struct sn_tensor_list *out);
void sn_kernel_stores(const struct sn_kernel *k, struct sn_arena *a, struct sn_tensor_list *out);

/* A copy of C with fresh axes (SUBST maps the old ones), for fusing and splitting. */
struct sn_comp *sn_comp_copy(struct sn_program *pr, const struct sn_comp *c);

/* Applies a substitution to every expression of C (indices, arguments, values). */
void sn_comp_subst(struct sn_comp *c, struct sn_subst *s);

/* Does C compute, reduce or store values of type T? */
bool sn_comp_has_dtype(const struct sn_comp *c, enum sn_dtype t, struct sn_arena *scratch);

/* Text form, docs/ir.md. Large constants print as a hash unless WITH_DATA. */
void sn_program_print(struct sn_buf *out, const struct sn_program *pr, bool with_data);
void sn_kernel_print(struct sn_buf *out, const struct sn_kernel *k);
struct sn_program *sn_program_parse(const char *text, const char *file, struct sn_arena *a,
				    struct sn_pool *p, struct sn_diags *diags);

/* Checks axes, types, ranges of reads, store coverage where extents are constants, one writer per
 * element, order; reports all errors. */
bool sn_program_verify(struct sn_program *pr, struct sn_diags *diags);

/*
 * The interpreter: evaluates kernels in order, in rows of up to 256 values of
 * the innermost parallel axis.  Sums run in the order of the reduction axes.
 * ALL_F64 computes every floating type in double (the judge).  IN and OUT are
 * row-major element data in the types of the program's inputs and outputs
 * (f64 for floats when ALL_F64 and OUT_F64).  DIMS gives each symbol's value
 * by id.  Intermediate tensors live in SCRATCH.  Reports index errors and
 * returns false.
 */
struct sn_interp_opts {
	bool is_all_f64;
	const int64_t *syms; /* by symbol id */
	/* called after each kernel with the tensor just completed, or NULL */
	void (*watch)(void *arg, const struct sn_kernel *k, const struct sn_tensor *t,
		      const void *data, bool is_f64);
	void *arg;
};
struct sn_array {
	enum sn_dtype dtype;
	size_t n;
	void *bytes;
};
bool sn_program_interp(const struct sn_program *pr, const struct sn_interp_opts *o,
		       const struct sn_array *in, struct sn_array *out, struct sn_arena *scratch,
		       struct sn_diags *diags);

#endif
