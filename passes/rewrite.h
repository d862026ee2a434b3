/*
 * Local rewrite rules on the graph level: what a rule is and works with.
 *
 * A rule is a pattern line above a small function that is offered every node of
 * its operator.  It either leaves the graph alone and returns false, or changes
 * it through the functions below and returns true.  Rules only shrink the graph
 * or canonicalise in one direction, so the driver (passes/rewrite_graph.c) ends.
 *
 *	RULE(cast_same, GR_CAST, "Cast <to = type of x> (x) -> x")
 *	{
 *		return ... && sn_rw_forward(r, n, 0, sn_in(n, 0));
 *	}
 *
 * and &rule_cast_same in the table at the end of its file.
 */
#ifndef PASSES_REWRITE_H
#define PASSES_REWRITE_H

#include "ir/infer.h"
#include "passes/pass.h"

struct sn_rewrite {
	struct sn_module *module;
	struct sn_graph *graph; /* of the node at hand */
	struct sn_arena *arena, *scratch;
	struct sn_diags diags;	       /* of inference on what rules build; not the user's */
	const char *rule;	       /* at work */
	SN_VEC(struct sn_node *) list; /* nodes to look at, a queue */
	size_t head;
	struct sn_map queued; /* nodes by address */
};

struct sn_rule {
	const char *name;
	enum sn_graph_op op;
	const char *pattern;
	bool (*apply)(struct sn_rewrite *r, struct sn_node *n);
};

#define RULE(id, op, pattern) \
	static bool id(struct sn_rewrite *r, struct sn_node *n); \
	static const struct sn_rule rule_##id = { #id, op, pattern, id }; \
	static bool id(struct sn_rewrite *r, struct sn_node *n)

/* The rules of each file rules_<subject>.c, NULL-terminated. */
extern const struct sn_rule *const sn_rules_identity[],
	*const sn_rules_move[], *const sn_rules_conv[], *const sn_rules_affine[],
	*const sn_rules_norm[];

/* ---- questions ---- */

/* The node that writes operand I of N if it is OP, else NULL. */
struct sn_node *sn_rw_def(const struct sn_node *n, int i, enum sn_graph_op op);

/* Is N's result 0 read by one slot alone, and no output? */
bool sn_rw_has_one_use(const struct sn_node *n);

/* Is V a constant whose elements all are one number? Then *OUT is that number. */
bool sn_rw_uniform(const struct sn_value *v, union sn_num *out);
/* The same, of a floating or integer type, as a double. */
bool sn_rw_uniform_double(const struct sn_value *v, double *out);

/* ---- changes ---- */

/* A node before N with N's origin; attributes are still at their defaults and to be set before
 * sn_rw_infer, which gives its results their types. */
struct sn_node *
sn_rw_node(struct sn_node *n, enum sn_graph_op op, struct sn_value *const *in, int nin, int nout);
/* Returns result 0. */
struct sn_value *sn_rw_infer(struct sn_rewrite *r, struct sn_node *n);

/* A constant i64[n]. */
struct sn_value *sn_rw_ints(struct sn_rewrite *r, const char *name, const int64_t *v, int n);

/* Whoever read result I of N reads V from now on, and V's writer has N's origin as well. N goes
 * when nothing reads it. An output of the graph keeps a node of its own where V can't be it.
 * Returns false, and does nothing, if there is nothing to gain. */
bool sn_rw_forward(struct sn_rewrite *r, struct sn_node *n, int i, struct sn_value *v);

/* V, which is new, goes by the name that N's result I had. */
void sn_rw_take_name(struct sn_value *v, struct sn_node *n, int i);

/* Operand SLOT of N becomes V. */
void sn_rw_set_input(struct sn_rewrite *r, struct sn_node *n, int slot, struct sn_value *v);

/* N is to be looked at again. */
void sn_rw_queue(struct sn_rewrite *r, struct sn_node *n);

#endif
