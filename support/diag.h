/*
 * Diagnostics: what users are told about their input.
 *
 * All texts stand in support/diag.def.  Who detects a problem reports it,
 * once, with the fullest context; callers only propagate failure.  A list
 * collects all problems of a run and is rendered as text or JSON by the
 * caller of the library.
 */
#ifndef SUPPORT_DIAG_H
#define SUPPORT_DIAG_H

#include <stdbool.h>
#include "support/buf.h"
#include "support/vec.h"

enum sn_severity { SN_NOTE, SN_REMARK, SN_WARNING, SN_ERROR };

enum sn_diag_id {
#define DIAG(id, code, severity, text, hint) id,
#include "support/diag.def"
#undef DIAG
	DIAG_COUNT
};

/* What a message is about; any field may be NULL or -1. */
struct sn_where {
	const char *file; /* model or text file */
	const char *op;	  /* ONNX operator type, or pass, or kernel */
	const char *name; /* node name */
	int index;	  /* node number in the file, -1 unknown */
	int line, column; /* in a text file, from 1; 0 unknown */
};

#define SN_NOWHERE \
	(struct sn_where) \
	{ \
		.index = -1 \
	}

struct sn_diag {
	enum sn_diag_id id;
	struct sn_where where;
	const char *text;    /* with its arguments filled in */
	const char *excerpt; /* lines of IR text with a caret, or NULL */
};

struct sn_diags {
	struct sn_arena *arena;
	SN_VEC(struct sn_diag) list;
	int errors, warnings;
	int limit;	  /* most errors kept (0: 100); more are counted only */
	bool is_dropping; /* the last error was over the limit: its notes go with it */
};

void sn_diags_init(struct sn_diags *d, struct sn_arena *a);

/* "E0203" and the severity of a message of that id. */
const char *sn_diag_code(enum sn_diag_id id);
enum sn_severity sn_diag_severity(enum sn_diag_id id);

/* Reports message ID about WHERE; the arguments fill the table's text. Returns false, always,
 * so that a check reads: return sn_report(...). */
bool sn_report(struct sn_diags *d, struct sn_where where, enum sn_diag_id id, ...);

/* The same with an excerpt of IR text below the message. */
bool sn_report_excerpt(struct sn_diags *d, struct sn_where where, const char *excerpt,
		       enum sn_diag_id id, ...);

/* The text of the message reported last, NULL if it was over the limit and dropped; and an excerpt
 * for it. */
const char *sn_diags_last_text(const struct sn_diags *d);
void sn_diags_add_excerpt(struct sn_diags *d, const char *excerpt);

/* Renders the list as the user sees it: "file: error[E0203]: Conv 'conv1' (node 12): text", or
 * "file:line:column: error[...]: text". Notes belong to the message before them and stand between
 * its excerpt and its hint. */
void sn_diags_print(const struct sn_diags *d, struct sn_buf *out);
void sn_diags_print_json(const struct sn_diags *d, struct sn_buf *out);

/* A broken invariant of sinter itself: leaves through the guard with SN_ERR_INTERNAL. */
_Noreturn void
sn_bug(struct sn_guard *guard, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
