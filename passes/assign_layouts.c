/*
 * assign-layouts: gives stored tensors their layouts.
 *
 *	y = sum(c, r, s) x[..] * k[m, c, r, s]   ->   y {NCHW16c}, x {halo 1}
 *
 * A contraction with constant weights wants its result in blocks along the
 * axis that only the weights share with it (unless that axis is contiguous
 * anyway); maps and windows follow what they read.  A tensor that is read with
 * a constant outside value gets a halo holding it.  The caller's tensors stay
 * row-major: where a contraction would read an input with an outside value, or
 * store an output in blocks, a copy is put between; so also where an operand
 * that is no constant is not contiguous along its result's rows.  Constants are laid out
 * later (pack-constants).  Exact.  Cost: linear in reads.
 *
 * On a device everything stays row-major: groups stage what they read through
 * local memory, and masks are cheaper there than copies.
 *
 * Not done: undoing a blocked layout where later readers want rows.
 */
#include "passes/layouts.h"

/* T laid out as W wants it; NULL: row-major. A halo along the blocked dimension would shift every
 * block: those reads are guarded instead. */
const struct sn_layout *
layout_make(struct assign *a, const struct sn_tensor *t, const struct want *w)
{
	struct sn_layout_blocking b = { .axis = w->block_dim, .block = layout_block(a, t, w) };
	struct want h = *w;
	bool has_halo = false;
	if (w->block_dim < 0)
		b.axis = 0, b.block = 1;
	else
		h.lo[b.axis] = h.hi[b.axis] = 0;
	for (int d = 0; w->has_halo && d < t->type.rank; d++)
		has_halo |= h.lo[d] || h.hi[d];
	if (has_halo)
		b.halo_lo = h.lo, b.halo_hi = h.hi, b.fill = &w->fill;
	return has_halo || b.block > 1 ? sn_layout_blocked(a->m->pool, &t->type, &b) : NULL;
}

static void
set_layout(struct assign *a, struct sn_tensor *t)
{
	if (!t->layout && t->store == TS_OWN && t->role == TR_TEMP)
		t->layout = layout_make(a, t, layout_want_of(a, layout_root(a, t)));
}

static void
each_comp(struct assign *a, void (*f)(struct assign *a, const struct sn_comp *m))
{
	for (size_t i = 0; i < a->pr->kernels.n; i++)
		for (size_t j = 0; j < a->pr->kernels.v[i]->stages.n; j++)
			f(a, a->pr->kernels.v[i]->stages.v[j]);
}

bool
sn_pass_assign_layouts(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	if (sn_target_is_device(m->target))
		return true;
	struct assign a = { .c = c,
			    .m = m,
			    .pr = m->program,
			    .s = { m, m->target, m->pool, m->arena, c->scratch } };
	/* at most one twin for each input, output and kernel */
	a.nwant = a.pr->tensors.n + a.pr->inputs.n + a.pr->outputs.n + a.pr->kernels.n;
	a.want = SN_NEW_ARRAY(c->scratch, a.nwant, struct want);
	a.group = SN_NEW_ARRAY(c->scratch, a.nwant, struct sn_tensor *);
	for (size_t i = 0; i < a.nwant; i++)
		a.want[i].block_dim = -1;
	if (m->has_vectors)
		each_comp(&a, layout_want_blocks);
	each_comp(&a, layout_want_halos);
	layout_tie_slices(&a);
	for (size_t i = 0; i < a.pr->kernels.n && m->has_vectors; i++)
		i += layout_turn_operand(&a, i);
	for (size_t i = 0; i < a.pr->inputs.n; i++)
		layout_copy_input(&a, a.pr->inputs.v[i]);
	for (size_t i = 0; i < a.pr->outputs.n; i++)
		layout_copy_output(&a, a.pr->outputs.v[i]);
	layout_trim(&a);
	layout_drop_copies(&a);
	for (size_t i = 0; i < a.pr->tensors.n; i++)
		set_layout(&a, a.pr->tensors.v[i]);
	c->has_changed = true;
	return true;
}
