/*
 * place-kernels: what a device can't do, or would do slower, runs on the host.
 *
 *	kernel cast { d[i0] = f64(x[i0]) }	for a device without f64
 * ->	kernel cast on host "it computes with f64, which the device lacks" { .. }
 *
 * One rule of the table each says why.  Kernels that store parts of one tensor
 * run on one side.  Before fusing, which joins what runs on the same side alone,
 * so that a cast doesn't take a product along with it.  Later passes see a host
 * kernel as one of a CPU without vectors; insert-transfers adds the copies.
 * Changes no results.  Cost: linear in expressions.
 */
#include "passes/device.h"
#include "passes/emit.h"
#include "passes/pass.h"
#include "passes/rows.h"

struct placer {
	struct sn_pass_ctx *c;
	struct sn_program *pr;
	const struct sn_target *target;
	bool *is_hosts; /* by tensor id: kernels on the host store it */
};

/* ---- the rules ---- */

static const char *
lacks_type(struct placer *p, const struct sn_kernel *k)
{
	bool found = false;
	for (size_t i = 0; !p->target->has_f64 && i < k->stages.n; i++)
		found |= sn_comp_has_dtype(k->stages.v[i], DT_F64, p->c->scratch);
	return found ? "it computes with f64, which the device lacks" : NULL;
}

/* All tensors outside of K that it touches, but for constants where ALL isn't set. */
static void
tensors_of(struct placer *p, const struct sn_kernel *k, bool all, struct sn_tensor_list *out)
{
	struct sn_tensor_list lists[2] = { 0 };
	out->list.n = out->list.cap = 0;
	sn_kernel_reads(k, p->c->scratch, &lists[0]);
	sn_kernel_stores(k, p->c->scratch, &lists[1]);
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < lists[i].list.n; j++) {
			struct sn_tensor *t = lists[i].list.v[j];
			if (t->store != TS_SCRATCH && (all || t->role != TR_CONST))
				SN_PUSH(p->c->scratch, &out->list, t);
		}
}

/* Bytes of T where its dimensions are numbers, else 0. */
static double
bytes_of(const struct sn_tensor *t)
{
	double bytes = sn_dtype_info(t->type.dtype)->bits / 8.0;
	for (int d = 0; d < t->type.rank; d++) {
		int64_t n;
		bytes *= sn_get_int(t->type.dims[d], &n) ? (double)n : 0;
	}
	return bytes;
}

static const char *
lacks_memory(struct placer *p, const struct sn_kernel *k)
{
	struct sn_tensor_list all = { 0 };
	double most = (double)p->target->largest_bytes;
	tensors_of(p, k, true, &all);
	for (size_t i = 0; most > 0 && i < all.list.n; i++)
		if (bytes_of(all.list.v[i]) > most)
			return sn_printf(p->c->module->arena,
					 "'%s' has %.0f bytes, the device's largest memory %.0f",
					 all.list.v[i]->name, bytes_of(all.list.v[i]), most);
	return NULL;
}

static bool
is_ordered(const struct sn_kernel *k)
{
	for (size_t i = 0; i < k->stages.n; i++) {
		const struct sn_reducer *r = k->stages.v[i]->reducer;
		if (r && !r->merge[0] && k->stages.v[i]->nred)
			return true;
	}
	return false;
}

/* Cycles of the host before a copy between the two begins, and bytes a cycle. */
enum { COPY_START = 30000, COPY_BYTES = 4 };

/* What an ordered kernel of few points costs on the host, with a copy of each tensor. */
static double
host_cost(struct placer *p, const struct sn_kernel *k)
{
	struct sn_tensor_list all = { 0 };
	double cost = sn_rows_scalar_cost(k);
	tensors_of(p, k, false, &all);
	for (size_t i = 0; i < all.list.n; i++)
		cost += COPY_START + bytes_of(all.list.v[i]) / COPY_BYTES;
	return cost;
}

/* One item after the other is what a core does better, if the units aren't cores themselves. */
static const char *
lacks_items(struct placer *p, const struct sn_kernel *k)
{
	bool is_one = sn_device_shares_bytes(k);
	const struct sn_comp *m = k->stages.v[0];
	if (p->target->is_cpu || (!is_one && !is_ordered(k)))
		return NULL;
	double points = is_one ? 1 : sn_rows_points(m->axes, 0, k->nshared ? k->nshared : m->naxes);
	double cost = sn_device_cost(p->target, sn_rows_scalar_cost(k), points < 1 ? 1 : points);
	if (cost <= host_cost(p, k))
		return NULL;
	return sn_printf(p->c->module->arena, "its steps are in order, for %.0f work-item%s",
			 points, points == 1 ? "" : "s");
}

static const char *(*const rules[])(struct placer *p, const struct sn_kernel *k) = {
	lacks_type,
	lacks_memory,
	lacks_items,
};

static void
put_on_host(struct placer *p, struct sn_kernel *k, const char *why)
{
	k->place = PLACE_HOST;
	k->why = why;
	p->c->has_changed = true;
	sn_remark(p->c->module, "place-kernels", k->origin, "'%s' runs on the host: %s", k->name,
		  why);
}

static void
apply_rules(struct placer *p)
{
	for (size_t i = 0; i < p->pr->kernels.n; i++) {
		struct sn_kernel *k = p->pr->kernels.v[i];
		const char *why = NULL;
		for (size_t j = 0; k->place == PLACE_TARGET && !why && j < ARRAY_LEN(rules); j++)
			why = rules[j](p, k);
		if (why)
			put_on_host(p, k, why);
	}
}

/* Who stores a part of what the host stores goes there, too; true if somebody did. */
static bool
join_writers(struct placer *p)
{
	bool has_changed = false;
	for (size_t i = 0; i < p->pr->kernels.n; i++) {
		struct sn_kernel *k = p->pr->kernels.v[i];
		struct sn_tensor_list stores = { 0 };
		sn_kernel_stores(k, p->c->scratch, &stores);
		for (size_t j = 0; j < stores.list.n; j++) {
			struct sn_tensor *t = stores.list.v[j];
			bool *is_hosts = &p->is_hosts[t->id];
			if (k->place == PLACE_TARGET && *is_hosts)
				put_on_host(p, k,
					    sn_printf(p->c->module->arena,
						      "it stores a part of '%s', which is there",
						      t->name));
			has_changed |= k->place == PLACE_HOST && !*is_hosts;
			*is_hosts |= k->place == PLACE_HOST;
		}
	}
	return has_changed;
}

bool
sn_pass_place_kernels(struct sn_pass_ctx *c)
{
	struct sn_module *m = c->module;
	struct placer p = { c, m->program, m->target,
			    SN_NEW_ARRAY(c->scratch, m->program->tensors.n + 1, bool) };
	if (!sn_target_is_device(m->target))
		return true;
	apply_rules(&p);
	while (join_writers(&p))
		;
	return true;
}
