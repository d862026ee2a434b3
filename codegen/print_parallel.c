/*
 * Parallel loops: a body function and its arguments, and what kernels get beside their tensors.
 */
#include <string.h>
#include "codegen/print.h"

/* ---- what a block uses ---- */

static void
use(struct sn_uses *u, const void *object)
{
	sn_map_put_num(&u->set, (uint64_t)(uintptr_t)object, u);
}

static void
use_leaf(const struct sn_expr *e, void *arg)
{
	if (e->kind == EX_SYM)
		use(arg, e->sym);
	else if (e->kind == EX_AXIS)
		use(arg, e->axis);
	else if (e->kind == EX_LOCAL)
		use(arg, e->local);
}

static void
use_expr(struct sn_uses *u, const struct sn_expr *e)
{
	if (e)
		sn_expr_walk(e, u->p->arena, use_leaf, u);
}

static bool
use_stmt(struct sn_stmt *s, void *arg)
{
	struct sn_uses *u = arg;

	if (s->kind == ST_FOR) {
		use_expr(u, s->loop.axis->extent);
		u->has_parallel |= s->loop.kind == LK_PARALLEL;
	} else if (s->kind == ST_IF) {
		use_expr(u, s->cond.cond);
	} else if (s->kind == ST_LET) {
		use_expr(u, s->let.value);
	} else if (s->kind == ST_CHECK) {
		use_expr(u, s->check.cond);
		u->has_worker = true;
	} else if (s->kind == ST_ALLOC) {
		u->has_worker |= s->alloc.buffer->space == SP_SCRATCH;
	} else if (s->kind == ST_LOAD || s->kind == ST_STORE || s->kind == ST_PREFETCH) {
		use(u, s->mem.buffer);
		use_expr(u, s->mem.value);
		for (int i = 0; i < s->mem.buffer->rank; i++)
			use_expr(u, s->mem.idx[i]);
	}
	return true;
}

void
sn_find_uses(struct sn_printer *p, const struct sn_block *b, struct sn_uses *u)
{
	*u = (struct sn_uses){ .p = p };
	sn_map_init(&u->set, p->arena);
	sn_block_walk((struct sn_block *)b, use_stmt, u);
}

bool
sn_is_used(const struct sn_uses *u, const void *object)
{
	return sn_map_get_num(&u->set, (uint64_t)(uintptr_t)object);
}

bool
sn_printer_needs_env(const struct sn_printer *p, const struct sn_func *f)
{
	struct sn_uses u;

	sn_find_uses((struct sn_printer *)p, &f->body, &u);
	return u.has_worker || (u.has_parallel && p->is_threaded);
}

/* ---- parallel loops: a body function and its arguments ---- */

static void
arguments_struct(struct sn_printer *p, const struct sn_uses *u, const char *body, bool has_env)
{
	struct sn_buf *out = &p->bodies;

	sn_buf_addf(out, "struct %s_args {\n", body);
	for (size_t i = 0; i < p->scope.n; i++)
		if (sn_is_used(u, p->scope.v[i].object))
			sn_buf_addf(out, "\t%s;\n", p->scope.v[i].decl);
	sn_buf_add(out, has_env ? "\tconst struct env *env;\n" : "");
	sn_buf_add(out, "};\n\n");
}

static void
body_function(struct sn_printer *p, const struct sn_uses *u, const struct sn_stmt *s,
	      const char *body)
{
	struct sn_buf *out = &p->bodies;
	size_t mark = p->scope.n;
	struct sn_buf inner;

	sn_buf_addf(out, "static void\n%s(void *arg, int64_t ", body);
	sn_buf_init(&inner, p->arena);
	for (size_t i = 0; i < mark; i++)
		if (sn_is_used(u, p->scope.v[i].object))
			sn_buf_addf(&inner, "\t%s = args->%s;\n", p->scope.v[i].decl,
				    p->scope.v[i].name);
	sn_buf_addf(out, "%s, int32_t worker)\n{\n",
		    sn_declare(p, s->loop.axis, s->loop.axis->name, "int64_t"));
	sn_buf_addf(out, "\tconst struct %s_args *args = arg;\n%s", body, inner.text);
	sn_buf_add(out, u->has_worker ? "\tconst struct env *env = args->env;\n" : "");
	sn_buf_add(out, "\n");
	if (!u->has_worker)
		sn_buf_add(out, "\t(void)worker;\n");
	p->is_in_body = true;
	sn_print_block(p, out, &s->loop.body, 1);
	p->is_in_body = false;
	sn_buf_add(out, "}\n\n");
	sn_leave_scope(p, mark);
}

