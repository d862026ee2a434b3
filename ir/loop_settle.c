/*
 * Final names: axes, locals and buffers get the names under which they are printed.
 *
 * Sums are ordered by names.  As long as two locals are both called "i" (printed i and i_1), ids
 * order them, which a text does not have; afterwards a function that is parsed is the same as the
 * one that was printed.
 */
#include "ir/loop_text.h"

struct settle {
	struct sn_func *func;
	struct sn_names names;
	struct sn_subst subst; /* axes and locals -> those with final names */
};

static const struct sn_expr *
settled(struct settle *s, const struct sn_expr *e)
{
	return sn_subst(&s->subst, e);
}

static const char *
declare(struct settle *s, struct sn_map *map, int id, const char *name)
{
	return sn_strdup(s->func->arena, sn_names_declare(&s->names, map, id, name));
}

static void
settle_local(struct settle *s, const struct sn_local **l, const struct sn_expr *value)
{
	const struct sn_local *old = *l;
	const char *name = declare(s, &s->names.locals, old->id, old->name);
	struct sn_local *fresh = sn_local_new(s->func->pool, name, old->dtype, old->lanes);
	fresh->lo = old->lo;
	fresh->hi = old->hi;
	*l = value ? sn_local_for(s->func->pool, name, value) : fresh;
	sn_subst_put(&s->subst, sn_local_expr(s->func->pool, old),
		     sn_local_expr(s->func->pool, *l));
}

static void
settle_buffer(struct settle *s, struct sn_buffer *b)
{
	b->name = declare(s, &s->names.buffers, b->id, b->name);
	for (int i = 0; i < b->rank; i++)
		b->dims[i] = settled(s, b->dims[i]);
}

static void
settle_access(struct settle *s, struct sn_stmt *m)
{
	for (int i = 0; i < m->mem.buffer->rank; i++)
		m->mem.idx[i] = settled(s, m->mem.idx[i]);
	if (m->kind == ST_LOAD)
		settle_local(s, &m->mem.local, NULL);
	else if (m->kind == ST_STORE)
		m->mem.value = settled(s, m->mem.value);
}

static void settle_stmt(struct settle *s, struct sn_stmt *m);

static void
settle_block(struct settle *s, struct sn_block *b)
{
	size_t mark = s->names.scope.n;
	for (struct sn_stmt *m = b->first; m; m = m->next)
		settle_stmt(s, m);
	sn_names_leave(&s->names, mark);
}

static void
settle_loop(struct settle *s, struct sn_stmt *m)
{
	size_t mark = s->names.scope.n;
	const struct sn_axis *old = m->loop.axis;
	const struct sn_expr *from = sn_axis_expr(s->func->pool, old);
	const struct sn_expr *extent = settled(s, old->extent), *to = settled(s, from);
	const char *name = declare(s, &s->names.axes, old->id, old->name);
	/* two loops may have one axis: what was rewritten for the first stands for the second */
	if (to == from) {
		to = sn_axis_expr(s->func->pool, sn_axis_new(s->func->pool, name, extent));
		sn_subst_put(&s->subst, from, to);
	}
	m->loop.axis = to->axis;
	settle_block(s, &m->loop.body);
	sn_names_leave(&s->names, mark);
}

static void
settle_stmt(struct settle *s, struct sn_stmt *m)
{
	switch (m->kind) {
	case ST_FOR: settle_loop(s, m); break;
	case ST_IF:
		m->cond.cond = settled(s, m->cond.cond);
		settle_block(s, &m->cond.then);
		settle_block(s, &m->cond.otherwise);
		break;
	case ST_LET:
		m->let.value = settled(s, m->let.value);
		settle_local(s, &m->let.local, m->let.value);
		break;
	case ST_LOAD:
	case ST_PREFETCH:
	case ST_STORE: settle_access(s, m); break;
	case ST_ALLOC: settle_buffer(s, m->alloc.buffer); break;
	case ST_BARRIER: break;
	case ST_CHECK: m->check.cond = settled(s, m->check.cond); break;
	}
}

void
sn_func_settle_names(struct sn_func *f, struct sn_arena *scratch)
{
	struct settle s = { .func = f };
	sn_names_init(&s.names, scratch, sn_loop_keywords);
	sn_subst_init(&s.subst, f->pool, scratch);
	for (size_t i = 0; i < f->syms.n; i++)
		sn_names_take(&s.names, f->syms.v[i]->name);
	for (size_t i = 0; i < f->params.n; i++)
		settle_buffer(&s, f->params.v[i]);
	settle_block(&s, &f->body);
}
