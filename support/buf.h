/*
 * String buffer: text that grows, in an arena.
 *
 * Always NUL-terminated; text[len] is the terminator.  Printers of every
 * level write into one.  Numbers are printed the same in every locale.
 */
#ifndef SUPPORT_BUF_H
#define SUPPORT_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include "support/arena.h"

struct sn_buf {
	struct sn_arena *arena;
	char *text;
	size_t len, cap;
};

void sn_buf_init(struct sn_buf *b, struct sn_arena *a);
void sn_buf_add(struct sn_buf *b, const char *s);
void sn_buf_addn(struct sn_buf *b, const char *s, size_t n);
void sn_buf_addc(struct sn_buf *b, char c);
void sn_buf_addf(struct sn_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sn_buf_vaddf(struct sn_buf *b, const char *fmt, va_list ap);

/* N times C: indentation, rulers. */
void sn_buf_fill(struct sn_buf *b, char c, size_t n);

/* Shortest decimal text that reads back as the same f32 (is_f32) or f64; nan, inf, -inf. */
void sn_buf_add_float(struct sn_buf *b, double x, bool is_f32);

/* S between double quotes, with \" \\ \n \t \xHH escapes (bytes >= 0x80 pass). */
void sn_buf_add_quoted(struct sn_buf *b, const char *s);

/* S as a JSON string; what is not UTF-8 becomes U+FFFD. */
void sn_buf_add_json(struct sn_buf *b, const char *s);

#endif
