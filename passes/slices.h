/*
 * Slices: tensors that could lie inside of another one, because all that they
 * hold is copied there.
 *
 *	y[i0, i1, i2] = x[i0, i1, i2]
 *	y[i0, i1+64, i2] = z[i0, i1, i2]	x is a slice of y at (0, 0, 0), z at (0, 64, 0)
 *
 * What makes a copy a slice: it is a plain read, element by element, at a fixed
 * distance in each dimension; all copies from x to y together read all of x;
 * and where x lies next to something else in y, nobody reads x beyond its edges.
 * A tensor lies in one other at most, which may lie in a third.
 */
#ifndef PASSES_SLICES_H
#define PASSES_SLICES_H

#include "ir/tensor.h"
#include "passes/pass.h"

struct sn_slice {
	struct sn_tensor *into;			  /* NULL: lies in no other */
	const struct sn_expr *at[SN_MAX_RANK];	  /* index in INTO = index + AT */
};

struct sn_slices {
	struct sn_slice *of; /* by tensor id */
	/* May X lie in Y from index AT on?  NULL: yes; else why not.  Asked last, in program order. */
	const char *(*refuse)(void *arg, const struct sn_tensor *x, const struct sn_tensor *y,
			      const struct sn_expr *const *at);
	/* Told of a copy that remains though its source is a temporary; NULL: nobody. */
	void (*remains)(void *arg, const struct sn_tensor *x, const struct sn_tensor *y,
			const char *why);
	void *arg;
};

/* Fills in OF for the program of C's module. Cost: linear in expressions. */
void sn_slices_find(struct sn_slices *s, struct sn_pass_ctx *c);

/* The tensor in which T lies in the end; *AT, the indices of an element of T, become indices there. */
struct sn_tensor *sn_slices_root(const struct sn_slices *s, struct sn_pool *p, struct sn_tensor *t,
				 const struct sn_expr **at);

/* True if M stores what it reads at the same place, as slices lie now: it does nothing. */
bool sn_slices_is_idle(const struct sn_slices *s, struct sn_pool *p, const struct sn_comp *m);

#endif
