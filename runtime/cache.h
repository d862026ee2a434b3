/*
 * Binaries of programs, kept on disk between processes.
 *
 * A folder of files, one for each entry; its name is the key.  A file appears
 * under its name when it is complete (temporary file, rename) and says its
 * length and checksum, so that any number of processes may read, write, remove
 * and be killed at any time: what a reader gets is whole, or is missing.
 * Nothing here is an error to the caller: without a cache programs are built.
 */
#ifndef RUNTIME_CACHE_H
#define RUNTIME_CACHE_H

#include "runtime/sinter_runtime.h"

struct sinter_cache_key {
	uint64_t words[2];
};

/* Begins a key, and takes BYTES at DATA into it. */
void sinter_cache_key_init(struct sinter_cache_key *k);
void sinter_cache_key_add(struct sinter_cache_key *k, const void *data, size_t bytes);

/* The same with a text, its end included. */
void sinter_cache_key_text(struct sinter_cache_key *k, const char *text);

/* Whether there is a folder to put anything into: what nobody keeps need not be made (a driver may
 * compile a program once more for its binary). */
int sinter_cache_is_on(void);

/* What was put under K: *OUT, for free(), of *OUT_BYTES; NULL if there is nothing, or it is damaged
 * (then it is removed), or the cache is off. */
void *sinter_cache_get(const struct sinter_cache_key *k, size_t *out_bytes);

/* Puts BYTES at DATA under K, for a reader who asks sinter_cache_each described by LABEL.  Entries
 * that were not used for the longest time go when there are too many bytes in all. */
void sinter_cache_put(const struct sinter_cache_key *k, const char *label, const void *data,
		      size_t bytes);

/* Forgets K, which the driver refused. */
void sinter_cache_drop(const struct sinter_cache_key *k);

#endif
