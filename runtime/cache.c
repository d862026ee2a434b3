/* The cache of program binaries. */
#include "runtime/cache.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "runtime/status.h"

enum { PATH_MOST = 4096, NAME_LEN = 32, LABEL_MOST = 160, STALE_S = 600 };

#define ENDING ".bin"
#define TEMPORARY "tmp-"

/* What a file begins with; the binary follows. */
struct header {
	char magic[8];
	struct sinter_cache_key key;
	uint64_t bytes;
	uint64_t check[2]; /* key of label and binary */
	char label[LABEL_MOST];
};

static const char magic[8] = { 'S', 'I', 'N', 'T', 'E', 'R', 'B', '1' };

/* ---- keys ---- */

static uint64_t
mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

void
sinter_cache_key_init(struct sinter_cache_key *k)
{
	k->words[0] = 0x5349u;
	k->words[1] = 0x4e54u;
}

void
sinter_cache_key_add(struct sinter_cache_key *k, const void *data, size_t bytes)
{
	const char *p = data;
	uint64_t w = bytes;

	for (size_t i = 0; i <= bytes; i += sizeof(w)) {
		k->words[0] = mix(k->words[0], w);
		k->words[1] = mix(k->words[1] + k->words[0], w ^ 0xa5a5a5a5a5a5a5a5u);
		w = 0;
		memcpy(&w, p + i, bytes - i < sizeof(w) ? bytes - i : sizeof(w));
	}
	k->words[0] = mix(k->words[0], w);
	k->words[1] = mix(k->words[1] + k->words[0], w);
}

void
sinter_cache_key_text(struct sinter_cache_key *k, const char *text)
{
	sinter_cache_key_add(k, text, strlen(text) + 1);
}

static void
check_of(const struct header *h, const void *data, uint64_t out[2])
{
	struct sinter_cache_key k = h->key;

	sinter_cache_key_add(&k, h->label, sizeof(h->label));
	sinter_cache_key_add(&k, data, (size_t)h->bytes);
	memcpy(out, k.words, sizeof(k.words));
}

/* ---- the folder ---- */

void
sinter_cache_folder(char *out, size_t room)
{
	const char *off = getenv("SINTER_CACHE"), *own = getenv("SINTER_CACHE_DIR"),
		   *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n = 0;

	out[0] = '\0';
	if (off && strcmp(off, "off") == 0)
		return;
	if (own && *own)
		n = snprintf(out, room, "%s", own);
	else if (xdg && *xdg)
		n = snprintf(out, room, "%s/sinter", xdg);
	else if (home && *home)
		n = snprintf(out, room, "%s/.cache/sinter", home);
	if (n < 0 || (size_t)n >= room)
		out[0] = '\0';
}

int
sinter_cache_is_on(void)
{
	char path[PATH_MOST];

	sinter_cache_folder(path, sizeof(path));
	return path[0] != '\0';
}

static uint64_t
bytes_most(void)
{
	const char *text = getenv("SINTER_CACHE_BYTES");
	char *end;
	unsigned long long n = text ? strtoull(text, &end, 10) : 0;

	return text && end != text && !*end ? n : (uint64_t)1 << 28;
}

/* Makes PATH and what lies above it. */
static int
make_folder(char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 1;
	char *slash = strrchr(path, '/');

	if (errno != ENOENT || !slash || slash == path)
		return 0;
	*slash = '\0';
	int has_parent = make_folder(path);

	*slash = '/';
	return has_parent && (mkdir(path, 0700) == 0 || errno == EEXIST);
}

