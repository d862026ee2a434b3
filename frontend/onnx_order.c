/*
 * Order of nodes: says of a name that is not known where it is read whether it
 * is defined nowhere, only later, or only from itself.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/reader.h"

void
sn_scope_index_writers(struct sn_scope *s)
{
	for (size_t i = 0; i < s->nnodes; i++)
		for (size_t k = 0; k < s->nodes[i]->n_output; k++) {
			const char *name = s->nodes[i]->output[k];
			if (*name && !sn_map_get(&s->writers, name))
				sn_map_put(&s->writers, name, (void *)(uintptr_t)(i + 1));
		}
}

/* The node of S that writes NAME, or -1. */
static int
writer_of(const struct sn_scope *s, const char *name)
{
	return (int)(uintptr_t)sn_map_get(&s->writers, name) - 1;
}

/* A search backwards through the nodes of a scope. */
struct search {
	const struct sn_scope *scope;
	bool *is_seen;
	int *stack, n;
};

static void
push_writer(struct search *f, const char *name)
{
	int i = writer_of(f->scope, name);
	if (i < 0 || f->is_seen[i])
		return;
	f->is_seen[i] = true;
	f->stack[f->n++] = i;
}

/* What the node reads, its bodies included. */
static void
push_reads(struct search *f, const Pb__NodeProto *p)
{
	for (size_t i = 0; i < p->n_input; i++)
		push_writer(f, p->input[i]);
	for (size_t i = 0; i < p->n_attribute; i++) {
		const Pb__GraphProto *g = p->attribute[i]->g;
		for (size_t k = 0; g && k < g->n_node; k++)
			push_reads(f, g->node[k]);
	}
}

/* Does node FROM of S need the result of node TO, through any number of others? */
static bool
depends(const struct sn_scope *s, int from, int to)
{
	struct sn_arena *a = s->reader->scratch;
	struct search f = { .scope = s };
	f.is_seen = SN_NEW_ARRAY(a, s->nnodes, bool);
	f.stack = SN_NEW_ARRAY(a, s->nnodes, int);
	f.is_seen[from] = true;
	f.stack[f.n++] = from;
	while (f.n)
		push_reads(&f, s->nodes[f.stack[--f.n]]);
	return f.is_seen[to];
}

bool
sn_report_unknown_name(const struct sn_scope *s, int index, struct sn_where where, const char *name)
{
	struct sn_diags *d = s->reader->diags;
	int writer = -1;
	const struct sn_scope *at = s;
	for (; at && writer < 0; at = at->outer)
		writer = writer_of(at, name);
	if (writer < 0)
		return sn_report(d, where, DG_UNDEFINED, name);
	bool is_here = writer_of(s, name) >= 0;
	if (is_here && (writer == index || (d->errors < 100 && depends(s, writer, index))))
		return sn_report(d, where, DG_CYCLE, name);
	return sn_report(d, where, DG_UNORDERED, name, writer);
}
