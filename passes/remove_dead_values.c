/*
 * remove-dead-values: loads and names that nothing reads, and what is empty without them.
 *
 *	load best = acc[0]                load at = acc_1[0]
 *	load at = acc_1[0]          ->    y[i] = at
 *	y[i] = at
 *
 * Why: a reduction of several states loads them all, and not every result wants them all; a C
 * compiler drops such a load, but warns about it.  Before hoist-invariants, which would name
 * the address.  Stores stay, read or not: the buffer may be a parameter, and what is left of a
 * private one costs nothing.
 * Cost: linear in statements and expressions.
 */
#include "ir/loop.h"
#include "passes/pass.h"

struct dead {
	struct sn_arena *scratch;
	struct sn_map seen; /* expressions that kept statements use, by id */
	struct sn_map used; /* locals in them, by address */
	bool has_changed;
};

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
	case ST_STORE:
	case ST_PREFETCH: use_mem(d, s); return true;
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

bool
sn_pass_remove_dead_values(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;

	for (size_t i = 0; i < m->funcs.n; i++) {
		struct dead d = { .scratch = c->scratch };

		sn_map_init(&d.seen, c->scratch);
		sn_map_init(&d.used, c->scratch);
		clean_block(&d, &m->funcs.v[i]->body);
		c->has_changed |= d.has_changed;
	}
	return true;
}
