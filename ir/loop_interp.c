/*
 * The loop interpreter: statements run one after the other, iterations of
 * parallel loops too; shadow memory finds what would have gone wrong had they
 * run together (ir/loop_shadow.c).
 *
 * Items of a work-group that meet at a barrier run in step: everything up to
 * the barrier for each item, then what follows.  Each has its own values and
 * its own instances of the buffers allocated inside.
 */
#include <inttypes.h>
#include <string.h>
#include "ir/loop_run.h"
#include "ir/loop_text.h"

/* A statement prepared: its expressions as instructions. */
struct node {
	const struct sn_stmt *stmt;
	struct node *next;
	struct node *body, *otherwise;
	struct sn_code idx[6], value; /* value: of let and store, condition, extent */
	uint32_t slot;		      /* of the axis or local it defines */
	bool has_barrier;	      /* or is one */
	bool is_reported;
};

/* Of one item, or of the whole function: values and instances of buffers. */
struct env {
	union sn_num *slots;
	struct sn_mem **mems; /* by buffer id */
	uint32_t item;
};

struct items {
	struct env *v;
	size_t n;
};

struct interp {
	const struct sn_func *func;
	const struct sn_func_run *run;
	struct sn_arena *arena;
	struct sn_diags *diags;
	struct sn_slots slots;
	struct sn_clock clock;
	uint32_t nitems;
	bool has_failed;
};

/* ---- preparing ---- */

static struct node *prepare_block(struct interp *in, const struct sn_block *b, bool *out_barrier);

static uint32_t
local_slot(struct interp *in, const struct sn_local *l)
{
	return sn_slot_of(&in->slots, sn_local_expr(in->func->pool, l));
}

static void
prepare_mem(struct interp *in, struct node *n)
{
	const struct sn_stmt *s = n->stmt;

	for (int i = 0; i < s->mem.buffer->rank; i++)
		n->idx[i] = sn_code_of(&in->slots, s->mem.idx[i]);
	if (s->kind == ST_LOAD)
		n->slot = local_slot(in, s->mem.local);
	else
		n->value = sn_code_of(&in->slots, s->mem.value);
}

static struct node *
prepare(struct interp *in, const struct sn_stmt *s)
{
	struct node *n = SN_NEW(in->arena, struct node);

	n->stmt = s;
	switch (s->kind) {
	case ST_FOR:
		n->value = sn_code_of(&in->slots, s->loop.axis->extent);
		n->slot = sn_slot_of(&in->slots, sn_axis_expr(in->func->pool, s->loop.axis));
		n->body = prepare_block(in, &s->loop.body, &n->has_barrier);
		break;
	case ST_IF:
		n->value = sn_code_of(&in->slots, s->cond.cond);
		n->body = prepare_block(in, &s->cond.then, &n->has_barrier);
		n->otherwise = prepare_block(in, &s->cond.otherwise, &n->has_barrier);
		break;
	case ST_LET:
		n->value = sn_code_of(&in->slots, s->let.value);
		n->slot = local_slot(in, s->let.local);
		break;
	case ST_LOAD:
	case ST_STORE: prepare_mem(in, n); break;
	case ST_PREFETCH:
	case ST_ALLOC: break;
	case ST_BARRIER: n->has_barrier = true; break;
	case ST_CHECK: n->value = sn_code_of(&in->slots, s->check.cond); break;
	}
	return n;
}

static struct node *
prepare_block(struct interp *in, const struct sn_block *b, bool *out_barrier)
{
	struct node *first = NULL, **end = &first;

	for (const struct sn_stmt *s = b->first; s; s = s->next) {
		*end = prepare(in, s);
		*out_barrier |= (*end)->has_barrier;
		end = &(*end)->next;
	}
	return first;
}

/* ---- faults ---- */

/* The line of N's statement for the message, once per statement: NULL from the second time on. */
static const char *
start_report(struct interp *in, struct node *n, struct sn_where *out_where)
{
	const char *line;

	in->has_failed = true;
	if (n->is_reported)
		return NULL;
	n->is_reported = true;
	*out_where = SN_NOWHERE;
	out_where->name = in->func->name;
	out_where->line = sn_func_locate(in->func, n->stmt, in->arena, &line);
	return sn_printf(in->arena, "%5d | %s\n", out_where->line, line);
}

