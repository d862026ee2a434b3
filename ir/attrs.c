/*
 * Attributes: the field tables made from ir/attrs.def, and what follows from
 * them for every set alike (defaults, equality, hash).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/attrs.h"
#include "support/format.h"
#include "support/map.h"

#define ATTR_SET(set) static const struct sn_attr_field fields_##set[] = {
#define ATTR(set, kind, name, def) { #name, AT_##kind, offsetof(struct sn_attrs_##set, name), def },
#define ATTR_END(set) \
	} \
	;
#include "ir/attrs.def"

static const struct sn_attr_layout layouts[AS_COUNT] = {
	[AS_NONE] = { "none", 0, 0, NULL },
#define ATTR_SET(set) \
	[AS_##set] = { #set, sizeof(struct sn_attrs_##set), (int)ARRAY_LEN(fields_##set), \
		       fields_##set },
#define ATTR(set, kind, name, def)
#define ATTR_END(set)
#include "ir/attrs.def"
};

const struct sn_attr_layout *
sn_attr_layout(enum sn_attr_set set)
{
	return &layouts[set];
}

static const void *
at(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

/* "[1,2]" as numbers; our own table's text, so taken as well formed. */
static struct sn_ints
default_ints(struct sn_arena *a, const char *text)
{
	if (*text != '[')
		return (struct sn_ints){ .n = -1 };
	int64_t *v = SN_NEW_ARRAY(a, strlen(text), int64_t);
	int n = 0;
	for (char *p = (char *)text + 1; *p && *p != ']'; p += *p == ',')
		v[n++] = strtoll(p, &p, 10);
	return (struct sn_ints){ n, v };
}

static void
set_default(struct sn_arena *a, const struct sn_attr_field *f, void *field)
{
	bool is_absent = *f->def == '\0' || strcmp(f->def, "-") == 0;
	switch (f->kind) {
	case AT_INT: *(int64_t *)field = is_absent ? INT64_MIN : strtoll(f->def, NULL, 10); break;
	case AT_FLOAT: *(float *)field = is_absent ? NAN : sn_strtof(f->def, NULL); break;
	case AT_STR: *(const char **)field = is_absent ? NULL : f->def; break;
	case AT_INTS: *(struct sn_ints *)field = default_ints(a, f->def); break;
	case AT_FLOATS: *(struct sn_floats *)field = (struct sn_floats){ .n = -1 }; break;
	case AT_STRS: *(struct sn_strs *)field = (struct sn_strs){ .n = -1 }; break;
	case AT_DATA: break;
	}
}

void *
sn_attrs_new(struct sn_arena *a, enum sn_attr_set set)
{
	const struct sn_attr_layout *l = &layouts[set];
	char *attrs = sn_alloc(a, l->size);
	for (int i = 0; i < l->nfields; i++)
		set_default(a, &l->fields[i], attrs + l->fields[i].offset);
	return attrs;
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
is_same_bytes(int na, const void *a, int nb, const void *b, size_t size)
{
	return na == nb && (na <= 0 || memcmp(a, b, (size_t)na * size) == 0);
}

static bool
is_same_strs(const struct sn_strs *a, const struct sn_strs *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (!is_same_text(a->v[i], b->v[i]))
			return false;
	return true;
}

static bool
is_same_tensor(const struct sn_attr_tensor *a, const struct sn_attr_tensor *b)
{
	if (!a->data || !b->data)
		return a->data == b->data;
	return a->rank == b->rank
	       && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof(a->dims[0])) == 0
	       && sn_data_equal(a->data, b->data);
}

bool
sn_attr_is_absent(enum sn_attr_kind kind, const void *field)
{
	switch (kind) {
	case AT_INT: return *(const int64_t *)field == INT64_MIN;
	case AT_FLOAT: return isnan(*(const float *)field);
	case AT_STR: return !*(const char *const *)field;
	case AT_INTS: return ((const struct sn_ints *)field)->n < 0;
	case AT_FLOATS: return ((const struct sn_floats *)field)->n < 0;
	case AT_STRS: return ((const struct sn_strs *)field)->n < 0;
	case AT_DATA: return !((const struct sn_attr_tensor *)field)->data;
	}
	return true;
}

bool
sn_attr_equal(enum sn_attr_kind kind, const void *x, const void *y)
{
	const struct sn_ints *xi = x, *yi = y;
	const struct sn_floats *xf = x, *yf = y;
	switch (kind) {
	case AT_INT: return *(const int64_t *)x == *(const int64_t *)y;
	case AT_FLOAT: /* by bits: an absent one is a NaN */
		return memcmp(x, y, sizeof(float)) == 0;
	case AT_STR: return is_same_text(*(const char *const *)x, *(const char *const *)y);
	case AT_INTS: return is_same_bytes(xi->n, xi->v, yi->n, yi->v, sizeof(int64_t));
	case AT_FLOATS: return is_same_bytes(xf->n, xf->v, yf->n, yf->v, sizeof(float));
	case AT_STRS: return is_same_strs(x, y);
	case AT_DATA: return is_same_tensor(x, y);
	}
	return false;
}

bool
sn_attrs_equal(enum sn_attr_set set, const void *a, const void *b)
{
	const struct sn_attr_layout *l = &layouts[set];
	for (int i = 0; i < l->nfields; i++) {
		const struct sn_attr_field *f = &l->fields[i];
		if (!sn_attr_equal(f->kind, at(a, f->offset), at(b, f->offset)))
			return false;
	}
	return true;
}

static uint64_t
hash_text(uint64_t h, const char *s)
{
	return s ? sn_hash(h, s, strlen(s) + 1) : sn_hash(h, "", 1);
}

static uint64_t
hash_list(uint64_t h, int n, const void *v, size_t size)
{
	h = sn_hash(h, &n, sizeof(n));
	return n > 0 ? sn_hash(h, v, (size_t)n * size) : h;
}

static uint64_t
hash_tensor(uint64_t h, const struct sn_attr_tensor *t)
{
	if (!t->data)
		return sn_hash(h, "-", 1);
	uint64_t d = sn_data_hash(t->data);
	h = sn_hash(h, &d, sizeof(d));
	return hash_list(h, t->rank, t->dims, sizeof(t->dims[0]));
}

static uint64_t
hash_field(uint64_t h, enum sn_attr_kind kind, const void *x)
{
	const struct sn_ints *ints = x;
	const struct sn_floats *floats = x;
	const struct sn_strs *strs = x;
	switch (kind) {
	case AT_INT: return sn_hash(h, x, sizeof(int64_t));
	case AT_FLOAT: return sn_hash(h, x, sizeof(float));
	case AT_STR: return hash_text(h, *(const char *const *)x);
	case AT_INTS: return hash_list(h, ints->n, ints->v, sizeof(int64_t));
	case AT_FLOATS: return hash_list(h, floats->n, floats->v, sizeof(float));
	case AT_STRS:
		h = sn_hash(h, &strs->n, sizeof(strs->n));
		for (int i = 0; i < strs->n; i++)
			h = hash_text(h, strs->v[i]);
		return h;
	case AT_DATA: return hash_tensor(h, x);
	}
	return h;
}

uint64_t
sn_attrs_hash(enum sn_attr_set set, const void *a)
{
	const struct sn_attr_layout *l = &layouts[set];
	uint64_t h = sn_hash(0, &set, sizeof(set));
	for (int i = 0; i < l->nfields; i++)
		h = hash_field(h, l->fields[i].kind, at(a, l->fields[i].offset));
	return h;
}
