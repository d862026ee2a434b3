/*
 * Parser of comprehensions and reducers (docs/ir.md).
 */
#include <string.h>

#include "ir/tensor_parse.h"

typedef struct sn_tensor_parser parser;

static bool
bind(parser *p, const char *what, const char *name, const struct sn_expr *e)
{
	if (sn_map_get(&p->locals, name))
		return sn_lex_error(&p->x, DG_TX_TWICE, what, name);
	sn_map_put(&p->locals, name, (void *)(uintptr_t)e);
	return true;
}

/* An axis of a later stage that the kernel shares is the first stage's. */
static const struct sn_axis *
shared_axis(parser *p, const struct sn_kernel *k, int i, const char *name,
	    const struct sn_expr *extent)
{
	if (k->stages.n == 0 || i >= k->nshared)
		return sn_axis_new(p->pr->pool, name, extent);
	const struct sn_axis *a = k->stages.v[0]->axes[i];
	if (a && !strcmp(a->name, name) && a->extent == extent)
		return a;
	sn_lex_error(&p->x, DG_TX_SHARED, name);
	return NULL;
}

/* "n<1, m<64" up to a sign that can't go on; K is NULL for reduction axes. */
static bool
parse_axes(parser *p, const struct sn_kernel *k, const struct sn_axis **axes, int *n)
{
	do {
		const char *name;
		const struct sn_expr *extent;
		struct sn_lex mark = p->x;
		if (!sn_lex_name(&p->x, "an axis", &name) || !sn_lex_expect(&p->x, "<")
		    || !(extent = sn_index_parse(&p->x, p->pr->pool, &p->syms.exprs)))
			return false;
		if (*n == SN_MAX_AXES) {
			p->x = mark;
			return sn_lex_expected(&p->x, "at most 16 axes");
		}
		axes[*n] = k ? shared_axis(p, k, *n, name, extent)
			     : sn_axis_new(p->pr->pool, name, extent);
		if (!axes[*n] || !bind(p, "axis", name, sn_axis_expr(p->pr->pool, axes[*n])))
			return false;
		++*n;
	} while (sn_lex_take(&p->x, ","));
	return true;
}

/* Is the current token the word S, and something that can't follow a tensor's name after it? */
static bool
is_word(const parser *p, const char *s)
{
	if (p->x.token.kind != TK_NAME || strcmp(p->x.token.text, s))
		return false;
	struct sn_lex ahead = p->x;
	sn_lex_next(&ahead);
	return ahead.token.kind == TK_NAME || ahead.token.kind == TK_STRING
	       || sn_lex_is(&ahead, ":");
}

static bool
parse_let(parser *p)
{
	const char *name;
	const struct sn_expr *e;
	sn_lex_next(&p->x);
	return sn_lex_name(&p->x, "a name", &name) && sn_lex_expect(&p->x, "=")
	       && (e = sn_expr_parse(&p->x, p->pr->pool, &p->scope)) && bind(p, "name", name, e);
}

static bool
parse_lets(parser *p)
{
	while (is_word(p, "let"))
		if (!parse_let(p))
			return false;
	return !p->x.has_failed;
}

/* ---- the reduction ---- */

/* Reports at MARK, where the value begins. */
static bool
check_type(parser *p, const struct sn_lex *mark, const char *what, enum sn_dtype want,
	   enum sn_dtype got)
{
	if (want != got)
		p->x = *mark;
	return want == got
	       || sn_lex_error(&p->x, DG_TX_TYPES, what, sn_dtype_info(want)->text,
			       sn_dtype_info(got)->text);
}

static const struct sn_reducer *
find_reducer(parser *p, const char *name, enum sn_dtype t)
{
	const struct sn_reducer *r = sn_map_get(&p->reducers, name);
	return r ? r : sn_reducer(p->pr->pool, name, t);
}

