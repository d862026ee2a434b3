/*
 * A package: the files that a compiled model consists of.
 *
 *	NAME.c		kernels, and the functions of the ABI
 *	NAME.h		the ABI and the model's sizes
 *	NAME.cl		of models for a device: the kernels, which NAME.c has as strings, to read
 *	NAME.weights	constants in their layouts
 *	NAME_weights.S, NAME_weights.c	the same bytes to link, by option
 *	model.json	signature, sizes, kernels
 */
#include <string.h>
#include <unistd.h>
#include "codegen/package.h"
#include "codegen/weights.h"
#include "support/file.h"

static const char *
path_of(struct sn_package *k, const char *name, const char *ending)
{
	return sn_printf(k->arena, "%s/%s%s", k->opts->folder, name, ending);
}

static bool
write_text(struct sn_package *k, const char *name, const char *ending, const struct sn_buf *text)
{
	return sn_file_write(path_of(k, name, ending), text->text, text->len, k->m->diags);
}

/* ---- weights ---- */

struct sink {
	struct sn_package *k;
	struct sn_file_out *file;
	struct sn_weights_hash hash;
};

static bool
put(void *arg, const void *bytes, size_t n)
{
	struct sink *s = arg;

	sn_weights_hash_add(&s->hash, bytes, n);
	return sn_file_out_append(s->file, bytes, n, s->k->m->diags);
}

static bool
put_payload(struct sink *s)
{
	static const unsigned char zero[64];
	const struct sn_weights *w = s->k->m->weights;

	for (size_t i = 0; i < w->tensors.n; i++) {
		if (!sn_weights_pack(w->tensors.v[i], s->k->m->pool, put, s))
			return false;
		size_t over = s->hash.bytes % 64;

		if (over && !put(s, zero, 64 - over))
			return false;
		int64_t next = i + 1 < w->tensors.n ? w->offsets[w->tensors.v[i + 1]->id]
						    : w->bytes;

		if ((int64_t)s->hash.bytes != next)
			sn_bug(s->k->arena->guard, "constant '%s' ends at %lld, not at %lld",
			       w->tensors.v[i]->name, (long long)s->hash.bytes, (long long)next);
	}
	return true;
}

static void
put64(unsigned char *p, uint64_t x)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(x >> (8 * i));
}

