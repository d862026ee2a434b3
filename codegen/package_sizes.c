/*
 * The model's C file, third part: the arena.
 */
#include "codegen/package.h"
#include "codegen/weights.h"
#include "ir/layout.h"

enum { ALIGN = 64 };

bool
sn_is_placed_at_run(const struct sn_package *k)
{
	return !k->m->plan->is_static;
}

const char *
sn_package_size_text(struct sn_package *k, const struct sn_expr *e, const char *sizes, int strength)
{
	struct sn_printer *p = sn_package_c(k);

	sn_map_init(&p->names, k->arena);
	p->func_name = "sizes";
	for (int i = 0; i < k->m->pool->nsyms; i++)
		sn_map_put_num(&p->names, (uint64_t)(uintptr_t)k->m->pool->syms[i],
			       sn_printf(k->arena, "%s%s", sizes, k->size_names[i]));
	return sn_expr_text(p, e, strength);
}

const struct sn_expr *
sn_package_bytes(struct sn_package *k, const struct sn_tensor *t)
{
	struct sn_pool *p = k->m->pool;
	int bits = sn_dtype_info(t->type.dtype)->bits;
	const struct sn_expr *n = sn_type_count(p, &t->type);

	return bits >= 8 ? sn_mulk(p, n, bits / 8)
			 : sn_divk(p, sn_addk(p, sn_mulk(p, n, bits), 7), 8);
}

/* ---- the arena ---- */

static int64_t
round_up(int64_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static void
static_places(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_plan *plan = k->m->plan;

	if (k->temps.n)
		sn_buf_add(
			out,
			"/* Places in the arena, in bytes, and the steps of the run that use them. */\n");
	for (size_t i = 0; i < k->temps.n; i++) {
		int id = k->temps.v[i]->id;

		sn_buf_addf(out, "#define A_%s %lld\t/* %d to %d */\n", k->tensor_names[id],
			    (long long)plan->offsets[id], plan->first[id], plan->last[id]);
	}
	sn_buf_addf(out, "#define A_END %lld\n", (long long)round_up(plan->arena_bytes));
	if (k->has_host_steps)
		sn_buf_addf(out, "#define HOST_END %lld\t/* of the arena on the host */\n",
			    (long long)round_up(plan->host_bytes));
	sn_buf_addc(out, '\n');
}

/* With what more is said where some lie on the host. */
static const char place_text[] =
	"/* Each takes the lowest place that is free during its life, the largest first. */\n"
	"static int64_t\n"
	"place(const int64_t *size, int64_t *offset%s)\n"
	"{\n"
	"\tint32_t order[A_COUNT], moved;\n"
	"\tint64_t end = 0;\n"
	"\n"
	"\tfor (int32_t i = 0; i < A_COUNT; i++) {\n"
	"\t\tint32_t j = i;\n"
	"\n"
	"\t\tfor (; j > 0 && size[order[j - 1]] < size[i]; j--)\n"
	"\t\t\torder[j] = order[j - 1];\n"
	"\t\torder[j] = i;\n"
	"\t}\n"
	"\tfor (int32_t i = 0; i < A_COUNT; i++) {\n"
	"\t\tconst int32_t t = order[i];\n"
	"\t\tint64_t at = 0;\n"
	"\n%s"
	"\t\tdo {\n"
	"\t\t\tmoved = 0;\n"
	"\t\t\tfor (int32_t j = 0; j < i; j++) {\n"
	"\t\t\t\tconst int32_t u = order[j];\n"
	"\n"
	"\t\t\t\tif (%sfirst[u] <= last[t] && first[t] <= last[u] &&\n"
	"\t\t\t\t    offset[u] < at + size[t] && at < offset[u] + size[u]) {\n"
	"\t\t\t\t\tat = offset[u] + size[u];\n"
	"\t\t\t\t\tmoved = 1;\n"
	"\t\t\t\t}\n"
	"\t\t\t}\n"
	"\t\t} while (moved);\n"
	"\t\toffset[t] = at;\n"
	"\t\tend = at + size[t] > end ? at + size[t] : end;\n"
	"\t}\n"
	"\treturn end;\n"
	"}\n\n";

static void
place_function(struct sn_package *k, struct sn_buf *out)
{
	if (k->has_host_steps)
		sn_buf_addf(out, place_text, ", bool host",
			    "\t\tif (on_host[t] != host)\n\t\t\tcontinue;\n",
			    "on_host[u] == host && ");
	else
		sn_buf_addf(out, place_text, "", "", "");
}

/* Which temporaries lie on the host. */
static void
host_temps(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, "static const bool on_host[] = {");
	for (size_t i = 0; i < k->temps.n; i++)
		sn_buf_addf(out, "%s%d%s", i % 16 ? " " : "\n\t",
			    k->temps.v[i]->place == PLACE_HOST, i + 1 < k->temps.n ? "," : "");
	sn_buf_add(out, "\n};\n");
}

