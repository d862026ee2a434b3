/*
 * Runs cases of the ONNX backend suite through import, inference, lowering and
 * the tensor interpreter, and compares with the outputs that come with them.
 *
 *	suite_interp [-v] [-p] [-t TARGET] CASE-FOLDER...
 *
 * One line for each case: PASS, FAIL or SKIP (not supported), name, reason;
 * -v shows all diagnostics, -p the program (functions with -t).  -t runs all
 * passes for that target and the functions in the loop interpreter, which finds
 * races and accesses out of bounds.  Each case is a process of its own.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "codegen/codegen.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "ir/infer.h"
#include "ir/layout.h"
#include "passes/pass.h"

enum outcome { PASS, FAIL, SKIP };

static const char *const outcome_text[] = { "PASS", "FAIL", "SKIP" };

struct run {
	const char *folder;
	struct sn_arena arena, scratch;
	struct sn_guard guard;
	struct sn_pool pool;
	struct sn_diags diags;
	struct sn_module module;
	int64_t *syms;
	char **memory;	  /* by tensor id, with -t: of tensors that are no views */
	bool *is_written; /* the same */
	char why[512];
};

static enum outcome
outcome(struct run *r, enum outcome o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	return o;
}

/* Errors of "not supported" kinds are skips, others failures. */
static enum outcome
from_diags(struct run *r, const char *stage)
{
	for (size_t i = 0; i < r->diags.list.n; i++) {
		const struct sn_diag *d = &r->diags.list.v[i];
		bool is_skip = d->id == DG_UNSUPPORTED || d->id == DG_RUNTIME_OPERAND
			       || d->id == DG_UNKNOWN_OP || d->id == DG_UNKNOWN_OPS
			       || d->id == DG_OLD_FORM;
		if (i == 0 || is_skip) {
			struct sn_buf b;
			sn_buf_init(&b, &r->arena);
			sn_buf_addf(&b, "%s: %s", d->where.op ? d->where.op : "", d->text);
			outcome(r, FAIL, "%s: %s", stage, b.text);
			if (is_skip)
				return SKIP;
		}
	}
	return FAIL;
}

/* ---- data ------------------------------------------------------------------------------------- */

static void *
dense_bytes(struct run *r, const struct sn_data *d)
{
	void *bytes;
	sn_data_new(&r->arena, d->dtype, d->n, &bytes);
	if (!d->is_splat)
		memcpy(bytes, d->bytes, sn_dtype_bytes(d->dtype, d->n));
	for (size_t i = 0; d->is_splat && i < d->n; i++)
		sn_dtype_store(d->dtype, bytes, i, sn_data_get(d, i));
	return bytes;
}

static bool
read_inputs(struct run *r, struct sn_array *in)
{
	const struct sn_program *pr = r->module.program;
	for (size_t i = 0; i < pr->inputs.n; i++) {
		struct sn_tensor_data t;
		const struct sn_type *want = &pr->inputs.v[i]->type;
		const char *path = sn_printf(&r->arena, "%s/test_data_set_0/input_%zu.pb",
					     r->folder, i);
		if (!sn_onnx_read_tensor(path, &r->arena, &r->diags, &t))
			return false;
		in[i] = (struct sn_array){ t.data->dtype, t.data->n, dense_bytes(r, t.data) };
		for (int d = 0; d < want->rank && d < t.rank; d++)
			if (want->dims[d]->kind == EX_SYM)
				r->syms[want->dims[d]->sym->id] = t.dims[d];
	}
	return true;
}

static int64_t
eval_dim(struct run *r, const struct sn_expr *e)
{
	struct sn_subst s;
	int64_t k = -1;
	sn_subst_init(&s, &r->pool, &r->arena);
	for (int i = 0; i < r->pool.nsyms; i++)
		sn_subst_put(&s, sn_sym_expr(&r->pool, r->pool.syms[i]),
			     sn_int(&r->pool, r->syms[i]));
	sn_get_int(sn_subst(&s, e), &k);
	return k;
}

static bool
is_close(enum sn_dtype t, union sn_num got, union sn_num want)
{
	double g = sn_is_float(t) ? got.f : (double)got.i;
	double w = sn_is_float(t) ? want.f : (double)want.i;
	if (isnan(g) || isnan(w))
		return isnan(g) && isnan(w);
	if (isinf(g) || isinf(w))
		return g == w;
	return fabs(g - w) <= 1e-7 + 1e-3 * fabs(w);
}

