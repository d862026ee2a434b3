/*
 * One case of the suite from its model to C, with every pass verified; on the way the texts of the
 * graph, the program and the functions are read back and printed again, byte-equal.
 */
#include <stdio.h>
#include <string.h>
#include "cli/compiler.h"
#include "tests/onnx/suite.h"

/* ---- texts ------------------------------------------------------------------------------------ */

struct texts {
	struct verdict *verdict;
	const struct sn_compiler *compiler;
	bool has_differed;
};

static void
report_difference(struct texts *t, const char *what, const struct sn_diags *d,
		  const struct sn_buf *first, const struct sn_buf *again)
{
	if (t->has_differed)
		return;
	t->has_differed = true;
	if (d->list.n) {
		const struct sn_diag *e = &d->list.v[0];
		sn_suite_fail(t->verdict, FAILED, "text %s:%d: %.300s", what, e->where.line,
			      e->text);
		return;
	}
	size_t i = 0, start = 0;
	for (; first->text[i] && first->text[i] == again->text[i]; i++)
		if (first->text[i] == '\n')
			start = i + 1;
	sn_suite_fail(t->verdict, FAILED, "text %s differs when printed again: '%.120s', '%.120s'",
		      what, first->text + start, again->text + start);
}

enum text_kind { TX_GRAPH, TX_PROGRAM, TX_FUNC };

static void
print_thing(enum text_kind kind, const void *thing, bool with_data, struct sn_buf *out)
{
	if (kind == TX_GRAPH)
		sn_graph_print(out, thing, with_data);
	else if (kind == TX_PROGRAM)
		sn_program_print(out, thing, with_data);
	else
		sn_func_print(out, thing);
}

/* Reads TEXT and prints what it says; nothing if it can't be read. */
static void
print_again(enum text_kind kind, const char *text, const char *what, bool with_data,
	    struct sn_diags *d, struct sn_buf *out)
{
	struct sn_arena *a = d->arena;
	struct sn_pool pool;
	sn_pool_init(&pool, a);
	const void *thing = kind == TX_GRAPH	 ? (void *)sn_graph_parse(text, what, a, &pool, d)
			    : kind == TX_PROGRAM ? (void *)sn_program_parse(text, what, a, &pool, d)
						 : (void *)sn_func_parse(text, what, a, &pool, d);
	if (thing)
		print_thing(kind, thing, with_data, out);
}

static void
check_form(struct texts *t, enum text_kind kind, const void *thing, bool with_data,
	   const char *what)
{
	struct sn_arena *a = sn_arena_child((struct sn_arena *)&t->compiler->arena);
	struct sn_buf first, again;
	struct sn_diags d;
	sn_buf_init(&first, a);
	sn_buf_init(&again, a);
	sn_diags_init(&d, a);
	print_thing(kind, thing, with_data, &first);
	print_again(kind, first.text, what, with_data, &d, &again);
	if (d.list.n || strcmp(first.text, again.text) != 0)
		report_difference(t, what, &d, &first, &again);
	sn_arena_release(a);
}

/* With constants in full, and without. */
static void
check_text(struct texts *t, enum text_kind kind, const void *thing, const char *what)
{
	check_form(t, kind, thing, true, what);
	if (kind != TX_FUNC)
		check_form(t, kind, thing, false, what);
}

/* After a pass: the texts of the level that it worked on, and in the end of all that remains. */
static void
check_texts(void *arg, const struct sn_module *m, const struct sn_pass *p, int64_t ns,
	    bool has_changed)
{
	struct texts *t = arg;
	(void)ns;
	if (m->diags->errors || (!has_changed && p->level == p->result))
		return;
	if (p->result == LV_GRAPH)
		check_text(t, TX_GRAPH, m->graph, p->name);
	if (p->result == LV_TENSOR || p->result == LV_PLAN)
		check_text(t, TX_PROGRAM, m->program, p->name);
	if (p->result == LV_LOOP || p->result == LV_PLAN)
		for (size_t i = 0; i < m->funcs.n; i++)
			check_text(t, TX_FUNC, m->funcs.v[i], p->name);
}

