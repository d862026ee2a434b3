/*
 * Models for a device: the program of kernels as text, and the run as launches.
 *
 * A kernel is a function together with the memories that its parameters lie in: a
 * launch names each memory once and gives the places in them as numbers, since
 * memories cost more.  Steps of equal function and pattern of memories share it.
 */
#include <string.h>
#include "codegen/package.h"
#include "codegen/weights.h"

/* ---- memories ---- */

/* Number of the memory that T lies in (enum sinter_mem). */
static int
memory_of(const struct sn_package *k, struct sn_tensor *t)
{
	const struct sn_tensor *root = sn_tensor_root(t);

	switch (root->role) {
	case TR_CONST: return 1;
	case TR_INPUT: return 2 + root->role_index;
	case TR_OUTPUT: return 2 + (int)k->m->program->inputs.n + root->role_index;
	default: return 0;
	}
}

static const char *
memory_text(struct sn_package *k, int memory)
{
	if (memory < 2)
		return memory == 0 ? "SINTER_MEM_ARENA" : "SINTER_MEM_WEIGHTS";
	return sn_printf(k->arena, "SINTER_MEM_IO + %d", memory - 2);
}

/* Which memories step S uses, in order of first use, and for each parameter which of them. */
static void
find_memories(struct sn_package *k, const struct sn_step *s, struct sn_package_launch *out)
{
	size_t n = s->func->params.n;

	out->slots = SN_NEW_ARRAY(k->arena, n + 1, int);
	out->memories = SN_NEW_ARRAY(k->arena, n + 1, int);
	for (size_t i = 0; i < n; i++) {
		int memory = memory_of(k, s->args[i]), slot = 0;

		while (slot < out->nmemories && out->memories[slot] != memory)
			slot++;
		if (slot == out->nmemories)
			out->memories[out->nmemories++] = memory;
		out->slots[i] = slot;
	}
}

/* ---- the program ---- */

/* What the program needs of a device. */
struct needs {
	int64_t group_items, local_bytes;
};

static bool
add_shared(struct sn_stmt *s, void *arg)
{
	int64_t *sum = arg, n;

	if (s->kind != ST_ALLOC || s->alloc.buffer->space != SP_SHARED)
		return true;
	const struct sn_buffer *b = s->alloc.buffer;
	int64_t count = b->lanes;

	for (int i = 0; i < b->rank; i++)
		count *= sn_get_int(b->dims[i], &n) ? n : 1;
	*sum += (int64_t)sn_dtype_bytes(b->dtype, (size_t)count);
	return true;
}

static void
add_needs(const struct sn_func *f, struct needs *n)
{
	struct sn_block body = f->body;
	struct sn_launch l;
	int64_t items = 1, bytes = 0;

	if (!sn_func_launch(f, &l))
		return; /* the printer says so */
	for (int i = 0; i < l.nitems; i++)
		items *= l.items[i];
	sn_block_walk(&body, add_shared, &bytes);
	n->group_items = items > n->group_items ? items : n->group_items;
	n->local_bytes = bytes > n->local_bytes ? bytes : n->local_bytes;
}

/* Kernels that are printed already, by function and slots. */
struct kernels {
	struct sn_map numbers, taken;
	SN_VEC(const char *) names;
	struct needs needs;
};

static const char *
key_of(struct sn_package *k, const struct sn_step *s, const int *slots)
{
	struct sn_buf b;

	sn_buf_init(&b, k->arena);
	sn_buf_addf(&b, "%p", (const void *)s->func);
	for (size_t i = 0; i < s->func->params.n; i++)
		sn_buf_addf(&b, " %d", slots[i]);
	return b.text;
}

static const char *
kernel_name(struct sn_package *k, struct kernels *all, const struct sn_func *f)
{
	const char *base = sn_map_get_num(&k->func_names, (uint64_t)(uintptr_t)f), *name = base;

	for (int i = 2; sn_map_get(&all->taken, name); i++)
		name = sn_printf(k->arena, "%s_m%d", base, i);
	sn_map_put(&all->taken, name, k);
	return name;
}

