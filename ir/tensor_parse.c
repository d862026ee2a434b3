/*
 * Parser of programs of the tensor level (docs/ir.md).
 */
#include "ir/tensor_parse.h"

#include <string.h>

#include "ir/layout.h"

typedef struct sn_tensor_parser parser;

/* ---- names ---- */

/* "state0", "arg1", "other0" in the definition of a reducer. */
static const struct sn_expr *
reducer_leaf(parser *p, const char *name)
{
	static const char *const words[] = { "state", "other", "arg" };
	const struct sn_reducer *r = p->reducer;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i]);
		if (strncmp(name, words[i], n) || name[n] < '0' || name[n] > '3' || name[n + 1])
			continue;
		int k = name[n] - '0';
		if (k >= (i == 2 ? r->nargs : r->nstates))
			return NULL;
		return i == 0	? sn_state(p->pr->pool, r->state_types[k], k)
		       : i == 1 ? sn_other(p->pr->pool, r->state_types[k], k)
				: sn_arg(p->pr->pool, r->arg_types[k], k);
	}
	return NULL;
}

static const struct sn_expr *
find_leaf(void *arg, const char *name, bool is_quoted)
{
	parser *p = arg;
	const struct sn_expr *e = p->locals.arena ? sn_map_get(&p->locals, name) : NULL;
	const struct sn_sym *s = sn_map_get(&p->syms.by_name, name);
	if (!e && p->reducer && !is_quoted)
		e = reducer_leaf(p, name);
	return e || !s ? e : sn_sym_expr(p->pr->pool, s);
}

static const struct sn_tensor *
find_tensor(void *arg, const char *name)
{
	parser *p = arg;
	return p->reducer ? NULL : sn_map_get(&p->tensors, name);
}

static void
tensor_shape(const struct sn_tensor *t, int *out_rank, enum sn_dtype *out_dtype)
{
	*out_rank = t->type.rank;
	*out_dtype = t->type.dtype;
}

/* ---- tensors ---- */

static bool
parse_tensor_type(parser *p, struct sn_type *t)
{
	struct sn_lex mark = p->x;
	if (!sn_type_parse(&p->x, &p->syms, t))
		return false;
	bool ok = t->kind == TY_TENSOR && t->rank >= 0;
	for (int i = 0; ok && i < t->rank; i++)
		ok = t->dims[i] != NULL;
	if (ok)
		return true;
	p->x = mark;
	return sn_lex_expected(&p->x, "a tensor type with known dimensions");
}

/* "on host" */
static bool
parse_host(parser *p, bool *out)
{
	*out = sn_lex_take(&p->x, "on");
	return !*out || sn_lex_expect(&p->x, "host");
}

/* "scratch", "view x at 16", "inplace x", "on host", a layout */
static bool
parse_store(parser *p, struct sn_tensor *t)
{
	const char *base;
	struct sn_lex mark = p->x;
	bool is_on_host;
	if (sn_lex_take(&p->x, "scratch")) {
		t->store = TS_SCRATCH;
	} else if (sn_lex_is(&p->x, "view") || sn_lex_is(&p->x, "inplace")) {
		t->store = sn_lex_is(&p->x, "view") ? TS_VIEW : TS_INPLACE;
		sn_lex_next(&p->x);
		if (!sn_lex_name(&p->x, "a tensor", &base))
			return false;
		SN_PUSH(p->pr->arena, &p->bases, (struct sn_pending_base){ t, base, mark });
		if (sn_lex_take(&p->x, "at")
		    && !(t->base_offset = sn_index_parse(&p->x, p->pr->pool, &p->syms.exprs)))
			return false;
	}
	if (!parse_host(p, &is_on_host))
		return false;
	t->place = is_on_host ? PLACE_HOST : PLACE_TARGET;
	p->pr->has_transfers |= is_on_host;
	if (!sn_lex_is(&p->x, "{"))
		return true;
	t->layout = sn_layout_parse(&p->x, p->pr->pool, &t->type);
	return t->layout != NULL;
}

static bool
parse_data(parser *p, struct sn_tensor *t)
{
	int64_t n;
	if (!sn_type_is_static(&t->type, &n))
		return sn_lex_expected(&p->x, "a constant of constant dimensions");
	return sn_lex_expect(&p->x, "=")
	       && sn_data_parse(&p->x, p->pr->arena, t->type.dtype, (size_t)n, &t->data);
}

static bool
parse_tensor(parser *p, enum sn_tensor_role role)
{
	struct sn_type type;
	const char *name;
	struct sn_lex mark;
	if (!parse_tensor_type(p, &type))
		return false;
	mark = p->x;
	if (!sn_lex_name(&p->x, "a tensor's name", &name))
		return false;
	if (sn_map_get(&p->tensors, name)) {
		p->x = mark;
		return sn_lex_error(&p->x, DG_TX_TWICE, "tensor", name);
	}
	struct sn_tensor *t = sn_tensor_new(p->pr, name, &type, role);
	sn_map_put(&p->tensors, name, t);
	if (role == TR_INPUT)
		sn_sym_note_input(&type, t->role_index);
	return parse_store(p, t) && (role != TR_CONST || parse_data(p, t))
	       && sn_origin_parse(&p->x, p->pr->arena, p->file, &t->origin);
}

