/*
 * pack-constants: lays constants out as the schedule of their reader walks them,
 * and lists them for the weights file.
 *
 *	k f32[64, 32, 3, 3]  ->  k {m/32, c/16, r, s, c%16, m%32}
 *
 * For the tile schedule: groups of vectors outermost, then the reduction loops
 * in their order, then the vectors of a group.  For group_tile: the reduction
 * axes, then the operand's own, as items load it.  A constant that two kernels
 * walk differently is listed twice.  Exact.  Cost: linear in reads; the bytes are
 * moved when the weights are written.
 */
#include "ir/index.h"
#include "passes/device_tile.h"
#include "passes/pass.h"
#include "passes/tile.h"

struct pack {
	struct sn_pass_ctx *c;
	struct sn_sched_ctx s;
	struct sn_module *m;
	bool *is_taken; /* by tensor id: a layout has been given */
	size_t ntaken;
};

struct parts {
	struct sn_layout_part v[SN_MAX_PARTS];
	int n;
};

static void
add_part(struct parts *l, int dim, int64_t div, int64_t mod)
{
	l->v[l->n++] = (struct sn_layout_part){ dim, div, mod, NULL };
}

/* The layout of constant READ for kernel K's tile; NULL if its plain layout serves. */
static const struct sn_layout *
tile_layout(struct pack *pk, const struct sn_kernel *k, const struct sn_expr *read)
{
	struct sn_pool *p = pk->m->pool;
	const struct sn_comp *m = k->stages.v[0];
	const struct sn_tensor *t = read->tensor;
	struct tile_knobs knobs;
	tile_knobs_get(k, &knobs);
	int v = tile_plain_dim(p, t, read->args, m->axes[knobs.vec]);
	if (v < 0 || knobs.lanes == 1)
		return NULL;
	struct parts l = { .n = 0 };
	struct red_loop red[2 * SN_MAX_AXES];
	int nred = m->reducer ? tile_red_loops(&pk->s, m, red) : 0, dims[2 * SN_MAX_AXES];
	int64_t group = knobs.lanes * knobs.nv;
	bool is_red[SN_MAX_RANK] = { false };
	for (int i = 0; i < nred; i++) {
		dims[i] = tile_plain_dim(p, t, read->args, m->red[red[i].axis]);
		if (dims[i] >= 0)
			is_red[dims[i]] = true;
	}
	for (int d = 0; d < t->type.rank; d++)
		if (d != v && !is_red[d])
			add_part(&l, d, 1, 0);
	add_part(&l, v, group, 0);
	for (int i = 0; i < nred; i++)
		if (dims[i] >= 0)
			add_part(&l, dims[i], red[i].block && !red[i].is_inner ? red[i].block : 1,
				 red[i].is_inner ? red[i].block : 0);
	add_part(&l, v, 1, group);
	return sn_layout_of_parts(p, &t->type, l.v, l.n);
}

struct swap {
	const struct sn_expr *read;
	struct sn_tensor *to;
};

static const struct sn_expr *
swap_read(struct sn_subst *s, const struct sn_expr *e)
{
	const struct swap *w = s->arg;
	if (e->kind != EX_READ || e->tensor != w->read->tensor)
		return NULL;
	int n = e->nargs - e->has_outside;
	return sn_read(s->pool, w->to, e->args, n, e->has_outside ? e->args[n] : NULL);
}

/* The tensor under READ, or a twin of it, with layout L. */
static void
give_layout(struct pack *pk, struct sn_kernel *k, const struct sn_expr *read,
	    const struct sn_layout *l)
{
	struct sn_tensor *t = (struct sn_tensor *)read->tensor;
	if (!pk->is_taken[t->id]) {
		t->layout = l;
		pk->is_taken[t->id] = true;
		return;
	}
	if (t->layout == l || (t->layout && l && sn_layout_equal(t->layout, l)))
		return;
	struct sn_program *pr = pk->m->program;
	struct sn_tensor *n = sn_tensor_new(pr, sn_printf(pr->arena, "%s_%d", t->name, k->id),
					    &t->type, TR_CONST);
	n->data = t->data;
	n->origin = t->origin;
	n->layout = l;
	struct swap w = { read, n };
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_subst s;
		sn_subst_init(&s, pk->m->pool, pk->c->scratch);
		s.leaf = swap_read;
		s.arg = &w;
		sn_comp_subst(k->stages.v[i], &s);
	}
}

static void
comp_reads(struct pack *pk, const struct sn_comp *m, struct sn_read_list *out)
{
	for (int i = 0; m->reducer && i < m->reducer->nargs; i++)
		sn_reads_of(m->args[i], pk->c->scratch, out);
	for (int i = 0; i < m->nresults; i++)
		sn_reads_of(m->results[i].value, pk->c->scratch, out);
}

/* The layout that K's schedule wants for constant READ; NULL: its plain one. */
static const struct sn_layout *
wanted_layout(struct pack *pk, const struct sn_kernel *k, const struct sn_expr *read)
{
	const struct sn_schedule *s = sn_schedule_find(k->schedule);
	if (s == sn_schedule_find("tile"))
		return tile_layout(pk, k, read);
	return s == sn_schedule_find("group_tile") ? sn_device_tile_layout(&pk->s, k, read) : NULL;
}

static void
pack_kernel(struct pack *pk, struct sn_kernel *k)
{
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_read_list reads = { 0 };
		comp_reads(pk, k->stages.v[i], &reads);
		for (size_t j = 0; j < reads.list.n; j++) {
			const struct sn_expr *x = reads.list.v[j];
			if (x->tensor->role == TR_CONST && (size_t)x->tensor->id < pk->ntaken)
				give_layout(pk, k, x, wanted_layout(pk, k, x));
		}
	}
}

/* Constants that kernels read, in order of first use. */
static void
list_weights(struct pack *pk)
{
	struct sn_module *m = pk->m;
	struct sn_weights *w = m->weights = SN_NEW(m->arena, struct sn_weights);
	w->offsets = SN_NEW_ARRAY(m->arena, m->program->tensors.n, int64_t);
	for (size_t i = 0; i < m->program->tensors.n; i++)
		w->offsets[i] = -1;
	for (size_t i = 0; i < m->program->kernels.n; i++) {
		struct sn_tensor_list reads = { 0 };
		sn_kernel_reads(m->program->kernels.v[i], pk->c->scratch, &reads);
		for (size_t j = 0; j < reads.list.n; j++) {
			struct sn_tensor *t = reads.list.v[j];
			int64_t n = 0;
			if (t->role != TR_CONST || w->offsets[t->id] >= 0)
				continue;
			sn_get_int(sn_layout_of(m->pool, t)->size, &n);
			w->offsets[t->id] = w->bytes;
			w->bytes += ((int64_t)sn_dtype_bytes(t->type.dtype, (size_t)n) + 63)
				    & ~(int64_t)63;
			SN_PUSH(m->arena, &w->tensors, t);
		}
	}
}

bool
sn_pass_pack_constants(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct pack pk = { .c = c, .m = m, .s = { m, m->target, m->pool, m->arena, c->scratch } };
	pk.ntaken = m->program->tensors.n;
	pk.is_taken = SN_NEW_ARRAY(c->scratch, pk.ntaken, bool);
	for (size_t i = 0; i < m->program->kernels.n; i++) {
		sn_sched_turn(&pk.s, m->program->kernels.v[i]);
		pack_kernel(&pk, m->program->kernels.v[i]);
	}
	list_weights(&pk);
	c->has_changed = true;
	return true;
}