/* The number of the kernel for step S; its text is added to OUT the first time. */
static int
kernel_of(struct sn_package *k, struct kernels *all, const struct sn_step *s, const int *slots,
	  struct sn_buf *out)
{
	const char *key = key_of(k, s, slots);
	uintptr_t number = (uintptr_t)sn_map_get(&all->numbers, key);

	if (number)
		return (int)number - 1;
	const char *name = kernel_name(k, all, s->func);

	SN_PUSH(k->arena, &all->names, name);
	sn_map_put(&all->numbers, key, (void *)(uintptr_t)all->names.n);
	sn_package_origin(k, out, s->func);
	sn_printer_kernel(&k->printer, out, s->func, name, slots);
	sn_buf_addc(out, '\n');
	add_needs(s->func, &all->needs);
	return (int)all->names.n - 1;
}

/* TEXT line by line as strings; returns their number. */
static int
string_lines(struct sn_buf *out, struct sn_arena *a, const char *text)
{
	int n = 0;

	for (; *text; n++) {
		size_t length = strcspn(text, "\n") + 1;

		sn_buf_addc(out, '\t');
		sn_c_string(out, sn_strndup(a, text, length));
		sn_buf_add(out, ",\n");
		text += length;
	}
	return n;
}

static void
print_program(struct sn_package *k, struct sn_buf *out, const struct kernels *all,
	      const struct sn_buf *text)
{
	const struct sn_dialect *d = k->opts->dialect;

	sn_buf_add(out, "/* The kernels, which the device's driver compiles. */\n"
			"static const char *const lines[] = {\n");
	int nlines = string_lines(out, k->arena, text->text);

	sn_buf_add(out, "};\n\nstatic const char *const kernel_names[] = {\n");
	for (size_t i = 0; i < all->names.n; i++)
		sn_buf_addf(out, "\t\"%s\",\n", all->names.v[i]);
	sn_buf_addf(out,
		    "%s};\n\nstatic const struct sinter_program program = {\n"
		    "\t.language = \"%s\",\n\t.options = \"%s\",\n"
		    "\t.nlines = %d,\n\t.nkernels = %zu,\n"
		    "\t.lines = lines,\n\t.kernels = kernel_names,\n"
		    "\t.hash = UINT64_C(0x%016llx),\n\t.group_items = %lld,\n"
		    "\t.features = %s,\n\t.local_bytes = %lld,\n};\n\n",
		    all->names.n ? "" : "\tNULL,\n", d->kernel->language, d->flags, nlines,
		    all->names.n,
		    (unsigned long long)sn_hash(sn_hash(0, d->flags, strlen(d->flags)), text->text,
						text->len),
		    (long long)all->needs.group_items,
		    k->printer.has_f64 ? "SINTER_NEEDS_F64" : "0",
		    (long long)all->needs.local_bytes);
}

void
sn_package_program(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_plan *plan = k->m->plan;
	struct kernels all = { .needs = { 1, 0 } };
	struct sn_buf kernels, text;

	sn_map_init(&all.numbers, k->arena);
	sn_map_init(&all.taken, k->arena);
	sn_buf_init(&kernels, k->arena);
	sn_buf_init(&text, k->arena);
	k->launches = SN_NEW_ARRAY(k->arena, plan->steps.n + 1, struct sn_package_launch);
	for (size_t i = 0; i < plan->steps.n; i++) {
		struct sn_package_launch *l = &k->launches[i];

		if (sn_step_place(&plan->steps.v[i]) != PLACE_TARGET)
			continue;
		find_memories(k, &plan->steps.v[i], l);
		l->kernel = kernel_of(k, &all, &plan->steps.v[i], l->slots, &kernels);
		l->name = all.names.v[l->kernel];
	}
	sn_printer_prologue(&k->printer, &text);
	sn_buf_add(&text, kernels.text);
	print_program(k, out, &all, &text);
	k->program = text.text;
}

