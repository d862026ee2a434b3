/*
 * Functions and statements as text.
 *
 * Every choice was made before: the printer only finds names, indents, and asks the dialect.
 */
#include <string.h>
#include "codegen/print.h"

static void stmt(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth);

static const char *const reserved[] = {
	"auto",	  "bool",     "break",	"case",	    "char",   "const",	  "continue", "default",
	"do",	  "double",   "else",	"enum",	    "extern", "false",	  "float",    "for",
	"goto",	  "if",	      "inline", "int",	    "long",   "register", "restrict", "return",
	"short",  "signed",   "sizeof", "static",   "struct", "switch",	  "true",     "typedef",
	"union",  "unsigned", "void",	"volatile", "while",  "args",	  "arg",      "env",
	"worker", "asm",      "typeof", "memcpy",   "memset", "main",	  "unix",     "linux",
};

void
sn_printer_init(struct sn_printer *p, const struct sn_dialect *d, struct sn_arena *a,
		struct sn_pool *pool)
{
	*p = (struct sn_printer){ .dialect = d, .arena = a, .pool = pool };
	sn_buf_init(&p->types, a);
	sn_buf_init(&p->helpers, a);
	sn_map_init(&p->seen, a);
}

/* ---- names ---- */

/* S with other characters than letters and digits replaced, shortened, not starting with a digit. */
static char *
identifier(struct sn_arena *a, const char *s)
{
	size_t n = strlen(s);
	const char *from = n > 40 ? s + n - 40 : s;
	char *id = sn_printf(a, "%s%s", *from >= '0' && *from <= '9' ? "_" : "", from);

	for (char *c = id; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z')
		    && !(*c >= '0' && *c <= '9'))
			*c = '_';
	return *id && strcmp(id, "_") ? id : "t";
}

/* Names OBJECT until the scope ends. */
static const char *
declare(struct sn_printer *p, const void *object, const char *base, const char *type)
{
	const char *id = identifier(p->arena, base), *name = id;

	for (int i = 2; sn_map_get(&p->taken, name); i++)
		name = sn_printf(p->arena, "%s_%d", id, i);
	sn_map_put(&p->taken, name, p);
	sn_map_put_num(&p->names, (uint64_t)(uintptr_t)object, (void *)name);
	SN_PUSH(p->arena, &p->scope,
		(struct sn_named){ name, sn_printf(p->arena, "%s %s", type, name), object });
	return name;
}

static void
leave_scope(struct sn_printer *p, size_t mark)
{
	while (p->scope.n > mark)
		sn_map_put(&p->taken, p->scope.v[--p->scope.n].name, NULL);
}

static const char *
name_of(struct sn_printer *p, const void *object)
{
	return sn_map_get_num(&p->names, (uint64_t)(uintptr_t)object);
}

static void
indent(struct sn_buf *out, int depth)
{
	sn_buf_fill(out, '\t', (size_t)depth);
}

static void
reset_names(struct sn_printer *p)
{
	sn_map_init(&p->names, p->arena);
	sn_map_init(&p->taken, p->arena);
	memset(&p->scope, 0, sizeof(p->scope));
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		sn_map_put(&p->taken, reserved[i], p);
}

/* ---- declarations of buffers ---- */

static const char *
element_type(struct sn_printer *p, const struct sn_buffer *b)
{
	if (b->lanes > 1)
		return sn_c_type(p, sn_ty_of(b->dtype, b->lanes, 8));
	return sn_c_memory(b->dtype);
}

/* "[14][16]" from dimension FIRST on. */
static const char *
dims_text(struct sn_printer *p, const struct sn_buffer *b, int first)
{
	struct sn_buf t;

	sn_buf_init(&t, p->arena);
	if (b->rank == 0 && first == 0)
		sn_buf_add(&t, "[1]");
	for (int i = first; i < b->rank; i++)
		sn_buf_addf(&t, "[%s]", sn_expr_text(p, b->dims[i], CP_ASSIGN));
	return t.text;
}

