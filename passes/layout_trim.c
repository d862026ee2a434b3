/*
 * Layouts cost memory: channels padded to blocks, halos around windows.  Where
 * most is live, wishes are cut until what layout adds is small: a halo goes
 * (reads are guarded instead), blocks become smaller, at last none.  Elsewhere
 * they cost nothing, since the arena is as large as its fullest moment.
 * Extents that are not known count as 64, as they do where schedules are chosen.
 */
#include "ir/index.h"
#include "passes/layouts.h"

/* What layout may add where most is live: percent, or a few bytes anyway. */
enum { MOST_ADDED = 15, FEW_BYTES = 4096 };

/* A tensor of the arena, with all that lie in slices of it. */
struct held {
	struct sn_tensor *tensor; /* NULL: none */
	int first, last;	  /* kernels that touch it */
	int64_t dense, bytes;	  /* as its type says, and as it is laid out now */
};

struct trim {
	struct assign *a;
	struct held *held; /* by tensor id */
	size_t n;
	int64_t *dense, *bytes; /* by kernel: all that live there */
	int64_t most;		/* bytes that may live at once */
};

/* One way to make a tensor smaller. */
struct cut {
	struct held *held;
	struct want want;
	int64_t saved;
	int cost; /* of using it, by what it does to loops */
};

/* ---- sizes ---- */

enum { TYPICAL_EXTENT = 64 };

static const struct sn_expr *
guess(struct sn_subst *s, const struct sn_expr *e)
{
	return e->kind == EX_SYM ? sn_int(s->pool, TYPICAL_EXTENT) : NULL;
}

static int64_t
bytes_of(struct assign *a, const struct sn_tensor *t, const struct want *w)
{
	const struct sn_layout *l = layout_make(a, t, w);
	struct sn_subst s;
	int64_t n = 0;
	sn_subst_init(&s, a->m->pool, a->c->scratch);
	s.leaf = guess;
	sn_get_int(sn_subst(&s, l ? l->size : sn_type_count(a->m->pool, &t->type)), &n);
	return (int64_t)sn_dtype_bytes(t->type.dtype, n > 0 ? (size_t)n : 0);
}

static void
hold(struct trim *t, const struct sn_tensor_list *l, int kernel)
{
	for (size_t i = 0; i < l->list.n; i++) {
		struct sn_tensor *x = layout_root(t->a, l->list.v[i]);
		struct held *h = &t->held[x->id];
		if (x->role != TR_TEMP || x->store != TS_OWN)
			continue;
		if (!h->tensor)
			h->first = kernel;
		h->tensor = x;
		h->last = kernel;
	}
}

static void
find_held(struct trim *t)
{
	struct sn_program *pr = t->a->pr;
	struct sn_arena *scratch = t->a->c->scratch;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_tensor_list stores = { 0 }, reads = { 0 };
		sn_kernel_stores(pr->kernels.v[i], scratch, &stores);
		sn_kernel_reads(pr->kernels.v[i], scratch, &reads);
		hold(t, &stores, (int)i);
		hold(t, &reads, (int)i);
	}
	for (size_t i = 0; i < t->n; i++) {
		struct held *h = &t->held[i];
		struct want none = { .block_dim = -1 };
		if (!h->tensor)
			continue;
		h->dense = bytes_of(t->a, h->tensor, &none);
		h->bytes = bytes_of(t->a, h->tensor, layout_want_of(t->a, h->tensor));
	}
}

static void
add_to_kernels(struct trim *t, const struct held *h, int64_t dense, int64_t bytes)
{
	for (int k = h->first; k <= h->last; k++) {
		t->dense[k] += dense;
		t->bytes[k] += bytes;
	}
}

/* ---- cuts ---- */

enum { CUT_ROW_HALO = 1, CUT_BLOCK, CUT_LINE_HALO, CUT_ALL_BLOCKS };

static void
offer(struct trim *t, struct cut *best, struct held *h, const struct want *w, int cost,
      int64_t need)
{
	struct cut c = { h, *w, 0, cost };
	c.saved = h->bytes - bytes_of(t->a, h->tensor, w);
	if (c.saved <= 0)
		return;
	bool is_enough = c.saved >= need, was_enough = best->held && best->saved >= need;
	bool is_better = is_enough != was_enough	   ? is_enough
			 : is_enough && cost != best->cost ? cost < best->cost
			 : is_enough			   ? c.saved < best->saved
				     : c.saved * best->cost > best->saved * cost;
	if (!best->held || is_better)
		*best = c;
}

/* All that could be cut from H by one step. */
static void
offer_cuts(struct trim *t, struct cut *best, struct held *h, int64_t need)
{
	const struct want *w = layout_want_of(t->a, h->tensor);
	for (int d = 0; d < h->tensor->type.rank; d++) {
		struct want c = *w;
		c.lo[d] = c.hi[d] = 0;
		if (w->has_halo && (w->lo[d] || w->hi[d]))
			offer(t, best, h, &c,
			      layout_is_innermost(h->tensor, d) ? CUT_LINE_HALO : CUT_ROW_HALO,
			      need);
	}
	if (w->block_dim < 0)
		return;
	struct want c = *w;
	for (c.block = layout_block(t->a, h->tensor, w) / 2; c.block >= TILE_FEWEST_LANES;
	     c.block /= 2)
		offer(t, best, h, &c, CUT_BLOCK, need);
	c = *w;
	c.block_dim = -1;
	offer(t, best, h, &c, CUT_ALL_BLOCKS, need);
}

/* The fullest kernel, if more lives there than may. */
static int
fullest(const struct trim *t)
{
	int at = -1;
	for (size_t k = 0; k < t->a->pr->kernels.n; k++)
		if (t->bytes[k] > t->most && (at < 0 || t->bytes[k] > t->bytes[at]))
			at = (int)k;
	return at;
}

/* One step at the fullest kernel; false if there is none, or none is needed. */
static bool
cut_once(struct trim *t)
{
	struct cut best = { 0 };
	int at = fullest(t);
	for (size_t i = 0; at >= 0 && i < t->n; i++) {
		struct held *h = &t->held[i];
		if (h->tensor && h->first <= at && at <= h->last)
			offer_cuts(t, &best, h, t->bytes[at] - t->most);
	}
	if (!best.held)
		return false;
	add_to_kernels(t, best.held, 0, -best.saved);
	best.held->bytes -= best.saved;
	*layout_want_of(t->a, best.held->tensor) = best.want;
	return true;
}

void
layout_trim(struct assign *a)
{
	struct sn_arena *scratch = a->c->scratch;
	size_t nkernels = a->pr->kernels.n;
	struct trim t = { .a = a, .n = a->pr->tensors.n };
	t.held = SN_NEW_ARRAY(scratch, t.n + 1, struct held);
	t.dense = SN_NEW_ARRAY(scratch, nkernels + 1, int64_t);
	t.bytes = SN_NEW_ARRAY(scratch, nkernels + 1, int64_t);
	find_held(&t);
	for (size_t i = 0; i < t.n; i++)
		if (t.held[i].tensor)
			add_to_kernels(&t, &t.held[i], t.held[i].dense, t.held[i].bytes);
	for (size_t k = 0; k < nkernels; k++) {
		int64_t added = t.dense[k] * MOST_ADDED / 100;
		int64_t most = t.dense[k] + (added > FEW_BYTES ? added : FEW_BYTES);
		t.most = most > t.most ? most : t.most;
	}
	while (cut_once(&t))
		;
}
