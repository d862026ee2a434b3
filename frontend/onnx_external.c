/*
 * External data: tensors whose bytes lie in files beside the model.
 *
 * A model says where, so it could say anything: only files in the model's
 * folder or below it are opened, whatever links lead there, and every range is
 * checked against the file.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/onnx_data.h"

struct place {
	const char *location;
	int64_t offset, length; /* length -1: to the end of the file */
};

static void
unmap(void *file)
{
	sn_file_unmap(file);
}

bool
sn_map_for(struct sn_arena *a, const char *path, struct sn_diags *d, struct sn_file *out)
{
	struct sn_file *f = SN_NEW(a, struct sn_file);
	sn_arena_defer(a, unmap, f);
	bool is_mapped = sn_file_map(f, path, d);
	*out = *f;
	return is_mapped;
}

static const char *
name_of(const Pb__TensorProto *t)
{
	return t->name ? t->name : "";
}

/* A decimal number without sign. */
static bool
parse_number(const char *text, int64_t *out)
{
	char *end;
	errno = 0;
	long long x = strtoll(text, &end, 10);
	*out = x;
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool
read_place(struct sn_data_source *s, const Pb__TensorProto *t, struct sn_where where,
	   struct place *out)
{
	*out = (struct place){ .length = -1 };
	for (size_t i = 0; i < t->n_external_data; i++) {
		const char *key = t->external_data[i]->key, *value = t->external_data[i]->value;
		if (!key || !value)
			continue;
		int64_t *number = strcmp(key, "offset") == 0   ? &out->offset
				  : strcmp(key, "length") == 0 ? &out->length
							       : NULL;
		if (strcmp(key, "location") == 0)
			out->location = value;
		if (number && !parse_number(value, number))
			return sn_report(s->diags, where, DG_EXTERNAL_KEY, name_of(t), key, value);
	}
	return out->location || sn_report(s->diags, where, DG_TENSOR_NONE, name_of(t));
}

/* Has PATH a component ".."? */
static bool
has_parent(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

/* Both without links: does PATH lie below FOLDER? */
static bool
is_below(const char *folder, const char *path)
{
	size_t n = strlen(folder);
	return strncmp(folder, path, n) == 0 && (path[n] == '/' || (n && folder[n - 1] == '/'));
}

/* Why LOCATION can't be used, or NULL and its path without links in OUT (PATH_MAX bytes). */
static const char *
resolve(const struct sn_data_source *s, const char *location, char *out)
{
	char folder[PATH_MAX];
	if (!s->folder)
		return "the model was not read from a folder";
	if (*location == '\0' || *location == '/' || has_parent(location))
		return "not a path below the model's folder";
	const char *path = sn_printf(s->arena, "%s/%s", s->folder, location);
	if (!realpath(s->folder, folder) || !realpath(path, out))
		return strerror(errno);
	return is_below(folder, out) ? NULL : "a link leads out of the model's folder";
}

static const struct sn_file *
map_once(struct sn_data_source *s, const char *path)
{
	struct sn_file *f = sn_map_get(&s->maps, path);
	if (f)
		return f;
	f = SN_NEW(s->arena, struct sn_file);
	if (!sn_map_for(s->arena, path, s->diags, f))
		return NULL;
	sn_map_put(&s->maps, path, f);
	return f;
}

/* The bytes of PLACE in F, which must be NEED. */
static bool
find_range(struct sn_data_source *s, const Pb__TensorProto *t, struct sn_where where,
	   const struct place *place, const struct sn_file *f, size_t *out_size)
{
	uint64_t offset = (uint64_t)place->offset;
	bool is_in = offset <= f->size;
	uint64_t left = is_in ? f->size - offset : 0;
	uint64_t length = place->length < 0 ? left : (uint64_t)place->length;
	if (!is_in || length > left)
		return sn_report(s->diags, where, DG_EXTERNAL_RANGE, name_of(t),
				 (unsigned long long)length, (unsigned long long)offset,
				 place->location, f->size);
	*out_size = (size_t)length;
	return true;
}

bool
sn_read_external(struct sn_data_source *s, const Pb__TensorProto *t, struct sn_where where,
		 size_t need, const void **out)
{
	struct place place;
	char path[PATH_MAX];
	size_t size = 0;
	if (!read_place(s, t, where, &place))
		return false;
	const char *why = resolve(s, place.location, path);
	if (why)
		return sn_report(s->diags, where, DG_EXTERNAL_PATH, name_of(t), place.location,
				 why);
	const struct sn_file *f = map_once(s, path);
	if (!f || !find_range(s, t, where, &place, f, &size))
		return false;
	if (size < need || (place.length >= 0 && size != need))
		return sn_report(s->diags, where, DG_TENSOR_SIZE, name_of(t),
				 (unsigned long long)size, (unsigned long long)need);
	*out = f->data + place.offset;
	return true;
}
