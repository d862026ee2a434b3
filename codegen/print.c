/*
 * Functions and statements as text.
 *
 * Every choice was made before: the printer only finds names, indents, and asks the dialect.
 */
#include <string.h>
#include "codegen/print.h"

static void stmt(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth);

void
sn_printer_init(struct sn_printer *p, const struct sn_dialect *d, struct sn_arena *a,
		struct sn_pool *pool)
{
	*p = (struct sn_printer){ .dialect = d, .arena = a, .pool = pool };
	sn_buf_init(&p->types, a);
	sn_buf_init(&p->helpers, a);
	sn_map_init(&p->seen, a);
}

/* ---- loads and stores ---- */

static const char *
element(struct sn_printer *p, const struct sn_buffer *b, const struct sn_expr *const *idx)
{
	struct sn_buf t;

	sn_buf_init(&t, p->arena);
	sn_buf_add(&t, sn_name_of(p, b));
	for (int i = 0; i < b->rank; i++)
		sn_buf_addf(&t, "[%s]", sn_expr_text(p, idx[i], CP_ASSIGN));
	if (b->rank == 0)
		sn_buf_add(&t, "[0]");
	return t.text;
}

static const struct sn_mem_row *
find_mem(struct sn_printer *p, char class, enum sn_mem_how how)
{
	for (int i = 0; p->dialect->tables[i]; i++)
		for (const struct sn_mem_row *r = p->dialect->tables[i]->mems; r->classes; r++)
			if (strchr(r->classes, class) && r->how == how)
				return r;
	if (how == MEM_ALIGNED)
		return find_mem(p, class, MEM_ALL);
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
	enum sn_mem_how how = s->mem.active && s->mem.active < lanes ? MEM_PART
			      : s->mem.is_aligned		     ? MEM_ALIGNED
								     : MEM_ALL;

	if (b->lanes > 1)
		return value ? sn_printf(p->arena, "%s = %s", at, value->text) : at;
	const struct sn_mem_row *r = find_mem(p, memory_class(b->dtype, lanes), how);
	struct sn_piece ops[2] = { { at, CP_PRIMARY, NULL }, { "", CP_PRIMARY, NULL } };
	struct sn_fill f = {
		.ty = ty,
		.src = ty,
		.ops = ops,
		.strength = CP_ASSIGN,
		.base = sn_name_of(p, b),
		.space = sn_space_text(p, b),
		.touched = s->mem.active,
		.index = b->rank ? sn_expr_text(p, s->mem.idx[0], CP_PRODUCT) : "0",
	};

	if (value)
		ops[1] = *value;
	sn_need_helpers(p, value ? r->store_helper : r->load_helper, ty, ty);
	return sn_fill(p, value ? r->store : r->load, &f);
}

/* "const float a = VALUE;", where L is named from now on. */
static const char *
constant(struct sn_printer *p, const struct sn_local *l, struct sn_ty ty, const char *value)
{
	const char *type = sn_printf(p->arena, "const %s", sn_c_type(p, ty));

	return sn_printf(p->arena, "%s %s = %s;", type, sn_declare(p, l, l->name, type), value);
}

static void
load(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_local *l = s->mem.local;
	struct sn_ty ty = sn_ty_of(l->dtype, l->lanes, 8);
	const char *text = access(p, s, l->lanes, NULL, ty);

	if (l->dtype == DT_BOOL && l->lanes > 1)
		sn_map_put_num(&p->mask_bits, (uint64_t)l->id, (void *)(uintptr_t)8);
	sn_add_wrapped(out, depth, constant(p, l, ty, text));
}

static void
store(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_expr *v = s->mem.value;
	struct sn_piece x = sn_piece_of(p, v, v->dtype == DT_BOOL && v->lanes > 1 ? 8 : 0);

	struct sn_ty ty = sn_ty_of((enum sn_dtype)v->dtype, v->lanes, 8);

	sn_add_wrapped(out, depth, sn_printf(p->arena, "%s;", access(p, s, v->lanes, &x, ty)));
}

/* A hint, so a dialect may have no words for it. */
static void
prefetch(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	if (p->dialect->prefetch)
		sn_add_wrapped(out, depth,
			       sn_printf(p->arena, p->dialect->prefetch,
					 element(p, s->mem.buffer, s->mem.idx)));
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
	sn_add_wrapped(out, depth, constant(p, l, sn_ty_of(l->dtype, l->lanes, bits), text));
}

/* ---- loops ---- */

