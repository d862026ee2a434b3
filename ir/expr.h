/*
 * Expressions: dimensions, indices and element values of every level.
 *
 * One kind of expression serves all three levels; a leaf says what a level
 * may use.  Expressions are immutable and hash-consed: equal expressions are
 * the same pointer, so comparing and memoising are by pointer (or by id).
 * Integer expressions of type i64 are indices and are kept in a canonical
 * affine form from construction on (ir/index.h), so N*2 and N+N are one
 * pointer too.
 *
 *	leaf		tensor level	loop level	dimensions
 *	EX_CONST	yes		yes		yes
 *	EX_SYM		yes		yes		yes	a run-time number: dimension or host scalar
 *	EX_AXIS		yes		yes		no	an iteration variable
 *	EX_READ		yes		no		no	an element of a tensor, with its outside value
 *	EX_STATE	yes		no		no	state of the comprehension's reduction
 *	EX_OTHER	in merge	no		no	state of the other half
 *	EX_ARG		in step		no		no	the argument of a reducer's step
 *	EX_LOCAL	no		yes		no	value named by a let or load statement
 *
 * Pools are not thread safe.
 */
#ifndef IR_EXPR_H
#define IR_EXPR_H

#include "ir/dtype.h"
#include "support/arena.h"
#include "support/buf.h"
#include "support/map.h"

enum sn_scalar_op {
#define SCALAR(id, text, arity, form, result, operands) id,
#include "ir/scalar.def"
#undef SCALAR
	OP_COUNT
};

struct sn_scalar_info {
	const char *text;
	int arity, form;
	char result, operands;
};
const struct sn_scalar_info *sn_scalar_info(enum sn_scalar_op op);

enum sn_expr_kind {
	EX_CONST,
	EX_SYM,
	EX_AXIS,
	EX_READ,
	EX_STATE,
	EX_OTHER,
	EX_ARG,
	EX_LOCAL,
	EX_OP,
};

struct sn_expr;
struct sn_tensor;

/* A number known only at run time: an input's dimension, or computed by the host program. */
struct sn_sym {
	const char *name;
	int id;		 /* dense in its pool */
	int64_t lo, hi;	 /* proved bounds, inclusive; hi INT64_MAX when unknown */
	bool is_dim;	 /* a dimension of a graph input (else a host scalar) */
	int input, axis; /* where it is first found, for dimensions */
};

/* An iteration variable, 0 <= axis < extent. Identity is the pointer. */
struct sn_axis {
	const char *name;
	int id; /* dense in its pool */
	const struct sn_expr *extent;
};

/* A value named by a statement of the loop level. */
struct sn_local {
	const char *name;
	int id; /* dense in its pool */
	enum sn_dtype dtype;
	int lanes;
	int64_t lo, hi; /* proved bounds, inclusive, of an i64 scalar; else everything */
};

/* sn_expr.has */
enum {
	SN_HAS_READ = 1,  /* an EX_READ */
	SN_HAS_STATE = 2, /* an EX_STATE, EX_OTHER or EX_ARG */
	SN_HAS_WRAP = 4,  /* i64 from data, and unbounded: its arithmetic may wrap around */
};

struct sn_expr {
	uint8_t kind;	     /* enum sn_expr_kind */
	uint8_t op;	     /* enum sn_scalar_op, EX_OP only */
	uint8_t dtype;	     /* enum sn_dtype of the value */
	uint8_t has_outside; /* EX_READ: the last argument is the outside value */
	uint16_t lanes;	     /* 1, or the lanes of a vector (loop level) */
	uint16_t nargs;
	uint8_t has;	/* SN_HAS_*: what occurs in it */
	uint32_t id;	/* dense in its pool, operands before users */
	uint32_t hash;	/* for the pool: what a leaf stands for may be gone when its table grows */
	int64_t lo, hi; /* i64: proved bounds, saturated; read them through sn_bounds */
	uint64_t axes;	/* bit axis->id % 64 of every axis in it: a filter */
	union {
		union sn_num num; /* EX_CONST; of a vector: every lane */
		const struct sn_sym *sym;
		const struct sn_axis *axis;
		const struct sn_tensor *tensor; /* EX_READ: args are the indices [, outside] */
		const struct sn_local *local;
		int state; /* EX_STATE, EX_OTHER, EX_ARG: which */
	};
	const struct sn_expr *args[];
};

