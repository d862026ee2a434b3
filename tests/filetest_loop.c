/* Loop level in file tests: runs a function on seeded data, prints what it stored. */
#include "ir/loop.h"
#include "tests/filetest_data.h"
#include "tests/filetest_loop.h"

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
ft_loop_interp(struct ft_run *r, const void *ir)
{
	const struct sn_func *f = ir;
	const int64_t *syms = ft_symbols(r);
	void **args = SN_NEW_ARRAY(r->arena, f->params.n + 1, void *);
	size_t *counts = SN_NEW_ARRAY(r->arena, f->params.n + 1, size_t);
	for (size_t i = 0; i < f->params.n; i++) {
		const struct sn_buffer *b = f->params.v[i];
		int64_t n = ft_number(r, b->dims[0], syms);
		if (n < 0 || n > 1 << 24)
			return ft_fail(r, "parameter '%s' has %lld elements", b->name,
				       (long long)n);
		counts[i] = (size_t)n;
		args[i] = sn_alloc(r->arena, sn_dtype_bytes(b->dtype, counts[i]));
		if (b->is_const)
			ft_fill(r, b->name, b->dtype, args[i], counts[i]);
	}
	struct sn_func_run run = { .args = args, .counts = counts, .syms = syms };
	if (!sn_func_interp(f, &run, r->arena, r->diags))
		return false;
	for (size_t i = 0; i < f->params.n; i++)
		if (!f->params.v[i]->is_const)
			ft_print_values(r->out, f->params.v[i]->name, f->params.v[i]->dtype,
					args[i], counts[i]);
	return true;
}
