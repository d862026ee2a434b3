/* The shape of functions for a device: grid loops around item loops. */
#include "ir/loop.h"

static bool
is_loop(const struct sn_stmt *s, enum sn_loop_kind kind)
{
	return s && s->kind == ST_FOR && s->loop.kind == kind;
}

/* A nest of loops of KIND from S on, each alone in its block: their number, outermost first in OUT,
 * and the innermost body; -1: more than three, or something beside one. */
static int
read_nest(const struct sn_stmt *s, enum sn_loop_kind kind, const struct sn_axis **out,
	  const struct sn_block **out_body)
{
	int n = 0;
	for (; is_loop(s, kind); s = s->loop.body.first) {
		if (s->next || n == 3)
			return -1;
		out[n++] = s->loop.axis;
		*out_body = &s->loop.body;
	}
	return n;
}

static void
reverse(const struct sn_axis **v, int n)
{
	for (int i = 0; i < n / 2; i++) {
		const struct sn_axis *t = v[i];
		v[i] = v[n - 1 - i];
		v[n - 1 - i] = t;
	}
}

static bool
has_no_launch_loop(struct sn_stmt *s, void *arg)
{
	bool *ok = arg;
	if (is_loop(s, LK_GRID) || is_loop(s, LK_ITEM))
		*ok = false;
	return true;
}

bool
sn_func_launch(const struct sn_func *f, struct sn_launch *out)
{
	const struct sn_block *grid = NULL, *items = NULL;
	bool ok = true;
	*out = (struct sn_launch){ 0 };
	out->ngroups = read_nest(f->body.first, LK_GRID, out->group, &grid);
	if (out->ngroups < 1)
		return false;
	const struct sn_stmt *s = grid->first;
	while (s && (s->kind == ST_LET || s->kind == ST_ALLOC))
		s = s->next;
	out->nitems = read_nest(s, LK_ITEM, out->item, &items);
	if (out->nitems < 1)
		return false;
	struct sn_block body = *items;
	sn_block_walk(&body, has_no_launch_loop, &ok);
	reverse(out->group, out->ngroups);
	reverse(out->item, out->nitems);
	for (int i = 0; i < out->nitems; i++)
		ok &= sn_get_int(out->item[i]->extent, &out->items[i]);
	return ok;
}

static bool
find_check(struct sn_stmt *s, void *arg)
{
	bool *is_found = arg;

	*is_found |= s->kind == ST_CHECK;
	return !*is_found;
}

bool
sn_func_has_checks(const struct sn_func *f)
{
	struct sn_block body = f->body;
	bool is_found = false;

	sn_block_walk(&body, find_check, &is_found);
	return is_found;
}
