/*
 * Runs a model in float64: the tensor interpreter on the program as lowered,
 * with no pass that changes arithmetic in between.
 *
 *	interp64 MODEL FOLDER NAME=FILE.npy ...
 *
 * Writes output number I to FOLDER/I.npy, floats as float64.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/onnx_import.h"
#include "ir/interp.h"
#include "passes/pass.h"
#include "support/file.h"

struct npy {
	int64_t dims[SN_MAX_RANK];
	int rank;
	const uint8_t *bytes;
	size_t nbytes;
};

struct run {
	struct sn_arena arena, scratch;
	struct sn_guard guard;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_module module;
	int64_t *syms;
};

static void
die(struct run *r, const char *what)
{
	struct sn_buf b;
	sn_buf_init(&b, &r->arena);
	sn_diags_print(&r->diags, &b);
	fprintf(stderr, "%sinterp64: %s\n", b.text, what);
	exit(1);
}

/* Version 1 of the format; the element type is taken from the model. */
static void
read_npy(struct run *r, const char *path, struct npy *out)
{
	struct sn_file f;
	if (!sn_file_map(&f, path, &r->diags) || f.size < 10)
		die(r, path);
	size_t at = 10 + (size_t)f.data[8] + 256 * (size_t)f.data[9];
	const char *head = sn_strndup(&r->arena, (const char *)f.data + 10, at - 10);
	const char *shape = strstr(head, "'shape': (");
	if (at > f.size || !shape)
		die(r, path);
	*out = (struct npy){ .bytes = f.data + at, .nbytes = f.size - at };
	for (shape += strlen("'shape': ("); out->rank < SN_MAX_RANK; shape += *shape == ',') {
		char *end;
		long long n = strtoll(shape, &end, 10);
		if (end == shape)
			break;
		out->dims[out->rank++] = n;
		shape = end;
	}
}

