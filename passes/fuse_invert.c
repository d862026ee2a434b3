/*
 * Index maps turned around.
 *
 * A map is taken as a rearrangement of digits: each index is a sum of terms
 * weight * ((axis // place) % size), the weights of one index and the places
 * of one axis each being 1, size, size*size', ... up to the extent.
 *
 *	t[b, e//64, s, e%64]	at (b, h, s, d):  e = 64*h + d
 *	t[b, s, 64*h + d]	at (b, s, e):	  h = e//64, d = e%64
 */
#include "ir/index.h"
#include "passes/fuse.h"

enum { MAX_DIGITS = 32 };

struct digit {
	const struct sn_axis *axis;
	const struct sn_expr *place, *size, *weight;
	const struct sn_expr *value; /* in terms of the element's index */
	bool is_placed;		     /* in its axis' sum */
};

struct digits {
	struct sn_pool *pool;
	struct digit list[MAX_DIGITS];
	int n;
};

static bool
is_op(const struct sn_expr *e, enum sn_scalar_op op)
{
	return e->kind == EX_OP && e->op == op;
}

/* E = (axis // place) % size */
static bool
parse_digit(struct sn_pool *p, const struct sn_expr *e, struct digit *out)
{
	const struct sn_expr *size = NULL, *place = sn_int(p, 1);

	if (is_op(e, OP_MOD)) {
		size = e->args[1];
		e = e->args[0];
	}
	if (is_op(e, OP_FLOORDIV)) {
		place = e->args[1];
		e = e->args[0];
	}
	if (e->kind != EX_AXIS)
		return false;
	if (!size) { /* the topmost digit, which must be full */
		size = sn_op2(p, OP_FLOORDIV, e->axis->extent, place);
		if (sn_mul(p, size, place) != e->axis->extent)
			return false;
	}
	*out = (struct digit){ .axis = e->axis, .place = place, .size = size };
	return true;
}

/* Term COEF * BASE, where BASE is a digit or its product with sizes that are symbols. */
static bool
add_term(struct digits *ds, const struct sn_expr *base, int64_t coef)
{
	const struct sn_expr *weight = sn_int(ds->pool, coef);
	struct digit *d = &ds->list[ds->n];

	if (ds->n == MAX_DIGITS)
		return false;
	while (is_op(base, OP_MUL)) { /* factors are sorted, the symbols before the axis */
		bool is_left = base->args[0]->axes != 0;

		weight = sn_mul(ds->pool, weight, base->args[is_left]);
		base = base->args[!is_left];
	}
	if (weight->axes || !parse_digit(ds->pool, base, d))
		return false;
	d->weight = weight;
	ds->n++;
	return true;
}

/* Splits AT into the digits FROM.. of one index, whose extent is DIM. */
static bool
split_index(struct digits *ds, int from, const struct sn_expr *dim, const struct sn_expr *at)
{
	struct sn_pool *p = ds->pool;
	const struct sn_expr *weight = sn_int(p, 1);

	for (int left = ds->n - from; left > 0; left--) {
		int i = from;

		while (i < ds->n && (ds->list[i].value || ds->list[i].weight != weight))
			i++;
		if (i == ds->n)
			return false;
		struct digit *d = &ds->list[i];

		d->value = sn_op2(p, OP_FLOORDIV, at, weight);
		weight = sn_mul(p, weight, d->size);
		if (weight != dim || left > 1)
			d->value = sn_op2(p, OP_MOD, d->value, d->size);
	}
	return weight == dim;
}

static bool
parse_index(struct digits *ds, const struct sn_expr *g, const struct sn_expr *dim,
	    const struct sn_expr *at)
{
	struct sn_affine a;
	int from = ds->n;

	sn_affine_of(g, &a);
	if (!a.is_exact || a.constant != 0)
		return false;
	for (int i = 0; i < a.n; i++)
		if (!add_term(ds, a.terms[i].base, a.terms[i].coef))
			return false;
	return split_index(ds, from, dim, at);
}

/* Sum of the digits of AXIS; NULL if they are not all there. */
static const struct sn_expr *
join_axis(struct digits *ds, const struct sn_axis *axis)
{
	struct sn_pool *p = ds->pool;
	const struct sn_expr *place = sn_int(p, 1), *sum = sn_int(p, 0);

	for (;;) {
		int i = 0;

		while (i < ds->n
		       && (ds->list[i].is_placed || ds->list[i].axis != axis
			   || ds->list[i].place != place))
			i++;
		if (i == ds->n)
			break;
		struct digit *d = &ds->list[i];

		d->is_placed = true;
		sum = sn_add(p, sum, sn_mul(p, d->value, place));
		place = sn_mul(p, place, d->size);
	}
	return place == axis->extent ? sum : NULL;
}

bool
sn_fuse_invert(struct sn_pool *p, const struct sn_index_map *map, const struct sn_expr *const *at,
	       const struct sn_expr **out)
{
	struct digits ds = { .pool = p };
	const struct sn_tensor *t = map->tensor;

	for (int d = 0; d < t->type.rank; d++)
		if (!parse_index(&ds, map->g[d], t->type.dims[d], at[d]))
			return false;
	for (int i = 0; i < map->naxes; i++) {
		out[i] = join_axis(&ds, map->axes[i]);
		if (!out[i])
			return false;
	}
	for (int i = 0; i < ds.n; i++)
		if (!ds.list[i].is_placed)
			return false;
	return true;
}

static bool
is_affine_base(const struct sn_expr *e)
{
	if (is_op(e, OP_MUL))
		return is_affine_base(e->args[0]) && is_affine_base(e->args[1]);
	return e->kind == EX_AXIS || e->kind == EX_SYM || e->kind == EX_CONST || !e->axes;
}

bool
sn_fuse_is_affine(const struct sn_expr *e)
{
	struct sn_affine a;

	sn_affine_of(e, &a);
	for (int i = 0; i < a.n; i++)
		if (!is_affine_base(a.terms[i].base))
			return false;
	return !(e->has & SN_HAS_READ);
}
