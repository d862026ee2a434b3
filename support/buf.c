/* String buffer: text that grows in an arena; the one place that writes numbers and quotes. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "support/buf.h"
#include "support/format.h"

void
sn_buf_init(struct sn_buf *b, struct sn_arena *a)
{
	*b = (struct sn_buf){ .arena = a, .text = sn_alloc(a, 1), .cap = 1 };
}

/* Makes room for N more bytes and the terminator; returns where they go. */
static char *
room(struct sn_buf *b, size_t n)
{
	if (n >= b->cap - b->len) {
		size_t cap = b->cap * 2 > 64 ? b->cap * 2 : 64;
		if (cap - b->len <= n)
			cap = b->len + n + 1;
		char *text = sn_alloc(b->arena, cap);
		memcpy(text, b->text, b->len);
		b->text = text;
		b->cap = cap;
	}
	return b->text + b->len;
}

void
sn_buf_addn(struct sn_buf *b, const char *s, size_t n)
{
	char *at = room(b, n);
	if (n)
		memcpy(at, s, n);
	at[n] = '\0';
	b->len += n;
}

void
sn_buf_add(struct sn_buf *b, const char *s)
{
	sn_buf_addn(b, s, strlen(s));
}

void
sn_buf_addc(struct sn_buf *b, char c)
{
	sn_buf_addn(b, &c, 1);
}

void
sn_buf_vaddf(struct sn_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = sn_format(b->text + b->len, b->cap - b->len, fmt, ap);
	if (n > 0 && (size_t)n >= b->cap - b->len)
		sn_format(room(b, (size_t)n), (size_t)n + 1, fmt, again);
	if (n > 0)
		b->len += (size_t)n;
	va_end(again);
}

void
sn_buf_addf(struct sn_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	sn_buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
sn_buf_fill(struct sn_buf *b, char c, size_t n)
{
	char *at = room(b, n);
	memset(at, c, n);
	at[n] = '\0';
	b->len += n;
}

static bool
reads_back(const char *text, double x, bool is_f32)
{
	return is_f32 ? sn_strtof(text, NULL) == (float)x : sn_strtod(text, NULL) == x;
}

void
sn_buf_add_float(struct sn_buf *b, double x, bool is_f32)
{
	if (isnan(x)) {
		sn_buf_add(b, "nan");
		return;
	}
	if (is_f32)
		x = (float)x;
	if (isinf(x)) {
		sn_buf_add(b, x < 0 ? "-inf" : "inf");
		return;
	}
	size_t start = b->len;
	int most = is_f32 ? 9 : 17;
	for (int digits = 1; digits <= most; digits++) {
		b->len = start;
		sn_buf_addf(b, "%.*g", digits, x);
		if (reads_back(b->text + start, x, is_f32))
			return;
	}
}

void
sn_buf_add_quoted(struct sn_buf *b, const char *s)
{
	sn_buf_addc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			sn_buf_addf(b, "\\%c", c);
		else if (c == '\n')
			sn_buf_add(b, "\\n");
		else if (c == '\t')
			sn_buf_add(b, "\\t");
		else if (c < 0x20 || c == 0x7f)
			sn_buf_addf(b, "\\x%02x", c);
		else
			sn_buf_addc(b, (char)c);
	}
	sn_buf_addc(b, '"');
}

/* Bytes of the UTF-8 sequence at S, 0 if it is not one (RFC 3629). */
static int
utf8_length(const unsigned char *s)
{
	int n = s[0] < 0x80   ? 1
		: s[0] < 0xc2 ? 0
		: s[0] < 0xe0 ? 2
		: s[0] < 0xf0 ? 3
		: s[0] < 0xf5 ? 4
			      : 0;
	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool is_overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool is_surrogate = s[0] == 0xed && s[1] >= 0xa0;
	bool is_beyond = s[0] == 0xf4 && s[1] >= 0x90;
	return is_overlong || is_surrogate || is_beyond ? 0 : n;
}

void
sn_buf_add_json(struct sn_buf *b, const char *s)
{
	sn_buf_addc(b, '"');
	while (*s) {
		unsigned char c = (unsigned char)*s;
		int n = utf8_length((const unsigned char *)s);
		if (c == '"' || c == '\\')
			sn_buf_addf(b, "\\%c", c);
		else if (c < 0x20)
			sn_buf_addf(b, "\\u%04x", c);
		else if (n)
			sn_buf_addn(b, s, (size_t)n);
		else
			sn_buf_add(b, "\\ufffd");
		s += n ? n : 1;
	}
	sn_buf_addc(b, '"');
}
