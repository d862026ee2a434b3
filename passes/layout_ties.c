/*
 * What could lie in slices of one tensor (passes/slices.h) gets one layout:
 * blocks if one of them wants blocks, a halo for all.  Else join-slices would
 * find that their layouts differ, and a copy would stay.
 */
#include "ir/index.h"
#include "passes/layouts.h"
#include "passes/slices.h"

static const char *
tie(void *arg, const struct sn_tensor *x, const struct sn_tensor *y,
    const struct sn_expr *const *at)
{
	struct assign *a = arg;
	struct sn_tensor *rx = layout_root(a, (struct sn_tensor *)x);
	struct sn_tensor *ry = layout_root(a, (struct sn_tensor *)y);
	struct want *wx = layout_want_of(a, rx), *wy = layout_want_of(a, ry), both = *wy;
	if (rx == ry)
		return NULL;
	if (both.block_dim < 0)
		both.block_dim = wx->block_dim;
	int b = both.block_dim;
	if (b >= 0 && wx->block_dim >= 0 && wx->block_dim != b)
		return "their blocks differ";
	if (b >= 0 && !sn_prove_divides(at[b], layout_block(a, y, &both)))
		return "it would begin inside a block";
	if (!layout_join_halo(&both, wx))
		return "their halos differ";
	*wy = both;
	a->group[rx->id] = ry;
	return NULL;
}

void
layout_tie_slices(struct assign *a)
{
	struct sn_slices s = { .refuse = tie, .arg = a };
	sn_slices_find(&s, a->c);
	for (size_t i = 0; i < a->pr->tensors.n; i++)
		a->want[i] = *layout_want_of(a, layout_root(a, a->pr->tensors.v[i]));
}
