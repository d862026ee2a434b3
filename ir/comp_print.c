/*
 * One comprehension as text (docs/ir.md): axes and states get names that are
 * unique in it, and what occurs more than once is bound by a let, so that the
 * text stays linear in the expressions.
 */
#include <string.h>

#include "ir/tensor_text.h"
#include "ir/text.h"

/* Smaller parts are written again rather than bound; index arithmetic without reads even longer. */
enum { LET_SIZE = 6, LET_INDEX_SIZE = 12 };

struct part {
	const struct sn_expr *e;
	int refs;	  /* operands of distinct expressions, and roots */
	const char *name; /* of its let, NULL: none */
};

struct printer {
	struct sn_buf *out;
	struct sn_arena *arena;
	const struct sn_comp *c;
	const char *axes[2 * SN_MAX_AXES], *states[4];
	struct sn_map taken;		/* names */
	struct sn_map by_id;		/* expression to struct part */
	SN_VEC(struct part *) parts;	/* operands first */
	const struct sn_expr *defining; /* written out although it has a name */
	struct sn_expr_names names;
	const char *file;
	int depth;
	struct sn_comp_lines *lines;
};

/* ---- what occurs ---- */

static void
count(struct printer *p, const struct sn_expr *e)
{
	struct part *part = sn_map_get_num(&p->by_id, e->id);
	if (part) {
		part->refs++;
		return;
	}
	for (int i = 0; i < e->nargs; i++)
		count(p, e->args[i]);
	part = SN_NEW(p->arena, struct part);
	*part = (struct part){ .e = e, .refs = 1 };
	sn_map_put_num(&p->by_id, e->id, part);
	SN_PUSH(p->arena, &p->parts, part);
}

static void
collect_parts(struct printer *p)
{
	const struct sn_comp *c = p->c;
	sn_map_init(&p->by_id, p->arena);
	for (int i = 0; c->reducer && i < c->reducer->nargs; i++)
		count(p, c->args[i]);
	for (int i = 0; i < c->nresults; i++) {
		for (int d = 0; d < c->results[i].tensor->type.rank; d++)
			count(p, c->results[i].idx[d]);
		count(p, c->results[i].value);
	}
}

/* ---- names ---- */

static const char *
free_name(struct printer *p, const char *base)
{
	const char *name = base;
	for (int i = 1; sn_map_get(&p->taken, name); i++)
		name = sn_printf(p->arena, "%s%d", base, i);
	sn_map_put(&p->taken, name, p);
	return name;
}

static const char *
name_whole(void *arg, const struct sn_expr *e)
{
	const struct printer *p = arg;
	const struct part *part = e == p->defining ? NULL : sn_map_get_num(&p->by_id, e->id);
	return part ? part->name : NULL;
}

static const char *
name_leaf(void *arg, const struct sn_expr *e)
{
	const struct printer *p = arg;
	if (e->kind == EX_STATE && e->state < 4)
		return p->states[e->state];
	for (int i = 0; e->kind == EX_AXIS && i < p->c->naxes; i++)
		if (p->c->axes[i] == e->axis)
			return p->axes[i];
	for (int i = 0; e->kind == EX_AXIS && i < p->c->nred; i++)
		if (p->c->red[i] == e->axis)
			return p->axes[p->c->naxes + i];
	return NULL;
}

/* Symbols keep their names. */
static void
take_symbols(struct printer *p)
{
	struct sn_sym_list l;
	sn_sym_list_init(&l, p->arena);
	for (int i = 0; i < p->c->naxes; i++)
		sn_sym_list_add(&l, p->c->axes[i]->extent);
	for (int i = 0; i < p->c->nred; i++)
		sn_sym_list_add(&l, p->c->red[i]->extent);
	for (size_t i = 0; i < p->parts.n; i++)
		if (p->parts.v[i]->e->kind == EX_SYM)
			sn_sym_list_add(&l, p->parts.v[i]->e);
	for (size_t i = 0; i < l.list.n; i++)
		sn_map_put(&p->taken, l.list.v[i]->name, p);
}

static void
choose_names(struct printer *p)
{
	sn_map_init(&p->taken, p->arena);
	take_symbols(p);
	for (int i = 0; i < p->c->naxes; i++)
		p->axes[i] = free_name(p, p->c->axes[i]->name);
	for (int i = 0; i < p->c->nred; i++)
		p->axes[p->c->naxes + i] = free_name(p, p->c->red[i]->name);
	for (int i = 0; p->c->reducer && i < p->c->reducer->nstates; i++)
		p->states[i] = free_name(p, "s");
}

/* ---- what to bind ---- */

/* Leaves and signs that E takes to write, at most MOST. */
static int
written_size(const struct printer *p, const struct sn_expr *e, int most)
{
	int size = 1;
	for (int i = 0; i < e->nargs && size < most; i++) {
		const struct part *part = sn_map_get_num(&p->by_id, e->args[i]->id);
		size += part->name ? 1 : written_size(p, e->args[i], most - size);
	}
	return size;
}

static void
choose_lets(struct printer *p)
{
	for (size_t i = 0; i < p->parts.n; i++) {
		struct part *part = p->parts.v[i];
		bool is_index = part->e->dtype == DT_I64 && !(part->e->has & SN_HAS_READ);
		int least = is_index ? LET_INDEX_SIZE : LET_SIZE;
		if (part->refs > 1 && (part->e->kind == EX_OP || part->e->kind == EX_READ)
		    && written_size(p, part->e, least) >= least)
			part->name = free_name(p, "t");
	}
}