static void
write_npy(struct run *r, const char *path, const struct sn_array *a, const struct npy *shape)
{
	struct sn_buf b;
	sn_buf_init(&b, &r->arena);
	const struct sn_dtype_info *t = sn_dtype_info(a->dtype);
	sn_buf_addf(&b, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (",
		    t->bits > 8 ? '<' : '|', t->kind == 'B' ? 'b' : t->kind + 'a' - 'A',
		    t->bits / 8);
	for (int i = 0; i < shape->rank; i++)
		sn_buf_addf(&b, "%lld,", (long long)shape->dims[i]);
	sn_buf_addf(&b, "), }");
	while ((10 + b.len + 1) % 64)
		sn_buf_addf(&b, " ");
	sn_buf_addf(&b, "\n");
	FILE *f = fopen(path, "wb");
	if (!f)
		die(r, path);
	fprintf(f, "\x93NUMPY\x01%c%c%c", 0, (int)(b.len & 255), (int)(b.len >> 8));
	fwrite(b.text, 1, b.len, f);
	fwrite(a->bytes, 1, sn_dtype_bytes(a->dtype, a->n), f);
	if (fclose(f))
		die(r, path);
}

static void
lower(struct run *r, const char *path)
{
	struct sn_module *m = &r->module;
	static const char *const passes[] = { "infer-shapes", "remove-dead", "lower-graph", NULL };
	const struct sn_pipeline_opts o = { .passes = passes };
	sn_pool_init(&r->pool, &r->arena);
	sn_diags_init(&r->diags, &r->arena);
	m->name = "model";
	m->arena = &r->arena;
	m->pool = &r->pool;
	m->diags = &r->diags;
	m->graph = sn_onnx_import(path, NULL, &r->arena, &r->pool, &r->diags);
	if (!m->graph || !sn_pipeline_run(m, &o))
		die(r, "the model can't be lowered");
	r->syms = SN_NEW_ARRAY(&r->arena, (size_t)r->pool.nsyms + 1, int64_t);
}

/* The input that ARG, NAME=FILE, names. */
static void
bind(struct run *r, const char *arg, struct sn_array *in)
{
	const struct sn_program *pr = r->module.program;
	size_t n = strcspn(arg, "=");
	for (size_t i = 0; arg[n] && i < pr->inputs.n; i++) {
		const struct sn_tensor *t = pr->inputs.v[i];
		struct npy x;
		if (strlen(t->name) != n || strncmp(t->name, arg, n) != 0)
			continue;
		read_npy(r, arg + n + 1, &x);
		in[i] = (struct sn_array){ .dtype = t->type.dtype, .n = 1 };
		for (int d = 0; d < x.rank; d++)
			in[i].n *= (size_t)x.dims[d];
		in[i].bytes = (void *)x.bytes;
		if (x.rank != t->type.rank || sn_dtype_bytes(in[i].dtype, in[i].n) != x.nbytes)
			die(r, arg);
		for (int d = 0; d < x.rank; d++)
			if (t->type.dims[d]->kind == EX_SYM)
				r->syms[t->type.dims[d]->sym->id] = x.dims[d];
		return;
	}
	die(r, arg);
}

static void
make_output(struct run *r, const struct sn_type *t, struct sn_array *out, struct npy *shape)
{
	*shape = (struct npy){ .rank = t->rank };
	*out = (struct sn_array){ .dtype = sn_is_float(t->dtype) ? DT_F64 : t->dtype, .n = 1 };
	for (int d = 0; d < t->rank; d++) {
		if (!sn_interp_dim(t->dims[d], r->syms, &shape->dims[d]))
			die(r, "an output's dimension is not known");
		/* below 0: the interpreter says which requirement is not fulfilled */
		shape->dims[d] = shape->dims[d] > 0 ? shape->dims[d] : 0;
		out->n *= (size_t)shape->dims[d];
	}
	sn_data_new(&r->arena, out->dtype, out->n, &out->bytes);
}

static void
run(struct run *r, const char *folder, int nargs, char **args)
{
	const struct sn_program *pr = r->module.program;
	struct sn_array *in = SN_NEW_ARRAY(&r->arena, pr->inputs.n + 1, struct sn_array);
	struct sn_array *out = SN_NEW_ARRAY(&r->arena, pr->outputs.n + 1, struct sn_array);
	struct npy *shapes = SN_NEW_ARRAY(&r->arena, pr->outputs.n + 1, struct npy);
	for (int i = 0; i < nargs; i++)
		bind(r, args[i], in);
	for (size_t i = 0; i < pr->inputs.n; i++)
		if (!in[i].bytes)
			die(r, "an input has no file");
	for (size_t i = 0; i < pr->outputs.n; i++)
		make_output(r, &pr->outputs.v[i]->type, &out[i], &shapes[i]);
	const struct sn_interp_opts o = { .is_all_f64 = true, .syms = r->syms };
	if (!sn_program_interp(pr, &o, in, out, &r->scratch, &r->diags))
		die(r, "the interpreter stopped");
	for (size_t i = 0; i < pr->outputs.n; i++)
		write_npy(r, sn_printf(&r->arena, "%s/%zu.npy", folder, i), &out[i], &shapes[i]);
}

int
main(int argc, char **argv)
{
	static struct run r;
	if (argc < 3) {
		fprintf(stderr, "usage: interp64 MODEL FOLDER NAME=FILE.npy ...\n");
		return 2;
	}
	sn_arena_init(&r.arena, &r.guard);
	sn_arena_init(&r.scratch, &r.guard);
	if (SN_GUARD_ENTER(&r.guard) != SN_OK) {
		fprintf(stderr, "interp64: %s\n", r.guard.text);
		return 1;
	}
	lower(&r, argv[1]);
	run(&r, argv[2], argc - 3, argv + 3);
	sn_arena_release(&r.scratch);
	sn_arena_release(&r.arena);
	return 0;
}
