/*
 * Tensor interpreter: the loops around the rows.
 */
#include "ir/interp.h"

static void
run_code(const struct code *c, int n)
{
	for (size_t i = 0; i < c->list.n; i++) {
		const struct inst *in = &c->list.v[i];
		in->run(in, in->dst && !in->dst->is_row ? 1 : n);
	}
}

/* Reduction axes from J on, in written order. */
static void
reduce(struct plan *p, int j)
{
	int n = p->lanes.n;
	if (j == p->nred) {
		run_code(&p->step, n);
		return;
	}
	struct axis_bind *b = &p->axes[p->red[j]];
	for (b->value = 0; b->value < b->extent; b->value++) {
		run_code(&p->steps[j], n);
		reduce(p, j + 1);
	}
}

static void
run_row(struct plan *p)
{
	run_code(&p->pre, p->lanes.n);
	if (p->comp->reducer && !p->is_red_empty)
		reduce(p, 0);
	run_code(&p->post, p->lanes.n);
}

/* All rows for one point of the outer loops. */
static void
run_rows(struct plan *p)
{
	if (p->chunk < 0) {
		run_row(p);
		return;
	}
	struct axis_bind *b = &p->axes[p->chunk];
	struct lanes *l = &p->lanes;
	int64_t rest = 1;
	for (int j = 1; j < l->naxes; j++)
		rest *= l->size[j];
	for (b->value = 0; b->value < b->extent; b->value += p->chunk_size) {
		int64_t left = b->extent - b->value;
		l->size[0] = left < p->chunk_size ? left : p->chunk_size;
		l->n = (int)(l->size[0] * rest);
		run_row(p);
	}
}

/* The next point of the outer loops; false after the last. */
static bool
next_point(struct plan *p)
{
	for (int i = p->nloops - 1; i >= 0; i--) {
		struct axis_bind *b = &p->axes[p->loops[i]];
		if (++b->value < b->extent)
			return true;
		b->value = 0;
	}
	return false;
}

void
sn_plan_run(struct plan *p)
{
	if (p->is_empty)
		return;
	do
		run_rows(p);
	while (next_point(p));
}
