/*
 * Templates of a dialect filled in, and what they need: vector types and helper functions, each
 * declared once in a file, in the order of first use.
 */
#include <string.h>
#include "codegen/print.h"

const char *
sn_c_scalar(struct sn_printer *p, enum sn_dtype t)
{
	const char *name = p->dialect->types[t].value;

	p->has_f64 |= t == DT_F64;
	return name ? name : "void";
}

const char *
sn_c_memory(struct sn_printer *p, enum sn_dtype t)
{
	const char *name = p->dialect->types[t].memory;

	p->has_f64 |= t == DT_F64;
	return name ? name : "void";
}

char
sn_class_of(enum sn_dtype t, int lanes)
{
	char c = 'b';

	if (t == DT_F32 || t == DT_F64)
		c = 'f';
	else if (sn_is_float(t))
		c = 'h';
	else if (sn_is_int(t))
		c = sn_dtype_info(t)->kind == 'I' ? 'i' : 'u';
	return lanes > 1 ? (char)(c - 'a' + 'A') : c;
}

/* The integer type of BITS. */
static enum sn_dtype
int_type(int bits, bool is_signed)
{
	switch (bits) {
	case 64: return is_signed ? DT_I64 : DT_U64;
	case 32: return is_signed ? DT_I32 : DT_U32;
	case 16: return is_signed ? DT_I16 : DT_U16;
	default: return is_signed ? DT_I8 : DT_U8;
	}
}

struct sn_ty
sn_ty_of(enum sn_dtype t, int lanes, int mask_bits)
{
	if (t == DT_BOOL && lanes > 1)
		t = int_type(mask_bits, true);
	return (struct sn_ty){ t, lanes };
}

/* The type that values of T are computed in: small floats as f32. */
static enum sn_dtype
carrier(enum sn_dtype t)
{
	return sn_class_of(t, 1) == 'h' ? DT_F32 : t;
}

static int
value_bits(enum sn_dtype t)
{
	int bits = sn_dtype_info(carrier(t))->bits;

	return bits < 8 ? 8 : bits;
}

static struct sn_ty
twin(struct sn_ty t, bool is_signed)
{
	return (struct sn_ty){ int_type(value_bits(t.t), is_signed), t.lanes };
}

static const char *
suffix(struct sn_printer *p, struct sn_ty t)
{
	const char *text = sn_dtype_info(t.lanes > 1 ? carrier(t.t) : t.t)->text;

	return t.lanes > 1 ? sn_printf(p->arena, "v%d%s", t.lanes, text) : text;
}

/* Remembers NAME; true the first time. */
static bool
is_new(struct sn_printer *p, const char *name)
{
	if (sn_map_get(&p->seen, name))
		return false;
	sn_map_put(&p->seen, name, p);
	return true;
}

const char *
sn_c_type(struct sn_printer *p, struct sn_ty t)
{
	const struct sn_fill f = { .ty = t };

	if (t.lanes <= 1)
		return sn_c_scalar(p, t.t);
	if (p->dialect->vector_name)
		return sn_fill(p, p->dialect->vector_name, &f);
	const char *name = suffix(p, t);

	if (is_new(p, name))
		sn_buf_add(&p->types, sn_fill(p, p->dialect->vector_type, &f));
	return name;
}

static const char *
unaligned_type(struct sn_printer *p, struct sn_ty t)
{
	const char *name = sn_printf(p->arena, "%s_u", sn_c_type(p, t));

	if (is_new(p, name)) {
		struct sn_fill f = { .ty = t };

		sn_buf_add(&p->types, sn_fill(p, p->dialect->unaligned_type, &f));
	}
	return name;
}

/* Value of the placeholder $C. */
static const char *
type_text(struct sn_printer *p, char c, const struct sn_fill *f)
{
	struct sn_ty ty = f->ty, elem = { ty.t, 1 }, half = { ty.t, ty.lanes / 2 };

	switch (c) {
	case 't': return sn_dtype_info(ty.t)->text;
	case 'v': return suffix(p, ty);
	case 'T': return sn_c_scalar(p, ty.t);
	case 'V': return sn_c_type(p, ty);
	case 'P': return sn_c_memory(p, ty.t);
	case 'Q': return unaligned_type(p, ty);
	case 'U': return sn_c_type(p, twin(ty, false));
	case 'u': return suffix(p, twin(ty, false));
	case 'I':
	case 'M': return sn_c_type(p, twin(ty, true));
	case 'i': return suffix(p, twin(ty, true));
	case 'E': return sn_c_type(p, twin(elem, false));
	case 'W': return sn_c_type(p, half);
	case 'w': return suffix(p, half);
	case 'F': return ty.t == DT_F64 ? "" : p->dialect->f32_suffix;
	case 'S': return sn_c_type(p, f->src);
	case 's': return suffix(p, f->src);
	case 'J': return sn_c_type(p, twin(f->src, true));
	case 'r': return sn_dtype_info(f->src.t)->text;
	default: return NULL;
	}
}

static int
type_number(char c, const struct sn_fill *f)
{
	int bits = sn_dtype_info(f->ty.t)->bits;

	switch (c) {
	case 'h': return bits;
	case 'k': return bits - 1;
	case 'e': return 8 / bits;
	case 'j': return f->lane;
	case 'z': return value_bits(f->ty.t) / 8;
	case 'B': return value_bits(f->ty.t) / 8 * f->ty.lanes;
	default: return f->ty.lanes;
	}
}