/* ---- writing ---- */

static void
start_line(struct printer *p, int more)
{
	sn_buf_fill(p->out, '\t', (size_t)p->depth + (size_t)more);
}

static void
print_expr(struct printer *p, const struct sn_expr *e)
{
	sn_expr_print_named(p->out, e, &p->names);
}

static void
print_axes(struct printer *p, const struct sn_axis *const *axes, int n, const char *const *names)
{
	for (int i = 0; i < n; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		sn_name_print(p->out, names[i]);
		sn_buf_addc(p->out, '<');
		sn_expr_print(p->out, axes[i]->extent);
	}
}

static bool
has_red_axis(const struct sn_comp *c, const struct sn_expr *e)
{
	for (int i = 0; i < c->nred; i++)
		if (sn_expr_has_axis(e, c->red[i]))
			return true;
	return false;
}

enum stage { BEFORE, INSIDE, AFTER }; /* the reduction */

static enum stage
stage_of(const struct sn_comp *c, const struct sn_expr *e)
{
	return e->has & SN_HAS_STATE ? AFTER : has_red_axis(c, e) ? INSIDE : BEFORE;
}

/* Lets have been named in order of the operands, so a let's operands stand before it. */
static void
print_lets(struct printer *p, enum stage stage)
{
	for (size_t i = 0; i < p->parts.n; i++) {
		const struct part *part = p->parts.v[i];
		if (!part->name || stage_of(p->c, part->e) != stage)
			continue;
		start_line(p, stage == INSIDE ? 2 : 1);
		sn_buf_add(p->out, "let ");
		sn_name_print(p->out, part->name);
		sn_buf_add(p->out, " = ");
		p->defining = part->e;
		print_expr(p, part->e);
		p->defining = NULL;
		sn_buf_addc(p->out, '\n');
	}
}

static bool
has_lets_inside(const struct printer *p)
{
	for (size_t i = 0; i < p->parts.n; i++)
		if (p->parts.v[i]->name && stage_of(p->c, p->parts.v[i]->e) == INSIDE)
			return true;
	return false;
}

/* "s = sum(c<64) x[n, c]", or with the argument on lines of its own after lets. */
static void
print_reduction(struct printer *p)
{
	const struct sn_comp *c = p->c;
	const struct sn_reducer *r = c->reducer;
	p->lines->args = p->out->len;
	start_line(p, 1);
	for (int i = 0; i < r->nstates; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		sn_name_print(p->out, p->states[i]);
	}
	sn_buf_add(p->out, " = ");
	sn_name_print(p->out, r->name);
	sn_buf_addc(p->out, '(');
	print_axes(p, c->red, c->nred, p->axes + c->naxes);
	sn_buf_addc(p->out, ')');
	if (has_lets_inside(p)) {
		sn_buf_addc(p->out, '\n');
		print_lets(p, INSIDE);
		p->lines->args = p->out->len;
		start_line(p, 2);
	} else {
		sn_buf_addc(p->out, ' ');
	}
	for (int i = 0; i < r->nargs; i++) {
		sn_buf_add(p->out, i ? ", " : "");
		print_expr(p, c->args[i]);
	}
	sn_buf_addc(p->out, '\n');
}

static void
print_result(struct printer *p, const struct sn_result *r)
{
	start_line(p, 1);
	sn_name_print(p->out, r->tensor->name);
	sn_buf_addc(p->out, '[');
	for (int d = 0; d < r->tensor->type.rank; d++) {
		sn_buf_add(p->out, d ? ", " : "");
		print_expr(p, r->idx[d]);
	}
	sn_buf_add(p->out, "] = ");
	print_expr(p, r->value);
	sn_buf_addc(p->out, '\n');
}

static bool
same_origin(const struct sn_origin *a, const struct sn_origin *b)
{
	if (a == b || !a)
		return true;
	return b && a->n == b->n
	       && memcmp(a->nodes, b->nodes, (size_t)a->n * sizeof(*a->nodes)) == 0;
}

void
sn_comp_print(struct sn_buf *out, const struct sn_comp *c, const struct sn_origin *origin,
	      const char *file, int depth, struct sn_comp_lines *lines)
{
	struct sn_arena *scratch = sn_arena_child(out->arena);
	struct printer p = { .out = out, .arena = scratch, .c = c, .file = file, .depth = depth };
	p.names = (struct sn_expr_names){ name_whole, name_leaf, &p };
	collect_parts(&p);
	choose_names(&p);
	choose_lets(&p);
	p.lines = lines ? lines : SN_NEW(scratch, struct sn_comp_lines);
	p.lines->axes = out->len;
	start_line(&p, 0);
	sn_buf_add(out, c->naxes ? "for " : "for");
	print_axes(&p, c->axes, c->naxes, p.axes);
	if (!same_origin(c->origin, origin))
		sn_origin_print_text(out, c->origin, file);
	sn_buf_add(out, ":\n");
	print_lets(&p, BEFORE);
	if (c->reducer)
		print_reduction(&p);
	print_lets(&p, AFTER);
	for (int i = 0; i < c->nresults; i++) {
		p.lines->results[i] = out->len;
		print_result(&p, &c->results[i]);
	}
	sn_arena_release(scratch);
}
