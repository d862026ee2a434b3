/*
 * Numbers to text and back, the same in every locale: the program that loads
 * the library may have set one with a decimal comma.
 */
#ifndef SUPPORT_FORMAT_H
#define SUPPORT_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* vsnprintf in the C locale; negative only if the format is broken. */
int
sn_format(char *dst, size_t cap, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* strtod and strtof in the C locale. */
double sn_strtod(const char *s, char **out_end);
float sn_strtof(const char *s, char **out_end);

#endif