static void
report_element(struct interp *in, struct node *n, enum sn_diag_id id, const char *what, int64_t i)
{
	struct sn_where where;
	const char *excerpt = start_report(in, n, &where);

	if (excerpt)
		sn_report_excerpt(in->diags, where, excerpt, id, what, (long long)i,
				  n->stmt->mem.buffer->name);
}

static void
report_divergence(struct interp *in, struct node *n, const char *what)
{
	struct sn_where where;
	const char *excerpt = start_report(in, n, &where);

	if (excerpt)
		sn_report_excerpt(in->diags, where, excerpt, DG_RUN_DIVERGENT, what);
}

static void
report_check(struct interp *in, struct node *n)
{
	struct sn_where where;
	const char *excerpt = start_report(in, n, &where);

	if (excerpt)
		sn_report_excerpt(in->diags, where, excerpt, DG_RUN_CHECK);
}

/* ---- memory ---- */

static union sn_num
value_of(const struct interp *in, const struct env *e, const struct sn_code *c)
{
	return *sn_code_run(c, e->slots, in->run->is_all_f64);
}

/* The first element that N accesses, -1 after a report; LANES consecutive ones must exist. */
static int64_t
locate(struct interp *in, struct node *n, const struct env *e, const struct sn_mem *m, int lanes)
{
	const struct sn_buffer *b = m->buffer;
	int64_t at = 0;

	for (int i = 0; i < b->rank; i++) {
		int64_t x = value_of(in, e, &n->idx[i]).i;
		int64_t more = i == b->rank - 1 && b->lanes == 1 ? lanes - 1 : 0;

		if (x < 0 || x >= m->dims[i] || x + more >= m->dims[i]) {
			report_element(in, n, DG_RUN_BOUNDS,
				       n->stmt->kind == ST_LOAD ? "load" : "store", x);
			return -1;
		}
		at = at * m->dims[i] + x;
	}
	if (n->stmt->mem.is_aligned && at % lanes != 0) {
		report_element(in, n, DG_RUN_UNALIGNED, n->stmt->kind == ST_LOAD ? "load" : "store",
			       at);
		return -1;
	}
	return at * b->lanes;
}

static void
report_fault(struct interp *in, struct node *n, enum sn_fault f, int64_t i)
{
	const char *what = n->stmt->kind == ST_LOAD ? "load" : "store";

	if (f == FAULT_RACE)
		report_element(in, n, DG_RUN_RACE, what, i);
	if (f == FAULT_UNINIT)
		report_element(in, n, DG_RUN_UNINIT, what, i);
}

static void
run_load(struct interp *in, struct node *n, struct env *e)
{
	const struct sn_local *l = n->stmt->mem.local;
	const struct sn_mem *m = e->mems[n->stmt->mem.buffer->id];
	int active = n->stmt->mem.active ? n->stmt->mem.active : l->lanes;
	int64_t at = locate(in, n, e, m, active);
	union sn_num *out = e->slots + n->slot;

	memset(out, 0, sizeof(*out) * (size_t)l->lanes);
	if (at < 0)
		return;
	for (int i = 0; i < active; i++) {
		report_fault(in, n, sn_shadow_load(m, at + i, &in->clock), at + i);
		out[i] = sn_dtype_load(m->buffer->dtype, m->bytes, (size_t)(at + i));
	}
}

static void
run_store(struct interp *in, struct node *n, struct env *e)
{
	const struct sn_mem *m = e->mems[n->stmt->mem.buffer->id];
	int lanes = n->stmt->mem.value->lanes;
	int active = n->stmt->mem.active ? n->stmt->mem.active : lanes;
	int64_t at = locate(in, n, e, m, active);
	const union sn_num *x = sn_code_run(&n->value, e->slots, in->run->is_all_f64);

	if (at < 0)
		return;
	for (int i = 0; i < active; i++) {
		report_fault(in, n, sn_shadow_store(m, at + i, &in->clock), at + i);
		sn_dtype_store(m->buffer->dtype, m->bytes, (size_t)(at + i), x[i]);
	}
}

