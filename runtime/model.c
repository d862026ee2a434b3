/* Loading: finds the shared object of a package, opens it, maps the weights. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/model.h"
#include "runtime/status.h"

enum { PATH_MOST = 4096, NAME_MOST = 256 };

/* Where a package lies. */
struct place {
	char folder[PATH_MOST];	    /* with a slash at the end */
	char name[NAME_MOST];	    /* of the model */
	char object[2 * PATH_MOST]; /* path of the shared object */
};

/* Is FILE libNAME.so? Copies NAME. */
static int
is_object(const char *file, char *name)
{
	size_t n = strlen(file);

	if (n < 7 || n - 6 >= NAME_MOST || strncmp(file, "lib", 3) != 0
	    || strcmp(file + n - 3, ".so") != 0)
		return 0;
	memcpy(name, file + 3, n - 6);
	name[n - 6] = '\0';
	return 1;
}

static int
find_in_folder(const char *path, struct place *p, struct sinter_error *error)
{
	DIR *d = opendir(path);
	int found = 0;

	if (!d)
		return sinter_fail(error, SINTER_NO_FILE, "can't open '%s': %s", path,
				   strerror(errno));
	for (struct dirent *e; found < 2 && (e = readdir(d));) {
		char name[NAME_MOST];

		if (!is_object(e->d_name, name))
			continue;
		found++;
		memcpy(p->name, name, sizeof(name));
	}
	closedir(d);
	if (found != 1)
		return sinter_fail(error, SINTER_NO_MODEL, "'%s' holds %s", path,
				   found ? "more than one libNAME.so: name the one to load"
					 : "no compiled model (libNAME.so)");
	snprintf(p->folder, sizeof(p->folder), "%s/", path);
	return SINTER_OK;
}

static int
find(const char *path, struct place *p, struct sinter_error *error)
{
	struct stat st;
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;

	if (strlen(path) + 2 > PATH_MOST)
		return sinter_fail(error, SINTER_NO_FILE, "path too long: '%.80s...'", path);
	if (stat(path, &st) != 0)
		return sinter_fail(error, SINTER_NO_FILE, "can't open '%s': %s", path,
				   strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		int status = find_in_folder(path, p, error);

		if (status != SINTER_OK)
			return status;
	} else if (is_object(file, p->name)) {
		snprintf(p->folder, sizeof(p->folder), "%.*s", slash ? (int)(file - path) : 2,
			 slash ? path : "./");
	} else {
		return sinter_fail(error, SINTER_NO_MODEL,
				   "'%s' is neither a folder nor a libNAME.so", path);
	}
	snprintf(p->object, sizeof(p->object), "%slib%s.so", p->folder, p->name);
	return SINTER_OK;
}

