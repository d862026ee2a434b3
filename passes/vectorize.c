/*
 * vectorize: vector loops become straight statements on vectors.
 *
 *	vector l < 16 {                          load a = x[i*16 : 16]
 *	  load a = x[i*16 + l]                   load c = acc[p]
 *	  load c = acc[p,l]            ->        store acc[p] = mac(a, b, c)
 *	  store acc[p,l] = mac(a, b, c)
 *	}
 *
 * Why: emitted code must not depend on what a C compiler vectorises by itself.
 *
 * A register buffer whose last dimension is always indexed by a vector loop's
 * axis loses that dimension and gets vectors as elements.  A loop shorter than
 * a vector touches memory in its first lanes only.  Elements at other strides
 * are collected one by one in a small array, if there is enough arithmetic to
 * pay for that, or an accumulator that would not be in registers otherwise; where
 * they lie side by side but at an edge, only there.  What can't be done (a
 * condition that differs between lanes, a symbolic extent) stays a serial loop,
 * with a remark.  Cost: linear.
 *
 * Edges: vectorize_edges.c; the statements: vectorize_widen.c.
 */
#include <string.h>
#include "ir/index.h"
#include "passes/loop_passes.h"
#include "passes/vectorize.h"

enum { MAX_LANES = 64 };

/* ---- what differs between lanes ---- */

struct varies {
	const struct vec *v;
	bool has_axis, has_local, has_odd_type;
	int nops;
};

static bool
has_vector_type(enum sn_dtype t)
{
	const struct sn_dtype_info *i = sn_dtype_info(t);

	return i->bits >= 8 && strchr("FIUB", i->kind);
}

/* Its values are kept as f32: the bits of a vector of them are no vector's. */
static bool
is_small_float(const struct sn_expr *e)
{
	return sn_is_float((enum sn_dtype)e->dtype)
	       && sn_dtype_info((enum sn_dtype)e->dtype)->bits < 32;
}

static void
note_varying(const struct sn_expr *e, void *arg)
{
	struct varies *q = arg;

	if (e->kind == EX_AXIS && e->axis == q->v->loop->axis)
		q->has_axis = true;
	if (e->kind == EX_LOCAL && sn_map_get_num(&q->v->varying, (uint64_t)e->local->id))
		q->has_local = true;
	if (e->kind == EX_OP)
		q->nops++;
	if (!has_vector_type((enum sn_dtype)e->dtype)
	    || (e->kind == EX_OP && e->op == OP_BITCAST
		&& (is_small_float(e) || is_small_float(e->args[0]))))
		q->has_odd_type = true;
}

static struct varies
look(const struct vec *v, const struct sn_expr *e)
{
	struct varies q = { .v = v };

	sn_expr_walk(e, v->scratch, note_varying, &q);
	return q;
}

bool
sn_vec_is_varying(const struct vec *v, const struct sn_expr *e)
{
	struct varies q = look(v, e);

	return q.has_axis || q.has_local;
}

void
sn_vec_set_varying(struct vec *v, const struct sn_local *l)
{
	sn_map_put_num(&v->varying, (uint64_t)l->id, (void *)l);
}

/* ---- can a loop be vectorised? ---- */

/* Vectors have a power of two of lanes. */
static int
lanes_for(int64_t extent)
{
	int lanes = 1;

	while (lanes < extent)
		lanes *= 2;
	return lanes;
}

enum access
sn_vec_classify(struct vec *v, const struct sn_stmt *s)
{
	const struct sn_buffer *buf = s->mem.buffer;
	bool is_private = sn_map_get_num(&v->private, (uint64_t)buf->id) != NULL;
	int nvarying = 0;

	for (int i = 0; i < buf->rank; i++) {
		struct varies q = look(v, s->mem.idx[i]);

		if (q.has_local)
			return AC_BAD;
		nvarying += q.has_axis;
	}
	if (is_private)
		return nvarying ? AC_BAD : AC_PRIVATE;
	if (nvarying == 0)
		return AC_UNIFORM;
	int64_t coef = 0;

	if (!has_vector_type(buf->dtype))
		return AC_BAD;
	if (nvarying == 1 && sn_affine_coef(s->mem.idx[buf->rank - 1], v->loop->axis, &coef)
	    && coef == 1)
		return AC_UNIT;
	struct unit u;

	if (nvarying == 1 && s->kind == ST_LOAD && !v->is_on_device
	    && sn_vec_find_unit(v, s->mem.idx[buf->rank - 1], &u))
		return AC_MOSTLY;
	return AC_STRIDED;
}

int
sn_vec_lanes_of(const struct sn_stmt *s)
{
	return s->kind == ST_LOAD ? s->mem.local->lanes : s->mem.value->lanes;
}

