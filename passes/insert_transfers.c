/*
 * insert-transfers: what one side stores and the other reads is copied between them.
 *
 *	kernel cast on host ".." { d[i0] = f64(x[i0]) }
 *	kernel next { y[i0] = 2.0 * f[i0] ..
 * ->	kernel x_to_host transfer { x_host[i0] = x[i0] }
 *	kernel cast on host ".." { d_host[i0] = f64(x_host[i0]) } ..
 *	kernel f_to_device transfer { f[i0] = f_host[i0] }
 *	kernel next { y[i0] = 2.0 * f[i0] ..
 *
 * A tensor, which must be complete by then, is copied when the other side first
 * reads it; outputs of the model, last.  Inputs are on the device, constants on
 * both sides.  Exact.  Cost: linear in expressions.
 */
#include "passes/emit.h"
#include "passes/pass.h"

struct placer {
	struct sn_pass_ctx *c;
	struct sn_program *pr;
	struct sn_pool *pool;
	struct sn_tensor **on_host; /* by tensor id: its twin there */
	bool *is_hosts;		    /* by tensor id: kernels on the host store it */
	bool *is_copied;	    /* by tensor id: the other side has it */
	size_t ntensors;	    /* at the beginning */
	SN_VEC(struct sn_kernel *) list;
};

/* T itself where it is on the host already. */
static struct sn_tensor *
twin(struct placer *p, struct sn_tensor *t)
{
	if (t->role == TR_CONST || t->place == PLACE_HOST || (size_t)t->id >= p->ntensors)
		return t;
	struct sn_tensor **x = &p->on_host[t->id];
	if (!*x) {
		*x = sn_tensor_new(p->pr, sn_printf(p->pr->arena, "%s_host", t->name), &t->type,
				   TR_TEMP);
		(*x)->origin = t->origin;
		(*x)->place = PLACE_HOST;
	}
	return *x;
}

static void
transfer(struct placer *p, struct sn_tensor *t, bool to_host)
{
	struct sn_tensor *host = twin(p, t), *from = to_host ? t : host, *to = to_host ? host : t;
	struct sn_comp *m = SN_NEW(p->pr->arena, struct sn_comp);
	struct sn_kernel *k = sn_kernel_new(p->pr, sn_printf(p->pr->arena, "%s_to_%s", t->name,
							     to_host ? "host" : "device"));
	m->naxes = t->type.rank;
	m->nresults = 1;
	m->results[0].tensor = to;
	for (int d = 0; d < t->type.rank; d++) {
		m->axes[d] = sn_axis_new(p->pool, sn_printf(p->pr->arena, "i%d", d),
					 t->type.dims[d]);
		m->results[0].idx[d] = sn_axis_expr(p->pool, m->axes[d]);
	}
	m->results[0].value = sn_read(p->pool, from, m->results[0].idx, t->type.rank, NULL);
	k->place = PLACE_TRANSFER;
	k->origin = t->origin;
	SN_PUSH(p->pr->arena, &k->stages, m);
	SN_PUSH(p->pr->arena, &p->list, k);
	p->is_copied[t->id] = true;
}

/* Copies what kernel K reads and the other side has stored. */
static void
fetch_operands(struct placer *p, const struct sn_kernel *k)
{
	struct sn_tensor_list reads = { 0 };
	bool is_on_host = k->place == PLACE_HOST;
	sn_kernel_reads(k, p->c->scratch, &reads);
	for (size_t i = 0; i < reads.list.n; i++) {
		struct sn_tensor *t = reads.list.v[i];
		if (t->role != TR_CONST && t->store != TS_SCRATCH && t->place == PLACE_TARGET
		    && p->is_hosts[t->id] != is_on_host && !p->is_copied[t->id])
			transfer(p, t, is_on_host);
	}
}

static const struct sn_expr *
read_twin(struct sn_subst *s, const struct sn_expr *e)
{
	if (e->kind != EX_READ || e->tensor->role == TR_CONST || e->tensor->place == PLACE_HOST)
		return NULL;
	const struct sn_expr *at[SN_MAX_RANK];
	int n = e->nargs - e->has_outside;
	for (int d = 0; d < n; d++)
		at[d] = e->args[d];
	return sn_read(s->pool, twin(s->arg, (struct sn_tensor *)e->tensor), at, n,
		       e->has_outside ? e->args[n] : NULL);
}

/* K, which runs on the host, works on twins; its scratch is there. */
static void
use_twins(struct placer *p, struct sn_kernel *k)
{
	struct sn_tensor_list stores = { 0 };
	struct sn_subst s;
	sn_kernel_stores(k, p->c->scratch, &stores);
	for (size_t i = 0; i < stores.list.n; i++)
		if (stores.list.v[i]->store == TS_SCRATCH)
			stores.list.v[i]->place = PLACE_HOST;
	for (size_t i = 0; i < k->stages.n; i++) {
		struct sn_comp *m = k->stages.v[i];
		sn_subst_init(&s, p->pool, p->c->scratch);
		s.leaf = read_twin;
		s.arg = p;
		sn_comp_subst(m, &s);
		for (int j = 0; j < m->nresults; j++)
			m->results[j].tensor = twin(p, m->results[j].tensor);
	}
}

static void
add_transfers(struct placer *p)
{
	struct sn_program *pr = p->pr;
	for (size_t i = 0; i < pr->kernels.n; i++) {
		struct sn_kernel *k = pr->kernels.v[i];
		fetch_operands(p, k);
		if (k->place == PLACE_HOST)
			use_twins(p, k);
		SN_PUSH(pr->arena, &p->list, k);
	}
	for (size_t i = 0; i < pr->outputs.n; i++)
		if (p->is_hosts[pr->outputs.v[i]->id] && !p->is_copied[pr->outputs.v[i]->id])
			transfer(p, pr->outputs.v[i], false);
	pr->kernels.v = p->list.v;
	pr->kernels.n = p->list.n;
	pr->kernels.cap = p->list.cap;
}

/* Notes what the host stores; is there anything? */
static bool
find_hosts(struct placer *p)
{
	bool found = false;
	for (size_t i = 0; i < p->pr->kernels.n; i++) {
		struct sn_tensor_list stores = { 0 };
		if (p->pr->kernels.v[i]->place != PLACE_HOST)
			continue;
		sn_kernel_stores(p->pr->kernels.v[i], p->c->scratch, &stores);
		for (size_t j = 0; j < stores.list.n; j++)
			p->is_hosts[stores.list.v[j]->id] = true;
		found = true;
	}
	return found;
}

bool
sn_pass_insert_transfers(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	size_t n = m->program->tensors.n;
	struct placer p = { .c = c,
			    .pr = m->program,
			    .pool = m->pool,
			    .on_host = SN_NEW_ARRAY(c->scratch, n + 1, struct sn_tensor *),
			    .is_hosts = SN_NEW_ARRAY(c->scratch, n + 1, bool),
			    .is_copied = SN_NEW_ARRAY(c->scratch, n + 1, bool),
			    .ntensors = n };
	if (m->program->has_transfers || !find_hosts(&p))
		return true;
	add_transfers(&p);
	m->program->has_transfers = c->has_changed = true;
	return true;
}
