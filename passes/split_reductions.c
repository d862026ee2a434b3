/*
 * split-reductions: on a device, long reductions with few results become two kernels.
 *
 *	y[i, j] = sum(k<4096) a[i, k] * b[k, j] + c[j]
 *		->  part[s, i, j] = sum(k<512) a[i, 512*s+k] * b[512*s+k, j]
 *		    y[i, j] = sum(s<8) part[s, i, j] + c[j]
 *
 * Otherwise most of the units would have nothing to do.  The reducer must merge as
 * it steps (sum, product, maximum, ...), and the number of parts divides the longest
 * reduction axis.  Reassociates.  Cost: linear in kernels.
 */
#include "passes/device_tile.h"
#include "passes/pass.h"

/* Results of a group: the side of a tile. Fewest steps left of a sum of products, of another reduction.
 * Groups for each unit, most parts. */
enum { TILE = 64, FEWEST_PRODUCTS = 128, FEWEST_STEPS = 2048, GROUPS_A_UNIT = 2, MOST_PARTS = 64 };

/* Steps that take as long as one more launch. */
enum { LAUNCH_STEPS = 384 };

/* Is merging two states the step with the other one as its argument? */
static bool
merges_as_it_steps(const struct sn_reducer *r)
{
	if (!r || r->nstates != 1 || r->nargs != 1 || !r->merge[0] || r->step[0]->kind != EX_OP
	    || r->merge[0]->kind != EX_OP || r->step[0]->op != r->merge[0]->op
	    || r->step[0]->nargs != 2 || r->state_types[0] != r->arg_types[0])
		return false;
	return r->step[0]->args[0]->kind == EX_STATE && r->step[0]->args[1]->kind == EX_ARG;
}

static double
tiles(const struct dt_side *s)
{
	double n = sn_rows_points(s->axes, 0, s->naxes) / TILE;
	return n > 1 ? n : 1;
}

/* Groups that would work on K, and the fewest steps that a part should have. */
static double
groups_of(struct sn_sched_ctx *c, const struct sn_kernel *k, int64_t *out_fewest)
{
	struct dt_shape s;
	const struct sn_comp *m = k->stages.v[0];
	if (!dt_shape_of(c, k, 1, &s)) {
		*out_fewest = FEWEST_STEPS;
		return sn_rows_points(m->axes, 0, m->naxes);
	}
	*out_fewest = FEWEST_PRODUCTS;
	return sn_rows_points(s.batch, 0, s.nbatch) * tiles(&s.side[DT_Y]) * tiles(&s.side[DT_X]);
}

/* Number of the longest reduction axis; all must be of known extent. -1: one is not. */
static int
longest(const struct sn_comp *m, int64_t *out_all)
{
	int at = -1;
	int64_t n, most = 1;
	*out_all = 1;
	for (int i = 0; i < m->nred; i++) {
		if (!sn_get_int(m->red[i]->extent, &n))
			return -1;
		*out_all *= n;
		if (n > most) {
			most = n;
			at = i;
		}
	}
	return at;
}

/* Parts for the reduction of K along axis *OUT_AXIS; 1: none. */
static int64_t
parts_for(struct sn_sched_ctx *c, const struct sn_kernel *k, int *out_axis)
{
	const struct sn_comp *m = k->stages.v[0];
	int64_t fewest, all, n, best = 1;
	if (k->stages.n != 1 || k->nshared > 0 || !merges_as_it_steps(m->reducer)
	    || m->naxes + 1 > SN_MAX_RANK || m->naxes + 1 > SN_MAX_AXES)
		return 1;
	double groups = groups_of(c, k, &fewest);
	*out_axis = longest(m, &all);
	if (*out_axis < 0 || groups >= c->target->units)
		return 1;
	sn_get_int(m->red[*out_axis]->extent, &n);
	for (int64_t parts = 2; parts <= MOST_PARTS && parts <= n; parts++)
		if (n % parts == 0 && all / parts >= fewest && all - all / parts > LAUNCH_STEPS
		    && groups * (double)parts <= GROUPS_A_UNIT * c->target->units)
			best = parts;
	return best;
}