void
sn_print_stmts(struct sn_printer *p, struct sn_buf *out, const struct sn_block *b, int depth)
{
	for (const struct sn_stmt *s = b->first; s; s = s->next)
		stmt(p, out, s, depth);
}

void
sn_print_block(struct sn_printer *p, struct sn_buf *out, const struct sn_block *b, int depth)
{
	size_t mark = p->scope.n;

	sn_print_stmts(p, out, b, depth);
	sn_leave_scope(p, mark);
}

static void
plain_loop(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_axis *axis = s->loop.axis;
	const char *extent = sn_expr_text(p, axis->extent, CP_SHIFT);
	size_t mark = p->scope.n;
	const char *type = sn_c_scalar(p, DT_I64), *name = sn_declare(p, axis, axis->name, type);
	int64_t n;

	if (s->loop.kind == LK_UNROLLED && p->dialect->unroll && sn_get_int(axis->extent, &n)
	    && n > 1) {
		sn_indent(out, depth);
		sn_buf_addf(out, p->dialect->unroll, (long long)n);
	}
	sn_indent(out, depth);
	sn_buf_addf(out, "for (%s %s = 0; %s < %s; %s++) {\n", type, name, name, extent, name);
	sn_print_block(p, out, &s->loop.body, depth + 1);
	sn_indent(out, depth);
	sn_buf_add(out, "}\n");
	sn_leave_scope(p, mark);
}

static void
branch(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	sn_indent(out, depth);
	sn_buf_addf(out, "if (%s) {\n", sn_expr_text(p, s->cond.cond, CP_COMMA));
	sn_print_block(p, out, &s->cond.then, depth + 1);
	if (s->cond.otherwise.first) {
		sn_indent(out, depth);
		sn_buf_add(out, "} else {\n");
		sn_print_block(p, out, &s->cond.otherwise, depth + 1);
	}
	sn_indent(out, depth);
	sn_buf_add(out, "}\n");
}

static void
check(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	p->has_check = true;
	if (p->dialect->kernel) {
		sn_print_kernel_check(p, out, s, depth);
		return;
	}
	sn_add_wrapped(out, depth,
		       sn_printf(p->arena, "check_index(env, %s, %s);",
				 p->is_in_body ? "worker" : "0",
				 sn_expr_text(p, s->check.cond, CP_ASSIGN)));
}

/* ---- all together ---- */

static bool
is_launch_kind(enum sn_loop_kind kind)
{
	return kind == LK_GRID || kind == LK_ITEM;
}

static void
stmt(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	switch (s->kind) {
	case ST_FOR:
		if (s->loop.kind == LK_PARALLEL && p->is_threaded && !p->is_in_body)
			sn_print_parallel(p, out, s, depth);
		else if (p->dialect->kernel && is_launch_kind(s->loop.kind))
			sn_print_launch_loop(p, out, s, depth);
		else
			plain_loop(p, out, s, depth);
		break;
	case ST_IF: branch(p, out, s, depth); break;
	case ST_LET: let(p, out, s, depth); break;
	case ST_LOAD: load(p, out, s, depth); break;
	case ST_STORE: store(p, out, s, depth); break;
	case ST_ALLOC: sn_print_alloc(p, out, s->alloc.buffer, depth); break;
	case ST_CHECK: check(p, out, s, depth); break;
	case ST_BARRIER: sn_print_barrier(p, out, s, depth); break;
	case ST_PREFETCH: prefetch(p, out, s, depth); break;
	}
}

/* "const float *restrict x" for parameter B. */
static const char *
parameter(struct sn_printer *p, const struct sn_buffer *b)
{
	sn_declare_buffer(p, b);
	struct sn_named *n = &p->scope.v[p->scope.n - 1];

	if (!b->is_alias)
		n->decl = sn_pointer_text(p, b, sn_printf(p->arena, "restrict %s", n->name));
	return n->decl;
}

void
sn_add_to_list(struct sn_buf *out, size_t *line, const char *text, bool is_first)
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
		sn_add_to_list(out, &line, parameter(p, f->params.v[i]), is_first);
	for (size_t i = 0; i < f->syms.n; i++, is_first = false) {
		const struct sn_sym *s = f->syms.v[i];

		sn_declare(p, s, s->name, "int64_t");
		sn_add_to_list(out, &line, p->scope.v[p->scope.n - 1].decl, is_first);
	}
	if (has_env)
		sn_add_to_list(out, &line, "const struct env *env", is_first);
	sn_buf_add(out, is_first && !has_env ? "void)\n" : ")\n");
}

