/*
 * The model's C file, second part: dimensions, the arena, and the run as a sequence of calls.
 */
#include <string.h>
#include "codegen/package.h"
#include "codegen/weights.h"
#include "ir/layout.h"

enum { ALIGN = 64 };

/* The largest dimension accepted where nothing is known: products of a few of them fit in 64 bits. */
static const int64_t most = 1 << 24;

static bool
has_sizes(const struct sn_package *k)
{
	return k->m->pool->nsyms > 0;
}

static bool
is_placed_at_run(const struct sn_package *k)
{
	return !k->m->plan->is_static;
}

const char *
sn_package_size_text(struct sn_package *k, const struct sn_expr *e, const char *sizes, int strength)
{
	struct sn_printer *p = &k->printer;

	sn_map_init(&p->names, k->arena);
	p->func_name = "sizes";
	for (int i = 0; i < k->m->pool->nsyms; i++)
		sn_map_put_num(&p->names, (uint64_t)(uintptr_t)k->m->pool->syms[i],
			       sn_printf(k->arena, "%s%s", sizes, k->size_names[i]));
	return sn_expr_text(p, e, strength);
}

static const struct sn_expr *
bytes_of(struct sn_package *k, const struct sn_tensor *t)
{
	struct sn_pool *p = k->m->pool;
	int bits = sn_dtype_info(t->type.dtype)->bits;
	const struct sn_expr *n = sn_type_count(p, &t->type);

	return bits >= 8 ? sn_mulk(p, n, bits / 8)
			 : sn_divk(p, sn_addk(p, sn_mulk(p, n, bits), 7), 8);
}

/* ---- dimensions ---- */

static void
rank_checks(struct sn_buf *out, struct sn_tensor *const *v, size_t n, const char *what)
{
	sn_buf_addf(out, "\tstatic const int32_t ranks[] = { ");
	for (size_t i = 0; i < n; i++)
		sn_buf_addf(out, "%s%d", i ? ", " : "", v[i]->type.rank);
	sn_buf_addf(out,
		    " };\n\n\tfor (int i = 0; i < %zu; i++)\n"
		    "\t\tif (%s[i].rank != ranks[i] || (ranks[i] && !%s[i].dims))\n"
		    "\t\t\treturn SINTER_BAD_CALL;\n",
		    n, what, what);
}

static void
read_symbols(struct sn_package *k, struct sn_buf *out)
{
	for (int i = 0; i < k->m->pool->nsyms; i++) {
		const struct sn_sym *s = k->m->pool->syms[i];
		const char *name = k->size_names[i];
		int64_t hi = s->hi < most ? s->hi : most;

		if (!s->is_dim) {
			sn_buf_addf(out, "\ts->%s = 0;\n", name);
			continue;
		}
		sn_buf_addf(out, "\ts->%s = in[%d].dims[%d];\n", name, s->input, s->axis);
		sn_buf_addf(out,
			    "\tif (s->%s < %lld || s->%s > %lld)\n\t\treturn SINTER_BAD_DIMS;\n",
			    name, (long long)(s->lo > 0 ? s->lo : 0), name, (long long)hi);
	}
}

static bool
is_where_read(const struct sn_expr *e, size_t input, int axis)
{
	return e->kind == EX_SYM && e->sym->is_dim && e->sym->input == (int)input
	       && e->sym->axis == axis;
}

static void
check_input(struct sn_package *k, struct sn_buf *out, size_t i)
{
	const struct sn_type *t = &k->m->program->inputs.v[i]->type;
	int n = 0;

	for (int d = 0; d < t->rank; d++) {
		if (is_where_read(t->dims[d], i, d))
			continue;
		sn_buf_addf(out, "%s in[%zu].dims[%d] != %s", n++ ? " ||\n\t   " : "\tif (", i, d,
			    sn_package_size_text(k, t->dims[d], "s->", CP_EQUAL + 1));
	}
	if (n)
		sn_buf_add(out, ")\n\t\treturn SINTER_BAD_DIMS;\n");
}

static void
read_dims(struct sn_package *k, struct sn_buf *out)
{
	size_t n = k->m->program->inputs.n;

	sn_buf_add(out,
		   "/* Sizes from the dimensions of the inputs, all of which are checked. */\n"
		   "static int\nread_dims(const struct sinter_tensor *in, struct sizes *s)\n{\n");
	if (n)
		rank_checks(out, k->m->program->inputs.v, n, "in");
	else
		sn_buf_add(out, "\t(void)in;\n");
	if (has_sizes(k))
		read_symbols(k, out);
	else
		sn_buf_add(out, "\t(void)s;\n");
	for (size_t i = 0; i < n; i++)
		check_input(k, out, i);
	sn_buf_add(out, "\treturn SINTER_OK;\n}\n\n");
}

