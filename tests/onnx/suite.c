/*
 * Compiles cases of the ONNX backend suite and runs the compiled code.
 *
 *	suite --out FOLDER [--dialect c|c99|opencl] [--device opencl:0 [--alone] [--whole-writes] [--seconds N]] [--cc gcc] [--no-cc] [--no-texts] [-v] <LIST
 *
 * LIST has a line for each case: name, model, data, rtol, atol, separated by tabs
 * (tests/onnx/suite.h).  All cases of the list are one shared object: a small model takes the C
 * compiler less time than starting and linking it.  Each case is compiled and run in a process of its
 * own, so that one that crashes or hangs takes no other with it.  One line for each case: PASS, FAIL
 * or SKIP (not supported), name, reason.  A reason at PASS: not wholly on the device.  --alone: each
 * opens the device for itself; --seconds: of the processor's, that each may take there.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/compiler.h"
#include "tests/onnx/suite.h"

/* Of the processor's; HANGS times as many of the clock's, since others may use the machine, too. */
enum { SECONDS = 10, SECONDS_DEVICE = 100, SECONDS_NETWORK = 200, HANGS = 5 };

bool
sn_suite_fail(struct verdict *v, enum outcome o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	v->outcome = o;
	vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
	for (char *s = v->why; *s; s++)
		if (*s == '\n' || *s == '\t')
			*s = ' ';
	return false;
}

/* ---- the list --------------------------------------------------------------------------------- */

static char *
next_part(char **rest)
{
	char *part = strsep(rest, "\t\n");
	return part ? part : (char *)"";
}

static void
parse_case(struct suite_case *c, char *line)
{
	char *rest = line;
	c->line = line;
	c->name = next_part(&rest);
	c->model = next_part(&rest);
	c->data = next_part(&rest);
	c->rtol = strtod(next_part(&rest), NULL);
	c->atol = strtod(next_part(&rest), NULL);
	snprintf(c->ident, sizeof(c->ident), "%s", c->name);
	for (char *s = c->ident; *s; s++)
		if (!isalnum((unsigned char)*s))
			*s = '_';
}

static void
read_list(struct suite *s)
{
	size_t size = 0;
	char *line = NULL;
	while (getline(&line, &size, stdin) > 0) {
		s->cases = realloc(s->cases, (s->ncases + 1) * sizeof(*s->cases));
		if (!s->cases)
			abort();
		memset(&s->cases[s->ncases], 0, sizeof(*s->cases));
		parse_case(&s->cases[s->ncases++], line);
		line = NULL;
	}
	free(line);
}

/* ---- processes -------------------------------------------------------------------------------- */

typedef bool step_fn(const struct suite *s, const struct suite_case *c,
		     const struct sinter_model *m, struct verdict *v);

static void
describe_death(struct verdict *v, const char *what, int status, int seconds)
{
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU))
		sn_suite_fail(v, FAILED, "%s: took more than %d s", what, seconds);
	else if (WIFSIGNALED(status))
		sn_suite_fail(v, FAILED, "%s: died of %s", what, strsignal(WTERMSIG(status)));
	else
		sn_suite_fail(v, FAILED, "%s: exit status %d", what, WEXITSTATUS(status));
}

static void
limit_time(int seconds)
{
	struct rlimit l = { (rlim_t)seconds, (rlim_t)seconds + 1 };
	setrlimit(RLIMIT_CPU, &l);
	alarm((unsigned)(HANGS * seconds));
}

/* Runs FN in a process of its own, which may crash or hang; its verdict comes through a pipe. */
static bool
in_child(const struct suite *s, struct suite_case *c, const struct sinter_model *m, step_fn *fn,
	 const char *what)
{
	int ends[2], status = 0;
	int seconds = strncmp(c->name, "real/", 5) == 0 ? SECONDS_NETWORK
		      : m && m->program			? s->device_seconds
							: SECONDS;
	if (pipe(ends) != 0)
		return sn_suite_fail(&c->verdict, FAILED, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct verdict v = { PASSED, "" };
		limit_time(seconds);
		if (!fn(s, c, m, &v) && v.outcome == PASSED)
			sn_suite_fail(&v, FAILED, "%s failed", what);
		_exit(write(ends[1], &v, sizeof(v)) != sizeof(v));
	}
	close(ends[1]);
	struct verdict v;
	ssize_t n = read(ends[0], &v, sizeof(v));
	close(ends[0]);
	waitpid(pid, &status, 0);
	/* What was said before stays where there is nothing to add. */
	if (n == sizeof(v) && (v.outcome != PASSED || v.why[0]))
		c->verdict = v;
	if (n != sizeof(v) || status != 0)
		describe_death(&c->verdict, what, status, seconds);
	return c->verdict.outcome == PASSED;
}

static bool
compile_step(const struct suite *s, const struct suite_case *c, const struct sinter_model *m,
	     struct verdict *v)
{
	(void)m;
	return sn_suite_compile(s, c, v);
}

/* ---- the C compiler --------------------------------------------------------------------------- */

