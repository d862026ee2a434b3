/*
 * The model's C file, first part: names, kernels, the tables that describe the model.
 */
#include <string.h>
#include "codegen/package.h"

struct sn_tensor *
sn_tensor_root(struct sn_tensor *t)
{
	while (t->store == TS_VIEW || t->store == TS_INPLACE)
		t = t->base;
	return t;
}

const char *
sn_origin_text(struct sn_arena *a, const struct sn_origin *o)
{
	struct sn_buf b;

	sn_buf_init(&b, a);
	if (o)
		sn_origin_print(&b, o);
	return b.text;
}

void
sn_c_string(struct sn_buf *out, const char *s)
{
	sn_buf_addc(out, '"');
	for (const char *start = s; *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool is_trigraph = c == '?' && s > start && s[-1] == '?';

		if (c == '\t' || c == '\n')
			sn_buf_add(out, c == '\t' ? "\\t" : "\\n");
		else if (c < ' ' || c >= 0x7f || c == '"' || c == '\\' || is_trigraph)
			sn_buf_addf(out, "\\%03o", c);
		else
			sn_buf_addc(out, (char)c);
	}
	sn_buf_addc(out, '"');
}

const char *
sn_c_comment(struct sn_arena *a, const char *s)
{
	char *t = sn_strdup(a, s);

	for (char *c = t; *c; c++)
		if ((unsigned char)*c < ' ' || (*c == '/' && c > t && c[-1] == '*') || *c == '\\'
		    || (*c == '*' && c > t && c[-1] == '/') || *c == '?')
			*c = '_';
	return t;
}

/* ---- names ---- */

/* An identifier from S that is not in TAKEN yet. */
static const char *
unique_name(struct sn_package *k, struct sn_map *taken, const char *s)
{
	char *id = sn_printf(k->arena, "%.40s", *s ? s : "t");
	const char *name = id;

	for (char *c = id; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z')
		    && !(*c >= '0' && *c <= '9'))
			*c = '_';
	for (int i = 2; sn_map_get(taken, name); i++)
		name = sn_printf(k->arena, "%s_%d", id, i);
	sn_map_put(taken, name, k);
	return name;
}

static void
name_tensors(struct sn_package *k)
{
	const struct sn_plan *plan = k->m->plan;
	struct sn_map taken;

	sn_map_init(&taken, k->arena);
	sn_map_put(&taken, "END", k); /* A_END, A_COUNT are ours */
	sn_map_put(&taken, "COUNT", k);
	k->tensor_names = SN_NEW_ARRAY(k->arena, k->m->program->tensors.n + 1, const char *);
	for (size_t s = 0; s < plan->steps.n; s++)
		for (size_t i = 0; i < plan->steps.v[s].func->params.n; i++) {
			struct sn_tensor *t = sn_tensor_root(plan->steps.v[s].args[i]);

			if (!k->tensor_names[t->id])
				k->tensor_names[t->id] = unique_name(k, &taken, t->name);
		}
}

static void
list_temps(struct sn_package *k)
{
	const struct sn_program *pr = k->m->program;

	k->temp_of = SN_NEW_ARRAY(k->arena, pr->tensors.n + 1, int);
	for (size_t i = 0; i < pr->tensors.n; i++)
		if (k->m->plan->sizes[i]) {
			k->temp_of[i] = (int)k->temps.n;
			SN_PUSH(k->arena, &k->temps, pr->tensors.v[i]);
		}
}

static void
name_funcs(struct sn_package *k)
{
	static const char *const ours[] = {
		"read_dims",  "write_dims",  "place",	   "temp_sizes",    "arena_bytes",
		"hash_line",  "hash_bytes",  "word",	   "check_weights", "check_tensor",
		"check_call", "mark",	     "workers",	   "is_huge",	    "parallel_for",
		"scratch_at", "check_index", "index_flag", "first",	    "last",
		"inputs",     "outputs",     "kernels",	   "env",	    "main",
		"on_host",    "host_bytes",  "lines",	   "program",	    "kernel_names",
	};
	struct sn_map taken;

	sn_map_init(&taken, k->arena);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		sn_map_put(&taken, ours[i], k);
	sn_reserve_names(k->opts->dialect, &taken);
	if (sn_is_for_device(k))
		sn_reserve_names(&sn_dialect_c99, &taken);
	sn_map_init(&k->func_names, k->arena);
	for (size_t i = 0; i < k->m->funcs.n; i++) {
		const struct sn_func *f = k->m->funcs.v[i];

		sn_map_put_num(&k->func_names, (uint64_t)(uintptr_t)f,
			       (void *)unique_name(k, &taken, f->name));
	}
}