/* "float (*acc)[16]": a pointer that is indexed as the buffer is. */
static const char *
pointer_text(struct sn_printer *p, const struct sn_buffer *b, const char *name)
{
	const char *type = element_type(p, b);

	if (b->rank <= 1)
		return sn_printf(p->arena, "%s%s *%s", b->is_const ? "const " : "", type, name);
	return sn_printf(p->arena, "%s (*%s)%s", type, name, dims_text(p, b, 1));
}

static const char *
declare_buffer(struct sn_printer *p, const struct sn_buffer *b)
{
	const char *name = declare(p, b, b->name, "");

	p->scope.v[p->scope.n - 1].decl = pointer_text(p, b, name);
	return name;
}

static int64_t
buffer_bytes(const struct sn_buffer *b)
{
	int64_t n = b->lanes, k;

	for (int i = 0; i < b->rank; i++)
		if (sn_get_int(b->dims[i], &k))
			n *= k;
	return (int64_t)sn_dtype_bytes(b->dtype, (size_t)n);
}

static void
alloc(struct sn_printer *p, struct sn_buf *out, const struct sn_buffer *b, int depth)
{
	const char *name = declare_buffer(p, b);

	indent(out, depth);
	if (b->space == SP_SCRATCH) {
		sn_buf_addf(out, "%s = scratch_at(env, %s, %lld);\n", pointer_text(p, b, name),
			    p->is_in_body ? "worker" : "0", (long long)p->scratch);
		p->scratch += (buffer_bytes(b) + 63) / 64 * 64;
		if (p->scratch > p->scratch_max)
			p->scratch_max = p->scratch;
		return;
	}
	sn_buf_addf(out, "%s %s%s", element_type(p, b), name, dims_text(p, b, 0));
	if (p->dialect->align && b->lanes == 1 && buffer_bytes(b) >= 64)
		sn_buf_addf(out, p->dialect->align, 64);
	sn_buf_add(out, ";\n");
}

/* ---- loads and stores ---- */

static const char *
element(struct sn_printer *p, const struct sn_buffer *b, const struct sn_expr *const *idx)
{
	struct sn_buf t;

	sn_buf_init(&t, p->arena);
	sn_buf_add(&t, name_of(p, b));
	for (int i = 0; i < b->rank; i++)
		sn_buf_addf(&t, "[%s]", sn_expr_text(p, idx[i], CP_ASSIGN));
	if (b->rank == 0)
		sn_buf_add(&t, "[0]");
	return t.text;
}

static const struct sn_mem_row *
find_mem(struct sn_printer *p, char class, bool is_partial)
{
	for (int i = 0; p->dialect->tables[i]; i++)
		for (const struct sn_mem_row *r = p->dialect->tables[i]->mems; r->classes; r++)
			if (strchr(r->classes, class) && r->is_partial == is_partial)
				return r;
	sn_bug(p->arena->guard, "dialect %s can't access memory of class %c", p->dialect->name,
	       class);
}

static char
memory_class(enum sn_dtype t, int lanes)
{
	int bits = sn_dtype_info(t)->bits;

	if (bits < 8)
		return lanes > 1 ? 'S' : 's';
	return sn_class_of(t, lanes);
}

/* The element access of S as text: a load, or with VALUE a store. */
static const char *
access(struct sn_printer *p, const struct sn_stmt *s, int lanes, const struct sn_piece *value,
       struct sn_ty ty)
{
	const struct sn_buffer *b = s->mem.buffer;
	const char *at = element(p, b, s->mem.idx);
	bool is_partial = s->mem.active && s->mem.active < lanes;

	if (b->lanes > 1)
		return value ? sn_printf(p->arena, "%s = %s", at, value->text) : at;
	const struct sn_mem_row *r = find_mem(p, memory_class(b->dtype, lanes), is_partial);
	struct sn_piece ops[2] = { { at, CP_PRIMARY, NULL }, { "", CP_PRIMARY, NULL } };
	struct sn_fill f = {
		.ty = ty,
		.src = ty,
		.ops = ops,
		.strength = CP_ASSIGN,
		.base = name_of(p, b),
		.touched = s->mem.active,
		.index = b->rank ? sn_expr_text(p, s->mem.idx[0], CP_ASSIGN) : "0",
	};