static enum outcome
compare(struct run *r, int number, const struct sn_array *got, const struct sn_type *type)
{
	struct sn_tensor_data want;
	const char *path = sn_printf(&r->arena, "%s/test_data_set_0/output_%d.pb", r->folder,
				     number);
	if (!sn_onnx_read_tensor(path, &r->arena, &r->diags, &want))
		return from_diags(r, "read");
	if (want.data->dtype != got->dtype)
		return outcome(r, FAIL, "output %d is %s, not %s", number,
			       sn_dtype_info(got->dtype)->text,
			       sn_dtype_info(want.data->dtype)->text);
	for (int i = 0; i < type->rank || i < want.rank; i++)
		if (type->rank != want.rank || eval_dim(r, type->dims[i]) != want.dims[i])
			return outcome(r, FAIL,
				       "output %d: rank %d, not %d; or dimension %d is not %lld",
				       number, type->rank, want.rank, i, (long long)want.dims[i]);
	for (size_t i = 0; i < got->n; i++) {
		union sn_num g = sn_dtype_load(got->dtype, got->bytes, i);
		union sn_num w = sn_data_get(want.data, i);
		if (is_close(got->dtype, g, w))
			continue;
		if (sn_is_float(got->dtype))
			return outcome(r, FAIL, "output %d[%zu] is %.9g, not %.9g", number, i, g.f,
				       w.f);
		return outcome(r, FAIL, "output %d[%zu] is %lld, not %lld", number, i,
			       (long long)g.i, (long long)w.i);
	}
	return PASS;
}

/* ---- the functions, in the loop interpreter --------------------------------------------------- */

struct cursor {
	char *at;
};

static bool
put_bytes(void *arg, const void *bytes, size_t n)
{
	struct cursor *c = arg;
	memcpy(c->at, bytes, n);
	c->at += n;
	return true;
}

static const struct sn_tensor *
root_of(const struct sn_tensor *t)
{
	while (t->store == TS_VIEW || t->store == TS_INPLACE)
		t = t->base;
	return t;
}

static size_t
bytes_of(struct run *r, const struct sn_tensor *t)
{
	int64_t n = eval_dim(r, sn_layout_of(&r->pool, t)->size);
	return sn_dtype_bytes(t->type.dtype, n > 0 ? (size_t)n : 0);
}

static bool
make_memory(struct run *r, const struct sn_array *in)
{
	const struct sn_program *pr = r->module.program;
	r->memory = SN_NEW_ARRAY(&r->arena, pr->tensors.n + 1, char *);
	r->is_written = SN_NEW_ARRAY(&r->arena, pr->tensors.n + 1, bool);
	for (size_t i = 0; i < pr->tensors.n; i++) {
		const struct sn_tensor *t = pr->tensors.v[i];
		if (t->store != TS_OWN)
			continue;
		struct cursor c = { sn_alloc(&r->arena, bytes_of(r, t) + 64) };
		r->memory[t->id] = c.at;
		r->is_written[t->id] = t->role == TR_INPUT || t->role == TR_CONST;
		if (t->role == TR_CONST && !sn_weights_pack(t, &r->pool, put_bytes, &c))
			return false;
	}
	for (size_t i = 0; i < pr->inputs.n; i++)
		memcpy(r->memory[pr->inputs.v[i]->id], in[i].bytes,
		       sn_dtype_bytes(in[i].dtype, in[i].n));
	return true;
}

static char *
address(struct run *r, const struct sn_tensor *t)
{
	size_t offset = 0;
	for (; t->store == TS_VIEW || t->store == TS_INPLACE; t = t->base)
		if (t->store == TS_VIEW && t->base_offset)
			offset += sn_dtype_bytes(t->type.dtype,
						 (size_t)eval_dim(r, t->base_offset));
	return r->memory[t->id] + offset;
}

static bool
run_step(struct run *r, const struct sn_step *step)
{
	const struct sn_func *f = step->func;
	void **args = SN_NEW_ARRAY(&r->arena, f->params.n + 1, void *);
	size_t *counts = SN_NEW_ARRAY(&r->arena, f->params.n + 1, size_t);
	bool *init = SN_NEW_ARRAY(&r->arena, f->params.n + 1, bool);
	struct sn_func_run run = { .args = args, .counts = counts, .init = init };
	int64_t *syms = sn_memdup(&r->arena, r->syms, (size_t)r->pool.nsyms * sizeof(*syms));
	for (size_t i = 0; i < f->syms.n; i++)
		syms[f->syms.v[i]->id] = eval_dim(r, step->syms[i]);
	run.syms = syms;
	for (size_t i = 0; i < f->params.n; i++) {
		args[i] = address(r, step->args[i]);
		counts[i] = (size_t)eval_dim(r, f->params.v[i]->dims[0]);
		init[i] = r->is_written[root_of(step->args[i])->id];
	}
	if (!sn_func_interp(f, &run, &r->scratch, &r->diags))
		return false;
	for (size_t i = 0; i < f->params.n; i++)
		if (!f->params.v[i]->is_const)
			r->is_written[root_of(step->args[i])->id] = true;
	return true;
}

static bool
run_steps(struct run *r, const struct sn_array *in, struct sn_array *out)
{
	const struct sn_module *m = &r->module;
	if (!make_memory(r, in))
		return false;
	for (size_t i = 0; i < m->plan->steps.n; i++)
		if (!run_step(r, &m->plan->steps.v[i]))
			return false;
	for (size_t i = 0; i < m->program->outputs.n; i++)
		memcpy(out[i].bytes, address(r, m->program->outputs.v[i]),
		       sn_dtype_bytes(out[i].dtype, out[i].n));
	return true;
}

