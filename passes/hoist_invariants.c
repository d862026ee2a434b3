/*
 * hoist-invariants: names what would be computed again and again.
 *
 *	serial h < 56 {                             serial h < 56 {
 *	  serial k < 64 {                             let x_at = 53824*n+928*h
 *	    unrolled p < 14 {                         serial k < 64 {
 *	      load a = x[53824*n+928*h      ->          let x_at_1 = x_at+3364*k
 *	                 +3364*k+16*p+3]                unrolled p < 14 {
 *	                                                  load a = x[x_at_1+16*p+3]
 *
 * Why: expressions are shared by pointer, but emitted text is a tree; and a
 * reader, like a C compiler, wants a base and a small offset.
 *
 * Of an index, the terms that don't change in the innermost loop become a name
 * at the place where their last variable is defined, if they are more than one
 * operation; their own terms are split again further out.  What depends on an
 * unrolled loop stays, so that offsets are constants once it is unrolled; so
 * do the indices of register buffers.  Other invariant values are named
 * outside the loop (but never outside the branch of an if).  Then what a block
 * computes twice is named in that block (passes/share_values.c).  Nothing
 * leaves a parallel, grid or item loop, whose body is a function of its own.
 * Cost: linear in the expressions of all statements.
 */
#include "ir/index.h"
#include "passes/hoist.h"
#include "passes/loop_passes.h"

/* A place in the function: 0 its start, else just after the statement of that number, which of a
 * loop is the start of its body; the branches of an if have numbers too. */
typedef uintptr_t place;

enum ring_kind { RING_LOOP, RING_UNROLLED, RING_TASK, RING_BRANCH };

/* What encloses a statement, outermost first; a task is a parallel, grid or item loop. */
struct ring {
	place at;
	enum ring_kind kind;
};

struct hoist {
	struct sn_func *func;
	struct sn_pool *pool;
	struct sn_arena *scratch;
	place next;		/* number of the next statement */
	struct sn_map defs;	/* axes and locals by address -> place where they are known */
	struct sn_map unrolled; /* unrolled axes by address -> place */
	struct sn_map lets;	/* place -> struct sn_block of statements to be put there */
	struct sn_map names;	/* place and value -> local's expression */
	struct sn_map depends;	/* expression -> struct depends */
	struct sn_map values;	/* results of hoist_value for the statement at hand */
	struct sn_subst moved;	/* locals of lets that were moved as a whole -> new ones */
	struct ring rings[128];
	int nrings;
	const struct sn_origin *origin; /* of the statement at hand */
	const char *name;		/* for new locals */
	bool has_changed;
};

/* ---- what an expression depends on ---- */

struct depends {
	place last;	/* where all its variables are known */
	place unrolled; /* the innermost unrolled loop it depends on, 0: none */
	int nops;	/* as text, at most MANY */
};

enum { MANY = 100 };

static place
max_place(place a, place b)
{
	return a > b ? a : b;
}

static void
look_at_variable(const struct hoist *h, const void *variable, struct depends *d)
{
	d->last = (place)sn_map_get_num(&h->defs, (uintptr_t)variable);
	d->unrolled = (place)sn_map_get_num(&h->unrolled, (uintptr_t)variable);
}

/* Remembered for all of the function: a variable is defined before anything asks for it. */
static struct depends
look(struct hoist *h, const struct sn_expr *e)
{
	struct depends d = { 0 };
	const struct depends *known = sn_map_get_num(&h->depends, e->id);

	if (known)
		return *known;
	if (e->kind == EX_AXIS)
		look_at_variable(h, e->axis, &d);
	if (e->kind == EX_LOCAL)
		look_at_variable(h, e->local, &d);
	d.nops = e->kind == EX_OP && e->op != OP_SPLAT && e->op != OP_IOTA;
	for (int i = 0; i < e->nargs; i++) {
		struct depends x = look(h, e->args[i]);

		d.last = max_place(d.last, x.last);
		d.unrolled = max_place(d.unrolled, x.unrolled);
		d.nops = d.nops + x.nops < MANY ? d.nops + x.nops : MANY;
	}
	sn_map_put_num(&h->depends, e->id, sn_memdup(h->scratch, &d, sizeof(d)));
	return d;
}

