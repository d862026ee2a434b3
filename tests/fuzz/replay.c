/*
 * Runs a fuzz target on files once, without libFuzzer:
 *
 *	replay_fuzz_text FOLDER-OR-FILE...
 *
 * Linked to the target; a finding aborts, and then the last line names the file. Prints TAP: one test
 * for each argument.
 */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include "tests/fuzz/fuzz.h"

/* The bytes in a block of exactly their size, so that a sanitizer sees its end. */
static bool
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
	uint8_t *data = size < 0 ? NULL : malloc((size_t)size + !size);
	bool ok = data && fseek(f, 0, SEEK_SET) == 0
		  && fread(data, 1, (size_t)size, f) == (size_t)size;
	if (f)
		fclose(f);
	printf("# %s\n", path);
	fflush(stdout);
	if (ok)
		LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return ok;
}

/* How many files PATH, a file or a folder of files, had; -1: one can't be read. */
static int
run_path(const char *path)
{
	DIR *d = opendir(path);
	if (!d)
		return run_file(path) ? 1 : -1;
	int n = 0;
	for (struct dirent *e; n >= 0 && (e = readdir(d));) {
		char file[4096];
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			n = run_file(file) ? n + 1 : -1;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	bool has_failed = false;
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		int n = run_path(argv[i]);
		printf("%s %d - %s, %d files\n", n < 0 ? "not ok" : "ok", i, argv[i], n);
		has_failed |= n < 0;
	}
	return has_failed;
}
