/*
 * Adapters of Upsample and Resize.
 */
#include <string.h>
#include "frontend/adapt.h"

/* width_scale=, height_scale= -> scales=[1,1,h,w] */
bool
sn_adapt_upsample_first(struct sn_raw_node *n)
{
	struct sn_arena *a = n->scope->reader->arena;
	const struct sn_raw_attr *h = sn_raw_attr(n, "height_scale");
	const struct sn_raw_attr *w = sn_raw_attr(n, "width_scale");
	if (!h || !w || h->kind != RA_FLOAT || w->kind != RA_FLOAT)
		return true;
	float *scales = SN_NEW_ARRAY(a, 4, float);
	scales[0] = scales[1] = 1;
	scales[2] = h->f;
	scales[3] = w->f;
	sn_raw_drop(n, "height_scale");
	sn_raw_drop(n, "width_scale");
	sn_raw_set_float(n, "scales", 0);
	struct sn_raw_attr *s = sn_raw_attr(n, "scales");
	s->kind = RA_FLOATS;
	s->floats = (struct sn_floats){ 4, scales };
	return true;
}

/* x, scales= -> x, scales */
bool
sn_adapt_upsample_scales(struct sn_raw_node *n)
{
	sn_raw_set_in(n, 1, sn_raw_take(n, "scales"));
	return true;
}

bool
sn_adapt_upsample_name(struct sn_raw_node *n)
{
	const char *mode = sn_raw_str(n, "mode");
	if (mode && strcmp(mode, "bilinear") == 0)
		sn_raw_set_str(n, "mode", "linear");
	n->type = "Resize";
	return true;
}

/* x, scales -> x, -, scales; coordinates were scaled from corner 0, and rounded down. */
bool
sn_adapt_resize_scales(struct sn_raw_node *n)
{
	sn_raw_set_in(n, 2, sn_raw_in(n, 1));
	sn_raw_set_in(n, 1, NULL);
	sn_raw_set_str(n, "coordinate_transformation_mode", "asymmetric");
	sn_raw_set_str(n, "nearest_mode", "floor");
	return true;
}

/* Operands that could not be left out were empty tensors. */
bool
sn_adapt_resize_empty(struct sn_raw_node *n)
{
	for (size_t i = 4; i-- > 1;) {
		const struct sn_value *v = sn_raw_in(n, i);
		if (v && v->data && v->data->n == 0)
			sn_raw_set_in(n, i, NULL);
	}
	return true;
}
