/*
 * Arithmetic on constant weights: a factor and a summand for each channel of a
 * convolution's or Gemm's result move into its weights and bias.
 *
 * All sums and products are done in f64 and rounded once to the weights' type.
 */
#ifndef PASSES_FOLD_LINEAR_H
#define PASSES_FOLD_LINEAR_H

#include "ir/graph.h"

/* A node whose result is linear in constant weights. */
struct sn_linear {
	struct sn_node *node;		 /* Conv, ConvTranspose, Gemm */
	struct sn_value *weights, *bias; /* constants; bias may be NULL */
	int axis;			 /* of channels in the result */
	int channels;
};

/* Is V the result of such a node, read by one operand slot alone? */
bool sn_linear_of(const struct sn_value *v, struct sn_linear *out);

/* The elements of constant V along AXIS of a tensor of type T that it broadcasts to, if it varies
 * along no other; N of them, in SCRATCH. NULL if it does vary, or is no float constant. */
double *sn_channel_values(const struct sn_value *v, const struct sn_type *t, int axis, int n,
			  struct sn_arena *scratch);

/*
 * A node like L's, just before BEFORE, whose result is that of L times SCALE plus SHIFT, by
 * channel (either may be NULL).  Its result has L's type; its origin is that of both.  NULL if
 * weights that are one number, or that others read too, would have to be stored a second time.
 */
struct sn_node *sn_linear_fold(const struct sn_linear *l, const double *scale, const double *shift,
			       struct sn_node *before);

/* Elements V[0..n-1] rounded to the floating type T; a splat if all are equal. */
const struct sn_data *
sn_data_doubles(struct sn_arena *a, enum sn_dtype t, const double *v, size_t n);

#endif
