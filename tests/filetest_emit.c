/*
 * emit=DIALECT: prints a loop-level function, compiles it with all warnings as errors, runs it on
 * seeded data with guarded borders and compares with the interpreter.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "codegen/codegen.h"
#include "codegen/dialect.h"
#include "support/file.h"
#include "tests/filetest_emit.h"

typedef void entry_fn(void *const *args, const int64_t *syms);

/* A function of one signature around the kernel. */
static void
print_entry(struct sn_buf *out, const struct sn_func *f)
{
	bool has_env = strstr(out->text, "const struct env *env");
	sn_buf_add(out, "\nvoid sn_test_entry(void *const *a, const int64_t *s);\n"
			"void\nsn_test_entry(void *const *a, const int64_t *s)\n{\n"
			"\t(void)a;\n\t(void)s;\n");
	if (has_env)
		sn_buf_add(out, "\tstatic unsigned char scratch[1 << 20];\n"
				"\tconst struct env env = { 0, scratch, sizeof(scratch) };\n");
	sn_buf_addf(out, "\t%s(", f->name);
	const char *comma = "";
	for (size_t i = 0; i < f->params.n; i++, comma = ", ")
		sn_buf_addf(out, "%sa[%zu]", comma, i);
	for (size_t i = 0; i < f->syms.n; i++, comma = ", ")
		sn_buf_addf(out, "%ss[%d]", comma, f->syms.v[i]->id);
	if (has_env)
		sn_buf_addf(out, "%s&env", comma);
	sn_buf_add(out, ");\n}\n");
}

bool
ft_emit_source(struct ft_run *r, const char *path, const char *source, const char *command)
{
	if (!sn_file_write(path, source, strlen(source), r->diags))
		return false;
	if (system(sn_printf(r->arena, "%s %s >%s.log 2>&1", command, path, path)) == 0)
		return true;
	struct sn_file log;
	if (sn_file_map(&log, sn_printf(r->arena, "%s.log", path), r->diags)) {
		ft_fail(r, "the compiler complains:\n%.*s", (int)log.size, (const char *)log.data);
		sn_file_unmap(&log);
	}
	return false;
}

static bool
compile(struct ft_run *r, const struct sn_dialect *d, const char *folder, const char *source)
{
	const char *march = d->has_vectors ? ft_setting(r, "march", "-march=native") : "";
	const char *command = sn_printf(
		r->arena,
		"%s %s %s -Wall -Wextra -Wpedantic -Wconversion -Werror -shared -fPIC -lm -o %s/k.so",
		ft_setting(r, "cc", "gcc"), d->flags, march, folder);
	return ft_emit_source(r, sn_printf(r->arena, "%s/k.c", folder), source, command);
}

/* Calls the kernel in the shared object; false if that can't be loaded. */
static bool
call(struct ft_run *r, const char *folder, const struct ft_args *args)
{
	void *lib = dlopen(sn_printf(r->arena, "%s/k.so", folder), RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return ft_fail(r, "%s", dlerror());
	entry_fn *entry;
	*(void **)&entry = dlsym(lib, "sn_test_entry");
	if (entry)
		entry(args->bytes, args->syms);
	dlclose(lib);
	return entry ? true : ft_fail(r, "no entry in what was compiled");
}

static bool
run_on_cpu(struct ft_run *r, const struct sn_dialect *d, const struct ft_args *args,
	   const char *folder)
{
	struct sn_buf source;
	sn_buf_init(&source, r->arena);
	sn_buf_add(&source, r->out->text);
	print_entry(&source, args->func);
	return compile(r, d, folder, source.text) && call(r, folder, args);
}

static bool
run_and_compare(struct ft_run *r, const struct sn_dialect *d, const struct sn_func *f,
		const char *folder)
{
	struct ft_args want, got;
	if (!ft_args_make(r, f, &want) || !ft_args_make(r, f, &got) || !ft_args_interp(r, &want))
		return false;
	if (!(d->kernel ? ft_run_kernel(r, d, &got, folder) : run_on_cpu(r, d, &got, folder)))
		return false;
	double tolerance = strtod(ft_setting(r, "tolerance", "1e-6"), NULL);
	return ft_args_check_borders(r, &got) && ft_args_compare(r, &want, &got, tolerance);
}

bool
ft_emit(struct ft_run *r, const char *args)
{
	const struct sn_dialect *d = sn_dialect_find(args);
	if (!d)
		return ft_fail(r, "no dialect '%s'", args);
	const struct sn_func *f = ft_loop_parse(r, r->file->ir);
	if (!f)
		return false;
	sn_print_kernel(r->out, d, f, ft_kernel_slots(r, f));
	if (strcmp(ft_setting(r, "run", "yes"), "no") == 0)
		return true;
	char folder[] = "/tmp/sinter-emit-XXXXXX";
	if (!mkdtemp(folder))
		return ft_fail(r, "can't make a folder in /tmp");
	bool ok = run_and_compare(r, d, f, folder);
	if (system(sn_printf(r->arena, "rm -r %s", folder)) != 0)
		return ft_fail(r, "can't remove %s", folder);
	return ok;
}
