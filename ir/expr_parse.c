/*
 * Parser of expressions: precedence climbing over the strengths of
 * ir/scalar.def, with types checked before each operation is built.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/expr_parse.h"

enum { MAX_ARGS = 8, MAX_LANES = 1024, LOOSEST = 1 };

struct parser {
	struct sn_lex *x;
	struct sn_pool *pool;
	const struct sn_expr_scope *scope;
};

typedef const struct sn_expr expr;

static expr *parse_binary(struct parser *p, int strength);

static expr *
fail(bool ignored)
{
	(void)ignored;
	return NULL;
}

static const char *
type_text(expr *e)
{
	return sn_dtype_info((enum sn_dtype)e->dtype)->text;
}

/* May T be an operand of an operation whose row says CLASS? */
static bool
is_legal(char class, enum sn_dtype t)
{
	switch (class) {
	case 'F': return sn_is_float(t);
	case 'I': return sn_is_int(t) || t == DT_BOOL;
	case 'N': return sn_is_int(t) || sn_is_float(t);
	default: return true;
	}
}

/* All operands of one type that OP takes (those of select after its condition), of equal lanes. */
static bool
check_operands(struct parser *p, enum sn_scalar_op op, expr *const *args, int n)
{
	const struct sn_scalar_info *info = sn_scalar_info(op);
	int first = op == OP_SELECT ? 1 : 0, lanes = 1;
	if (op == OP_SELECT && args[0]->dtype != DT_BOOL)
		return sn_lex_error(p->x, DG_TX_OPERAND, info->text, type_text(args[0]));
	for (int i = first; i < n; i++) {
		if (args[i]->dtype != args[first]->dtype)
			return sn_lex_error(p->x, DG_TX_TYPES, info->text, type_text(args[first]),
					    type_text(args[i]));
		if (!is_legal(info->operands, (enum sn_dtype)args[i]->dtype))
			return sn_lex_error(p->x, DG_TX_OPERAND, info->text, type_text(args[i]));
	}
	for (int i = 0; i < n; i++) {
		if (args[i]->lanes != 1 && lanes != 1 && args[i]->lanes != lanes)
			return sn_lex_error(p->x, DG_TX_OPERAND, info->text,
					    "a vector of another length");
		if (args[i]->lanes != 1)
			lanes = args[i]->lanes;
	}
	return true;
}

static expr *
build(struct parser *p, enum sn_scalar_op op, expr *const *args, int n)
{
	return check_operands(p, op, args, n) ? sn_op(p->pool, op, args, n) : NULL;
}

/* "(a, b, c)" */
static bool
parse_args(struct parser *p, expr **args, int *out_n)
{
	*out_n = 0;
	if (!sn_lex_expect(p->x, "("))
		return false;
	do {
		if (*out_n == MAX_ARGS)
			return sn_lex_expected(p->x, "')'");
		args[*out_n] = parse_binary(p, LOOSEST);
		if (!args[(*out_n)++])
			return false;
	} while (sn_lex_take(p->x, ","));
	return sn_lex_expect(p->x, ")");
}

static bool
check_count(struct parser *p, const char *name, int want, int n)
{
	return n == want
	       || sn_lex_error(p->x, DG_TX_COUNT, name, sn_printf(p->x->arena, "%d operands", want),
			       n);
}

/* A number as a constant of type T; an integer of an integer type keeps all its bits. */
static expr *
constant(struct parser *p, enum sn_dtype t)
{
	int64_t i;
	double f;
	if (!sn_is_float(t)) {
		bool is_large = p->x->token.kind == TK_INT && p->x->token.i > INT64_MAX;
		if (t == DT_U64 && is_large) {
			memcpy(&i, &p->x->token.i, sizeof(i));
			sn_lex_next(p->x);
		} else if (!sn_lex_int(p->x, "an integer", &i)) {
			return NULL;
		}
		union sn_num n = sn_num_cast((union sn_num){ .i = i }, DT_I64, t);
		return sn_const(p->pool, t, n);
	}
	if (!sn_lex_number(p->x, "a number", &f))
		return NULL;
	return sn_float(p->pool, t, f);
}

/* Is the next thing a number, with or without a sign? */
static bool
is_literal(const struct sn_lex *x)
{
	struct sn_lex ahead = *x;
	ahead.is_quiet = true;
	if (sn_lex_is(&ahead, "-"))
		sn_lex_next(&ahead);
	return !sn_lex_is(&ahead, "-") && sn_lex_is_number(&ahead);
}

/* Can that number be a constant of type T as it stands? u8(1.5) is a cast. */
static bool
fits_literal(const struct sn_lex *x, enum sn_dtype t)
{
	struct sn_lex ahead = *x;
	ahead.is_quiet = true;
	if (sn_lex_is(&ahead, "-"))
		sn_lex_next(&ahead);
	return sn_is_float(t) || (sn_is_int(t) && ahead.token.kind == TK_INT);
}

