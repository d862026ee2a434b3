/*
 * Alpha-equivalence of functions: both are written in a canonical form in which
 * everything that has a name is a number in order of first occurrence; equal
 * functions have equal forms.
 */
#include <string.h>
#include "ir/loop.h"

struct canon {
	struct sn_buf out;
	struct sn_map exprs;			   /* expression id -> number + 1 */
	struct sn_map axes, locals, buffers, syms; /* id -> number + 1 */
};

static void
put(struct canon *c, int64_t x)
{
	sn_buf_addn(&c->out, (const char *)&x, sizeof(x));
}

/* The number of KEY in MAP, given out at first sight. */
static uintptr_t
number(struct sn_map *map, uint64_t key, bool *out_is_new)
{
	uintptr_t n = (uintptr_t)sn_map_get_num(map, key);

	*out_is_new = n == 0;
	if (n == 0) {
		n = map->n + 1;
		sn_map_put_num(map, key, (void *)n);
	}
	return n;
}

static void put_expr(struct canon *c, const struct sn_expr *e);

static void
put_axis(struct canon *c, const struct sn_axis *x)
{
	bool is_new;

	put(c, (int64_t)number(&c->axes, (uint64_t)x->id, &is_new));
	if (is_new)
		put_expr(c, x->extent);
}

static void
put_local(struct canon *c, const struct sn_local *x)
{
	bool is_new;

	put(c, (int64_t)number(&c->locals, (uint64_t)x->id, &is_new));
	put(c, x->dtype);
	put(c, x->lanes);
}

static void
put_leaf(struct canon *c, const struct sn_expr *e)
{
	bool is_new;

	switch (e->kind) {
	case EX_CONST: put(c, e->num.i); break;
	case EX_SYM: put(c, (int64_t)number(&c->syms, (uint64_t)e->sym->id, &is_new)); break;
	case EX_AXIS: put_axis(c, e->axis); break;
	case EX_LOCAL: put_local(c, e->local); break;
	default: put(c, e->op);
	}
}

static void
put_expr(struct canon *c, const struct sn_expr *e)
{
	bool is_new = true;

	if (!e) {
		put(c, -1);
		return;
	}
	put(c, (int64_t)number(&c->exprs, e->id, &is_new));
	if (!is_new)
		return;
	put(c, e->kind);
	put(c, e->dtype);
	put(c, e->lanes);
	put(c, e->nargs);
	put_leaf(c, e);
	for (int i = 0; i < e->nargs; i++)
		put_expr(c, e->args[i]);
}

static void
put_buffer(struct canon *c, const struct sn_buffer *b)
{
	bool is_new;

	put(c, (int64_t)number(&c->buffers, (uint64_t)b->id, &is_new));
	if (!is_new)
		return;
	put(c, b->dtype);
	put(c, b->lanes);
	put(c, b->space);
	put(c, b->is_const + 2 * b->is_alias);
	put(c, b->align);
	put(c, b->rank);
	for (int i = 0; i < b->rank; i++)
		put_expr(c, b->dims[i]);
}

static void put_block(struct canon *c, const struct sn_block *b);

static void
put_mem(struct canon *c, const struct sn_stmt *s)
{
	put_buffer(c, s->mem.buffer);
	for (int i = 0; i < s->mem.buffer->rank; i++)
		put_expr(c, s->mem.idx[i]);
	put(c, 2 * s->mem.active + s->mem.is_aligned);
	if (s->kind == ST_LOAD)
		put_local(c, s->mem.local);
	else if (s->kind == ST_STORE)
		put_expr(c, s->mem.value);
}

static void
put_stmt(struct canon *c, const struct sn_stmt *s)
{
	put(c, s->kind);
	switch (s->kind) {
	case ST_FOR:
		put(c, s->loop.kind);
		put_axis(c, s->loop.axis);
		put_block(c, &s->loop.body);
		break;
	case ST_IF:
		put_expr(c, s->cond.cond);
		put_block(c, &s->cond.then);
		put_block(c, &s->cond.otherwise);
		break;
	case ST_LET:
		put_local(c, s->let.local);
		put_expr(c, s->let.value);
		break;
	case ST_LOAD:
	case ST_PREFETCH:
	case ST_STORE: put_mem(c, s); break;
	case ST_ALLOC: put_buffer(c, s->alloc.buffer); break;
	case ST_BARRIER: put(c, s->barrier.orders); break;
	case ST_CHECK: put_expr(c, s->check.cond); break;
	}
}

static void
put_block(struct canon *c, const struct sn_block *b)
{
	for (const struct sn_stmt *s = b->first; s; s = s->next)
		put_stmt(c, s);
	put(c, -2);
}

static void
write_canon(struct canon *c, const struct sn_func *f, struct sn_arena *a)
{
	struct sn_map *maps[] = { &c->exprs, &c->axes, &c->locals, &c->buffers, &c->syms };
	bool is_new;

	sn_buf_init(&c->out, a);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		sn_map_init(maps[i], a);
	for (size_t i = 0; i < f->syms.n; i++)
		put(c, (int64_t)number(&c->syms, (uint64_t)f->syms.v[i]->id, &is_new));
	put(c, f->is_on_host);
	put(c, (int64_t)f->params.n);
	for (size_t i = 0; i < f->params.n; i++)
		put_buffer(c, f->params.v[i]);
	put_block(c, &f->body);
}

/* Both answers in one place, since memory may run out on the way to either. */
static void
compare(const struct sn_func *a, const struct sn_func *b, uint64_t *out_hash, bool *out_equal)
{
	struct sn_guard guard;
	struct sn_arena scratch;
	struct canon ca, cb;

	sn_arena_init(&scratch, &guard);
	enum sn_status status = SN_GUARD_ENTER(&guard);

	if (status != SN_OK) {
		sn_arena_release(&scratch);
		sn_guard_leave(a->arena->guard, status, "%s", guard.text);
	}
	write_canon(&ca, a, &scratch);
	if (out_hash)
		*out_hash = sn_hash(0, ca.out.text, ca.out.len);
	if (b) {
		write_canon(&cb, b, &scratch);
		*out_equal = ca.out.len == cb.out.len
			     && memcmp(ca.out.text, cb.out.text, ca.out.len) == 0;
	}
	sn_arena_release(&scratch);
}

bool
sn_func_equal(const struct sn_func *a, const struct sn_func *b)
{
	bool is_equal = false;

	compare(a, b, NULL, &is_equal);
	return is_equal;
}

uint64_t
sn_func_hash(const struct sn_func *f)
{
	uint64_t h = 0;

	compare(f, NULL, &h, NULL);
	return h;
}
