/*
 * --shape and --dim: dimensions that the user fixes.
 */
#include <stdlib.h>
#include <string.h>
#include "frontend/reader.h"

static struct sn_where
where(const struct sn_reader *r)
{
	struct sn_where w = SN_NOWHERE;
	w.file = r->file;
	return w;
}

/* A dimension at *P: a number, or '?' or "-1" for -1. */
static bool
parse_dim(const char **p, int64_t *out)
{
	const char *open = **p == '?' ? "?" : strncmp(*p, "-1", 2) == 0 ? "-1" : NULL;
	if (open) {
		*p += strlen(open);
		*out = -1;
		return true;
	}
	int64_t x = 0;
	const char *start = *p;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(x, 10, &x) || __builtin_add_overflow(x, **p - '0', &x))
			return false;
	*out = x;
	return *p > start;
}

/* "name=1x3x224x224", "name=8", "name=" for a scalar. Names may contain '='. */
static bool
parse(struct sn_pin *pin)
{
	const char *equals = strrchr(pin->text, '=');
	if (!equals || equals == pin->text)
		return false;
	const char *p = equals + 1;
	while (*p && pin->rank < SN_MAX_RANK) {
		if (!parse_dim(&p, &pin->dims[pin->rank++]))
			return false;
		if (*p && !(pin->is_shape && strchr("x,", *p) && p[1]))
			return false;
		p += *p != '\0';
	}
	return *p == '\0' && (pin->is_shape || (pin->rank == 1 && pin->dims[0] >= 0));
}

static bool
add(struct sn_reader *r, const char *text, bool is_shape)
{
	struct sn_pin pin = { .text = text, .is_shape = is_shape };
	if (!parse(&pin))
		return sn_report(r->diags, where(r), DG_PIN_SYNTAX, text);
	pin.name = sn_strndup(r->scratch, text, (size_t)(strrchr(text, '=') - text));
	SN_PUSH(r->scratch, &r->pins, pin);
	return true;
}

bool
sn_pins_parse(struct sn_reader *r, const struct sn_import_opts *o)
{
	bool is_right = true;
	for (int i = 0; o && i < o->nshapes; i++)
		is_right &= add(r, o->shapes[i], true);
	for (int i = 0; o && i < o->ndims; i++)
		is_right &= add(r, o->dims[i], false);
	return is_right;
}

struct sn_pin *
sn_pin_find(struct sn_reader *r, const char *name, bool is_shape)
{
	for (size_t i = 0; i < r->pins.n; i++)
		if (r->pins.v[i].is_shape == is_shape && strcmp(r->pins.v[i].name, name) == 0)
			return &r->pins.v[i];
	return NULL;
}

int64_t
sn_pin_dim(struct sn_reader *r, const char *name)
{
	struct sn_pin *pin = sn_pin_find(r, name, false);
	if (!pin)
		return -1;
	pin->is_used = true;
	return pin->dims[0];
}

void
sn_pin_add_dim(struct sn_reader *r, const char *name, int64_t x)
{
	struct sn_pin pin = { .name = sn_strdup(r->scratch, name), .rank = 1, .is_used = true };
	pin.text = pin.name;
	pin.dims[0] = x;
	SN_PUSH(r->scratch, &r->pins, pin);
}

bool
sn_pins_check_used(struct sn_reader *r)
{
	bool is_right = true;
	for (size_t i = 0; i < r->pins.n; i++) {
		const struct sn_pin *pin = &r->pins.v[i];
		if (!pin->is_used)
			is_right = sn_report(r->diags, where(r), DG_PIN_NAME,
					     pin->is_shape ? "input" : "dimension", pin->name);
	}
	return is_right;
}
