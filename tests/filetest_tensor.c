/* Tensor level in file tests: programs on seeded data. */
#include "ir/tensor.h"
#include "tests/filetest_pass.h"
#include "tests/filetest_tensor.h"

void *
ft_tensor_parse(struct ft_run *r, const char *text)
{
	return sn_program_parse(text, r->file->path, r->arena, r->pool, r->diags);
}

void
ft_tensor_print(struct sn_buf *out, const void *ir, bool with_data)
{
	sn_program_print(out, ir, with_data);
}

bool
ft_tensor_verify(void *ir, struct sn_diags *d)
{
	return sn_program_verify(ir, d);
}

static bool
make_array(struct ft_run *r, const struct sn_tensor *t, enum sn_dtype dtype, struct sn_array *out)
{
	int64_t n = ft_number(r, sn_type_count(r->pool, &t->type), ft_symbols(r));
	if (n < 0 || n > 1 << 24)
		return ft_fail(r, "'%s' has %lld elements", t->name, (long long)n);
	*out = (struct sn_array){ dtype, (size_t)n, NULL };
	out->bytes = sn_alloc(r->arena, sn_dtype_bytes(dtype, out->n));
	return true;
}

bool
ft_inputs_make(struct ft_run *r, const struct sn_program *pr, struct sn_array **out)
{
	*out = SN_NEW_ARRAY(r->arena, pr->inputs.n + 1, struct sn_array);
	for (size_t i = 0; i < pr->inputs.n; i++) {
		const struct sn_tensor *t = pr->inputs.v[i];
		struct sn_array *a = &(*out)[i];
		if (!make_array(r, t, t->type.dtype, a))
			return false;
		ft_fill(r, t->name, a->dtype, a->bytes, a->n);
	}
	return true;
}

bool
ft_results_make(struct ft_run *r, const struct sn_program *pr, bool is_judge,
		struct ft_results *out)
{
	out->n = pr->outputs.n;
	out->arrays = SN_NEW_ARRAY(r->arena, out->n + 1, struct sn_array);
	out->names = SN_NEW_ARRAY(r->arena, out->n + 1, const char *);
	for (size_t i = 0; i < out->n; i++) {
		const struct sn_tensor *t = pr->outputs.v[i];
		bool is_wide = is_judge && sn_is_float(t->type.dtype);
		out->names[i] = t->name;
		if (!make_array(r, t, is_wide ? DT_F64 : t->type.dtype, &out->arrays[i]))
			return false;
	}
	return true;
}

bool
ft_run_program(struct ft_run *r, const struct sn_program *pr, bool is_judge, struct ft_results *out)
{
	struct sn_array *inputs;
	struct sn_interp_opts o = { .is_all_f64 = is_judge, .syms = ft_symbols(r) };
	if (!ft_inputs_make(r, pr, &inputs) || !ft_results_make(r, pr, is_judge, out))
		return false;
	return sn_program_interp(pr, &o, inputs, out->arrays, r->arena, r->diags)
	       || ft_fail(r, "can't interpret the program");
}

bool
ft_tensor_interp(struct ft_run *r, const void *ir)
{
	struct ft_results results;
	if (!ft_run_program(r, ir, false, &results))
		return false;
	for (size_t i = 0; i < results.n; i++) {
		const struct sn_array *a = &results.arrays[i];
		ft_print_values(r->out, results.names[i], a->dtype, a->bytes, a->n);
	}
	return true;
}
