/* Formatting and reading of numbers, independent of the host program's locale. */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/format.h"

struct locale_state {
	locale_t c, before;
};

/* Switches this thread to the C locale where the current one writes numbers otherwise. */
static bool
enter_c_locale(struct locale_state *st)
{
	const char *point = localeconv()->decimal_point;
	if (point[0] == '.' && !point[1])
		return false;
	st->c = newlocale(LC_NUMERIC_MASK, "C", duplocale(uselocale((locale_t)0)));
	if (!st->c)
		return false;
	st->before = uselocale(st->c);
	return true;
}

static void
leave_c_locale(struct locale_state *st)
{
	uselocale(st->before);
	freelocale(st->c);
}

int
sn_format(char *dst, size_t cap, const char *fmt, va_list ap)
{
	struct locale_state st;
	bool switched = enter_c_locale(&st);
	int n = vsnprintf(dst, cap, fmt, ap);
	if (switched)
		leave_c_locale(&st);
	return n;
}

double
sn_strtod(const char *s, char **out_end)
{
	struct locale_state st;
	bool switched = enter_c_locale(&st);
	double x = strtod(s, out_end);
	if (switched)
		leave_c_locale(&st);
	return x;
}

float
sn_strtof(const char *s, char **out_end)
{
	struct locale_state st;
	bool switched = enter_c_locale(&st);
	float x = strtof(s, out_end);
	if (switched)
		leave_c_locale(&st);
	return x;
}
