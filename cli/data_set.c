/* Folders of test data. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/verify.h"

static int
by_number(const void *x, const void *y)
{
	const char *a = *(const char *const *)x, *b = *(const char *const *)y;
	size_t n = strlen(a), m = strlen(b);
	return n != m ? (n > m) - (n < m) : strcmp(a, b);
}

void
find_data_sets(struct sn_arena *a, const char *folder, struct data_sets *out)
{
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		if (!strncmp(e->d_name, "test_data_set_", 14))
			SN_PUSH(a, &out->list, sn_printf(a, "%s/%s", folder, e->d_name));
	if (d)
		closedir(d);
	if (out->list.n == 0)
		SN_PUSH(a, &out->list, sn_strdup(a, folder));
	qsort(out->list.v, out->list.n, sizeof(*out->list.v), by_number);
}

const char *
data_file(struct sn_arena *a, const char *folder, const char *kind, uint32_t i, const char *name)
{
	static const char *const endings[] = { "pb", "npy" };
	for (size_t k = 0; k < ARRAY_LEN(endings); k++) {
		const char *by_number_path = sn_printf(a, "%s/%s_%u.%s", folder, kind, (unsigned)i,
						       endings[k]);
		const char *by_name_path = sn_printf(a, "%s/%s.%s", folder, safe_file_name(a, name),
						     endings[k]);
		if (access(by_number_path, R_OK) == 0)
			return by_number_path;
		if (access(by_name_path, R_OK) == 0)
			return by_name_path;
	}
	return NULL;
}
