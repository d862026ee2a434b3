/*
 * Status codes of the compile side, and the one way out of memory.
 *
 * A function that can fail on the user's input returns bool: false means that
 * at least one diagnostic of severity error stands in the list it was given
 * (support/diag.h).  Running out of memory unwinds to the entry point of the
 * library (sn_guard), so that no caller in between tests for NULL.  A broken
 * invariant of our own is sn_bug().
 */
#ifndef SUPPORT_STATUS_H
#define SUPPORT_STATUS_H

#include <setjmp.h>

enum sn_status {
	SN_OK = 0,
	SN_ERR_INPUT = 1,    /* the model or another file is at fault */
	SN_ERR_USAGE = 2,    /* the call is at fault */
	SN_ERR_INTERNAL = 3, /* sinter is at fault */
	SN_ERR_MEMORY = 4,   /* out of memory, or over a stated budget */
	SN_ERR_IO = 5,	     /* a file could not be read or written */
};

/* Where to unwind to; lives in the frame of a library entry point. */
struct sn_guard {
	jmp_buf env;
	char text[256]; /* of sn_bug or of the failed allocation */
};

/* setjmp must be called in the frame that stays alive, hence a macro:
 *	switch (SN_GUARD_ENTER(&guard)) { case SN_OK: work; ... }
 */
#define SN_GUARD_ENTER(guard) ((enum sn_status)setjmp((guard)->env))

/* Leaves through GUARD with STATUS; aborts the process if GUARD is NULL. */
_Noreturn void sn_guard_leave(struct sn_guard *guard, enum sn_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
