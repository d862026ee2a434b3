/*
 * Expressions as text: each operation by the dialect's row for its class of operands.
 */
#include <math.h>
#include <string.h>
#include "codegen/print.h"
#include "ir/index.h"

static struct sn_piece
primary(const char *text)
{
	return (struct sn_piece){ text, CP_PRIMARY, NULL };
}

bool
sn_has_data(struct sn_printer *p, const struct sn_expr *e)
{
	if (e->kind == EX_LOCAL)
		return !sn_map_get_num(&p->index_locals, (uint64_t)e->local->id);
	for (int i = 0; i < e->nargs; i++)
		if (sn_has_data(p, e->args[i]))
			return true;
	return false;
}

/* Class of E's value. */
static char
class_of(struct sn_printer *p, const struct sn_expr *e)
{
	char c = sn_class_of((enum sn_dtype)e->dtype, e->lanes);

	return c == 'i' && e->dtype == DT_I64 && !sn_has_data(p, e) ? 'x' : c;
}

/* The expression whose type selects the row. */
static const struct sn_expr *
typed_by(const struct sn_expr *e)
{
	if (e->op == OP_SELECT)
		return e->args[1];
	return e->op == OP_SPLAT || e->op == OP_IOTA || e->op == OP_BITCAST ? e : e->args[0];
}

int
sn_mask_bits(struct sn_printer *p, const struct sn_expr *e)
{
	if (e->lanes <= 1 || e->kind == EX_CONST)
		return 0;
	if (e->dtype != DT_BOOL) {
		int bits = sn_dtype_info((enum sn_dtype)e->dtype)->bits;

		return sn_class_of((enum sn_dtype)e->dtype, 1) == 'h' ? 32 : bits < 8 ? 8 : bits;
	}
	if (e->kind == EX_LOCAL)
		return (int)(uintptr_t)sn_map_get_num(&p->mask_bits, (uint64_t)e->local->id);
	if (e->kind != EX_OP || e->op == OP_SPLAT)
		return 0;
	int bits = sn_mask_bits(p, e->args[0]);

	for (int i = 1; i < e->nargs && bits == 0; i++)
		bits = sn_mask_bits(p, e->args[i]);
	return bits;
}

/* ---- leaves ---- */

static struct sn_piece
float_piece(struct sn_printer *p, double x, bool is_f32)
{
	struct sn_buf b;

	sn_buf_init(&b, p->arena);
	if (isnan(x))
		return primary(is_f32 ? "NAN" : "(double)NAN");
	if (isinf(x)) {
		sn_buf_addf(&b, "%s%s", x < 0 ? "-" : "", is_f32 ? "INFINITY" : "HUGE_VAL");
	} else {
		sn_buf_add_float(&b, x, is_f32);
		if (!strpbrk(b.text, ".e"))
			sn_buf_add(&b, ".0");
		sn_buf_add(&b, is_f32 ? "f" : "");
	}
	return (struct sn_piece){ b.text, signbit(x) ? CP_UNARY : CP_PRIMARY, NULL };
}

static struct sn_piece
int_piece(struct sn_printer *p, enum sn_dtype t, int64_t x)
{
	const struct sn_dtype_info *d = sn_dtype_info(t);

	if ((x == INT64_MIN && t == DT_I64) || (x == INT32_MIN && t == DT_I32))
		return primary(p->dialect->types[t].lo);
	if (d->kind == 'U' && d->bits >= 32)
		return primary(sn_printf(p->arena, "%lluu", (unsigned long long)x));
	return (struct sn_piece){ sn_printf(p->arena, "%lld", (long long)x),
				  x < 0 ? CP_UNARY : CP_PRIMARY, NULL };
}

static struct sn_piece
number(struct sn_printer *p, enum sn_dtype t, union sn_num x)
{
	if (sn_is_float(t))
		return float_piece(p, x.f, t != DT_F64);
	if (t == DT_BOOL)
		return primary(x.i ? "true" : "false");
	return int_piece(p, t, x.i);
}

/* ---- operations ---- */