void
sn_print_parallel(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const char *extent = sn_expr_text(p, s->loop.axis->extent, CP_ASSIGN);
	const char *body = ++p->nbodies > 1
				   ? sn_printf(p->arena, "%s_body%d", p->func_name, p->nbodies)
				   : sn_printf(p->arena, "%s_body", p->func_name);
	struct sn_uses u;

	sn_find_uses(p, &s->loop.body, &u);
	arguments_struct(p, &u, body, u.has_worker);
	sn_indent(out, depth);
	sn_buf_addf(out, "struct %s_args %s = {", body, body + strlen(p->func_name) + 1);
	for (size_t i = 0, n = 0; i < p->scope.n; i++)
		if (sn_is_used(&u, p->scope.v[i].object))
			sn_buf_addf(out, "%s %s", n++ ? "," : "", p->scope.v[i].name);
	sn_buf_addf(out, "%s };\n\n", u.has_worker ? ", env" : "");
	sn_indent(out, depth);
	sn_buf_addf(out, "parallel_for(env, %s, &%s, %s);\n", body, body + strlen(p->func_name) + 1,
		    extent);
	body_function(p, &u, s, body);
}

static const char env_text[] = "/* What kernels get beside their tensors. */\n"
			       "struct env {\n"
			       "\tconst struct sinter_hooks *hooks;\n"
			       "\tunsigned char *scratch;\t/* of worker 0, the others' follow */\n"
			       "\tsize_t scratch_bytes;\t/* for each worker */\n"
			       "};\n\n";

static const char scratch_text[] =
	"static inline void *\n"
	"scratch_at(const struct env *env, int32_t worker, size_t offset)\n"
	"{\n"
	"\treturn env->scratch + (size_t)worker * env->scratch_bytes + offset;\n"
	"}\n\n";

/* The flag is the last line of a worker's scratch memory. */
static const char check_text[] =
	"/* Notes an index out of range, which has been brought in range, for the run's status. */\n"
	"static inline void\n"
	"check_index(const struct env *env, int32_t worker, bool is_good)\n"
	"{\n"
	"\tif (!is_good)\n"
	"\t\t*index_flag(env, worker) = 1;\n"
	"}\n\n";

static const char flag_text[] =
	"static inline unsigned char *\n"
	"index_flag(const struct env *env, int32_t worker)\n"
	"{\n"
	"\treturn env->scratch + ((size_t)worker + 1) * env->scratch_bytes - 64;\n"
	"}\n\n";

static const char parallel_text[] =
	"static inline void\n"
	"parallel_for(const struct env *env, void (*body)(void *arg, int64_t i, int32_t worker), void *arg,\n"
	"        int64_t n)\n"
	"{\n"
	"\tif (n > 1 && env->hooks && env->hooks->parallel)\n"
	"\t\tenv->hooks->parallel(env->hooks->ctx, body, arg, n);\n"
	"\telse\n"
	"\t\tfor (int64_t i = 0; i < n; i++)\n"
	"\t\t\tbody(arg, i, 0);\n"
	"}\n\n";

void
sn_printer_prologue(struct sn_printer *p, struct sn_buf *out)
{
	if (p->has_f64 && p->dialect->kernel)
		sn_buf_add(out, p->dialect->kernel->f64);
	sn_buf_add(out, p->dialect->prologue);
	sn_buf_addc(out, '\n');
	sn_buf_add(out, p->types.text);
	sn_buf_add(out, p->types.len ? "\n" : "");
	sn_buf_add(out, p->helpers.text);
	if (!p->has_env)
		return;
	sn_buf_add(out, env_text);
	sn_buf_add(out, p->scratch_max ? scratch_text : "");
	sn_buf_add(out, p->has_check ? flag_text : "");
	sn_buf_add(out, p->has_check ? check_text : "");
	sn_buf_add(out, p->is_threaded ? parallel_text : "");
}
