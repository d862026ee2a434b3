/* The table of schedules. */
#include <string.h>
#include "passes/rows.h"
#include "passes/schedule.h"
#include "passes/tile.h"

static const struct sn_schedule schedules[] = {
#define SCHEDULE(id, name, summary, choose, apply) { name, summary, choose, apply },
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