static void
name_sizes(struct sn_package *k)
{
	struct sn_map taken;

	sn_map_init(&taken, k->arena);
	k->size_names = SN_NEW_ARRAY(k->arena, (size_t)k->m->pool->nsyms + 1, const char *);
	for (int i = 0; i < k->m->pool->nsyms; i++)
		k->size_names[i] = unique_name(
			k, &taken, sn_printf(k->arena, "n_%s", k->m->pool->syms[i]->name));
	char *u = sn_strdup(k->arena, k->m->name);

	for (char *c = u; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	k->upper = u;
}

void
sn_package_text(struct sn_package *k, struct sn_buf *out, const char *text)
{
	for (const char *s = text; *s; s++) {
		if (s[0] == '$' && (s[1] == 'n' || s[1] == 'N'))
			sn_buf_add(out, *++s == 'n' ? k->m->name : k->upper);
		else
			sn_buf_addc(out, *s);
	}
}

void
sn_package_prepare(struct sn_package *k)
{
	sn_printer_init(&k->printer, k->opts->dialect, k->arena, k->m->pool);
	sn_printer_init(&k->host, &sn_dialect_c99, k->arena, k->m->pool);
	k->printer.is_threaded = k->m->is_threaded;
	name_sizes(k);
	name_tensors(k);
	list_temps(k);
	name_funcs(k);
	for (size_t i = 0; i < k->m->plan->steps.n; i++)
		k->has_host_steps |= sn_step_place(&k->m->plan->steps.v[i]) == PLACE_HOST;
	int64_t words = k->m->plan->is_static ? 2 : 6 + k->m->pool->nsyms + (int64_t)k->temps.n;

	k->context_bytes = (words * 8 + 63) / 64 * 64;
}

/* ---- kernels ---- */

void
sn_package_origin(struct sn_package *k, struct sn_buf *out, const struct sn_func *f)
{
	const char *s = sn_c_comment(k->arena, sn_origin_text(k->arena, f->origin));
	size_t column = 3;

	if (!*s)
		return;
	sn_buf_add(out, "/* ");
	while (*s) {
		const char *comma = strstr(s, ", ");
		size_t n = comma ? (size_t)(comma - s) + 2 : strlen(s);

		if (column > 3 && column + n > 96) {
			sn_buf_add(out, "\n * ");
			column = 3;
		}
		sn_buf_addn(out, s, n);
		column += n;
		s += n;
	}
	sn_buf_add(out, " */\n");
}

/* Functions that a step calls: not kernels, and not the copies that transfers stand for. */
static void
find_called(struct sn_package *k, struct sn_map *called)
{
	enum sn_place place = sn_is_for_device(k) ? PLACE_HOST : PLACE_TARGET;

	sn_map_init(called, k->arena);
	for (size_t i = 0; i < k->m->plan->steps.n; i++) {
		const struct sn_step *s = &k->m->plan->steps.v[i];

		if (sn_step_place(s) == place)
			sn_map_put_num(called, (uint64_t)(uintptr_t)s->func, k);
	}
}

void
sn_package_kernels(struct sn_package *k, struct sn_buf *out)
{
	struct sn_printer *p = sn_package_c(k);
	struct sn_map called;

	find_called(k, &called);
	for (size_t i = 0; i < k->m->funcs.n; i++) {
		const struct sn_func *f = k->m->funcs.v[i];

		if (!sn_map_get_num(&called, (uint64_t)(uintptr_t)f))
			continue;
		sn_package_origin(k, out, f);
		sn_printer_func(p, out, f, sn_map_get_num(&k->func_names, (uint64_t)(uintptr_t)f));
		sn_buf_addc(out, '\n');
	}
	k->scratch_bytes = (p->scratch_max + 63) / 64 * 64 + (p->has_check ? 64 : 0);
}

void
sn_package_prologue(struct sn_package *k, struct sn_buf *out)
{
	if (sn_has_calls(k) || k->host.helpers.len)
		sn_printer_prologue(sn_package_c(k), out);
}

/* ---- what describes the model ---- */

static void
dims_table(struct sn_package *k, struct sn_buf *out, const struct sn_tensor *t, const char *what,
	   size_t i)
{
	struct sn_buf text;

	if (t->type.rank == 0)
		return;
	sn_buf_addf(out, "static const int64_t %s%zu_dims[] = { ", what, i);
	for (int d = 0; d < t->type.rank; d++) {
		int64_t n = -1;

		sn_get_int(t->type.dims[d], &n);
		sn_buf_addf(out, "%s%lld", d ? ", " : "", (long long)n);
	}
	sn_buf_addf(out, " };\nstatic const char *const %s%zu_names[] = { ", what, i);
	for (int d = 0; d < t->type.rank; d++) {
		sn_buf_init(&text, k->arena);
		sn_expr_print(&text, t->type.dims[d]);
		sn_buf_add(out, d ? ", " : "");
		sn_c_string(out, text.text);
	}
	sn_buf_add(out, " };\n");
}

static void
values_table(struct sn_package *k, struct sn_buf *out, struct sn_tensor *const *v, size_t n,
	     const char *what)
{
	for (size_t i = 0; i < n; i++)
		dims_table(k, out, v[i], what, i);
	if (n == 0)
		return;
	sn_buf_addf(out, "\nstatic const struct sinter_value %sputs[] = {\n", what);
	for (size_t i = 0; i < n; i++) {
		sn_buf_add(out, "\t{ ");
		sn_c_string(out, v[i]->name);
		sn_buf_addf(out, ", %d, %d, ", sn_dtype_info(v[i]->type.dtype)->onnx,
			    v[i]->type.rank);
		if (v[i]->type.rank)
			sn_buf_addf(out, "%s%zu_dims, %s%zu_names },\n", what, i, what, i);
		else
			sn_buf_add(out, "NULL, NULL },\n");
	}
	sn_buf_add(out, "};\n\n");
}

void
sn_package_tables(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_plan *plan = k->m->plan;

	values_table(k, out, k->m->program->inputs.v, k->m->program->inputs.n, "in");
	values_table(k, out, k->m->program->outputs.v, k->m->program->outputs.n, "out");
	if (plan->steps.n == 0)
		return;
	sn_buf_add(out, "static const struct sinter_kernel kernels[] = {\n");
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct sn_kernel *n = plan->steps.v[i].kernel;

		sn_buf_add(out, "\t{ ");
		sn_c_string(out, n ? n->name : plan->steps.v[i].func->name);
		sn_buf_add(out, ", ");
		sn_c_string(out, n ? sn_origin_text(k->arena, n->origin) : "");
		sn_buf_add(out, " },\n");
	}
	sn_buf_add(out, "};\n\n");
}
