/*
 * remove-dead-values: loads and names that nothing reads, and what is empty without them.
 *
 *	load best = acc[0]                load at = acc_1[0]
 *	load at = acc_1[0]          ->    y[i] = at
 *	y[i] = at
 *
 * A private buffer that nothing loads goes with the stores to it.
 *
 * Why: a reduction of several states loads them all, and not every result wants them all; a C
 * compiler drops such a load, but warns about it.  Before hoist-invariants, which would name
 * the address.
 * Cost: linear in statements and expressions, once more for each buffer that the last round emptied.
 */
#include "ir/loop.h"
#include "passes/pass.h"

struct dead {
	struct sn_arena *scratch;
	struct sn_map seen; /* expressions that kept statements use, by id */
	struct sn_map used; /* locals in them, by address */
	struct sn_map read; /* buffers that a statement loads or prefetches, by address */
	bool has_changed;
};

static void
find_read(struct dead *d, const struct sn_block *b)
{
	for (const struct sn_stmt *s = b->first; s; s = s->next)
		switch (s->kind) {
		case ST_FOR: find_read(d, &s->loop.body); break;
		case ST_IF:
			find_read(d, &s->cond.then);
			find_read(d, &s->cond.otherwise);
			break;
		case ST_LOAD:
		case ST_PREFETCH: sn_map_put_num(&d->read, (uintptr_t)s->mem.buffer, d); break;
		default: break;
		}
}

static bool
is_read(const struct dead *d, const struct sn_buffer *b)
{
	return b->space == SP_GLOBAL || sn_map_get_num(&d->read, (uintptr_t)b);
}

static void
use(struct dead *d, const struct sn_expr *e)
{
	if (sn_map_get_num(&d->seen, e->id))
		return;
	sn_map_put_num(&d->seen, e->id, d);
	if (e->kind == EX_LOCAL)
		sn_map_put_num(&d->used, (uintptr_t)e->local, d);
	for (int i = 0; i < e->nargs; i++)
		use(d, e->args[i]);
}

static void
use_mem(struct dead *d, const struct sn_stmt *s)
{
	for (int i = 0; i < s->mem.buffer->rank; i++)
		use(d, s->mem.idx[i]);
	if (s->kind == ST_STORE)
		use(d, s->mem.value);
}

static bool
is_used(const struct dead *d, const struct sn_local *l)
{
	return sn_map_get_num(&d->used, (uintptr_t)l) != NULL;
}

static void clean_block(struct dead *d, struct sn_block *b);

/* Is S of use to what comes behind it? Then so is what it reads. */
static bool
keep(struct dead *d, struct sn_stmt *s)
{
	switch (s->kind) {
	case ST_FOR:
		clean_block(d, &s->loop.body);
		if (!s->loop.body.first)
			return false;
		use(d, s->loop.axis->extent);
		return true;
	case ST_IF:
		clean_block(d, &s->cond.otherwise);
		clean_block(d, &s->cond.then);
		if (!s->cond.then.first && !s->cond.otherwise.first)
			return false;
		use(d, s->cond.cond);
		return true;
	case ST_LET:
		if (!is_used(d, s->let.local))
			return false;
		use(d, s->let.value);
		return true;
	case ST_LOAD:
		if (!is_used(d, s->mem.local))
			return false;
		use_mem(d, s);
		return true;
	case ST_ALLOC: return is_read(d, s->alloc.buffer);
	case ST_STORE:
		if (!is_read(d, s->mem.buffer))
			return false;
		use_mem(d, s);
		return true;
	case ST_PREFETCH: use_mem(d, s); return true;
	case ST_CHECK: use(d, s->check.cond); return true;
	default: return true;
	}
}

/* Readers stand behind what they read: backwards. */
static void
clean_block(struct dead *d, struct sn_block *b)
{
	SN_VEC(struct sn_stmt *) list = { 0 };
	struct sn_block out = { NULL, NULL };

	for (struct sn_stmt *s = b->first; s; s = s->next)
		SN_PUSH(d->scratch, &list, s);
	for (size_t i = list.n; i-- > 0;)
		if (!keep(d, list.v[i]))
			list.v[i] = NULL;
	for (size_t i = 0; i < list.n; i++) {
		d->has_changed |= !list.v[i];
		if (list.v[i])
			sn_block_append(&out, list.v[i]);
	}
	*b = out;
}

/* One round; did it remove anything? */
static bool
clean_func(struct sn_func *f, struct sn_arena *scratch)
{
	struct dead d = { .scratch = scratch };

	sn_map_init(&d.seen, scratch);
	sn_map_init(&d.used, scratch);
	sn_map_init(&d.read, scratch);
	find_read(&d, &f->body);
	clean_block(&d, &f->body);
	return d.has_changed;
}

bool
sn_pass_remove_dead_values(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;

	for (size_t i = 0; i < m->funcs.n; i++)
		while (clean_func(m->funcs.v[i], c->scratch))
			c->has_changed = true;
	return true;
}