/* A buffer that is allocated again is used again, without its values. */
static void
run_alloc(struct interp *in, const struct node *n, struct env *e)
{
	const struct sn_buffer *b = n->stmt->alloc.buffer;
	struct sn_mem **m = &e->mems[b->id];

	if (!*m || (*m)->buffer != b)
		*m = sn_mem_new(in->arena, b);
	memset((*m)->shadow, 0, sizeof(*(*m)->shadow) * (size_t)(*m)->count);
}

/* ---- control ---- */

static void run_nodes(struct interp *in, struct node *n, const struct node *end, struct env *e);
static void run_group(struct interp *in, struct node *loop, struct env *e);

static void
run_for(struct interp *in, struct node *n, struct env *e)
{
	int64_t extent = value_of(in, e, &n->value).i;
	enum sn_loop_kind kind = n->stmt->loop.kind;
	struct sn_clock *c = &in->clock;

	if (kind == LK_ITEM && n->has_barrier) {
		run_group(in, n, e);
		return;
	}
	bool is_parallel = kind != LK_SERIAL && kind != LK_UNROLLED
			   && c->n < (int)ARRAY_LEN(c->levels);

	if (is_parallel)
		c->levels[c->n++].start = ++c->now;
	for (int64_t i = 0; i < extent; i++) {
		if (is_parallel)
			c->levels[c->n - 1].iteration = ++c->now;
		e->slots[n->slot].i = i;
		run_nodes(in, n->body, NULL, e);
	}
	if (is_parallel)
		c->n--;
}

static void
run_node(struct interp *in, struct node *n, struct env *e)
{
	switch (n->stmt->kind) {
	case ST_FOR: run_for(in, n, e); break;
	case ST_IF:
		run_nodes(in, value_of(in, e, &n->value).i ? n->body : n->otherwise, NULL, e);
		break;
	case ST_LET:
		memcpy(e->slots + n->slot, sn_code_run(&n->value, e->slots, in->run->is_all_f64),
		       sizeof(*e->slots) * (size_t)n->value.lanes);
		break;
	case ST_LOAD: run_load(in, n, e); break;
	case ST_STORE: run_store(in, n, e); break;
	case ST_ALLOC: run_alloc(in, n, e); break;
	case ST_PREFETCH:
	case ST_BARRIER: break;
	case ST_CHECK:
		if (!value_of(in, e, &n->value).i)
			report_check(in, n);
		break;
	}
}

static void
run_nodes(struct interp *in, struct node *n, const struct node *end, struct env *e)
{
	for (; n != end; n = n->next)
		run_node(in, n, e);
}

/* ---- items that meet at barriers ---- */

static void run_items(struct interp *in, struct node *n, struct items group);

static struct env
copy_env(struct interp *in, const struct env *e)
{
	return (struct env){
		.slots = sn_memdup(in->arena, e->slots, sizeof(*e->slots) * in->slots.init.n),
		.mems = sn_memdup(in->arena, e->mems,
				  sizeof(*e->mems) * (size_t)in->func->nbuffers),
		.item = ++in->nitems,
	};
}

/* Every item of GROUP becomes as many as LOOP, an item loop, has iterations. */
static struct items
split_items(struct interp *in, struct node *loop, struct items group)
{
	SN_VEC(struct env) all = { 0 };

	for (size_t k = 0; k < group.n; k++) {
		int64_t extent = value_of(in, &group.v[k], &loop->value).i;

		for (int64_t i = 0; i < extent; i++) {
			SN_PUSH(in->arena, &all, copy_env(in, &group.v[k]));
			all.v[all.n - 1].slots[loop->slot].i = i;
		}
	}
	return (struct items){ all.v, all.n };
}

/* All items are here: what they did to the memories that are ordered is done. */
static void
meet(struct interp *in, unsigned orders)
{
	uint64_t now = ++in->clock.now;

	if (orders & SN_ORDERS_GLOBAL)
		in->clock.met[0] = now;
	if (orders & SN_ORDERS_SHARED)
		in->clock.met[1] = now;
}

static void
run_group(struct interp *in, struct node *loop, struct env *e)
{
	struct items one = { e, 1 };

	meet(in, SN_ORDERS_ALL);
	run_items(in, loop->body, split_items(in, loop, one));
	in->clock.met[0] = in->clock.met[1] = UINT64_MAX;
	in->clock.item = 0;
}

