/*
 * Loop level as text; docs/ir.md has the grammar.
 */
#include <ctype.h>
#include <string.h>
#include "ir/lex.h"
#include "ir/loop_text.h"
#include "ir/text.h"

const char *const sn_space_texts[] = { "global", "stack", "reg", "scratch", "shared", NULL };
const char *const sn_loop_kind_texts[] = {
	"serial", "parallel", "vector", "unrolled", "grid", "item", NULL,
};

/* Words that begin a statement or an operand. */
const char *const sn_loop_keywords[] = {
	"func",	    "let",   "load",  "if",    "else",	  "alloc",  "barrier",	"check",
	"active",   "const", "alias", "align", "aligned", "serial", "parallel", "vector",
	"unrolled", "grid",  "item",  "true",  "false",	  "inf",    "nan",	NULL,
};

/* ---- names ---- */

void
sn_names_init(struct sn_names *n, struct sn_arena *a, const char *const *reserved)
{
	*n = (struct sn_names){ .arena = a };
	sn_map_init(&n->taken, a);
	sn_map_init(&n->axes, a);
	sn_map_init(&n->locals, a);
	sn_map_init(&n->buffers, a);
	for (int i = 0; reserved && reserved[i]; i++)
		sn_map_put(&n->taken, reserved[i], n);
}

/* NAME with everything replaced that an identifier can't have. */
static char *
identifier(struct sn_arena *a, const char *name)
{
	char *s = isalpha((unsigned char)*name) || *name == '_' ? sn_strdup(a, name)
								: sn_printf(a, "v%s", name);

	for (char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80)
			*c = '_';
	return s;
}

const char *
sn_names_declare(struct sn_names *n, struct sn_map *map, int id, const char *name)
{
	const char *base = identifier(n->arena, name), *s = base;

	for (int i = 1; sn_map_get(&n->taken, s); i++)
		s = sn_printf(n->arena, "%s_%d", base, i);
	sn_map_put(&n->taken, s, n);
	sn_map_put_num(map, (uint64_t)id, (void *)s);
	SN_PUSH(n->arena, &n->scope, s);
	return s;
}

void
sn_names_take(struct sn_names *n, const char *name)
{
	sn_map_put(&n->taken, name, n);
}

void
sn_names_leave(struct sn_names *n, size_t mark)
{
	while (n->scope.n > mark)
		sn_map_put(&n->taken, n->scope.v[--n->scope.n], NULL);
}

/* ---- printing ---- */

struct printer {
	struct sn_buf *out;
	struct sn_names names;
	struct sn_expr_names expr_names;
	int indent, line;
	const struct sn_origin *origin; /* of the enclosing statement or the function */

	/* to find one statement's line */
	const struct sn_stmt *wanted;
	size_t wanted_start, wanted_end;
	int wanted_line;
};

static const char *
leaf_name(void *arg, const struct sn_expr *e)
{
	const struct printer *p = arg;

	switch (e->kind) {
	case EX_AXIS: return sn_map_get_num(&p->names.axes, (uint64_t)e->axis->id);
	case EX_LOCAL: return sn_map_get_num(&p->names.locals, (uint64_t)e->local->id);
	default: return NULL;
	}
}

static void
print_expr(struct printer *p, const struct sn_expr *e)
{
	sn_expr_print_named(p->out, e, &p->expr_names);
}

static void
newline(struct printer *p)
{
	sn_buf_addc(p->out, '\n');
	p->line++;
}

static void
print_type(struct printer *p, const struct sn_buffer *b)
{
	sn_buf_add(p->out, sn_dtype_info(b->dtype)->text);
	if (b->lanes > 1)
		sn_buf_addf(p->out, "x%d", b->lanes);
}

/* "f32x16 acc[14, 2] align 64" */
static void
print_buffer(struct printer *p, const struct sn_buffer *b)
{
	print_type(p, b);
	sn_buf_addf(p->out, " %s[", sn_names_declare(&p->names, &p->names.buffers, b->id, b->name));
	for (int i = 0; i < b->rank; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		print_expr(p, b->dims[i]);
	}
	sn_buf_addc(p->out, ']');
	if (b->is_alias)
		sn_buf_add(p->out, " alias");
	if (b->align)
		sn_buf_addf(p->out, " align %d", b->align);
}

