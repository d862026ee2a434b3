/*
 * The model's header: sizes as macros, what goes in and out, and the declarations of the ABI.
 */
#include "codegen/package.h"
#include "codegen/weights.h"

/* runtime/sinter_abi.h line by line, made by the Makefile. */
static const char *const abi_lines[] = {
#include "codegen/sinter_abi.inc"
};

static int64_t
static_bytes(struct sn_package *k, const struct sn_tensor *t)
{
	int64_t n;

	(void)k;
	return sn_type_is_static(&t->type, &n) ? (int64_t)sn_dtype_bytes(t->type.dtype, (size_t)n)
					       : -1;
}

static void
values(struct sn_package *k, struct sn_buf *out, struct sn_tensor *const *v, size_t n,
       const char *what)
{
	for (size_t i = 0; i < n; i++) {
		struct sn_buf type;

		sn_buf_init(&type, k->arena);
		sn_type_print(&type, &v[i]->type);
		sn_buf_addf(out, " *\t%s %zu\t%s\t%s\n", what, i,
			    sn_c_comment(k->arena, v[i]->name), sn_c_comment(k->arena, type.text));
	}
}

static void
value_macros(struct sn_package *k, struct sn_buf *out, struct sn_tensor *const *v, size_t n,
	     const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (static_bytes(k, v[i]) >= 0)
			sn_buf_addf(out, "#define %s_%s%zu_BYTES %lld\n", k->upper, what, i,
				    (long long)static_bytes(k, v[i]));
}

static void
macros(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_module *m = k->m;
	int64_t arena = (m->plan->arena_bytes + 63) / 64 * 64,
		scratch = (k->scratch_bytes + 63) / 64 * 64;

	sn_buf_addf(out, "#define %s_PLAN_HASH UINT64_C(0x%016llx)\n", k->upper,
		    (unsigned long long)k->plan_hash);
	if (m->weights->tensors.n)
		sn_buf_addf(out, "#define %s_WEIGHTS_BYTES %lld\n", k->upper,
			    (long long)(m->weights->bytes + SN_WEIGHTS_HEADER));
	sn_buf_addf(out, "#define %s_CONTEXT_BYTES %lld\n", k->upper, (long long)k->context_bytes);
	if (m->plan->is_static && sn_is_for_device(k))
		sn_buf_addf(out, "#define %s_DEVICE_BYTES %lld\n", k->upper,
			    (long long)(arena + sn_package_status_bytes(k)));
	else if (m->plan->is_static)
		sn_buf_addf(out,
			    "#define %s_ARENA_BYTES %lld\t/* for one thread */\n"
			    "#define %s_THREAD_BYTES %lld\t/* for each further one */\n",
			    k->upper, (long long)(arena + scratch), k->upper, (long long)scratch);
	value_macros(k, out, m->program->inputs.v, m->program->inputs.n, "IN");
	value_macros(k, out, m->program->outputs.v, m->program->outputs.n, "OUT");
}

static const char prototypes[] =
	"\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
	"/* What each does is said at the members of struct sinter_model above. */\n"
	"int $n_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,\n"
	"        struct sinter_need *need);\n"
	"int $n_init(void *context, const void *weights, size_t weights_bytes);\n"
	"int $n_run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *memory,\n"
	"        size_t bytes, const struct sinter_hooks *hooks);\n"
	"void $n_free(void *context);\n"
	"const char *$n_text(int status);\n"
	"const char *$n_why(const struct sinter_tensor *in);\n"
	"extern const struct sinter_model $n_model;\n";

void
sn_package_header(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_program *pr = k->m->program;

	sn_buf_addf(out, "/*\n * %s: made by sinter from %s.\n *\n", k->m->name,
		    sn_c_comment(k->arena, k->m->source ? k->m->source : "a program"));
	values(k, out, pr->inputs.v, pr->inputs.n, "in");
	values(k, out, pr->outputs.v, pr->outputs.n, "out");
	sn_buf_addf(out, " */\n#ifndef %s_H\n#define %s_H\n\n", k->upper, k->upper);
	for (size_t i = 0; i < ARRAY_LEN(abi_lines); i++)
		sn_buf_add(out, abi_lines[i]);
	sn_buf_addc(out, '\n');
	macros(k, out);
	sn_package_text(k, out, prototypes);
	if (k->m->weights->tensors.n && k->opts->weights != WF_FILE)
		sn_package_text(k, out, "extern const unsigned char $n_weights[];\n");
	sn_buf_add(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
