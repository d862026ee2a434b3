/*
 * Loop level: how it is computed.
 *
 * A function is one kernel: loop nests over buffers.  Parameters are flat
 * buffers (layouts have been applied, an element has one offset); local buffers
 * have constant extents.  Loads are statements, so their order against stores
 * is plain; expressions are pure.  Loops count from 0 by 1 below their extent.
 *
 *	func k03_conv_relu[N in 1..8](const f32 x[N*3136], const f32 w[36864], f32 y[N*3136]) {
 *		parallel i < 14 {
 *			alloc reg f32 acc[14, 2, 16]
 *			unrolled p < 14 { unrolled j < 2 { vector l < 16 { acc[p, j, l] = 0.0 } } }
 *			serial k < 64 {
 *				unrolled p < 14 {
 *					load a = x[...]
 *					...
 */
#ifndef IR_LOOP_H
#define IR_LOOP_H

#include "ir/data.h"
#include "ir/expr.h"
#include "ir/origin.h"
#include "support/diag.h"
#include "support/vec.h"

/* Address spaces. */
enum sn_space {
	SP_GLOBAL,  /* parameter: arena, caller's memory, weights */
	SP_STACK,   /* private array in memory */
	SP_REG,	    /* private, meant for registers: indices are constants after unrolling */
	SP_SCRATCH, /* private to a thread, too large for the stack: from the arena's scratch part */
	SP_SHARED,  /* local memory of a work-group (devices) */
};

/*
 * Kinds of loops.  parallel: iterations are independent and may run on any
 * thread.  vector: iterations are independent lanes in step.  unrolled: written
 * out or marked for it.  grid, item: work-groups and work-items of a device.
 */
enum sn_loop_kind { LK_SERIAL, LK_PARALLEL, LK_VECTOR, LK_UNROLLED, LK_GRID, LK_ITEM };

struct sn_buffer {
	int id;
	const char *name;
	enum sn_dtype dtype;
	int lanes; /* of an element: 1, or a vector (after vectorising) */
	enum sn_space space;
	bool is_const;		       /* parameter that is only read */
	bool is_alias;		       /* may overlap another parameter: no restrict */
	int rank;		       /* parameters: 1 */
	const struct sn_expr *dims[6]; /* elements; parameters: how many may be touched */
	int align;		       /* bytes the start is aligned to, 0: of the element */
};

enum sn_stmt_kind {
	ST_FOR,
	ST_IF,
	ST_LET,
	ST_LOAD,
	ST_STORE,
	ST_ALLOC,
	ST_BARRIER,
	ST_PREFETCH,
	ST_CHECK
};

/* What a barrier orders between items; every barrier orders something. */
enum { SN_ORDERS_SHARED = 1, SN_ORDERS_GLOBAL = 2, SN_ORDERS_ALL = 3 };

struct sn_stmt;
struct sn_block {
	struct sn_stmt *first, *last;
};

struct sn_stmt {
	enum sn_stmt_kind kind;
	struct sn_stmt *next;
	const struct sn_origin *origin;
	union {
		struct {
			const struct sn_axis *axis;
			enum sn_loop_kind kind;
			struct sn_block body;
		} loop;
		struct {
			const struct sn_expr *cond;
			struct sn_block then, otherwise;
		} cond;
		struct {
			const struct sn_local *local;
			const struct sn_expr *value;
		} let;
		/* lanes of local (load) or value (store) > 1: that many consecutive elements of the last
		 * dimension, unless the buffer's own elements are vectors. active < lanes: only the
		 * first ACTIVE are touched (load: the others are 0). */
		struct {
			const struct sn_local *local; /* load */
			const struct sn_expr *value;  /* store; prefetch has neither */
			const struct sn_buffer *buffer;
			const struct sn_expr *idx[6];
			int active; /* 0: all lanes */
			/* the lanes begin at a multiple of their size in a buffer that does so, too */
			bool is_aligned;
		} mem;
		struct {
			struct sn_buffer *buffer;
		} alloc;
		/* where COND is false the run reports an index out of range, and goes on */
		struct {
			const struct sn_expr *cond;
		} check;
		struct {
			unsigned orders; /* accesses of which memories: SN_ORDERS_... */
		} barrier;
	};
};

struct sn_func {
	const char *name;
	struct sn_arena *arena;
	struct sn_pool *pool;
	SN_VEC(struct sn_buffer *) params;
	SN_VEC(const struct sn_sym *) syms; /* run-time numbers it uses, passed as i64 */
	struct sn_block body;
	int nbuffers;
	bool is_on_host; /* of a program for a device, whose other functions have grid loops */
	const struct sn_origin *origin;
};

/*
 * Building: a cursor into nested blocks.
 *	sn_at_for(&b, LK_SERIAL, axis);  ...  sn_at_end(&b);
 */
struct sn_builder {
	struct sn_func *func;
	struct sn_pool *pool;
	const struct sn_origin *origin; /* given to new statements */
	struct sn_block *stack[64];
	int depth;
};

struct sn_func *sn_func_new(struct sn_arena *a, struct sn_pool *p, const char *name);
struct sn_buffer *sn_func_param(struct sn_func *f, const char *name, enum sn_dtype t,
				const struct sn_expr *size, bool is_const);
void sn_builder_init(struct sn_builder *b, struct sn_func *f);

/* Opens a loop and returns its axis as an expression; an extent of constant 1 opens none and gives 0.
 * Either way sn_at_end closes it. */
const struct sn_expr *sn_at_for(struct sn_builder *b, enum sn_loop_kind kind, const char *name,
				const struct sn_expr *extent);
