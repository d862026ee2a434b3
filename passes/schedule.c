/* The table of schedules, and what fits where. */
#include "passes/schedule.h"
#include <string.h>
#include "passes/device_tile.h"
#include "passes/rows.h"
#include "passes/scan.h"
#include "passes/tile.h"

static const struct sn_schedule schedules[] = {
#define SCHEDULE(id, name, kind, summary, choose, apply, keeps, repeats) \
	{ name, summary, SK_##kind, choose, apply, keeps, repeats },
#include "passes/schedules.def"
#undef SCHEDULE
};

const struct sn_schedule *
sn_schedules(int *out_n)
{
	*out_n = (int)ARRAY_LEN(schedules);
	return schedules;
}

const struct sn_schedule *
sn_schedule_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(schedules); i++)
		if (!strcmp(schedules[i].name, name))
			return &schedules[i];
	return NULL;
}

enum sn_sched_kind
sn_sched_kind_of(const struct sn_target *t)
{
	return sn_target_is_device(t) ? SK_DEVICE : SK_CPU;
}

int64_t
sn_slice_bytes(const struct sn_kernel *k, const struct sn_tensor *t)
{
	int64_t n = (sn_dtype_info(t->type.dtype)->bits + 7) / 8;
	for (int d = k->nshared; d < t->type.rank; d++) {
		int64_t x;
		if (!sn_get_int(t->type.dims[d], &x) || __builtin_mul_overflow(n, x, &n))
			return -1;
	}
	return n;
}

/* Most bytes of one scratch slice on the stack. */
enum { STACK_SLICE = 64 << 10 };

bool
sn_stack_keeps(struct sn_sched_ctx *c, const struct sn_kernel *k, const struct sn_tensor *t)
{
	(void)c;
	int64_t n = sn_slice_bytes(k, t);
	return n >= 0 && n <= STACK_SLICE;
}
