/*
 * Names of what a function declares, and declarations of its buffers.
 */
#include <string.h>
#include "codegen/print.h"

/* clang-format off */
static const char *const reserved[] = {
	"auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double",
	"else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "long",
	"register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
	"switch", "true", "typedef", "union", "unsigned", "void", "volatile", "while", "args",
	"arg", "env", "worker", "asm", "typeof", "main", "unix", "linux", "memcpy", "memset",
	"parallel_for", "scratch_at", "fabs", "fabsf", "j0", "j1", "jn", "y0", "y1", "yn", "NAN",
	"INFINITY", "HUGE_VAL", "FN", "UNROLL", "PRAGMA",
};
/* clang-format on */

/* ---- names ---- */

/* S with other characters than letters and digits replaced, shortened, not starting with a digit. */
static char *
identifier(struct sn_arena *a, const char *s)
{
	size_t n = strlen(s);
	const char *from = n > 40 ? s + n - 40 : s;
	char *id = sn_printf(a, "%s%s", *from >= '0' && *from <= '9' ? "_" : "", from);

	for (char *c = id; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z')
		    && !(*c >= '0' && *c <= '9'))
			*c = '_';
	return *id && strcmp(id, "_") ? id : "t";
}

/* Could NAME be a helper's, which end in a type: select_v16f32, add_i32? */
static bool
is_like_helper(const char *name)
{
	const char *end = strrchr(name, '_');

	if (!end)
		return false;
	end++;
	if (*end == 'v' && end[1] >= '0' && end[1] <= '9')
		end += 1 + strspn(end + 1, "0123456789");
	return sn_dtype_by_text(end) != DT_NONE;
}

/* Names OBJECT until the scope ends. */
const char *
sn_declare(struct sn_printer *p, const void *object, const char *base, const char *type)
{
	const char *id = identifier(p->arena, base);

	if (is_like_helper(id))
		id = sn_printf(p->arena, "%s_", id);
	const char *name = id;

	for (int i = 2; sn_map_get(&p->taken, name); i++)
		name = sn_printf(p->arena, "%s_%d", id, i);
	sn_map_put(&p->taken, name, p);
	sn_map_put_num(&p->names, (uint64_t)(uintptr_t)object, (void *)name);
	SN_PUSH(p->arena, &p->scope,
		(struct sn_named){ name, sn_printf(p->arena, "%s %s", type, name), object });
	return name;
}

void
sn_leave_scope(struct sn_printer *p, size_t mark)
{
	while (p->scope.n > mark)
		sn_map_put(&p->taken, p->scope.v[--p->scope.n].name, NULL);
}

const char *
sn_name_of(struct sn_printer *p, const void *object)
{
	return sn_map_get_num(&p->names, (uint64_t)(uintptr_t)object);
}

void
sn_indent(struct sn_buf *out, int depth)
{
	sn_buf_fill(out, '\t', (size_t)depth);
}

void
sn_reserve_names(const struct sn_dialect *d, struct sn_map *taken)
{
	struct sn_arena *a = taken->arena;

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		sn_map_put(taken, reserved[i], taken);
	for (const char *s = d->reserved; s && *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		sn_map_put(taken, sn_strndup(a, s, n), taken);
		s += n;
	}
	for (int op = 0; op < OP_COUNT; op++) { /* functions of math.h */
		const char *text = sn_scalar_info((enum sn_scalar_op)op)->text;

		sn_map_put(taken, text, taken);
		sn_map_put(taken, sn_printf(a, "%sf", text), taken);
	}
}

void
sn_reset_names(struct sn_printer *p)
{
	sn_map_init(&p->names, p->arena);
	sn_map_init(&p->taken, p->arena);
	memset(&p->scope, 0, sizeof(p->scope));
	sn_reserve_names(p->dialect, &p->taken);
}

/* ---- long lines ---- */

/* Where to break S so that at most ROOM characters come before: after a comma or an operator, as far
 * out of parentheses as can be; 0: nowhere. */
static size_t
break_of(const char *s, size_t room)
{
	size_t best = 0;
	int level = 0, best_level = 0;

	for (size_t i = 0; s[i] && i < room; i++) {
		level += s[i] == '(' || s[i] == '[' || s[i] == '{';
		level -= s[i] == ')' || s[i] == ']' || s[i] == '}';
		if (s[i] != ' ' || i < room / 3 || !strchr(",+-*/&|=?:", s[i - 1]))
			continue;
		if (best == 0 || level <= best_level) {
			best = i;
			best_level = level;
		}
	}
	return best;
}