/* Is the value the same for all items? Its first in *OUT. */
static bool
is_uniform(struct interp *in, const struct sn_code *c, struct items group, int64_t *out)
{
	*out = group.n ? value_of(in, &group.v[0], c).i : 0;
	for (size_t k = 1; k < group.n; k++)
		if (value_of(in, &group.v[k], c).i != *out)
			return false;
	return true;
}

static void
run_for_items(struct interp *in, struct node *n, struct items group)
{
	enum sn_loop_kind kind = n->stmt->loop.kind;
	int64_t extent;

	if (kind == LK_ITEM) {
		run_items(in, n->body, split_items(in, n, group));
		return;
	}
	if (kind != LK_SERIAL && kind != LK_UNROLLED) {
		report_divergence(in, n, "loop that runs in parallel");
		return;
	}
	if (!is_uniform(in, &n->value, group, &extent)) {
		report_divergence(in, n, "loop whose extent differs");
		return;
	}
	for (int64_t i = 0; i < extent; i++) {
		for (size_t k = 0; k < group.n; k++)
			group.v[k].slots[n->slot].i = i;
		run_items(in, n->body, group);
	}
}

/* N contains a barrier, or is one. */
static void
run_node_for_items(struct interp *in, struct node *n, struct items group)
{
	int64_t cond;

	if (n->stmt->kind == ST_BARRIER)
		meet(in, n->stmt->barrier.orders);
	else if (n->stmt->kind == ST_FOR)
		run_for_items(in, n, group);
	else if (!is_uniform(in, &n->value, group, &cond))
		report_divergence(in, n, "condition that differs");
	else
		run_items(in, cond ? n->body : n->otherwise, group);
}

static void
run_items(struct interp *in, struct node *n, struct items group)
{
	while (n) {
		struct node *end = n;

		if (n->has_barrier) {
			run_node_for_items(in, n, group);
			n = n->next;
			continue;
		}
		while (end && !end->has_barrier)
			end = end->next;
		for (size_t k = 0; k < group.n; k++) {
			in->clock.item = group.v[k].item;
			run_nodes(in, n, end, &group.v[k]);
		}
		n = end;
	}
}

/* ---- entry ---- */

static void
bind_params(struct interp *in, struct env *e)
{
	const struct sn_func_run *r = in->run;

	for (size_t i = 0; i < in->func->params.n; i++) {
		const struct sn_buffer *b = in->func->params.v[i];
		struct sn_mem *m = SN_NEW(in->arena, struct sn_mem);

		*m = (struct sn_mem){ .buffer = b,
				      .bytes = r->args[i],
				      .count = (int64_t)r->counts[i],
				      .dims = { (int64_t)r->counts[i] } };
		m->shadow = SN_NEW_ARRAY(in->arena, r->counts[i], struct sn_shadow);
		for (size_t k = 0; k < i; k++)
			if (r->args[k] == r->args[i] && r->counts[k] == r->counts[i])
				m->shadow = e->mems[in->func->params.v[k]->id]->shadow;
		if (r->init ? r->init[i] : b->is_const)
			for (size_t k = 0; k < r->counts[i]; k++)
				m->shadow[k].is_init = true;
		e->mems[b->id] = m;
	}
}

bool
sn_func_interp(const struct sn_func *f, const struct sn_func_run *r, struct sn_arena *scratch,
	       struct sn_diags *diags)
{
	struct interp in = { .func = f, .run = r, .arena = scratch, .diags = diags };
	struct env e = { .mems = SN_NEW_ARRAY(scratch, (size_t)f->nbuffers, struct sn_mem *) };
	bool has_barrier = false;

	sn_slots_init(&in.slots, scratch, r);
	in.clock = (struct sn_clock){ .now = 1, .met = { UINT64_MAX, UINT64_MAX } };
	struct node *body = prepare_block(&in, &f->body, &has_barrier);

	bind_params(&in, &e);
	e.slots = sn_memdup(scratch, in.slots.init.v, sizeof(*e.slots) * in.slots.init.n);
	run_nodes(&in, body, NULL, &e);
	return !in.has_failed;
}