static bool
is_number(const struct sn_expr *e)
{
	if (e->kind == EX_OP && e->op == OP_SPLAT)
		e = e->args[0];
	return e->kind == EX_CONST && !(sn_is_float((enum sn_dtype)e->dtype) && isnan(e->num.f));
}

static bool
is_natural(const struct sn_expr *e)
{
	int64_t lo, hi;

	sn_bounds(e->args[0], &lo, &hi);
	if (lo < 0)
		return false;
	sn_bounds(e->args[1], &lo, &hi);
	return lo > 0;
}

static bool
row_fits(const struct sn_op_row *r, const struct sn_expr *e)
{
	switch (r->when) {
	case WHEN_NUMBER: return is_number(e->args[1]) || is_number(e->args[0]);
	case WHEN_NATURAL: return is_natural(e);
	default: return true;
	}
}

static const struct sn_op_row *
find_row(struct sn_printer *p, const struct sn_expr *e, char class)
{
	for (int i = 0; p->dialect->tables[i]; i++)
		for (const struct sn_op_row *r = p->dialect->tables[i]->rows; r->classes; r++)
			if (r->op == e->op && strchr(r->classes, class) && row_fits(r, e))
				return r;
	return NULL;
}

/* Operands; those that are masks get the width BITS. */
static void
operands(struct sn_printer *p, const struct sn_expr *e, int bits, struct sn_piece *out)
{
	for (int i = 0; i < e->nargs; i++)
		out[i] = sn_piece_of(p, e->args[i], bits);
}

static struct sn_piece
by_row(struct sn_printer *p, const struct sn_expr *e, const struct sn_op_row *r, int bits)
{
	const struct sn_expr *typed = typed_by(e);
	struct sn_piece ops[3];
	struct sn_fill f = {
		.ty = sn_ty_of((enum sn_dtype)typed->dtype, typed->lanes, bits),
		.ops = ops,
		.strength = r->strength,
		.row = r,
	};

	if (sn_class_of(f.ty.t, 1) == 'h')
		f.ty.t = DT_F32;
	if (e->op == OP_BITCAST)
		f.src = (struct sn_ty){ (enum sn_dtype)e->args[0]->dtype, e->args[0]->lanes };
	operands(p, e, bits, ops);
	if (r->when == WHEN_NUMBER && !is_number(e->args[1])) {
		struct sn_piece t = ops[0];

		ops[0] = ops[1];
		ops[1] = t;
	}
	sn_need_helpers(p, r->helper, f.ty, f.src);
	return (struct sn_piece){ sn_fill(p, r->text, &f), r->strength, r };
}

static struct sn_piece
call(struct sn_printer *p, const char *name, const struct sn_expr *e)
{
	struct sn_buf b;

	sn_buf_init(&b, p->arena);
	sn_buf_addf(&b, "%s(", name);
	for (int i = 0; i < e->nargs; i++)
		sn_buf_addf(&b, "%s%s", i ? ", " : "", sn_expr_text(p, e->args[i], CP_ASSIGN));
	sn_buf_addc(&b, ')');
	return primary(b.text);
}

/* The operation on a[i], b[i], c[i], elements of type T; NULL if the dialect has none. */
static const char *
one_lane(struct sn_printer *p, const struct sn_expr *e, enum sn_dtype t)
{
	struct sn_ty one = { t, 1 };
	const struct sn_piece args[3] = { primary("a[i]"), primary("b[i]"), primary("c[i]") };
	const char *name;

	if (sn_math_helper(p, (enum sn_scalar_op)e->op, one, &name))
		return sn_printf(p->arena, "%s(a[i])", name);
	const struct sn_op_row *r = find_row(p, e, sn_class_of(t, 1));

	if (!r)
		return NULL;
	struct sn_fill f = { .ty = one, .src = one, .ops = args, .strength = r->strength };

	sn_need_helpers(p, r->helper, one, one);
	return sn_fill(p, r->text, &f);
}

/* A word for OP, also where its text is a sign. */
static const char *
word_of(enum sn_scalar_op op)
{
	return op == OP_FLOORDIV ? "floordiv"
	       : op == OP_MOD	 ? "mod"
	       : op == OP_DIV	 ? "div"
				 : sn_scalar_info(op)->text;
}

