/* The scan schedule, and what scans are. */
#include "passes/scan.h"
#include "passes/rows.h"

/* ---- what is a scan ---- */

/* Number of the parallel axis that E is; -1: none. */
static int
axis_number(const struct sn_comp *m, const struct sn_expr *e)
{
	for (int i = 0; i < m->naxes; i++)
		if (e->kind == EX_AXIS && e->axis == m->axes[i])
			return i;
	return -1;
}

/* Reads COND as a comparison of the reduction axis with a parallel one of the same extent. */
static bool
read_condition(const struct sn_expr *cond, struct sn_scan *s)
{
	const struct sn_axis *red = s->comp->red[0];
	if (cond->kind != EX_OP || (cond->op != OP_LT && cond->op != OP_LE))
		return false;
	s->is_exclusive = cond->op == OP_LT;
	s->is_reverse = cond->args[1]->kind == EX_AXIS && cond->args[1]->axis == red;
	const struct sn_expr *own = cond->args[s->is_reverse], *other = cond->args[!s->is_reverse];
	if (own->kind != EX_AXIS || own->axis != red)
		return false;
	s->axis = axis_number(s->comp, other);
	return s->axis >= 0 && other->axis->extent == red->extent;
}

bool
sn_scan_of(const struct sn_kernel *k, struct sn_scan *out)
{
	const struct sn_comp *m = k->stages.v[0];
	const struct sn_reducer *r = m->reducer;
	*out = (struct sn_scan){ .comp = m };
	if (k->stages.n != 1 || !r || r->nstates != 1 || r->nargs != 1 || !r->merge[0]
	    || m->nred != 1)
		return false;
	const struct sn_expr *arg = m->args[0];
	if (arg->kind != EX_OP || arg->op != OP_SELECT || arg->args[2] != r->init[0]
	    || !read_condition(arg->args[0], out))
		return false;
	out->x = arg->args[1];
	return !sn_expr_has_axis(out->x, m->axes[out->axis]);
}

double
sn_scan_cost(const struct sn_scan *s, double cost)
{
	int64_t n;
	return sn_get_int(s->comp->red[0]->extent, &n) ? cost : 0;
}

int
sn_scan_others(const struct sn_scan *s, const struct sn_axis **out)
{
	int n = 0;
	for (int i = 0; i < s->comp->naxes; i++)
		if (i != s->axis)
			out[n++] = s->comp->axes[i];
	return n;
}

/* ---- walking ---- */

/* S with the element number AT of the walk. */
static struct sn_scope
scope_at(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *at)
{
	const struct sn_comp *m = w->scan->comp;
	struct sn_pool *p = w->e->c->pool;
	struct sn_scope in = sn_scope_copy(w->e, s);
	if (w->scan->is_reverse)
		at = sn_sub(p, sn_addk(p, m->red[0]->extent, -1), at);
	sn_scope_axis(w->e, &in, m->axes[w->scan->axis], at);
	sn_scope_axis(w->e, &in, m->red[0], at);
	return in;
}

static void
step(struct sn_scan_walk *w, struct sn_scope *in)
{
	const struct sn_expr *arg = sn_emit_expr(w->e, in, w->scan->x);
	sn_emit_acc_step(w->e, w->scan->comp->reducer, &w->part, NULL, &arg);
}

void
sn_scan_step(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *at)
{
	struct sn_scope in = scope_at(w, s, at);
	step(w, &in);
}

/* Results where the state is that of PART after what comes before it. */
static void
emit_results(struct sn_scan_walk *w, const struct sn_scope *s)
{
	const struct sn_comp *m = w->scan->comp;
	const struct sn_reducer *r = m->reducer;
	struct sn_pool *p = w->e->c->pool;
	const struct sn_expr *state = sn_at_load(w->e->b, w->part.buf[0]->name, w->part.buf[0],
						 NULL);
	if (w->before) {
		struct sn_scope both = { 0 };
		sn_emit_acc_states(w->e, r, w->before, NULL, &both);
		sn_scope_put(w->e, &both, sn_other(p, r->state_types[0], 0), state);
		state = sn_emit_expr(w->e, &both, r->merge[0]);
	}
	struct sn_scope in = sn_scope_copy(w->e, s);
	sn_scope_put(w->e, &in, sn_state(p, r->state_types[0], 0), state);
	for (int i = 0; i < m->nresults; i++)
		sn_emit_result(w->e, &in, &m->results[i]);
}

