/* Commands of the file tests that work on one level: roundtrip, verify, interp. */
#include <string.h>
#include "tests/filetest_graph.h"
#include "tests/filetest_levels.h"
#include "tests/filetest_loop.h"
#include "tests/filetest_tensor.h"

static const struct ft_level levels[] = {
	{ "graph", ft_graph_parse, ft_graph_print, ft_graph_verify, NULL },
	{ "tensor", ft_tensor_parse, ft_tensor_print, ft_tensor_verify, ft_tensor_interp },
	{ "loop", ft_loop_parse, ft_loop_print, ft_loop_verify, ft_loop_interp },
};

const struct ft_level *
ft_level_find(struct ft_run *r, const char *args)
{
	size_t n = strcspn(args, " ");
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strlen(levels[i].name) == n && memcmp(levels[i].name, args, n) == 0)
			return &levels[i];
	ft_fail(r, "unknown level '%s'", args);
	return NULL;
}

static const char *
text_of(struct ft_run *r, const struct ft_level *level, const void *ir, bool with_data)
{
	struct sn_buf b;
	sn_buf_init(&b, r->arena);
	level->print(&b, ir, with_data);
	return b.text;
}

/* Print, parse, print: the identity, with constants in full and without. */
static bool
is_stable(struct ft_run *r, const struct ft_level *level, const void *ir, bool with_data)
{
	const char *first = text_of(r, level, ir, with_data);
	const void *again = level->parse(r, first);
	if (!again)
		return ft_fail(r, "what was printed can't be parsed:\n%s", first);
	const char *second = text_of(r, level, again, with_data);
	if (strcmp(first, second) == 0)
		return true;
	ft_show_difference(r->why, first, second);
	return ft_fail(r, "printed again it differs");
}

bool
ft_roundtrip(struct ft_run *r, const char *args)
{
	const struct ft_level *level = ft_level_find(r, args);
	const void *ir = level ? level->parse(r, r->file->ir) : NULL;
	if (!ir)
		return false;
	sn_buf_add(r->out, text_of(r, level, ir, false));
	return is_stable(r, level, ir, false) && is_stable(r, level, ir, true);
}

/* The IR, parsed and well; NULL after a diagnostic or a reason. */
static void *
parse_well(struct ft_run *r, const struct ft_level *level)
{
	void *ir = level->parse(r, r->file->ir);
	if (!ir || !level->verify || level->verify(ir, r->diags))
		return ir;
	return NULL;
}

bool
ft_verify(struct ft_run *r, const char *args)
{
	const struct ft_level *level = ft_level_find(r, args);
	if (!level)
		return false;
	bool ok = parse_well(r, level) != NULL;
	sn_diags_print(r->diags, r->out);
	return ok;
}

bool
ft_interp(struct ft_run *r, const char *args)
{
	const struct ft_level *level = ft_level_find(r, args);
	const void *ir = level ? parse_well(r, level) : NULL;
	if (!ir)
		return false;
	return level->interp ? level->interp(r, ir) : ft_fail(r, "the level can't be run");
}