struct sn_pool {
	struct sn_arena *arena;
	const struct sn_expr **slots; /* hash table of all expressions */
	size_t nslots, nexprs;
	int nsyms, naxes, nlocals;
	struct sn_sym **syms; /* by id */
	size_t symcap;
	int proof_steps;		/* left to the proof that is running (ir/index_prove.c) */
};

void sn_pool_init(struct sn_pool *p, struct sn_arena *a);

/* Leaves. */
const struct sn_expr *sn_const(struct sn_pool *p, enum sn_dtype t, union sn_num x);
const struct sn_expr *sn_int(struct sn_pool *p, int64_t x); /* i64 */
const struct sn_expr *
sn_float(struct sn_pool *p, enum sn_dtype t, double x); /* any type; rounded or converted to it */
const struct sn_expr *
sn_read(struct sn_pool *p, const struct sn_tensor *x, const struct sn_expr *const *idx, int nidx,
	const struct sn_expr *outside /* or NULL */);
const struct sn_expr *sn_state(struct sn_pool *p, enum sn_dtype t, int state);
const struct sn_expr *sn_other(struct sn_pool *p, enum sn_dtype t, int state);
const struct sn_expr *sn_arg(struct sn_pool *p, enum sn_dtype t, int arg);
const struct sn_expr *sn_sym_expr(struct sn_pool *p, const struct sn_sym *s);
const struct sn_expr *sn_axis_expr(struct sn_pool *p, const struct sn_axis *a);
const struct sn_expr *sn_local_expr(struct sn_pool *p, const struct sn_local *l);

struct sn_sym *sn_sym_new(struct sn_pool *p, const char *name, int64_t lo, int64_t hi);
struct sn_axis *sn_axis_new(struct sn_pool *p, const char *name, const struct sn_expr *extent);
struct sn_local *sn_local_new(struct sn_pool *p, const char *name, enum sn_dtype t, int lanes);

/* Operations. Constant operands are folded, identities removed, i64 brought to affine form; the
 * operands' types must agree (sn_bug otherwise). TO is the result of cast and bitcast. A vector
 * and a scalar operand: the scalar is splatted. */
const struct sn_expr *
sn_op(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *const *args, int nargs);
const struct sn_expr *sn_op1(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a);
const struct sn_expr *
sn_op2(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a, const struct sn_expr *b);
const struct sn_expr *sn_op3(struct sn_pool *p, enum sn_scalar_op op, const struct sn_expr *a,
			     const struct sn_expr *b, const struct sn_expr *c);
const struct sn_expr *sn_cast(struct sn_pool *p, enum sn_dtype to, const struct sn_expr *a);
const struct sn_expr *sn_bitcast(struct sn_pool *p, enum sn_dtype to, const struct sn_expr *a);
const struct sn_expr *sn_splat(struct sn_pool *p, const struct sn_expr *a, int lanes);
/* A, A+1, ... A+LANES-1, of the type of the scalar A. */
const struct sn_expr *sn_iota(struct sn_pool *p, const struct sn_expr *a, int lanes);

/* True if the operands' number and types suit OP, so that sn_op accepts them (parsers ask first). */
bool sn_op_fits(enum sn_scalar_op op, const struct sn_expr *const *args, int nargs);

/* Short forms for indices and dimensions (i64). */
const struct sn_expr *sn_add(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);
const struct sn_expr *sn_sub(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);
const struct sn_expr *sn_mul(struct sn_pool *p, const struct sn_expr *a, const struct sn_expr *b);
const struct sn_expr *sn_addk(struct sn_pool *p, const struct sn_expr *a, int64_t k);
const struct sn_expr *sn_mulk(struct sn_pool *p, const struct sn_expr *a, int64_t k);
const struct sn_expr *sn_divk(struct sn_pool *p, const struct sn_expr *a, int64_t k); /* floor */
const struct sn_expr *sn_modk(struct sn_pool *p, const struct sn_expr *a, int64_t k); /* floor */