/* The same over an existing axis (always opens). */
void sn_at_for_axis(struct sn_builder *b, enum sn_loop_kind kind, const struct sn_axis *axis);
void sn_at_if(struct sn_builder *b, const struct sn_expr *cond);
void sn_at_else(struct sn_builder *b);
void sn_at_end(struct sn_builder *b); /* closes the innermost sn_at_for / sn_at_if */
struct sn_buffer *sn_at_alloc(struct sn_builder *b, enum sn_space space, const char *name,
			      enum sn_dtype t, int rank, const int64_t *dims);
const struct sn_expr *
sn_at_let(struct sn_builder *b, const char *name, const struct sn_expr *value);
const struct sn_expr *sn_at_load(struct sn_builder *b, const char *name,
				 const struct sn_buffer *buf, const struct sn_expr *const *idx);
void sn_at_store(struct sn_builder *b, const struct sn_buffer *buf,
		 const struct sn_expr *const *idx, const struct sn_expr *value);
void sn_at_barrier(struct sn_builder *b, unsigned orders);
/* A hint that BUF[IDX], which need not exist, will soon be read. */
void sn_at_prefetch(struct sn_builder *b, const struct sn_buffer *buf,
		    const struct sn_expr *const *idx);
void sn_at_check(struct sn_builder *b, const struct sn_expr *cond);

/* Explicit vectors: LANES consecutive elements of the last dimension, of which only the first ACTIVE
 * are touched (0: all). A store takes the lanes of its value. */
const struct sn_expr *
sn_at_load_lanes(struct sn_builder *b, const char *name, const struct sn_buffer *buf,
		 const struct sn_expr *const *idx, int lanes, int active);
void sn_at_store_active(struct sn_builder *b, const struct sn_buffer *buf,
			const struct sn_expr *const *idx, const struct sn_expr *value, int active);

/*
 * Reduces the lanes of an accumulator, a buffer whose last dimension is the lanes (a power of two)
 * and which vector loops fill as acc[..., l]; IDX has the other dimensions.  The order is fixed:
 * halves are combined, lane i with lane i + n/2, until one is left.  OP is OP_ADD, OP_MAX or OP_MIN.
 * All lanes must have been stored: where a tail loop has fewer, fill the rest with the identity first.
 */
const struct sn_expr *sn_at_lane_reduce(struct sn_builder *b, const struct sn_buffer *buf,
					const struct sn_expr *const *idx, enum sn_scalar_op op);

/* The same for any reducer with merge, one buffer for each state (all of the same extents);
 * OUT[k] is the reduced state k. */
struct sn_reducer;
void sn_at_lane_merge(struct sn_builder *b, const struct sn_reducer *r,
		      const struct sn_buffer *const *bufs, const struct sn_expr *const *idx,
		      const struct sn_expr **out, struct sn_arena *scratch);

/* For passes: a local for a let of VALUE, of its type and with its bounds; a statement that stands
 * nowhere yet; and its place at a block's end. */
const struct sn_local *
sn_local_for(struct sn_pool *p, const char *name, const struct sn_expr *value);
struct sn_stmt *
sn_stmt_new(struct sn_arena *a, enum sn_stmt_kind kind, const struct sn_origin *origin);
void sn_block_append(struct sn_block *block, struct sn_stmt *s);

/* Calls PRE on each statement in order, before its children; a false return skips them. */
void sn_block_walk(struct sn_block *b, bool (*pre)(struct sn_stmt *s, void *arg), void *arg);

/* Equal but for the names of function, buffers, axes and locals, and for origins: equal functions are
 * emitted once. Hash agrees with it. */
bool sn_func_equal(const struct sn_func *a, const struct sn_func *b);
uint64_t sn_func_hash(const struct sn_func *f);

/*
 * What a function for a device asks for at its launch.  Its body is nothing but
 * one to three nested grid loops; inside them lets and shared buffers, then
 * nothing but one to three nested item loops; inside those neither kind.
 * Extents of grid loops are over the function's symbols, of item loops numbers.
 * Dimension 0 is the innermost loop of its kind.  False: another shape.
 */
struct sn_launch {
	int ngroups, nitems; /* dimensions */
	const struct sn_axis *group[3], *item[3];
	int64_t items[3];
};
bool sn_func_launch(const struct sn_func *f, struct sn_launch *out);

/* Does it check indices? */
bool sn_func_has_checks(const struct sn_func *f);

/* Text form, docs/ir.md. */
/* Gives axes, locals and buffers the names under which they are printed, for good: see
 * ir/loop_settle.c.  Axes and locals are replaced. */
void sn_func_settle_names(struct sn_func *f, struct sn_arena *scratch);

void sn_func_print(struct sn_buf *out, const struct sn_func *f);
struct sn_func *sn_func_parse(const char *text, const char *file, struct sn_arena *a,
			      struct sn_pool *p, struct sn_diags *diags);
bool sn_func_verify(const struct sn_func *f, struct sn_diags *diags);

/*
 * The interpreter, with shadow memory: reports out-of-bounds and uninitialised
 * reads, and races between iterations of parallel, vector, grid and item loops
 * (two iterations touch an element, one of them storing, no barrier between),
 * with the statement's text.  ARGS are the parameters' memory in order, INIT
 * says which parameters hold values at entry.  SYMS by symbol id.
 */
struct sn_func_run {
	void *const *args;
	const size_t *counts; /* elements behind each */
	const bool *init;     /* NULL: const parameters are, others are not */
	const int64_t *syms;
	bool is_all_f64; /* float arithmetic in double (memory stays as typed) */
};
bool sn_func_interp(const struct sn_func *f, const struct sn_func_run *r, struct sn_arena *scratch,
		    struct sn_diags *diags);

#endif
