/*
 * Kernels of devices: a function whose grid and item loops are its launch.
 *
 *	kernel __attribute__((reqd_work_group_size(64, 1, 1))) void
 *	scale(const global uchar *m0, global uchar *m1, const long x_at, const long y_at, const long N)
 *	{
 *		const global float *restrict x = (const global float *)(m0 + x_at);
 *		global float *restrict y = (global float *)(m1 + y_at);
 *		const long g = get_group_id(0);
 *		const long i = get_local_id(0);
 *
 * Parameters lie in pieces of memory, several in one: launching costs less with few such arguments.
 */
#include <string.h>
#include "codegen/print.h"

void
sn_print_launch_loop(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	const struct sn_axis *axis = s->loop.axis;
	bool is_group = s->loop.kind == LK_GRID;
	const struct sn_axis *const *axes = is_group ? p->launch.group : p->launch.item;
	const struct sn_kernel_words *k = p->dialect->kernel;
	const char *type = sn_printf(p->arena, "const %s", sn_c_scalar(p, DT_I64));
	struct sn_uses u;
	int d = 0;

	while (axes[d] != axis)
		d++;
	sn_find_uses(p, &s->loop.body, &u);
	if (sn_is_used(&u, axis)) {
		sn_indent(out, depth);
		sn_buf_addf(out, "%s %s = ", type, sn_declare(p, axis, axis->name, type));
		sn_buf_addf(out, is_group ? k->group : k->item, d);
		sn_buf_add(out, ";\n");
	}
	sn_print_stmts(p, out, &s->loop.body, depth);
}

void
sn_print_barrier(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	if (!p->dialect->kernel)
		sn_bug(p->arena->guard, "dialect %s has no barrier", p->dialect->name);
	sn_indent(out, depth);
	sn_buf_addf(out, "%s\n", p->dialect->kernel->barrier[s->barrier.orders]);
}

/* Items that store it at once store the same. */
void
sn_print_kernel_check(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth)
{
	sn_indent(out, depth);
	sn_buf_addf(out, "if (!(%s))\n", sn_expr_text(p, s->check.cond, CP_ASSIGN));
	sn_indent(out, depth + 1);
	sn_buf_addf(out, "*%s = 1;\n", p->failed);
}

/* ---- arguments ---- */

/* A function as a kernel: names of its arguments. */
struct kernel {
	struct sn_printer *p;
	const struct sn_func *func;
	const int *slots;		  /* memory of each parameter; NULL: each its own */
	const char **memories, **offsets; /* by slot, by parameter */
	bool has_checks;
	const char *status, *status_at; /* then: the memory of the word, and its place */
	struct sn_buf *out;
	size_t line;
	int nargs;
};

static int
slot_of(const struct kernel *k, size_t i)
{
	return k->slots ? k->slots[i] : (int)i;
}

static int
count_slots(const struct kernel *k)
{
	int n = 0;

	for (size_t i = 0; i < k->func->params.n; i++)
		n = slot_of(k, i) >= n ? slot_of(k, i) + 1 : n;
	return n;
}

static bool
is_only_read(const struct kernel *k, int slot)
{
	for (size_t i = 0; i < k->func->params.n; i++)
		if (slot_of(k, i) == slot && !k->func->params.v[i]->is_const)
			return false;
	return true;
}

/* The next argument; its name stands for OBJECT. */
static const char *
argument(struct kernel *k, const void *object, const char *name, const char *type)
{
	const char *id = sn_declare(k->p, object, name, type);

	const char *space = type[strlen(type) - 1] == '*' ? "" : " ";

	sn_add_to_list(k->out, &k->line, sn_printf(k->p->arena, "%s%s%s", type, space, id),
		       k->nargs++ == 0);
	return id;
}

/* How many items a group has: a driver gives each of them as many registers as that leaves. */
static void
start(struct kernel *k)
{
	const struct sn_launch *l = &k->p->launch;
	long long items[3];

	for (int d = 0; d < 3; d++)
		items[d] = d < l->nitems ? l->items[d] : 1;
	sn_buf_addf(k->out, k->p->dialect->kernel->start, items[0], items[1], items[2]);
}

static void
signature(struct kernel *k)
{
	const struct sn_kernel_words *words = k->p->dialect->kernel;
	const char *number = sn_printf(k->p->arena, "const %s", sn_c_scalar(k->p, DT_I64));
	const struct sn_func *f = k->func;
	struct sn_arena *a = k->p->arena;

	start(k);
	k->line = k->out->len;
	sn_buf_addf(k->out, "%s(", k->p->func_name);
	for (int i = 0; i < count_slots(k); i++)
		k->memories[i] = argument(k, &k->memories[i], sn_printf(a, "m%d", i),
					  sn_printf(a, is_only_read(k, i) ? "const %s" : "%s",
						    words->memory));
	if (k->has_checks)
		k->status = argument(k, &k->status, "status", words->memory);
	for (size_t i = 0; i < f->params.n; i++)
		k->offsets[i] = argument(k, &k->offsets[i],
					 sn_printf(a, "%s_at", f->params.v[i]->name), number);
	for (size_t i = 0; i < f->syms.n; i++)
		argument(k, f->syms.v[i], f->syms.v[i]->name, number);
	if (k->has_checks)
		k->status_at = argument(k, &k->status_at, "status_at", number);
	sn_buf_add(k->out, k->nargs ? ")\n" : "void)\n");
}

/* "const global float *restrict x = (const global float *)(m0 + x_at);" for what is used. */
static void
pointers(struct kernel *k)
{
	struct sn_printer *p = k->p;
	struct sn_uses u;

	sn_find_uses(p, &k->func->body, &u);
	for (size_t i = 0; i < k->func->params.n; i++) {
		const struct sn_buffer *b = k->func->params.v[i];
		const char *name = sn_declare_buffer(p, b);

		if (!sn_is_used(&u, b))
			continue;
		name = b->is_alias ? name : sn_printf(p->arena, "restrict %s", name);
		sn_add_wrapped(k->out, 1,
			       sn_printf(p->arena, "%s = (%s)(%s + %s);",
					 sn_pointer_text(p, b, name), sn_pointer_text(p, b, ""),
					 k->memories[slot_of(k, i)], k->offsets[i]));
	}
}

/* "global int *failed = (global int *)(status + status_at);" */
static void
status_pointer(struct kernel *k)
{
	struct sn_printer *p = k->p;
	const char *type = sn_printf(p->arena, "%s%s *", p->dialect->kernel->spaces[SP_GLOBAL],
				     sn_c_scalar(p, DT_I32));

	p->failed = sn_declare(p, &k->has_checks, "failed", type);
	sn_add_wrapped(k->out, 1,
		       sn_printf(p->arena, "%s%s = (%s)(%s + %s);", type, p->failed, type,
				 k->status, k->status_at));
}

void
sn_printer_kernel(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f,
		  const char *name, const int *slots)
{
	struct kernel k = { .p = p, .func = f, .slots = slots, .out = out };

	k.has_checks = sn_func_has_checks(f);

	if (!sn_func_launch(f, &p->launch))
		sn_bug(p->arena->guard, "%s: not the shape of a kernel", f->name);
	k.memories = SN_NEW_ARRAY(p->arena, f->params.n + 1, const char *);
	k.offsets = SN_NEW_ARRAY(p->arena, f->params.n + 1, const char *);
	sn_begin_function(p, f, name);
	signature(&k);
	sn_buf_add(out, "{\n");
	pointers(&k);
	if (k.has_checks)
		status_pointer(&k);
	sn_print_stmts(p, out, &f->body, 1);
	sn_buf_add(out, "}\n");
}
