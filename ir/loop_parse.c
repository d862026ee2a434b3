/*
 * Parser of the loop level's text form; docs/ir.md has the grammar.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/loop_text.h"
#include "ir/text.h"

/* What a name stands for. */
struct binding {
	const char *name;
	const struct sn_expr *value;
	struct sn_buffer *buffer;
};

struct parser {
	struct sn_lex x;
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_builder b;
	struct sn_sym_scope syms;
	struct sn_map names;		/* visible: name -> struct binding */
	SN_VEC(struct binding *) scope; /* in order of declaration */
	struct sn_expr_scope exprs;
};

static const struct sn_expr *
find_leaf(void *arg, const char *name, bool is_quoted)
{
	struct parser *p = arg;
	const struct binding *b = sn_map_get(&p->names, name);
	const struct sn_sym *s = sn_map_get(&p->syms.by_name, name);

	(void)is_quoted;
	if (b)
		return b->value;
	return s ? sn_sym_expr(p->pool, s) : NULL;
}

static bool
bind(struct parser *p, const char *name, const struct sn_expr *value, struct sn_buffer *buffer)
{
	struct binding *b = SN_NEW(p->arena, struct binding);

	if (sn_map_get(&p->names, name))
		return sn_lex_error(&p->x, DG_TX_TWICE, "name", name);
	*b = (struct binding){ name, value, buffer };
	sn_map_put(&p->names, name, b);
	SN_PUSH(p->arena, &p->scope, b);
	return true;
}

static void
leave_scope(struct parser *p, size_t mark)
{
	while (p->scope.n > mark)
		sn_map_put(&p->names, p->scope.v[--p->scope.n]->name, NULL);
}

/* The current token's place in TEXTS, -1 if it is none of them. */
static int
which_word(struct parser *p, const char *const *texts)
{
	for (int i = 0; texts[i]; i++)
		if (p->x.token.kind == TK_NAME && strcmp(p->x.token.text, texts[i]) == 0)
			return i;
	return -1;
}

/* "f32", "f32x16" */
static bool
parse_type(struct parser *p, enum sn_dtype *out_type, int *out_lanes)
{
	const char *text = p->x.token.text;
	const char *times = p->x.token.kind == TK_NAME ? strchr(text, 'x') : NULL;
	const char *type = times ? sn_strndup(p->arena, text, (size_t)(times - text)) : text;

	*out_type = p->x.token.kind == TK_NAME ? sn_dtype_by_text(type) : DT_NONE;
	*out_lanes = times ? (int)strtol(times + 1, NULL, 10) : 1;
	if (*out_type == DT_NONE || *out_lanes < 1 || *out_lanes > 64)
		return sn_lex_expected(&p->x, "an element type");
	sn_lex_next(&p->x);
	return true;
}

/* "acc[14, 2] align 64"; fills in a buffer whose type has been read, and gives it its name. */
static bool
parse_buffer(struct parser *p, struct sn_buffer *buf)
{
	if (!sn_lex_name(&p->x, "a buffer's name", &buf->name) || !sn_lex_expect(&p->x, "["))
		return false;
	while (!sn_lex_is(&p->x, "]")) {
		if (buf->rank == (int)ARRAY_LEN(buf->dims))
			return sn_lex_expected(&p->x, "']'");
		buf->dims[buf->rank] = sn_index_parse(&p->x, p->pool, &p->exprs);
		if (!buf->dims[buf->rank++])
			return false;
		if (!sn_lex_take(&p->x, ","))
			break;
	}
	if (!sn_lex_expect(&p->x, "]"))
		return false;
	buf->is_alias = sn_lex_take(&p->x, "alias");
	if (sn_lex_take(&p->x, "align")) {
		int64_t align;

		if (!sn_lex_int(&p->x, "an alignment", &align))
			return false;
		buf->align = align >= 0 && align <= 4096 ? (int)align : 0;
	}
	return bind(p, buf->name, NULL, buf);
}

