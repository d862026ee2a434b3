/* The group_rows schedule inside: what choosing and building have in common (passes/device_rows.c). */
#ifndef PASSES_DEVICE_ROWS_H
#define PASSES_DEVICE_ROWS_H

#include "passes/device.h"

/* Axes of K's stages that are spread over groups. */
int drows_spread(const struct sn_kernel *k);

/* Has M one point besides those? */
bool drows_is_single(const struct sn_comp *m, int nspread);

/* Do the items of a row reduce M together? */
bool drows_is_tree(const struct sn_comp *m, int nspread);

/* The axes that the items of a row go through, the last one fastest. */
const struct sn_axis *const *drows_walked(const struct sn_comp *m, int nspread, int *out_n);

/* LANES if the innermost walked axis of M is contiguous in whole steps of it, else 1. */
int64_t drows_lanes(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_comp *m,
		    int nspread, int64_t lanes);

#endif
