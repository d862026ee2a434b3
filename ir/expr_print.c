/*
 * Expressions as text; ir/expr.h describes the form.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include "ir/expr.h"
#include "ir/tensor.h"

struct printer {
	struct sn_buf *out;
	const struct sn_expr_names *names; /* NULL: none */
	bool is_index;			   /* inside brackets: no blanks around signs */
};

static void print(struct printer *pr, const struct sn_expr *e, int strength);

/* Words that mean something where a name may stand. */
static bool
is_keyword(const char *name)
{
	static const char *const words[] = { "else", "true", "false", "nan", "inf" };
	static const char *const numbered[] = { "state", "other", "arg" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(name, words[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
		size_t n = strlen(numbered[i]);

		if (strncmp(name, numbered[i], n) == 0 && name[n]
		    && strspn(name + n, "0123456789") == strlen(name + n))
			return true;
	}
	return false;
}

static bool
is_identifier(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if ((unsigned char)*name >= 0x80
		    || (!isalnum((unsigned char)*name) && *name != '_'))
			return false;
	return true;
}

void
sn_name_print(struct sn_buf *out, const char *name)
{
	if (is_identifier(name) && !is_keyword(name))
		sn_buf_add(out, name);
	else
		sn_buf_add_quoted(out, name);
}

/* Floats always with a point, an exponent, or a name. */
static void
print_float(struct sn_buf *out, double x, bool is_f32)
{
	size_t start = out->len;

	sn_buf_add_float(out, x, is_f32);
	if (!strpbrk(out->text + start, ".en"))
		sn_buf_add(out, ".0");
}

static void
print_number(struct sn_buf *out, const struct sn_expr *e)
{
	enum sn_dtype t = (enum sn_dtype)e->dtype;
	char kind = sn_dtype_info(t)->kind;

	if (t == DT_BOOL) {
		sn_buf_add(out, e->num.i ? "true" : "false");
		return;
	}
	bool is_plain = t == DT_I64 || t == DT_F32;

	if (!is_plain)
		sn_buf_addf(out, "%s(", sn_dtype_info(t)->text);
	if (kind == 'F')
		print_float(out, e->num.f, t == DT_F32);
	else if (kind == 'U')
		sn_buf_addf(out, "%" PRIu64, (uint64_t)e->num.i);
	else
		sn_buf_addf(out, "%" PRId64, e->num.i);
	if (!is_plain)
		sn_buf_addc(out, ')');
}

static void
print_const(struct sn_buf *out, const struct sn_expr *e)
{
	if (e->lanes > 1)
		sn_buf_addf(out, "splat_%d(", e->lanes);
	print_number(out, e);
	if (e->lanes > 1)
		sn_buf_addc(out, ')');
}

static const char *
leaf_name(const struct printer *pr, const struct sn_expr *e)
{
	const char *name = NULL;

	if (pr->names && pr->names->leaf)
		name = pr->names->leaf(pr->names->arg, e);
	if (name)
		return name;
	switch ((enum sn_expr_kind)e->kind) {
	case EX_SYM: return e->sym->name;
	case EX_AXIS: return e->axis->name;
	case EX_READ: return e->tensor->name;
	case EX_LOCAL: return e->local->name;
	default: return NULL;
	}
}

static void
print_leaf(struct printer *pr, const struct sn_expr *e)
{
	const char *name = leaf_name(pr, e);

	if (name)
		sn_name_print(pr->out, name);
	else if (e->kind == EX_CONST)
		print_const(pr->out, e);
	else
		sn_buf_addf(pr->out, "%s%d",
			    e->kind == EX_STATE	  ? "state"
			    : e->kind == EX_OTHER ? "other"
						  : "arg",
			    e->state);
}

static void
print_read(struct printer *pr, const struct sn_expr *e)
{
	bool was_index = pr->is_index;
	int n = e->nargs - e->has_outside;

	if (e->has_outside)
		sn_buf_addc(pr->out, '(');
	sn_name_print(pr->out, leaf_name(pr, e));
	sn_buf_addc(pr->out, '[');
	pr->is_index = true;
	for (int i = 0; i < n; i++) {
		sn_buf_add(pr->out, i ? ", " : "");
		print(pr, e->args[i], 0);
	}
	pr->is_index = was_index;
	sn_buf_addc(pr->out, ']');
	if (e->has_outside) {
		sn_buf_add(pr->out, " else ");
		print(pr, e->args[n], 0);
		sn_buf_addc(pr->out, ')');
	}
}

static void
print_call(struct printer *pr, const struct sn_expr *e)
{
	const char *type = sn_dtype_info((enum sn_dtype)e->dtype)->text;
	const char *name = sn_scalar_info((enum sn_scalar_op)e->op)->text;

	if (e->op == OP_CAST)
		sn_buf_add(pr->out, type);
	else if (e->op == OP_BITCAST)
		sn_buf_addf(pr->out, "%s_%s", name, type);
	else if (e->op == OP_SPLAT || e->op == OP_IOTA)
		sn_buf_addf(pr->out, "%s_%d", name, e->lanes);
	else
		sn_buf_add(pr->out, name);
	sn_buf_addc(pr->out, '(');
	for (int i = 0; i < e->nargs; i++) {
		sn_buf_add(pr->out, i ? ", " : "");
		print(pr, e->args[i], 0);
	}
	sn_buf_addc(pr->out, ')');
}

/* Left-associative: the right operand must bind more tightly. */
static void
print_infix(struct printer *pr, const struct sn_expr *e, int strength)
{
	const struct sn_scalar_info *info = sn_scalar_info((enum sn_scalar_op)e->op);
	bool is_tight = pr->is_index || e->dtype == DT_I64;

	if (info->form < strength)
		sn_buf_addc(pr->out, '(');
	print(pr, e->args[0], info->form);
	sn_buf_addf(pr->out, is_tight ? "%s" : " %s ", info->text);
	print(pr, e->args[1], info->form + 1);
	if (info->form < strength)
		sn_buf_addc(pr->out, ')');
}

/* In parentheses if E binds less tightly than STRENGTH. */
static void
print(struct printer *pr, const struct sn_expr *e, int strength)
{
	const char *whole = NULL;

	if (pr->names && pr->names->whole && (e->kind == EX_OP || e->kind == EX_READ))
		whole = pr->names->whole(pr->names->arg, e);
	if (whole)
		sn_name_print(pr->out, whole);
	else if (e->kind == EX_READ)
		print_read(pr, e);
	else if (e->kind != EX_OP)
		print_leaf(pr, e);
	else if (sn_scalar_info((enum sn_scalar_op)e->op)->form == 0)
		print_call(pr, e);
	else
		print_infix(pr, e, strength);
}

void
sn_expr_print_named(struct sn_buf *out, const struct sn_expr *e, const struct sn_expr_names *names)
{
	struct printer pr = { .out = out, .names = names };

	print(&pr, e, 0);
}

void
sn_expr_print(struct sn_buf *out, const struct sn_expr *e)
{
	sn_expr_print_named(out, e, NULL);
}