/* Registers decide how long a vector is: acc[16] in a tail loop of 5 is still a vector of 16. */
static void
widen_to_buffer(struct vec *v, const struct sn_stmt *s)
{
	const struct lanes *b = sn_map_get_num(&v->buffers, (uint64_t)s->mem.buffer->id);

	if (b && b->lanes > v->loop->lanes)
		v->loop->lanes = b->lanes;
}

static const char *
check_mem(struct vec *v, const struct sn_stmt *s)
{
	enum access ac = sn_vec_classify(v, s);

	if (s->mem.buffer->lanes > 1 || sn_vec_lanes_of(s) > 1)
		return "it works on vectors already";
	if (ac == AC_BAD)
		return "an index depends on loaded values";
	if (ac == AC_UNIFORM && s->kind == ST_STORE)
		return "all lanes store one element";
	if (ac == AC_UNIT)
		widen_to_buffer(v, s);
	if (ac == AC_STRIDED)
		v->loop->nstrided++;
	if (sn_map_get_num(&v->buffers, (uint64_t)s->mem.buffer->id))
		v->loop->has_registers = true;
	if (s->kind == ST_LOAD && ac != AC_UNIFORM)
		sn_vec_set_varying(v, s->mem.local);
	return NULL;
}

static const char *
check_value(struct vec *v, const struct sn_expr *e)
{
	struct varies q = look(v, e);

	if (e->lanes > 1)
		return "it works on vectors already";
	if (q.has_odd_type)
		return "its element type has no vectors";
	v->loop->nops += q.nops;
	return NULL;
}

static const char *check_block(struct vec *v, const struct sn_block *b);

static const char *
check_stmt(struct vec *v, const struct sn_stmt *s)
{
	const char *why;

	switch (s->kind) {
	case ST_FOR:
		if (s->loop.kind != LK_SERIAL && s->loop.kind != LK_UNROLLED)
			return "it contains a loop that is not serial";
		return check_block(v, &s->loop.body);
	case ST_IF:
		if (sn_vec_is_varying(v, s->cond.cond))
			return "a condition differs between its lanes";
		why = check_block(v, &s->cond.then);
		return why ? why : check_block(v, &s->cond.otherwise);
	case ST_LET:
		if (!sn_vec_is_varying(v, s->let.value))
			return NULL;
		sn_vec_set_varying(v, s->let.local);
		return check_value(v, s->let.value);
	case ST_LOAD: return check_mem(v, s);
	case ST_STORE: why = check_value(v, s->mem.value); return why ? why : check_mem(v, s);
	case ST_ALLOC:
		sn_map_put_num(&v->private, (uint64_t)s->alloc.buffer->id, s->alloc.buffer);
		return has_vector_type(s->alloc.buffer->dtype) ? NULL
							       : "its element type has no vectors";
	case ST_BARRIER: return "it contains a barrier";
	case ST_PREFETCH: return "it contains a prefetch";
	case ST_CHECK:
		return sn_vec_is_varying(v, s->check.cond)
			       ? "a checked index differs between its lanes"
			       : NULL;
	}
	return NULL;
}

static const char *
check_block(struct vec *v, const struct sn_block *b)
{
	const char *why = NULL;

	for (const struct sn_stmt *s = b->first; s && !why; s = s->next)
		why = check_stmt(v, s);
	return why;
}

void
sn_vec_start(struct vec *v, struct vloop *l)
{
	v->loop = l;
	sn_map_init(&v->varying, v->scratch);
	sn_map_init(&v->private, v->scratch);
}

static const char *
check_loop(struct vec *v, const struct sn_stmt *s)
{
	struct vloop *l = v->loop;
	int64_t extent;

	if (!sn_get_int(s->loop.axis->extent, &extent))
		return "its extent is not a number";
	if (extent < 1 || extent > MAX_LANES)
		return "its extent is no number of lanes";
	l->extent = (int)extent;
	l->lanes = lanes_for(extent);
	const char *why = check_block(v, &s->loop.body);

	if (!why && l->lanes == 1)
		return "it has one lane";
	if (!why && !l->has_registers && l->nops < 2 * l->nstrided)
		return "its elements don't lie side by side";
	return why;
}

static void
remark(struct vec *v, const struct sn_stmt *s, const char *why)
{
	if (v->module)
		sn_remark(v->module, "vectorize", s->origin,
			  "%s: vector loop over '%s' stays serial: %s", v->func->name,
			  s->loop.axis->name, why);
}

/* Phase 1, before any statement is changed: which buffers might hold vectors, and which loops can
 * be done. */
static bool
find_buffers(struct sn_stmt *s, void *arg)
{
	struct vec *v = arg;

	if (s->kind != ST_ALLOC || s->alloc.buffer->space != SP_REG || s->alloc.buffer->lanes > 1
	    || s->alloc.buffer->rank == 0 || !has_vector_type(s->alloc.buffer->dtype))
		return true;
	struct sn_buffer *buf = s->alloc.buffer;
	int64_t n;

	if (sn_get_int(buf->dims[buf->rank - 1], &n) && n > 1 && n <= MAX_LANES) {
		struct lanes *b = SN_NEW(v->scratch, struct lanes);

		*b = (struct lanes){
			.buf = buf, .extent = n, .lanes = lanes_for(n), .is_vector = true
		};
		sn_map_put_num(&v->buffers, (uint64_t)buf->id, b);
	}
	return true;
}

