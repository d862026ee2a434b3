/*
 * model.json: what tools want to know of a package without loading it.
 */
#include "codegen/package.h"
#include "codegen/weights.h"

static void
dims(struct sn_package *k, struct sn_buf *out, const struct sn_type *t)
{
	sn_buf_add(out, "[");
	for (int d = 0; d < t->rank; d++) {
		int64_t n;
		struct sn_buf text;

		sn_buf_add(out, d ? ", " : "");
		if (sn_get_int(t->dims[d], &n)) {
			sn_buf_addf(out, "%lld", (long long)n);
			continue;
		}
		sn_buf_init(&text, k->arena);
		sn_expr_print(&text, t->dims[d]);
		sn_buf_add_json(out, text.text);
	}
	sn_buf_add(out, "]");
}

static void
values(struct sn_package *k, struct sn_buf *out, struct sn_tensor *const *v, size_t n,
       const char *key)
{
	sn_buf_addf(out, "  \"%s\": [", key);
	for (size_t i = 0; i < n; i++) {
		sn_buf_addf(out, "%s\n    { \"name\": ", i ? "," : "");
		sn_buf_add_json(out, v[i]->name);
		sn_buf_addf(out, ", \"dtype\": \"%s\", \"shape\": ",
			    sn_dtype_info(v[i]->type.dtype)->text);
		dims(k, out, &v[i]->type);
		sn_buf_add(out, " }");
	}
	sn_buf_add(out, n ? "\n  ],\n" : "],\n");
}

/* Where step S runs, and why there. */
static void
place(struct sn_buf *out, const struct sn_step *s)
{
	static const char *const words[] = {
		[PLACE_TARGET] = "device",
		[PLACE_HOST] = "host",
		[PLACE_TRANSFER] = "transfer",
	};

	sn_buf_addf(out, ", \"place\": \"%s\"", words[sn_step_place(s)]);
	if (!s->kernel || !s->kernel->why)
		return;
	sn_buf_add(out, ", \"why\": ");
	sn_buf_add_json(out, s->kernel->why);
}

static void
kernels(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_plan *plan = k->m->plan;

	sn_buf_add(out, "  \"kernels\": [");
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct sn_step *s = &plan->steps.v[i];

		sn_buf_addf(out, "%s\n    { \"name\": ", i ? "," : "");
		sn_buf_add_json(out, s->kernel ? s->kernel->name : s->func->name);
		sn_buf_add(out, ", \"function\": ");
		sn_buf_add_json(out, sn_map_get_num(&k->func_names, (uint64_t)(uintptr_t)s->func));
		sn_buf_add(out, ", \"nodes\": ");
		sn_buf_add_json(out, s->kernel ? sn_origin_text(k->arena, s->kernel->origin) : "");
		if (sn_is_for_device(k))
			place(out, s);
		sn_buf_add(out, " }");
	}
	sn_buf_add(out, plan->steps.n ? "\n  ]\n" : "]\n");
}

static void requires(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_requires *all = &k->m->program->requires;

	sn_buf_add(out, "  \"requires\": [");
	for (size_t i = 0; i < all->list.n; i++) {
		sn_buf_addf(out, "%s\n    ", i ? "," : "");
		sn_buf_add_json(out, sn_package_require_text(k, &all->list.v[i]));
	}
	sn_buf_add(out, all->list.n ? "\n  ],\n" : "],\n");
}

static void
field(struct sn_buf *out, const char *key, int64_t x)
{
	sn_buf_addf(out, "  \"%s\": %lld,\n", key, (long long)x);
}

void
sn_package_json(struct sn_package *k, struct sn_buf *out)
{
	static const char *const forms[] = { "file", "object", "array" };
	const struct sn_module *m = k->m;

	sn_buf_addf(out, "{\n  \"abi\": %d,\n  \"name\": ", SN_ABI_VERSION);
	sn_buf_add_json(out, m->name);
	sn_buf_add(out, ",\n  \"source\": ");
	sn_buf_add_json(out, m->source ? m->source : "");
	sn_buf_addf(out, ",\n  \"plan_hash\": \"%016llx\",\n  \"dialect\": \"%s\",\n",
		    (unsigned long long)k->plan_hash, k->opts->dialect->name);
	sn_buf_addf(out, "  \"threads\": %s,\n", m->is_threaded ? "true" : "false");
	sn_buf_addf(out, "  \"weights\": \"%s\",\n",
		    m->weights->tensors.n ? forms[k->opts->weights] : "none");
	field(out, "weights_bytes",
	      m->weights->tensors.n ? m->weights->bytes + SN_WEIGHTS_HEADER : 0);
	field(out, "context_bytes", k->context_bytes);
	const char *arena = sn_is_for_device(k) ? "device_bytes" : "arena_bytes";

	if (m->plan->is_static) {
		field(out, arena, m->plan->arena_bytes + sn_package_status_bytes(k));
		field(out, "arena_lower_bound", m->plan->lower_bound);
		if (k->has_host_steps)
			field(out, "arena_bytes", m->plan->host_bytes);
	} else {
		sn_buf_addf(out, "  \"%s\": null,\n", arena);
	}
	field(out, "thread_bytes", (k->scratch_bytes + 63) / 64 * 64);
	values(k, out, m->program->inputs.v, m->program->inputs.n, "inputs");
	values(k, out, m->program->outputs.v, m->program->outputs.n, "outputs");
	requires(k, out);
	kernels(k, out);
	sn_buf_add(out, "}\n");
}
