/*
 * emit=opencl: the kernel is looked through by clang with warnings as errors, built by the driver
 * and run there; its memories hold the parameters with their borders.
 */
#include <string.h>
#include "tests/filetest_data.h"
#include "tests/filetest_emit.h"
#include "tests/unit/run_opencl.h"

static bool
is_one(struct ft_run *r)
{
	return strcmp(ft_setting(r, "memory", "own"), "one") == 0;
}

const int *
ft_kernel_slots(struct ft_run *r, const struct sn_func *f)
{
	int *slots = SN_NEW_ARRAY(r->arena, f->params.n + 1, int);
	for (size_t i = 0; i < f->params.n; i++)
		slots[i] = is_one(r) ? 0 : (int)i;
	return slots;
}

/* The memories of a call. */
/* Place of the word of status in its memory. */
enum { STATUS_AT = 8 };

struct kernel_memory {
	struct opencl_memory list[64];
	int64_t nums[128];
	size_t n, nnums;
};

/* Copies the parameters, borders and all, into their memories, or back. */
static void
copy(const struct ft_args *a, const struct kernel_memory *m, const int *slots, bool is_back)
{
	size_t used[64] = { 0 };
	for (size_t i = 0; i < a->func->params.n; i++) {
		void *whole, *there;
		size_t size, *at = &used[slots[i]];
		ft_args_whole(a, i, &whole, &size);
		there = (char *)m->list[slots[i]].bytes + *at;
		memcpy(is_back ? whole : there, is_back ? there : whole, size);
		*at += (size + 63) / 64 * 64;
	}
}

static void
plan(struct ft_run *r, const struct ft_args *a, const int *slots, struct kernel_memory *m)
{
	*m = (struct kernel_memory){ 0 };
	for (size_t i = 0; i < a->func->params.n; i++) {
		void *whole;
		size_t size, start = ft_args_whole(a, i, &whole, &size);
		struct opencl_memory *memory = &m->list[slots[i]];
		m->nums[m->nnums++] = (int64_t)(memory->size + start);
		memory->size += (size + 63) / 64 * 64;
		m->n = (size_t)slots[i] >= m->n ? (size_t)slots[i] + 1 : m->n;
	}
	for (size_t i = 0; i < m->n; i++)
		m->list[i].bytes = sn_alloc(r->arena, m->list[i].size);
	for (size_t i = 0; i < a->func->syms.n; i++)
		m->nums[m->nnums++] = a->syms[a->func->syms.v[i]->id];
	if (!sn_func_has_checks(a->func))
		return;
	m->list[m->n].size = 64;
	m->list[m->n++].bytes = SN_NEW_ARRAY(r->arena, 64, char);
	m->nums[m->nnums++] = STATUS_AT;
}

/* Is the word of status what it must be in a run without an index out of range? */
static bool
check_status(struct ft_run *r, const struct ft_args *a, const struct kernel_memory *m)
{
	int32_t failed = 0;
	if (sn_func_has_checks(a->func))
		memcpy(&failed, (char *)m->list[m->n - 1].bytes + STATUS_AT, sizeof(failed));
	return !failed || ft_fail(r, "a check of an index fails on the device");
}

static bool
launch(struct ft_run *r, const struct ft_args *a, struct opencl_program *program)
{
	const int *slots = ft_kernel_slots(r, a->func);
	struct kernel_memory m;
	struct sn_launch l;
	struct opencl_call c = { .kernel = a->func->name };
	if (a->func->params.n > 60 || !sn_func_launch(a->func, &l))
		return ft_fail(r, "not a kernel");
	plan(r, a, slots, &m);
	copy(a, &m, slots, false);
	c.ndims = l.ngroups > l.nitems ? l.ngroups : l.nitems;
	for (int i = 0; i < c.ndims; i++) {
		c.groups[i] = i < l.ngroups ? (size_t)ft_number(r, l.group[i]->extent, a->syms) : 1;
		c.items[i] = i < l.nitems ? (size_t)l.items[i] : 1;
	}
	c.mems = m.list;
	c.nmems = m.n;
	c.nums = m.nums;
	c.nnums = m.nnums;
	const char *why = opencl_run(program, &c);
	copy(a, &m, slots, true);
	return why ? ft_fail(r, "%s", why) : check_status(r, a, &m);
}

bool
ft_run_kernel(struct ft_run *r, const struct sn_dialect *d, const struct ft_args *args,
	      const char *folder)
{
	const char *why, *path = sn_printf(r->arena, "%s/k.cl", folder);
	const char *lint = sn_printf(
		r->arena, "%s -x cl %s -fsyntax-only -Wall -Wextra -Wno-unused-parameter -Werror",
		ft_setting(r, "clang", "clang-14"), d->flags);
	if (!ft_emit_source(r, path, r->out->text, lint))
		return false;
	struct opencl_program *p = opencl_build(r->out->text, d->flags, &why);
	if (!p)
		return ft_fail(r, "the driver complains:\n%s", why);
	bool ok = launch(r, args, p);
	opencl_free(p);
	return ok;
}