static void
lives(struct sn_package *k, struct sn_buf *out, const char *name, const int *v)
{
	sn_buf_addf(out, "static const int32_t %s[] = {", name);
	for (size_t i = 0; i < k->temps.n; i++)
		sn_buf_addf(out, "%s%d%s", i % 16 ? " " : "\n\t", v[k->temps.v[i]->id],
			    i + 1 < k->temps.n ? "," : "");
	sn_buf_add(out, "\n};\n");
}

static void
run_time_places(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, "/* Temporaries, and the steps between which they live. */\nenum {\n");
	for (size_t i = 0; i < k->temps.n; i++)
		sn_buf_addf(out, "\tA_%s,\n", k->tensor_names[k->temps.v[i]->id]);
	sn_buf_add(out, "\tA_COUNT\n};\n");
	lives(k, out, "first", k->m->plan->first);
	lives(k, out, "last", k->m->plan->last);
	if (k->has_host_steps)
		host_temps(k, out);
	sn_buf_add(out, "\nstatic void\ntemp_sizes(const struct sizes *s, int64_t *size)\n{\n");
	for (size_t i = 0; i < k->temps.n; i++) {
		int id = k->temps.v[i]->id;

		sn_buf_addf(out, "\tsize[A_%s] = %s;\n", k->tensor_names[id],
			    sn_package_size_text(k, k->m->plan->sizes[id], "s->", CP_ASSIGN));
	}
	sn_buf_add(out, "}\n\n");
	place_function(k, out);
}

static const char dims_text[] =
	"int\n"
	"$n_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,\n"
	"        struct sinter_need *need)\n"
	"{\n"
	"\tstruct sizes s;\n"
	"\tconst char *why;\n"
	"\tint status;\n"
	"\n"
	"\tif (nthreads < 1 || !out || !need)\n"
	"\t\treturn SINTER_BAD_CALL;\n"
	"\tstatus = read_dims(in, &s, &why);\n"
	"\tif (status == SINTER_OK)\n"
	"\t\tstatus = write_dims(out, &s);\n"
	"\tif (status == SINTER_OK)\n"
	"\t\t";

static void
need(struct sn_package *k, struct sn_buf *out)
{
	int64_t more = sn_package_status_bytes(k);
	const char *arena = sn_is_for_device(k) ? "host_bytes" : "arena_bytes";

	sn_buf_add(out, "*need = (struct sinter_need){\n");
	if (sn_has_calls(k))
		sn_buf_addf(out,
			    "\t\t\t.arena_bytes = %s(&s) + (size_t)nthreads * SCRATCH_BYTES,\n",
			    arena);
	if (sn_is_for_device(k))
		sn_buf_addf(out, "\t\t\t.device_bytes = arena_bytes(&s)%s,\n",
			    more ? sn_printf(k->arena, " + %lld", (long long)more) : "");
	sn_buf_add(out, "\t\t};\n");
}

/* The function NAME: bytes of the arena, which ends at END, or that on the host. */
static void
bytes_function(struct sn_package *k, struct sn_buf *out, const char *name, const char *end,
	       const char *host)
{
	sn_buf_addf(out, "static size_t\n%s(const struct sizes *s)\n{\n", name);
	if (!sn_is_placed_at_run(k))
		sn_buf_addf(out, "\t(void)s;\n\treturn %s;\n}\n\n", end);
	else
		sn_buf_addf(out,
			    "\tint64_t size[A_COUNT], offset[A_COUNT];\n\n\ttemp_sizes(s, size);\n"
			    "\treturn (size_t)place(size, offset%s);\n}\n\n",
			    k->has_host_steps ? host : "");
}

void
sn_package_memory(struct sn_package *k, struct sn_buf *out)
{
	if (sn_is_placed_at_run(k))
		run_time_places(k, out);
	else
		static_places(k, out);
	if (sn_has_calls(k))
		sn_buf_addf(out, "#define SCRATCH_BYTES %lld\t/* for each worker */\n\n",
			    (long long)round_up(k->scratch_bytes));
	bytes_function(k, out, "arena_bytes", "A_END", ", false");
	if (k->has_host_steps)
		bytes_function(k, out, "host_bytes", "HOST_END", ", true");
	sn_package_text(k, out, dims_text);
	need(k, out);
	sn_buf_add(out, "\treturn status;\n}\n\n");
}
