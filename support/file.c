/* Files: mapped for reading; written beside the target and renamed over it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/file.h"

static bool
fail(struct sn_diags *d, enum sn_diag_id id, const char *path, int error)
{
	return sn_report(d, SN_NOWHERE, id, path, strerror(error));
}

/* Maps the open file; 0 or an errno. */
static int
map_fd(struct sn_file *f, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? EISDIR : ENODEV;
	*f = (struct sn_file){ .data = (const uint8_t *)"", .size = (size_t)st.st_size };
	if (f->size == 0)
		return 0;
	void *p = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return errno;
	f->data = p;
	return 0;
}

bool
sn_file_map(struct sn_file *f, const char *path, struct sn_diags *diags)
{
	*f = (struct sn_file){ .data = (const uint8_t *)"" };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : map_fd(f, fd);
	if (fd >= 0)
		close(fd);
	if (error) {
		*f = (struct sn_file){ .data = (const uint8_t *)"" };
		return fail(diags, DG_OPEN, path, error);
	}
	return true;
}

void
sn_file_unmap(struct sn_file *f)
{
	if (f->size)
		munmap((void *)(uintptr_t)f->data, f->size);
	*f = (struct sn_file){ .data = (const uint8_t *)"" };
}

/* A new file beside PATH; mkstemp would ignore the umask. */
static int
open_temp(struct sn_file_out *o)
{
	for (int i = 0; i < 1000; i++) {
		o->temp = sn_printf(o->arena, "%s.%ld-%d.tmp", o->path, (long)getpid(), i);
		int fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

bool
sn_file_out_open(struct sn_file_out *o, const char *path, struct sn_arena *a, struct sn_diags *d)
{
	*o = (struct sn_file_out){ .fd = -1, .path = sn_strdup(a, path), .arena = a };
	struct stat st;
	bool exists = stat(path, &st) == 0;
	if (exists && S_ISDIR(st.st_mode))
		return fail(d, DG_WRITE, path, EISDIR);
	/* A device or pipe can't be replaced and must not be: /dev/stdout, /dev/null. */
	if (exists && !S_ISREG(st.st_mode))
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
	else
		o->fd = open_temp(o);
	return o->fd >= 0 || fail(d, DG_WRITE, path, errno);
}

bool
sn_file_out_append(struct sn_file_out *o, const void *data, size_t size, struct sn_diags *d)
{
	const char *p = data;
	while (size) {
		ssize_t n = write(o->fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(d, DG_WRITE, o->path, errno);
		p += n;
		size -= (size_t)n;
	}
	return true;
}

static bool
finish(struct sn_file_out *o)
{
	bool ok = !o->temp || fsync(o->fd) == 0;
	int error = errno;
	if (close(o->fd) < 0 && ok) {
		ok = false;
		error = errno;
	}
	o->fd = -1;
	if (ok && o->temp && rename(o->temp, o->path) < 0) {
		ok = false;
		error = errno;
	}
	errno = error;
	return ok;
}

bool
sn_file_out_commit(struct sn_file_out *o, struct sn_diags *d)
{
	if (finish(o)) {
		o->temp = NULL;
		return true;
	}
	int error = errno;
	sn_file_out_abandon(o);
	return fail(d, DG_WRITE, o->path, error);
}

void
sn_file_out_abandon(struct sn_file_out *o)
{
	if (o->fd >= 0)
		close(o->fd);
	if (o->temp)
		unlink(o->temp);
	o->fd = -1;
	o->temp = NULL;
}

bool
sn_file_write(const char *path, const void *data, size_t size, struct sn_diags *diags)
{
	struct sn_file_out o;
	if (!sn_file_out_open(&o, path, diags->arena, diags))
		return false;
	if (!sn_file_out_append(&o, data, size, diags)) {
		sn_file_out_abandon(&o);
		return false;
	}
	return sn_file_out_commit(&o, diags);
}

static bool
make_one(const char *path)
{
	struct stat st;
	if (mkdir(path, 0777) == 0)
		return true;
	int error = errno;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	errno = error == EEXIST ? ENOTDIR : error;
	return false;
}

bool
sn_make_folder(const char *path, struct sn_arena *a, struct sn_diags *diags)
{
	char *part = sn_strdup(a, path);
	for (char *p = part + (*part == '/'); *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		bool ok = make_one(part);
		int error = errno;
		*p = '/';
		if (!ok)
			return fail(diags, DG_WRITE, path, error);
	}
	return *path && make_one(part) ? true : fail(diags, DG_WRITE, path, *path ? errno : ENOENT);
}