static bool
parse_args(parser *p, struct sn_comp *c, const char *name)
{
	int n = 0;
	struct sn_lex mark = p->x;
	do {
		if (n == 4)
			return sn_lex_expected(&p->x, "at most 4 arguments");
		if (!(c->args[n] = sn_expr_parse(&p->x, p->pr->pool, &p->scope)))
			return false;
	} while (++n < 5 && sn_lex_take(&p->x, ","));
	enum sn_dtype t = (enum sn_dtype)c->args[0]->dtype;
	c->reducer = find_reducer(p, name, t);
	if (!c->reducer)
		return sn_lex_error(&p->x, DG_TX_UNKNOWN,
				    sn_printf(p->x.arena, "reducer of %s", sn_dtype_info(t)->text),
				    name);
	if (n != c->reducer->nargs)
		return sn_lex_error(&p->x, DG_TX_COUNT, name,
				    sn_printf(p->x.arena, "%d arguments", c->reducer->nargs), n);
	for (int i = 0; i < n; i++)
		if (!check_type(p, &mark, name, c->reducer->arg_types[i],
				(enum sn_dtype)c->args[i]->dtype))
			return false;
	return true;
}

/* "s = sum(c<64, r<3) ..."; states may be several. */
static bool
parse_reduction(parser *p, struct sn_comp *c)
{
	const char *states[4], *name;
	int n = 0;
	do {
		if (n == 4)
			return sn_lex_expected(&p->x, "at most 4 states");
		if (!sn_lex_name(&p->x, "a name", &states[n++]))
			return false;
	} while (sn_lex_take(&p->x, ","));
	if (!sn_lex_expect(&p->x, "=") || !sn_lex_name(&p->x, "a reducer", &name)
	    || !sn_lex_expect(&p->x, "("))
		return false;
	if (!sn_lex_is(&p->x, ")") && !parse_axes(p, NULL, c->red, &c->nred))
		return false;
	if (!sn_lex_expect(&p->x, ")") || !parse_lets(p) || !parse_args(p, c, name))
		return false;
	if (n != c->reducer->nstates)
		return sn_lex_error(&p->x, DG_TX_COUNT, name,
				    sn_printf(p->x.arena, "%d states", c->reducer->nstates), n);
	for (int i = 0; i < n; i++)
		if (!bind(p, "state", states[i],
			  sn_state(p->pr->pool, c->reducer->state_types[i], i)))
			return false;
	return true;
}

/* ---- results ---- */

static bool
parse_index(parser *p, const struct sn_tensor *t, struct sn_result *r)
{
	int n = 0;
	if (!sn_lex_expect(&p->x, "["))
		return false;
	while (!sn_lex_is(&p->x, "]")) {
		if (n && !sn_lex_expect(&p->x, ","))
			return false;
		const struct sn_expr *e = sn_index_parse(&p->x, p->pr->pool, &p->scope);
		if (!e)
			return false;
		if (n < SN_MAX_RANK)
			r->idx[n] = e;
		n++;
	}
	sn_lex_next(&p->x);
	return n == t->type.rank
	       || sn_lex_error(&p->x, DG_TX_COUNT, t->name,
			       sn_printf(p->x.arena, "%d indices", t->type.rank), n);
}

/* "y[n, m] = value" */
static bool
parse_result(parser *p, struct sn_comp *c)
{
	const char *name = p->x.token.text;
	struct sn_tensor *t = sn_map_get(&p->tensors, name);
	if (!t)
		return sn_lex_error(&p->x, DG_TX_UNKNOWN, "tensor", name);
	if (c->nresults == SN_MAX_RESULTS)
		return sn_lex_expected(&p->x, "at most 4 results");
	struct sn_result *r = &c->results[c->nresults++];
	struct sn_lex mark = p->x;
	r->tensor = t;
	sn_lex_next(&p->x);
	return parse_index(p, t, r) && sn_lex_expect(&p->x, "=")
	       && (r->value = sn_expr_parse(&p->x, p->pr->pool, &p->scope))
	       && check_type(p, &mark, name, t->type.dtype, (enum sn_dtype)r->value->dtype);
}