/* The lanes of X into the array A, or back: a line of the dialect's TEMPLATE. */
static void
between_array(struct sn_printer *p, const char *template, struct sn_ty ty, int a, int x)
{
	const struct sn_piece ops[2] = { primary(sn_printf(p->arena, "%c", a)),
					 primary(sn_printf(p->arena, "%c", x)) };
	const struct sn_fill f = { .ty = ty, .ops = ops, .strength = CP_PRIMARY };

	sn_buf_addf(&p->helpers, "\t%s\n", sn_fill(p, template, &f));
}

/* A helper that does the operation on elements of type T lane by lane, by way of arrays, over which
 * the compilers vectorise. */
static const char *
lane_by_lane(struct sn_printer *p, const struct sn_expr *e, enum sn_dtype t)
{
	const struct sn_ty ty = { t, e->lanes };
	const char *type = sn_c_type(p, ty), *elem = sn_c_scalar(p, t);
	const char *name = word_of((enum sn_scalar_op)e->op);
	char *full = sn_printf(p->arena, "%s_v%d%s", name, e->lanes, sn_dtype_info(t)->text);
	struct sn_buf *out = &p->helpers;

	if (sn_map_get(&p->seen, full))
		return full;
	const char *one = one_lane(p, e, t);

	if (!one)
		return NULL;
	sn_map_put(&p->seen, full, p);
	sn_buf_addf(out, "FN %s\n%s(", type, full);
	for (int i = 0; i < e->nargs; i++)
		sn_buf_addf(out, "%s%s %c", i ? ", " : "", type, 'x' + i);
	sn_buf_addf(out, ")\n{\n\t%s ", elem);
	for (int i = 0; i < e->nargs; i++)
		sn_buf_addf(out, "%c[%d], ", 'a' + i, e->lanes);
	sn_buf_addf(out, "r[%d];\n\n", e->lanes);
	for (int i = 0; i < e->nargs; i++)
		between_array(p, p->dialect->to_array, ty, 'a' + i, 'x' + i);
	sn_buf_addf(out, "\tfor (int i = 0; i < %d; i++)\n\t\tr[i] = %s;\n", e->lanes, one);
	between_array(p, p->dialect->of_array, ty, 'r', 'x');
	sn_buf_add(out, "\treturn x;\n}\n\n");
	return full;
}

static _Noreturn void
refuse(struct sn_printer *p, const struct sn_expr *e)
{
	sn_bug(p->arena->guard, "dialect %s can't print '%s' on %s x %d", p->dialect->name,
	       sn_scalar_info((enum sn_scalar_op)e->op)->text,
	       sn_dtype_info((enum sn_dtype)typed_by(e)->dtype)->text, typed_by(e)->lanes);
}

/* Small floats: computed in f32, rounded. */
static struct sn_piece
rounded(struct sn_printer *p, const struct sn_expr *e, struct sn_piece x)
{
	enum sn_dtype t = (enum sn_dtype)e->dtype;

	if (sn_class_of(t, 1) != 'h' || e->op == OP_SELECT || e->op == OP_SPLAT)
		return x;
	struct sn_ty ty = { t, e->lanes };
	struct sn_fill f = { .ty = ty, .ops = &x, .strength = CP_PRIMARY };

	sn_need_helpers(p, e->lanes > 1 ? "round" : "round_$t", ty, ty);
	return primary(sn_fill(p, e->lanes > 1 ? "round_$t_$n(@0)" : "round_$t(@0)", &f));
}

/* The bits of a small float are what lies in memory; one of the two types is an integer. */
static struct sn_piece
small_bits(struct sn_printer *p, const struct sn_expr *e)
{
	bool is_from = sn_class_of((enum sn_dtype)e->args[0]->dtype, 1) == 'h';
	enum sn_dtype t = (enum sn_dtype)(is_from ? e->args[0]->dtype : e->dtype);
	struct sn_ty ty = { t, 1 };
	const char *arg = sn_expr_text(p, e->args[0], is_from ? CP_ASSIGN : CP_UNARY);

	sn_need_helpers(p, is_from ? "store_$t" : "load_$t", ty, ty);
	if (is_from)
		return primary(sn_printf(p->arena, "(%s)store_%s(%s)",
					 sn_c_scalar(p, (enum sn_dtype)e->dtype),
					 sn_dtype_info(t)->text, arg));
	return primary(sn_printf(p->arena, "load_%s((%s)%s)", sn_dtype_info(t)->text,
				 sn_c_memory(p, t), arg));
}

