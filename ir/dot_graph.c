/* The graph level as a picture: operators, with the bodies of regions as clusters. */
#include <string.h>
#include "ir/dot.h"

/* Families by how the operator infers its type (the column of ir/ops.def), which says what it is. */
static const struct {
	const char *infer;
	enum sn_family family;
} by_infer[] = {
	{ "map", FA_MAP },
	{ "cast", FA_MAP },
	{ "cast_like", FA_MAP },
	{ "dropout", FA_MAP },
	{ "conv", FA_CONTRACTION },
	{ "conv_integer", FA_CONTRACTION },
	{ "conv_transpose", FA_CONTRACTION },
	{ "gemm", FA_CONTRACTION },
	{ "mat_mul", FA_CONTRACTION },
	{ "mat_mul_integer", FA_CONTRACTION },
	{ "q_linear_conv", FA_CONTRACTION },
	{ "q_linear_mat_mul", FA_CONTRACTION },
	{ "einsum", FA_CONTRACTION },
	{ "attention", FA_CONTRACTION },
	{ "deform_conv", FA_CONTRACTION },
	{ "reduce", FA_REDUCTION },
	{ "arg", FA_REDUCTION },
	{ "cum", FA_REDUCTION },
	{ "global_pool", FA_REDUCTION },
	{ "nll_loss", FA_REDUCTION },
	{ "softmax_loss", FA_REDUCTION },
	{ "pool", FA_WINDOW },
	{ "max_pool", FA_WINDOW },
	{ "resize", FA_WINDOW },
	{ "grid_sample", FA_WINDOW },
	{ "lrn", FA_NORM },
	{ "batch_norm", FA_NORM },
	{ "layer_norm", FA_NORM },
	{ "group_norm", FA_NORM },
	{ "instance_norm", FA_NORM },
	{ "lp_norm", FA_NORM },
	{ "same_axis", FA_NORM },
	{ "same", FA_NORM },
	{ "quantize", FA_QUANT },
	{ "dequantize", FA_QUANT },
	{ "dynamic_quantize", FA_QUANT },
	{ "concat", FA_MOVE },
	{ "split", FA_MOVE },
	{ "reshape", FA_MOVE },
	{ "flatten", FA_MOVE },
	{ "squeeze", FA_MOVE },
	{ "unsqueeze", FA_MOVE },
	{ "transpose", FA_MOVE },
	{ "slice", FA_MOVE },
	{ "gather", FA_MOVE },
	{ "gather_elements", FA_MOVE },
	{ "gather_nd", FA_MOVE },
	{ "expand", FA_MOVE },
	{ "tile", FA_MOVE },
	{ "pad", FA_MOVE },
	{ "space_to_depth", FA_MOVE },
	{ "depth_to_space", FA_MOVE },
	{ "trilu", FA_MOVE },
	{ "reverse_sequence", FA_MOVE },
	{ "center_crop_pad", FA_MOVE },
	{ "bit_cast", FA_MOVE },
};

static enum sn_family
family_of(enum sn_graph_op op)
{
	static const char *const infers[] = {
#define OP(id, domain, name, since, attrs, nin0, nin1, nout0, nout1, traits, infer, lower) \
	[id] = #infer,
#include "ir/ops.def"
	};
	for (size_t i = 0; i < ARRAY_LEN(by_infer); i++)
		if (!strcmp(by_infer[i].infer, infers[op]))
			return by_infer[i].family;
	return FA_OTHER;
}

/* Drawing one graph and the regions in it. */
struct drawing {
	struct sn_picture pic;
	struct sn_map nodes; /* picture node + 1 by address of node or input value */
	int nconsts;
};

static void
place(struct drawing *d, const void *p, int node)
{
	sn_map_put_num(&d->nodes, (uint64_t)(uintptr_t)p, (void *)(intptr_t)(node + 1));
}

/* The picture's node behind V, -1: not drawn. */
static int
place_of(struct drawing *d, const struct sn_value *v)
{
	const void *p = v->def ? (const void *)v->def : v;
	return (int)(intptr_t)sn_map_get_num(&d->nodes, (uint64_t)(uintptr_t)p) - 1;
}