	if (value)
		ops[1] = *value;
	sn_need_helpers(p, value ? r->store_helper : r->load_helper, ty, ty);
	return sn_fill(p, value ? r->store : r->load, &f);
}

static void
constant(struct sn_printer *p, struct sn_buf *out, const struct sn_local *l, const char *type,
	 const char *value)
{
	type = sn_printf(p->arena, "const %s", type);
	sn_buf_addf(out, "%s %s = %s;\n", type, declare(p, l, l->name, type), value);
}

static void
load(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_local *l = s->mem.local;
	struct sn_ty ty = sn_ty_of(l->dtype, l->lanes, 8);
	const char *text = access(p, s, l->lanes, NULL, ty);

	if (l->dtype == DT_BOOL && l->lanes > 1)
		sn_map_put_num(&p->mask_bits, (uint64_t)l->id, (void *)(uintptr_t)8);
	indent(out, depth);
	constant(p, out, l, sn_c_type(p, ty), text);
}

static void
store(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_expr *v = s->mem.value;
	struct sn_piece x = sn_piece_of(p, v, v->dtype == DT_BOOL && v->lanes > 1 ? 8 : 0);

	indent(out, depth);
	sn_buf_addf(out, "%s;\n",
		    access(p, s, v->lanes, &x, sn_ty_of((enum sn_dtype)v->dtype, v->lanes, 8)));
}

static void
let(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_local *l = s->let.local;
	int bits = sn_mask_bits(p, s->let.value);
	const char *text = sn_piece_of(p, s->let.value, 0).text;

	bits = bits ? bits : 32;
	if (l->dtype == DT_BOOL && l->lanes > 1)
		sn_map_put_num(&p->mask_bits, (uint64_t)l->id, (void *)(uintptr_t)bits);
	else if (l->dtype == DT_I64 && !sn_has_data(p, s->let.value))
		sn_map_put_num(&p->index_locals, (uint64_t)l->id, p);
	indent(out, depth);
	constant(p, out, l, sn_c_type(p, sn_ty_of(l->dtype, l->lanes, bits)), text);
}

/* ---- loops ---- */

static void
block(struct sn_printer *p, struct sn_buf *out, const struct sn_block *b, int depth)
{
	size_t mark = p->scope.n;

	for (const struct sn_stmt *s = b->first; s; s = s->next)
		stmt(p, out, s, depth);
	leave_scope(p, mark);
}

static void
plain_loop(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_axis *axis = s->loop.axis;
	const char *extent = sn_expr_text(p, axis->extent, CP_SHIFT);
	size_t mark = p->scope.n;
	const char *name = declare(p, axis, axis->name, "int64_t");
	int64_t n;

	if (s->loop.kind == LK_UNROLLED && p->dialect->unroll && sn_get_int(axis->extent, &n)
	    && n > 1) {
		indent(out, depth);
		sn_buf_addf(out, p->dialect->unroll, (long long)n);
	}
	indent(out, depth);
	sn_buf_addf(out, "for (int64_t %s = 0; %s < %s; %s++) {\n", name, name, extent, name);
	block(p, out, &s->loop.body, depth + 1);
	indent(out, depth);
	sn_buf_add(out, "}\n");
	leave_scope(p, mark);
}

static void
branch(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	indent(out, depth);
	sn_buf_addf(out, "if (%s) {\n", sn_expr_text(p, s->cond.cond, CP_COMMA));
	block(p, out, &s->cond.then, depth + 1);
	if (s->cond.otherwise.first) {
		indent(out, depth);
		sn_buf_add(out, "} else {\n");
		block(p, out, &s->cond.otherwise, depth + 1);
	}
	indent(out, depth);
	sn_buf_add(out, "}\n");
}

/* ---- what a block uses ---- */

struct uses {
	struct sn_printer *p;
	struct sn_map set; /* symbols, axes, locals, buffers, by address */
	bool has_scratch, has_parallel;
};