/* ---- one case --------------------------------------------------------------------------------- */

static enum outcome
interpret(struct run *r)
{
	const struct sn_program *pr = r->module.program;
	struct sn_array *in = SN_NEW_ARRAY(&r->arena, pr->inputs.n, struct sn_array);
	struct sn_array *out = SN_NEW_ARRAY(&r->arena, pr->outputs.n, struct sn_array);
	r->syms = SN_NEW_ARRAY(&r->arena, (size_t)r->pool.nsyms, int64_t);
	if (!read_inputs(r, in))
		return from_diags(r, "read");
	for (size_t i = 0; i < pr->outputs.n; i++) {
		const struct sn_type *t = &pr->outputs.v[i]->type;
		int64_t n = 1;
		for (int d = 0; d < t->rank; d++)
			n *= eval_dim(r, t->dims[d]);
		if (n < 0)
			return outcome(r, FAIL, "output %zu has a dimension without value", i);
		out[i].dtype = t->dtype;
		out[i].n = (size_t)n;
		sn_data_new(&r->arena, t->dtype, (size_t)n, &out[i].bytes);
	}
	struct sn_interp_opts o = { .syms = r->syms };
	bool ok = r->module.plan ? run_steps(r, in, out)
				 : sn_program_interp(pr, &o, in, out, &r->scratch, &r->diags);
	if (!ok)
		return from_diags(r, "interpret");
	for (size_t i = 0; i < pr->outputs.n; i++) {
		enum outcome x = compare(r, (int)i, &out[i], &pr->outputs.v[i]->type);
		if (x != PASS)
			return x;
	}
	return PASS;
}

static void
show(struct run *r, enum sn_level level)
{
	struct sn_buf b;
	sn_buf_init(&b, &r->arena);
	sn_module_print(&b, &r->module, level, false);
	fputs(b.text, stdout);
}

static enum outcome
run_case(struct run *r, const char *target, bool is_shown)
{
	static const char *const lower[] = { "infer-shapes", "lower-graph", NULL };
	struct sn_module *m = &r->module;
	struct sn_pipeline_opts o = { .passes = target ? NULL : lower, .is_verified = true };
	sn_pool_init(&r->pool, &r->arena);
	sn_diags_init(&r->diags, &r->arena);
	m->name = "model";
	m->arena = &r->arena;
	m->pool = &r->pool;
	m->diags = &r->diags;
	sn_module_aim(m, sn_target_find(target ? target : "generic", &r->arena, &r->diags));
	if (!m->target)
		return from_diags(r, "target");
	m->has_vectors = m->target->vector_bytes > 0 || sn_target_is_device(m->target);
	m->graph = sn_onnx_import(sn_printf(&r->arena, "%s/model.onnx", r->folder), NULL, &r->arena,
				  &r->pool, &r->diags);
	if (!m->graph)
		return from_diags(r, "import");
	if (!sn_pipeline_run(m, &o))
		return from_diags(r, "passes");
	if (is_shown)
		show(r, target ? LV_PLAN : LV_TENSOR);
	return interpret(r);
}

static enum outcome
guarded_case(const char *folder, const char *target, bool is_verbose, bool is_shown)
{
	static struct run r;
	r.folder = folder;
	sn_arena_init(&r.arena, &r.guard);
	sn_arena_init(&r.scratch, &r.guard);
	enum outcome x = FAIL;
	if (SN_GUARD_ENTER(&r.guard) == SN_OK)
		x = run_case(&r, target, is_shown);
	else
		outcome(&r, FAIL, "internal: %s", r.guard.text);
	const char *name = strrchr(folder, '/');
	printf("%s %s %s\n", outcome_text[x], name ? name + 1 : folder, x == PASS ? "" : r.why);
	if (is_verbose) {
		struct sn_buf b;
		sn_buf_init(&b, &r.arena);
		sn_diags_print(&r.diags, &b);
		fputs(b.text, stdout);
	}
	sn_arena_release(&r.scratch);
	sn_arena_release(&r.arena);
	return x;
}

int
main(int argc, char **argv)
{
	bool is_verbose = false, is_shown = false;
	const char *target = NULL;
	int count[3] = { 0 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0 || strcmp(argv[i], "-p") == 0) {
			is_verbose |= argv[i][1] == 'v';
			is_shown |= argv[i][1] == 'p';
			continue;
		}
		if (strcmp(argv[i], "-t") == 0 && i + 1 < argc) {
			target = argv[++i];
			continue;
		}
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			alarm(300);
			int x = guarded_case(argv[i], target, is_verbose, is_shown);
			fflush(stdout);
			_exit(x);
		}
		int status = 0;
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status))
			printf("FAIL %s crashed\n", strrchr(argv[i], '/') + 1);
		count[WIFEXITED(status) && WEXITSTATUS(status) < 3 ? WEXITSTATUS(status) : FAIL]++;
	}
	printf("%d passed, %d failed, %d not supported\n", count[PASS], count[FAIL], count[SKIP]);
	return count[FAIL] > 0;
}
