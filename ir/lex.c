/*
 * Tokens of the text forms: one character of look-ahead, no state but a place.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/lex.h"
#include "support/format.h"

enum { MAX_DEPTH = 1000, MAX_EXCERPT = 160 };

/* Signs of more than one character, each before its prefixes. */
static const char *const long_signs[] = {
	"...", "->", "=>", "==", "!=", "<=", ">=", "//", "..", "+=", ":=",
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct sn_where
sn_lex_where(const struct sn_lex *x)
{
	return (struct sn_where){
		.file = x->file,
		.index = -1,
		.line = x->token.line,
		.column = x->token.column,
	};
}

/* The token's line, cut to its surroundings, and a caret under the token. A carriage return is space
 * wherever it stands, as for the tokens. */
const char *
sn_lex_excerpt(const struct sn_lex *x)
{
	const char *line = x->text;
	for (int n = 1; n < x->token.line; n++)
		line = strchr(line, '\n') + 1;
	size_t len = strcspn(line, "\n"), column = (size_t)x->token.column - 1;
	size_t from = column > MAX_EXCERPT / 2 ? column - MAX_EXCERPT / 2 : 0;
	size_t n = len - from < MAX_EXCERPT ? len - from : MAX_EXCERPT;
	struct sn_buf b;
	sn_buf_init(&b, x->arena);
	sn_buf_addf(&b, "%5d | ", x->token.line);
	for (size_t i = 0; i < n; i++)
		sn_buf_addc(&b, strchr("\t\r", line[from + i]) ? ' ' : line[from + i]);
	sn_buf_add(&b, "\n      | ");
	sn_buf_fill(&b, ' ', column - from);
	sn_buf_addc(&b, '^');
	return b.text;
}

bool
sn_lex_stop(struct sn_lex *x)
{
	x->has_failed = true;
	x->token.kind = TK_END;
	x->token.text = "";
	return false;
}

bool
sn_lex_expected(struct sn_lex *x, const char *what)
{
	const char *found = x->token.kind == TK_END ? "the end"
						    : sn_printf(x->arena, "'%.40s'", x->token.text);
	return sn_lex_error(x, DG_TX_EXPECTED, what, found);
}

static void
skip_space(struct sn_lex *x)
{
	for (;; x->pos++) {
		if (*x->pos == ';' || *x->pos == '#')
			x->pos += strcspn(x->pos, "\n");
		if (*x->pos == '\n') {
			x->line++;
			x->line_start = x->pos + 1;
		} else if (*x->pos != ' ' && *x->pos != '\t' && *x->pos != '\r') {
			return;
		}
	}
}

/* The text from START up to the place reached becomes the token. */
static void
set_token(struct sn_lex *x, enum sn_token_kind kind, const char *start)
{
	x->token.kind = kind;
	x->token.text = sn_strndup(x->arena, start, (size_t)(x->pos - start));
}

static void
lex_name(struct sn_lex *x)
{
	const char *start = x->pos;
	while (is_letter(*x->pos) || is_digit(*x->pos))
		x->pos++;
	set_token(x, TK_NAME, start);
}

/* Consumes everything that could belong to a number, so that 12ab is one bad token. */
static bool
skip_number(struct sn_lex *x, bool *out_is_float)
{
	const char *start = x->pos;
	bool is_hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
	const char *exponents = is_hex ? "pP" : "eE";
	*out_is_float = false;
	for (;; x->pos++) {
		char c = *x->pos;
		bool is_exponent = c && strchr(exponents, c);
		/* 1..8 is a range, not a number */
		bool is_point = c == '.' && x->pos[1] != '.';
		if (!is_digit(c) && !is_letter(c) && !is_point)
			return is_hex;
		if (is_exponent && (x->pos[1] == '+' || x->pos[1] == '-'))
			x->pos++;
		*out_is_float |= is_exponent || is_point;
	}
}

static void
lex_number(struct sn_lex *x)
{
	const char *start = x->pos;
	bool is_float, is_hex = skip_number(x, &is_float);
	char *end;
	set_token(x, is_float ? TK_FLOAT : TK_INT, start);
	const char *text = x->token.text;
	errno = 0;
	if (is_float) {
		x->token.f = sn_strtod(text, &end);
		errno = 0; /* beyond the range is infinity or zero, as anywhere */
	} else {
		x->token.i = strtoull(text, &end, is_hex ? 16 : 10);
		x->token.f = (double)x->token.i;
	}
	if (*end || errno || (is_hex && !text[2]))
		sn_lex_error(x, DG_TX_NUMBER, text);
}

/* One character of a string, after escapes; false at a bad escape. */
static bool
unescape(struct sn_lex *x, char *out)
{
	static const char from[] = "\"\\ntr", to[] = "\"\\\n\t\r";
	if (*x->pos != '\\') {
		*out = *x->pos++;
		return true;
	}
	x->pos++;
	const char *p = *x->pos ? strchr(from, *x->pos) : NULL;
	if (p) {
		*out = to[p - from];
		x->pos++;
		return true;
	}
	int hi = *x->pos == 'x' ? hex_digit(x->pos[1]) : -1;
	int lo = hi < 0 ? -1 : hex_digit(x->pos[2]);
	if (lo < 0 || hi * 16 + lo == 0)
		return false;
	*out = (char)(hi * 16 + lo);
	x->pos += 3;
	return true;
}

static void
lex_string(struct sn_lex *x)
{
	struct sn_buf b;
	sn_buf_init(&b, x->arena);
	x->pos++;
	while (*x->pos != '"') {
		char c;
		if (*x->pos == '\0' || *x->pos == '\n' || !unescape(x, &c)) {
			sn_lex_error(x, DG_TX_STRING, b.text);
			return;
		}
		sn_buf_addc(&b, c);
	}
	x->pos++;
	x->token.kind = TK_STRING;
	x->token.text = b.text;
}

static void
lex_sign(struct sn_lex *x)
{
	const char *start = x->pos;
	for (size_t i = 0; i < ARRAY_LEN(long_signs); i++) {
		size_t n = strlen(long_signs[i]);
		if (strncmp(start, long_signs[i], n) == 0) {
			x->pos += n;
			set_token(x, TK_SIGN, start);
			return;
		}
	}
	x->pos++;
	set_token(x, TK_SIGN, start);
	if (!strchr("()[]{}<>=,:+-*/%|^&@!.?~$", *start))
		sn_lex_error(x, DG_TX_CHAR, (unsigned)(unsigned char)*start);
}

void
sn_lex_next(struct sn_lex *x)
{
	if (x->has_failed)
		return;
	skip_space(x);
	x->token = (struct sn_token){
		.line = x->line,
		.column = (int)(x->pos - x->line_start) + 1,
		.text = "",
	};
	if (*x->pos == '\0')
		return;
	if (is_letter(*x->pos))
		lex_name(x);
	else if (is_digit(*x->pos))
		lex_number(x);
	else if (*x->pos == '"')
		lex_string(x);
	else
		lex_sign(x);
}

void
sn_lex_init(struct sn_lex *x, const char *text, const char *file, struct sn_arena *a,
	    struct sn_diags *diags)
{
	*x = (struct sn_lex){
		.file = file,
		.text = text,
		.pos = text,
		.line_start = text,
		.line = 1,
		.arena = a,
		.diags = diags,
	};
	sn_lex_next(x);
}

void
sn_lex_back(struct sn_lex *x, const struct sn_lex *mark)
{
	if (!x->has_failed)
		*x = *mark;
}

bool
sn_lex_is(const struct sn_lex *x, const char *s)
{
	return (x->token.kind == TK_SIGN || x->token.kind == TK_NAME)
	       && strcmp(x->token.text, s) == 0;
}

bool
sn_lex_take(struct sn_lex *x, const char *s)
{
	if (!sn_lex_is(x, s))
		return false;
	sn_lex_next(x);
	return true;
}

bool
sn_lex_expect(struct sn_lex *x, const char *s)
{
	return sn_lex_take(x, s) || sn_lex_expected(x, sn_printf(x->arena, "'%s'", s));
}

bool
sn_lex_name(struct sn_lex *x, const char *what, const char **out)
{
	if (x->token.kind != TK_NAME && x->token.kind != TK_STRING)
		return sn_lex_expected(x, what);
	*out = x->token.text;
	sn_lex_next(x);
	return true;
}

bool
sn_lex_string(struct sn_lex *x, const char *what, const char **out)
{
	if (x->token.kind != TK_STRING)
		return sn_lex_expected(x, what);
	*out = x->token.text;
	sn_lex_next(x);
	return true;
}

bool
sn_lex_int(struct sn_lex *x, const char *what, int64_t *out)
{
	bool is_negative = sn_lex_take(x, "-");
	if (x->token.kind != TK_INT)
		return sn_lex_expected(x, what);
	uint64_t limit = (uint64_t)INT64_MAX + is_negative, i = x->token.i;
	if (i > limit)
		return sn_lex_error(x, DG_TX_NUMBER, x->token.text);
	*out = is_negative ? -(int64_t)(i - 1) - 1 : (int64_t)i;
	if (i == 0)
		*out = 0;
	sn_lex_next(x);
	return true;
}

bool
sn_lex_is_number(const struct sn_lex *x)
{
	return x->token.kind == TK_INT || x->token.kind == TK_FLOAT || sn_lex_is(x, "-")
	       || sn_lex_is(x, "nan") || sn_lex_is(x, "inf");
}

bool
sn_lex_number(struct sn_lex *x, const char *what, double *out)
{
	bool is_negative = sn_lex_take(x, "-");
	double f;
	if (x->token.kind == TK_INT || x->token.kind == TK_FLOAT)
		f = x->token.f;
	else if (sn_lex_is(x, "nan"))
		f = NAN;
	else if (sn_lex_is(x, "inf"))
		f = INFINITY;
	else
		return sn_lex_expected(x, what);
	*out = is_negative ? -f : f;
	sn_lex_next(x);
	return true;
}

bool
sn_lex_enter(struct sn_lex *x)
{
	return ++x->depth <= MAX_DEPTH || sn_lex_error(x, DG_TX_DEEP, MAX_DEPTH);
}

void
sn_lex_leave(struct sn_lex *x)
{
	x->depth--;
}

void
sn_lex_print_name(struct sn_buf *out, const char *s, const char *const *keywords)
{
	bool is_plain = is_letter(*s);
	for (const char *p = s; *p; p++)
		is_plain &= is_letter(*p) || is_digit(*p);
	for (; is_plain && keywords && *keywords; keywords++)
		is_plain = strcmp(s, *keywords) != 0;
	if (is_plain)
		sn_buf_add(out, s);
	else
		sn_buf_add_quoted(out, s);
}
