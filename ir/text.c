/*
 * Shared pieces of the text forms: symbols, types, origins.
 */
#include <string.h>
#include "ir/text.h"

/* ---- symbols ----------------------------------------------------------------------------- */

static const struct sn_expr *
leaf_symbol(void *arg, const char *name, bool is_quoted)
{
	(void)is_quoted;
	struct sn_sym_scope *s = arg;
	return sn_sym_expr(s->pool, sn_sym_scope_get(s, name, 1, INT64_MAX));
}

void
sn_sym_scope_init(struct sn_sym_scope *s, struct sn_pool *p, struct sn_arena *a)
{
	*s = (struct sn_sym_scope){ .pool = p };
	sn_map_init(&s->by_name, a);
	s->exprs = (struct sn_expr_scope){ .leaf = leaf_symbol, .arg = s };
}

struct sn_sym *
sn_sym_scope_get(struct sn_sym_scope *s, const char *name, int64_t lo, int64_t hi)
{
	struct sn_sym *sym = sn_map_get(&s->by_name, name);
	for (int i = 0; !sym && i < s->pool->nsyms; i++) {
		struct sn_sym *known = s->pool->syms[i];
		if (strcmp(known->name, name) == 0 && known->lo == lo && known->hi == hi)
			sym = known;
	}
	if (!sym)
		sym = sn_sym_new(s->pool, name, lo, hi);
	sn_map_put(&s->by_name, name, sym);
	return sym;
}

static bool
parse_symbol(struct sn_lex *x, struct sn_sym_scope *s)
{
	const char *name;
	int64_t lo, hi = INT64_MAX;
	struct sn_lex mark = *x;
	if (!sn_lex_name(x, "a symbol", &name) || !sn_lex_expect(x, "in")
	    || !sn_lex_int(x, "a bound", &lo) || !sn_lex_expect(x, ".."))
		return false;
	if (!sn_lex_take(x, "*") && !sn_lex_int(x, "a bound or '*'", &hi))
		return false;
	if (sn_map_get(&s->by_name, name)) {
		sn_lex_back(x, &mark);
		return sn_lex_error(x, DG_TX_TWICE, "symbol", name);
	}
	if (lo > hi)
		return sn_lex_expected(x, "a lower bound below the upper one");
	sn_sym_scope_get(s, name, lo, hi);
	return true;
}

bool
sn_syms_parse(struct sn_lex *x, struct sn_sym_scope *s)
{
	if (!sn_lex_take(x, "["))
		return true;
	do {
		if (!parse_symbol(x, s))
			return false;
	} while (sn_lex_take(x, ","));
	return sn_lex_expect(x, "]");
}

void
sn_sym_note_input(const struct sn_type *t, int input)
{
	for (int i = 0; i < t->rank; i++) {
		if (!t->dims[i] || t->dims[i]->kind != EX_SYM)
			continue;
		/* the one place that completes a symbol after it was made */
		struct sn_sym *s = (struct sn_sym *)t->dims[i]->sym;
		if (!s->is_dim) {
			s->is_dim = true;
			s->input = input;
			s->axis = i;
		}
	}
}

void
sn_sym_list_init(struct sn_sym_list *l, struct sn_arena *a)
{
	*l = (struct sn_sym_list){ .arena = a };
	sn_map_init(&l->seen, a);
}

void
sn_sym_list_add(struct sn_sym_list *l, const struct sn_expr *e)
{
	if (!e || e->kind == EX_CONST || sn_map_get_num(&l->seen, e->id))
		return;
	sn_map_put_num(&l->seen, e->id, l);
	if (e->kind == EX_SYM)
		SN_PUSH(l->arena, &l->list, e->sym);
	for (int i = 0; i < e->nargs; i++)
		sn_sym_list_add(l, e->args[i]);
}

void
sn_sym_list_add_type(struct sn_sym_list *l, const struct sn_type *t)
{
	for (; t->kind != TY_TENSOR && t->elem; t = t->elem)
		;
	for (int i = 0; i < t->rank; i++)
		sn_sym_list_add(l, t->dims[i]);
}