static void
use(struct uses *u, const void *object)
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
use_expr(struct uses *u, const struct sn_expr *e)
{
	if (e)
		sn_expr_walk(e, u->p->arena, use_leaf, u);
}

static bool
use_stmt(struct sn_stmt *s, void *arg)
{
	struct uses *u = arg;

	if (s->kind == ST_FOR) {
		use_expr(u, s->loop.axis->extent);
		u->has_parallel |= s->loop.kind == LK_PARALLEL;
	} else if (s->kind == ST_IF) {
		use_expr(u, s->cond.cond);
	} else if (s->kind == ST_LET) {
		use_expr(u, s->let.value);
	} else if (s->kind == ST_ALLOC) {
		u->has_scratch |= s->alloc.buffer->space == SP_SCRATCH;
	} else if (s->kind == ST_LOAD || s->kind == ST_STORE) {
		use(u, s->mem.buffer);
		use_expr(u, s->mem.value);
		for (int i = 0; i < s->mem.buffer->rank; i++)
			use_expr(u, s->mem.idx[i]);
	}
	return true;
}

static void
find_uses(struct sn_printer *p, const struct sn_block *b, struct uses *u)
{
	*u = (struct uses){ .p = p };
	sn_map_init(&u->set, p->arena);
	sn_block_walk((struct sn_block *)b, use_stmt, u);
}

static bool
is_used(const struct uses *u, const void *object)
{
	return sn_map_get_num(&u->set, (uint64_t)(uintptr_t)object);
}

bool
sn_printer_needs_env(const struct sn_printer *p, const struct sn_func *f)
{
	struct uses u;

	find_uses((struct sn_printer *)p, &f->body, &u);
	return u.has_scratch || (u.has_parallel && p->is_threaded);
}

/* ---- parallel loops: a body function and its arguments ---- */

static void
arguments_struct(struct sn_printer *p, const struct uses *u, const char *body, bool has_env)
{
	struct sn_buf *out = &p->bodies;

	sn_buf_addf(out, "struct %s_args {\n", body);
	for (size_t i = 0; i < p->scope.n; i++)
		if (is_used(u, p->scope.v[i].object))
			sn_buf_addf(out, "\t%s;\n", p->scope.v[i].decl);
	sn_buf_add(out, has_env ? "\tconst struct env *env;\n" : "");
	sn_buf_add(out, "};\n\n");
}

static void
body_function(struct sn_printer *p, const struct uses *u, const struct sn_stmt *s, const char *body)
{
	struct sn_buf *out = &p->bodies;
	size_t mark = p->scope.n;
	struct sn_buf inner;

	sn_buf_addf(out, "static void\n%s(void *arg, int64_t ", body);
	sn_buf_init(&inner, p->arena);
	for (size_t i = 0; i < mark; i++)
		if (is_used(u, p->scope.v[i].object))
			sn_buf_addf(&inner, "\t%s = args->%s;\n", p->scope.v[i].decl,
				    p->scope.v[i].name);
	sn_buf_addf(out, "%s, int32_t worker)\n{\n",
		    declare(p, s->loop.axis, s->loop.axis->name, "int64_t"));
	sn_buf_addf(out, "\tconst struct %s_args *args = arg;\n%s", body, inner.text);
	sn_buf_add(out, u->has_scratch ? "\tconst struct env *env = args->env;\n" : "");
	sn_buf_add(out, "\n");
	if (!u->has_scratch)
		sn_buf_add(out, "\t(void)worker;\n");
	p->is_in_body = true;
	block(p, out, &s->loop.body, 1);
	p->is_in_body = false;
	sn_buf_add(out, "}\n\n");
	leave_scope(p, mark);
}

