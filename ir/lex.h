/*
 * Tokens of the three text forms (docs/ir.md), with their place in the text.
 *
 * Names are ASCII identifiers; any other name stands between double quotes.
 * A comment runs from ';' or '#' to the end of the line.  Numbers are decimal
 * or hexadecimal, integers or floats; a sign is a token of its own.  The first
 * error is reported with line, column and the line itself, and from then on
 * every token is the end, so that parsers need not test after each step.
 */
#ifndef IR_LEX_H
#define IR_LEX_H

#include "support/diag.h"

enum sn_token_kind { TK_END, TK_NAME, TK_STRING, TK_INT, TK_FLOAT, TK_SIGN };

struct sn_token {
	enum sn_token_kind kind;
	const char *text; /* the name, what a string says, or the token as written */
	uint64_t i;	  /* TK_INT */
	double f;	  /* TK_FLOAT and TK_INT */
	int line, column; /* from 1 */
};

struct sn_lex {
	const char *file;	/* for messages, may be NULL */
	const char *text, *pos; /* the whole text; what follows the token */
	const char *line_start;
	int line;
	struct sn_token token; /* the current one */
	struct sn_arena *arena;
	struct sn_diags *diags;
	int depth; /* of nesting, see sn_lex_enter */
	bool has_failed;
	bool is_quiet; /* of a copy that looks ahead: errors are not reported */
};

/* Starts at the first token of TEXT, which must outlive the lexer. */
void sn_lex_init(struct sn_lex *x, const char *text, const char *file, struct sn_arena *a,
		 struct sn_diags *diags);
void sn_lex_next(struct sn_lex *x);

/* Back to where MARK, a copy of X, stood; nothing if an error was reported meanwhile. */
void sn_lex_back(struct sn_lex *x, const struct sn_lex *mark);

/* Is the current token the sign or keyword S? take: and goes on; expect: else reports. */
bool sn_lex_is(const struct sn_lex *x, const char *s);
bool sn_lex_take(struct sn_lex *x, const char *s);
bool sn_lex_expect(struct sn_lex *x, const char *s);

/* A name, quoted or not; a string; an integer with its sign; any number with its sign, nan and inf
 * too. Report and return false if there is none. WHAT names what was expected. */
bool sn_lex_name(struct sn_lex *x, const char *what, const char **out);
bool sn_lex_string(struct sn_lex *x, const char *what, const char **out);
bool sn_lex_int(struct sn_lex *x, const char *what, int64_t *out);
bool sn_lex_number(struct sn_lex *x, const char *what, double *out);

/* Could the current token start a number (sn_lex_number)? */
bool sn_lex_is_number(const struct sn_lex *x);

/* To be called around each level of nesting: reports when it is too deep. */
bool sn_lex_enter(struct sn_lex *x);
void sn_lex_leave(struct sn_lex *x);

/* Reports ID with its arguments at the current token, unless an error was reported before; from now
 * on all tokens are the end. Returns false. */
#define sn_lex_error(x, id, ...) \
	((x)->has_failed ? false \
			 : (sn_report_excerpt((x)->diags, sn_lex_where(x), sn_lex_excerpt(x), id, \
					      __VA_ARGS__), \
			    sn_lex_stop(x)))
struct sn_where sn_lex_where(const struct sn_lex *x);
const char *sn_lex_excerpt(const struct sn_lex *x);
bool sn_lex_stop(struct sn_lex *x);

/* "expected WHAT, found ..." */
bool sn_lex_expected(struct sn_lex *x, const char *what);

/* S as the lexer reads it back: as it is if it is an identifier and not one of the NULL-terminated
 * KEYWORDS (may be NULL), else between quotes. */
void sn_lex_print_name(struct sn_buf *out, const char *s, const char *const *keywords);

#endif
