/* Copies that assign-layouts puts between the caller's tensors and ours, and for operands. */
#include "ir/index.h"
#include "passes/layouts.h"

/* ---- copies between the caller's row-major tensors and ours ---- */

/* A kernel that copies FROM to TO, before kernel number AT. */
static void
insert_copy(struct assign *a, struct sn_tensor *from, struct sn_tensor *to, size_t at)
{
	struct sn_program *pr = a->pr;
	struct sn_kernel *k = sn_kernel_new(pr, sn_printf(pr->arena, "copy_%s", to->name));
	struct sn_comp *m = SN_NEW(pr->arena, struct sn_comp);
	const struct sn_expr *idx[SN_MAX_RANK];
	m->naxes = from->type.rank;
	m->nresults = 1;
	m->results[0].tensor = to;
	for (int d = 0; d < from->type.rank; d++) {
		m->axes[d] = sn_axis_new(pr->pool, sn_printf(pr->arena, "i%d", d),
					 from->type.dims[d]);
		idx[d] = m->results[0].idx[d] = sn_axis_expr(pr->pool, m->axes[d]);
	}
	m->results[0].value = sn_read(pr->pool, from, idx, from->type.rank, NULL);
	m->origin = k->origin = from->origin;
	SN_PUSH(pr->arena, &k->stages, m);
	SN_PUSH(pr->arena, &pr->kernels, k);
	for (size_t i = pr->kernels.n - 1; i > at; i--)
		pr->kernels.v[i] = pr->kernels.v[i - 1];
	pr->kernels.v[at] = k;
}

struct swap {
	const struct sn_tensor *from;
	struct sn_tensor *to;
};

static const struct sn_expr *
swap_read(struct sn_subst *s, const struct sn_expr *e)
{
	const struct swap *w = s->arg;
	if (e->kind != EX_READ || e->tensor != w->from)
		return NULL;
	int n = e->nargs - e->has_outside;
	return sn_read(s->pool, w->to, e->args, n, e->has_outside ? e->args[n] : NULL);
}

/* Kernel K reads (and stores) TO where it had FROM. */
static void
swap_tensor(struct assign *a, struct sn_kernel *k, struct sn_tensor *from, struct sn_tensor *to)
{
	struct swap w = { from, to };
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_subst s;
		sn_subst_init(&s, a->m->pool, a->c->scratch);
		s.leaf = swap_read;
		s.arg = &w;
		sn_comp_subst(k->stages.v[i], &s);
		for (int r = 0; r < k->stages.v[i]->nresults; r++)
			if (k->stages.v[i]->results[r].tensor == from)
				k->stages.v[i]->results[r].tensor = to;
	}
}

static struct sn_tensor *
twin(struct assign *a, struct sn_tensor *t, const char *suffix)
{
	struct sn_tensor *n = sn_tensor_new(
		a->pr, sn_printf(a->pr->arena, "%s_%s", t->name, suffix), &t->type, TR_TEMP);
	n->origin = t->origin;
	return n;
}

static struct want *
grow_want(struct assign *a, const struct sn_tensor *n, const struct want *w)
{
	if ((size_t)n->id >= a->nwant)
		sn_bug(a->m->arena->guard, "no room for the layout of '%s'", n->name);
	a->want[n->id] = *w;
	return &a->want[n->id];
}

/* An input that is read with a halo: its readers get a copy that has one. */
void
layout_copy_input(struct assign *a, struct sn_tensor *t)
{
	struct want w = *layout_want_of(a, t);
	*layout_want_of(a, t) = (struct want){ .block_dim = -1 };
	if (!w.has_halo)
		return;
	struct sn_tensor *n = twin(a, t, "padded");
	w.block_dim = -1;
	grow_want(a, n, &w);
	for (size_t i = 0; i < a->pr->kernels.n; i++)
		swap_tensor(a, a->pr->kernels.v[i], t, n);
	insert_copy(a, t, n, 0);
	SN_PUSH(a->c->scratch, &a->padded, n);
	SN_PUSH(a->c->scratch, &a->padded, t);
}

static void
remove_storing(struct sn_program *pr, const struct sn_tensor *t)
{
	size_t n = 0;
	for (size_t i = 0; i < pr->kernels.n; i++)
		if (pr->kernels.v[i]->stages.v[0]->results[0].tensor != t)
			pr->kernels.v[n++] = pr->kernels.v[i];
	pr->kernels.n = n;
}

