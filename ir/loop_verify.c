/*
 * Verifier of the loop level: scopes, types and lanes, ranks, what may be
 * stored, where barriers may stand.  Collects all errors, each under the
 * statement's line.
 */
#include "ir/loop_text.h"

struct verifier {
	const struct sn_func *func;
	struct sn_arena *arena;
	struct sn_diags *diags;
	struct sn_map axes, locals, buffers, syms; /* visible ones, by id */
	struct sn_map defined;			   /* axes and locals, by address */
	SN_VEC(struct leave {
		struct sn_map *map;
		uint64_t key;
	})
	scope;
	struct sn_map varying; /* locals and axes that differ between items, by address */
	int ngrids, nitems;    /* enclosing loops */
	bool is_divergent;     /* control here may differ between items */
	const struct sn_stmt *stmt;
	int errors;
};

static struct sn_where
where(struct verifier *v, const char **out_excerpt)
{
	struct sn_where w = SN_NOWHERE;
	const char *line;

	v->errors++;
	w.name = v->func->name;
	*out_excerpt = NULL;
	if (v->stmt) {
		w.line = sn_func_locate(v->func, v->stmt, v->arena, &line);
		*out_excerpt = sn_printf(v->arena, "%5d | %s\n", w.line, line);
	}
	return w;
}

#define ERROR(v, ...) \
	do { \
		const char *excerpt_; \
		struct sn_where where_ = where((v), &excerpt_); \
		sn_report_excerpt((v)->diags, where_, excerpt_, __VA_ARGS__); \
	} while (0)

static void
illegal(struct verifier *v, const char *what)
{
	ERROR(v, DG_LOOP_ILLEGAL, what);
}

/* ---- scopes ---- */

static void
show(struct verifier *v, struct sn_map *map, int id)
{
	sn_map_put_num(map, (uint64_t)id, v);
	SN_PUSH(v->arena, &v->scope, (struct leave){ map, (uint64_t)id });
}

static void
leave(struct verifier *v, size_t mark)
{
	while (v->scope.n > mark) {
		v->scope.n--;
		sn_map_put_num(v->scope.v[v->scope.n].map, v->scope.v[v->scope.n].key, NULL);
	}
}

/* Everything is defined by one statement. */
static void
define(struct verifier *v, struct sn_map *map, int id, const void *what, const char *name)
{
	if (sn_map_get_num(&v->defined, (uintptr_t)what))
		ERROR(v, DG_LOOP_TWICE, name);
	sn_map_put_num(&v->defined, (uintptr_t)what, v);
	show(v, map, id);
}

/* ---- expressions ---- */

/* A power of two up to 64. */
static bool
are_lanes(int n)
{
	return n >= 1 && n <= 64 && !(n & (n - 1));
}

static void
check_node(const struct sn_expr *e, void *arg)
{
	struct verifier *v = arg;
	const struct sn_map *map = NULL;
	const char *name = NULL;
	int id = 0;

	if (!are_lanes(e->lanes))
		illegal(v, "a vector of such length");

	switch ((enum sn_expr_kind)e->kind) {
	case EX_AXIS: map = &v->axes, id = e->axis->id, name = e->axis->name; break;
	case EX_LOCAL: map = &v->locals, id = e->local->id, name = e->local->name; break;
	case EX_SYM: map = &v->syms, id = e->sym->id, name = e->sym->name; break;
	case EX_CONST:
	case EX_OP: return;
	default: illegal(v, "an expression of the tensor level"); return;
	}
	if (!sn_map_get_num(map, (uint64_t)id))
		ERROR(v, DG_LOOP_SCOPE, name);
}

static void
check_type(struct verifier *v, const char *what, const struct sn_expr *e, enum sn_dtype t,
	   int lanes)
{
	if (e->dtype != t || e->lanes != lanes)
		ERROR(v, DG_LOOP_TYPE, what, sn_dtype_info((enum sn_dtype)e->dtype)->text,
		      (int)e->lanes, sn_dtype_info(t)->text, lanes);
}

