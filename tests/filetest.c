/* The program of the file tests: filetest [--bless] FILE.sn ..., prints TAP. */
#include <stdio.h>
#include <string.h>
#include "tests/filetest.h"
#include "tests/filetest_file.h"

static const struct {
	const char *name;
	ft_command_fn *run;
} commands[] = {
#include "tests/filetest.def"
};

bool
ft_fail(struct ft_run *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	sn_buf_vaddf(r->why, fmt, ap);
	va_end(ap);
	sn_buf_addc(r->why, '\n');
	return false;
}

const char *
ft_setting(const struct ft_run *r, const char *key, const char *def)
{
	const char *value = sn_map_get(&r->file->settings, key);
	return value ? value : def;
}

void
ft_show_difference(struct sn_buf *why, const char *expected, const char *got)
{
	int line = 1;
	size_t e = strcspn(expected, "\n"), g = strcspn(got, "\n");
	while (*expected && e == g && memcmp(expected, got, e) == 0 && expected[e] == got[g]) {
		expected += e + (expected[e] != '\0');
		got += g + (got[g] != '\0');
		e = strcspn(expected, "\n");
		g = strcspn(got, "\n");
		line++;
	}
	sn_buf_addf(why, "line %d differs\n  expected: %.*s\n  got:      %.*s\n", line, (int)e,
		    expected, (int)g, got);
}

/* Does the IR text below a message, behind its "12 | ", stand on the remark's line? */
static bool
is_excerpt_of(const struct ft_remark *remark, const char *excerpt)
{
	const char *bar = strstr(excerpt, "| ");
	const char *text = bar ? bar + 2 : excerpt;
	size_t n = strcspn(text, "\n");
	for (const char *s = remark->source; *s; s++)
		if (strncmp(s, text, n) == 0)
			return true;
	return false;
}

/*
 * Is M the error that REMARK, on its line, asks for?  Levels keep no lines in
 * their objects: then the excerpt must stand on the line, or what the message is about.
 */
static bool
is_asked_for(const struct ft_remark *remark, const struct sn_diag *m)
{
	if (!strstr(m->text, remark->text))
		return false;
	if (m->where.file && m->where.line > 0)
		return m->where.line == remark->line;
	if (m->excerpt)
		return is_excerpt_of(remark, m->excerpt);
	const char *name = m->where.name ? m->where.name : m->where.op;
	return !name || !*remark->source || strstr(remark->source, name);
}

/* Pairs reported errors with expected ones; what is left on either side fails. */
static bool
match_errors(struct ft_run *r, struct ft_file *f)
{
	bool ok = true;
	for (size_t i = 0; i < r->diags->list.n; i++) {
		const struct sn_diag *m = &r->diags->list.v[i];
		bool is_found = sn_diag_severity(m->id) != SN_ERROR;
		for (size_t k = 0; !is_found && k < f->remarks.n; k++) {
			struct ft_remark *remark = &f->remarks.v[k];
			is_found = remark->kind == FT_ERROR && is_asked_for(remark, m);
			remark->is_met |= is_found;
		}
		if (!is_found)
			ok = ft_fail(r, "unexpected error: %s", m->text);
	}
	for (size_t k = 0; k < f->remarks.n; k++)
		if (f->remarks.v[k].kind == FT_ERROR && !f->remarks.v[k].is_met)
			ok = ft_fail(r, "line %d: no error '%s'", f->remarks.v[k].line,
				     f->remarks.v[k].text);
	return ok;
}

static bool
match_checks(struct ft_run *r, const struct ft_file *f)
{
	const char *at = r->out->text;
	for (size_t k = 0; k < f->remarks.n; k++) {
		const struct ft_remark *c = &f->remarks.v[k];
		if (c->kind == FT_CHECK_NOT && strstr(r->out->text, c->text))
			return ft_fail(r, "line %d: '%s' is in the output:\n%s", c->line, c->text,
				       r->out->text);
		if (c->kind != FT_CHECK)
			continue;
		const char *found = strstr(at, c->text);
		if (!found)
			return ft_fail(r, "line %d: '%s' is not in the output%s:\n%s", c->line,
				       c->text, at > r->out->text ? " in this order" : "",
				       r->out->text);
		at = found + strlen(c->text);
	}
	return true;
}

static bool
match_expect(struct ft_run *r, const struct ft_file *f)
{
	if (!f->expect || strcmp(f->expect, r->out->text) == 0)
		return true;
	ft_show_difference(r->why, f->expect, r->out->text);
	return ft_fail(r, "`make bless T=%s` accepts the output", f->path);
}

/* Runs one command of a file into R. */
static bool
run_command(struct ft_run *r, const char *command)
{
	size_t n = strcspn(command, " =");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strlen(commands[i].name) == n && memcmp(commands[i].name, command, n) == 0)
			return commands[i].run(r, command + n + (command[n] != '\0'));
	return ft_fail(r, "unknown command '%s'", command);
}

/* Runs and compares; BLESS rewrites the expectation where all else is well. */
static bool
run_file(struct ft_run *r, struct ft_file *f, bool bless)
{
	if (f->commands.n == 0)
		return ft_fail(r, "no '; test' line");
	for (size_t i = 0; i < f->commands.n; i++) {
		r->out->len = 0;
		sn_diags_init(r->diags, r->arena);
		bool ok = run_command(r, f->commands.v[i]);
		if (!match_errors(r, f) || (!ok && r->diags->errors == 0))
			return ft_fail(r, "in '%s'", f->commands.v[i]);
	}
	bool is_blessed = bless && (f->expect || f->remarks.n == 0);
	if (is_blessed && !ft_file_bless(f, r->out->text, r->arena, r->diags))
		return ft_fail(r, "can't write the file");
	return match_checks(r, f) && (is_blessed || match_expect(r, f));
}

/* One file in an arena of its own, so that a broken invariant fails only this test. */
static bool
test_file(const char *path, bool bless, char *why, size_t why_size)
{
	struct sn_guard guard;
	struct sn_arena arena;
	sn_arena_init(&arena, &guard);
	enum sn_status status = SN_GUARD_ENTER(&guard);
	bool volatile ok = false;
	if (status != SN_OK) {
		snprintf(why, why_size, "status %d: %s\n", (int)status, guard.text);
	} else {
		struct sn_diags diags;
		struct sn_pool pool;
		struct sn_buf out, reasons;
		struct ft_file file;
		sn_diags_init(&diags, &arena);
		sn_pool_init(&pool, &arena);
		sn_buf_init(&out, &arena);
		sn_buf_init(&reasons, &arena);
		struct ft_run r = { &arena, &pool, &diags, &file, &out, &reasons };
		ok = ft_file_read(&file, path, &arena, &diags) ? run_file(&r, &file, bless)
							       : ft_fail(&r, "can't read the file");
		sn_diags_print(&diags, &reasons);
		snprintf(why, why_size, "%s", reasons.text);
	}
	sn_arena_release(&arena);
	return ok;
}

static void
print_comment(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
}

int
main(int argc, char **argv)
{
	bool bless = argc > 1 && strcmp(argv[1], "--bless") == 0;
	int first = bless ? 2 : 1, failed = 0;
	static char why[1 << 16];
	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++) {
		/* Seen only if the program dies in this file. */
		printf("# %s\n", argv[i]);
		fflush(stdout);
		bool ok = test_file(argv[i], bless, why, sizeof(why));
		printf("%s %d - %s\n", ok ? "ok" : "not ok", i - first + 1, argv[i]);
		if (!ok)
			print_comment(why);
		failed += !ok;
	}
	return failed ? 1 : 0;
}
