/*
 * Lowering of operators that move elements without knowing them: index maps.
 */
#include <math.h>
#include <string.h>
#include "ir/index.h"
#include "ir/params.h"
#include "passes/lower_math.h"

/* ---- reshape ---------------------------------------------------------------------------------- */

/* Indices of the source's dimensions of group G from those of the result: its linear number taken
 * apart. One to one is the identity. */
static void
group_index(struct sn_lower *c, struct sn_comp *m, const struct sn_type *x, const struct sn_type *y,
	    const struct sn_reshape_group *g, sn_ex *idx)
{
	sn_ex linear = INT(0);
	for (int d = g->d0; d < g->d1; d++)
		if (!sn_is_int_const(y->dims[d], 1) || g->d1 - g->d0 == 1)
			linear = ADD(MUL(linear, y->dims[d]), AXIS(m, d));
	int first = g->s0;
	while (first < g->s1 - 1 && sn_is_int_const(x->dims[first], 1))
		idx[first++] = INT(0);
	for (int s = g->s1 - 1; s > first; s--) {
		idx[s] = MOD(linear, x->dims[s]);
		linear = FLOORDIV(linear, x->dims[s]);
	}
	if (first < g->s1)
		idx[first] = linear;
}

bool
sn_lower_reshape(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_reshape_group g[SN_MAX_RANK];
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	int n = sn_shape_reshape_groups(c->pool, &x->type, &y->type, g);
	for (int i = 0; i < n; i++)
		group_index(c, m, &x->type, &y->type, &g[i], idx);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* ---- permuting -------------------------------------------------------------------------------- */

bool
sn_lower_transpose(struct sn_lower *c)
{
	struct sn_ints perm = sn_attrs(c->node, transpose)->perm;
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	int rank = x->type.rank;
	for (int i = 0; i < rank; i++)
		idx[perm.n >= 0 ? perm.v[i] : rank - 1 - i] = AXIS(m, i);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* y[n, ch, h, w] = x[n, ch', h//b, w//b], where ch' takes up the places h%b, w%b in the block. */
bool
sn_lower_depth_to_space(struct sn_lower *c)
{
	const struct sn_attrs_block *at = sn_attrs(c->node, block);
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex h = AXIS(m, 2), w = AXIS(m, 3);
	sn_ex place = ADD(sn_mulk(c->pool, sn_modk(c->pool, h, at->blocksize), at->blocksize),
			  sn_modk(c->pool, w, at->blocksize));
	sn_ex ch = strcmp(at->mode, "CRD") == 0
			   ? ADD(sn_mulk(c->pool, AXIS(m, 1), at->blocksize * at->blocksize), place)
			   : ADD(MUL(place, y->type.dims[1]), AXIS(m, 1));
	sn_ex idx[4] = { AXIS(m, 0), ch, sn_divk(c->pool, h, at->blocksize),
			 sn_divk(c->pool, w, at->blocksize) };
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

bool
sn_lower_space_to_depth(struct sn_lower *c)
{
	int64_t b = sn_attrs(c->node, block)->blocksize;
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex place = FLOORDIV(AXIS(m, 1), x->type.dims[1]);
	sn_ex idx[4] = {
		AXIS(m, 0),
		MOD(AXIS(m, 1), x->type.dims[1]),
		ADD(sn_mulk(c->pool, AXIS(m, 2), b), sn_divk(c->pool, place, b)),
		ADD(sn_mulk(c->pool, AXIS(m, 3), b), sn_modk(c->pool, place, b)),
	};
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* ---- cutting and joining ---------------------------------------------------------------------- */

/* Element of operand SLOT that belongs to AXIS by the list of axes in operand AXES (absent: in
 * order), at offset OFFSET in the list; DEF if there is none. */
static sn_ex
for_axis(struct sn_lower *c, int slot, int axes, int axis, int offset, int64_t def)
{
	int rank = sn_in(c->node, 0)->type.rank, n = sn_lower_element_count(c, axes);
	if (!sn_in(c->node, slot))
		return INT(def);
	if (n < 0)
		return axis < sn_lower_element_count(c, slot)
			       ? sn_lower_element(c, slot, axis + offset * rank)
			       : INT(def);
	sn_ex e = INT(def);
	for (int i = 0; i < n; i++)
		e = SEL(sn_lower_names_axis(c, axes, i, axis, rank),
			sn_lower_element(c, slot, i + offset * n), e);
	return e;
}

/* Start and step read at run time; whatever they are, the index stays in range. */
static sn_ex
runtime_slice_index(struct sn_lower *c, sn_ex i, int axis, sn_ex dim)
{
	sn_ex start = for_axis(c, 1, 3, axis, 0, 0), step = for_axis(c, 4, 3, axis, 0, 1);
	sn_ex zero = INT(0), last = sn_addk(c->pool, dim, -1);
	start = SEL(LT(start, zero), ADD(start, dim), start);
	start = sn_shape_max(c->pool, sn_shape_min(c->pool, start, last), zero);
	sn_ex at = ADD(start, MUL(i, step));
	return sn_shape_max(c->pool, sn_shape_min(c->pool, at, last), zero);
}

bool
sn_lower_slice(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_slice s[SN_MAX_RANK];
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	bool is_known = sn_node_slices(c->pool, c->node, s);
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = is_known ? ADD(s[i].start, sn_mulk(c->pool, AXIS(m, i), s[i].step))
				  : runtime_slice_index(c, AXIS(m, i), i, x->type.dims[i]);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* One comprehension for each part that is wanted. */
bool
sn_lower_split(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0);
	int64_t axis = sn_attrs(c->node, split)->axis;
	axis += axis < 0 ? x->type.rank : 0;
	sn_ex offset = INT(0), idx[SN_MAX_RANK];
	for (int part = 0; part < c->node->nout; part++) {
		struct sn_tensor *y = sn_lower_out(c, part);
		if (!y)
			return sn_lower_refuse(c, "a part that is not named");
		struct sn_comp *m = sn_lower_comp(c, &y->type);
		for (int i = 0; i < x->type.rank; i++)
			idx[i] = i == axis ? ADD(AXIS(m, i), offset) : AXIS(m, i);
		STORE(m, y, sn_lower_read(c, x, idx));
		offset = ADD(offset, y->type.dims[axis]);
	}
	return true;
}

/* Each operand is stored into its part of the result. */
bool
sn_lower_concat(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	int64_t axis = sn_attrs(c->node, concat)->axis;
	axis += axis < 0 ? y->type.rank : 0;
	sn_ex offset = INT(0), from[SN_MAX_RANK], to[SN_MAX_RANK];
	for (int part = 0; part < c->node->nin; part++) {
		struct sn_tensor *x = sn_lower_in(c, part);
		struct sn_type t = y->type;
		t.dims[axis] = x->type.dims[axis];
		if (sn_is_int_const(t.dims[axis], 0))
			continue;
		struct sn_comp *m = sn_lower_comp(c, &t);
		for (int i = 0; i < t.rank; i++) {
			from[i] = sn_lower_broadcast_index(c, AXIS(m, i), t.dims[i],
							   x->type.dims[i]);
			to[i] = i == axis ? ADD(AXIS(m, i), offset) : AXIS(m, i);
		}
		sn_lower_store_at(m, y, to, sn_lower_read(c, x, from));
		offset = ADD(offset, x->type.dims[axis]);
	}
	return true;
}

/* ---- repeating -------------------------------------------------------------------------------- */

bool
sn_lower_expand(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	STORE(m, y, sn_lower_broadcast_read(c, m, sn_lower_in(c, 0)));
	return true;
}

bool
sn_lower_tile(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0; i < x->type.rank; i++)
		idx[i] = x->type.dims[i] == y->type.dims[i] ? AXIS(m, i)
							    : MOD(AXIS(m, i), x->type.dims[i]);
	STORE(m, y, sn_lower_read(c, x, idx));
	return true;
}

/* ---- padding ---------------------------------------------------------------------------------- */

/* Index I of a padded axis brought into 0..n-1. */
static sn_ex
reflect(struct sn_lower *c, sn_ex i, sn_ex n)
{
	sn_ex last = sn_addk(c->pool, n, -1);
	sn_ex period = sn_shape_max(c->pool, sn_mulk(c->pool, last, 2), INT(1));
	i = MOD(i, period);
	/* the second bound holds of itself, but isn't found */
	return sn_shape_min(c->pool, sn_shape_min(c->pool, i, SUB(period, i)), last);
}

static sn_ex
edge(struct sn_lower *c, sn_ex i, sn_ex n)
{
	return sn_shape_max(c->pool, sn_shape_min(c->pool, i, sn_addk(c->pool, n, -1)), INT(0));
}

static sn_ex
wrap(struct sn_lower *c, sn_ex i, sn_ex n)
{
	return MOD(i, n);
}

static const struct {
	const char *mode;
	sn_ex (*bring_in)(struct sn_lower *c, sn_ex i, sn_ex n);
} pad_modes[] = { { "reflect", reflect }, { "edge", edge }, { "wrap", wrap } };

/* What stands outside in mode constant: operand 2, else zero. */
static sn_ex
pad_value(struct sn_lower *c, struct sn_tensor *x)
{
	int n;
	sn_ex zero = sn_float(c->pool, x->type.dtype, 0), idx = INT(0);
	const sn_ex *known = sn_lower_elements(c, 2, &n);
	if (!sn_in(c->node, 2))
		return zero;
	if (known && n > 0)
		return CAST(x->type.dtype, known[0]);
	return sn_lower_read(c, sn_lower_in(c, 2), &idx);
}

bool
sn_lower_pad(struct sn_lower *c)
{
	const char *mode = sn_attrs(c->node, pad)->mode;
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_padding pads[SN_MAX_RANK];
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	size_t row = 0;
	if (!sn_node_pads(c->pool, c->node, pads))
		for (int i = 0; i < x->type.rank; i++)
			pads[i].lo = pads[i].hi = for_axis(c, 1, 3, i, 0, 0);
	while (row < ARRAY_LEN(pad_modes) && strcmp(pad_modes[row].mode, mode) != 0)
		row++;
	for (int i = 0; i < x->type.rank; i++) {
		bool is_padded = !sn_is_int_const(pads[i].lo, 0) || !sn_is_int_const(pads[i].hi, 0);
		idx[i] = SUB(AXIS(m, i), pads[i].lo);
		if (row < ARRAY_LEN(pad_modes) && is_padded)
			idx[i] = pad_modes[row].bring_in(c, idx[i], x->type.dims[i]);
	}
	sn_ex outside = row < ARRAY_LEN(pad_modes) ? NULL : pad_value(c, x);
	STORE(m, y, sn_read(c->pool, x, idx, x->type.rank, outside));
	return true;
}

/* Each axis is cut or padded equally at both ends; the odd one falls to the end. */
bool
sn_lower_center_crop_pad(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex idx[SN_MAX_RANK];
	for (int i = 0; i < x->type.rank; i++) {
		sn_ex less = SUB(x->type.dims[i], y->type.dims[i]), zero = INT(0);
		sn_ex cut = sn_divk(c->pool, sn_shape_max(c->pool, less, zero), 2);
		sn_ex pad = sn_divk(c->pool, sn_shape_max(c->pool, NEG(less), zero), 2);
		idx[i] = SUB(ADD(AXIS(m, i), cut), pad);
	}
	STORE(m, y, sn_read(c->pool, x, idx, x->type.rank, sn_float(c->pool, x->type.dtype, 0)));
	return true;
}

/* ---- by position ------------------------------------------------------------------------------ */

/* Keeps the triangle on, above or below diagonal K of the last two axes. */
bool
sn_lower_trilu(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex k = INT(0), idx = INT(0), e = sn_lower_broadcast_read(c, m, x);
	int n;
	const sn_ex *known = sn_lower_elements(c, 1, &n);
	if (known && n > 0)
		k = known[0];
	else if (sn_in(c->node, 1))
		k = sn_lower_read(c, sn_lower_in(c, 1), &idx);
	sn_ex diagonal = SUB(AXIS(m, m->naxes - 1), AXIS(m, m->naxes - 2));
	sn_ex is_kept = sn_attrs(c->node, trilu)->upper ? LE(k, diagonal) : LE(diagonal, k);
	STORE(m, y, SEL(is_kept, e, LIKE(e, 0)));
	return true;
}

bool
sn_lower_eye_like(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex column = sn_addk(c->pool, AXIS(m, 0), sn_attrs(c->node, eye)->k);
	STORE(m, y,
	      SEL(EQ(AXIS(m, 1), column), sn_float(c->pool, y->type.dtype, 1),
		  sn_float(c->pool, y->type.dtype, 0)));
	return true;
}

/* Only of symbolic shape; else inference has made it a constant. */
bool
sn_lower_constant_of_shape(struct sn_lower *c)
{
	const struct sn_data *value = sn_attrs(c->node, fill)->value.data;
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	STORE(m, y,
	      value ? sn_const(c->pool, value->dtype, sn_data_get(value, 0))
		    : sn_float(c->pool, DT_F32, 0));
	return true;
}

/* start + i * delta */
bool
sn_lower_range(struct sn_lower *c)
{
	struct sn_tensor *y = sn_lower_out(c, 0);
	struct sn_comp *m = sn_lower_comp(c, &y->type);
	sn_ex start = sn_lower_element(c, 0, 0), delta = sn_lower_element(c, 2, 0);
	STORE(m, y, ADD(start, MUL(CAST((enum sn_dtype)start->dtype, AXIS(m, 0)), delta)));
	return true;
}
