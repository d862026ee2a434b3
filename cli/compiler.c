/* From a model file to a module, and to a package on disk. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cli/compiler.h"
#include "support/file.h"

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
sn_compiler_init(struct sn_compiler *c)
{
	memset(c, 0, sizeof(*c));
	sn_arena_init(&c->arena, &c->guard);
}

void
sn_compiler_release(struct sn_compiler *c)
{
	sn_arena_release(&c->arena);
}

const char *
sn_compiler_name(struct sn_arena *a, const char *path)
{
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	size_t n = strcspn(base, ".");
	char *s = sn_strndup(a, base, n);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]))
			s[i] = '_';
	if (n == 0 || isdigit((unsigned char)s[0]))
		return sn_printf(a, "m_%s", s);
	return s;
}

static bool
set_up(struct sn_compiler *c, const struct sn_compiler_opts *o)
{
	struct sn_module *m = SN_NEW(&c->arena, struct sn_module);
	c->module = m;
	m->arena = &c->arena;
	m->pool = &c->pool;
	m->diags = &c->diags;
	m->source = o->model;
	m->name = o->name ? o->name : sn_compiler_name(&c->arena, o->model);
	m->is_threaded = o->is_threaded;
	const char *dialect = o->dialect ? o->dialect : "c";
	c->dialect = sn_dialect_find(dialect);
	if (!c->dialect)
		return sn_report(&c->diags, SN_NOWHERE, DG_NO_DIALECT, dialect);
	m->has_vectors = sn_dialect_has_vectors(c->dialect);
	const char *usual = sn_dialect_is_device(c->dialect) ? "opencl" : "native";
	sn_module_aim(m, o->target ? o->target
				   : sn_target_find(o->cpu ? o->cpu : usual, &c->arena, &c->diags));
	return m->target != NULL;
}

/* Text of the graph or the tensor level: a compilation that was stopped goes on from there. */
static bool
read_text(struct sn_compiler *c, const char *path)
{
	struct sn_file f;
	if (!sn_file_map(&f, path, &c->diags))
		return false;
	const char *text = sn_strndup(&c->arena, (const char *)f.data, f.size);
	sn_file_unmap(&f);
	return sn_module_parse(c->module, text, path);
}

static bool
read_model(struct sn_compiler *c, const struct sn_compiler_opts *o)
{
	const char *ending = strrchr(o->model, '.');
	if (ending && !strcmp(ending, ".sn"))
		return read_text(c, o->model);
	c->module->graph = sn_onnx_import(o->model, &o->import, &c->arena, &c->pool, &c->diags);
	return c->module->graph != NULL;
}

static bool
run(struct sn_compiler *c, const struct sn_compiler_opts *o)
{
	sn_diags_init(&c->diags, &c->arena);
	sn_pool_init(&c->pool, &c->arena);
	if (!set_up(c, o))
		return false;
	int64_t t0 = now_ns();
	if (!read_model(c, o))
		return false;
	c->import_ns = now_ns() - t0;
	bool ok = sn_pipeline_run(c->module, &o->pipeline);
	c->passes_ns = now_ns() - t0 - c->import_ns;
	return ok;
}

enum sn_status
sn_compiler_run(struct sn_compiler *c, const struct sn_compiler_opts *o)
{
	enum sn_status s = SN_GUARD_ENTER(&c->guard);
	if (s != SN_OK)
		return s;
	return run(c, o) ? SN_OK : SN_ERR_INPUT;
}

/* Words of the compiler's command line, for execvp and for people. */
struct words {
	SN_VEC(char *) list;
};

static void
add_words(struct sn_arena *a, struct words *w, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		if (n)
			SN_PUSH(a, &w->list, sn_strndup(a, text, n));
		text += n + (text[n] == ' ');
	}
}

static void
cc_words(struct sn_compiler *c, const struct sn_emit_opts *o, struct words *w)
{
	struct sn_arena *a = &c->arena;
	const char *name = c->module->name;
	add_words(a, w, o->cc ? o->cc : "cc");
	add_words(a, w, sn_dialect_flags(c->dialect));
	add_words(a, w, c->module->target->march);
	add_words(a, w, "-O2 -fPIC -shared -o");
	SN_PUSH(a, &w->list, sn_printf(a, "lib%s.so", name));
	SN_PUSH(a, &w->list, sn_printf(a, "%s.c", name));
	if (o->weights == WF_OBJECT)
		SN_PUSH(a, &w->list, sn_printf(a, "%s_weights.S", name));
	if (o->weights == WF_ARRAY)
		SN_PUSH(a, &w->list, sn_printf(a, "%s_weights.c", name));
	SN_PUSH(a, &w->list, sn_strdup(a, "-lm"));
}

