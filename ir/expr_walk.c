/*
 * Walking and rewriting expressions, each shared part once.
 */
#include "ir/expr_impl.h"
#include "ir/tensor.h"

void
sn_subst_init(struct sn_subst *s, struct sn_pool *p, struct sn_arena *scratch)
{
	*s = (struct sn_subst){ .pool = p };
	sn_map_init(&s->map, scratch);
}

void
sn_subst_put(struct sn_subst *s, const struct sn_expr *from, const struct sn_expr *to)
{
	sn_map_put_num(&s->map, from->id, (void *)(uintptr_t)to);
}

/* E over the operands ARGS, simplified. */
static const struct sn_expr *
rebuild(struct sn_pool *p, const struct sn_expr *e, const struct sn_expr *const *args)
{
	if (e->kind == EX_READ) {
		int n = e->nargs - e->has_outside;

		return sn_read(p, e->tensor, args, n, e->has_outside ? args[n] : NULL);
	}
	switch ((enum sn_scalar_op)e->op) {
	case OP_CAST: return sn_cast(p, (enum sn_dtype)e->dtype, args[0]);
	case OP_BITCAST: return sn_bitcast(p, (enum sn_dtype)e->dtype, args[0]);
	case OP_SPLAT: return sn_splat(p, args[0], e->lanes);
	case OP_IOTA: return sn_iota(p, args[0], e->lanes);
	default: return sn_op(p, (enum sn_scalar_op)e->op, args, e->nargs);
	}
}

const struct sn_expr *
sn_subst(struct sn_subst *s, const struct sn_expr *e)
{
	const struct sn_expr *args[SN_MAX_RANK + 1];
	const struct sn_expr *to = sn_map_get_num(&s->map, e->id);

	if (to)
		return to;
	to = e;
	bool is_same = true;

	for (int i = 0; i < e->nargs; i++) {
		args[i] = sn_subst(s, e->args[i]);
		is_same &= args[i] == e->args[i];
	}
	if (!is_same)
		to = rebuild(s->pool, e, args);
	if (s->leaf && e->kind != EX_OP) {
		const struct sn_expr *leaf = s->leaf(s, to);

		to = leaf ? leaf : to;
	}
	sn_map_put_num(&s->map, e->id, (void *)(uintptr_t)to);
	return to;
}

struct walk {
	struct sn_map seen;
	void (*visit)(const struct sn_expr *e, void *arg);
	void *arg;
};

static void
walk(struct walk *w, const struct sn_expr *e)
{
	if (sn_map_get_num(&w->seen, e->id))
		return;
	for (int i = 0; i < e->nargs; i++)
		walk(w, e->args[i]);
	sn_map_put_num(&w->seen, e->id, w);
	w->visit(e, w->arg);
}

void
sn_expr_walk(const struct sn_expr *e, struct sn_arena *scratch,
	     void (*visit)(const struct sn_expr *e, void *arg), void *arg)
{
	struct walk w = { .visit = visit, .arg = arg };

	sn_map_init(&w.seen, scratch);
	walk(&w, e);
}

/* Expressions found without the axis; a full table only costs time. */
struct misses {
	uint32_t ids[256];
};

static bool
find_axis(const struct sn_expr *e, const struct sn_axis *axis, struct misses *m)
{
	if (!(e->axes >> (axis->id % 64) & 1))
		return false;
	if (e->kind == EX_AXIS)
		return e->axis == axis;
	uint32_t *slot = &m->ids[e->id % 256];

	if (*slot == e->id + 1)
		return false;
	for (int i = 0; i < e->nargs; i++)
		if (find_axis(e->args[i], axis, m))
			return true;
	*slot = e->id + 1;
	return false;
}

bool
sn_expr_has_axis(const struct sn_expr *e, const struct sn_axis *axis)
{
	struct misses m = { { 0 } };

	if (!axis)
		return e->axes != 0;
	return (e->axes >> (axis->id % 64) & 1) && find_axis(e, axis, &m);
}
