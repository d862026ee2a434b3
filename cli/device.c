/* Descriptions of open devices. */
#include <string.h>
#include "cli/device.h"

bool
is_program_device(const char *name)
{
	return name && strcmp(name, "cpu") != 0;
}

const struct sn_target *
device_target(const struct sinter_device_info *info, struct sn_arena *a, struct sn_diags *d)
{
	const struct sn_target *base = sn_target_find(info->is_cpu ? "pocl" : "opencl", a, d);
	if (!base)
		return NULL;
	struct sn_target *t = SN_NEW(a, struct sn_target);
	*t = *base;
	t->name = sn_strdup(a, info->name);
	/* What a core calls local is its cache: the most that it allows is not what is fast. */
	if (!info->is_cpu || info->group_items < t->group_items)
		t->group_items = info->group_items;
	if (!info->is_cpu || info->local_bytes < (uint64_t)t->local_bytes)
		t->local_bytes = (int64_t)info->local_bytes;
	t->units = info->units;
	if (info->subgroup > 0)
		t->subgroup = info->subgroup;
	t->load_floats = info->load_floats >= 4 ? 4 : info->load_floats >= 2 ? 2 : 1;
	t->has_f64 = info->has_f64 != 0;
	t->is_cpu = info->is_cpu != 0;
	t->largest_bytes = (int64_t)info->largest_bytes;
	return t;
}

bool
compile_for_device(const struct options *o, struct sn_compiler *c, struct sn_compiler_opts *opts)
{
	struct sinter_device *d;
	struct sinter_error e;
	if (!is_program_device(o->device))
		return true;
	if (!opts->dialect)
		opts->dialect = "opencl";
	if (strchr(o->device, ':') == NULL) {
		opts->cpu = o->device;
		return true;
	}
	if (sinter_device_open(o->device, &d, &e) != SINTER_OK)
		return sn_report(&c->diags, SN_NOWHERE, DG_RUNTIME, e.text);
	opts->target = device_target(sinter_device_info(d), &c->arena, &c->diags);
	sinter_device_close(d);
	return opts->target != NULL;
}
