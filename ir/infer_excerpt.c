/* Errors of inference under the node's own text, with notes on where its operands come from. */
#include <string.h>
#include "ir/infer_help.h"

/* Does TEXT name V, in quotes? */
static bool
is_named(struct sn_infer *c, const char *text, const struct sn_value *v)
{
	return v && strstr(text, sn_printf(c->arena, "'%s'", v->name));
}

static bool
is_repeated(const struct sn_node *n, int i)
{
	for (int j = 0; j < i; j++)
		if (n->in[j].value == n->in[i].value)
			return true;
	return false;
}

static void
note_writer(struct sn_infer *c, const struct sn_value *v)
{
	struct sn_buf by;
	if (!v->def || !v->def->origin || v->type.kind != TY_TENSOR || v->type.dtype == DT_NONE)
		return;
	sn_buf_init(&by, c->arena);
	sn_origin_print(&by, v->def->origin);
	if (v->def->origin->n == 1 && v->def->origin->nodes[0]->index >= 0)
		sn_buf_addf(&by, " (node %d)", v->def->origin->nodes[0]->index);
	sn_report(c->diags, SN_NOWHERE, DG_WRITTEN_BY, v->name, sn_infer_text(c, &v->type),
		  by.text);
}

bool
sn_infer_excerpt(struct sn_infer *c, const struct sn_node *n)
{
	const char *text = sn_diags_last_text(c->diags);
	struct sn_buf b;
	int first = -1;
	if (!text)
		return false;
	for (int i = n->nin - 1; i >= 0; i--)
		if (is_named(c, text, n->in[i].value))
			first = i;
	sn_buf_init(&b, c->arena);
	sn_node_print_excerpt(&b, n, first);
	sn_diags_add_excerpt(c->diags, b.text);
	for (int i = 0; i < n->nin; i++)
		if (is_named(c, text, n->in[i].value) && !is_repeated(n, i))
			note_writer(c, n->in[i].value);
	return false;
}