/* "f16(1.5)", a constant of that type, or "f16(x)", a cast. The name has been read. */
static expr *
parse_cast(struct parser *p, enum sn_dtype to)
{
	if (!sn_lex_expect(p->x, "("))
		return NULL;
	expr *e;
	struct sn_lex mark = *p->x;
	if (is_literal(p->x) && fits_literal(p->x, to)) {
		e = constant(p, to);
		if (!e || sn_lex_take(p->x, ")"))
			return e;
		if (p->x->has_failed)
			return NULL;
		sn_lex_back(p->x, &mark); /* a sum that starts with a number */
	}
	e = parse_binary(p, LOOSEST);
	if (!e || !sn_lex_expect(p->x, ")"))
		return NULL;
	return sn_cast(p->pool, to, e);
}

static expr *
parse_bitcast(struct parser *p, enum sn_dtype to)
{
	expr *args[MAX_ARGS];
	int n;
	if (!parse_args(p, args, &n) || !check_count(p, "bitcast", 1, n))
		return NULL;
	if (sn_dtype_info(to)->bits != sn_dtype_info((enum sn_dtype)args[0]->dtype)->bits)
		return fail(sn_lex_error(p->x, DG_TX_OPERAND, "bitcast", type_text(args[0])));
	return sn_bitcast(p->pool, to, args[0]);
}

/* "splat_8(a)", "iota_8(a)": LANES is the text of the number. */
static expr *
parse_vector(struct parser *p, enum sn_scalar_op op, const char *lanes)
{
	expr *args[MAX_ARGS];
	int n;
	long count = strtol(lanes, NULL, 10);
	const char *name = sn_scalar_info(op)->text;
	if (count < 1 || count > MAX_LANES)
		return fail(sn_lex_error(p->x, DG_TX_NUMBER, lanes));
	if (!parse_args(p, args, &n) || !check_count(p, name, 1, n))
		return NULL;
	if (args[0]->lanes != 1
	    || !is_legal(sn_scalar_info(op)->operands, (enum sn_dtype)args[0]->dtype))
		return fail(sn_lex_error(p->x, DG_TX_OPERAND, name, type_text(args[0])));
	return op == OP_SPLAT ? sn_splat(p->pool, args[0], (int)count)
			      : sn_iota(p->pool, args[0], (int)count);
}

/* The operation written as a call of NAME; OP_COUNT if there is none. */
static enum sn_scalar_op
find_call(const char *name)
{
	for (int op = 0; op < OP_COUNT; op++) {
		const struct sn_scalar_info *info = sn_scalar_info((enum sn_scalar_op)op);
		bool is_special = op == OP_CAST || op == OP_BITCAST || op == OP_SPLAT
				  || op == OP_IOTA;
		if (info->form == 0 && !is_special && strcmp(info->text, name) == 0)
			return (enum sn_scalar_op)op;
	}
	return OP_COUNT;
}

static bool
has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static expr *
parse_call(struct parser *p, const char *name)
{
	expr *args[MAX_ARGS];
	int n;
	enum sn_dtype t = sn_dtype_by_text(name);
	if (t != DT_NONE && t != DT_STRING)
		return parse_cast(p, t);
	if (has_prefix(name, "bitcast_") && (t = sn_dtype_by_text(name + 8)) != DT_NONE)
		return parse_bitcast(p, t);
	if (has_prefix(name, "splat_"))
		return parse_vector(p, OP_SPLAT, name + 6);
	if (has_prefix(name, "iota_"))
		return parse_vector(p, OP_IOTA, name + 5);
	enum sn_scalar_op op = find_call(name);
	if (op == OP_COUNT)
		return fail(sn_lex_error(p->x, DG_TX_UNKNOWN, "operation", name));
	if (!parse_args(p, args, &n) || !check_count(p, name, sn_scalar_info(op)->arity, n))
		return NULL;
	return build(p, op, args, n);
}

/* "x[i, j]"; the name has been read. With the outside value after "else" if IS_OUTER. */
static expr *
parse_read(struct parser *p, const char *name)
{
	const struct sn_expr_scope *s = p->scope;
	const struct sn_tensor *t = s->tensor ? s->tensor(s->arg, name) : NULL;
	expr *idx[MAX_ARGS];
	int n = 0, rank;
	enum sn_dtype dtype;
	if (!t)
		return fail(sn_lex_error(p->x, DG_TX_UNKNOWN, "tensor", name));
	s->shape(t, &rank, &dtype);
	sn_lex_expect(p->x, "[");
	for (; !sn_lex_is(p->x, "]") && n < MAX_ARGS; n++) {
		idx[n] = parse_binary(p, LOOSEST);
		if (!idx[n])
			return NULL;
		if (idx[n]->dtype != DT_I64)
			return fail(sn_lex_error(p->x, DG_TX_OPERAND, name, type_text(idx[n])));
		if (!sn_lex_take(p->x, ",")) {
			n++;
			break;
		}
	}
	if (!sn_lex_expect(p->x, "]"))
		return NULL;
	if (n != rank)
		return fail(sn_lex_error(p->x, DG_TX_COUNT, name,
					 sn_printf(p->x->arena, "%d indices", rank), n));
	expr *outside = NULL;
	if (sn_lex_take(p->x, "else")) {
		outside = parse_binary(p, LOOSEST);
		if (!outside)
			return NULL;
		if (outside->dtype != dtype)
			return fail(sn_lex_error(p->x, DG_TX_TYPES, "else",
						 sn_dtype_info(dtype)->text, type_text(outside)));
	}
	return sn_read(p->pool, t, (expr *const *)idx, n, outside);
}