static int
map_weights(struct sinter_loaded *l, const char *path, struct sinter_error *error)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), status = SINTER_OK;

	if (fd < 0 || fstat(fd, &st) != 0) {
		status = sinter_fail(error, SINTER_NO_FILE, "can't open '%s': %s", path,
				     strerror(errno));
	} else if ((uint64_t)st.st_size != l->model->weights_bytes) {
		status = sinter_fail(error, SINTER_BAD_WEIGHTS,
				     "'%s' has %lld bytes, the weights of '%s' are %zu", path,
				     (long long)st.st_size, l->model->name,
				     l->model->weights_bytes);
	} else {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

		l->weights = p == MAP_FAILED ? NULL : p;
		l->weights_size = (size_t)st.st_size;
		if (!l->weights)
			status = sinter_fail(error, SINTER_NO_MEMORY, "can't map '%s': %s", path,
					     strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return status;
}

/* Checks that MODEL speaks this ABI and finds its weights; L is given up on failure. */
static int
finish(struct sinter_loaded *l, const char *weights_path, struct sinter_error *error)
{
	const struct sinter_model *m = l->model;
	int status = SINTER_OK;

	if (m->abi != SINTER_ABI_VERSION)
		status = sinter_fail(error, SINTER_NO_MODEL,
				     "the model has ABI version %u, this runtime %d; compile it "
				     "again with a sinter that fits",
				     (unsigned)m->abi, SINTER_ABI_VERSION);
	else if (!m->weights && m->weights_bytes && !weights_path)
		status = sinter_fail(error, SINTER_BAD_CALL,
				     "'%s' needs the path of its weights file", m->name);
	else if (!m->weights && m->weights_bytes)
		status = map_weights(l, weights_path, error);
	return status;
}

static int
open_object(struct sinter_loaded *l, const struct place *p, struct sinter_error *error)
{
	char symbol[NAME_MOST + 8];

	l->handle = dlopen(p->object, RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return sinter_fail(error, SINTER_NO_MODEL, "can't load '%s': %s", p->object,
				   dlerror());
	snprintf(symbol, sizeof(symbol), "%s_model", p->name);
	l->model = dlsym(l->handle, symbol);
	if (!l->model)
		return sinter_fail(error, SINTER_NO_MODEL,
				   "'%s' is not a compiled model: it has no '%s'", p->object,
				   symbol);
	return SINTER_OK;
}

static int
load_at(const struct place *p, struct sinter_loaded *l, struct sinter_error *error)
{
	char weights[2 * PATH_MOST];
	int status = open_object(l, p, error);

	snprintf(weights, sizeof(weights), "%s%s.weights", p->folder, p->name);
	return status == SINTER_OK ? finish(l, weights, error) : status;
}

static int
out_of_memory(struct sinter_error *error)
{
	return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
}

static struct sinter_loaded *
new_loaded(void)
{
	struct sinter_loaded *l = calloc(1, sizeof(*l));

	if (l && pthread_mutex_init(&l->mutex, NULL) != 0) {
		free(l);
		return NULL;
	}
	return l;
}

int
sinter_model_load(const char *path, struct sinter_loaded **out, struct sinter_error *error)
{
	if (!path || !out)
		return sinter_fail(error, SINTER_BAD_CALL, "no path, or nowhere to put the model");
	struct sinter_loaded *l = new_loaded();
	struct place *p = calloc(1, sizeof(*p));
	int status = l && p ? find(path, p, error) : out_of_memory(error);

	if (status == SINTER_OK)
		status = load_at(p, l, error);
	free(p);
	if (status == SINTER_OK)
		*out = l;
	else
		sinter_model_unload(l);
	return status;
}

int
sinter_model_link(const struct sinter_model *model, const char *weights_path,
		  struct sinter_loaded **out, struct sinter_error *error)
{
	if (!model || !out)
		return sinter_fail(error, SINTER_BAD_CALL, "no model, or nowhere to put it");
	struct sinter_loaded *l = new_loaded();

	if (!l)
		return out_of_memory(error);
	l->model = model;
	int status = finish(l, weights_path, error);

	if (status == SINTER_OK)
		*out = l;
	else
		sinter_model_unload(l);
	return status;
}

void
sinter_model_unload(struct sinter_loaded *loaded)
{
	if (!loaded)
		return;
	if (loaded->weights)
		munmap(loaded->weights, loaded->weights_size);
	if (loaded->handle)
		dlclose(loaded->handle);
	pthread_mutex_destroy(&loaded->mutex);
	free(loaded);
}

const struct sinter_model *
sinter_model_of(const struct sinter_loaded *loaded)
{
	return loaded->model;
}

static int
find_value(const struct sinter_value *v, uint32_t n, const char *name)
{
	for (uint32_t i = 0; name && i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return (int)i;
	return -1;
}

int
sinter_model_input(const struct sinter_loaded *loaded, const char *name)
{
	return find_value(loaded->model->inputs, loaded->model->ninputs, name);
}

int
sinter_model_output(const struct sinter_loaded *loaded, const char *name)
{
	return find_value(loaded->model->outputs, loaded->model->noutputs, name);
}
