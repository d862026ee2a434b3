/*
 * Origins: immutable, sorted sets of model nodes.
 */
#include <string.h>
#include "ir/origin.h"

static const struct sn_origin *
make(struct sn_arena *a, int n, const struct sn_origin_node *const *nodes)
{
	struct sn_origin *o = SN_NEW(a, struct sn_origin);
	o->n = n;
	o->nodes = nodes;
	return o;
}

const struct sn_origin *
sn_origin_of(struct sn_arena *a, const char *file, const char *op, const char *name, int index)
{
	struct sn_origin_node *node = SN_NEW(a, struct sn_origin_node);
	*node = (struct sn_origin_node){ .file = file, .op = op, .name = name, .index = index };
	const struct sn_origin_node **list = SN_NEW_ARRAY(a, 1, const struct sn_origin_node *);
	list[0] = node;
	return make(a, 1, list);
}

static int
compare_texts(const char *a, const char *b)
{
	return a == b ? 0 : !a ? -1 : !b ? 1 : strcmp(a, b);
}

/* By index, then name: nodes of a body or an inlined function may share an index. */
static int
compare(const struct sn_origin_node *x, const struct sn_origin_node *y)
{
	if (x == y)
		return 0;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	int r = compare_texts(x->name, y->name);
	if (r == 0)
		r = compare_texts(x->op, y->op);
	return r ? r : compare_texts(x->file, y->file);
}

const struct sn_origin *
sn_origin_join(struct sn_arena *a, const struct sn_origin *x, const struct sn_origin *y)
{
	if (!x || !y || x == y)
		return x ? x : y;
	const struct sn_origin_node **list = SN_NEW_ARRAY(a, (size_t)x->n + (size_t)y->n,
							  const struct sn_origin_node *);
	int i = 0, j = 0, n = 0;
	while (i < x->n || j < y->n) {
		int order = i == x->n ? 1 : j == y->n ? -1 : compare(x->nodes[i], y->nodes[j]);
		list[n++] = order <= 0 ? x->nodes[i] : y->nodes[j];
		i += order <= 0;
		j += order >= 0;
	}
	if (n == x->n)
		return x;
	return n == y->n ? y : make(a, n, list);
}

void
sn_origin_print(struct sn_buf *out, const struct sn_origin *o)
{
	for (int i = 0; o && i < o->n; i++) {
		const struct sn_origin_node *n = o->nodes[i];
		sn_buf_add(out, i ? ", " : "");
		sn_buf_add(out, n->op ? n->op : "?");
		if (n->name && *n->name)
			sn_buf_addf(out, " '%s'", n->name);
		else if (n->index >= 0)
			sn_buf_addf(out, " %d", n->index);
	}
}

struct sn_where
sn_origin_where(const struct sn_origin *o)
{
	if (!o || o->n == 0)
		return SN_NOWHERE;
	const struct sn_origin_node *n = o->nodes[0];
	return (struct sn_where){
		.file = n->file,
		.op = n->op,
		.name = n->name,
		.index = n->index,
	};
}
