/*
 * The model's C file, second part: dimensions of inputs, which are checked, and of outputs.
 *
 * The checks are those of each input's type, then what the program requires of
 * its symbols (ir/require.h).  Each has a sentence, which why() gives back.
 */
#include "codegen/package.h"

/* The largest dimension accepted where nothing is known: products of a few of them fit in 64 bits. */
static const int64_t most = 1 << 24;

static bool
has_sizes(const struct sn_package *k)
{
	return k->m->pool->nsyms > 0;
}

static void
rank_checks(struct sn_buf *out, struct sn_tensor *const *v, size_t n, const char *what)
{
	sn_buf_addf(out, "\tstatic const int32_t ranks[] = { ");
	for (size_t i = 0; i < n; i++)
		sn_buf_addf(out, "%s%d", i ? ", " : "", v[i]->type.rank);
	sn_buf_addf(out,
		    " };\n\n%s\tfor (int i = 0; i < %zu; i++)\n"
		    "\t\tif (%s[i].rank != ranks[i] || (ranks[i] && !%s[i].dims))\n"
		    "\t\t\treturn SINTER_BAD_CALL;\n",
		    *what == 'i'
			    ? "\t*why = \"an input has no or the wrong number of dimensions\";\n"
			    : "",
		    n, what, what);
}

/* What the checks that follow are about. */
static void
because(struct sn_buf *out, const char *why)
{
	sn_buf_add(out, "\t*why = ");
	sn_c_string(out, why);
	sn_buf_add(out, ";\n");
}

static const char *
type_text(struct sn_package *k, const struct sn_type *t)
{
	struct sn_buf b;

	sn_buf_init(&b, k->arena);
	sn_type_print(&b, t);
	return b.text;
}

static void
read_symbol(struct sn_package *k, struct sn_buf *out, const struct sn_sym *s)
{
	const char *name = k->size_names[s->id];
	long long lo = s->lo > 0 ? s->lo : 0, hi = s->hi < most ? s->hi : most;

	if (!s->is_dim) {
		sn_buf_addf(out, "\ts->%s = 0;\n", name);
		return;
	}
	because(out, sn_printf(k->arena, "dimension %d of '%s' ('%s') must be %lld to %lld",
			       s->axis, k->m->program->inputs.v[s->input]->name, s->name, lo, hi));
	sn_buf_addf(out, "\ts->%s = in[%d].dims[%d];\n", name, s->input, s->axis);
	sn_buf_addf(out, "\tif (s->%s < %lld || s->%s > %lld)\n\t\treturn SINTER_BAD_DIMS;\n", name,
		    lo, name, hi);
}

static bool
is_where_read(const struct sn_expr *e, size_t input, int axis)
{
	return e->kind == EX_SYM && e->sym->is_dim && e->sym->input == (int)input
	       && e->sym->axis == axis;
}

static void
check_input(struct sn_package *k, struct sn_buf *out, size_t i)
{
	const struct sn_tensor *x = k->m->program->inputs.v[i];
	int n = 0;

	for (int d = 0; d < x->type.rank; d++) {
		if (is_where_read(x->type.dims[d], i, d))
			continue;
		if (n == 0)
			because(out, sn_printf(k->arena, "'%s' must be %s", x->name,
					       type_text(k, &x->type)));
		sn_buf_addf(out, "%sin[%zu].dims[%d] != %s", n++ ? " ||\n\t    " : "\tif (", i, d,
			    sn_package_size_text(k, x->type.dims[d], "s->", CP_EQUAL + 1));
	}
	if (n)
		sn_buf_add(out, ")\n\t\treturn SINTER_BAD_DIMS;\n");
}

/* "2*(H//2) == H (Add 3 "up")" */
const char *
sn_package_require_text(struct sn_package *k, const struct sn_require *r)
{
	const char *nodes = sn_origin_text(k->arena, r->origin);

	return sn_printf(k->arena, *nodes ? "%s (%s)" : "%s", sn_require_text(k->arena, r), nodes);
}

static void
check_requires(struct sn_package *k, struct sn_buf *out)
{
	const struct sn_requires *all = &k->m->program->requires;

	for (size_t i = 0; i < all->list.n; i++) {
		const struct sn_require *r = &all->list.v[i];

		because(out, sn_printf(k->arena, "the model requires %s",
				       sn_package_require_text(k, r)));
		sn_buf_addf(out, "\tif (!%s)\n\t\treturn SINTER_BAD_DIMS;\n",
			    sn_package_size_text(k, r->cond, "s->", CP_UNARY));
	}
}