static void
define(struct hoist *h, const void *what, place at)
{
	sn_map_put_num(&h->defs, (uintptr_t)what, (void *)at);
}

/* The innermost of the first N rings that is a loop; real: not an unrolled one. 0: none. */
static place
innermost(const struct hoist *h, int n, bool is_real)
{
	while (n-- > 0)
		if (h->rings[n].kind != RING_BRANCH
		    && !(is_real && h->rings[n].kind == RING_UNROLLED))
			return h->rings[n].at;
	return 0;
}

/* As far out as AT or the first N rings allow: not out of a task, nor of a branch if IS_COSTLY. */
static place
clamp(const struct hoist *h, int n, place at, bool is_costly)
{
	for (int i = 0; i < n; i++)
		if (h->rings[i].at > at
		    && (h->rings[i].kind == RING_TASK
			|| (is_costly && h->rings[i].kind == RING_BRANCH)))
			at = h->rings[i].at;
	return at;
}

/* How many rings enclose AT. */
static int
rings_at(const struct hoist *h, place at)
{
	int n = 0;

	while (n < h->nrings && h->rings[n].at <= at)
		n++;
	return n;
}

/* ---- naming ---- */

/* A name for E at AT, where all its variables are known. */
static const struct sn_expr *
name_at(struct hoist *h, const struct sn_expr *e, place at)
{
	uint64_t key = (uint64_t)at << 32 | e->id;
	const struct sn_expr *known = sn_map_get_num(&h->names, key);
	struct sn_block *b = sn_map_get_num(&h->lets, at);

	if (known)
		return known;
	if (!b) {
		b = SN_NEW(h->scratch, struct sn_block);
		sn_map_put_num(&h->lets, at, b);
	}
	struct sn_stmt *s = sn_stmt_new(h->func->arena, ST_LET, h->origin);

	s->let.local = sn_local_for(h->pool, h->name, e);
	s->let.value = e;
	sn_block_append(b, s);
	define(h, s->let.local, at);
	h->has_changed = true;
	known = sn_local_expr(h->pool, s->let.local);
	sn_map_put_num(&h->names, key, (void *)(uintptr_t)known);
	return known;
}

/* May the term stay as it is in an index inside N rings? */
static bool
is_inner_term(const struct hoist *h, int n, const struct depends *d)
{
	place loop = innermost(h, n, false), real = innermost(h, n, true);

	return clamp(h, n, d->last, false) >= loop || d->unrolled > real;
}

static const struct sn_expr *split_index(struct hoist *h, const struct sn_expr *e, int n);

/* A sum of invariant terms as a name, or as it is when that is as short. */
static const struct sn_expr *
hoist_sum(struct hoist *h, const struct sn_expr *outer, int n)
{
	struct depends d = look(h, outer);
	place at = clamp(h, n, d.last, false);

	if (d.nops < 2)
		return outer;
	return name_at(h, split_index(h, outer, rings_at(h, at)), at);
}

/* The index E of a statement inside the first N rings: its invariant part named. */
static const struct sn_expr *
split_index(struct hoist *h, const struct sn_expr *e, int n)
{
	struct sn_affine all, inner = { .is_exact = true }, outer = { .is_exact = true };

	sn_affine_of(e, &all);
	if (!all.is_exact || innermost(h, n, false) == 0)
		return e;
	inner.constant = all.constant;
	for (int i = 0; i < all.n; i++) {
		struct depends d = look(h, all.terms[i].base);
		struct sn_affine *to = is_inner_term(h, n, &d) ? &inner : &outer;

		to->terms[to->n++] = all.terms[i];
	}
	if (outer.n == 0)
		return e;
	const struct sn_expr *base = hoist_sum(h, sn_affine_expr(h->pool, &outer), n);

	return sn_add(h->pool, sn_affine_expr(h->pool, &inner), base);
}