static const char *
joined(struct sn_arena *a, const struct words *w)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	for (size_t i = 0; i < w->list.n; i++)
		sn_buf_addf(&b, "%s%s", i ? " " : "", w->list.v[i]);
	return b.text;
}

/* Runs the words in FOLDER; false unless they exit with 0. */
static bool
spawn(struct sn_compiler *c, const char *folder, struct words *w)
{
	SN_PUSH(&c->arena, &w->list, NULL);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (chdir(folder) == 0)
			execvp(w->list.v[0], w->list.v);
		_exit(127);
	}
	int status = 0;
	if (pid < 0)
		return sn_report(&c->diags, SN_NOWHERE, DG_NO_CC, w->list.v[0], strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status)) {
		c->cc_signal = WTERMSIG(status);
		return sn_report(&c->diags, SN_NOWHERE, DG_NO_CC, w->list.v[0],
				 sn_printf(&c->arena, "signal %d ended it", c->cc_signal));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return sn_report(&c->diags, SN_NOWHERE, DG_NO_CC, w->list.v[0], "not found");
	w->list.n--;
	return sn_report(&c->diags, SN_NOWHERE, DG_CC_FAILED, joined(&c->arena, w));
}

/* build.sh: how to compile the package again. */
static bool
write_line(struct sn_compiler *c, const char *folder, const char *line)
{
	const char *text = sn_printf(&c->arena, "#!/bin/sh\ncd \"$(dirname \"$0\")\" && exec %s\n",
				     line);
	return sn_file_write(sn_printf(&c->arena, "%s/build.sh", folder), text, strlen(text),
			     &c->diags);
}

/* Runs the C compiler; its output gets its name when it is complete. */
static bool
compile_c(struct sn_compiler *c, const struct sn_emit_opts *o, struct words *w)
{
	struct sn_arena *a = &c->arena;
	const char *object = sn_printf(a, "%s/lib%s.so", o->folder, c->module->name);
	char *temp = sn_printf(a, "lib%s.so.%ld-cc.tmp", c->module->name, (long)getpid());
	const char *from = sn_printf(a, "%s/%s", o->folder, temp);
	for (size_t i = 0; i + 1 < w->list.n; i++)
		if (!strcmp(w->list.v[i], "-o"))
			w->list.v[i + 1] = temp;
	if (!spawn(c, o->folder, w)) {
		unlink(from);
		return false;
	}
	return rename(from, object) == 0
	       || sn_report(&c->diags, SN_NOWHERE, DG_WRITE, object, strerror(errno));
}

static void
stage(const struct sn_emit_opts *o, const char *what)
{
	if (o->stage)
		o->stage(o->arg, what);
}

static bool
emit(struct sn_compiler *c, const struct sn_emit_opts *o)
{
	int64_t t0 = now_ns();
	if (!c->module->plan || !c->module->plan->sizes || !c->module->weights)
		return sn_report(&c->diags, SN_NOWHERE, DG_NO_PLAN);
	struct sn_package_opts p = { .folder = o->folder,
				     .dialect = c->dialect,
				     .weights = o->weights };
	stage(o, "writing C and weights");
	if (!sn_make_folder(o->folder, &c->arena, &c->diags) || !sn_package_write(c->module, &p))
		return false;
	c->emit_ns = now_ns() - t0;
	struct words w = { 0 };
	cc_words(c, o, &w);
	const char *line = joined(&c->arena, &w);
	if (o->out_line)
		*o->out_line = line;
	if (!write_line(c, o->folder, line))
		return false;
	stage(o, "C compiler");
	t0 = now_ns();
	bool ok = o->is_source_only || compile_c(c, o, &w);
	c->cc_ns = now_ns() - t0;
	return ok;
}

enum sn_status
sn_compiler_emit(struct sn_compiler *c, const struct sn_emit_opts *o)
{
	enum sn_status s = SN_GUARD_ENTER(&c->guard);
	if (s != SN_OK)
		return s;
	return emit(c, o) ? SN_OK : SN_ERR_INPUT;
}