/* Where memory left no room for the halo, readers read the input itself. */
void
layout_drop_copies(struct assign *a)
{
	for (size_t i = 0; i + 1 < a->padded.n; i += 2) {
		struct sn_tensor *copy = a->padded.v[i], *t = a->padded.v[i + 1];
		if (layout_make(a, copy, layout_want_of(a, copy)))
			continue;
		remove_storing(a->pr, copy);
		for (size_t k = 0; k < a->pr->kernels.n; k++)
			swap_tensor(a, a->pr->kernels.v[k], copy, t);
	}
}

/* An output that is stored in blocks or with a halo: its kernels work on a temporary, copied at the end. */
void
layout_copy_output(struct assign *a, struct sn_tensor *t)
{
	struct want w = *layout_want_of(a, t);
	*layout_want_of(a, t) = (struct want){ .block_dim = -1 };
	if (w.block_dim < 0 && !w.has_halo)
		return;
	struct sn_tensor *n = twin(a, t, "blocked");
	grow_want(a, n, &w);
	a->group[t->id] = n;
	for (size_t i = 0; i < a->pr->kernels.n; i++)
		swap_tensor(a, a->pr->kernels.v[i], t, n);
	insert_copy(a, n, t, a->pr->kernels.n);
}

/* ---- operands of contractions that are not constants ---- */

/* The axis along which the first result of M is contiguous as it is, or -1. */
static int
contiguous_axis(struct assign *a, const struct sn_comp *m)
{
	const struct sn_tensor *t = m->results[0].tensor;
	for (int v = 0; v < m->naxes; v++) {
		int d = tile_plain_dim(a->m->pool, t, m->results[0].idx, m->axes[v]);
		if (d >= 0 && layout_want_of(a, t)->block_dim < 0 && layout_is_innermost(t, d)
		    && !sn_is_int_const(m->axes[v]->extent, 1))
			return v;
	}
	return -1;
}

/* A copy of X's tensor, made before kernel number AT, that is contiguous along dimension D. */
static struct sn_tensor *
copy_turned(struct assign *a, const struct sn_expr *x, int d, size_t at)
{
	struct sn_tensor *t = (struct sn_tensor *)x->tensor;
	struct sn_tensor *n = twin(a, t, "turned");
	struct sn_layout_part parts[SN_MAX_RANK];
	int np = 0;
	for (int i = 0; i < t->type.rank; i++)
		if (i != d)
			parts[np++] = (struct sn_layout_part){ i, 1, 0, NULL };
	parts[np++] = (struct sn_layout_part){ d, 1, 0, NULL };
	n->layout = sn_layout_of_parts(a->m->pool, &t->type, parts, np);
	insert_copy(a, t, n, at);
	return n;
}

/* Sums of products whose operands are not constants: one that moves with the result's contiguous axis
 * must be contiguous along it too, else a copy is. True if kernel number AT has moved up by one. */
bool
layout_turn_operand(struct assign *a, size_t at)
{
	struct sn_kernel *k = a->pr->kernels.v[at];
	const struct sn_comp *m = k->stages.v[0];
	if (k->stages.n != 1 || !m->reducer || m->nred == 0 || layout_weights_axis(a, m) >= 0)
		return false;
	int v = contiguous_axis(a, m);
	struct sn_read_list reads = { 0 };
	sn_reads_of(m->args[0], a->c->scratch, &reads);
	for (size_t i = 0; v >= 0 && i < reads.list.n; i++) {
		const struct sn_expr *x = reads.list.v[i];
		int d = tile_plain_dim(a->m->pool, x->tensor, x->args, m->axes[v]);
		if (reads.list.n < 2 || d < 0 || layout_is_innermost(x->tensor, d) || x->has_outside
		    || !layout_is_wide_or_unknown(a, m, m->axes[v]->extent) || x->tensor->layout
		    || layout_want_of(a, x->tensor)->block_dim >= 0 || x->tensor->role == TR_CONST)
			continue;
		swap_tensor(a, k, (struct sn_tensor *)x->tensor, copy_turned(a, x, d, at));
		return true;
	}
	return false;
}