static bool
parse_param(struct parser *p)
{
	struct sn_func *f = p->b.func;
	struct sn_buffer *buf = SN_NEW(p->arena, struct sn_buffer);

	buf->is_const = sn_lex_take(&p->x, "const");
	buf->id = f->nbuffers++;
	if (!parse_type(p, &buf->dtype, &buf->lanes) || !parse_buffer(p, buf))
		return false;
	SN_PUSH(f->arena, &f->params, buf);
	return true;
}

/* ---- statements ---- */

static bool parse_block(struct parser *p);

static struct sn_stmt *
last_stmt(struct parser *p)
{
	return p->b.stack[p->b.depth]->last;
}

/* " @ Conv 3 "conv1"" after the statement S, which else has the origin of what it stands in. */
static bool
parse_origin(struct parser *p, struct sn_stmt *s)
{
	const struct sn_origin *o = NULL;

	if (!sn_lex_is(&p->x, "@"))
		return true;
	if (!sn_origin_parse(&p->x, p->arena, NULL, &o))
		return false;
	s->origin = o;
	return true;
}

/* Opening a block deeper than the builder goes is the text's fault. */
static bool
check_depth(struct parser *p)
{
	int most = (int)ARRAY_LEN(p->b.stack) - 2;

	return p->b.depth < most || sn_lex_error(&p->x, DG_TX_DEEP, most);
}

static bool
parse_nested(struct parser *p, const struct sn_origin *o)
{
	const struct sn_origin *outer = p->b.origin;
	size_t mark = p->scope.n;

	p->b.origin = o;
	if (!parse_block(p))
		return false;
	leave_scope(p, mark);
	p->b.origin = outer;
	return true;
}

static bool
parse_for(struct parser *p, enum sn_loop_kind kind)
{
	size_t mark = p->scope.n;
	const char *name;

	sn_lex_next(&p->x);
	if (!check_depth(p) || !sn_lex_name(&p->x, "an axis", &name) || !sn_lex_expect(&p->x, "<"))
		return false;
	const struct sn_expr *extent = sn_index_parse(&p->x, p->pool, &p->exprs);

	if (!extent)
		return false;
	const struct sn_axis *axis = sn_axis_new(p->pool, name, extent);

	sn_at_for_axis(&p->b, kind, axis);
	struct sn_stmt *s = p->b.stack[p->b.depth - 1]->last;

	if (!bind(p, name, sn_axis_expr(p->pool, axis), NULL) || !parse_origin(p, s)
	    || !parse_nested(p, s->origin))
		return false;
	leave_scope(p, mark);
	sn_at_end(&p->b);
	return true;
}

static bool
parse_if(struct parser *p)
{
	sn_lex_next(&p->x);
	const struct sn_expr *cond = sn_expr_parse(&p->x, p->pool, &p->exprs);

	if (!cond || !check_depth(p))
		return false;
	sn_at_if(&p->b, cond);
	struct sn_stmt *s = p->b.stack[p->b.depth - 1]->last;

	if (!parse_origin(p, s) || !parse_nested(p, s->origin))
		return false;
	if (sn_lex_take(&p->x, "else")) {
		sn_at_else(&p->b);
		if (!parse_nested(p, s->origin))
			return false;
	}
	sn_at_end(&p->b);
	return true;
}

static bool
parse_let(struct parser *p)
{
	const char *name;

	sn_lex_next(&p->x);
	if (!sn_lex_name(&p->x, "a name", &name) || !sn_lex_expect(&p->x, "="))
		return false;
	const struct sn_expr *value = sn_expr_parse(&p->x, p->pool, &p->exprs);

	return value && bind(p, name, sn_at_let(&p->b, name, value), NULL)
	       && parse_origin(p, last_stmt(p));
}

struct access {
	struct sn_buffer *buffer;
	const struct sn_expr *idx[6];
	int lanes, active;
	bool is_aligned;
};

