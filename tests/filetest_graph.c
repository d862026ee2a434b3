/* Graph level in file tests: text form, verifier, inference. */
#include "ir/graph.h"
#include "ir/infer.h"
#include "tests/filetest_graph.h"

void *
ft_graph_parse(struct ft_run *r, const char *text)
{
	return sn_graph_parse(text, r->file->path, r->arena, r->pool, r->diags);
}

void
ft_graph_print(struct sn_buf *out, const void *ir, bool with_data)
{
	sn_graph_print(out, ir, with_data);
}

bool
ft_graph_verify(void *ir, struct sn_diags *d)
{
	return sn_graph_verify(ir, d);
}

bool
ft_infer(struct ft_run *r, const char *args)
{
	(void)args;
	struct sn_graph *g = ft_graph_parse(r, r->file->ir);
	if (!g || !sn_infer_graph(g, r->diags))
		return false;
	sn_graph_print(r->out, g, false);
	return sn_graph_verify(g, r->diags);
}
