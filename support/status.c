/* The one way out when memory ends or an invariant is broken: unwinding to the library's entry. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/diag.h"
#include "support/format.h"
#include "support/status.h"

_Noreturn static void
leave(struct sn_guard *guard, enum sn_status status, const char *fmt, va_list ap)
{
	if (!guard)
		abort();
	sn_format(guard->text, sizeof(guard->text), fmt, ap);
	longjmp(guard->env, (int)status);
}

_Noreturn void
sn_guard_leave(struct sn_guard *guard, enum sn_status status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	leave(guard, status, fmt, ap);
	va_end(ap);
}

_Noreturn void
sn_bug(struct sn_guard *guard, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	leave(guard, SN_ERR_INTERNAL, fmt, ap);
	va_end(ap);
}
