/*
 * Inside of the tensor interpreter (ir/interp*.c): rows, instructions, streams.
 *
 * A comprehension becomes a few flat lists of instructions.  Each computes one
 * value, either for a whole row of points (lanes) or once, when the value is
 * the same in all lanes.  The lanes are the innermost parallel axes, as many as
 * give at most ROW points.
 */
#ifndef IR_INTERP_H
#define IR_INTERP_H

#include "ir/tensor.h"

enum { ROW = 256 };

/* What a row's numbers are held in; floats other than f32 are doubles rounded after each operation. */
enum carrier { CR_F32, CR_F64, CR_I64 };

/* One value of the comprehension. */
struct slot {
	enum carrier carrier;
	enum sn_dtype dtype;
	bool is_row;   /* else one number for all lanes */
	int level;     /* when it is known: -1 before the reduction, else after that many axes */
	const void *p; /* where the numbers are now */
	void *buf;     /* its own memory; NULL: p points into a tensor or at an axis */
};

struct inst;
typedef void inst_fn(const struct inst *in, int n);

struct inst {
	inst_fn *run;
	enum sn_scalar_op op;
	enum sn_dtype dtype, result; /* of the operands, of the result */
	struct slot *dst, *src[3];
	struct stream *stream; /* reads and stores */
	struct interp *interp; /* of instructions that report */
};

struct code {
	SN_VEC(struct inst) list;
};

/* The points of a row: an odometer of axes, the last one fastest. */
struct lanes {
	int n, naxes;
	int64_t size[SN_MAX_AXES]; /* now; only size[0] changes (last chunk of an axis) */
};

/* Memory of a tensor: row-major elements. */
struct mem {
	enum sn_dtype dtype;
	struct mem *root; /* of a view: whose memory it lies in */
	bool is_shared;	  /* views lie in it, or it is one: layouts count */
	bool is_splat;	  /* bytes holds one element */
	bool is_aligned;
	char *bytes;
	int64_t count;
	int64_t dims[SN_MAX_RANK], strides[SN_MAX_RANK];
	int last_use, last_store; /* number of the last kernel that touches or stores it */
};

struct term {
	const int64_t *value;
	int64_t coef;
};
struct terms {
	SN_VEC(struct term) list;
	int64_t base;
};

/* Index of one dimension: terms that are the same in all lanes, plus lane parts. */
struct stream_dim {
	struct terms at;
	int64_t extent, stride;
	int64_t lane_coef[SN_MAX_AXES];
	int64_t lane_lo, lane_hi; /* what the lanes add, over a full row */
	struct slot *row;	  /* not affine in the lanes: the whole index, one for each lane */
	bool is_checked;	  /* not proved in range */
};

typedef void load_fn(void *dst, const struct mem *m, int64_t index, int64_t stride, int n);
typedef void store_fn(const struct mem *m, int64_t index, int64_t stride, const void *src, int n);

/* A read or a store: where a row of indices leads. */
struct stream {
	struct interp *interp;
	const struct lanes *lanes;
	const struct sn_tensor *tensor;
	const struct mem *mem;
	int rank;
	struct stream_dim dims[SN_MAX_RANK + 1]; /* one more for the offset in shared memory */
	struct terms flat;			 /* offset of the first lane, rows left out */
	int64_t lane_stride[SN_MAX_AXES];
	int flat_from; /* lane axes from this one on step through memory as one */
	bool has_rows, has_checks, is_alias;
	struct slot *outside;		    /* NULL: none */
	int64_t *lane_idx[SN_MAX_RANK + 1]; /* lane parts as tables, made when first needed */
	load_fn *load;
	store_fn *store;
	bool has_reported;
};

struct interp {
	const struct sn_program *pr;
	const struct sn_interp_opts *opts;
	struct sn_arena *arena, *work; /* work: for one comprehension */
	struct sn_diags *diags;
	const struct sn_kernel *kernel; /* running */
	struct mem *mem;		/* by tensor id */
	bool has_failed;
};

enum axis_place { AP_ONE, AP_LOOP, AP_LANE };

struct axis_bind {
	const struct sn_axis *axis;
	enum axis_place place; /* AP_ONE: its only value is 0 */
	int lane;	       /* AP_LANE: which */
	int level;	       /* of a reduction axis: its loop, else -1 */
	int64_t extent;
	int64_t value; /* now; of the first lane axis: where the row starts */
};