/* "acc[p, j]", "x[i*16 : 16]", "x[i*16 : 16 active 5]", "x[i*16 : 16 aligned]" */
static void
print_access(struct printer *p, const struct sn_stmt *s, int lanes)
{
	const struct sn_buffer *b = s->mem.buffer;
	const char *name = sn_map_get_num(&p->names.buffers, (uint64_t)b->id);

	sn_buf_addf(p->out, "%s[", name ? name : b->name);
	for (int i = 0; i < b->rank; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		print_expr(p, s->mem.idx[i]);
	}
	if (lanes > b->lanes)
		sn_buf_addf(p->out, " : %d", lanes);
	if (s->mem.is_aligned)
		sn_buf_add(p->out, " aligned");
	if (s->mem.active)
		sn_buf_addf(p->out, " active %d", s->mem.active);
	sn_buf_addc(p->out, ']');
}

/* The lanes of a store are seen in its access: a splatted value is printed as the scalar. */
static void
print_stored(struct printer *p, const struct sn_expr *e)
{
	struct sn_expr scalar = *e;

	if (e->kind == EX_OP && e->op == OP_SPLAT)
		print_expr(p, e->args[0]);
	else if (e->kind == EX_CONST) {
		scalar.lanes = 1;
		print_expr(p, &scalar);
	} else
		print_expr(p, e);
}

static const char *
declare_local(struct printer *p, const struct sn_local *l)
{
	return sn_names_declare(&p->names, &p->names.locals, l->id, l->name);
}

/* Statements have the origin of what they stand in, unless they say another. */
static void
print_origin(struct printer *p, const struct sn_origin *o)
{
	if (o && o != p->origin)
		sn_origin_print_text(p->out, o, NULL);
}

static void print_block(struct printer *p, const struct sn_block *b);

/* "{", the block in a scope of its own, "}" */
static void
print_braces(struct printer *p, const struct sn_block *b, const struct sn_origin *o)
{
	size_t mark = p->names.scope.n;
	const struct sn_origin *outer = p->origin;

	p->origin = o ? o : outer;
	sn_buf_add(p->out, " {");
	newline(p);
	p->indent++;
	print_block(p, b);
	p->indent--;
	sn_buf_fill(p->out, '\t', (size_t)p->indent);
	sn_buf_addc(p->out, '}');
	sn_names_leave(&p->names, mark);
	p->origin = outer;
}

static void
print_for(struct printer *p, const struct sn_stmt *s)
{
	size_t mark = p->names.scope.n;
	struct sn_buf *out = p->out;
	size_t start = out->len;

	/* the extent doesn't see the axis */
	sn_buf_addf(out, "%s ", sn_loop_kind_texts[s->loop.kind]);
	print_expr(p, s->loop.axis->extent);
	char *extent = sn_strdup(out->arena, out->text + start);

	out->len = start;
	const char *name = sn_names_declare(&p->names, &p->names.axes, s->loop.axis->id,
					    s->loop.axis->name);
	const char *kind = sn_loop_kind_texts[s->loop.kind];

	sn_buf_addf(out, "%s %s < %s", kind, name, extent + strlen(kind) + 1);
	print_origin(p, s->origin);
	print_braces(p, &s->loop.body, s->origin);
	sn_names_leave(&p->names, mark);
}

static void
print_if(struct printer *p, const struct sn_stmt *s)
{
	sn_buf_add(p->out, "if ");
	print_expr(p, s->cond.cond);
	print_origin(p, s->origin);
	print_braces(p, &s->cond.then, s->origin);
	if (s->cond.otherwise.first) {
		sn_buf_add(p->out, " else");
		print_braces(p, &s->cond.otherwise, s->origin);
	}
}

/* The value comes before the name: it must not see it. */
static void
print_let(struct printer *p, const struct sn_stmt *s)
{
	struct sn_buf value;

	sn_buf_init(&value, p->out->arena);
	sn_expr_print_named(&value, s->let.value, &p->expr_names);
	sn_buf_addf(p->out, "let %s = %s", declare_local(p, s->let.local), value.text);
}

