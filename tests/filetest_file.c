/* Reads the parts of a file test: commands, settings, expectations. */
#include <string.h>
#include "support/file.h"
#include "tests/filetest.h"
#include "tests/filetest_file.h"

/* What follows PREFIX in the line [s, end), trimmed; NULL if the line does not start with it. */
static const char *
after(struct sn_arena *a, const char *s, const char *end, const char *prefix)
{
	size_t n = strlen(prefix);
	if ((size_t)(end - s) < n || memcmp(s, prefix, n) != 0)
		return NULL;
	s += n;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return sn_strndup(a, s, (size_t)(end - s));
}

static bool
add_setting(struct sn_arena *a, struct ft_file *f, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return false;
	const char *key = sn_strndup(a, text, (size_t)(equals - text));
	sn_map_put(&f->settings, key, sn_strdup(a, equals + 1));
	return true;
}

static void
add_remark(struct sn_arena *a, struct ft_file *f, int line, const char *s, const char *end)
{
	static const struct {
		const char *prefix;
		enum ft_remark_kind kind;
	} kinds[] = {
		{ "; check:", FT_CHECK },
		{ "; check-not:", FT_CHECK_NOT },
		{ "; error:", FT_ERROR },
	};
	for (const char *p = s; p < end; p++) {
		for (size_t i = 0; *p == ';' && i < ARRAY_LEN(kinds); i++) {
			const char *text = after(a, p, end, kinds[i].prefix);
			if (!text)
				continue;
			struct ft_remark r = { kinds[i].kind, line, text,
					       sn_strndup(a, s, (size_t)(p - s)), false };
			SN_PUSH(a, &f->remarks, r);
			return;
		}
	}
}

/* One line; false if a comment of ours can't be understood. */
static bool
read_line(struct sn_arena *a, struct ft_file *f, int line, const char *s, const char *end)
{
	const char *command = after(a, s, end, "; test ");
	if (command) {
		SN_PUSH(a, &f->commands, command);
		return true;
	}
	const char *setting = after(a, s, end, "; set ");
	if (setting)
		return add_setting(a, f, setting);
	add_remark(a, f, line, s, end);
	return true;
}

static bool
is_expect(const char *s, const char *end)
{
	return end - s == 8 && memcmp(s, "; expect", 8) == 0;
}

static bool
split(struct sn_arena *a, struct ft_file *f)
{
	int line = 1;
	f->ir = f->whole;
	for (const char *s = f->whole; *s; line++) {
		const char *end = s + strcspn(s, "\n");
		if (is_expect(s, end)) {
			f->expect_offset = (size_t)(s - f->whole);
			f->ir = sn_strndup(a, f->whole, f->expect_offset);
			f->expect = *end ? end + 1 : end;
			return true;
		}
		if (!read_line(a, f, line, s, end))
			return false;
		s = *end ? end + 1 : end;
	}
	f->expect_offset = strlen(f->whole);
	return true;
}

bool
ft_file_read(struct ft_file *f, const char *path, struct sn_arena *a, struct sn_diags *d)
{
	struct sn_file file;
	*f = (struct ft_file){ .path = path };
	sn_map_init(&f->settings, a);
	if (!sn_file_map(&file, path, d))
		return false;
	f->whole = sn_strndup(a, (const char *)file.data, file.size);
	sn_file_unmap(&file);
	return split(a, f);
}

bool
ft_file_bless(const struct ft_file *f, const char *output, struct sn_arena *a, struct sn_diags *d)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_buf_addn(&b, f->whole, f->expect_offset);
	sn_buf_addf(&b, "; expect\n%s", output);
	return sn_file_write(f->path, b.text, b.len, d);
}