/* ---- values ---- */

static const struct sn_expr *hoist_value(struct hoist *h, const struct sn_expr *e);

static const struct sn_expr *
hoist_operands(struct hoist *h, const struct sn_expr *e)
{
	struct sn_subst s;
	bool is_same = true;

	sn_subst_init(&s, h->pool, h->scratch);
	for (int i = 0; i < e->nargs; i++) {
		const struct sn_expr *x = hoist_value(h, e->args[i]);

		is_same &= x == e->args[i];
		sn_subst_put(&s, e->args[i], x);
	}
	return is_same ? e : sn_subst(&s, e);
}

static bool
is_index(const struct sn_expr *e)
{
	return e->dtype == DT_I64 && e->lanes == 1;
}

static const struct sn_expr *
hoist_parts(struct hoist *h, const struct sn_expr *e)
{
	place loop = innermost(h, h->nrings, true);

	if (is_index(e))
		return split_index(h, e, h->nrings);
	struct depends d = look(h, e);
	place at = clamp(h, h->nrings, d.last, true);

	if (at < loop && d.nops > 0 && e->op != OP_SPLAT && e->op != OP_IOTA)
		return name_at(h, e, at);
	return hoist_operands(h, e);
}

/* E with its largest invariant parts named. */
static const struct sn_expr *
hoist_value(struct hoist *h, const struct sn_expr *e)
{
	const struct sn_expr *r = sn_map_get_num(&h->values, e->id);

	if (e->kind != EX_OP || innermost(h, h->nrings, true) == 0)
		return e;
	if (!r) {
		r = hoist_parts(h, e);
		sn_map_put_num(&h->values, e->id, (void *)(uintptr_t)r);
	}
	return r;
}

/* ---- statements ---- */

static void hoist_block(struct hoist *h, struct sn_block *b);

static void
enter(struct hoist *h, place at, enum ring_kind kind, struct sn_block *b)
{
	if (h->nrings == (int)ARRAY_LEN(h->rings))
		sn_bug(h->scratch->guard, "%s: blocks nested too deeply", h->func->name);
	h->rings[h->nrings++] = (struct ring){ at, kind };
	hoist_block(h, b);
	h->nrings--;
}

static void
hoist_for(struct hoist *h, struct sn_stmt *s, place at)
{
	enum ring_kind kind = s->loop.kind == LK_UNROLLED ? RING_UNROLLED
			      : s->loop.kind == LK_SERIAL || s->loop.kind == LK_VECTOR ? RING_LOOP
										       : RING_TASK;

	define(h, s->loop.axis, at);
	if (kind == RING_UNROLLED)
		sn_map_put_num(&h->unrolled, (uintptr_t)s->loop.axis, (void *)at);
	enter(h, at, kind, &s->loop.body);
}

static void
hoist_access(struct hoist *h, struct sn_stmt *s)
{
	const struct sn_buffer *b = s->mem.buffer;

	h->name = sn_printf(h->scratch, "%s_at", b->name);
	for (int i = 0; i < b->rank; i++) {
		s->mem.idx[i] = sn_subst(&h->moved, s->mem.idx[i]);
		if (b->space != SP_REG)
			s->mem.idx[i] = split_index(h, s->mem.idx[i], h->nrings);
	}
	h->name = "t";
	if (s->kind == ST_STORE)
		s->mem.value = hoist_value(h, sn_subst(&h->moved, s->mem.value));
}

/* A let that is invariant as a whole moves: it loses its value, and is dropped later. Index lets
 * stay: they may be extents of loops, which are not rewritten. */