void
sn_syms_print(struct sn_buf *out, const struct sn_sym_list *l)
{
	for (size_t i = 0; i < l->list.n; i++) {
		const struct sn_sym *s = l->list.v[i];
		sn_buf_add(out, i ? ", " : "[");
		sn_lex_print_name(out, s->name, NULL);
		sn_buf_addf(out, " in %lld..", (long long)s->lo);
		if (s->hi == INT64_MAX)
			sn_buf_addc(out, '*');
		else
			sn_buf_addf(out, "%lld", (long long)s->hi);
	}
	if (l->list.n)
		sn_buf_addc(out, ']');
}

/* ---- types ------------------------------------------------------------------------------- */

bool
sn_lex_is_type(const struct sn_lex *x)
{
	return x->token.kind == TK_NAME
	       && (sn_dtype_by_text(x->token.text) != DT_NONE || sn_lex_is(x, "seq")
		   || sn_lex_is(x, "optional"));
}

static bool
parse_dims(struct sn_lex *x, struct sn_sym_scope *s, struct sn_type *out)
{
	if (sn_lex_take(x, "*")) {
		out->rank = -1;
		return sn_lex_expect(x, "]");
	}
	do {
		if (out->rank == SN_MAX_RANK)
			return sn_lex_expected(x, "']', there are too many dimensions");
		if (!sn_lex_take(x, "?")
		    && !(out->dims[out->rank] = sn_index_parse(x, s->pool, &s->exprs)))
			return false;
		out->rank++;
	} while (sn_lex_take(x, ","));
	return sn_lex_expect(x, "]");
}

/* "seq(" or "optional(" has been read but for the parenthesis. */
static bool
parse_container(struct sn_lex *x, struct sn_sym_scope *s, struct sn_type *out)
{
	struct sn_type *elem = SN_NEW(x->arena, struct sn_type);
	out->elem = elem;
	bool ok = sn_lex_enter(x) && sn_lex_expect(x, "(") && sn_type_parse(x, s, elem)
		  && sn_lex_expect(x, ")");
	sn_lex_leave(x);
	return ok;
}

bool
sn_type_parse(struct sn_lex *x, struct sn_sym_scope *s, struct sn_type *out)
{
	*out = (struct sn_type){ .kind = TY_TENSOR };
	if (sn_lex_take(x, "seq")) {
		out->kind = TY_SEQUENCE;
		return parse_container(x, s, out);
	}
	if (sn_lex_take(x, "optional")) {
		out->kind = TY_OPTIONAL;
		return parse_container(x, s, out);
	}
	if (!sn_lex_is_type(x))
		return sn_lex_expected(x, "a type");
	out->dtype = sn_dtype_by_text(x->token.text);
	sn_lex_next(x);
	return sn_lex_take(x, "[") ? parse_dims(x, s, out) : true;
}

/* ---- origins ----------------------------------------------------------------------------- */

void
sn_origin_print_text(struct sn_buf *out, const struct sn_origin *o, const char *file)
{
	for (int i = 0; o && i < o->n; i++) {
		const struct sn_origin_node *n = o->nodes[i];
		sn_buf_add(out, i ? ", " : " @ ");
		sn_lex_print_name(out, n->op ? n->op : "", NULL);
		sn_buf_addf(out, " %d ", n->index);
		sn_buf_add_quoted(out, n->name ? n->name : "");
		if (n->file && (!file || strcmp(file, n->file) != 0)) {
			sn_buf_add(out, " in ");
			sn_buf_add_quoted(out, n->file);
		}
	}
}

bool
sn_origin_parse(struct sn_lex *x, struct sn_arena *a, const char *file,
		const struct sn_origin **out)
{
	*out = NULL;
	if (!sn_lex_take(x, "@"))
		return true;
	do {
		const char *op, *name, *in = file;
		int64_t index;
		if (!sn_lex_name(x, "an operator", &op) || !sn_lex_int(x, "a node's number", &index)
		    || !sn_lex_string(x, "a node's name between quotes", &name))
			return false;
		if (index < -1 || index > INT32_MAX)
			return sn_lex_expected(x, "a smaller node number before it");
		if (sn_lex_take(x, "in") && !sn_lex_string(x, "a file's name", &in))
			return false;
		*out = sn_origin_join(a, *out, sn_origin_of(a, in, op, name, (int)index));
	} while (sn_lex_take(x, ","));
	return true;
}
