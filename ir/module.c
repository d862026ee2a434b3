/*
 * Module: what it is compiled for, and remarks, the record of why something was or was not done.
 */
#include "ir/module.h"

void
sn_remark(struct sn_module *m, const char *pass, const struct sn_origin *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *text = sn_vprintf(m->arena, fmt, ap);
	va_end(ap);
	SN_PUSH(m->arena, &m->remarks,
		(struct sn_remark){ .pass = pass, .origin = o, .text = text });
}

void
sn_module_aim(struct sn_module *m, const struct sn_target *t)
{
	m->target = t;
	m->host = sn_target_find("generic", m->arena, m->diags);
}
