/*
 * What the inference functions of ir/infer_*.c work with: reading operands,
 * setting results, and the checks whose messages they share.
 */
#ifndef IR_INFER_HELP_H
#define IR_INFER_HELP_H

#include "ir/infer.h"
#include "ir/shape.h"

/* The most elements that are carried as expressions. */
enum { SN_MAX_KNOWN = 64 };

/* One function for each row of ir/ops.def. */
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) \
	bool sn_infer_##infer(struct sn_infer *c, struct sn_node *n);
#include "ir/ops.def"

#define SN_INFER_ERROR(c, n, ...) \
	(sn_report((c)->diags, sn_origin_where((n)->origin), __VA_ARGS__), sn_infer_excerpt(c, n))

/* Shows node N under the error just reported about it, with a caret under the first operand that the
 * message names, and notes which nodes wrote such operands. Returns false. */
bool sn_infer_excerpt(struct sn_infer *c, const struct sn_node *n);

typedef const struct sn_expr *sn_dim;

static inline const struct sn_type *
sn_in_type(const struct sn_node *n, int i)
{
	return &n->in[i].value->type;
}

static inline const char *
sn_in_name(const struct sn_node *n, int i)
{
	return n->in[i].value->name;
}

struct sn_type sn_infer_type(enum sn_dtype t, int rank, const sn_dim *dims);

/* "f32[2,N]", in the arena. */
const char *sn_infer_text(struct sn_infer *c, const struct sn_type *t);

/* Result I has type T; a result that is not wanted is passed over. Returns true. */
bool sn_infer_set(struct sn_infer *c, struct sn_node *n, int i, const struct sn_type *t);

/* Result I has these elements, N of them (in the forms of sn_value_elements). Returns true. */
bool
sn_infer_set_known(struct sn_infer *c, struct sn_node *n, int i, const sn_dim *elems, int nelems);

/* Elements of operand I, NULL if not known or absent. */
const sn_dim *sn_infer_known(struct sn_infer *c, const struct sn_node *n, int i, int *out_n);

/* The same for operands that must be known, as expressions and as numbers; WHAT is the operand's
 * name in the operator's documentation. An absent operand gives n = -1. */
bool sn_infer_elems(struct sn_infer *c, struct sn_node *n, int i, const char *what,
		    const sn_dim **out, int *out_n);
bool
sn_infer_ints(struct sn_infer *c, struct sn_node *n, int i, const char *what, struct sn_ints *out);

/*
 * Where an operand that decides about the shape is known at run time only, the
 * shape that the model declares will do, if it is all numbers: result I gets it
 * (its element type must be T). False if there is none.
 */
bool sn_infer_declared(struct sn_infer *c, struct sn_node *n, int i, enum sn_dtype t);
bool sn_infer_is_runtime(struct sn_infer *c, const struct sn_node *n, int i);

/* AXIS of operand I in 0..RANK-1, or a message. */
bool sn_infer_axis(struct sn_infer *c, struct sn_node *n, int64_t axis, int rank, int *out);

/* A list of axes as a bit mask. */
bool sn_infer_axes(struct sn_infer *c, struct sn_node *n, const struct sn_ints *axes, int rank,
		   unsigned *out);

/* Operand I must have at least MIN and at most MAX dimensions. */
bool sn_infer_check_rank(struct sn_infer *c, struct sn_node *n, int i, int min, int max);

/* Operands I and J must have the same element type; J may be absent. */
bool sn_infer_check_same(struct sn_infer *c, struct sn_node *n, int i, int j);

/* A OP B, a comparison, must hold: an error where it never does; what can't be proved is noted as a
 * requirement. */
bool
sn_infer_require(struct sn_infer *c, struct sn_node *n, enum sn_scalar_op op, sn_dim a, sn_dim b);
bool sn_infer_require_divides(struct sn_infer *c, struct sn_node *n, int64_t k, sn_dim a);

/* T broadcasts to the shape of TO: aligned at the last dimension each of its extents is 1 or TO's. */
bool sn_infer_require_fits(struct sn_infer *c, struct sn_node *n, const struct sn_type *t,
			   const struct sn_type *to);

/* Dimension DI of operand I must equal dimension DJ of operand J, as far as can be proved. */
bool sn_infer_check_dims(struct sn_infer *c, struct sn_node *n, int i, int di, int j, int dj);

#endif
