/*
 * plan-memory: gives temporaries their places in the arena.
 *
 * A temporary lives from the first step that stores it to the last that reads
 * it.  One after the other, each takes the lowest offset that is free during
 * its life.  In what order is a guess; several are tried, the best is kept:
 *
 *	by size				the large ones lie at the bottom, small ones fill the gaps
 *	by size times length of life	what is long in the way is there first
 *	by end of life			those that stay longest lie lowest
 *
 * What lies on the host, in programs for a device, has an arena of its own there.
 * With sizes that depend on run-time dimensions the generated code goes by
 * size, with the sizes of the day and the lifetimes given here.  Cost: quadratic
 * in temporaries, which are few after fusing.
 */
#include <stdlib.h>
#include <string.h>
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
	enum sn_place place;
	int64_t size;
	int64_t key; /* the largest first */
};

static int64_t
key_size(const struct sn_plan *p, int id, int64_t size)
{
	(void)p;
	(void)id;
	return size;
}

static int64_t
key_area(const struct sn_plan *p, int id, int64_t size)
{
	return size * (p->last[id] - p->first[id] + 1);
}

static int64_t
key_last(const struct sn_plan *p, int id, int64_t size)
{
	(void)size;
	return p->last[id];
}

static int64_t (*const keys[])(const struct sn_plan *p, int id, int64_t size) = {
	key_size,
	key_area,
	key_last,
};

static int
by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->id < y->id ? -1 : 1;
}

/* The lowest offset at which tensor T of SIZE bytes meets none of the N placed ones that live with it
 * in its arena. */
static int64_t
lowest_fit(const struct sn_plan *p, const struct item *placed, size_t n, const struct item *t)
{
	int64_t at = 0;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < n; i++) {
			int id = placed[i].id;
			bool together = placed[i].place == t->place
					&& p->first[id] <= p->last[t->id]
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

/* Places all in the order of their keys; END: of each arena. */
static void
place_all(struct sn_plan *p, struct item *items, size_t n, int64_t *end)
{
	end[PLACE_TARGET] = end[PLACE_HOST] = 0;
	qsort(items, n, sizeof(*items), by_key);
	for (size_t i = 0; i < n; i++) {
		int64_t at = lowest_fit(p, items, i, &items[i]), *e = &end[items[i].place];
		p->offsets[items[i].id] = at;
		*e = at + items[i].size > *e ? at + items[i].size : *e;
	}
}

/* The order KEY; kept if it is better than what there is. */
static void
try_order(struct sn_module *m, struct sn_arena *scratch, size_t key)
{
	struct sn_plan *p = m->plan;
	size_t n = 0, ntensors = m->program->tensors.n;
	struct item *items = SN_NEW_ARRAY(scratch, ntensors + 1, struct item);
	int64_t *before = sn_memdup(scratch, p->offsets, ntensors * sizeof(*before)), size, end[2];
	for (size_t i = 0; i < ntensors; i++)
		if (p->sizes[i] && sn_get_int(p->sizes[i], &size))
			items[n++] = (struct item){ (int)i, m->program->tensors.v[i]->place, size,
						    keys[key](p, (int)i, size) };
	place_all(p, items, n, end);
	if (key > 0 && end[PLACE_TARGET] + end[PLACE_HOST] >= p->arena_bytes + p->host_bytes) {
		memcpy(p->offsets, before, ntensors * sizeof(*before));
		return;
	}
	p->arena_bytes = end[PLACE_TARGET];
	p->host_bytes = end[PLACE_HOST];
}

static void
place(struct sn_module *m, struct sn_arena *scratch)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (i == 0 || m->plan->arena_bytes + m->plan->host_bytes > m->plan->lower_bound)
			try_order(m, scratch, i);
}

static void
find_lower_bound(struct sn_module *m)
{
	struct sn_plan *p = m->plan;
	for (size_t s = 0; s < p->steps.n; s++) {
		int64_t live = 0, x;
		for (size_t i = 0; i < m->program->tensors.n; i++)
			if (p->sizes[i] && m->program->tensors.v[i]->place == PLACE_TARGET
			    && p->first[i] <= (int)s && (int)s <= p->last[i]
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
		find_lower_bound(m);
		place(m, c->scratch);
	}
	c->has_changed = true;
	return true;
}