/* " : 16 active 5", " : 16 aligned" */
static bool
parse_lanes(struct parser *p, struct access *a)
{
	int64_t lanes = a->buffer->lanes, active = 0;

	if (sn_lex_take(&p->x, ":") && !sn_lex_int(&p->x, "lanes", &lanes))
		return false;
	if (lanes < 1 || lanes > 64)
		return sn_lex_expected(&p->x, "1 to 64 lanes");
	a->is_aligned = sn_lex_take(&p->x, "aligned");
	if (sn_lex_take(&p->x, "active") && !sn_lex_int(&p->x, "lanes", &active))
		return false;
	if (active < 0 || active > lanes)
		return sn_lex_expected(&p->x, "fewer active lanes");
	a->lanes = (int)lanes;
	a->active = (int)active;
	return true;
}

/* "x[i, j : 16 active 5]" */
static bool
parse_access(struct parser *p, struct access *a)
{
	const char *name;

	if (!sn_lex_name(&p->x, "a statement", &name))
		return false;
	const struct binding *b = sn_map_get(&p->names, name);

	if (!b || !b->buffer)
		return sn_lex_error(&p->x, DG_TX_UNKNOWN, "buffer", name);
	a->buffer = b->buffer;
	if (!sn_lex_expect(&p->x, "["))
		return false;
	for (int i = 0; i < a->buffer->rank; i++) {
		if (i > 0 && !sn_lex_expect(&p->x, ","))
			return false;
		a->idx[i] = sn_index_parse(&p->x, p->pool, &p->exprs);
		if (!a->idx[i])
			return false;
	}
	return parse_lanes(p, a) && sn_lex_expect(&p->x, "]");
}

/* What the last statement has of A beside buffer, index and lanes. */
static void
set_lanes(struct parser *p, const struct access *a)
{
	last_stmt(p)->mem.active = a->active;
	last_stmt(p)->mem.is_aligned = a->is_aligned;
}

static bool
parse_load(struct parser *p)
{
	struct access a = { 0 };
	const char *name;

	sn_lex_next(&p->x);
	if (!sn_lex_name(&p->x, "a name", &name) || !sn_lex_expect(&p->x, "=")
	    || !parse_access(p, &a))
		return false;
	const struct sn_expr *v = sn_at_load_lanes(&p->b, name, a.buffer, a.idx, a.lanes, 0);

	set_lanes(p, &a);
	return bind(p, name, v, NULL) && parse_origin(p, last_stmt(p));
}

static bool
parse_store(struct parser *p)
{
	struct access a = { 0 };

	if (!parse_access(p, &a) || !sn_lex_expect(&p->x, "="))
		return false;
	const struct sn_expr *value = sn_expr_parse(&p->x, p->pool, &p->exprs);

	if (!value)
		return false;
	if (value->lanes == 1)
		value = sn_splat(p->pool, value, a.lanes);
	else if (value->lanes != a.lanes)
		return sn_lex_error(&p->x, DG_TX_OPERAND, a.buffer->name,
				    "a vector of another length");
	sn_at_store(&p->b, a.buffer, a.idx, value);
	set_lanes(p, &a);
	return parse_origin(p, last_stmt(p));
}

static bool
parse_prefetch(struct parser *p)
{
	struct access a = { 0 };

	sn_lex_next(&p->x);
	if (!parse_access(p, &a))
		return false;
	sn_at_prefetch(&p->b, a.buffer, a.idx);
	return parse_origin(p, last_stmt(p));
}

static bool
parse_alloc(struct parser *p)
{
	struct sn_buffer *buf = SN_NEW(p->arena, struct sn_buffer);

	sn_lex_next(&p->x);
	int space = which_word(p, sn_space_texts);

	if (space < 0)
		return sn_lex_expected(&p->x, "an address space");
	sn_lex_next(&p->x);
	buf->space = (enum sn_space)space;
	buf->id = p->b.func->nbuffers++;
	if (!parse_type(p, &buf->dtype, &buf->lanes) || !parse_buffer(p, buf))
		return false;
	struct sn_stmt *s = sn_stmt_new(p->arena, ST_ALLOC, p->b.origin);

	s->alloc.buffer = buf;
	sn_block_append(p->b.stack[p->b.depth], s);
	return parse_origin(p, s);
}