/* A statement begins with a name; what follows it tells a result from a reduction. */
static bool
is_result(const parser *p)
{
	struct sn_lex ahead = p->x;
	sn_lex_next(&ahead);
	return sn_lex_is(&ahead, "[");
}

bool
sn_comp_parse(parser *p, struct sn_kernel *k)
{
	struct sn_arena *a = p->pr->arena;
	struct sn_comp *c = SN_NEW(a, struct sn_comp);
	sn_map_init(&p->locals, p->x.arena);
	if (!sn_lex_expect(&p->x, "for"))
		return false;
	if (!sn_lex_is(&p->x, ":") && !sn_lex_is(&p->x, "@")
	    && !parse_axes(p, k, c->axes, &c->naxes))
		return false;
	if (!sn_origin_parse(&p->x, a, p->file, &c->origin) || !sn_lex_expect(&p->x, ":")
	    || !parse_lets(p))
		return false;
	if (!c->origin)
		c->origin = k->origin;
	if (c->naxes < k->nshared)
		return sn_lex_expected(&p->x, "as many axes as the kernel shares");
	if (!is_result(p) && (!parse_reduction(p, c) || !parse_lets(p)))
		return false;
	do {
		if (p->x.token.kind != TK_NAME && p->x.token.kind != TK_STRING)
			return sn_lex_expected(&p->x, "a result");
		if (!parse_result(p, c))
			return false;
	} while (is_result(p));
	SN_PUSH(a, &k->stages, c);
	return true;
}

/* ---- reducers ---- */

static bool
parse_types(parser *p, enum sn_dtype *types, int *n)
{
	if (!sn_lex_expect(&p->x, "("))
		return false;
	do {
		enum sn_dtype t = sn_lex_is_type(&p->x) ? sn_dtype_by_text(p->x.token.text)
							: DT_NONE;
		if (t == DT_NONE || *n == 4)
			return sn_lex_expected(&p->x, "an element type, four at most");
		types[(*n)++] = t;
		sn_lex_next(&p->x);
	} while (sn_lex_take(&p->x, ","));
	return sn_lex_expect(&p->x, ")");
}

static bool
parse_list(parser *p, const struct sn_reducer *r, const struct sn_expr **out)
{
	for (int i = 0; i < r->nstates; i++) {
		if (i && !sn_lex_expect(&p->x, ","))
			return false;
		struct sn_lex mark = p->x;
		out[i] = sn_expr_parse(&p->x, p->pr->pool, &p->scope);
		if (!out[i]
		    || !check_type(p, &mark, r->name, r->state_types[i],
				   (enum sn_dtype)out[i]->dtype))
			return false;
	}
	return true;
}

/* "reducer name(f32) -> (f32) { init ... step ... merge ... }"; the first word has been read. */
bool
sn_reducer_parse(parser *p)
{
	struct sn_reducer *r = SN_NEW(p->pr->arena, struct sn_reducer);
	sn_map_init(&p->locals, p->x.arena);
	if (!sn_lex_name(&p->x, "a reducer's name", &r->name)
	    || !parse_types(p, r->arg_types, &r->nargs) || !sn_lex_expect(&p->x, "->")
	    || !parse_types(p, r->state_types, &r->nstates) || !sn_lex_expect(&p->x, "{"))
		return false;
	if (sn_map_get(&p->reducers, r->name))
		return sn_lex_error(&p->x, DG_TX_TWICE, "reducer", r->name);
	p->reducer = r;
	bool ok = sn_lex_expect(&p->x, "init") && parse_list(p, r, r->init)
		  && sn_lex_expect(&p->x, "step") && parse_list(p, r, r->step)
		  && (!sn_lex_take(&p->x, "merge") || parse_list(p, r, r->merge))
		  && sn_lex_expect(&p->x, "}");
	p->reducer = NULL;
	sn_map_put(&p->reducers, r->name, r);
	return ok;
}
