/*
 * plan-memory: gives temporaries their places in the arena.
 *
 * A temporary lives from the first step that stores it to the last that reads
 * it.  Placing goes by falling size: each tensor takes the lowest offset that
 * is free during its life.  With sizes that depend on run-time dimensions the
 * generated code does the same with the sizes of the day, from the lifetimes
 * given here.  Cost: quadratic in temporaries, which are few after fusing.
 */
#include <stdlib.h>
#include "ir/layout.h"
#include "passes/pass.h"

enum { ALIGN = 64 };

static struct sn_tensor *
root_of(struct sn_tensor *t)
{
	while (t->store == TS_VIEW || t->store == TS_INPLACE)
		t = t->base;
	return t;
}

static void
find_lives(struct sn_module *m)
{
	struct sn_plan *p = m->plan;
	size_t n = m->program->tensors.n;
	p->first = SN_NEW_ARRAY(m->arena, n + 1, int);
	p->last = SN_NEW_ARRAY(m->arena, n + 1, int);
	for (size_t i = 0; i < n; i++)
		p->first[i] = p->last[i] = -1;
	for (size_t s = 0; s < p->steps.n; s++)
		for (size_t j = 0; j < p->steps.v[s].func->params.n; j++) {
			struct sn_tensor *t = root_of(p->steps.v[s].args[j]);
			if (p->first[t->id] < 0)
				p->first[t->id] = (int)s;
			p->last[t->id] = (int)s;
		}
}

static void
find_sizes(struct sn_module *m)
{
	struct sn_plan *p = m->plan;
	size_t n = m->program->tensors.n;
	p->sizes = SN_NEW_ARRAY(m->arena, n + 1, const struct sn_expr *);
	p->offsets = SN_NEW_ARRAY(m->arena, n + 1, int64_t);
	p->is_static = true;
	for (size_t i = 0; i < n; i++) {
		struct sn_tensor *t = m->program->tensors.v[i];
		int64_t bytes = sn_dtype_info(t->type.dtype)->bits / 8, x;
		p->offsets[i] = -1;
		if (t->role != TR_TEMP || t->store != TS_OWN || p->first[i] < 0)
			continue;
		const struct sn_expr *size = sn_mulk(m->pool, sn_layout_of(m->pool, t)->size,
						     bytes ? bytes : 1);
		p->sizes[i] = sn_mulk(
			m->pool, sn_divk(m->pool, sn_addk(m->pool, size, ALIGN - 1), ALIGN), ALIGN);
		p->is_static &= sn_get_int(p->sizes[i], &x);
	}
}

struct item {
	int id;
	int64_t size;
};

static int
by_size(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->id < y->id ? -1 : 1;
}

/* The lowest offset at which tensor T of SIZE bytes meets none of the N placed ones that live with it. */
static int64_t
lowest_fit(const struct sn_plan *p, const struct item *placed, size_t n, const struct item *t)
{
	int64_t at = 0;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < n; i++) {
			int id = placed[i].id;
			bool together = p->first[id] <= p->last[t->id]
					&& p->first[t->id] <= p->last[id];
			int64_t end = p->offsets[id] + placed[i].size;
			if (together && p->offsets[id] < at + t->size && at < end) {
				at = end;
				moved = true;
			}
		}
	}
	return at;
}

static void
place(struct sn_module *m, struct sn_arena *scratch)
{
	struct sn_plan *p = m->plan;
	size_t n = 0;
	struct item *items = SN_NEW_ARRAY(scratch, m->program->tensors.n + 1, struct item);
	for (size_t i = 0; i < m->program->tensors.n; i++)
		if (p->sizes[i]) {
			items[n].id = (int)i;
			sn_get_int(p->sizes[i], &items[n++].size);
		}
	qsort(items, n, sizeof(*items), by_size);
	for (size_t i = 0; i < n; i++) {
		p->offsets[items[i].id] = lowest_fit(p, items, i, &items[i]);
		int64_t end = p->offsets[items[i].id] + items[i].size;
		p->arena_bytes = end > p->arena_bytes ? end : p->arena_bytes;
	}
}

static void
find_lower_bound(struct sn_module *m)
{
	struct sn_plan *p = m->plan;
	for (size_t s = 0; s < p->steps.n; s++) {
		int64_t live = 0, x;
		for (size_t i = 0; i < m->program->tensors.n; i++)
			if (p->sizes[i] && p->first[i] <= (int)s && (int)s <= p->last[i]
			    && sn_get_int(p->sizes[i], &x))
				live += x;
		p->lower_bound = live > p->lower_bound ? live : p->lower_bound;
	}
}

bool
sn_pass_plan_memory(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	find_lives(m);
	find_sizes(m);
	if (m->plan->is_static) {
		place(m, c->scratch);
		find_lower_bound(m);
	}
	c->has_changed = true;
	return true;
}