/* Where the parts of K's result are kept: parts by the extents of its parallel axes. */
static struct sn_tensor *
part_tensor(struct sn_program *pr, const struct sn_kernel *k, int64_t parts)
{
	const struct sn_comp *m = k->stages.v[0];
	struct sn_type t = { .kind = TY_TENSOR, .dtype = m->reducer->state_types[0] };
	t.rank = m->naxes + 1;
	t.dims[0] = sn_int(pr->pool, parts);
	for (int i = 0; i < m->naxes; i++)
		t.dims[i + 1] = m->axes[i]->extent;
	const char *name = sn_printf(pr->arena, "%s_parts", m->results[0].tensor->name);
	struct sn_tensor *x = sn_tensor_new(pr, name, &t, TR_TEMP);
	x->origin = k->origin;
	return x;
}

/* The kernel that stores the parts, from a copy of K's stage. */
static struct sn_kernel *
part_kernel(struct sn_pass_ctx *c, const struct sn_kernel *k, int axis, struct sn_tensor *to,
	    int64_t parts)
{
	struct sn_program *pr = c->module->program;
	struct sn_pool *p = pr->pool;
	struct sn_comp *m = sn_comp_copy(pr, k->stages.v[0]);
	struct sn_kernel *n = sn_kernel_new(pr, sn_printf(pr->arena, "%s_parts", k->name));
	const struct sn_axis *old = m->red[axis], *s = sn_axis_new(p, "s", sn_int(p, parts));
	int64_t extent;
	struct sn_subst sub;
	sn_get_int(old->extent, &extent);
	m->red[axis] = sn_axis_new(p, old->name, sn_int(p, extent / parts));
	sn_subst_init(&sub, p, c->scratch);
	sn_subst_put(&sub, sn_axis_expr(p, old),
		     sn_add(p, sn_mulk(p, sn_axis_expr(p, s), extent / parts),
			    sn_axis_expr(p, m->red[axis])));
	sn_comp_subst(m, &sub);
	for (int i = m->naxes; i > 0; i--)
		m->axes[i] = m->axes[i - 1];
	m->axes[0] = s;
	m->naxes++;
	m->nresults = 1;
	m->results[0] = (struct sn_result){ .tensor = to };
	for (int i = 0; i < m->naxes; i++)
		m->results[0].idx[i] = sn_axis_expr(p, m->axes[i]);
	m->results[0].value = sn_state(p, m->reducer->state_types[0], 0);
	n->origin = k->origin;
	SN_PUSH(pr->arena, &n->stages, m);
	return n;
}

/* K reduces the parts instead. */
static void
reduce_parts(struct sn_program *pr, struct sn_kernel *k, const struct sn_tensor *from)
{
	struct sn_comp *m = k->stages.v[0];
	const struct sn_expr *idx[SN_MAX_RANK];
	m->nred = 1;
	m->red[0] = sn_axis_new(pr->pool, "s", from->type.dims[0]);
	idx[0] = sn_axis_expr(pr->pool, m->red[0]);
	for (int i = 0; i < m->naxes; i++)
		idx[i + 1] = sn_axis_expr(pr->pool, m->axes[i]);
	m->args[0] = sn_read(pr->pool, from, idx, from->type.rank, NULL);
}

bool
sn_pass_split_reductions(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct sn_program *pr = m->program;
	struct sn_sched_ctx s = { m, m->target, m->pool, m->arena, c->scratch };
	SN_VEC(struct sn_kernel *) list = { 0 };
	if (!sn_target_is_device(m->target))
		return true;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_kernel *k = pr->kernels.v[i];
		int axis;
		int64_t parts = k->place == PLACE_TARGET ? parts_for(&s, k, &axis) : 1;
		if (parts > 1) {
			struct sn_tensor *t = part_tensor(pr, k, parts);
			SN_PUSH(pr->arena, &list, part_kernel(c, k, axis, t, parts));
			reduce_parts(pr, k, t);
			c->has_changed = true;
		}
		SN_PUSH(pr->arena, &list, k);
	}
	pr->kernels.v = list.v;
	pr->kernels.n = list.n;
	pr->kernels.cap = list.cap;
	return true;
}