static expr *
parse_name(struct parser *p)
{
	bool is_quoted = p->x->token.kind == TK_STRING;
	const char *name = p->x->token.text;
	struct sn_lex mark = *p->x;
	sn_lex_next(p->x);
	if (sn_lex_is(p->x, "["))
		return parse_read(p, name);
	if (!is_quoted && sn_lex_is(p->x, "("))
		return parse_call(p, name);
	if (!is_quoted && (strcmp(name, "true") == 0 || strcmp(name, "false") == 0))
		return sn_const(p->pool, DT_BOOL, (union sn_num){ .i = *name == 't' });
	if (!is_quoted && (strcmp(name, "inf") == 0 || strcmp(name, "nan") == 0))
		return sn_float(p->pool, DT_F32, *name == 'i' ? INFINITY : NAN);
	expr *e = p->scope->leaf(p->scope->arg, name, is_quoted);
	if (!e && !p->x->has_failed) {
		sn_lex_back(p->x, &mark);
		sn_lex_error(p->x, DG_TX_UNKNOWN, "name", name);
	}
	return e;
}

/* A literal of its own type: i64 or f32. */
static expr *
parse_number(struct parser *p)
{
	struct sn_lex mark = *p->x;
	sn_lex_take(p->x, "-");
	bool is_int = p->x->token.kind == TK_INT;
	sn_lex_back(p->x, &mark);
	return constant(p, is_int ? DT_I64 : DT_F32);
}

/* "-2" is a constant, "-x" a negation. */
static expr *
parse_minus(struct parser *p)
{
	if (is_literal(p->x))
		return parse_number(p);
	sn_lex_next(p->x);
	expr *e = parse_binary(p, 9);
	return e ? build(p, OP_NEG, &e, 1) : NULL;
}

static expr *
parse_operand(struct parser *p)
{
	struct sn_lex *x = p->x;
	if (sn_lex_is(x, "-"))
		return parse_minus(p);
	if (x->token.kind == TK_INT || x->token.kind == TK_FLOAT)
		return parse_number(p);
	if (x->token.kind == TK_NAME || x->token.kind == TK_STRING)
		return parse_name(p);
	if (sn_lex_take(x, "(")) {
		expr *e = parse_binary(p, LOOSEST);
		return e && sn_lex_expect(x, ")") ? e : NULL;
	}
	return fail(sn_lex_expected(x, "an expression"));
}

/* The infix operation of the current token; OP_COUNT if there is none. */
static enum sn_scalar_op
find_infix(const struct sn_lex *x)
{
	for (int op = 0; x->token.kind == TK_SIGN && op < OP_COUNT; op++) {
		const struct sn_scalar_info *info = sn_scalar_info((enum sn_scalar_op)op);
		if (info->form > 0 && strcmp(info->text, x->token.text) == 0)
			return (enum sn_scalar_op)op;
	}
	return OP_COUNT;
}

/* Operations at least as strong as STRENGTH; all associate to the left. */
static expr *
parse_binary(struct parser *p, int strength)
{
	if (!sn_lex_enter(p->x))
		return NULL;
	expr *e = parse_operand(p);
	while (e) {
		enum sn_scalar_op op = find_infix(p->x);
		int form = op == OP_COUNT ? 0 : sn_scalar_info(op)->form;
		if (form < strength)
			break;
		sn_lex_next(p->x);
		expr *right = parse_binary(p, form + 1);
		e = right ? build(p, op, (expr *[]){ e, right }, 2) : NULL;
	}
	sn_lex_leave(p->x);
	return e;
}

const struct sn_expr *
sn_expr_parse(struct sn_lex *x, struct sn_pool *pool, const struct sn_expr_scope *scope)
{
	struct parser p = { x, pool, scope };
	return parse_binary(&p, LOOSEST);
}

const struct sn_expr *
sn_index_parse(struct sn_lex *x, struct sn_pool *pool, const struct sn_expr_scope *scope)
{
	struct parser p = { x, pool, scope };
	expr *e = parse_binary(&p, LOOSEST);
	if (e && (e->dtype != DT_I64 || e->lanes != 1))
		return fail(sn_lex_error(x, DG_TX_OPERAND, "index", type_text(e)));
	return e;
}