/* Streams NAME.weights; its hash goes into the plan hash, TEXT being what else does. */
static bool
write_weights(struct sn_package *k, const struct sn_buf *text)
{
	struct sn_file_out file;
	struct sink s = { .k = k, .file = &file };
	unsigned char header[SN_WEIGHTS_HEADER] = "SINTERW1";

	sn_weights_hash_init(&s.hash);
	if (k->m->weights->tensors.n == 0) {
		k->plan_hash = sn_hash(0, text->text, text->len);
		return true;
	}
	if (!sn_file_out_open(&file, path_of(k, k->m->name, ".weights"), k->arena, k->m->diags))
		return false;
	if (!sn_file_out_append(&file, header, sizeof(header), k->m->diags) || !put_payload(&s)) {
		sn_file_out_abandon(&file);
		return false;
	}
	uint64_t content = sn_weights_hash_end(&s.hash);

	k->plan_hash = sn_hash(content, text->text, text->len);
	put64(header + 8, s.hash.bytes + sizeof(header));
	put64(header + 16, k->plan_hash);
	put64(header + 24, content);
	if (pwrite(file.fd, header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
		sn_file_out_abandon(&file);
		return sn_report(k->m->diags, SN_NOWHERE, DG_WRITE, file.path, "short write");
	}
	return sn_file_out_commit(&file, k->m->diags);
}

static const char object_text[] =
	"/* $n: the weights, to link with the model. Assemble with the weights file in the search path. */\n"
	"#if defined(__APPLE__)\n"
	"\t.section __TEXT,__const\n"
	"#define NAME _$n_weights\n"
	"#else\n"
	"\t.section .rodata\n"
	"#define NAME $n_weights\n"
	"#endif\n"
	"\t.globl NAME\n"
	"\t.balign 64\n"
	"NAME:\n"
	"\t.incbin \"$n.weights\"\n"
	"#if defined(__ELF__)\n"
	"\t.section .note.GNU-stack,\"\",%progbits\n"
	"#endif\n";

static bool
write_array(struct sn_package *k)
{
	struct sn_file in;
	struct sn_buf out;

	if (!sn_file_map(&in, path_of(k, k->m->name, ".weights"), k->m->diags))
		return false;
	sn_buf_init(&out, k->arena);
	sn_package_text(k, &out,
			"/* $n: the weights, to link with the model. */\n"
			"#include \"$n.h\"\n\nconst unsigned char $n_weights[] = {");
	for (size_t i = 0; i < in.size; i++)
		sn_buf_addf(&out, "%s%u,", i % 20 ? "" : "\n\t", in.data[i]);
	sn_buf_add(&out, "\n};\n");
	sn_file_unmap(&in);
	return write_text(k, k->m->name, "_weights.c", &out);
}

static bool
write_linked_weights(struct sn_package *k)
{
	struct sn_buf out;

	if (k->m->weights->tensors.n == 0 || k->opts->weights == WF_FILE)
		return true;
	if (k->opts->weights == WF_ARRAY)
		return write_array(k);
	sn_buf_init(&out, k->arena);
	sn_package_text(k, &out, object_text);
	return write_text(k, k->m->name, "_weights.S", &out);
}

/* ---- the C file ---- */

static const char model_text[] =
	"const char *\n"
	"$n_text(int status)\n"
	"{\n"
	"\tstatic const char *const texts[] = {\n"
	"\t\t\"ok\",\n"
	"\t\t\"bad call: a pointer, a rank or an alignment is wrong, or init was not called\",\n"
	"\t\t\"the dimensions of the inputs contradict the model's or each other\",\n"
	"\t\t\"a buffer or the arena is too small\",\n"
	"\t\t\"the weights are another model's, or damaged\",\n"
	"\t\t\"an index in the data is out of range\",\n"
	"\t\t\"the model can't work on these data\",\n"
	"\t};\n"
	"\n"
	"\treturn status < 0 || status > 6 ? \"unknown status\" : texts[status];\n"
	"}\n\n";

static void
model_struct(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_program *pr = k->m->program;
	bool has_weights = k->m->weights->tensors.n > 0;

	sn_package_text(k, out, model_text);
	sn_package_text(k, out, "const struct sinter_model $n_model = {\n\tSINTER_ABI_VERSION, ");
	sn_buf_addf(out, "%zu, %zu, %zu,\n", pr->inputs.n, pr->outputs.n, k->m->plan->steps.n);
	sn_package_text(k, out, "\t\"$n\", $N_PLAN_HASH,\n");
	sn_buf_addf(out, "\t%s, %s, %s,\n", pr->inputs.n ? "inputs" : "NULL",
		    pr->outputs.n ? "outputs" : "NULL", k->m->plan->steps.n ? "kernels" : "NULL");
	sn_package_text(k, out, has_weights ? "\t$N_WEIGHTS_BYTES, " : "\t0, ");
	sn_package_text(k, out,
			has_weights && k->opts->weights != WF_FILE ? "$n_weights, " : "NULL, ");
	sn_package_text(k, out,
			"$N_CONTEXT_BYTES,\n"
			"\t$n_dims, $n_init, $n_run, $n_free, $n_text, ");
	sn_buf_add(out, sn_is_for_device(k) ? "&program, " : "NULL, ");
	sn_package_text(k, out, "$n_why,\n};\n");
}

/* All of NAME.c, which names the plan hash by its macro only. */
static void
print_c(struct sn_package *k, struct sn_buf *out)
{
	struct sn_buf head;

	sn_buf_init(&head, k->arena);
	sn_package_text(k, &head, "/*\n * $n: made by sinter from ");
	sn_buf_addf(&head, "%s.\n */\n",
		    sn_c_comment(k->arena, k->m->source ? k->m->source : "a program"));
	sn_package_text(k, &head,
			"#include <math.h>\n#include <stdbool.h>\n#include <string.h>\n"
			"#include \"$n.h\"\n\n");
	struct sn_buf rest;

	sn_buf_init(&rest, k->arena);
	if (sn_is_for_device(k))
		sn_package_program(k, &rest);
	sn_package_kernels(k, &rest);
	sn_package_tables(k, &rest);
	sn_package_sizes(k, &rest);
	sn_package_memory(k, &rest);
	sn_package_run(k, &rest);
	model_struct(k, &rest);
	sn_buf_add(out, head.text);
	sn_package_prologue(k, out);
	sn_buf_add(out, rest.text);
}

/* The kernels once more, to read and for tools. */
static bool
write_program(struct sn_package *k)
{
	const char *ending = k->opts->dialect->kernel ? k->opts->dialect->kernel->ending : NULL;

	return !ending
	       || sn_file_write(path_of(k, k->m->name, ending), k->program, strlen(k->program),
				k->m->diags);
}

bool
sn_package_write(struct sn_module *m, const struct sn_package_opts *o)
{
	struct sn_package k = { .m = m, .opts = o, .arena = m->arena };
	struct sn_buf c, h, json;

	sn_buf_init(&c, m->arena);
	sn_buf_init(&h, m->arena);
	sn_buf_init(&json, m->arena);
	if (!sn_make_folder(o->folder, m->arena, m->diags))
		return false;
	sn_package_prepare(&k);
	print_c(&k, &c);
	if (!write_weights(&k, &c))
		return false;
	sn_package_header(&k, &h);
	sn_package_json(&k, &json);
	return write_linked_weights(&k) && write_program(&k) && write_text(&k, m->name, ".c", &c)
	       && write_text(&k, m->name, ".h", &h) && write_text(&k, "model", ".json", &json);
}
