/*
 * Tensor interpreter: which axes of a comprehension make a row, which are
 * looped over.
 *
 * A row wants many points, but a read that is one number for all its lanes is
 * cheap, so an axis that would spread such a read over the lanes is taken only
 * while the row is short.
 */
#include "ir/interp.h"

enum { ROW_IS_LONG = 32 };

struct reads {
	struct sn_arena *arena;
	SN_VEC(const struct sn_expr *) list;
};

static void
collect_read(const struct sn_expr *e, void *arg)
{
	struct reads *r = arg;
	if (e->kind == EX_READ)
		SN_PUSH(r->arena, &r->list, e);
}

static bool
reads_along(const struct sn_expr *read, const struct sn_axis *const *axes, int n)
{
	for (int i = 0; i < n; i++)
		if (sn_expr_has_axis(read, axes[i]))
			return true;
	return false;
}

/* Would axis I spread a read that is the same along all later axes? */
static bool
spreads_read(const struct reads *r, const struct sn_comp *c, int i)
{
	for (size_t k = 0; k < r->list.n; k++)
		if (sn_expr_has_axis(r->list.v[k], c->axes[i])
		    && !reads_along(r->list.v[k], c->axes + i + 1, c->naxes - i - 1))
			return true;
	return false;
}

/* Axis I becomes the outermost one of the row, SIZE of its values at a time. */
static void
make_lane(struct plan *p, int i, int64_t size)
{
	struct lanes *l = &p->lanes;
	for (int j = l->naxes++; j > 0; j--)
		l->size[j] = l->size[j - 1];
	l->size[0] = size;
	p->axes[i].place = AP_LANE;
}

/* Takes parallel axes into the row from the innermost outwards. */
static void
choose_lanes(struct plan *p, const struct reads *r)
{
	int64_t n = 1;
	p->chunk = -1;
	for (int i = p->comp->naxes - 1; i >= 0; i--) {
		struct axis_bind *a = &p->axes[i];
		if (a->place == AP_ONE)
			continue;
		int64_t fit = a->extent < ROW / n ? a->extent : ROW / n;
		if (fit < 2 || (n >= ROW_IS_LONG && spreads_read(r, p->comp, i)))
			break;
		make_lane(p, i, fit);
		n *= fit;
		if (fit < a->extent) {
			p->chunk = i;
			break;
		}
	}
	p->chunk_size = p->lanes.naxes ? p->lanes.size[0] : 1;
	p->lanes.n = (int)n;
}

static bool
bind_axis(struct plan *p, const struct sn_axis *axis, bool is_red)
{
	struct axis_bind *b = &p->axes[p->naxes++];
	*b = (struct axis_bind){ .axis = axis, .place = AP_LOOP, .level = -1 };
	if (!sn_interp_dim(axis->extent, p->in->opts->syms, &b->extent))
		return sn_report(p->in->diags, sn_origin_where(p->comp->origin), DG_INTERP_EXTENT,
				 p->in->kernel->name, axis->name);
	if (b->extent <= 0)
		*(is_red ? &p->is_red_empty : &p->is_empty) = true;
	if (b->extent <= 1)
		b->place = AP_ONE;
	return true;
}

static bool
bind_axes(struct plan *p)
{
	const struct sn_comp *c = p->comp;
	for (int i = 0; i < c->naxes; i++)
		if (!bind_axis(p, c->axes[i], false))
			return false;
	for (int i = 0; i < c->nred; i++) {
		if (!bind_axis(p, c->red[i], true))
			return false;
		struct axis_bind *b = &p->axes[c->naxes + i];
		if (b->place != AP_LOOP)
			continue;
		b->level = p->nred;
		p->red[p->nred++] = c->naxes + i;
	}
	return true;
}

static void
list_loops(struct plan *p)
{
	int lane = 0;
	for (int i = 0; i < p->comp->naxes; i++) {
		if (p->axes[i].place == AP_LOOP)
			p->loops[p->nloops++] = i;
		else if (p->axes[i].place == AP_LANE)
			p->axes[i].lane = lane++;
	}
}

bool
sn_plan_build(struct plan *p, struct interp *in, const struct sn_comp *c, struct sn_arena *a)
{
	*p = (struct plan){ .in = in, .comp = c, .arena = a };
	struct reads r = { .arena = a };
	for (int i = 0; c->reducer && i < c->reducer->nargs; i++)
		sn_expr_walk(c->args[i], a, collect_read, &r);
	if (!bind_axes(p))
		return false;
	choose_lanes(p, &r);
	list_loops(p);
	return sn_plan_compile(p);
}