static bool
parse_check(struct parser *p)
{
	sn_lex_next(&p->x);
	const struct sn_expr *cond = sn_expr_parse(&p->x, p->pool, &p->exprs);

	if (!cond)
		return false;
	sn_at_check(&p->b, cond);
	return parse_origin(p, last_stmt(p));
}

/* "barrier", "barrier shared", "barrier global"; the word before is taken. */
static bool
parse_barrier(struct parser *p)
{
	unsigned orders = sn_lex_take(&p->x, "shared")	 ? SN_ORDERS_SHARED
			  : sn_lex_take(&p->x, "global") ? SN_ORDERS_GLOBAL
							 : SN_ORDERS_ALL;

	sn_at_barrier(&p->b, orders);
	return parse_origin(p, last_stmt(p));
}

static bool
parse_stmt(struct parser *p)
{
	int kind = which_word(p, sn_loop_kind_texts);

	if (kind >= 0)
		return parse_for(p, (enum sn_loop_kind)kind);
	if (sn_lex_is(&p->x, "if"))
		return parse_if(p);
	if (sn_lex_is(&p->x, "let"))
		return parse_let(p);
	if (sn_lex_is(&p->x, "load"))
		return parse_load(p);
	if (sn_lex_is(&p->x, "alloc"))
		return parse_alloc(p);
	if (sn_lex_is(&p->x, "prefetch"))
		return parse_prefetch(p);
	if (sn_lex_is(&p->x, "check"))
		return parse_check(p);
	if (sn_lex_take(&p->x, "barrier"))
		return parse_barrier(p);
	return parse_store(p);
}

/* "{ statements }" into the builder's block. */
static bool
parse_block(struct parser *p)
{
	if (!sn_lex_expect(&p->x, "{"))
		return false;
	while (!sn_lex_take(&p->x, "}"))
		if (p->x.has_failed || !parse_stmt(p))
			return false;
	return true;
}

static bool
parse_params(struct parser *p)
{
	if (!sn_lex_expect(&p->x, "("))
		return false;
	if (sn_lex_take(&p->x, ")"))
		return true;
	do {
		if (!parse_param(p))
			return false;
	} while (sn_lex_take(&p->x, ","));
	return sn_lex_expect(&p->x, ")");
}

static bool
parse_head(struct parser *p)
{
	struct sn_func *f = p->b.func;

	if (!sn_lex_expect(&p->x, "func") || !sn_lex_name(&p->x, "a function's name", &f->name)
	    || !sn_syms_parse(&p->x, &p->syms))
		return false;
	for (size_t i = 0; i < p->syms.by_name.n; i++)
		SN_PUSH(f->arena, &f->syms, p->syms.by_name.entries[i].value);
	if (!parse_params(p))
		return false;
	f->is_on_host = sn_lex_take(&p->x, "on");
	if (f->is_on_host && !sn_lex_expect(&p->x, "host"))
		return false;
	return !sn_lex_is(&p->x, "@") || sn_origin_parse(&p->x, p->arena, NULL, &f->origin);
}

static bool
parse_func(struct parser *p)
{
	if (!parse_head(p) || !parse_nested(p, p->b.func->origin))
		return false;
	return p->x.token.kind == TK_END || sn_lex_expected(&p->x, "the end");
}

struct sn_func *
sn_func_parse(const char *text, const char *file, struct sn_arena *a, struct sn_pool *pool,
	      struct sn_diags *diags)
{
	struct parser *p = SN_NEW(a, struct parser);
	struct sn_func *f = sn_func_new(a, pool, "");

	p->arena = a;
	p->pool = pool;
	p->exprs = (struct sn_expr_scope){ .leaf = find_leaf, .arg = p };
	sn_lex_init(&p->x, text, file, a, diags);
	sn_sym_scope_init(&p->syms, pool, a);
	sn_map_init(&p->names, a);
	sn_builder_init(&p->b, f);
	return parse_func(p) ? f : NULL;
}
