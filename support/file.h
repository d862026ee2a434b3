/*
 * Files: mapped for reading, replaced atomically for writing.
 */
#ifndef SUPPORT_FILE_H
#define SUPPORT_FILE_H

#include <stdbool.h>
#include "support/arena.h"
#include "support/diag.h"

/* A read-only view of a whole file; stays valid until sn_file_unmap. */
struct sn_file {
	const uint8_t *data;
	size_t size;
};

/* Maps PATH; reports DG_OPEN and returns false on failure. An empty file maps to size 0. */
bool sn_file_map(struct sn_file *f, const char *path, struct sn_diags *diags);
void sn_file_unmap(struct sn_file *f);

/* Writes SIZE bytes to PATH through a temporary file beside it, fsync and rename: readers see the
 * old content or the new, never half. Reports DG_WRITE. */
bool sn_file_write(const char *path, const void *data, size_t size, struct sn_diags *diags);

/* The same for content produced piece by piece (large weights): open, append, commit or abandon. */
struct sn_file_out {
	int fd;
	char *path, *temp;
	struct sn_arena *arena;
};
bool
sn_file_out_open(struct sn_file_out *o, const char *path, struct sn_arena *a, struct sn_diags *d);
bool sn_file_out_append(struct sn_file_out *o, const void *data, size_t size, struct sn_diags *d);
bool sn_file_out_commit(struct sn_file_out *o, struct sn_diags *d);
void sn_file_out_abandon(struct sn_file_out *o);

/* Makes folder PATH and its parents. */
bool sn_make_folder(const char *path, struct sn_arena *a, struct sn_diags *diags);

#endif