/* What stands between *TEXT and "$)", once for each lane. */
static void
add_lanes(struct sn_printer *p, struct sn_buf *b, const char **text, const struct sn_fill *f)
{
	const char *end = strstr(*text, "$)");
	const char *inner = sn_strndup(p->arena, *text, (size_t)(end - *text));
	struct sn_fill of_lane = *f;

	for (int i = 0; i < f->ty.lanes; i++) {
		of_lane.lane = i;
		sn_buf_addf(b, "%s%s", i ? ", " : "", sn_fill(p, inner, &of_lane));
	}
	*text = end + 2;
}

/* Placeholder after the '$' at *TEXT, which is moved past it. */
static void
add_type(struct sn_printer *p, struct sn_buf *b, const char **text, const struct sn_fill *f)
{
	if (!strncmp(*text, "lo", 2) || !strncmp(*text, "hi", 2)) {
		const struct sn_type_names *t = &p->dialect->types[f->ty.t];

		sn_buf_add(b, **text == 'l' ? t->lo : t->hi);
		*text += 2;
		return;
	}
	char c = *(*text)++;

	if (c == '(') {
		add_lanes(p, b, text, f);
		return;
	}
	const char *s = type_text(p, c, f);

	if (s)
		sn_buf_add(b, s);
	else
		sn_buf_addf(b, "%d", type_number(c, f));
}

static bool
needs_parens(const struct sn_piece *op, char how, const struct sn_fill *f)
{
	switch (how) {
	case '@': return op->strength <= CP_COMMA;
	case '#': return op->strength < CP_SUM;
	case '>': return op->strength <= f->strength;
	case '~':
		/* compilers ask for them around sums and comparisons in &, |, ^ */
		return op->row != f->row
		       && op->strength < (f->strength <= CP_ANDAND ? CP_EQUAL : CP_PRODUCT);
	default: return op->strength < f->strength;
	}
}

static bool
is_operand(const char *t, const struct sn_fill *f)
{
	return f->ops && strchr("@%>~#", *t) && t[1] >= '0' && t[1] <= '9';
}

const char *
sn_fill(struct sn_printer *p, const char *text, const struct sn_fill *f)
{
	struct sn_buf b;

	sn_buf_init(&b, p->arena);
	for (const char *t = text; *t;) {
		if (*t == '$') {
			t++;
			add_type(p, &b, &t, f);
		} else if (is_operand(t, f)) {
			const struct sn_piece *op = &f->ops[t[1] - '0'];
			bool is_open = needs_parens(op, *t, f);

			sn_buf_addf(&b, is_open ? "(%s)" : "%s", op->text);
			t += 2;
		} else if (*t == '@' && t[1] == 'n') {
			sn_buf_addf(&b, "%d", f->touched);
			t += 2;
		} else if (*t == '@' && (t[1] == 'b' || t[1] == 'i')) {
			sn_buf_add(&b, t[1] == 'b' ? f->base : f->index);
			t += 2;
		} else if (*t == '@' && t[1] == 's') {
			sn_buf_add(&b, f->space);
			t += 2;
		} else {
			sn_buf_addc(&b, *t++);
		}
	}
	return b.text;
}

static const struct sn_helper *
find_exact(const struct sn_dialect *d, const char *name)
{
	for (int i = 0; d->tables[i]; i++)
		for (const struct sn_helper *h = d->tables[i]->helpers; h->name; h++)
			if (!strcmp(h->name, name))
				return h;
	return NULL;
}

/* NAME_c for class c, else NAME. */
static const struct sn_helper *
find_helper(struct sn_printer *p, const char *name, struct sn_ty ty)
{
	char c = sn_class_of(ty.t, ty.lanes);
	const struct sn_helper *h = find_exact(p->dialect, sn_printf(p->arena, "%s_%c", name, c));

	if (!h && (c == 'u' || c == 'U'))
		h = find_exact(p->dialect,
			       sn_printf(p->arena, "%s_%c", name, c == 'u' ? 'i' : 'I'));
	if (!h)
		h = find_exact(p->dialect, name);
	if (!h)
		sn_bug(p->arena->guard, "dialect %s has no helper '%s' for %s", p->dialect->name,
		       name, suffix(p, ty));
	return h;
}

static void
need_helper(struct sn_printer *p, const char *name, struct sn_ty ty, struct sn_ty src)
{
	struct sn_fill f = { .ty = ty, .src = src };
	const struct sn_helper *h = find_helper(p, sn_fill(p, name, &f), ty);
	const char *text = sn_fill(p, h->text, &f);

	if (!is_new(p, text))
		return;
	sn_need_helpers(p, h->needs, ty, src);
	sn_buf_add(&p->helpers, text);
	sn_buf_addc(&p->helpers, '\n');
}

/* One entry of a list of needs. */
static void
need_entry(struct sn_printer *p, char *name, struct sn_ty ty, struct sn_ty src)
{
	char *at = strpbrk(name, "/@^");

	if (at && *at == '/') {
		ty.lanes /= 2;
	} else if (at && *at == '^') {
		ty = src;
	} else if (at && at[1] == '1') {
		ty.lanes = src.lanes = 1;
	} else if (at) {
		char *dot = strchr(at, '.');

		*dot = '\0';
		ty = (struct sn_ty){ sn_dtype_by_text(at + 1), 1 };
		src = (struct sn_ty){ sn_dtype_by_text(dot + 1), 1 };
	}
	if (at)
		*at = '\0';
	need_helper(p, name, ty, src);
}

void
sn_need_helpers(struct sn_printer *p, const char *names, struct sn_ty ty, struct sn_ty src)
{
	if (!names)
		return;
	for (const char *s = names; *s;) {
		size_t n = strcspn(s, " ");

		need_entry(p, sn_strndup(p->arena, s, n), ty, src);
		s += n;
		s += *s == ' ';
	}
}