void
sn_add_wrapped(struct sn_buf *out, int depth, const char *text)
{
	for (int more = 0; *text; more = 1) {
		size_t used = 8 * (size_t)(depth + more), room = used < 28 ? 100 - used : 72;
		size_t n = strlen(text) > room ? break_of(text, room) : 0;

		sn_indent(out, depth + more);
		if (n == 0)
			n = strlen(text);
		sn_buf_addn(out, text, n);
		sn_buf_addc(out, '\n');
		text += n + (text[n] == ' ');
	}
}

/* ---- declarations of buffers ---- */

static const char *
element_type(struct sn_printer *p, const struct sn_buffer *b)
{
	if (b->lanes > 1)
		return sn_c_type(p, sn_ty_of(b->dtype, b->lanes, 8));
	return sn_c_memory(p, b->dtype);
}

/* "[14][16]" from dimension FIRST on. */
static const char *
dims_text(struct sn_printer *p, const struct sn_buffer *b, int first)
{
	struct sn_buf t;

	sn_buf_init(&t, p->arena);
	if (b->rank == 0 && first == 0)
		sn_buf_add(&t, "[1]");
	for (int i = first; i < b->rank; i++)
		sn_buf_addf(&t, "[%s]", sn_expr_text(p, b->dims[i], CP_ASSIGN));
	return t.text;
}

const char *
sn_space_text(struct sn_printer *p, const struct sn_buffer *b)
{
	const struct sn_kernel_words *k = p->dialect->kernel;

	if (!k)
		return "";
	if (!k->spaces[b->space])
		sn_bug(p->arena->guard, "dialect %s has no place for buffer '%s'", p->dialect->name,
		       b->name);
	return k->spaces[b->space];
}

/* "float (*acc)[16]": a pointer that is indexed as the buffer is. */
const char *
sn_pointer_text(struct sn_printer *p, const struct sn_buffer *b, const char *name)
{
	const char *type = element_type(p, b);

	if (b->rank <= 1)
		return sn_printf(p->arena, "%s%s%s *%s", b->is_const ? "const " : "",
				 sn_space_text(p, b), type, name);
	return sn_printf(p->arena, "%s (*%s)%s", type, name, dims_text(p, b, 1));
}

const char *
sn_declare_buffer(struct sn_printer *p, const struct sn_buffer *b)
{
	const char *name = sn_declare(p, b, b->name, "");

	p->scope.v[p->scope.n - 1].decl = sn_pointer_text(p, b, name);
	return name;
}

static int64_t
buffer_bytes(const struct sn_buffer *b)
{
	int64_t n = b->lanes, k;

	for (int i = 0; i < b->rank; i++)
		if (sn_get_int(b->dims[i], &k))
			n *= k;
	return (int64_t)sn_dtype_bytes(b->dtype, (size_t)n);
}

/* Bytes to say behind the declaration of B, 0: none. On a device, where it is no more than needed. */
static int
alignment(const struct sn_printer *p, const struct sn_buffer *b)
{
	if (p->dialect->kernel)
		return b->align;
	return b->lanes == 1 && buffer_bytes(b) >= 64 ? 64 : 0;
}

void
sn_print_alloc(struct sn_printer *p, struct sn_buf *out, const struct sn_buffer *b, int depth)
{
	const char *name = sn_declare_buffer(p, b);

	sn_indent(out, depth);
	if (b->space == SP_SCRATCH) {
		sn_buf_addf(out, "%s = scratch_at(env, %s, %lld);\n", sn_pointer_text(p, b, name),
			    p->is_in_body ? "worker" : "0", (long long)p->scratch);
		p->scratch += (buffer_bytes(b) + 63) / 64 * 64;
		if (p->scratch > p->scratch_max)
			p->scratch_max = p->scratch;
		return;
	}
	sn_buf_addf(out, "%s%s %s%s", sn_space_text(p, b), element_type(p, b), name,
		    dims_text(p, b, 0));
	if (p->dialect->align && alignment(p, b))
		sn_buf_addf(out, p->dialect->align, alignment(p, b));
	sn_buf_add(out, ";\n");
}