static void
write_dims(struct sn_package *k, struct sn_buf *out)
{
	size_t n = k->m->program->outputs.n;

	sn_buf_add(out,
		   "/* Dimensions and bytes of the outputs. */\n"
		   "static int\nwrite_dims(struct sinter_tensor *out, const struct sizes *s)\n{\n");
	rank_checks(out, k->m->program->outputs.v, n, "out");
	if (!has_sizes(k))
		sn_buf_add(out, "\t(void)s;\n");
	for (size_t i = 0; i < n; i++) {
		const struct sn_tensor *t = k->m->program->outputs.v[i];

		for (int d = 0; d < t->type.rank; d++)
			sn_buf_addf(out, "\tout[%zu].dims[%d] = %s;\n", i, d,
				    sn_package_size_text(k, t->type.dims[d], "s->", CP_ASSIGN));
		sn_buf_addf(out, "\tout[%zu].bytes = (size_t)%s;\n", i,
			    sn_package_size_text(k, bytes_of(k, t), "s->", CP_UNARY));
	}
	sn_buf_add(out, "\treturn SINTER_OK;\n}\n\n");
}

void
sn_package_sizes(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, "/* What the inputs' dimensions leave open. */\nstruct sizes {\n");
	for (int i = 0; i < k->m->pool->nsyms; i++)
		sn_buf_addf(out, "\tint64_t %s;\n", k->size_names[i]);
	sn_buf_add(out, has_sizes(k) ? "};\n\n" : "\tint unused;\n};\n\n");
	read_dims(k, out);
	write_dims(k, out);
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
	sn_buf_addf(out, "#define A_END %lld\n\n", (long long)round_up(plan->arena_bytes));
}

static const char place_text[] =
	"/* Each takes the lowest place that is free during its life, the largest first. */\n"
	"static int64_t\n"
	"place(const int64_t *size, int64_t *offset)\n"
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
	"\n"
	"\t\tdo {\n"
	"\t\t\tmoved = 0;\n"
	"\t\t\tfor (int32_t j = 0; j < i; j++) {\n"
	"\t\t\t\tconst int32_t u = order[j];\n"
	"\n"
	"\t\t\t\tif (first[u] <= last[t] && first[t] <= last[u] &&\n"
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
	sn_buf_add(out, "\nstatic void\ntemp_sizes(const struct sizes *s, int64_t *size)\n{\n");
	for (size_t i = 0; i < k->temps.n; i++) {
		int id = k->temps.v[i]->id;

		sn_buf_addf(out, "\tsize[A_%s] = %s;\n", k->tensor_names[id],
			    sn_package_size_text(k, k->m->plan->sizes[id], "s->", CP_ASSIGN));
	}
	sn_buf_add(out, "}\n\n");
	sn_buf_add(out, place_text);
}

static const char dims_text[] =
	"int\n"
	"$n_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,\n"
	"        struct sinter_need *need)\n"
	"{\n"
	"\tstruct sizes s;\n"
	"\tint status;\n"
	"\n"
	"\tif (nthreads < 1 || !out || !need)\n"
	"\t\treturn SINTER_BAD_CALL;\n"
	"\tstatus = read_dims(in, &s);\n"
	"\tif (status == SINTER_OK)\n"
	"\t\tstatus = write_dims(out, &s);\n"
	"\tif (status == SINTER_OK)\n"
	"\t\tneed->arena_bytes = arena_bytes(&s) + (size_t)nthreads * SCRATCH_BYTES;\n"
	"\treturn status;\n"
	"}\n\n";

void
sn_package_memory(struct sn_package *k, struct sn_buf *out)
{
	if (is_placed_at_run(k))
		run_time_places(k, out);
	else
		static_places(k, out);
	sn_buf_addf(out, "#define SCRATCH_BYTES %lld\t/* for each worker */\n\n",
		    (long long)round_up(k->scratch_bytes));
	sn_buf_add(out, "static size_t\narena_bytes(const struct sizes *s)\n{\n");
	if (is_placed_at_run(k))
		sn_buf_add(out,
			   "\tint64_t size[A_COUNT], offset[A_COUNT];\n\n\ttemp_sizes(s, size);\n"
			   "\treturn (size_t)place(size, offset);\n}\n\n");
	else
		sn_buf_add(out, "\t(void)s;\n\treturn A_END;\n}\n\n");
	sn_package_text(k, out, dims_text);
}