/* The cache's folder, opened; -1 if there is none. */
static int
open_folder(int makes)
{
	char path[PATH_MOST];

	sinter_cache_folder(path, sizeof(path));
	if (!path[0] || (makes && !make_folder(path)))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
put_name(const struct sinter_cache_key *k, char out[NAME_LEN + sizeof(ENDING)])
{
	snprintf(out, NAME_LEN + sizeof(ENDING), "%016llx%016llx" ENDING,
		 (unsigned long long)k->words[0], (unsigned long long)k->words[1]);
}

static int
is_entry(const char *name)
{
	return strspn(name, "0123456789abcdef") == NAME_LEN && strcmp(name + NAME_LEN, ENDING) == 0;
}

static int
is_temporary(const char *name)
{
	return strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0;
}

/* ---- reading ---- */

static int
read_all(int fd, void *data, size_t bytes)
{
	for (char *p = data; bytes > 0;) {
		ssize_t n = read(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		p += n;
		bytes -= (size_t)n;
	}
	return 1;
}

/* Does the file of SIZE bytes that FD begins with H fit together? */
static int
read_header(int fd, off_t size, struct header *h)
{
	return size >= (off_t)sizeof(*h) && read_all(fd, h, sizeof(*h))
	       && memcmp(h->magic, magic, sizeof(magic)) == 0
	       && h->bytes == (uint64_t)size - sizeof(*h) && !h->label[LABEL_MOST - 1];
}

/* The content of FD if it is whole and of key K. */
static void *
read_entry(int fd, const struct sinter_cache_key *k, size_t *out_bytes)
{
	struct stat st;
	struct header h;
	uint64_t check[2];

	if (fstat(fd, &st) != 0 || !read_header(fd, st.st_size, &h)
	    || memcmp(&h.key, k, sizeof(*k)) != 0)
		return NULL;
	void *data = malloc(h.bytes ? (size_t)h.bytes : 1);

	if (!data || !read_all(fd, data, (size_t)h.bytes)) {
		free(data);
		return NULL;
	}
	check_of(&h, data, check);
	if (memcmp(check, h.check, sizeof(check)) != 0) {
		free(data);
		return NULL;
	}
	*out_bytes = (size_t)h.bytes;
	return data;
}

void *
sinter_cache_get(const struct sinter_cache_key *k, size_t *out_bytes)
{
	char name[NAME_LEN + sizeof(ENDING)];
	int folder = open_folder(0);
	void *data = NULL;

	if (folder < 0)
		return NULL;
	put_name(k, name);
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0) {
		data = read_entry(fd, k, out_bytes);
		close(fd);
		if (data) /* the time of the file says when it was used */
			utimensat(folder, name, NULL, 0);
		else
			unlinkat(folder, name, 0);
	}
	close(folder);
	return data;
}

void
sinter_cache_drop(const struct sinter_cache_key *k)
{
	char name[NAME_LEN + sizeof(ENDING)];
	int folder = open_folder(0);

	if (folder < 0)
		return;
	put_name(k, name);
	unlinkat(folder, name, 0);
	close(folder);
}

/* ---- looking through the folder ---- */

typedef void visit_fn(void *arg, int folder, const char *name, const struct stat *st);

/* Calls VISIT for all entries and temporary files. */
static int
visit_all(int folder, visit_fn *visit, void *arg)
{
	int fd = dup(folder);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct stat st;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	rewinddir(d);
	for (struct dirent *e; (e = readdir(d));)
		if ((is_entry(e->d_name) || is_temporary(e->d_name))
		    && fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
		    && S_ISREG(st.st_mode))
			visit(arg, folder, e->d_name, &st);
	closedir(d);
	return 1;
}

/* What a walk to bound the cache looks for. */
struct oldest {
	uint64_t bytes; /* of all */
	struct timespec used;
	char name[NAME_LEN + sizeof(ENDING)]; /* "": none */
};

static int
is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Temporary files of processes that died go as well. */
static void
find_oldest(void *arg, int folder, const char *name, const struct stat *st)
{
	struct oldest *o = arg;

	if (is_temporary(name)) {
		if (time(NULL) - st->st_mtime > STALE_S)
			unlinkat(folder, name, 0);
		return;
	}
	o->bytes += (uint64_t)st->st_size;
	if (o->name[0] && !is_before(&st->st_mtim, &o->used))
		return;
	o->used = st->st_mtim;
	memcpy(o->name, name, sizeof(o->name));
}

/* Removes entries, the longest unused first, until those that are left have no more than MOST bytes. */
static void
bound(uint64_t most)
{
	int folder = open_folder(0), goes_on = folder >= 0;

	while (goes_on) {
		struct oldest o = { 0 };

		goes_on = visit_all(folder, find_oldest, &o) && o.bytes > most && o.name[0]
			  && (unlinkat(folder, o.name, 0) == 0 || errno == ENOENT);
	}
	if (folder >= 0)
		close(folder);
}

/* ---- writing ---- */

static int
write_all(int fd, const void *data, size_t bytes)
{
	for (const char *p = data; bytes > 0;) {
		ssize_t n = write(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		p += n;
		bytes -= (size_t)n;
	}
	return 1;
}

/* Writes a temporary file and gives it its name. */
static void
write_entry(const char *folder, const struct header *h, const void *data)
{
	char temp[PATH_MOST + 16], path[PATH_MOST + 64], name[NAME_LEN + sizeof(ENDING)];

	put_name(&h->key, name);
	snprintf(temp, sizeof(temp), "%s/" TEMPORARY "XXXXXX", folder);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = mkstemp(temp);

	if (fd < 0)
		return;
	int is_good = write_all(fd, h, sizeof(*h)) && write_all(fd, data, (size_t)h->bytes);

	is_good &= close(fd) == 0;
	if (!is_good || rename(temp, path) != 0)
		unlink(temp);
}

void
sinter_cache_put(const struct sinter_cache_key *k, const char *label, const void *data,
		 size_t bytes)
{
	char folder[PATH_MOST];
	struct header h = { .key = *k, .bytes = bytes };
	uint64_t most = bytes_most();

	sinter_cache_folder(folder, sizeof(folder));
	if (!folder[0] || bytes > most || !make_folder(folder))
		return;
	memcpy(h.magic, magic, sizeof(magic));
	snprintf(h.label, sizeof(h.label), "%s", label);
	check_of(&h, data, h.check);
	write_entry(folder, &h, data);
	bound(most);
}

/* ---- for people ---- */

struct listing {
	void (*each)(void *arg, const struct sinter_cache_entry *e);
	void *arg;
};

static void
list_entry(void *arg, int folder, const char *name, const struct stat *st)
{
	const struct listing *l = arg;
	struct sinter_cache_entry e = { .bytes = (uint64_t)st->st_size, .used_at = st->st_mtime };
	struct header h;

	if (is_temporary(name))
		return;
	memcpy(e.name, name, NAME_LEN);
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && read_header(fd, st->st_size, &h)) {
		memcpy(e.label, h.label, sizeof(e.label));
		e.is_whole = 1;
	}
	if (fd >= 0)
		close(fd);
	l->each(l->arg, &e);
}

static void
remove_entry(void *arg, int folder, const char *name, const struct stat *st)
{
	uint64_t *bytes = arg;

	if (unlinkat(folder, name, 0) == 0)
		*bytes += (uint64_t)st->st_size;
}

static int
walk(visit_fn *visit, void *arg, struct sinter_error *error)
{
	char path[PATH_MOST];
	int folder, status = SINTER_OK;

	sinter_cache_folder(path, sizeof(path));
	if (!path[0])
		return SINTER_OK;
	folder = open_folder(0);
	if (folder < 0 && errno == ENOENT)
		return SINTER_OK;
	if (folder < 0 || !visit_all(folder, visit, arg))
		status = sinter_fail(error, SINTER_NO_FILE, "can't read '%s': %s", path,
				     strerror(errno));
	if (folder >= 0)
		close(folder);
	return status;
}

int
sinter_cache_each(void (*each)(void *arg, const struct sinter_cache_entry *e), void *arg,
		  struct sinter_error *error)
{
	struct listing l = { each, arg };

	return walk(list_entry, &l, error);
}

int
sinter_cache_clear(uint64_t *out_bytes, struct sinter_error *error)
{
	*out_bytes = 0;
	return walk(remove_entry, out_bytes, error);
}
