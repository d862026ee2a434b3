/*
 * pass=NAME ...: runs passes, and holds what they changed to what their rows state, by interpreting
 * before and after on the same seeded data.
 */
#include <math.h>
#include <string.h>
#include "ir/loop.h"
#include "passes/pass.h"
#include "tests/filetest_loop.h"
#include "tests/filetest_pass.h"

struct job {
	const char **names; /* of the passes, NULL-terminated */
	const struct sn_pass *first, *last;
	bool is_exact;
};

/* "a b, c" */
static bool
read_job(struct ft_run *r, const char *args, struct job *out)
{
	SN_VEC(const char *) names = { 0 };
	*out = (struct job){ .is_exact = true };
	for (const char *s = args; *s;) {
		size_t n = strcspn(s, ", ");
		if (n) {
			const char *name = sn_strndup(r->arena, s, n);
			out->last = sn_pass_find(name);
			if (!out->last)
				return ft_fail(r, "no pass '%s'", name);
			out->first = out->first ? out->first : out->last;
			out->is_exact &= out->last->exactness == PX_EXACT;
			SN_PUSH(r->arena, &names, name);
		}
		s += n + (s[n] != '\0');
	}
	SN_PUSH(r->arena, &names, NULL);
	out->names = names.v;
	return out->first || ft_fail(r, "no pass is named");
}

static struct sn_module *
parse_module(struct ft_run *r, const struct job *job)
{
	struct sn_module *m = SN_NEW(r->arena, struct sn_module);
	m->name = "m";
	m->source = r->file->path;
	m->arena = r->arena;
	m->pool = r->pool;
	m->diags = r->diags;
	m->has_vectors = strcmp(ft_setting(r, "vectors", "yes"), "yes") == 0;
	sn_module_aim(m, sn_target_find(ft_setting(r, "target", "x86-64-v4"), r->arena, r->diags));
	if (!m->target)
		return NULL;
	if (job->first->level < LV_LOOP)
		return sn_module_parse(m, r->file->ir, r->file->path) ? m : NULL;
	struct sn_func *f = ft_loop_parse(r, r->file->ir);
	if (f)
		SN_PUSH(r->arena, &m->funcs, f);
	return f ? m : NULL;
}

/* Largest distance of GOT from the judge's numbers, and their largest magnitude. */
static double
distance(const struct sn_array *judge, const struct sn_array *got, double *out_most)
{
	double most = 0, far = 0;
	for (size_t i = 0; i < judge->n; i++) {
		double want = sn_dtype_load(judge->dtype, judge->bytes, i).f;
		double x = sn_dtype_load(got->dtype, got->bytes, i).f;
		bool is_same = want == x || (isnan(want) && isnan(x));
		if (!is_same)
			far = fmax(far, isfinite(want - x) ? fabs(want - x) : INFINITY);
		if (isfinite(want))
			most = fmax(most, fabs(want));
	}
	*out_most = most;
	return far;
}

/* Reassociated sums may be as far from f64 as twice those before, or 1e-6 of the largest. */
static bool
compare_by_judge(struct ft_run *r, const struct ft_results *judge, const struct ft_results *want,
		 const struct ft_results *got)
{
	for (size_t i = 0; i < judge->n; i++) {
		double most;
		if (!sn_is_float(want->arrays[i].dtype))
			continue;
		double before = distance(&judge->arrays[i], &want->arrays[i], &most);
		double after = distance(&judge->arrays[i], &got->arrays[i], &most);
		if (after > fmax(2 * before, 1e-6 * most))
			return ft_fail(r, "'%s' is %g from f64, %g before (largest %g)",
				       want->names[i], after, before, most);
	}
	return true;
}

static bool
compare_exactly(struct ft_run *r, const struct ft_results *want, const struct ft_results *got,
		bool integers_only)
{
	if (want->n != got->n)
		return ft_fail(r, "%zu outputs before, %zu after", want->n, got->n);
	for (size_t i = 0; i < want->n; i++) {
		const struct sn_array *a = &want->arrays[i], *b = &got->arrays[i];
		if (a->dtype != b->dtype || a->n != b->n)
			return ft_fail(r, "output %zu has another type", i);
		struct ft_pair p = { want->names[i], a->dtype, a->bytes, b->bytes, a->n };
		if (!(integers_only && sn_is_float(a->dtype)) && !ft_compare(r, &p, 0))
			return false;
	}
	return true;
}

/* Functions without a program, as the loop level's tests write them. */
static bool
compare_funcs(struct ft_run *r, const struct job *job, const struct sn_func *before,
	      const struct sn_func *after)
{
	struct ft_args want, got;
	if (!ft_args_make(r, before, &want) || !ft_args_interp(r, &want))
		return ft_fail(r, "can't run the function before");
	if (!ft_args_make(r, after, &got) || !ft_args_interp(r, &got))
		return ft_fail(r, "can't run the function after");
	return ft_args_check_borders(r, &got)
	       && ft_args_compare(r, &want, &got, job->is_exact ? 0 : 1e-6);
}

static bool
run_after(struct ft_run *r, struct sn_module *m, struct ft_results *out)
{
	return m->funcs.n ? ft_run_steps(r, m, out) : ft_run_module(r, m, false, out);
}

static bool
compare_runs(struct ft_run *r, const struct job *job, struct sn_module *before,
	     struct sn_module *after)
{
	struct ft_results judge, want, got;
	if (!after->program && after->funcs.n)
		return compare_funcs(r, job, before->funcs.v[0], after->funcs.v[0]);
	if (!ft_run_module(r, before, false, &want) || !run_after(r, after, &got))
		return false;
	if (!compare_exactly(r, &want, &got, !job->is_exact))
		return false;
	if (job->is_exact)
		return true;
	return ft_run_module(r, before, true, &judge) && compare_by_judge(r, &judge, &want, &got);
}

bool
ft_pass(struct ft_run *r, const char *args)
{
	struct job job;
	if (!read_job(r, args, &job))
		return false;
	struct sn_module *before = parse_module(r, &job);
	struct sn_module *after = before ? parse_module(r, &job) : NULL;
	struct sn_pipeline_opts o = { .passes = job.names, .is_verified = true };
	if (!after || !sn_pipeline_run(after, &o))
		return false;
	sn_module_print(r->out, after, job.last->result, false);
	if (strcmp(ft_setting(r, "run", "yes"), "no") == 0)
		return true;
	return compare_runs(r, &job, before, after);
}