static inline bool
sn_is_const(const struct sn_expr *e)
{
	return e->kind == EX_CONST;
}
static inline bool
sn_is_int_const(const struct sn_expr *e, int64_t k)
{
	return e->kind == EX_CONST && !sn_is_float((enum sn_dtype)e->dtype) && e->num.i == k;
}

/* True and *OUT if E is an integer constant. */
bool sn_get_int(const struct sn_expr *e, int64_t *out);

/*
 * Rewriting: a memo table from expressions to expressions, applied bottom-up;
 * each expression is rebuilt once, through sn_op, so results are simplified.
 */
struct sn_subst {
	struct sn_pool *pool;
	struct sn_map map; /* by id */
	/* Called for leaves and reads whose arguments have been rewritten; returns NULL to keep. */
	const struct sn_expr *(*leaf)(struct sn_subst *s, const struct sn_expr *e);
	void *arg;
};

/* SCRATCH holds the memo. */
void sn_subst_init(struct sn_subst *s, struct sn_pool *p, struct sn_arena *scratch);
void sn_subst_put(struct sn_subst *s, const struct sn_expr *from, const struct sn_expr *to);
const struct sn_expr *sn_subst(struct sn_subst *s, const struct sn_expr *e);

/* Calls VISIT once for each distinct expression under E, operands first. */
void sn_expr_walk(const struct sn_expr *e, struct sn_arena *scratch,
		  void (*visit)(const struct sn_expr *e, void *arg), void *arg);

/* True if AXIS occurs in E; NULL: any axis. */
bool sn_expr_has_axis(const struct sn_expr *e, const struct sn_axis *axis);

/* Evaluates one operation on scalars, the definition of its meaning (docs/ir.md). T is the operands' type. */
union sn_num sn_scalar_eval(enum sn_scalar_op op, enum sn_dtype t, enum sn_dtype result,
			    const union sn_num *args);

/* An order that depends on structure and names only, never on ids, so that text that is parsed
 * prints the same again: < 0, 0 (the same expression), > 0. */
int sn_expr_order(const struct sn_expr *a, const struct sn_expr *b);

/* NAME as the text forms write it: plain if it is an identifier and no keyword, else quoted. */
void sn_name_print(struct sn_buf *out, const char *name);

/*
 * Text form, parentheses by strength (docs/ir.md), such that the parser gets the same expression
 * back and prints the same text:
 * - constants: i64 as 3, bool as true, f32 as 1.5 or 1.0 or 1e-05 or -inf or nan; every other type
 *   in the form of a cast: f16(1.5), u8(3), f64(nan), f64(0.1) (the digits are those of the f64: TYPE
 *   around a literal is a constant of that type, not the cast of an f32);
 * - a+b without blanks in indices and in i64, else a + b; left-associative;
 * - a '-' before a literal where an operand is expected belongs to it: -3, x - -0.5;
 * - reads: x[i, j], and with an outside value (x[i, j] else 0.0), the parentheses always there;
 * - states, others and arguments: state0, other0, arg0; bitcast_i32(x), splat_8(x), iota_8(x);
 * - names of tensors, symbols and axes that are not identifiers: between double quotes;
 * - terms of an index sum (larger coefficients first) and factors of a product of symbols in
 *   sn_expr_order, the constant last, since ids differ from one building to the next; operands of
 *   every other operation in the order in which they were given.
 */
void sn_expr_print(struct sn_buf *out, const struct sn_expr *e);

/* The same with other names: of shared parts bound by a let, of axes made unique. */
struct sn_expr_names {
	/* What to write for all of E, an operation or a read; NULL: write it out. */
	const char *(*whole)(void *arg, const struct sn_expr *e);
	/* The name of a leaf, or of the tensor of a read; NULL: its own. */
	const char *(*leaf)(void *arg, const struct sn_expr *e);
	void *arg;
};
void
sn_expr_print_named(struct sn_buf *out, const struct sn_expr *e, const struct sn_expr_names *names);

#endif
