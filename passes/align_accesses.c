/*
 * align-accesses: vector accesses of a device that begin at a multiple of their size say so.
 *
 *	let at = 64*g + 4*i                       let at = 64*g + 4*i
 *	load a = x[at : 4]                 ->     load a = x[at : 4 aligned]
 *	alloc shared f32 s[16, 68]                alloc shared f32 s[16, 68] align 16
 *	load b = s[k, 4*i : 4]                    load b = s[k, 4*i : 4 aligned]
 *
 * Why: of a vector of which nothing is known a device loads one element after the other; of an
 * aligned one it loads all at once.  What is proved: that the lanes divide the number of the first
 * element, and that the buffer begins at a multiple of the vector's size.  Local buffers are given
 * that alignment here, parameters have it from where their tensors lie.
 *
 * Does nothing for CPUs, which load unaligned vectors as fast.  Cost: linear.
 */
#include "ir/index.h"
#include "passes/pass.h"

/* Divisors are powers of two up to here. */
enum { MOST = 4096 };

struct aligner {
	struct sn_map divisors; /* of named numbers, by local id */
	struct sn_map locals;	/* buffers, by id: those that may be given an alignment */
	bool has_changed;
};

/* The largest power of two up to MOST that divides X. */
static int64_t
power_in(int64_t x)
{
	int64_t k = 1;
	while (k < MOST && x % (2 * k) == 0)
		k *= 2;
	return k;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t divisor(const struct aligner *a, const struct sn_expr *e);

/* Of a term of a sum. */
static int64_t
term_divisor(const struct aligner *a, const struct sn_expr *e)
{
	if (e->kind == EX_LOCAL) {
		int64_t k = (int64_t)(intptr_t)sn_map_get_num(&a->divisors, (uint64_t)e->local->id);
		return k ? k : 1;
	}
	if (e->kind != EX_OP)
		return 1;
	switch (e->op) {
	case OP_MOD:
	case OP_MIN:
	case OP_MAX: return least(divisor(a, e->args[0]), divisor(a, e->args[1]));
	case OP_SELECT: return least(divisor(a, e->args[1]), divisor(a, e->args[2]));
	case OP_MUL: return least(MOST, divisor(a, e->args[0]) * divisor(a, e->args[1]));
	default: return 1;
	}
}

/* A power of two that surely divides E. */
static int64_t
divisor(const struct aligner *a, const struct sn_expr *e)
{
	struct sn_affine f;
	sn_affine_of(e, &f);
	int64_t k = power_in(f.constant);
	for (int i = 0; i < f.n; i++)
		k = least(k, power_in(f.terms[i].coef) * term_divisor(a, f.terms[i].base));
	return k;
}

/* Does the number of the first element have LANES as a divisor? */
static bool
is_at_multiple(const struct aligner *a, const struct sn_stmt *s, int lanes)
{
	const struct sn_buffer *b = s->mem.buffer;
	int64_t stride = 1, n;
	for (int i = b->rank - 1; i >= 0; i--) {
		if (divisor(a, s->mem.idx[i]) * power_in(stride) % lanes != 0)
			return false;
		stride = i && sn_get_int(b->dims[i], &n) ? stride * n : stride;
	}
	return true;
}

/* Makes sure that B begins at a multiple of BYTES. */
static bool
align_buffer(const struct aligner *a, const struct sn_buffer *b, int bytes)
{
	struct sn_buffer *local = sn_map_get_num(&a->locals, (uint64_t)b->id);
	if (local && local->align < bytes)
		local->align = bytes;
	return b->align && b->align % bytes == 0;
}

static void
align_access(struct aligner *a, struct sn_stmt *s)
{
	const struct sn_buffer *b = s->mem.buffer;
	int lanes = s->kind == ST_LOAD ? s->mem.local->lanes : s->mem.value->lanes;
	if (lanes == 1 || b->lanes > 1 || b->rank == 0 || s->mem.active || s->mem.is_aligned
	    || sn_dtype_info(b->dtype)->bits < 8 || !is_at_multiple(a, s, lanes))
		return;
	s->mem.is_aligned = align_buffer(a, b, (int)sn_dtype_bytes(b->dtype, (size_t)lanes));
	a->has_changed |= s->mem.is_aligned;
}

static bool
visit(struct sn_stmt *s, void *arg)
{
	struct aligner *a = arg;
	if (s->kind == ST_LET && s->let.local->dtype == DT_I64 && s->let.local->lanes == 1)
		sn_map_put_num(&a->divisors, (uint64_t)s->let.local->id,
			       (void *)(intptr_t)divisor(a, s->let.value));
	if (s->kind == ST_ALLOC && s->alloc.buffer->space != SP_SCRATCH)
		sn_map_put_num(&a->locals, (uint64_t)s->alloc.buffer->id, s->alloc.buffer);
	if (s->kind == ST_LOAD || s->kind == ST_STORE)
		align_access(a, s);
	return true;
}

bool
sn_pass_align_accesses(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct aligner a = { .has_changed = false };
	if (!sn_target_is_device(m->target))
		return true;
	for (size_t i = 0; i < m->funcs.n; i++) {
		if (m->funcs.v[i]->is_on_host)
			continue;
		sn_map_init(&a.divisors, c->scratch);
		sn_map_init(&a.locals, c->scratch);
		sn_block_walk(&m->funcs.v[i]->body, visit, &a);
	}
	c->has_changed |= a.has_changed;
	return true;
}