/* T and LANES are what E must be of. */
static void
check_expr(struct verifier *v, const char *what, const struct sn_expr *e, enum sn_dtype t,
	   int lanes)
{
	if (!e) {
		illegal(v, "a missing expression");
		return;
	}
	sn_expr_walk(e, v->arena, check_node, v);
	check_type(v, what, e, t, lanes);
}

struct find_varying {
	const struct verifier *v;
	bool is_found;
};

static void
find_varying(const struct sn_expr *e, void *arg)
{
	struct find_varying *q = arg;
	const void *what = e->kind == EX_AXIS	 ? (const void *)e->axis
			   : e->kind == EX_LOCAL ? (const void *)e->local
						 : NULL;

	if (what && sn_map_get_num(&q->v->varying, (uintptr_t)what))
		q->is_found = true;
}

/* May E differ between the items of a group? */
static bool
is_varying(struct verifier *v, const struct sn_expr *e)
{
	struct find_varying q = { .v = v };

	sn_expr_walk(e, v->arena, find_varying, &q);
	return q.is_found;
}

static void
set_varying(struct verifier *v, const void *what)
{
	sn_map_put_num(&v->varying, (uintptr_t)what, v);
}

/* ---- statements ---- */

static void check_block(struct verifier *v, const struct sn_block *b);

static void
check_lanes(struct verifier *v, const struct sn_stmt *s, int lanes)
{
	const struct sn_buffer *b = s->mem.buffer;

	if (b->lanes > 1 && lanes != b->lanes)
		illegal(v, "an access of part of a vector element");
	if (b->lanes == 1 && lanes > 1 && b->rank == 0)
		illegal(v, "a vector access of a buffer without dimensions");
	if (!are_lanes(lanes))
		illegal(v, "a number of lanes that is no power of two up to 64");
	if (s->mem.active < 0 || s->mem.active >= (lanes > 1 ? lanes : 2))
		illegal(v, "a number of active lanes that is not below the lanes");
	if (s->mem.is_aligned
	    && (lanes == 1 || s->mem.active || b->align == 0
		|| b->align % (int)sn_dtype_bytes(b->dtype, (size_t)lanes) != 0))
		illegal(v, "an aligned access of what is no vector, or of a buffer that is not "
			   "aligned to it");
}

static void
check_access(struct verifier *v, const struct sn_stmt *s)
{
	const struct sn_buffer *b = s->mem.buffer;
	bool differs = !b->is_const && v->nitems > 0;

	if (!sn_map_get_num(&v->buffers, (uint64_t)b->id))
		ERROR(v, DG_LOOP_SCOPE, b->name);
	for (int i = 0; i < b->rank; i++) {
		check_expr(v, "index", s->mem.idx[i], DT_I64, 1);
		differs |= s->mem.idx[i] && is_varying(v, s->mem.idx[i]);
	}
	if (s->kind == ST_PREFETCH) {
		if (b->space != SP_GLOBAL)
			illegal(v, "a prefetch of what is no parameter");
		return;
	}
	if (s->kind == ST_STORE) {
		const struct sn_expr *x = s->mem.value;

		if (b->is_const)
			illegal(v, "a store to a parameter that is const");
		check_lanes(v, s, x->lanes);
		check_expr(v, "value", x, b->dtype, x->lanes);
		return;
	}
	const struct sn_local *l = s->mem.local;

	check_lanes(v, s, l->lanes);
	check_type(v, "local", sn_local_expr(v->func->pool, l), b->dtype, l->lanes);
	define(v, &v->locals, l->id, l, l->name);
	if (differs)
		set_varying(v, l);
}

static void
check_dims(struct verifier *v, const struct sn_buffer *b)
{
	int64_t n;

	for (int i = 0; i < b->rank; i++) {
		if (!b->dims[i] || !sn_get_int(b->dims[i], &n) || n < 1)
			illegal(v, "an extent of a local buffer that is no positive number");
	}
	if (b->rank < 0 || b->rank > (int)ARRAY_LEN(b->dims) || b->lanes < 1)
		illegal(v, "a buffer of such rank or lanes");
}