static const char huge_text[] =
	"/* More elements than that, and sizes might not fit in 64 bits. */\n"
	"static bool\n"
	"is_huge(const struct sinter_tensor *t)\n"
	"{\n"
	"\tint64_t n = 1;\n"
	"\n"
	"\tfor (int32_t i = 0; i < t->rank; i++) {\n"
	"\t\tif (t->dims[i] > 0 && n > (INT64_C(1) << 36) / t->dims[i])\n"
	"\t\t\treturn true;\n"
	"\t\tn *= t->dims[i];\n"
	"\t}\n"
	"\treturn false;\n"
	"}\n\n";

static void
read_sizes(struct sn_package *k, struct sn_buf *out)
{
	size_t n = k->m->program->inputs.n;

	for (int i = 0; i < k->m->pool->nsyms; i++)
		read_symbol(k, out, k->m->pool->syms[i]);
	if (!has_sizes(k))
		sn_buf_add(out, "\t(void)s;\n");
	for (size_t i = 0; i < n; i++)
		check_input(k, out, i);
	if (n && has_sizes(k)) {
		because(out, "an input has more than 2^36 elements");
		sn_buf_addf(out,
			    "\tfor (int i = 0; i < %zu; i++)\n\t\tif (is_huge(&in[i]))\n"
			    "\t\t\treturn SINTER_BAD_DIMS;\n",
			    n);
	}
	check_requires(k, out);
}

static void
read_dims(struct sn_package *k, struct sn_buf *out)
{
	size_t n = k->m->program->inputs.n;

	if (n && has_sizes(k))
		sn_buf_add(out, huge_text);
	sn_buf_add(
		out,
		"/* Sizes from the dimensions of the inputs, all of which are checked; WHY: what they\n"
		" * are checked for. */\n"
		"static int\n"
		"read_dims(const struct sinter_tensor *in, struct sizes *s, const char **why)\n{\n");
	if (n)
		rank_checks(out, k->m->program->inputs.v, n, "in");
	else
		sn_buf_add(out, "\t(void)in;\n");
	read_sizes(k, out);
	sn_buf_add(out, "\t*why = NULL;\n\treturn SINTER_OK;\n}\n\n");
}

static bool
outputs_have_sizes(const struct sn_package *k)
{
	for (size_t i = 0; i < k->m->program->outputs.n; i++) {
		const struct sn_type *t = &k->m->program->outputs.v[i]->type;

		for (int d = 0; d < t->rank; d++)
			if (!sn_is_const(t->dims[d]))
				return true;
	}
	return false;
}

static void
write_dims(struct sn_package *k, struct sn_buf *out)
{
	size_t n = k->m->program->outputs.n;

	sn_buf_add(out,
		   "/* Dimensions and bytes of the outputs. */\n"
		   "static int\nwrite_dims(struct sinter_tensor *out, const struct sizes *s)\n{\n");
	rank_checks(out, k->m->program->outputs.v, n, "out");
	if (!outputs_have_sizes(k))
		sn_buf_add(out, "\t(void)s;\n");
	for (size_t i = 0; i < n; i++) {
		const struct sn_tensor *t = k->m->program->outputs.v[i];

		for (int d = 0; d < t->type.rank; d++)
			sn_buf_addf(out, "\tout[%zu].dims[%d] = %s;\n", i, d,
				    sn_package_size_text(k, t->type.dims[d], "s->", CP_ASSIGN));
		sn_buf_addf(out, "\tout[%zu].bytes = (size_t)%s;\n", i,
			    sn_package_size_text(k, sn_package_bytes(k, t), "s->", CP_UNARY));
	}
	sn_buf_add(out, "\treturn SINTER_OK;\n}\n\n");
}

static const char why_text[] = "const char *\n"
			       "$n_why(const struct sinter_tensor *in)\n"
			       "{\n"
			       "\tstruct sizes s;\n"
			       "\tconst char *why;\n"
			       "\n"
			       "\tread_dims(in, &s, &why);\n"
			       "\treturn why;\n"
			       "}\n\n";

void
sn_package_sizes(struct sn_package *k, struct sn_buf *out)
{
	sn_buf_add(out, "/* What the inputs' dimensions leave open. */\nstruct sizes {\n");
	for (int i = 0; i < k->m->pool->nsyms; i++)
		sn_buf_addf(out, "\tint64_t %s;\n", k->size_names[i]);
	sn_buf_add(out, has_sizes(k) ? "};\n\n" : "\tint unused;\n};\n\n");
	read_dims(k, out);
	write_dims(k, out);
	sn_package_text(k, out, why_text);
}