/* ---- context and weights ---- */

static const char hash_text[] = "static uint64_t\n"
				"hash_line(uint64_t h, const unsigned char *p)\n"
				"{\n"
				"\tuint64_t w;\n"
				"\n"
				"\tmemcpy(&w, p, sizeof(w));\n"
				"\th = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);\n"
				"\treturn h ^ h >> 32;\n"
				"}\n"
				"\n"
				"/* Hash of N bytes, a multiple of 64. */\n"
				"static uint64_t\n"
				"hash_bytes(const unsigned char *p, size_t n)\n"
				"{\n"
				"\tuint64_t lane[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, h = n;\n"
				"\n"
				"\tfor (size_t i = 0; i < n; i += 64)\n"
				"\t\tfor (int j = 0; j < 8; j++)\n"
				"\t\t\tlane[j] = hash_line(lane[j], p + i + 8 * j);\n"
				"\tfor (int j = 0; j < 8; j++)\n"
				"\t\th = hash_line(h, (const unsigned char *)&lane[j]);\n"
				"\treturn h;\n"
				"}\n"
				"\n"
				"static uint64_t\n"
				"word(const unsigned char *p)\n"
				"{\n"
				"\tuint64_t w;\n"
				"\n"
				"\tmemcpy(&w, p, sizeof(w));\n"
				"\treturn w;\n"
				"}\n\n";

static const char check_weights_text[] =
	"static int\n"
	"check_weights(const unsigned char *w, size_t bytes)\n"
	"{\n"
	"\tif (!w || bytes != $N_WEIGHTS_BYTES || memcmp(w, \"SINTERW1\", 8) != 0 ||\n"
	"\t    word(w + 8) != bytes || word(w + 16) != $N_PLAN_HASH ||\n"
	"\t    word(w + 24) != hash_bytes(w + 64, bytes - 64))\n"
	"\t\treturn SINTER_BAD_WEIGHTS;\n"
	"\treturn SINTER_OK;\n"
	"}\n\n";

static void
context_struct(struct sn_package *k, struct sn_buf *out)
{
	sn_package_text(k, out,
			"#define CONTEXT_MAGIC ($N_PLAN_HASH ^ UINT64_C(0x73696e746572))\n\n"
			"struct context {\n\tuint64_t magic;\n\tconst unsigned char *weights;\n");
	if (is_placed_at_run(k))
		sn_buf_add(out, "\tstruct sizes sizes;\t\t/* of the last run */\n"
				"\tint64_t arena_bytes;\t\t/* -1: no run yet */\n"
				"\tint64_t offset[A_COUNT];\n");
	sn_package_text(
		k, out,
		"};\n\n"
		"typedef char context_fits[sizeof(struct context) <= $N_CONTEXT_BYTES ? 1 : -1];\n\n");
}

static void
init(struct sn_package *k, struct sn_buf *out)
{
	bool has_weights = k->m->weights->tensors.n > 0;
	bool is_embedded = has_weights && k->opts->weights != WF_FILE;

	if (has_weights) {
		sn_buf_add(out, hash_text);
		sn_package_text(k, out, check_weights_text);
	}
	sn_package_text(
		k, out,
		"int\n$n_init(void *context, const void *weights, size_t weights_bytes)\n{\n"
		"\tstruct context *c = context;\n\n"
		"\tif (!c || (uintptr_t)context % 8)\n\t\treturn SINTER_BAD_CALL;\n"
		"\tmemset(c, 0, sizeof(*c));\n");
	if (is_embedded)
		sn_package_text(k, out,
				"\tif (!weights) {\n\t\tweights = $n_weights;\n"
				"\t\tweights_bytes = $N_WEIGHTS_BYTES;\n\t}\n");
	sn_buf_add(out, has_weights ? "\tif (check_weights(weights, weights_bytes) != SINTER_OK)\n"
				      "\t\treturn SINTER_BAD_WEIGHTS;\n"
				    : "\t(void)weights_bytes;\n");
	sn_buf_add(out, "\tc->weights = weights;\n");
	if (is_placed_at_run(k))
		sn_buf_add(out, "\tc->arena_bytes = -1;\n");
	sn_package_text(k, out,
			"\tc->magic = CONTEXT_MAGIC;\n\treturn SINTER_OK;\n}\n\n"
			"void\n$n_free(void *context)\n{\n\tstruct context *c = context;\n\n"
			"\tif (c)\n\t\tc->magic = 0;\n}\n\n");
}

/* ---- addresses ---- */