/* ---- the run ---- */

void
sn_package_launch_macros(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, sn_is_placed_at_run(k) ? "#define TEMP(t) c->offset[A_##t]\n"
					       : "#define TEMP(t) A_##t\n");
	sn_buf_add(out, "#define WEIGHT(t) W_##t\n");
	if (k->printer.has_check)
		sn_buf_addf(
			out,
			"/* Behind all temporaries: does a check of an index fail in this run? */\n"
			"#define STATUS_AT %s\n",
			sn_is_placed_at_run(k) ? "c->arena_bytes" : "A_END");
	sn_buf_addc(out, '\n');
}

/* Where T begins in its memory, where STRENGTH is needed. */
static const char *
place_text(struct sn_package *k, struct sn_tensor *t, int strength)
{
	const struct sn_tensor *root = sn_tensor_root(t);
	const struct sn_expr *offset = sn_package_offset(k, t);
	const char *name = k->tensor_names[root->id];
	bool is_start = sn_is_int_const(offset, 0);

	if (root->role != TR_CONST && root->role != TR_TEMP)
		return sn_package_size_text(k, offset, "s.", strength);
	const char *start = sn_printf(k->arena, root->role == TR_CONST ? "WEIGHT(%s)" : "TEMP(%s)",
				      name);

	return is_start ? start
			: sn_printf(k->arena, strength > CP_SUM ? "(%s + %s)" : "%s + %s", start,
				    sn_package_size_text(k, offset, "s.", CP_SUM));
}

/* Groups along dimension D of step S's launch: the function's symbols are the step's. */
static const char *
groups_text(struct sn_package *k, const struct sn_step *s, const struct sn_launch *l, int d)
{
	struct sn_subst subst;

	if (d >= l->ngroups)
		return "1";
	sn_subst_init(&subst, k->m->pool, k->arena);
	for (size_t i = 0; i < s->func->syms.n; i++)
		sn_subst_put(&subst, sn_sym_expr(k->m->pool, s->func->syms.v[i]), s->syms[i]);
	return sn_package_size_text(k, sn_subst(&subst, l->group[d]->extent), "s.", CP_ASSIGN);
}

/* "static const int32_t mems[] = { ... };" and the numbers. */
static void
arguments(struct sn_package *k, struct sn_buf *out, const struct sn_step *s,
	  const struct sn_package_launch *l)
{
	struct sn_buf line;

	sn_buf_init(&line, k->arena);
	sn_buf_add(&line, "static const int32_t mems[] = { ");
	for (int i = 0; i < l->nmemories; i++)
		sn_buf_addf(&line, "%s%s", i ? ", " : "", memory_text(k, l->memories[i]));
	if (sn_func_has_checks(s->func))
		sn_buf_addf(&line, ", %s", memory_text(k, 0));
	sn_buf_add(&line, " };");
	sn_add_wrapped(out, 2, line.text);
	sn_buf_init(&line, k->arena);
	sn_buf_add(&line, "const int64_t nums[] = { ");
	for (size_t i = 0; i < s->func->params.n; i++)
		sn_buf_addf(&line, "%s%s", i ? ", " : "", place_text(k, s->args[i], CP_ASSIGN));
	for (size_t i = 0; i < s->func->syms.n; i++)
		sn_buf_addf(&line, ", %s", sn_package_size_text(k, s->syms[i], "s.", CP_ASSIGN));
	if (sn_func_has_checks(s->func))
		sn_buf_add(&line, ", STATUS_AT");
	sn_buf_add(&line, " };");
	sn_add_wrapped(out, 2, line.text);
}

