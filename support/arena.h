/*
 * Arena: memory that is given back all at once.
 *
 * One arena per compilation, one scratch arena per pass.  There is no free();
 * an arena never returns NULL: a failed or over-budget allocation leaves
 * through the arena's guard (support/status.h).  Not thread safe.
 */
#ifndef SUPPORT_ARENA_H
#define SUPPORT_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "support/status.h"

struct sn_arena_chunk;
struct sn_arena_deferred;

struct sn_arena {
	struct sn_arena_chunk *chunks;	    /* newest first */
	char *next, *end;		    /* free bytes of the newest chunk */
	size_t used;			    /* bytes handed out */
	size_t budget;			    /* most bytes, 0 = no limit */
	struct sn_guard *guard;		    /* where failure goes */
	struct sn_arena_deferred *deferred; /* calls at release, newest first */
};

void sn_arena_init(struct sn_arena *a, struct sn_guard *guard);

/* Gives all memory back; the arena may be used again. */
void sn_arena_release(struct sn_arena *a);

/* Calls FN(ARG) at release, before any memory goes: for what lives as long as the arena but is not
 * memory of it (a mapped file). Newest first. */
void sn_arena_defer(struct sn_arena *a, void (*fn)(void *arg), void *arg);

/* A fresh arena for work inside of A's life: may be released any time, and is when A is (also when
 * an error unwinds). Shares A's guard; its budget is what is left of A's now. */
struct sn_arena *sn_arena_child(struct sn_arena *a);

/* SIZE zeroed bytes, aligned for any type (16); SIZE 0 gives a valid pointer. */
void *sn_alloc(struct sn_arena *a, size_t size);

/* COUNT * SIZE zeroed bytes with overflow check. */
void *sn_alloc_array(struct sn_arena *a, size_t count, size_t size);

#define SN_NEW(a, type) ((type *)sn_alloc((a), sizeof(type)))
#define SN_NEW_ARRAY(a, n, type) ((type *)sn_alloc_array((a), (n), sizeof(type)))

/* Copies; the result is the arena's. */
char *sn_strdup(struct sn_arena *a, const char *s);
char *sn_strndup(struct sn_arena *a, const char *s, size_t n);
void *sn_memdup(struct sn_arena *a, const void *p, size_t n);
char *sn_printf(struct sn_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *sn_vprintf(struct sn_arena *a, const char *fmt, va_list ap);

#define ARRAY_LEN(x) (sizeof(x) / sizeof((x)[0]))

#endif