static void
print_load(struct printer *p, const struct sn_stmt *s)
{
	struct sn_buf *out = p->out, access;

	sn_buf_init(&access, out->arena);
	p->out = &access;
	print_access(p, s, s->mem.local->lanes);
	p->out = out;
	sn_buf_addf(out, "load %s = %s", declare_local(p, s->mem.local), access.text);
}

static void
print_barrier(struct printer *p, const struct sn_stmt *s)
{
	static const char *const texts[] = { "", " shared", " global", "" };

	sn_buf_addf(p->out, "barrier%s", texts[s->barrier.orders]);
}

static void
print_stmt(struct printer *p, const struct sn_stmt *s)
{
	switch (s->kind) {
	case ST_FOR: print_for(p, s); break;
	case ST_IF: print_if(p, s); break;
	case ST_LET: print_let(p, s); break;
	case ST_LOAD: print_load(p, s); break;
	case ST_STORE:
		print_access(p, s, s->mem.value->lanes);
		sn_buf_add(p->out, " = ");
		print_stored(p, s->mem.value);
		break;
	case ST_PREFETCH:
		sn_buf_add(p->out, "prefetch ");
		print_access(p, s, 1);
		break;
	case ST_ALLOC:
		sn_buf_addf(p->out, "alloc %s ", sn_space_texts[s->alloc.buffer->space]);
		print_buffer(p, s->alloc.buffer);
		break;
	case ST_BARRIER: print_barrier(p, s); break;
	case ST_CHECK:
		sn_buf_add(p->out, "check ");
		print_expr(p, s->check.cond);
		break;
	}
}

static void
print_block(struct printer *p, const struct sn_block *b)
{
	for (const struct sn_stmt *s = b->first; s; s = s->next) {
		sn_buf_fill(p->out, '\t', (size_t)p->indent);
		if (s == p->wanted) {
			p->wanted_start = p->out->len;
			p->wanted_line = p->line;
		}
		print_stmt(p, s);
		if (s->kind != ST_FOR && s->kind != ST_IF)
			print_origin(p, s->origin);
		if (s == p->wanted)
			p->wanted_end = p->out->len;
		newline(p);
	}
}

static void
print_syms(struct printer *p, const struct sn_func *f)
{
	struct sn_sym_list list;

	sn_sym_list_init(&list, p->out->arena);
	for (size_t i = 0; i < f->syms.n; i++) {
		sn_names_take(&p->names, f->syms.v[i]->name);
		sn_sym_list_add(&list, sn_sym_expr(f->pool, f->syms.v[i]));
	}
	sn_syms_print(p->out, &list);
}

static void
print_func(struct printer *p, const struct sn_func *f)
{
	sn_names_init(&p->names, p->out->arena, sn_loop_keywords);
	p->expr_names = (struct sn_expr_names){ .leaf = leaf_name, .arg = p };
	p->line = 1;
	sn_buf_add(p->out, "func ");
	sn_lex_print_name(p->out, f->name, NULL);
	print_syms(p, f);
	sn_buf_addc(p->out, '(');
	for (size_t i = 0; i < f->params.n; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		sn_buf_add(p->out, f->params.v[i]->is_const ? "const " : "");
		print_buffer(p, f->params.v[i]);
	}
	sn_buf_add(p->out, f->is_on_host ? ") on host" : ")");
	print_origin(p, f->origin);
	print_braces(p, &f->body, f->origin);
	newline(p);
}

void
sn_func_print(struct sn_buf *out, const struct sn_func *f)
{
	struct printer p = { .out = out };

	print_func(&p, f);
}

int
sn_func_locate(const struct sn_func *f, const struct sn_stmt *s, struct sn_arena *a,
	       const char **out_line)
{
	struct sn_buf text;
	struct printer p = { .out = &text, .wanted = s };

	sn_buf_init(&text, a);
	print_func(&p, f);
	*out_line = "";
	if (p.wanted_end > p.wanted_start) {
		const char *start = text.text + p.wanted_start;

		*out_line = sn_strndup(a, start, strcspn(start, "\n"));
	}
	return p.wanted_line;
}
