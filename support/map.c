/* Hash maps with open addressing over a list of entries in order of insertion. */
#include <string.h>
#include "support/map.h"

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t
sn_hash(uint64_t seed, const void *p, size_t n)
{
	const unsigned char *bytes = p;
	uint64_t h = seed ? seed : FNV_BASIS;
	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * FNV_PRIME;
	return h;
}

void
sn_map_init(struct sn_map *m, struct sn_arena *a)
{
	*m = (struct sn_map){ .arena = a };
}

static uint64_t
hash_key(const char *key, uint64_t num)
{
	return key ? sn_hash(0, key, strlen(key)) : sn_hash(0, &num, sizeof(num));
}

static bool
is_key(const struct sn_map_entry *e, const char *key, uint64_t num)
{
	if (!key || !e->key)
		return !key && !e->key && e->num == num;
	return strcmp(e->key, key) == 0;
}

/* The slot that holds the key, or the empty one where it belongs; there is always an empty one. */
static size_t
find_slot(const struct sn_map *m, const char *key, uint64_t num)
{
	uint64_t h = hash_key(key, num);
	size_t i = (size_t)(h ^ (h >> 32)) & (m->nslots - 1);
	while (m->slots[i] && !is_key(&m->entries[m->slots[i] - 1], key, num))
		i = (i + 1) & (m->nslots - 1);
	return i;
}

static struct sn_map_entry *
find_entry(const struct sn_map *m, const char *key, uint64_t num)
{
	if (!m->nslots)
		return NULL;
	uint32_t slot = m->slots[find_slot(m, key, num)];
	return slot ? &m->entries[slot - 1] : NULL;
}

/* Keeps the table at most half full. */
static void
widen(struct sn_map *m)
{
	m->nslots = m->nslots ? m->nslots * 2 : 16;
	m->slots = SN_NEW_ARRAY(m->arena, m->nslots, uint32_t);
	m->cap = m->nslots / 2;
	struct sn_map_entry *entries = SN_NEW_ARRAY(m->arena, m->cap, struct sn_map_entry);
	if (m->n)
		memcpy(entries, m->entries, m->n * sizeof(*entries));
	m->entries = entries;
	for (size_t i = 0; i < m->n; i++)
		m->slots[find_slot(m, entries[i].key, entries[i].num)] = (uint32_t)(i + 1);
}

static struct sn_map_entry *
put(struct sn_map *m, const char *key, uint64_t num, void *value)
{
	struct sn_map_entry *e = find_entry(m, key, num);
	if (e) {
		e->value = value;
		return e;
	}
	if (m->n == m->cap)
		widen(m);
	size_t slot = find_slot(m, key, num);
	e = &m->entries[m->n++];
	*e = (struct sn_map_entry){ key ? sn_strdup(m->arena, key) : NULL, num, value };
	m->slots[slot] = (uint32_t)m->n;
	return e;
}

void *
sn_map_get(const struct sn_map *m, const char *key)
{
	const struct sn_map_entry *e = find_entry(m, key, 0);
	return e ? e->value : NULL;
}

void *
sn_map_get_num(const struct sn_map *m, uint64_t key)
{
	const struct sn_map_entry *e = find_entry(m, NULL, key);
	return e ? e->value : NULL;
}

void
sn_map_put(struct sn_map *m, const char *key, void *value)
{
	put(m, key, 0, value);
}

void
sn_map_put_num(struct sn_map *m, uint64_t key, void *value)
{
	put(m, NULL, key, value);
}

const char *
sn_intern(struct sn_map *strings, const char *s)
{
	const struct sn_map_entry *e = find_entry(strings, s, 0);
	return e ? e->key : put(strings, s, 0, NULL)->key;
}