/* Compiles cases FIRST to LAST (not included) into one shared object; its path is the caller's. */
static bool
compile_c(const struct suite *s, size_t first, size_t last, const char *so)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return false;
	fprintf(f, "cd '%s' && %s %s %s -O1 -shared -fPIC -pipe -o '%s'", s->folder, s->cc,
		sn_dialect_flags(sn_dialect_find(s->dialect)), s->target->march, so);
	for (size_t i = first; i < last; i++)
		if (s->cases[i].is_compiled)
			fprintf(f, " '%s.c'", s->cases[i].ident);
	fprintf(f, " -lm >'%s.log' 2>&1", so);
	fclose(f);
	int status = system(text);
	free(text);
	return status == 0;
}

/* The first line of the compiler's log that is an error, or a warning. */
static void
read_log(const struct suite *s, const char *so, struct verdict *v)
{
	char path[4096], line[400];
	snprintf(path, sizeof(path), "%s/%s.log", s->folder, so);
	FILE *f = fopen(path, "r");
	sn_suite_fail(v, FAILED, "the C compiler failed");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "error") || strstr(line, "undefined")) {
			sn_suite_fail(v, FAILED, "C: %s", line);
			break;
		}
	if (f)
		fclose(f);
}

static void *
open_object(const struct suite *s, const char *so)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", s->folder, so);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static void
run_case(const struct suite *s, struct suite_case *c, void *object)
{
	char name[200];
	snprintf(name, sizeof(name), "%s_model", c->ident);
	const struct sinter_model *m = dlsym(object, name);
	if (m)
		in_child(s, c, m, sn_suite_run, "run");
	else
		sn_suite_fail(&c->verdict, FAILED, "'%s' is not in the object", name);
}

/* Cases that the C compiler refuses are found by compiling each alone. */
static void
run_singly(const struct suite *s)
{
	for (size_t i = 0; i < s->ncases; i++) {
		struct suite_case *c = &s->cases[i];
		if (!c->is_compiled)
			continue;
		char so[200];
		snprintf(so, sizeof(so), "%s.so", c->ident);
		void *object = compile_c(s, i, i + 1, so) ? open_object(s, so) : NULL;
		if (object)
			run_case(s, c, object);
		else
			read_log(s, so, &c->verdict);
	}
}

static void
run_cases(const struct suite *s)
{
	void *object = NULL;
	if (compile_c(s, 0, s->ncases, "batch.so"))
		object = open_object(s, "batch.so");
	if (!object) {
		run_singly(s);
		return;
	}
	for (size_t i = 0; i < s->ncases; i++)
		if (s->cases[i].is_compiled)
			run_case(s, &s->cases[i], object);
}

/* ---- main ------------------------------------------------------------------------------------- */

static bool
parse_options(struct suite *s, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "-v") == 0)
			s->is_verbose = true;
		else if (strcmp(argv[i], "--no-cc") == 0)
			s->is_source_only = true;
		else if (strcmp(argv[i], "--no-texts") == 0)
			s->has_texts = false;
		else if (strcmp(argv[i], "--alone") == 0)
			s->is_alone = true;
		else if (strcmp(argv[i], "--whole-writes") == 0)
			s->has_whole_writes = true;
		else if (strcmp(argv[i], "--out") == 0 && value)
			s->folder = argv[++i];
		else if (strcmp(argv[i], "--dialect") == 0 && value)
			s->dialect = argv[++i];
		else if (strcmp(argv[i], "--device") == 0 && value)
			s->device_name = argv[++i];
		else if (strcmp(argv[i], "--seconds") == 0 && value)
			s->device_seconds = atoi(argv[++i]);
		else if (strcmp(argv[i], "--cc") == 0 && value)
			s->cc = argv[++i];
		else
			return false;
	}
	return s->folder != NULL && sn_dialect_find(s->dialect) != NULL;
}

static void
print_results(const struct suite *s)
{
	static const char *const words[] = { "PASS", "FAIL", "SKIP" };
	for (size_t i = 0; i < s->ncases; i++) {
		const struct suite_case *c = &s->cases[i];
		printf("%s\t%s\t%s\n", words[c->verdict.outcome], c->name, c->verdict.why);
	}
}

int
main(int argc, char **argv)
{
	struct suite s = {
		.dialect = "c",
		.device_name = "opencl:0",
		.cc = "gcc",
		.has_texts = true,
		.device_seconds = SECONDS_DEVICE,
	};
	struct sn_compiler own;
	if (!parse_options(&s, argc, argv)) {
		fprintf(stderr,
			"usage: suite --out FOLDER [--dialect D] [--device NAME] [--cc CC] [-v] <LIST\n");
		return 2;
	}
	read_list(&s);
	sn_compiler_init(&own);
	sn_diags_init(&own.diags, &own.arena);
	s.target = sn_target_find("native", &own.arena, &own.diags);
	if (!s.target)
		return 2;
	for (size_t i = 0; i < s.ncases; i++)
		s.cases[i].is_compiled = in_child(&s, &s.cases[i], NULL, compile_step, "compile");
	if (!s.is_source_only) {
		if (sn_dialect_is_device(sn_dialect_find(s.dialect)) && !s.is_alone
		    && !sn_suite_open_device(&s, s.device_name))
			return 2;
		run_cases(&s);
	}
	print_results(&s);
	sn_compiler_release(&own);
	for (size_t i = 0; i < s.ncases; i++)
		free(s.cases[i].line);
	free(s.cases);
	return 0;
}