static void
parallel_loop(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const char *extent = sn_expr_text(p, s->loop.axis->extent, CP_ASSIGN);
	const char *body = ++p->nbodies > 1
				   ? sn_printf(p->arena, "%s_body%d", p->func_name, p->nbodies)
				   : sn_printf(p->arena, "%s_body", p->func_name);
	struct uses u;

	find_uses(p, &s->loop.body, &u);
	arguments_struct(p, &u, body, u.has_scratch);
	indent(out, depth);
	sn_buf_addf(out, "struct %s_args %s = {", body, body + strlen(p->func_name) + 1);
	for (size_t i = 0, n = 0; i < p->scope.n; i++)
		if (is_used(&u, p->scope.v[i].object))
			sn_buf_addf(out, "%s %s", n++ ? "," : "", p->scope.v[i].name);
	sn_buf_addf(out, "%s };\n\n", u.has_scratch ? ", env" : "");
	indent(out, depth);
	sn_buf_addf(out, "parallel_for(env, %s, &%s, %s);\n", body, body + strlen(p->func_name) + 1,
		    extent);
	body_function(p, &u, s, body);
}

/* ---- all together ---- */

static void
stmt(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	switch (s->kind) {
	case ST_FOR:
		if (s->loop.kind == LK_PARALLEL && p->is_threaded && !p->is_in_body)
			parallel_loop(p, out, s, depth);
		else
			plain_loop(p, out, s, depth);
		break;
	case ST_IF: branch(p, out, s, depth); break;
	case ST_LET: let(p, out, s, depth); break;
	case ST_LOAD: load(p, out, s, depth); break;
	case ST_STORE: store(p, out, s, depth); break;
	case ST_ALLOC: alloc(p, out, s->alloc.buffer, depth); break;
	case ST_BARRIER: sn_bug(p->arena->guard, "dialect %s has no barrier", p->dialect->name);
	}
}

/* "const float *restrict x" for parameter B. */
static const char *
parameter(struct sn_printer *p, const struct sn_buffer *b)
{
	declare_buffer(p, b);
	struct sn_named *n = &p->scope.v[p->scope.n - 1];

	if (!b->is_alias)
		n->decl = pointer_text(p, b, sn_printf(p->arena, "restrict %s", n->name));
	return n->decl;
}

/* Adds TEXT to a list that wraps at the hundredth column. */
static void
add_wrapped(struct sn_buf *out, size_t *line, const char *text, bool is_first)
{
	size_t used = out->len - *line;

	if (!is_first)
		sn_buf_add(out, ",");
	if (used + strlen(text) > 95) {
		*line = out->len + 1;
		sn_buf_add(out, "\n        ");
	} else if (!is_first) {
		sn_buf_add(out, " ");
	}
	sn_buf_add(out, text);
}

static void
signature(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f, bool has_env)
{
	bool is_first = true;
	size_t line;

	sn_buf_add(out, "static void\n");
	line = out->len;
	sn_buf_addf(out, "%s(", p->func_name);
	for (size_t i = 0; i < f->params.n; i++, is_first = false)
		add_wrapped(out, &line, parameter(p, f->params.v[i]), is_first);
	for (size_t i = 0; i < f->syms.n; i++, is_first = false) {
		const struct sn_sym *s = f->syms.v[i];

		declare(p, s, s->name, "int64_t");
		add_wrapped(out, &line, p->scope.v[p->scope.n - 1].decl, is_first);
	}
	if (has_env)
		add_wrapped(out, &line, "const struct env *env", is_first);
	sn_buf_add(out, is_first && !has_env ? "void)\n" : ")\n");
}

static void
unused(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f, const struct uses *u)
{
	for (size_t i = 0; i < f->params.n; i++)
		if (!is_used(u, f->params.v[i]))
			sn_buf_addf(out, "\t(void)%s;\n", name_of(p, f->params.v[i]));
	for (size_t i = 0; i < f->syms.n; i++)
		if (!is_used(u, f->syms.v[i]))
			sn_buf_addf(out, "\t(void)%s;\n", name_of(p, f->syms.v[i]));
}

