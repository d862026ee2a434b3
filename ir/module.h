/*
 * Module: one compilation, whatever level it has reached.
 *
 * Holds the arena, the expressions, the graph, the program, the functions and
 * the plan.  Later levels are NULL until a pass has made them; earlier ones stay
 * readable for origins, names and verification.
 */
#ifndef IR_MODULE_H
#define IR_MODULE_H

#include "ir/graph.h"
#include "ir/loop.h"
#include "ir/target.h"
#include "ir/tensor.h"

/* One call of a function at run time. */
struct sn_step {
	const struct sn_func *func;
	const struct sn_kernel *kernel; /* whose work it is */
	struct sn_tensor **args;	/* one tensor for each parameter of func */
	const struct sn_expr **syms;	/* value of each of func's symbols */
	bool is_first_of_equal;		/* this step's func is the one emitted for its equals */
};

static inline enum sn_place
sn_step_place(const struct sn_step *s)
{
	return s->kernel ? s->kernel->place : PLACE_TARGET;
}

/* Where a tensor of role TEMP lies, and what the arena needs. */
struct sn_plan {
	SN_VEC(struct sn_step) steps; /* in order of execution */
	const struct sn_expr *
		*sizes;	     /* bytes by tensor id (roots of views only), NULL: not in the arena */
	int64_t *offsets;    /* by tensor id; static models only, -1: none */
	int *first, *last;   /* lifetime in steps, by tensor id */
	bool is_static;	     /* all sizes are numbers: offsets are final */
	int64_t arena_bytes; /* static models */
	int64_t host_bytes;  /* of those for a device: the arena of what runs on the host */
	int64_t lower_bound; /* most bytes live at once in the arena */
	int64_t scratch_bytes; /* for each thread */
};

/* Constant tensors in the order of the weights file, each at a multiple of 64 bytes. */
struct sn_weights {
	SN_VEC(struct sn_tensor *) tensors;
	int64_t *offsets; /* by tensor id, -1: none */
	int64_t bytes;
};

/* A remark: why something was or was not done, for explain and the report. */
struct sn_remark {
	const char *pass;
	const struct sn_origin *origin;
	const char *text;
};

struct sn_module {
	const char *name;   /* C identifier, prefix of external symbols */
	const char *source; /* model file */
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_diags *diags;
	const struct sn_target *target; /* set by sn_module_aim, like the next */
	const struct sn_target *host;	/* of what a device leaves to the host: scalar, portable */
	bool is_threaded; /* emit parallel loops */
	bool has_vectors; /* dialect has vector types: vectorise, use vector schedules */
	struct sn_graph *graph;
	struct sn_program *program;
	SN_VEC(struct sn_func *) funcs;
	struct sn_plan *plan;
	struct sn_weights *weights;
	SN_VEC(struct sn_remark) remarks;
};

/* Compiles for T. */
void sn_module_aim(struct sn_module *m, const struct sn_target *t);

/* What kernels at PLACE are scheduled for. */
static inline const struct sn_target *
sn_module_target(const struct sn_module *m, enum sn_place place)
{
	return place == PLACE_TARGET ? m->target : m->host;
}

void sn_remark(struct sn_module *m, const char *pass, const struct sn_origin *o, const char *fmt,
	       ...) __attribute__((format(printf, 4, 5)));

#endif
