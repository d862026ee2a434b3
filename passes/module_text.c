/*
 * Module as text, at whatever level it stands: printing, reading, verifying.
 */
#include "ir/lex.h"
#include "passes/pass.h"

enum sn_level
sn_module_level(const struct sn_module *m)
{
	if (m->plan && m->plan->sizes)
		return LV_PLAN;
	if (m->funcs.n)
		return LV_LOOP;
	return m->program ? LV_TENSOR : LV_GRAPH;
}

static void
print_step(struct sn_buf *out, const struct sn_step *s)
{
	sn_buf_addf(out, "\t%s", s->func->name);
	if (s->kernel)
		sn_buf_addf(out, " for %s", s->kernel->name);
	sn_buf_add(out, " (");
	for (size_t i = 0; i < s->func->params.n; i++) {
		sn_buf_add(out, i ? ", " : "");
		sn_lex_print_name(out, s->args[i]->name, NULL);
	}
	sn_buf_add(out, ")\n");
}

static void
print_place(struct sn_buf *out, const struct sn_module *m, const struct sn_tensor *t)
{
	const struct sn_plan *p = m->plan;
	if (!p->sizes || !p->sizes[t->id])
		return;
	sn_buf_add(out, "\t");
	sn_lex_print_name(out, t->name, NULL);
	if (p->is_static && p->offsets && p->offsets[t->id] >= 0)
		sn_buf_addf(out, " at %lld", (long long)p->offsets[t->id]);
	sn_buf_add(out, " bytes ");
	sn_expr_print(out, p->sizes[t->id]);
	sn_buf_addf(out, " steps %d..%d%s\n", p->first[t->id], p->last[t->id],
		    t->place == PLACE_HOST ? " on host" : "");
}

static void
print_plan(struct sn_buf *out, const struct sn_module *m)
{
	const struct sn_plan *p = m->plan;
	sn_buf_add(out, "plan");
	if (p->is_static)
		sn_buf_addf(out, " arena %lld least %lld", (long long)p->arena_bytes,
			    (long long)p->lower_bound);
	sn_buf_addf(out, " scratch %lld\n{\n", (long long)p->scratch_bytes);
	for (size_t i = 0; i < p->steps.n; i++)
		print_step(out, &p->steps.v[i]);
	for (size_t i = 0; i < m->program->tensors.n; i++)
		print_place(out, m, m->program->tensors.v[i]);
	sn_buf_add(out, "}\n");
}

void
sn_module_print(struct sn_buf *out, const struct sn_module *m, enum sn_level level, bool with_data)
{
	if (level == LV_GRAPH && m->graph)
		sn_graph_print(out, m->graph, with_data);
	if (level == LV_TENSOR && m->program)
		sn_program_print(out, m->program, with_data);
	if (level < LV_LOOP)
		return;
	for (size_t i = 0; i < m->funcs.n; i++) {
		sn_func_print(out, m->funcs.v[i]);
		sn_buf_addc(out, '\n');
	}
	if (level == LV_PLAN && m->plan)
		print_plan(out, m);
}

/* What a device runs must say how it is launched. */
static bool
verify_launch(struct sn_module *m, const struct sn_func *f)
{
	struct sn_launch l;
	struct sn_where where = SN_NOWHERE;
	if (!sn_target_is_device(m->target) || f->is_on_host || sn_func_launch(f, &l))
		return true;
	where.name = f->name;
	return sn_report(m->diags, where, DG_LOOP_LAUNCH);
}

bool
sn_module_verify(struct sn_module *m)
{
	bool ok = true;
	if (sn_module_level(m) == LV_GRAPH)
		return sn_graph_verify(m->graph, m->diags);
	if (sn_module_level(m) == LV_TENSOR)
		return sn_program_verify(m->program, m->diags);
	for (size_t i = 0; i < m->funcs.n; i++)
		ok &= sn_func_verify(m->funcs.v[i], m->diags) && verify_launch(m, m->funcs.v[i]);
	return ok;
}

bool
sn_module_parse(struct sn_module *m, const char *text, const char *file)
{
	struct sn_lex x;
	struct sn_diags ignored;
	sn_diags_init(&ignored, m->arena);
	sn_lex_init(&x, text, file, m->arena, &ignored);
	if (sn_lex_is(&x, "graph")) {
		m->graph = sn_graph_parse(text, file, m->arena, m->pool, m->diags);
		return m->graph != NULL;
	}
	m->program = sn_program_parse(text, file, m->arena, m->pool, m->diags);
	return m->program != NULL;
}