void
sn_printer_func(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f, const char *name)
{
	struct uses u;
	struct sn_buf text;

	sn_buf_init(&text, p->arena);
	sn_buf_init(&p->bodies, p->arena);
	sn_map_init(&p->mask_bits, p->arena);
	sn_map_init(&p->index_locals, p->arena);
	reset_names(p);
	p->pool = f->pool;
	p->func_name = name;
	p->nbodies = 0;
	p->scratch = 0;
	find_uses(p, &f->body, &u);
	bool has_env = u.has_scratch || (u.has_parallel && p->is_threaded);

	p->has_env |= has_env;
	signature(p, &text, f, has_env);
	sn_buf_add(&text, "{\n");
	unused(p, &text, f, &u);
	block(p, &text, &f->body, 1);
	sn_buf_add(&text, "}\n");
	sn_buf_add(out, p->bodies.text);
	sn_buf_add(out, text.text);
}

/* The end of a helper with value Y. */
static void
helper_end(struct sn_printer *p, struct sn_buf *out, const char *y, const struct sn_local *x,
	   struct sn_beyond beyond)
{
	if (!beyond.name) {
		sn_buf_addf(out, "\n\treturn %s;\n}\n\n", y);
	} else if (x->lanes == 1) {
		sn_buf_addf(out, "\n\treturn fabsf(x) > %.1ff ? %sf(x) : %s;\n}\n\n", beyond.limit,
			    beyond.name, y);
	} else {
		sn_buf_addf(out, "\t%s result = %s;\n\n\tfor (int i = 0; i < %d; i++)\n",
			    sn_c_type(p, sn_ty_of(x->dtype, x->lanes, 0)), y, x->lanes);
		sn_buf_addf(
			out,
			"\t\tif (fabsf(x[i]) > %.1ff)\n\t\t\tresult[i] = %sf(x[i]);\n\treturn result;\n}\n\n",
			beyond.limit, beyond.name);
	}
}

void
sn_print_helper(struct sn_printer *p, const struct sn_func *f, const struct sn_local *x,
		const struct sn_expr *y, struct sn_beyond beyond)
{
	struct sn_printer outer = *p;
	const char *type = sn_c_type(p, sn_ty_of(x->dtype, x->lanes, 0));
	struct sn_buf text;

	sn_buf_init(&text, p->arena);
	reset_names(p);
	sn_map_init(&p->mask_bits, p->arena);
	sn_buf_addf(&text, "FN %s\n%s(%s)\n{\n", type, f->name,
		    sn_printf(p->arena, "%s %s", type, declare(p, x, x->name, type)));
	for (const struct sn_stmt *s = f->body.first; s; s = s->next)
		stmt(p, &text, s, 1);
	helper_end(p, &text, sn_expr_text(p, y, CP_COND + 1), x, beyond);
	sn_buf_add(&p->helpers, text.text);
	outer.types = p->types;
	outer.helpers = p->helpers;
	outer.seen = p->seen;
	*p = outer;
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
	sn_buf_add(out, p->dialect->prologue);
	sn_buf_addc(out, '\n');
	sn_buf_add(out, p->types.text);
	sn_buf_add(out, p->types.len ? "\n" : "");
	sn_buf_add(out, p->helpers.text);
	if (!p->has_env)
		return;
	sn_buf_add(out, env_text);
	sn_buf_add(out, p->scratch_max ? scratch_text : "");
	sn_buf_add(out, p->is_threaded ? parallel_text : "");
}

void
sn_print_func(struct sn_buf *out, const struct sn_dialect *d, const struct sn_func *f)
{
	struct sn_printer p;
	struct sn_buf body;

	sn_printer_init(&p, d, out->arena, f->pool);
	sn_buf_init(&body, out->arena);
	sn_printer_func(&p, &body, f, f->name);
	sn_buf_add(
		out,
		"#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
		"#include <string.h>\n\n");
	sn_printer_prologue(&p, out);
	sn_buf_add(out, body.text);
}

const struct sn_dialect *
sn_dialect_find(const char *name)
{
	static const struct sn_dialect *const all[] = { &sn_dialect_c, &sn_dialect_c99 };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const char *
sn_dialect_flags(const struct sn_dialect *d)
{
	return d->cc_flags;
}

bool
sn_dialect_has_vectors(const struct sn_dialect *d)
{
	return d->has_vectors;
}