void
sn_package_launch(struct sn_package *k, struct sn_buf *out, size_t number)
{
	const struct sn_step *s = &k->m->plan->steps.v[number];
	const struct sn_package_launch *l = &k->launches[number];
	struct sn_launch shape;

	sn_func_launch(s->func, &shape);
	int nchecks = sn_func_has_checks(s->func);
	int ndims = shape.ngroups > shape.nitems ? shape.ngroups : shape.nitems;

	sn_buf_addf(out, "\t{ /* %s */\n", l->name);
	arguments(k, out, s, l);
	sn_buf_addf(out,
		    "\t\tconst struct sinter_launch l = {\n\t\t\t.kernel = %d, .step = %zu, "
		    ".ndims = %d,\n\t\t\t.items = { ",
		    l->kernel, number, ndims);
	for (int d = 0; d < 3; d++)
		sn_buf_addf(out, "%s%lld", d ? ", " : "",
			    d < shape.nitems ? (long long)shape.items[d] : 1);
	sn_buf_add(out, " },\n\t\t\t.groups = { ");
	for (int d = 0; d < 3; d++)
		sn_buf_addf(out, "%s%s", d ? ", " : "", groups_text(k, s, &shape, d));
	sn_buf_addf(out,
		    " },\n\t\t\t.nmems = %d, .nnums = %zu, .mems = mems, .nums = nums,\n\t\t};\n\n"
		    "\t\tstatus = queue->launch(queue->ctx, &l);\n"
		    "\t\tif (status != SINTER_OK)\n\t\t\treturn status;\n\t}\n",
		    l->nmemories + nchecks, s->func->params.n + s->func->syms.n + (size_t)nchecks);
}

int64_t
sn_package_status_bytes(const struct sn_package *k)
{
	return sn_is_for_device(k) && k->printer.has_check ? 64 : 0;
}

static const char clear_status[] =
	"\tint32_t has_failed = 0;\n\n"
	"\tstatus = queue->write(queue->ctx, SINTER_MEM_ARENA, (size_t)STATUS_AT, &has_failed,\n"
	"\t                      sizeof(has_failed));\n"
	"\tif (status != SINTER_OK)\n\t\treturn status;\n";
static const char read_status[] =
	"\tstatus = queue->read(queue->ctx, SINTER_MEM_ARENA, (size_t)STATUS_AT, &has_failed,\n"
	"\t                     sizeof(has_failed));\n"
	"\tif (status != SINTER_OK)\n\t\treturn status;\n"
	"\tif (has_failed)\n\t\treturn SINTER_BAD_INDEX;\n";

void
sn_package_begin_launches(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, "\tif (!hooks || !hooks->queue)\n\t\treturn SINTER_BAD_CALL;\n"
			"\tconst struct sinter_queue *const queue = hooks->queue;\n\n");
	if (!k->has_host_steps)
		sn_buf_add(out, "\t(void)bytes;\n");
	if (k->m->plan->steps.n == 0)
		sn_buf_add(out, "\t(void)queue;\n");
	if (k->printer.has_check)
		sn_buf_add(out, clear_status);
}

void
sn_package_end_launches(struct sn_package *k, struct sn_buf *out)
{
	if (k->printer.has_check)
		sn_buf_add(out, read_status);
}

void
sn_package_transfer(struct sn_package *k, struct sn_buf *out, size_t number, const char *host,
		    bool is_to_host)
{
	const struct sn_kernel *n = k->m->plan->steps.v[number].kernel;
	const struct sn_result *r = &n->stages.v[0]->results[0];
	struct sn_tensor *t = is_to_host ? (struct sn_tensor *)r->value->tensor : r->tensor;

	sn_buf_addf(out,
		    "\t/* %s */\n\tmark(hooks, %zu, 0);\n"
		    "\tstatus = queue->%s(queue->ctx, %s, (size_t)%s, %s,\n"
		    "\t                     (size_t)%s);\n"
		    "\tif (status != SINTER_OK)\n\t\treturn status;\n\tmark(hooks, %zu, 1);\n",
		    n->name, number, is_to_host ? "read" : "write", memory_text(k, memory_of(k, t)),
		    place_text(k, t, CP_UNARY), host,
		    sn_package_size_text(k, sn_package_bytes(k, t), "s.", CP_UNARY), number);
}
