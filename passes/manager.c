/*
 * The manager: runs passes of every level alike, with their scratch memory,
 * verification, time and hooks.
 */
#include <string.h>
#include <time.h>
#include "passes/pass.h"

#define LEVEL(l) LV_##l
static const struct sn_pass passes[] = {
#define PASS(id, name, level, result, exactness, summary) \
	{ name, LEVEL(level), LEVEL(result), PX_##exactness, summary, sn_pass_##id },
#include "passes/passes.def"
};

const struct sn_pass *
sn_passes(int *out_n)
{
	*out_n = (int)ARRAY_LEN(passes);
	return passes;
}

const struct sn_pass *
sn_pass_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		if (strcmp(passes[i].name, name) == 0)
			return &passes[i];
	return NULL;
}

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What must outlive a jump out of a pass, hence not on the stack. */
struct frame {
	struct sn_arena scratch;
	struct sn_guard guard;
	struct sn_guard *outer;
	struct sn_pass_ctx ctx;
	bool ok;
};

/* A pass that runs out of memory, or finds itself broken, gives its scratch memory back first, and
 * the text says which pass it was. */
static bool
run_one(struct sn_module *m, const struct sn_pass *p, bool *out_changed)
{
	struct frame *f = SN_NEW(m->arena, struct frame);
	f->outer = m->arena->guard;
	sn_arena_init(&f->scratch, &f->guard);
	f->ctx = (struct sn_pass_ctx){ .module = m, .scratch = &f->scratch };
	m->arena->guard = &f->guard;
	enum sn_status status = SN_GUARD_ENTER(&f->guard);
	if (status == SN_OK)
		f->ok = p->run(&f->ctx);
	m->arena->guard = f->outer;
	sn_arena_release(&f->scratch);
	if (status != SN_OK)
		sn_guard_leave(f->outer, status, "%s: %.200s", p->name, f->guard.text);
	*out_changed = f->ctx.has_changed;
	return f->ok;
}

/* All names known, and the one to stop after among them? */
static bool
check_names(struct sn_module *m, const char *const *names, const char *stop_after)
{
	bool ok = true, is_found = !stop_after;
	for (; *names; names++) {
		is_found |= stop_after && strcmp(*names, stop_after) == 0;
		if (!sn_pass_find(*names))
			ok = sn_report(m->diags, SN_NOWHERE, DG_NO_PASS, *names);
	}
	return is_found ? ok : sn_report(m->diags, SN_NOWHERE, DG_NO_STOP, stop_after);
}

/* Without a kernel there are no functions, but a plan all the same. */
static bool
check_level(struct sn_module *m, const struct sn_pass *p)
{
	static const char *const names[] = { "graph", "tensor", "loop", "plan" };
	if (p->level <= sn_module_level(m) || (p->level == LV_LOOP && m->plan))
		return true;
	return sn_report(m->diags, SN_NOWHERE, DG_PASS_LEVEL, p->name, names[p->level]);
}

static bool
run_and_verify(struct sn_module *m, const struct sn_pass *p, const struct sn_pipeline_opts *o)
{
	bool has_changed = false;
	int64_t start = now_ns();
	bool ok = run_one(m, p, &has_changed);
	int64_t ns = now_ns() - start;
	if (o->after)
		o->after(o->arg, m, p, ns, has_changed);
	return ok && (!o->is_verified || sn_module_verify(m));
}

bool
sn_pipeline_run(struct sn_module *m, const struct sn_pipeline_opts *o)
{
	const char *const *names = o->passes ? o->passes : sn_pipeline_default();
	if (!check_names(m, names, o->stop_after))
		return false;
	for (; *names; names++) {
		const struct sn_pass *p = sn_pass_find(*names);
		if (p->level >= sn_module_level(m)
		    && (!check_level(m, p) || !run_and_verify(m, p, o)))
			return false;
		if (o->stop_after && strcmp(*names, o->stop_after) == 0)
			break;
	}
	return true;
}
