/* sinter dot: pictures of a model at any level. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/device.h"
#include "cli/graphviz.h"
#include "ir/dot.h"
#include "support/file.h"

static const char *const formats[] = { "dot", "svg", "png", "pdf" };

struct drawing {
	struct options *o;
	struct sn_diags *diags;
	const char *format;
	const char *path; /* NULL: stdout */
	int seconds;
};

static const char *
known_format(const char *text)
{
	for (size_t i = 0; text && i < ARRAY_LEN(formats); i++)
		if (!strcmp(text, formats[i]))
			return formats[i];
	return NULL;
}

/* From --format, else from the ending of -o. */
static bool
choose_format(struct drawing *d)
{
	const char *given = d->o->format, *dot = d->o->output ? strrchr(d->o->output, '.') : NULL;
	const char *ending = dot ? known_format(dot + 1) : NULL;
	if (given && !known_format(given)) {
		fprintf(stderr, "sinter dot: --format is dot, svg, png or pdf\n");
		return false;
	}
	d->format = given ? known_format(given) : ending ? ending : "svg";
	return true;
}

/* FILE as given, NAME.FORMAT in the folder given or here; DOT text without -o goes to stdout. */
static void
choose_path(struct drawing *d)
{
	struct stat st;
	struct sn_arena *a = d->o->arena;
	const char *out = d->o->output;
	const char *file = sn_printf(a, "%s.%s", sn_compiler_name(a, d->o->model), d->format);
	if (!out)
		d->path = strcmp(d->format, "dot") != 0 ? file : NULL;
	else if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
		d->path = sn_printf(a, "%s/%s", out, file);
	else
		d->path = out;
}

/* The text is kept, so that other programs may try. */
static bool
keep_text(struct drawing *d, const struct sn_buf *dot, const char *why)
{
	const char *path = sn_printf(d->o->arena, "%s.dot", d->path);
	if (!sn_file_write(path, dot->text, dot->len, d->diags))
		return false;
	return sn_report(d->diags, SN_NOWHERE, DG_GRAPHVIZ, why, path);
}

static bool
write_picture(struct drawing *d, const struct sn_buf *dot)
{
	char *temp = sn_printf(d->o->arena, "%s.%ld-gv.tmp", d->path, (long)getpid());
	show_progress(d->o, "laying out");
	const char *why = graphviz_draw(dot->text, d->format, temp, d->seconds);
	show_progress(d->o, NULL);
	if (!why && rename(temp, d->path) != 0)
		why = strerror(errno);
	if (!why)
		return true;
	unlink(temp);
	return keep_text(d, dot, why);
}

static bool
write_dot(struct drawing *d, const struct sn_module *m)
{
	struct sn_buf b;
	sn_buf_init(&b, d->o->arena);
	sn_module_dot(&b, m);
	if (!d->path)
		return fputs(b.text, stdout) >= 0;
	if (!strcmp(d->format, "dot"))
		return sn_file_write(d->path, b.text, b.len, d->diags);
	return write_picture(d, &b);
}

int
cmd_dot(struct options *o)
{
	static const char *const as_read[] = { "infer-shapes", NULL };
	struct drawing d = { .o = o, .seconds = 20 };
	struct sn_compiler_opts co;
	struct sn_compiler c;
	if (!o->model) {
		fprintf(stderr, "sinter dot: needs a model\n");
		return SN_ERR_USAGE;
	}
	if (!choose_format(&d) || !option_int("timeout", o->timeout, 1, 86400, &d.seconds))
		return SN_ERR_USAGE;
	choose_path(&d);
	if (d.path)
		interrupt_output(o->interrupt, d.path);
	options_compiler(o, &co);
	if (o->after)
		co.pipeline.stop_after = o->after;
	else
		co.pipeline.passes = as_read;
	sn_compiler_init(&c);
	d.diags = &c.diags;
	enum sn_status s = compile_for_device(o, &c, &co) ? sn_compiler_run(&c, &co) : SN_ERR_INPUT;
	if (s == SN_OK && !write_dot(&d, c.module))
		s = SN_ERR_INPUT;
	return finish(&c, s, o);
}
