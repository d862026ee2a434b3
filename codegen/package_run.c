/*
 * The model's C file, fourth part: the context, and the run as a sequence of calls.
 */
#include <string.h>
#include "codegen/package.h"
#include "codegen/weights.h"

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
	if (sn_is_placed_at_run(k))
		sn_buf_add(out, "\tstruct sizes sizes;\t\t/* of the last run */\n"
				"\tint64_t arena_bytes;\t\t/* -1: no run yet */\n");
	if (sn_is_placed_at_run(k) && k->has_host_steps)
		sn_buf_add(out, "\tint64_t host_bytes;\n");
	if (sn_is_placed_at_run(k))
		sn_buf_add(out, "\tint64_t offset[A_COUNT];\n");
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
	if (sn_is_placed_at_run(k))
		sn_buf_add(out, "\tc->arena_bytes = -1;\n");
	sn_package_text(k, out,
			"\tc->magic = CONTEXT_MAGIC;\n\treturn SINTER_OK;\n}\n\n"
			"void\n$n_free(void *context)\n{\n\tstruct context *c = context;\n\n"
			"\tif (c)\n\t\tc->magic = 0;\n}\n\n");
}

/* ---- addresses ---- */

/* Over the chain of views. */
const struct sn_expr *
sn_package_offset(struct sn_package *k, const struct sn_tensor *t)
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

/* In memory of the host. */
static const char *
address(struct sn_package *k, struct sn_tensor *t)
{
	struct sn_tensor *root = sn_tensor_root(t);
	const char *host = sn_is_for_device(k) ? "HOST_" : "";
	const struct sn_expr *offset = sn_package_offset(k, t);
	const char *at = sn_package_size_text(k, offset, "s.", CP_SUM),
		   *name = k->tensor_names[root->id];
	bool is_start = sn_is_int_const(offset, 0);

	switch (root->role) {
	case TR_CONST:
		return is_start ? sn_printf(k->arena, "%sWEIGHT(%s)", host, name)
				: sn_printf(k->arena, "%sWEIGHT_AT(%s, %s)", host, name, at);
	case TR_TEMP:
		return is_start ? sn_printf(k->arena, "%sTEMP(%s)", host, name)
				: sn_printf(k->arena, "%sTEMP_AT(%s, %s)", host, name, at);
	default: break;
	}
	const char *io = sn_printf(k->arena, "%s[%d].data", root->role == TR_INPUT ? "in" : "out",
				   root->role_index);

	return is_start ? io : sn_printf(k->arena, "AT(%s, %s)", io, at);
}

/* ---- run ---- */

/* W_x, the places of constants in the weights. */
static void
weight_macros(struct sn_package *k, struct sn_buf *out)
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
}

static void
address_macros(struct sn_package *k, struct sn_buf *out)
{
	const char *host = sn_is_for_device(k) ? "HOST_" : "";
	const char *at = sn_is_placed_at_run(k) ? "c->offset[A_##t]" : "A_##t";

	if (!sn_is_for_device(k))
		sn_buf_add(out,
			   "#define AT(p, bytes) ((void *)((unsigned char *)(p) + (bytes)))\n");
	sn_buf_addf(out,
		    "#define %sWEIGHT_AT(t, bytes) ((const void *)(weights + W_##t + (bytes)))\n"
		    "#define %sWEIGHT(t) %sWEIGHT_AT(t, 0)\n"
		    "#define %sTEMP_AT(t, bytes) ((void *)(arena + %s + (bytes)))\n"
		    "#define %sTEMP(t) %sTEMP_AT(t, 0)\n",
		    host, host, host, host, at, host, host);
	sn_buf_add(
		out,
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
	if (sn_printer_needs_env(sn_package_c(k), s->func))
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
	"}\n\n";

static const char mark_text[] = "static void\n"
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
						: sn_package_size_text(k, sn_package_bytes(k, v[i]),
								       "s->", CP_UNARY);

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
		"struct sizes *s)\n{\n\tconst char *why;\n\tint status = read_dims(in, s, &why);\n\n"
		"\tif (status == SINTER_OK)\n\t\tstatus = write_dims(out, s);\n");
	check_memory(k, out, k->m->program->inputs.v, k->m->program->inputs.n, "in");
	check_memory(k, out, k->m->program->outputs.v, k->m->program->outputs.n, "out");
	sn_buf_add(out, "\treturn status;\n}\n\n");
}

static const char workers_text[] =
	"static size_t\n"
	"workers(const struct sinter_hooks *hooks)\n"
	"{\n"
	"\treturn hooks && hooks->parallel && hooks->nthreads > 1 ? (size_t)hooks->nthreads : 1;\n"
	"}\n\n";

static const char run_head[] =
	"int\n"
	"$n_run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *memory,\n"
	"        size_t bytes, const struct sinter_hooks *hooks)\n"
	"{\n"
	"\tstruct context *c = context;\n";

