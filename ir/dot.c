/* Prints pictures in the DOT language. */
#include "ir/dot.h"

static const struct {
	const char *shape, *colour;
} looks[FA_COUNT] = {
	[FA_MAP] = { "box", "#d5e8d4" },       [FA_CONTRACTION] = { "box", "#dae8fc" },
	[FA_REDUCTION] = { "box", "#ffe6cc" }, [FA_WINDOW] = { "box", "#cce5e5" },
	[FA_NORM] = { "box", "#fff2cc" },      [FA_MOVE] = { "box", "#eeeeee" },
	[FA_QUANT] = { "box", "#f8cecc" },     [FA_VALUE] = { "ellipse", "#ffffff" },
	[FA_CONST] = { "note", "#f5f0e1" },    [FA_OTHER] = { "box", "#e1d5e7" },
};

int
sn_picture_node(struct sn_picture *p, const char *id, const char *label, enum sn_family family,
		int cluster)
{
	SN_PUSH(p->arena, &p->nodes,
		(struct sn_dot_node){
			.id = id, .label = label, .family = family, .cluster = cluster });
	return (int)p->nodes.n - 1;
}

void
sn_picture_edge(struct sn_picture *p, int from, int to, const char *name, const char *label)
{
	SN_PUSH(p->arena, &p->edges, (struct sn_dot_edge){ from, to, name, label });
}

/* The longest way to each node; edges into a node come before those out of it. */
static void
set_ranks(struct sn_picture *p)
{
	for (size_t i = 0; i < p->edges.n; i++) {
		const struct sn_dot_edge *e = &p->edges.v[i];
		int least = p->nodes.v[e->from].rank + 1;
		if (p->nodes.v[e->to].rank < least)
			p->nodes.v[e->to].rank = least;
	}
}

static bool
is_long(const struct sn_picture *p, const struct sn_dot_edge *e)
{
	return p->nodes.v[e->from].family != FA_CONST
	       && p->nodes.v[e->to].rank - p->nodes.v[e->from].rank > SN_DOT_RANKS;
}

static void
print_node(struct sn_buf *out, const struct sn_dot_node *n, int depth)
{
	sn_buf_fill(out, '\t', (size_t)depth);
	sn_buf_addf(out, "%s [shape=%s, fillcolor=\"%s\", label=", n->id, looks[n->family].shape,
		    looks[n->family].colour);
	sn_buf_add_quoted(out, n->label);
	sn_buf_add(out, "];\n");
}

/* The nodes of CLUSTER (-1: of none) and the clusters inside it. */
static void
print_cluster(struct sn_buf *out, const struct sn_picture *p, int cluster, int depth)
{
	for (size_t i = 0; i < p->nodes.n; i++)
		if (p->nodes.v[i].cluster == cluster)
			print_node(out, &p->nodes.v[i], depth);
	for (size_t i = 0; i < p->clusters.n; i++) {
		if (p->clusters.v[i].outer != cluster)
			continue;
		sn_buf_fill(out, '\t', (size_t)depth);
		sn_buf_addf(out, "subgraph cluster_%zu {\n", i);
		sn_buf_fill(out, '\t', (size_t)depth + 1);
		sn_buf_add(out, "label=");
		sn_buf_add_quoted(out, p->clusters.v[i].label);
		sn_buf_add(out, ";\n");
		print_cluster(out, p, (int)i, depth + 1);
		sn_buf_fill(out, '\t', (size_t)depth);
		sn_buf_add(out, "}\n");
	}
}

static void
print_label(struct sn_buf *out, const char *label)
{
	if (*label) {
		sn_buf_add(out, " [label=");
		sn_buf_add_quoted(out, label);
		sn_buf_add(out, "]");
	}
	sn_buf_add(out, ";\n");
}

static void
print_stub(struct sn_buf *out, const char *id, const char *name)
{
	sn_buf_addf(out, "\t%s [shape=plaintext, style=\"\", fontcolor=\"#a03030\", label=", id);
	sn_buf_add_quoted(out, name);
	sn_buf_add(out, "];\n");
}

/* A named end at the writer, once for each name, and one at the reader. */
static void
print_long_edge(struct sn_buf *out, const struct sn_picture *p, size_t number, struct sn_map *seen)
{
	const struct sn_dot_edge *e = &p->edges.v[number];
	const char *from = p->nodes.v[e->from].id, *to = p->nodes.v[e->to].id;
	const char *key = sn_printf(p->arena, "%d %s", e->from, e->name);
	if (!sn_map_get(seen, key)) {
		const char *id = sn_printf(p->arena, "w%zu", number);
		sn_map_put(seen, key, (void *)e);
		print_stub(out, id, e->name);
		sn_buf_addf(out, "\t%s -> %s [style=dashed];\n", from, id);
	}
	const char *id = sn_printf(p->arena, "r%zu", number);
	print_stub(out, id, e->name);
	sn_buf_addf(out, "\t%s -> %s", id, to);
	print_label(out, e->label);
}

void
sn_picture_print(struct sn_buf *out, struct sn_picture *p)
{
	struct sn_map seen;
	sn_map_init(&seen, p->arena);
	set_ranks(p);
	sn_buf_add(out, "digraph ");
	sn_buf_add_quoted(out, p->name);
	sn_buf_add(out, " {\n\tgraph [fontname=\"sans-serif\", fontsize=10, color=\"#999999\"];\n"
			"\tnode [fontname=\"sans-serif\", fontsize=10, style=filled, height=0.3];\n"
			"\tedge [fontname=\"sans-serif\", fontsize=8, color=\"#555555\"];\n");
	print_cluster(out, p, -1, 1);
	for (size_t i = 0; i < p->edges.n; i++) {
		const struct sn_dot_edge *e = &p->edges.v[i];
		if (is_long(p, e)) {
			print_long_edge(out, p, i, &seen);
			continue;
		}
		sn_buf_addf(out, "\t%s -> %s", p->nodes.v[e->from].id, p->nodes.v[e->to].id);
		print_label(out, e->label);
	}
	sn_buf_add(out, "}\n");
}

void
sn_module_dot(struct sn_buf *out, const struct sn_module *m)
{
	if (m->program)
		sn_program_dot(out, m->program, m->plan);
	else
		sn_graph_dot(out, m->graph);
}
