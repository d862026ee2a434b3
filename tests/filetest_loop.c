/* Loop level in file tests: runs a function on seeded data, compares and prints what it stored. */
#include <string.h>
#include "ir/loop.h"
#include "tests/filetest_data.h"
#include "tests/filetest_loop.h"

enum { BORDER = 256, PATTERN = 0xa5 };

void *
ft_loop_parse(struct ft_run *r, const char *text)
{
	return sn_func_parse(text, r->file->path, r->arena, r->pool, r->diags);
}

void
ft_loop_print(struct sn_buf *out, const void *ir, bool with_data)
{
	(void)with_data;
	sn_func_print(out, ir);
}

bool
ft_loop_verify(void *ir, struct sn_diags *d)
{
	return sn_func_verify(ir, d);
}

static size_t
size_of(const struct ft_args *a, size_t i)
{
	return sn_dtype_bytes(a->func->params.v[i]->dtype, a->counts[i]);
}

static void *
alloc_bordered(struct sn_arena *a, size_t size)
{
	unsigned char *p = sn_alloc(a, size + 2 * BORDER + 64);
	memset(p, PATTERN, size + 2 * BORDER + 64);
	p += BORDER;
	p += -(uintptr_t)p & 63;
	memset(p, 0, size);
	return p;
}

bool
ft_args_make(struct ft_run *r, const struct sn_func *f, struct ft_args *out)
{
	out->func = f;
	out->syms = ft_symbols(r);
	out->bytes = SN_NEW_ARRAY(r->arena, f->params.n + 1, void *);
	out->counts = SN_NEW_ARRAY(r->arena, f->params.n + 1, size_t);
	for (size_t i = 0; i < f->params.n; i++) {
		const struct sn_buffer *b = f->params.v[i];
		int64_t n = ft_number(r, b->dims[0], out->syms);
		if (n < 0 || n > 1 << 24)
			return ft_fail(r, "parameter '%s' has %lld elements", b->name,
				       (long long)n);
		out->counts[i] = (size_t)n;
		out->bytes[i] = alloc_bordered(r->arena, size_of(out, i));
		if (b->is_const)
			ft_fill(r, b->name, b->dtype, out->bytes[i], out->counts[i]);
	}
	return true;
}

bool
ft_args_interp(struct ft_run *r, const struct ft_args *a)
{
	struct sn_func_run run = { .args = a->bytes, .counts = a->counts, .syms = a->syms };
	return sn_func_interp(a->func, &run, r->arena, r->diags);
}

void
ft_args_print(struct ft_run *r, const struct ft_args *a)
{
	for (size_t i = 0; i < a->func->params.n; i++) {
		const struct sn_buffer *b = a->func->params.v[i];
		if (!b->is_const)
			ft_print_values(r->out, b->name, b->dtype, a->bytes[i], a->counts[i]);
	}
}

size_t
ft_args_whole(const struct ft_args *a, size_t i, void **out_bytes, size_t *out_size)
{
	*out_bytes = (char *)a->bytes[i] - BORDER;
	*out_size = size_of(a, i) + 2 * BORDER;
	return BORDER;
}

bool
ft_args_check_borders(struct ft_run *r, const struct ft_args *a)
{
	for (size_t i = 0; i < a->func->params.n; i++) {
		const unsigned char *p = a->bytes[i], *end = p + size_of(a, i);
		for (int k = 1; k <= BORDER; k++)
			if (p[-k] != PATTERN || end[k - 1] != PATTERN)
				return ft_fail(r, "wrote beside parameter '%s'",
					       a->func->params.v[i]->name);
	}
	return true;
}

bool
ft_args_compare(struct ft_run *r, const struct ft_args *want, const struct ft_args *got,
		double tolerance)
{
	for (size_t i = 0; i < want->func->params.n; i++) {
		const struct sn_buffer *b = want->func->params.v[i];
		struct ft_pair pair = { b->name, b->dtype, want->bytes[i], got->bytes[i],
					want->counts[i] };
		if (!b->is_const && !ft_compare(r, &pair, tolerance))
			return false;
	}
	return true;
}

bool
ft_loop_interp(struct ft_run *r, const void *ir)
{
	struct ft_args args;
	if (!ft_args_make(r, ir, &args) || !ft_args_interp(r, &args))
		return false;
	ft_args_print(r, &args);
	return ft_args_check_borders(r, &args);
}