static const char call_locals[] = "\tunsigned char *arena = memory;\n"
				  "\tconst size_t nthreads = workers(hooks);\n";

static const char run_checks[] =
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
	"\t\tc->arena_bytes = place(size, c->offset%s);\n%s"
	"\t\tc->sizes = s;\n"
	"\t}\n";

/* What lies on the host, by place and size. */
static const char place_host[] = "\t\tc->host_bytes = place(size, c->offset, true);\n";

static bool
calls_read_weights(const struct sn_package *k)
{
	const struct sn_plan *plan = k->m->plan;
	enum sn_place place = sn_is_for_device(k) ? PLACE_HOST : PLACE_TARGET;

	for (size_t i = 0; i < plan->steps.n; i++)
		for (size_t j = 0; j < plan->steps.v[i].func->params.n; j++)
			if (sn_step_place(&plan->steps.v[i]) == place
			    && sn_tensor_root(plan->steps.v[i].args[j])->role == TR_CONST)
				return true;
	return false;
}

/* What calls need. */
static void
begin_calls(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_printer *p = sn_package_c(k);
	const char *ends[2][2] = { { "A_END", "(size_t)c->arena_bytes" },
				   { "HOST_END", "(size_t)c->host_bytes" } };
	const char *end = ends[sn_is_for_device(k)][sn_is_placed_at_run(k)];

	sn_buf_addf(out,
		    "\tif (bytes < %s + nthreads * SCRATCH_BYTES || (!memory && bytes))\n"
		    "\t\treturn SINTER_TOO_SMALL;\n",
		    end);
	if (calls_read_weights(k))
		sn_buf_add(out, "\tconst unsigned char *const weights = c->weights;\n");
	if (p->has_env)
		sn_buf_addf(out, "\tconst struct env env = { hooks, arena + %s, SCRATCH_BYTES };\n",
			    end);
	if (p->has_check)
		sn_buf_add(out, "\tfor (size_t i = 0; i < nthreads; i++)\n"
				"\t\t*index_flag(&env, (int32_t)i) = 0;\n");
	sn_buf_add(out, "\n");
	if (k->temps.n == 0 && !p->has_env)
		sn_buf_add(out, "\t(void)arena;\n");
}

static void
end_calls(struct sn_package *k, struct sn_buf *out)
{
	if (sn_package_c(k)->has_check)
		sn_buf_add(out, "\tfor (size_t i = 0; i < nthreads; i++)\n"
				"\t\tif (*index_flag(&env, (int32_t)i))\n"
				"\t\t\treturn SINTER_BAD_INDEX;\n");
}

static void
transfer(struct sn_package *k, struct sn_buf *out, size_t number)
{
	const struct sn_result *r = &k->m->plan->steps.v[number].kernel->stages.v[0]->results[0];
	bool is_to_host = r->tensor->place == PLACE_HOST;
	struct sn_tensor *host = is_to_host ? r->tensor : (struct sn_tensor *)r->value->tensor;

	sn_package_transfer(k, out, number, address(k, host), is_to_host);
}

static void
steps(struct sn_package *k, struct sn_buf *out)
{
	static void (*const of_device[])(struct sn_package * k, struct sn_buf * out,
					 size_t number) = {
		[PLACE_TARGET] = sn_package_launch,
		[PLACE_HOST] = call,
		[PLACE_TRANSFER] = transfer,
	};

	for (size_t i = 0; i < k->m->plan->steps.n; i++)
		if (sn_is_for_device(k))
			of_device[sn_step_place(&k->m->plan->steps.v[i])](k, out, i);
		else
			call(k, out, i);
}

/* Macros and functions that steps use. */
static void
step_tools(struct sn_package *k, struct sn_buf *out)
{
	if (sn_is_for_device(k))
		sn_package_launch_macros(k, out);
	if (!sn_has_calls(k))
		return;
	address_macros(k, out);
	sn_buf_add(out, mark_text);
	sn_buf_add(out, workers_text);
}

static void
run_body(struct sn_package *k, struct sn_buf *out)
{
	if (sn_is_for_device(k))
		sn_package_begin_launches(k, out);
	if (sn_has_calls(k))
		begin_calls(k, out);
	steps(k, out);
	if (sn_is_for_device(k))
		sn_package_end_launches(k, out);
	if (sn_has_calls(k))
		end_calls(k, out);
}

void
sn_package_run(struct sn_package *k, struct sn_buf *out)
{
	context_struct(k, out);
	init(k, out);
	check_call(k, out);
	weight_macros(k, out);
	step_tools(k, out);
	sn_package_text(k, out, run_head);
	sn_buf_add(out, sn_has_calls(k) ? call_locals : "");
	sn_buf_add(out, run_checks);
	if (sn_is_placed_at_run(k))
		sn_buf_addf(out, place_again, k->has_host_steps ? ", false" : "",
			    k->has_host_steps ? place_host : "");
	run_body(k, out);
	sn_buf_add(out, "\treturn SINTER_OK;\n}\n\n");
}