/* True if the current word is a role, which is consumed. */
static bool
take_role(parser *p, enum sn_tensor_role *out)
{
	static const char *const words[] = {
		[TR_INPUT] = "input",
		[TR_OUTPUT] = "output",
		[TR_CONST] = "const",
		[TR_TEMP] = "temp",
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		*out = (enum sn_tensor_role)i;
		if (sn_lex_take(&p->x, words[i]))
			return true;
	}
	return false;
}

/* ---- kernels ---- */

static bool
parse_knobs(parser *p, struct sn_kernel *k)
{
	if (!sn_lex_take(&p->x, "("))
		return true;
	do {
		const char *name;
		int64_t value;
		if (!sn_lex_name(&p->x, "a knob", &name) || !sn_lex_expect(&p->x, "=")
		    || !sn_lex_int(&p->x, "its value", &value))
			return false;
		sn_kernel_set_knob(p->pr, k, name, value);
	} while (sn_lex_take(&p->x, ","));
	return sn_lex_expect(&p->x, ")");
}

/* "on host" and why, "transfer", or nothing */
static bool
parse_place(parser *p, struct sn_kernel *k)
{
	bool is_on_host;
	if (!parse_host(p, &is_on_host))
		return false;
	if (is_on_host)
		k->place = PLACE_HOST;
	else if (sn_lex_take(&p->x, "transfer"))
		k->place = PLACE_TRANSFER;
	p->pr->has_transfers |= k->place == PLACE_TRANSFER;
	return p->x.token.kind != TK_STRING || sn_lex_string(&p->x, "why", &k->why);
}

static bool
parse_kernel_head(parser *p, struct sn_kernel *k)
{
	int64_t shared = 0;
	if (sn_lex_take(&p->x, "shared") && !sn_lex_int(&p->x, "a number of axes", &shared))
		return false;
	if (shared < 0 || shared > SN_MAX_AXES)
		return sn_lex_expected(&p->x, "a number of axes from 0 to 16 before it");
	k->nshared = (int)shared;
	if (!parse_place(p, k))
		return false;
	if (sn_lex_take(&p->x, "schedule") && !sn_lex_name(&p->x, "a schedule", &k->schedule))
		return false;
	return parse_knobs(p, k) && sn_origin_parse(&p->x, p->pr->arena, p->file, &k->origin)
	       && sn_lex_expect(&p->x, "{");
}

static bool
parse_kernel(parser *p)
{
	const char *name;
	struct sn_lex mark = p->x;
	if (!sn_lex_name(&p->x, "a kernel's name", &name))
		return false;
	struct sn_kernel *k = sn_kernel_new(p->pr, name);
	if (strcmp(k->name, name)) {
		p->x = mark;
		return sn_lex_error(&p->x, DG_TX_TWICE, "kernel", name);
	}
	if (!parse_kernel_head(p, k))
		return false;
	while (!sn_lex_is(&p->x, "}"))
		if (!sn_comp_parse(p, k))
			return false;
	sn_lex_next(&p->x);
	SN_PUSH(p->pr->arena, &p->pr->kernels, k);
	return true;
}

/* ---- the program ---- */

/* Bases of views, which may stand after them. */
static bool
resolve_bases(parser *p)
{
	for (size_t i = 0; i < p->bases.n; i++) {
		struct sn_pending_base *b = &p->bases.v[i];
		b->tensor->base = sn_map_get(&p->tensors, b->name);
		if (!b->tensor->base) {
			p->x = b->mark;
			return sn_lex_error(&p->x, DG_TX_UNKNOWN, "tensor", b->name);
		}
	}
	return true;
}

static bool
parse_item(parser *p)
{
	enum sn_tensor_role role;
	if (take_role(p, &role))
		return parse_tensor(p, role);
	if (sn_lex_take(&p->x, "reducer"))
		return sn_reducer_parse(p);
	if (sn_lex_take(&p->x, "kernel"))
		return parse_kernel(p);
	if (sn_lex_is(&p->x, "require"))
		return sn_require_parse(&p->x, p->pr->arena, p->pr->pool, &p->syms, p->file,
					&p->pr->requires);
	return sn_lex_expected(&p->x, "a tensor, a requirement, a reducer or a kernel");
}

struct sn_program *
sn_program_parse(const char *text, const char *file, struct sn_arena *a, struct sn_pool *pool,
		 struct sn_diags *diags)
{
	parser p = { .file = file };
	const char *name;
	sn_lex_init(&p.x, text, file, a, diags);
	sn_sym_scope_init(&p.syms, pool, a);
	sn_map_init(&p.tensors, a);
	sn_map_init(&p.reducers, a);
	p.scope = (struct sn_expr_scope){ find_leaf, find_tensor, tensor_shape, &p };
	if (!sn_lex_expect(&p.x, "program") || !sn_lex_name(&p.x, "a name", &name))
		return NULL;
	p.pr = sn_program_new(a, pool, name);
	p.file = NULL;
	if (sn_lex_take(&p.x, "in") && !sn_lex_string(&p.x, "the model file's name", &p.file))
		return NULL;
	if (!sn_syms_parse(&p.x, &p.syms) || !sn_lex_expect(&p.x, "{"))
		return NULL;
	while (!sn_lex_is(&p.x, "}"))
		if (!parse_item(&p))
			return NULL;
	sn_lex_next(&p.x);
	if (p.x.token.kind != TK_END)
		sn_lex_expected(&p.x, "the end");
	return !p.x.has_failed && resolve_bases(&p) ? p.pr : NULL;
}
