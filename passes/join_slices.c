/*
 * join-slices: what is copied into a slice of another tensor is stored there to begin with.
 *
 *	x[i0, i1, i2, i3] = sum(..) ..
 *	z[i0, i1, i2, i3] = max(x[i0, i1, i2, i3], 0.0)
 *	y[i0, i1+64, i2, i3] = x[i0, i1, i2, i3]
 * ->	y[i0, i1+64, i2, i3] = sum(..) ..
 *	z[i0, i1, i2, i3] = max(y[i0, i1+64, i2, i3], 0.0)
 *
 * A concat whose members have no other readers has lost its copies to fuse-map;
 * these are the others, dense blocks and skip connections, nested as deep as
 * they come.  Readers see slices as an index map, so nothing after this pass
 * knows of them: the arena has one tensor.  Layouts must agree but for extents
 * (assign-layouts has seen to that where it can), a distance must not cut a
 * block, and rows must not become short.  A copy that stays gets a remark.
 * Exact.  Cost: linear in expressions.
 */
#include "ir/index.h"
#include "ir/layout.h"
#include "passes/slices.h"

struct join {
	struct sn_pass_ctx *c;
	struct sn_slices s;
};

/* Rows of fewer elements, with something else between them, are slower than a copy. */
enum { FEWEST_IN_ROW = 64 };

/* ---- may it? ---- */

static bool
are_blocks_equal(const struct sn_layout *a, const struct sn_layout *b)
{
	if (a->nparts != b->nparts)
		return false;
	for (int i = 0; i < a->nparts; i++)
		if (a->parts[i].axis != b->parts[i].axis || a->parts[i].div != b->parts[i].div
		    || a->parts[i].mod != b->parts[i].mod)
			return false;
	return true;
}

static bool
has_room_for_halo(const struct sn_layout *x, const struct sn_layout *y)
{
	bool has_halo = false;
	for (int d = 0; d < x->rank; d++) {
		has_halo |= x->halo_lo[d] || x->halo_hi[d];
		if (y->halo_lo[d] < x->halo_lo[d] || y->halo_hi[d] < x->halo_hi[d])
			return false;
	}
	return !has_halo || (y->has_fill && y->fill.i == x->fill.i);
}

static bool
is_block_whole(const struct sn_layout *y, const struct sn_expr *const *at)
{
	for (int i = 0; i < y->nparts; i++)
		if (!sn_prove_divides(at[y->parts[i].axis], y->parts[i].div))
			return false;
	return true;
}

/* How many parts of X one could count along PART of a layout. */
static const struct sn_expr *
part_extent(struct sn_pool *p, const struct sn_tensor *x, const struct sn_layout_part *part)
{
	if (part->mod)
		return sn_int(p, part->mod);
	return sn_divk(p, sn_addk(p, x->type.dims[part->axis], part->div - 1), part->div);
}

/* X in Y is rows with gaps between them: are those long enough? */
static bool
has_long_rows(struct sn_pool *p, const struct sn_tensor *x, const struct sn_tensor *y)
{
	const struct sn_layout *l = sn_layout_of(p, y);
	int64_t row = 1, n;
	int i = l->nparts - 1;
	for (bool is_cut = false; i >= 0 && !is_cut; i--) {
		int d = l->parts[i].axis;
		if (!sn_get_int(part_extent(p, x, &l->parts[i]), &n))
			return true; /* taken for long */
		row *= n;
		is_cut = !l->parts[i].mod && x->type.dims[d] != y->type.dims[d];
	}
	for (; i >= 0; i--)
		if (!sn_is_int_const(part_extent(p, x, &l->parts[i]), 1))
			return row >= FEWEST_IN_ROW;
	return true;
}

static const char *
refuse(void *arg, const struct sn_tensor *x, const struct sn_tensor *y,
       const struct sn_expr *const *at)
{
	const struct join *j = arg;
	struct sn_pool *p = j->c->module->pool;
	const struct sn_layout *lx = sn_layout_of(p, x), *ly = sn_layout_of(p, y);
	if (!are_blocks_equal(lx, ly))
		return "their layouts differ";
	if (!has_room_for_halo(lx, ly))
		return "their halos differ";
	if (!is_block_whole(ly, at))
		return "it would begin inside a block";
	if (!has_long_rows(p, x, y))
		return "its rows would be short";
	return NULL;
}

static void
remains(void *arg, const struct sn_tensor *x, const struct sn_tensor *y, const char *why)
{
	struct join *j = arg;
	sn_remark(j->c->module, "join-slices", y->origin, "'%s' is copied into '%s': %s", x->name,
		  y->name, why);
}

/* ---- doing it ---- */

static const struct sn_expr *
read_slice(struct sn_subst *s, const struct sn_expr *e)
{
	const struct join *j = s->arg;
	const struct sn_expr *at[SN_MAX_RANK];
	if (e->kind != EX_READ || !j->s.of[e->tensor->id].into)
		return NULL;
	int n = e->nargs - e->has_outside;
	for (int d = 0; d < n; d++)
		at[d] = e->args[d];
	struct sn_tensor *t = sn_slices_root(&j->s, s->pool, (struct sn_tensor *)e->tensor, at);
	return sn_read(s->pool, t, at, n, e->has_outside ? e->args[n] : NULL);
}

static void
rewrite(struct join *j, struct sn_comp *m)
{
	struct sn_subst s;
	sn_subst_init(&s, j->c->module->pool, j->c->scratch);
	s.leaf = read_slice;
	s.arg = j;
	sn_comp_subst(m, &s);
	for (int i = 0; i < m->nresults; i++) {
		struct sn_result *r = &m->results[i];
		r->tensor = sn_slices_root(&j->s, s.pool, r->tensor, r->idx);
	}
}

static void
rewrite_kernel(struct join *j, struct sn_kernel *k)
{
	size_t n = 0;
	for (size_t i = 0; i < k->stages.n; i++) {
		if (sn_slices_is_idle(&j->s, j->c->module->pool, k->stages.v[i]))
			continue;
		rewrite(j, k->stages.v[i]);
		k->stages.v[n++] = k->stages.v[i];
	}
	k->stages.n = n;
}

bool
sn_pass_join_slices(struct sn_pass_ctx *c)
{
	struct sn_program *pr = c->module->program;
	struct join j = { .c = c, .s = { .refuse = refuse, .remains = remains } };
	size_t n = 0;
	j.s.arg = &j;
	sn_slices_find(&j.s, c);
	for (size_t i = 0; i < pr->tensors.n; i++)
		c->has_changed |= j.s.of[i].into != NULL;
	if (!c->has_changed)
		return true;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		rewrite_kernel(&j, pr->kernels.v[i]);
		if (pr->kernels.v[i]->stages.n > 0)
			pr->kernels.v[n++] = pr->kernels.v[i];
	}
	pr->kernels.n = n;
	return true;
}