static bool
check_loops(struct sn_stmt *s, void *arg)
{
	struct vec *v = arg;

	if (s->kind != ST_FOR || s->loop.kind != LK_VECTOR)
		return true;
	struct vloop *l = SN_NEW(v->scratch, struct vloop);

	l->axis = s->loop.axis;
	sn_vec_start(v, l);
	l->why_not = check_loop(v, s);
	v->has_changed = true;
	if (!l->why_not) {
		sn_map_put_num(&v->loops, (uint64_t)l->axis->id, l);
		return false;
	}
	remark(v, s, l->why_not);
	s->loop.kind = LK_SERIAL;
	return true;
}

/* ---- phase 2: which buffers are always accessed along their lanes? ---- */

/* Is the last index of S exactly L's axis, and no other one touched by it? */
static bool
goes_along_lanes(const struct sn_stmt *s, const struct vloop *l)
{
	int last = s->mem.buffer->rank - 1;

	for (int i = 0; i < last; i++)
		if (sn_expr_has_axis(s->mem.idx[i], l->axis))
			return false;
	return s->mem.idx[last]->kind == EX_AXIS && s->mem.idx[last]->axis == l->axis;
}

static void
check_lanes(struct vec *v, const struct sn_stmt *s, const struct vloop *l)
{
	struct lanes *b = sn_map_get_num(&v->buffers, (uint64_t)s->mem.buffer->id);

	if (!b)
		return;
	const struct sn_expr *last = s->mem.idx[b->buf->rank - 1];
	int64_t most = 0;

	if (l && l->lanes == b->lanes && l->extent <= b->extent && goes_along_lanes(s, l))
		most = l->extent;
	else if (sn_vec_lanes_of(s) == b->lanes && b->extent == b->lanes && sn_is_int_const(last, 0)
		 && !s->mem.active)
		most = b->extent;
	else
		b->is_vector = false;
	if (most > b->most)
		b->most = most;
}

static void
check_accesses(struct vec *v, const struct sn_block *block, const struct vloop *l)
{
	for (const struct sn_stmt *s = block->first; s; s = s->next) {
		const struct vloop *inner = NULL;

		if (s->kind == ST_LOAD || s->kind == ST_STORE)
			check_lanes(v, s, l);
		if (s->kind == ST_FOR) {
			inner = sn_map_get_num(&v->loops, (uint64_t)s->loop.axis->id);
			check_accesses(v, &s->loop.body, inner ? inner : l);
		}
		if (s->kind == ST_IF) {
			check_accesses(v, &s->cond.then, l);
			check_accesses(v, &s->cond.otherwise, l);
		}
	}
}

const struct lanes *
sn_vec_buffer(const struct vec *v, const struct sn_buffer *buf)
{
	const struct lanes *b = sn_map_get_num(&v->buffers, (uint64_t)buf->id);

	return b && b->is_vector ? b : NULL;
}

static void
make_vector_elements(const struct vec *v)
{
	for (size_t i = 0; i < v->buffers.n; i++) {
		const struct lanes *b = v->buffers.entries[i].value;

		if (b->is_vector && b->most > 0) {
			b->buf->lanes = b->lanes;
			b->buf->dims[--b->buf->rank] = NULL;
		}
	}
}

static bool
vectorize(struct sn_func *f, struct sn_module *m, const struct sn_target *t,
	  struct sn_arena *scratch)
{
	struct vec v = { .func = f, .pool = f->pool, .scratch = scratch, .module = m };

	v.is_on_device = t && sn_target_is_device(t);

	if (t && t->vector_bytes == 0 && !sn_target_is_device(t))
		return false;
	sn_map_init(&v.loops, scratch);
	sn_map_init(&v.buffers, scratch);
	sn_block_walk(&f->body, find_buffers, &v);
	sn_block_walk(&f->body, check_loops, &v);
	check_accesses(&v, &f->body, NULL);
	sn_vec_rewrite(&v, &f->body);
	make_vector_elements(&v);
	return v.has_changed;
}

bool
sn_vectorize_func(struct sn_func *f, const struct sn_target *t, struct sn_arena *scratch)
{
	return vectorize(f, NULL, t, scratch);
}

bool
sn_pass_vectorize(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;

	for (size_t i = 0; m->has_vectors && i < m->funcs.n; i++)
		if (!m->funcs.v[i]->is_on_host)
			c->has_changed |= vectorize(m->funcs.v[i], m, m->target, c->scratch);
	return true;
}