static struct sn_piece
operation(struct sn_printer *p, const struct sn_expr *e, int bits)
{
	const struct sn_expr *typed = typed_by(e);

	if (e->op == OP_BITCAST && e->lanes <= 1
	    && (sn_class_of((enum sn_dtype)e->dtype, 1) == 'h'
		|| sn_class_of((enum sn_dtype)e->args[0]->dtype, 1) == 'h'))
		return small_bits(p, e);
	char class = class_of(p, typed), use = class == 'h' ? 'f' : class == 'H' ? 'F' : class;
	const struct sn_op_row *r = NULL;
	const char *name;
	enum sn_dtype t = use == 'f' || use == 'F' ? (typed->dtype == DT_F64 ? DT_F64 : DT_F32)
						   : (enum sn_dtype)typed->dtype;

	if (sn_math_helper(p, (enum sn_scalar_op)e->op, (struct sn_ty){ t, typed->lanes }, &name))
		return rounded(p, e, call(p, name, e));
	r = find_row(p, e, use);
	if (r)
		return rounded(p, e, by_row(p, e, r, bits));
	name = typed->lanes > 1 ? lane_by_lane(p, e, t) : NULL;
	if (!name)
		refuse(p, e);
	return rounded(p, e, call(p, name, e));
}

/* ---- conversions ---- */

static const struct sn_cast_row *
find_cast(struct sn_printer *p, char from, char to, bool is_narrowing)
{
	for (int i = 0; p->dialect->tables[i]; i++)
		for (const struct sn_cast_row *r = p->dialect->tables[i]->casts; r->from; r++)
			if (strchr(r->from, from) && strchr(r->to, to)
			    && r->is_narrowing <= is_narrowing)
				return r;
	sn_bug(p->arena->guard, "dialect %s has no cast from %c to %c", p->dialect->name, from, to);
}

static struct sn_piece
cast_piece(struct sn_printer *p, struct sn_piece x, char from, struct sn_ty src, char to,
	   struct sn_ty ty)
{
	bool is_narrowing = sn_dtype_info(ty.t)->bits < sn_dtype_info(src.t)->bits;
	const struct sn_cast_row *r = find_cast(p, from, to, is_narrowing);
	struct sn_fill f = { .ty = ty, .src = src, .ops = &x, .strength = r->strength, .row = r };

	sn_need_helpers(p, r->helper, ty, src);
	return (struct sn_piece){ sn_fill(p, r->text, &f), r->strength, r };
}

/* The signed or unsigned type of twice the bits: compilers widen vectors well in steps of two. */
static enum sn_dtype
wider(enum sn_dtype t)
{
	switch (t) {
	case DT_I8: return DT_I16;
	case DT_I16: return DT_I32;
	case DT_U8: return DT_U16;
	default: return DT_I32; /* from u16 */
	}
}

/* Is T so much wider than FROM that a step between is better? Floats are made from 32 bits at least. */
static bool
is_far(enum sn_dtype from, enum sn_dtype t)
{
	int a = sn_dtype_info(from)->bits, b = sn_dtype_info(t)->bits;

	return a * 2 < b || (sn_is_float(t) && a < 32);
}

static struct sn_piece
cast(struct sn_printer *p, const struct sn_expr *e, int want)
{
	const struct sn_expr *a = e->args[0];
	enum sn_dtype t = (enum sn_dtype)e->dtype;
	bool is_mask = e->lanes > 1 && a->dtype == DT_BOOL;
	int bits = is_mask ? sn_mask_bits(p, e) : e->dtype == DT_BOOL ? sn_mask_bits(p, a) : want;
	struct sn_ty ty = sn_ty_of(t, e->lanes, bits);
	struct sn_ty src = sn_ty_of((enum sn_dtype)a->dtype, a->lanes, bits);
	struct sn_piece x = sn_piece_of(p, a, bits);
	char from = class_of(p, a), to = sn_class_of(t, e->lanes);

	while (strchr("IU", from) && strchr("IUF", to) && is_far(src.t, t)) {
		struct sn_ty mid = { wider(src.t), ty.lanes };

		x = cast_piece(p, x, from, src, 'I', mid);
		src = mid;
	}
	if (sn_class_of(src.t, 1) == 'h')
		src.t = DT_F32;
	from = from == 'H' ? 'F' : from;
	return cast_piece(p, x, from, src, to, ty);
}

