/*
 * Parts of assign-layouts: what each tensor is wanted to look like, and the
 * copies that stand where wishes can't be met.
 */
#ifndef PASSES_LAYOUTS_H
#define PASSES_LAYOUTS_H

#include "passes/emit.h"
#include "passes/pass.h"
#include "passes/tile.h"

struct want {
	int block_dim; /* -1: row-major */
	int64_t block; /* elements of a block; 0: a vector */
	int64_t lo[SN_MAX_RANK], hi[SN_MAX_RANK];
	bool has_halo, has_fill;
	union sn_num fill;
};

struct assign {
	struct sn_pass_ctx *c;
	struct sn_sched_ctx s;
	struct sn_module *m;
	struct sn_program *pr;
	struct want *want; /* by tensor id */
	SN_VEC(struct sn_tensor *) padded; /* copies of inputs, and which input, in turns */
	struct sn_tensor **group; /* by tensor id: whose want is this one's, too; NULL: its own */
	size_t nwant;
};

struct want *layout_want_of(struct assign *a, const struct sn_tensor *t);

/* Where what T is wanted to look like is kept: it may have to agree with others. */
struct sn_tensor *layout_root(struct assign *a, struct sn_tensor *t);

/* Elements of a block of T under W. */
int64_t layout_block(struct assign *a, const struct sn_tensor *t, const struct want *w);

/* T laid out as W wants it; NULL: row-major. */
const struct sn_layout *
layout_make(struct assign *a, const struct sn_tensor *t, const struct want *w);

/* The axis of a sum of products that constants are read along and nothing else is (but for the first
 * channel of a group), or -1. */
int layout_weights_axis(struct assign *a, const struct sn_comp *m);

/* True if dimension D is followed by extents of 1 only: rows along it are contiguous. */
bool layout_is_innermost(const struct sn_tensor *t, int d);

/* Is EXTENT at least half of a vector? */
bool layout_is_wide(struct assign *a, const struct sn_comp *m, const struct sn_expr *extent);
bool
layout_is_wide_or_unknown(struct assign *a, const struct sn_comp *m, const struct sn_expr *extent);

/* passes/layout_wants.c: what the results of M want, and what it wants of its operands. */
void layout_want_blocks(struct assign *a, const struct sn_comp *m);
void layout_want_halos(struct assign *a, const struct sn_comp *m);

/* W gets H's halo, too, if both hold the same value; false: they don't. */
bool layout_join_halo(struct want *w, const struct want *h);

/* passes/layout_copies.c: copies between the caller's row-major tensors and ours, and of operands. */
void layout_copy_input(struct assign *a, struct sn_tensor *t);
void layout_drop_copies(struct assign *a); /* those that lost their halo */
void layout_copy_output(struct assign *a, struct sn_tensor *t);
/* True if kernel number AT has moved up by one. */
bool layout_turn_operand(struct assign *a, size_t at);

/* passes/layout_ties.c: what could lie in slices of one tensor gets one layout. */
void layout_tie_slices(struct assign *a);

/* passes/layout_trim.c: less padding and narrower halos where most is live. */
void layout_trim(struct assign *a);

#endif