/* Bytes from the root's start to T, over the chain of views. */
static const struct sn_expr *
view_offset(struct sn_package *k, const struct sn_tensor *t)
{
	struct sn_pool *p = k->m->pool;
	const struct sn_expr *sum = sn_int(p, 0);

	for (; t->store == TS_VIEW || t->store == TS_INPLACE; t = t->base) {
		int bits = sn_dtype_info(t->type.dtype)->bits;

		if (t->store == TS_VIEW && t->base_offset)
			sum = sn_add(p, sum,
				     bits >= 8 ? sn_mulk(p, t->base_offset, bits / 8)
					       : sn_divk(p, sn_mulk(p, t->base_offset, bits), 8));
	}
	return sum;
}

static const char *
address(struct sn_package *k, struct sn_tensor *t)
{
	struct sn_tensor *root = sn_tensor_root(t);
	const struct sn_expr *offset = view_offset(k, t);
	const char *at = sn_package_size_text(k, offset, "s.", CP_SUM),
		   *name = k->tensor_names[root->id];
	bool is_start = sn_is_int_const(offset, 0);

	switch (root->role) {
	case TR_CONST:
		return is_start ? sn_printf(k->arena, "WEIGHT(%s)", name)
				: sn_printf(k->arena, "WEIGHT_AT(%s, %s)", name, at);
	case TR_TEMP:
		return is_start ? sn_printf(k->arena, "TEMP(%s)", name)
				: sn_printf(k->arena, "TEMP_AT(%s, %s)", name, at);
	default: break;
	}
	const char *io = sn_printf(k->arena, "%s[%d].data", root->role == TR_INPUT ? "in" : "out",
				   root->role_index);

	return is_start ? io : sn_printf(k->arena, "AT(%s, %s)", io, at);
}

/* ---- run ---- */

static void
address_macros(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_weights *w = k->m->weights;

	if (w->tensors.n)
		sn_buf_add(out, "/* Places in the weights, in bytes. */\n");
	for (size_t i = 0; i < w->tensors.n; i++) {
		const struct sn_tensor *t = w->tensors.v[i];

		if (k->tensor_names[t->id])
			sn_buf_addf(out, "#define W_%s %lld\n", k->tensor_names[t->id],
				    (long long)(w->offsets[t->id] + SN_WEIGHTS_HEADER));
	}
	sn_buf_add(out, w->tensors.n ? "\n" : "");
	sn_buf_add(out, "#define AT(p, bytes) ((void *)((unsigned char *)(p) + (bytes)))\n"
			"#define WEIGHT_AT(t, bytes) ((const void *)(weights + W_##t + (bytes)))\n"
			"#define WEIGHT(t) WEIGHT_AT(t, 0)\n");
	sn_buf_add(
		out,
		is_placed_at_run(k)
			? "#define TEMP_AT(t, bytes) ((void *)(arena + c->offset[A_##t] + (bytes)))\n"
			: "#define TEMP_AT(t, bytes) ((void *)(arena + A_##t + (bytes)))\n");
	sn_buf_add(
		out,
		"#define TEMP(t) TEMP_AT(t, 0)\n"
		"#define STEP(k, call) do { mark(hooks, k, 0); call; mark(hooks, k, 1); } while (0)\n\n");
}

static void
call(struct sn_package *k, struct sn_buf *out, size_t number)
{
	const struct sn_step *s = &k->m->plan->steps.v[number];
	size_t line = out->len;
	const char *sep = "";

	sn_buf_addf(out, "\tSTEP(%zu, %s(", number,
		    (const char *)sn_map_get_num(&k->func_names, (uint64_t)(uintptr_t)s->func));
	size_t nargs = s->func->params.n, n = nargs + s->func->syms.n;

	for (size_t i = 0; i < n; i++) {
		const char *a = i < nargs ? address(k, s->args[i])
					  : sn_package_size_text(k, s->syms[i - nargs], "s.",
								 CP_ASSIGN);

		sn_buf_add(out, sep);
		if (out->len - line + strlen(a) > 88) {
			line = out->len + 1;
			sn_buf_add(out, "\n\t        ");
		} else if (*sep) {
			sn_buf_addc(out, ' ');
		}
		sn_buf_add(out, a);
		sep = ",";
	}
	if (sn_printer_needs_env(&k->printer, s->func))
		sn_buf_addf(out, "%s&env", *sep ? ", " : "");
	sn_buf_add(out, "));\n");
}

