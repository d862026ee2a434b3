/* Arena: memory in chunks that double, handed out upwards, given back all at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/arena.h"
#include "support/format.h"

#define ALIGN 16u
#define CHUNK_FIRST ((size_t)16 << 10)
#define CHUNK_MOST ((size_t)1 << 20)

/*
 * Under AddressSanitizer every object is followed by a red zone and free
 * memory is poisoned, so that an overrun inside a chunk is seen too.
 */
#if defined(__has_feature) /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16u
#define POISON(p, n) __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define RED_ZONE 0u
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

struct sn_arena_chunk {
	struct sn_arena_chunk *older;
	size_t size; /* bytes after this header */
};

struct sn_arena_deferred {
	struct sn_arena_deferred *older;
	void (*fn)(void *arg);
	void *arg;
};

_Static_assert(sizeof(struct sn_arena_chunk) % ALIGN == 0, "objects start aligned");

void
sn_arena_init(struct sn_arena *a, struct sn_guard *guard)
{
	*a = (struct sn_arena){ .guard = guard };
}

void
sn_arena_defer(struct sn_arena *a, void (*fn)(void *arg), void *arg)
{
	struct sn_arena_deferred *d = SN_NEW(a, struct sn_arena_deferred);
	*d = (struct sn_arena_deferred){ .older = a->deferred, .fn = fn, .arg = arg };
	a->deferred = d;
}

static void
release_child(void *child)
{
	sn_arena_release(child);
}

struct sn_arena *
sn_arena_child(struct sn_arena *a)
{
	struct sn_arena *child = SN_NEW(a, struct sn_arena);
	sn_arena_init(child, a->guard);
	if (a->budget)
		child->budget = a->budget > a->used ? a->budget - a->used : 1;
	sn_arena_defer(a, release_child, child);
	return child;
}

void
sn_arena_release(struct sn_arena *a)
{
	for (struct sn_arena_deferred *d = a->deferred; d; d = d->older)
		d->fn(d->arg);
	a->deferred = NULL;

	struct sn_arena_chunk *older;
	for (struct sn_arena_chunk *c = a->chunks; c; c = older) {
		older = c->older;
		UNPOISON(c + 1, c->size);
		free(c);
	}
	a->chunks = NULL;
	a->next = a->end = NULL;
	a->used = 0;
}

static struct sn_arena_chunk *
new_chunk(struct sn_arena *a, size_t size)
{
	struct sn_arena_chunk *c = NULL;
	if (size <= SIZE_MAX - sizeof(*c))
		c = calloc(1, sizeof(*c) + size);
	if (!c)
		sn_guard_leave(a->guard, SN_ERR_MEMORY, "out of memory: %zu bytes wanted", size);
	c->size = size;
	POISON(c + 1, size);
	return c;
}

/* Objects too large for a shared chunk get their own, behind the newest, which stays in use. */
static void *
alloc_alone(struct sn_arena *a, size_t room)
{
	struct sn_arena_chunk *c = new_chunk(a, room);
	if (a->chunks) {
		c->older = a->chunks->older;
		a->chunks->older = c;
	} else {
		a->chunks = c;
	}
	return c + 1;
}

static void
refill(struct sn_arena *a)
{
	size_t size = CHUNK_FIRST;
	while (size < CHUNK_MOST && size < a->used)
		size *= 2;
	struct sn_arena_chunk *c = new_chunk(a, size);
	c->older = a->chunks;
	a->chunks = c;
	a->next = (char *)(c + 1);
	a->end = a->next + size;
}

void *
sn_alloc(struct sn_arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		sn_guard_leave(a->guard, SN_ERR_MEMORY, "out of memory: %zu bytes wanted", size);
	if (a->budget && (a->used > a->budget || size > a->budget - a->used))
		sn_guard_leave(a->guard, SN_ERR_MEMORY,
			       "over the memory budget of %zu bytes: %zu used, %zu more wanted",
			       a->budget, a->used, size);

	size_t room = (size + RED_ZONE + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (room == 0)
		room = ALIGN;
	void *p;
	if (room > CHUNK_FIRST / 4 && room > (size_t)(a->end - a->next)) {
		p = alloc_alone(a, room);
	} else {
		if (room > (size_t)(a->end - a->next))
			refill(a);
		p = a->next;
		a->next += room;
	}
	a->used += size;
	UNPOISON(p, size);
	return p;
}

void *
sn_alloc_array(struct sn_arena *a, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		sn_guard_leave(a->guard, SN_ERR_MEMORY, "out of memory: %zu times %zu bytes wanted",
			       count, size);
	return sn_alloc(a, bytes);
}

void *
sn_memdup(struct sn_arena *a, const void *p, size_t n)
{
	void *copy = sn_alloc(a, n);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *
sn_strndup(struct sn_arena *a, const char *s, size_t n)
{
	n = strnlen(s, n);
	char *copy = sn_alloc(a, n + 1);
	memcpy(copy, s, n);
	return copy;
}

char *
sn_strdup(struct sn_arena *a, const char *s)
{
	return sn_memdup(a, s, strlen(s) + 1);
}

char *
sn_vprintf(struct sn_arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = sn_format(NULL, 0, fmt, ap);
	if (n < 0)
		n = 0;
	char *text = sn_alloc(a, (size_t)n + 1);
	sn_format(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

char *
sn_printf(struct sn_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = sn_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}
