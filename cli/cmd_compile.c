/* sinter compile: from a model to a package. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli/command.h"
#include "cli/device.h"
#include "cli/graphviz.h"
#include "ir/dot.h"
#include "support/file.h"

enum { DUMP_SECONDS = 20 };

static void
dump_svg(const struct options *o, const struct sn_buf *dot)
{
	struct sn_file f;
	struct sn_diags diags;
	const char *folder = interrupt_temp(o->interrupt);
	const char *path = sn_printf(o->arena, "%s/dump.svg", folder ? folder : ".");
	const char *why = graphviz_draw(dot->text, "svg", path, DUMP_SECONDS);
	sn_diags_init(&diags, o->arena);
	if (why || !sn_file_map(&f, path, &diags)) {
		fprintf(stderr, "sinter: can't draw the picture: %s\n", why ? why : "no file");
		return;
	}
	fwrite(f.data, 1, f.size, stdout);
	sn_file_unmap(&f);
	unlink(path);
}

/* FORMAT is "", ":text", ":dot" or ":svg". */
static void
dump(const struct options *o, const struct sn_module *m, const struct sn_pass *p,
     const char *format)
{
	struct sn_buf b;
	bool is_svg = !strcmp(format, ":svg");
	sn_buf_init(&b, o->arena);
	if (is_svg || !strcmp(format, ":dot"))
		sn_module_dot(&b, m);
	else
		sn_module_print(&b, m, p->result, false);
	show_progress(o, NULL);
	if (is_svg)
		dump_svg(o, &b);
	else
		fputs(b.text, stdout);
}

/* What happens after each pass: progress, times, dumps. */
static void
after_pass(void *arg, const struct sn_module *m, const struct sn_pass *p, int64_t ns,
	   bool has_changed)
{
	const struct options *o = arg;
	show_progress(o, p->name);
	if (o->is_timed)
		fprintf(stderr, "%-20s %9.3f ms%s\n", p->name, (double)ns / 1e6,
			has_changed ? "" : "  (no change)");
	size_t n = o->dump_after ? strcspn(o->dump_after, ":") : 0;
	if (n > 0 && strlen(p->name) == n && strncmp(o->dump_after, p->name, n) == 0)
		dump(o, m, p, o->dump_after + n);
}

static const char *const *
split_words(struct sn_arena *a, const char *text)
{
	SN_VEC(const char *) list = { 0 };
	while (text && *text) {
		size_t n = strcspn(text, ",");
		SN_PUSH(a, &list, sn_strndup(a, text, n));
		text += n + (text[n] == ',');
	}
	SN_PUSH(a, &list, NULL);
	return list.v;
}

void
options_compiler(struct options *o, struct sn_compiler_opts *out)
{
	*out = (struct sn_compiler_opts){
		.model = o->model,
		.name = o->name,
		.dialect = o->target,
		.cpu = o->cpu,
		.is_threaded = o->is_threaded || (o->threads && strcmp(o->threads, "1") != 0),
	};
	out->import.shapes = o->shapes.v;
	out->import.nshapes = (int)o->shapes.n;
	out->import.dims = o->dims.v;
	out->import.ndims = (int)o->dims.n;
	out->pipeline = (struct sn_pipeline_opts){
		.passes = o->passes ? split_words(o->arena, o->passes) : NULL,
		.stop_after = o->stop_after,
		.is_verified = o->is_verified,
		.after = after_pass,
		.arg = o,
	};
}

bool
is_progress_shown(const struct options *o)
{
	return !o->is_quiet && !o->is_json && !o->is_timed && isatty(STDERR_FILENO);
}

void
show_progress(const struct options *o, const char *what)
{
	if (!is_progress_shown(o))
		return;
	fprintf(stderr, what ? "\r\033[Ksinter: %s" : "\r\033[K", what);
	fflush(stderr);
}

static void
on_stage(void *arg, const char *what)
{
	show_progress(arg, what);
}

void
options_emit(struct options *o, struct sn_emit_opts *out)
{
	*out = (struct sn_emit_opts){ .folder = o->output,
				      .cc = o->cc,
				      .is_source_only = o->is_source_only,
				      .stage = on_stage,
				      .arg = o };
}

int
finish(struct sn_compiler *c, enum sn_status s, const struct options *o)
{
	struct sn_buf b;
	interrupt_follow(c->cc_signal);
	show_progress(o, NULL);
	sn_buf_init(&b, o->arena);
	if (o->is_json)
		sn_diags_print_json(&c->diags, &b);
	else
		sn_diags_print(&c->diags, &b);
	fputs(b.text, stderr);
	if (s == SN_ERR_INTERNAL || s == SN_ERR_MEMORY)
		fprintf(stderr, "sinter: %s\n", c->guard.text);
	sn_compiler_release(c);
	return s == SN_ERR_MEMORY || s == SN_ERR_IO ? SN_ERR_INPUT : (int)s;
}

static bool
weights_form(const char *text, enum sn_weights_form *out)
{
	static const char *const names[] = { "file", "object", "array" };
	*out = WF_FILE;
	for (int i = 0; text && i < 3; i++)
		if (!strcmp(text, names[i])) {
			*out = (enum sn_weights_form)i;
			return true;
		}
	return text == NULL;
}

/* --passes=help */
static int
list_passes(void)
{
	int n;
	const struct sn_pass *all = sn_passes(&n);
	for (int i = 0; i < n; i++)
		printf("%-22s%s\n", all[i].name, all[i].summary);
	printf("\nBy default:\n");
	for (const char *const *name = sn_pipeline_default(); *name; name++)
		printf("%s%s", *name, name[1] ? "," : "\n");
	return SN_OK;
}

int
cmd_compile(struct options *o)
{
	struct sn_compiler c;
	struct sn_compiler_opts co;
	struct sn_emit_opts eo;
	if (o->passes && strcmp(o->passes, "help") == 0)
		return list_passes();
	options_emit(o, &eo);
	if (!o->model || (!o->output && !o->stop_after)) {
		fprintf(stderr, "sinter compile: needs a model and -o DIR\n");
		return SN_ERR_USAGE;
	}
	if (!weights_form(o->weights, &eo.weights)) {
		fprintf(stderr, "sinter compile: --weights is file, object or array\n");
		return SN_ERR_USAGE;
	}
	options_compiler(o, &co);
	interrupt_output(o->interrupt, o->output);
	sn_compiler_init(&c);
	enum sn_status s = compile_for_device(o, &c, &co) ? sn_compiler_run(&c, &co) : SN_ERR_INPUT;
	if (s == SN_OK && o->output && !o->stop_after)
		s = sn_compiler_emit(&c, &eo);
	return finish(&c, s, o);
}
