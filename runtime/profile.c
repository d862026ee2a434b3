/* Kernel times: totals, a ring of the latest calls, and their Chrome trace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/profile.h"
#include "runtime/status.h"

struct event {
	int64_t start_ns, ns;
	uint32_t k;
};

struct total {
	uint64_t calls, ns;
};

struct sinter_profile {
	const struct sinter_model *model;
	int64_t zero_ns;  /* of the trace's time */
	int64_t start_ns; /* of the kernel that runs */
	uint64_t seen;	  /* events since the last clear */
	size_t room;
	struct total *totals; /* by kernel */
	struct event *events; /* ROOM of them, number I at I % ROOM */
};

int
sinter_profile_new(const struct sinter_loaded *loaded, size_t events, struct sinter_profile **out,
		   struct sinter_error *error)
{
	if (!loaded || !out || events < 1)
		return sinter_fail(error, SINTER_BAD_CALL, "no model, or no room for events");
	struct sinter_profile *p = calloc(1, sizeof(*p));

	if (p) {
		p->model = sinter_model_of(loaded);
		p->room = events;
		p->totals = calloc((size_t)p->model->nkernels + 1, sizeof(*p->totals));
		p->events = calloc(events, sizeof(*p->events));
		p->zero_ns = sinter_now_ns();
	}
	if (!p || !p->totals || !p->events) {
		sinter_profile_free(p);
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	}
	*out = p;
	return SINTER_OK;
}

void
sinter_profile_free(struct sinter_profile *profile)
{
	if (!profile)
		return;
	free(profile->totals);
	free(profile->events);
	free(profile);
}

void
sinter_profile_clear(struct sinter_profile *profile)
{
	memset(profile->totals, 0, profile->model->nkernels * sizeof(*profile->totals));
	profile->seen = 0;
	profile->zero_ns = sinter_now_ns();
}

void
sinter_profile_add(struct sinter_profile *p, int32_t k, int64_t start_ns, int64_t ns)
{
	if (k < 0 || (uint32_t)k >= p->model->nkernels)
		return;
	p->totals[k].calls++;
	p->totals[k].ns += (uint64_t)ns;
	p->events[p->seen++ % p->room] = (struct event){ start_ns - p->zero_ns, ns, (uint32_t)k };
}

void
sinter_profile_mark(struct sinter_profile *p, int32_t k, int32_t phase)
{
	int64_t now = sinter_now_ns();

	if (phase == 0)
		p->start_ns = now;
	else
		sinter_profile_add(p, k, p->start_ns, now - p->start_ns);
}

void
sinter_profile_kernel(const struct sinter_profile *profile, uint32_t k, uint64_t *out_calls,
		      uint64_t *out_ns)
{
	static const struct total none;
	const struct total *t = k < profile->model->nkernels ? &profile->totals[k] : &none;

	*out_calls = t->calls;
	*out_ns = t->ns;
}

/* S as the inside of a JSON string; names of models are UTF-8. */
static void
put_json(FILE *f, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char text[8];

		if (c < ' ')
			snprintf(text, sizeof(text), "\\u%04x", c);
		else
			snprintf(text, sizeof(text), c == '"' || c == '\\' ? "\\%c" : "%c", c);
		fputs(text, f);
	}
}

/* Microseconds with three places, whatever the locale's decimal point. */
static void
put_us(FILE *f, const char *key, int64_t ns)
{
	char text[64];

	snprintf(text, sizeof(text), "\"%s\":%" PRId64 ".%03d", key, ns / 1000, (int)(ns % 1000));
	fputs(text, f);
}

static void
put_event(FILE *f, const struct sinter_profile *p, const struct event *e)
{
	const struct sinter_kernel *k = &p->model->kernels[e->k];

	fputs("{\"name\":\"", f);
	put_json(f, k->name);
	fputs("\",\"cat\":\"kernel\",\"ph\":\"X\",\"pid\":1,\"tid\":1,", f);
	put_us(f, "ts", e->start_ns);
	fputs(",", f);
	put_us(f, "dur", e->ns);
	fputs(",\"args\":{\"nodes\":\"", f);
	put_json(f, k->nodes);
	fputs("\"}}", f);
}

static void
put_trace(FILE *f, const struct sinter_profile *p)
{
	uint64_t first = p->seen > p->room ? p->seen - p->room : 0;

	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
	      "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"",
	      f);
	put_json(f, p->model->name);
	fputs("\"}}", f);
	for (uint64_t i = first; i < p->seen; i++) {
		fputs(",\n", f);
		put_event(f, p, &p->events[i % p->room]);
	}
	fputs("\n]}\n", f);
}

/* mkstemp makes files that only their owner may read. */
static void
open_for_others(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

int
sinter_profile_write(const struct sinter_profile *profile, const char *path,
		     struct sinter_error *error)
{
	size_t n = strlen(path) + 8;
	char *temp = malloc(n);

	if (!temp)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	snprintf(temp, n, "%s.XXXXXX", path);
	int fd = mkstemp(temp), is_good = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (f) {
		open_for_others(fd);
		put_trace(f, profile);
		is_good = !ferror(f);
		is_good &= fclose(f) == 0;
		is_good = is_good && rename(temp, path) == 0;
	}
	int status = is_good ? SINTER_OK
			     : sinter_fail(error, SINTER_NO_FILE, "can't write '%s': %s", path,
					   strerror(errno));
	if (fd >= 0 && !is_good)
		unlink(temp);
	free(temp);
	return status;
}
