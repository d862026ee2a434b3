/*
 * Scans: reductions over what comes before a point of an axis.
 *
 *	for i0<N, i1<n: s = sum(r<n) select(r <= i1, x[i0, r], 0.0)   y[i0, i1] = s
 *
 * Element i1 takes one step more than its neighbour: one walk along the axis
 * computes all.  The comparison says which way, and whether an element counts
 * itself: r <= i, r < i, i <= r, i < r.
 */
#ifndef PASSES_SCAN_H
#define PASSES_SCAN_H

#include "passes/emit.h"

struct sn_scan {
	const struct sn_comp *comp;
	int axis;		/* number of the axis along which it goes */
	const struct sn_expr *x; /* argument of the reducer at the reduction axis */
	bool is_reverse;	/* what comes after */
	bool is_exclusive;	/* without the element itself */
};

/* Is K a scan, of a reducer with one state and a merge? */
bool sn_scan_of(const struct sn_kernel *k, struct sn_scan *out);

/* COST, and where the extent is not known less than any other schedule's, whose work is quadratic. */
double sn_scan_cost(const struct sn_scan *s, double cost);

/* Axes of the scan without the one along which it goes, into OUT; returns their number. */
int sn_scan_others(const struct sn_scan *s, const struct sn_axis **out);

/* What a walk along the axis has. */
struct sn_scan_walk {
	struct sn_emit *e;
	const struct sn_scan *scan;
	struct sn_acc part;
	const struct sn_acc *before; /* of what comes before PART's first element; NULL: nothing */
};

/* A step of the reducer with the element number AT of the walk; S has the other axes. */
void sn_scan_step(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *at);
/* The same, and the results there. */
void sn_scan_element(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *at);

/* The scan schedule: a walk for each point of the other axes, float sums in blocks. */
double sn_scan_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_scan_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);

/* The group_scan schedule: a group for each point of the other axes, a part of the walk for each item,
 * which goes it twice: for what it adds up to, and with what the items before it add up to. */
double sn_device_scan_choose(struct sn_sched_ctx *c, struct sn_kernel *k);
bool sn_device_scan_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b);

#endif
