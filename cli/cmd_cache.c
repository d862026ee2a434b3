/* sinter cache: the programs that drivers have compiled, kept on disk by the runtime. */
#include <stdio.h>
#include <time.h>
#include "cli/command.h"
#include "runtime/sinter_runtime.h"

struct entries {
	const struct options *o;
	struct sn_buf out;
	uint64_t bytes;
	int n;
};

static void
add_entry(void *arg, const struct sinter_cache_entry *e)
{
	struct entries *l = arg;
	struct sn_buf *b = &l->out;
	time_t t = (time_t)e->used_at;
	struct tm tm;
	char when[32] = "";
	if (gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (l->o->is_json) {
		sn_buf_addf(b, "%s\n    {\"name\": \"%s\", \"bytes\": %llu, \"used\": \"%s\", ",
			    l->n ? "," : "", e->name, (unsigned long long)e->bytes, when);
		sn_buf_add(b, "\"label\": ");
		sn_buf_add_json(b, e->is_whole ? e->label : "");
		sn_buf_addf(b, ", \"is_whole\": %s}", e->is_whole ? "true" : "false");
	} else {
		sn_buf_addf(b, "%.8s  %9llu bytes  used %s  %s\n", e->name,
			    (unsigned long long)e->bytes, when,
			    e->is_whole ? e->label : "(damaged: will be built again)");
	}
	l->n++;
	l->bytes += e->bytes;
}

static int
failed(const struct sinter_error *e)
{
	fprintf(stderr, "sinter: %s\n", e->text);
	return SN_ERR_INPUT;
}

static int
list(struct options *o, const char *folder)
{
	struct entries l = { .o = o };
	struct sinter_error e;
	sn_buf_init(&l.out, o->arena);
	if (o->is_json) {
		sn_buf_add(&l.out, "{\"folder\": ");
		sn_buf_add_json(&l.out, folder);
		sn_buf_add(&l.out, ", \"entries\": [");
	}
	if (sinter_cache_each(add_entry, &l, &e) != SINTER_OK)
		return failed(&e);
	if (o->is_json)
		sn_buf_addf(&l.out, "\n  ], \"bytes\": %llu}\n", (unsigned long long)l.bytes);
	else
		sn_buf_addf(&l.out, "%d program%s, %.1f MB, in %s\n", l.n, l.n == 1 ? "" : "s",
			    (double)l.bytes / 1e6,
			    folder[0] ? folder : "no folder: the cache is off");
	fputs(l.out.text, stdout);
	return SN_OK;
}

int
cmd_cache(struct options *o)
{
	struct sinter_error e;
	char folder[4096];
	uint64_t bytes;
	if (o->is_listed == o->is_cleared) {
		fprintf(stderr, "sinter cache: needs --list or --clear\n");
		return SN_ERR_USAGE;
	}
	sinter_cache_folder(folder, sizeof(folder));
	if (o->is_listed)
		return list(o, folder);
	if (sinter_cache_clear(&bytes, &e) != SINTER_OK)
		return failed(&e);
	if (o->is_json)
		printf("{\"bytes\": %llu}\n", (unsigned long long)bytes);
	else
		printf("removed %.1f MB\n", (double)bytes / 1e6);
	return SN_OK;
}
