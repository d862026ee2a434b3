/*
 * Hash maps in an arena: from strings or 64-bit keys to pointers, and a set of
 * interned strings.  Iteration is in order of insertion, so that nothing that
 * is printed depends on hash values.
 */
#ifndef SUPPORT_MAP_H
#define SUPPORT_MAP_H

#include <stdbool.h>
#include "support/arena.h"

struct sn_map_entry {
	const char *key; /* NULL in maps by number */
	uint64_t num;
	void *value;
};

struct sn_map {
	struct sn_arena *arena;
	struct sn_map_entry *entries; /* in order of insertion, n of them */
	size_t n, cap;
	uint32_t *slots; /* open addressing, 0 = empty, else index + 1 */
	size_t nslots;
};

void sn_map_init(struct sn_map *m, struct sn_arena *a);

/* The value stored for the key, or NULL. */
void *sn_map_get(const struct sn_map *m, const char *key);
void *sn_map_get_num(const struct sn_map *m, uint64_t key);

/* Stores VALUE (replacing an earlier one); the key string is copied. */
void sn_map_put(struct sn_map *m, const char *key, void *value);
void sn_map_put_num(struct sn_map *m, uint64_t key, void *value);

/* The one copy of S that all equal strings share. */
const char *sn_intern(struct sn_map *strings, const char *s);

/* FNV-1a with 64-bit state; SEED chains calls, 0 starts. */
uint64_t sn_hash(uint64_t seed, const void *p, size_t n);

#endif