void
sn_scan_element(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *at)
{
	struct sn_scope in = scope_at(w, s, at);
	if (w->scan->is_exclusive)
		emit_results(w, &in);
	step(w, &in);
	if (!w->scan->is_exclusive)
		emit_results(w, &in);
}

/* ---- on a CPU ---- */

/* Elements in one running sum, and cycles of a step that waits for the one before. */
enum { BLOCK = 64, STEP = 6 };

double
sn_scan_choose(struct sn_sched_ctx *c, struct sn_kernel *k)
{
	struct sn_scan s;
	(void)c;
	if (!sn_scan_of(k, &s))
		return -1;
	return sn_scan_cost(&s, STEP * sn_rows_points(s.comp->axes, 0, s.comp->naxes));
}

static bool
is_float_sum(const struct sn_reducer *r)
{
	return sn_is_float(r->state_types[0]) && r->step[0]->kind == EX_OP
	       && r->step[0]->op == OP_ADD;
}

/* COUNT elements from BASE on. */
static void
walk(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *base,
     const struct sn_expr *count)
{
	const struct sn_expr *j = sn_at_for(w->e->b, LK_SERIAL, "j", count);
	sn_scan_element(w, s, sn_add(w->e->c->pool, base, j));
	sn_at_end(w->e->b);
}

/* COUNT blocks of SIZE elements from BASE on, after TOTAL, which they are added to. */
static void
walk_blocks(struct sn_scan_walk *w, const struct sn_scope *s, const struct sn_expr *base,
	    const struct sn_expr *count, const struct sn_expr *size)
{
	struct sn_emit *e = w->e;
	const struct sn_reducer *r = w->scan->comp->reducer;
	struct sn_pool *p = e->c->pool;
	if (sn_is_int_const(count, 0) || sn_is_int_const(size, 0))
		return;
	const struct sn_expr *o = sn_at_for(e->b, LK_SERIAL, "o", count);
	sn_emit_acc_alloc(e, r, SP_REG, 0, NULL, &w->part);
	sn_emit_acc_init(e, r, &w->part, NULL);
	walk(w, s, sn_add(p, base, sn_mul(p, o, size)), size);
	sn_emit_acc_merge(e, r, w->before, NULL, &w->part, NULL);
	sn_at_end(e->b);
}

static void
walk_all(struct sn_scan_walk *w, const struct sn_scope *s)
{
	struct sn_emit *e = w->e;
	struct sn_pool *p = e->c->pool;
	const struct sn_reducer *r = w->scan->comp->reducer;
	const struct sn_expr *n = w->scan->comp->red[0]->extent, *zero = sn_int(p, 0);
	struct sn_acc acc;
	sn_emit_acc_alloc(e, r, SP_REG, 0, NULL, &acc);
	sn_emit_acc_init(e, r, &acc, NULL);
	if (!is_float_sum(r)) {
		w->part = acc;
		walk(w, s, zero, n);
		return;
	}
	const struct sn_expr *full = sn_divk(p, n, BLOCK);
	w->before = &acc;
	walk_blocks(w, s, zero, full, sn_int(p, BLOCK));
	walk_blocks(w, s, sn_mulk(p, full, BLOCK), sn_int(p, 1), sn_modk(p, n, BLOCK));
}

bool
sn_scan_apply(struct sn_sched_ctx *c, const struct sn_kernel *k, struct sn_builder *b)
{
	const struct sn_axis *others[SN_MAX_AXES];
	struct sn_emit e;
	struct sn_scan s;
	struct sn_scope scope = { 0 };
	if (!sn_scan_of(k, &s))
		return false;
	sn_emit_init(&e, c, k, b);
	sn_emit_halos(&e);
	int n = sn_scan_others(&s, others);
	for (int i = 0; i < n; i++)
		sn_scope_axis(&e, &scope, others[i],
			      sn_at_for(b, i ? LK_SERIAL : LK_PARALLEL, others[i]->name,
					others[i]->extent));
	struct sn_scan_walk w = { .e = &e, .scan = &s };
	walk_all(&w, &scope);
	for (int i = 0; i < n; i++)
		sn_at_end(b);
	return true;
}