static void
unused(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f, const struct sn_uses *u)
{
	for (size_t i = 0; i < f->params.n; i++)
		if (!sn_is_used(u, f->params.v[i]))
			sn_buf_addf(out, "\t(void)%s;\n", sn_name_of(p, f->params.v[i]));
	for (size_t i = 0; i < f->syms.n; i++)
		if (!sn_is_used(u, f->syms.v[i]))
			sn_buf_addf(out, "\t(void)%s;\n", sn_name_of(p, f->syms.v[i]));
}

void
sn_begin_function(struct sn_printer *p, const struct sn_func *f, const char *name)
{
	sn_buf_init(&p->bodies, p->arena);
	sn_map_init(&p->mask_bits, p->arena);
	sn_map_init(&p->index_locals, p->arena);
	sn_reset_names(p);
	p->pool = f->pool;
	p->func_name = name;
	p->nbodies = 0;
	p->scratch = 0;
}

void
sn_printer_func(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f, const char *name)
{
	struct sn_uses u;
	struct sn_buf text;

	sn_buf_init(&text, p->arena);
	sn_begin_function(p, f, name);
	sn_find_uses(p, &f->body, &u);
	bool has_env = u.has_worker || (u.has_parallel && p->is_threaded);

	p->has_env |= has_env;
	signature(p, &text, f, has_env);
	sn_buf_add(&text, "{\n");
	unused(p, &text, f, &u);
	sn_print_block(p, &text, &f->body, 1);
	sn_buf_add(&text, "}\n");
	sn_buf_add(out, p->bodies.text);
	sn_buf_add(out, text.text);
}

void
sn_print_helper(struct sn_printer *p, const struct sn_func *f, const struct sn_local *x,
		const struct sn_expr *y, const char *beyond)
{
	struct sn_printer outer = *p;
	const char *type = sn_c_type(p, sn_ty_of(x->dtype, x->lanes, 0));
	struct sn_buf text;

	sn_buf_init(&text, p->arena);
	sn_reset_names(p);
	sn_map_init(&p->mask_bits, p->arena);
	sn_buf_addf(&text, "FN %s\n%s(%s)\n{\n", type, f->name,
		    sn_printf(p->arena, "%s %s", type, sn_declare(p, x, x->name, type)));
	for (const struct sn_stmt *s = f->body.first; s; s = s->next)
		stmt(p, &text, s, 1);
	const char *result = sn_expr_text(p, y, CP_ASSIGN);

	if (beyond) {
		struct sn_ty ty = { x->dtype, x->lanes };
		struct sn_fill fill = { .ty = ty };

		sn_need_helpers(p, beyond, ty, ty);
		result = sn_printf(p->arena, "%s%s(%s, %s)", beyond, sn_fill(p, "_$v", &fill),
				   sn_name_of(p, x), result);
	}
	sn_buf_addf(&text, "\n\treturn %s;\n}\n\n", result);
	sn_buf_add(&p->helpers, text.text);
	outer.types = p->types;
	outer.helpers = p->helpers;
	outer.seen = p->seen;
	*p = outer;
}

void
sn_print_kernel(struct sn_buf *out, const struct sn_dialect *d, const struct sn_func *f,
		const int *slots)
{
	struct sn_printer p;
	struct sn_buf body;

	sn_printer_init(&p, d, out->arena, f->pool);
	sn_buf_init(&body, out->arena);
	if (d->kernel)
		sn_printer_kernel(&p, &body, f, f->name, slots);
	else
		sn_printer_func(&p, &body, f, f->name);
	sn_buf_add(out, d->includes);
	sn_printer_prologue(&p, out);
	sn_buf_add(out, body.text);
}

void
sn_print_func(struct sn_buf *out, const struct sn_dialect *d, const struct sn_func *f)
{
	sn_print_kernel(out, d, f, NULL);
}

const struct sn_dialect *
sn_dialect_find(const char *name)
{
	static const struct sn_dialect *const all[] = { &sn_dialect_c, &sn_dialect_c99,
							&sn_dialect_opencl };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const char *
sn_dialect_flags(const struct sn_dialect *d)
{
	return d->kernel ? sn_dialect_c99.flags : d->flags;
}

bool
sn_dialect_has_vectors(const struct sn_dialect *d)
{
	return d->has_vectors;
}

bool
sn_dialect_is_device(const struct sn_dialect *d)
{
	return d->kernel;
}