/* ---- the case --------------------------------------------------------------------------------- */

static bool
is_unsupported(enum sn_diag_id id)
{
	return id == DG_UNSUPPORTED || id == DG_RUNTIME_OPERAND || id == DG_UNKNOWN_OP
	       || id == DG_UNKNOWN_OPS || id == DG_RANK_UNKNOWN || id == DG_NO_RANK
	       || id == DG_OLD_FORM;
}

/* Errors of the kinds that say "not supported" are limits, all others failures. */
static bool
judge(const struct sn_compiler *c, struct verdict *v)
{
	const struct sn_diag *first = NULL;
	for (size_t i = 0; i < c->diags.list.n; i++) {
		const struct sn_diag *d = &c->diags.list.v[i];
		if (sn_diag_severity(d->id) != SN_ERROR)
			continue;
		if (!first || is_unsupported(d->id))
			first = d;
		if (is_unsupported(d->id))
			break;
	}
	if (!first)
		return sn_suite_fail(v, FAILED, "no diagnostic");
	const char *op = first->where.op;
	return sn_suite_fail(v, is_unsupported(first->id) ? NOT_SUPPORTED : FAILED, "%s%s%.400s",
			     op ? op : "", op ? ": " : "", first->text);
}

static void
show_diags(const struct sn_compiler *c)
{
	struct sn_buf b;
	sn_buf_init(&b, (struct sn_arena *)&c->arena);
	sn_diags_print(&c->diags, &b);
	fputs(b.text, stderr);
}

static bool
write_package(const struct suite *s, struct sn_compiler *c, struct verdict *v)
{
	struct sn_emit_opts e = { .folder = s->folder, .is_source_only = true };
	switch (sn_compiler_emit(c, &e)) {
	case SN_OK: return true;
	case SN_ERR_INPUT: return judge(c, v);
	default: return sn_suite_fail(v, FAILED, "emit: %.250s", c->guard.text);
	}
}

/* The graph as it was read, before any pass. */
static bool
check_import(const struct suite_case *k, struct verdict *v)
{
	static const char *const none[] = { NULL };
	struct sn_compiler c;
	struct texts t = { .verdict = v, .compiler = &c };
	struct sn_compiler_opts o = { .model = k->model, .pipeline = { .passes = none } };
	sn_compiler_init(&c);
	if (sn_compiler_run(&c, &o) == SN_OK && SN_GUARD_ENTER(&c.guard) == SN_OK)
		check_text(&t, TX_GRAPH, c.module->graph, "import");
	sn_compiler_release(&c);
	return !t.has_differed;
}

/* A case for a device passes with a reason where kernels run on the host. */
static void
note_host(const struct sn_compiler *c, struct verdict *v)
{
	const struct sn_program *pr = c->module->program;
	for (size_t i = 0; i < pr->kernels.n; i++)
		if (pr->kernels.v[i]->place == PLACE_HOST) {
			sn_suite_fail(v, PASSED, "partly on the CPU: %s", pr->kernels.v[i]->why);
			return;
		}
}

bool
sn_suite_compile(const struct suite *s, const struct suite_case *k, struct verdict *v)
{
	struct sn_compiler c;
	struct texts texts = { .verdict = v, .compiler = &c };
	struct sn_compiler_opts o = { .model = k->model,
				      .name = k->ident,
				      .dialect = s->dialect,
				      .pipeline = { .is_verified = true } };
	if (s->has_texts) {
		if (!check_import(k, v))
			return false;
		o.pipeline.after = check_texts;
		o.pipeline.arg = &texts;
	}
	sn_compiler_init(&c);
	enum sn_status status = sn_compiler_run(&c, &o);
	bool ok = status == SN_OK && !texts.has_differed;
	if (status == SN_ERR_INPUT)
		judge(&c, v);
	else if (status != SN_OK)
		sn_suite_fail(v, FAILED, "internal: %.250s", c.guard.text);
	ok = ok && write_package(s, &c, v);
	if (ok && sn_target_is_device(c.module->target))
		note_host(&c, v);
	if (s->is_verbose)
		show_diags(&c);
	sn_compiler_release(&c);
	return ok;
}