static void
check_alloc(struct verifier *v, const struct sn_buffer *b)
{
	if (b->space == SP_GLOBAL)
		illegal(v, "a local buffer in global memory");
	if (b->space == SP_SHARED && (v->ngrids == 0 || v->nitems > 0))
		illegal(v, "shared memory that is not allocated between grid and items");
	check_dims(v, b);
	define(v, &v->buffers, b->id, b, b->name);
}

static void
check_for(struct verifier *v, const struct sn_stmt *s)
{
	size_t mark = v->scope.n;
	bool was_divergent = v->is_divergent;
	enum sn_loop_kind kind = s->loop.kind;

	check_expr(v, "extent", s->loop.axis->extent, DT_I64, 1);
	define(v, &v->axes, s->loop.axis->id, s->loop.axis, s->loop.axis->name);
	v->ngrids += kind == LK_GRID;
	v->nitems += kind == LK_ITEM;
	if (kind == LK_ITEM)
		set_varying(v, s->loop.axis);
	else if (v->nitems)
		v->is_divergent |= is_varying(v, s->loop.axis->extent) || kind == LK_PARALLEL
				   || kind == LK_VECTOR;
	check_block(v, &s->loop.body);
	v->ngrids -= kind == LK_GRID;
	v->nitems -= kind == LK_ITEM;
	v->is_divergent = was_divergent;
	leave(v, mark);
}

static void
check_if(struct verifier *v, const struct sn_stmt *s)
{
	bool was_divergent = v->is_divergent;

	check_expr(v, "condition", s->cond.cond, DT_BOOL, 1);
	v->is_divergent |= s->cond.cond && is_varying(v, s->cond.cond);
	check_block(v, &s->cond.then);
	check_block(v, &s->cond.otherwise);
	v->is_divergent = was_divergent;
}

static void
check_let(struct verifier *v, const struct sn_stmt *s)
{
	const struct sn_local *l = s->let.local;

	check_expr(v, "value", s->let.value, l->dtype, l->lanes);
	define(v, &v->locals, l->id, l, l->name);
	if (s->let.value && is_varying(v, s->let.value))
		set_varying(v, l);
}

static void
check_stmt(struct verifier *v, const struct sn_stmt *s)
{
	v->stmt = s;
	switch (s->kind) {
	case ST_FOR: check_for(v, s); break;
	case ST_IF: check_if(v, s); break;
	case ST_LET: check_let(v, s); break;
	case ST_LOAD:
	case ST_PREFETCH:
	case ST_STORE: check_access(v, s); break;
	case ST_ALLOC: check_alloc(v, s->alloc.buffer); break;
	case ST_CHECK: check_expr(v, "condition", s->check.cond, DT_BOOL, 1); break;
	case ST_BARRIER:
		if (v->nitems == 0 || v->is_divergent)
			illegal(v, "a barrier that not all items of a group reach together");
		if (s->barrier.orders == 0 || s->barrier.orders > SN_ORDERS_ALL)
			illegal(v, "a barrier that orders nothing");
		break;
	}
}

static void
check_block(struct verifier *v, const struct sn_block *b)
{
	size_t mark = v->scope.n;

	for (const struct sn_stmt *s = b->first; s; s = s->next)
		check_stmt(v, s);
	leave(v, mark);
}

static void
check_params(struct verifier *v)
{
	for (size_t i = 0; i < v->func->params.n; i++) {
		const struct sn_buffer *b = v->func->params.v[i];

		if (b->space != SP_GLOBAL || b->rank != 1 || b->lanes != 1)
			illegal(v, "a parameter that is not flat");
		else
			check_expr(v, "size", b->dims[0], DT_I64, 1);
		define(v, &v->buffers, b->id, b, b->name);
	}
}

bool
sn_func_verify(const struct sn_func *f, struct sn_diags *diags)
{
	struct verifier v = { .func = f, .arena = diags->arena, .diags = diags };
	struct sn_map *maps[] = { &v.axes, &v.locals, &v.buffers, &v.syms, &v.defined, &v.varying };

	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		sn_map_init(maps[i], v.arena);
	for (size_t i = 0; i < f->syms.n; i++)
		sn_map_put_num(&v.syms, (uint64_t)f->syms.v[i]->id, &v);
	check_params(&v);
	check_block(&v, &f->body);
	return v.errors == 0;
}