/* A comprehension made ready to run; lives in an arena of its own. */
struct plan {
	struct interp *in;
	const struct sn_comp *comp;
	struct sn_arena *arena;
	struct axis_bind axes[2 * SN_MAX_AXES]; /* parallel, then reduction */
	int naxes;				/* of both kinds */
	int loops[SN_MAX_AXES], nloops;		/* parallel axes outside the row */
	int red[SN_MAX_AXES], nred;		/* reduction axes with more than one value */
	int chunk;				/* axis whose values come in rows, -1: none */
	int64_t chunk_size;
	bool is_empty;	   /* no points */
	bool is_red_empty; /* nothing to sum */
	struct lanes lanes;
	struct sn_map slots; /* by expression id */
	struct sn_map *memo; /* that one, or the step's */
	struct slot *states[4], *args[4];
	bool is_in_step;
	struct code pre, steps[SN_MAX_AXES + 1], step, post;
	int depth;
};

static inline enum sn_dtype
interp_dtype(const struct interp *in, enum sn_dtype t)
{
	return in->opts->is_all_f64 && sn_is_float(t) ? DT_F64 : t;
}

static inline enum carrier
carrier_of(enum sn_dtype t)
{
	return t == DT_F32 ? CR_F32 : sn_is_float(t) ? CR_F64 : CR_I64;
}

static inline size_t
carrier_bytes(enum carrier c)
{
	return c == CR_F32 ? 4 : 8;
}

static inline union sn_num
carrier_get(enum carrier c, const void *p, int i)
{
	if (c == CR_F32)
		return (union sn_num){ .f = (double)((const float *)p)[i] };
	if (c == CR_F64)
		return (union sn_num){ .f = ((const double *)p)[i] };
	return (union sn_num){ .i = ((const int64_t *)p)[i] };
}

static inline void
carrier_put(enum carrier c, void *p, int i, union sn_num x)
{
	if (c == CR_F32)
		((float *)p)[i] = (float)x.f;
	else if (c == CR_F64)
		((double *)p)[i] = x.f;
	else
		((int64_t *)p)[i] = x.i;
}

/* interp_rows.c: the function for an operation whose operands are in IN->src; never NULL. */
inst_fn *sn_interp_op_fn(const struct inst *in, int nargs);
/* DST op= SRC[0], for the state of a fold; NULL if there is none. And DST += SRC[0] * SRC[1]. */
inst_fn *sn_interp_fold_fn(const struct inst *in);
inst_fn *sn_interp_mac_fn(const struct inst *in);
/* Copies SRC[0], one number or a row, to a row. */
inst_fn *sn_interp_copy_fn(enum carrier c, bool is_row);

/* interp_mem.c */
load_fn *sn_interp_load_fn(enum sn_dtype memory, enum carrier c);
store_fn *sn_interp_store_fn(enum sn_dtype memory, enum carrier c);

/* interp_stream.c: SRC[0] of a store is a row. */
void sn_stream_finish(struct stream *s, struct plan *p, bool is_row, enum carrier c);
void sn_stream_read(const struct inst *in, int n);
void sn_stream_store(const struct inst *in, int n);

/* interp_view.c: tensors that lie in the memory of others. */
bool sn_interp_find_views(struct interp *in);
/* Where the element at IDX lies in the memory of T's root. */
const struct sn_expr *sn_interp_view_offset(struct interp *in, const struct sn_tensor *t,
					    const struct sn_expr *const *idx);
/* Elements that memory shared with views needs. */
bool sn_interp_shared_size(struct interp *in, const struct sn_tensor *t, int64_t *out);
/* The elements of T in row-major order, copied if they don't lie so. */
const void *sn_interp_dense(struct interp *in, const struct sn_tensor *t);

/* interp_plan.c: false after a diagnostic. */
bool sn_plan_build(struct plan *p, struct interp *in, const struct sn_comp *c, struct sn_arena *a);
/* interp_code.c: compiles the expressions of a plan whose axes are placed. */
bool sn_plan_compile(struct plan *p);
/* interp_run.c */
void sn_plan_run(struct plan *p);

/* A dimension's or index's value from the symbols alone; false if it is not made of those. */
bool sn_interp_dim(const struct sn_expr *e, const int64_t *syms, int64_t *out);

#endif