static void
hoist_let(struct hoist *h, struct sn_stmt *s, place at)
{
	const struct sn_expr *e = sn_subst(&h->moved, s->let.value), *r;

	h->name = s->let.local->name;
	define(h, s->let.local, at);
	r = is_index(e) ? e : hoist_value(h, e);
	s->let.value = r;
	if (r != e && r->kind == EX_LOCAL) {
		sn_subst_put(&h->moved, sn_local_expr(h->pool, s->let.local), r);
		s->let.value = NULL;
	}
}

static void
hoist_if(struct hoist *h, struct sn_stmt *s, place at)
{
	s->cond.cond = hoist_value(h, sn_subst(&h->moved, s->cond.cond));
	enter(h, at, RING_BRANCH, &s->cond.then);
	enter(h, h->next++, RING_BRANCH, &s->cond.otherwise);
}

static void
hoist_stmt(struct hoist *h, struct sn_stmt *s)
{
	place at = h->next++;

	h->origin = s->origin;
	h->name = "t";
	sn_map_init(&h->values, h->scratch);
	switch (s->kind) {
	case ST_FOR: hoist_for(h, s, at); break;
	case ST_IF: hoist_if(h, s, at); break;
	case ST_LET: hoist_let(h, s, at); break;
	case ST_LOAD:
		hoist_access(h, s);
		define(h, s->mem.local, at);
		break;
	case ST_STORE: hoist_access(h, s); break;
	case ST_CHECK: s->check.cond = hoist_value(h, sn_subst(&h->moved, s->check.cond)); break;
	case ST_ALLOC:
	case ST_BARRIER: break;
	}
}

static void
hoist_block(struct hoist *h, struct sn_block *b)
{
	for (struct sn_stmt *s = b->first; s; s = s->next)
		hoist_stmt(h, s);
}

/* ---- putting the lets where they belong ---- */

static void
append_lets(struct hoist *h, place at, struct sn_block *out)
{
	struct sn_block *b = sn_map_get_num(&h->lets, at);

	for (struct sn_stmt *s = b ? b->first : NULL, *next; s; s = next) {
		next = s->next;
		sn_block_append(out, s);
	}
}

static void insert_lets(struct hoist *h, struct sn_block *b, place at);

/* Numbers the statements again, as hoist_stmt did. */
static void
insert_around(struct hoist *h, struct sn_stmt *s, struct sn_block *out)
{
	place at = h->next++;

	if (s->kind != ST_LET || s->let.value)
		sn_block_append(out, s);
	if (s->kind == ST_FOR) {
		insert_lets(h, &s->loop.body, at);
	} else if (s->kind == ST_IF) {
		insert_lets(h, &s->cond.then, at);
		place otherwise = h->next++;
		insert_lets(h, &s->cond.otherwise, otherwise);
	} else {
		append_lets(h, at, out);
	}
}

static void
insert_lets(struct hoist *h, struct sn_block *b, place at)
{
	struct sn_block out = { NULL, NULL };

	append_lets(h, at, &out);
	for (struct sn_stmt *s = b->first, *next; s; s = next) {
		next = s->next;
		insert_around(h, s, &out);
	}
	*b = out;
}

bool
sn_hoist_invariants_func(struct sn_func *f, struct sn_arena *scratch)
{
	struct hoist h = { .func = f, .pool = f->pool, .scratch = scratch, .next = 1 };
	struct sn_map *maps[] = { &h.defs, &h.unrolled, &h.lets, &h.names, &h.depends };

	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		sn_map_init(maps[i], scratch);
	sn_subst_init(&h.moved, f->pool, scratch);
	hoist_block(&h, &f->body);
	h.next = 1;
	insert_lets(&h, &f->body, 0);
	bool is_shared = sn_share_values(f, scratch);

	return h.has_changed || is_shared;
}

bool
sn_pass_hoist_invariants(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;

	for (size_t i = 0; i < m->funcs.n; i++) {
		c->has_changed |= sn_hoist_invariants_func(m->funcs.v[i], c->scratch);
		sn_func_settle_names(m->funcs.v[i], c->scratch);
	}
	return true;
}