/* ---- all together ---- */

static struct sn_piece
leaf(struct sn_printer *p, const struct sn_expr *e)
{
	const void *key = e->kind == EX_SYM    ? (const void *)e->sym
			  : e->kind == EX_AXIS ? (const void *)e->axis
					       : (const void *)e->local;
	const char *name = sn_map_get_num(&p->names, (uint64_t)(uintptr_t)key);

	if (!name)
		sn_bug(p->arena->guard, "%s: a name that is not in scope", p->func_name);
	return primary(name);
}

static const struct sn_op_row *
find_splat(struct sn_printer *p, char class)
{
	for (int i = 0; p->dialect->tables[i]; i++)
		for (const struct sn_op_row *r = p->dialect->tables[i]->rows; r->classes; r++)
			if (r->op == OP_SPLAT && strchr(r->classes, class))
				return r;
	sn_bug(p->arena->guard, "dialect %s has no splat", p->dialect->name);
}

static struct sn_piece
constant(struct sn_printer *p, const struct sn_expr *e, int want)
{
	enum sn_dtype t = (enum sn_dtype)e->dtype;
	struct sn_piece x = number(p, t, e->num);

	if (e->lanes <= 1)
		return x;
	struct sn_ty ty = sn_ty_of(t, e->lanes, want ? want : 32);
	struct sn_fill f = { .ty = ty, .ops = &x, .strength = CP_PRIMARY };

	if (t == DT_BOOL)
		x = primary(e->num.i ? "-1" : "0");
	const struct sn_op_row *r = find_splat(p, sn_class_of(ty.t, ty.lanes));

	sn_need_helpers(p, r->helper, ty, ty);
	return primary(sn_fill(p, r->text, &f));
}

/* The bits of a bool are 0 or 1, a mask's are not. */
static bool
is_bool_bits(const struct sn_expr *e)
{
	return e->op == OP_BITCAST && (e->dtype == DT_BOOL || e->args[0]->dtype == DT_BOOL);
}

/* Brings the mask X of BITS to WANT. */
static struct sn_piece
mask_as(struct sn_printer *p, struct sn_piece x, int lanes, int bits, int want)
{
	if (!want || want == bits)
		return x;
	return cast_piece(p, x, 'B', sn_ty_of(DT_BOOL, lanes, bits), 'B',
			  sn_ty_of(DT_BOOL, lanes, want));
}

struct sn_piece
sn_piece_of(struct sn_printer *p, const struct sn_expr *e, int want)
{
	bool is_mask = e->dtype == DT_BOOL && e->lanes > 1;

	if (e->kind == EX_CONST)
		return constant(p, e, want);
	int bits = is_mask ? sn_mask_bits(p, e) : e->lanes > 1 ? sn_mask_bits(p, e) : 0;

	if (is_mask && !bits)
		bits = want ? want : 32;
	if (e->kind != EX_OP) {
		struct sn_piece x = leaf(p, e);

		return is_mask ? mask_as(p, x, e->lanes, bits, want) : x;
	}
	/* comparisons: operands have the width that the mask has */
	struct sn_piece x = e->op == OP_CAST || is_bool_bits(e) ? cast(p, e, bits)
								: operation(p, e, bits);

	return is_mask ? mask_as(p, x, e->lanes, bits, want) : x;
}

const char *
sn_expr_text(struct sn_printer *p, const struct sn_expr *e, int strength)
{
	struct sn_piece x = sn_piece_of(p, e, 0);

	return x.strength < strength ? sn_printf(p->arena, "(%s)", x.text) : x.text;
}