static const char check_text[] =
	"static int\n"
	"check_tensor(const struct sinter_tensor *t, size_t bytes, size_t align)\n"
	"{\n"
	"\tif (bytes > 0 && (!t->data || (uintptr_t)t->data % align))\n"
	"\t\treturn SINTER_BAD_CALL;\n"
	"\treturn t->capacity < bytes ? SINTER_TOO_SMALL : SINTER_OK;\n"
	"}\n\n"
	"static void\n"
	"mark(const struct sinter_hooks *hooks, int32_t k, int32_t phase)\n"
	"{\n"
	"\tif (hooks && hooks->kernel)\n"
	"\t\thooks->kernel(hooks->ctx, k, phase);\n"
	"}\n\n";

static void
check_memory(struct sn_package *k, struct sn_buf *out, struct sn_tensor *const *v, size_t n,
	     const char *what)
{
	for (size_t i = 0; i < n; i++) {
		int bytes = sn_dtype_info(v[i]->type.dtype)->bits / 8;
		const char *need = *what == 'o' ? sn_printf(k->arena, "out[%zu].bytes", i)
						: sn_package_size_text(k, bytes_of(k, v[i]), "s->",
								       CP_UNARY);

		sn_buf_addf(out,
			    "\tif (status == SINTER_OK)\n"
			    "\t\tstatus = check_tensor(&%s[%zu], (size_t)%s, %d);\n",
			    what, i, need, bytes > 1 ? bytes : 1);
	}
}

/* Checks everything that the caller gave; nothing is written before that. */
static void
check_call(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, check_text);
	sn_buf_add(
		out,
		"static int\ncheck_call(const struct sinter_tensor *in, struct sinter_tensor *out, "
		"struct sizes *s)\n{\n\tint status = read_dims(in, s);\n\n"
		"\tif (status == SINTER_OK)\n\t\tstatus = write_dims(out, s);\n");
	check_memory(k, out, k->m->program->inputs.v, k->m->program->inputs.n, "in");
	check_memory(k, out, k->m->program->outputs.v, k->m->program->outputs.n, "out");
	sn_buf_add(out, "\treturn status;\n}\n\n");
}

static const char run_head[] =
	"int\n"
	"$n_run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *memory,\n"
	"        size_t bytes, const struct sinter_hooks *hooks)\n"
	"{\n"
	"\tstruct context *c = context;\n"
	"\tunsigned char *arena = memory;\n"
	"\tconst size_t nthreads = hooks && hooks->parallel && hooks->nthreads > 1 ? (size_t)hooks->nthreads : 1;\n"
	"\tstruct sizes s;\n"
	"\tint status;\n"
	"\n"
	"\tif (!c || c->magic != CONTEXT_MAGIC || !out || (uintptr_t)memory % 64)\n"
	"\t\treturn SINTER_BAD_CALL;\n"
	"\tstatus = check_call(in, out, &s);\n"
	"\tif (status != SINTER_OK)\n"
	"\t\treturn status;\n";

static const char place_again[] =
	"\tif (c->arena_bytes < 0 || memcmp(&c->sizes, &s, sizeof(s)) != 0) {\n"
	"\t\tint64_t size[A_COUNT];\n"
	"\n"
	"\t\ttemp_sizes(&s, size);\n"
	"\t\tc->arena_bytes = place(size, c->offset);\n"
	"\t\tc->sizes = s;\n"
	"\t}\n";

void
sn_package_run(struct sn_package *k, struct sn_buf *out)
{
	const char *end = is_placed_at_run(k) ? "(size_t)c->arena_bytes" : "A_END";

	context_struct(k, out);
	init(k, out);
	check_call(k, out);
	address_macros(k, out);
	sn_package_text(k, out, run_head);
	sn_buf_add(out, is_placed_at_run(k) ? place_again : "");
	sn_buf_addf(out,
		    "\tif (bytes < %s + nthreads * SCRATCH_BYTES || (!memory && bytes))\n"
		    "\t\treturn SINTER_TOO_SMALL;\n",
		    end);
	if (k->m->weights->tensors.n)
		sn_buf_add(out, "\tconst unsigned char *const weights = c->weights;\n");
	if (k->printer.has_env)
		sn_buf_addf(out, "\tconst struct env env = { hooks, arena + %s, SCRATCH_BYTES };\n",
			    end);
	sn_buf_add(out, "\n");
	if (k->temps.n == 0 && !k->printer.has_env)
		sn_buf_add(out, "\t(void)arena;\n");
	for (size_t i = 0; i < k->m->plan->steps.n; i++)
		call(k, out, i);
	sn_buf_add(out, "\treturn SINTER_OK;\n}\n\n");
}