static const char *
type_text(struct drawing *d, const struct sn_type *t)
{
	struct sn_buf b;
	sn_buf_init(&b, d->pic.arena);
	sn_type_print(&b, t);
	return b.text;
}

/* A constant of one element shows it, another one its type. */
static const char *
const_label(struct drawing *d, const struct sn_value *v)
{
	struct sn_buf b;
	sn_buf_init(&b, d->pic.arena);
	sn_buf_add(&b, v->name);
	sn_buf_addc(&b, '\n');
	sn_type_print(&b, &v->type);
	if (v->data->n != 1 || v->data->strings
	    || !(sn_is_float(v->data->dtype) || sn_is_int(v->data->dtype)))
		return b.text;
	union sn_num x = sn_data_get(v->data, 0);
	sn_buf_add(&b, " = ");
	if (sn_is_float(v->data->dtype))
		sn_buf_add_float(&b, x.f, v->data->dtype != DT_F64);
	else
		sn_buf_addf(&b, "%lld", (long long)x.i);
	return b.text;
}

static void
draw_use(struct drawing *d, const struct sn_value *v, int reader, int cluster)
{
	if (!v)
		return;
	if (sn_value_is_const(v)) {
		const char *id = sn_printf(d->pic.arena, "c%d", d->nconsts++);
		int c = sn_picture_node(&d->pic, id, const_label(d, v), FA_CONST, cluster);
		sn_picture_edge(&d->pic, c, reader, v->name, "");
		return;
	}
	int from = place_of(d, v);
	if (from >= 0)
		sn_picture_edge(&d->pic, from, reader, v->name, type_text(d, &v->type));
}

static const char *
node_label(struct drawing *d, const struct sn_node *n)
{
	const char *op = sn_graph_op_info(n->op)->name;
	const char *name = n->origin && n->origin->n ? n->origin->nodes[0]->name : "";
	return *name ? sn_printf(d->pic.arena, "%s\n%s", op, name) : op;
}

static void
draw_graph(struct drawing *d, const struct sn_graph *g, const char *prefix, int cluster);

static void
draw_node(struct drawing *d, const struct sn_node *n, const char *prefix, int cluster)
{
	const char *id = sn_printf(d->pic.arena, "%sn%d", prefix, n->id);
	int at = sn_picture_node(&d->pic, id, node_label(d, n), family_of(n->op), cluster);
	place(d, n, at);
	for (int i = 0; i < n->nin; i++)
		draw_use(d, n->in[i].value, at, cluster);
	for (int r = 0; r < n->nregions; r++) {
		int inner = (int)d->pic.clusters.n;
		const char *label = sn_printf(d->pic.arena, "%s of %s", n->regions[r]->name, id);
		SN_PUSH(d->pic.arena, &d->pic.clusters, (struct sn_dot_cluster){ label, cluster });
		draw_graph(d, n->regions[r], sn_printf(d->pic.arena, "%sr%d_", id, r), inner);
	}
}

static void
draw_graph(struct drawing *d, const struct sn_graph *g, const char *prefix, int cluster)
{
	struct sn_arena *a = d->pic.arena;
	for (size_t i = 0; i < g->inputs.n; i++) {
		const struct sn_value *v = g->inputs.v[i];
		const char *id = sn_printf(a, "%sin%zu", prefix, i);
		place(d, v, sn_picture_node(&d->pic, id, v->name, FA_VALUE, cluster));
	}
	SN_FOR_NODES(g, n)
	draw_node(d, n, prefix, cluster);
	for (size_t i = 0; i < g->outputs.n; i++) {
		const char *id = sn_printf(a, "%sout%zu", prefix, i);
		int at = sn_picture_node(&d->pic, id, g->output_names.v[i], FA_VALUE, cluster);
		draw_use(d, g->outputs.v[i]->value, at, cluster);
	}
}

void
sn_graph_dot(struct sn_buf *out, const struct sn_graph *g)
{
	struct drawing d = { .pic = { .arena = sn_arena_child(out->arena), .name = g->name } };
	sn_map_init(&d.nodes, d.pic.arena);
	draw_graph(&d, g, "", -1);
	sn_picture_print(out, &d.pic);
	sn_arena_release(d.pic.arena);
}
