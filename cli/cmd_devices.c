/* sinter devices: what models can run on here. */
#include <stdio.h>
#include "cli/command.h"
#include "runtime/sinter_runtime.h"

struct devices {
	const struct options *o;
	struct sn_buf out;
	int n;
};

static void
add_json(struct sn_buf *b, const char *name, const struct sinter_device_info *i, double gbs)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "name", name },
		      { "device", i->name },
		      { "driver", i->driver },
		      { "platform", i->platform } };
	for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
		sn_buf_addf(b, "%s\"%s\": ", k ? ", " : "", texts[k].key);
		sn_buf_add_json(b, texts[k].text);
	}
	sn_buf_addf(
		b,
		",\n   \"memory_bytes\": %llu, \"largest_bytes\": %llu, \"local_bytes\": %llu, "
		"\"units\": %d, \"group_items\": %d,\n   \"subgroup\": %d, \"load_floats\": %d, "
		"\"has_f64\": %s, \"shares_memory\": %s, \"copy_gbs\": %.1f",
		(unsigned long long)i->memory_bytes, (unsigned long long)i->largest_bytes,
		(unsigned long long)i->local_bytes, (int)i->units, (int)i->group_items,
		(int)i->subgroup, (int)i->load_floats, i->has_f64 ? "true" : "false",
		i->shares_memory ? "true" : "false", gbs);
}

static void
add_text(struct sn_buf *b, const char *name, const struct sinter_device_info *i, double gbs)
{
	sn_buf_addf(b, "%s  %s\n  driver %s; %s\n  memory %.1f GB%s, %d units", name,
		    i->name[0] ? i->name : "(no name)", i->driver, i->platform,
		    (double)i->memory_bytes / 1e9,
		    i->shares_memory && i->group_items ? " (the host's)" : "", (int)i->units);
	if (i->group_items)
		sn_buf_addf(b, "; groups of %d work-items with %llu KB of local memory",
			    (int)i->group_items, (unsigned long long)i->local_bytes >> 10);
	sn_buf_addf(b, "; %s\n  copies %.1f GB/s (read and written)\n",
		    i->has_f64 ? "f64" : "no f64", gbs);
}

static void
add_device(void *arg, const char *name)
{
	struct devices *l = arg;
	struct sn_buf *b = &l->out;
	struct sinter_device *d = NULL;
	struct sinter_error e = { 0 };
	double gbs = 0;
	bool ok = sinter_device_open(name, &d, &e) == SINTER_OK
		  && sinter_device_bandwidth(d, &gbs, &e) == SINTER_OK;
	if (l->o->is_json)
		sn_buf_add(b, l->n ? ",\n  {" : "\n  {");
	if (ok && l->o->is_json) {
		add_json(b, name, sinter_device_info(d), gbs);
	} else if (ok) {
		add_text(b, name, sinter_device_info(d), gbs);
	} else if (l->o->is_json) {
		sn_buf_addf(b, "\"name\": \"%s\", \"error\": ", name);
		sn_buf_add_json(b, e.text);
	} else {
		sn_buf_addf(b, "%s  %s\n", name, e.text);
	}
	if (l->o->is_json)
		sn_buf_add(b, "}");
	l->n++;
	sinter_device_close(d);
}

int
cmd_devices(struct options *o)
{
	struct devices l = { .o = o };
	struct sinter_error e = { 0 };
	sn_buf_init(&l.out, o->arena);
	if (o->is_json)
		sn_buf_add(&l.out, "[");
	int status = sinter_device_each(add_device, &l, &e);
	if (o->is_json)
		sn_buf_add(&l.out, "\n]\n");
	fputs(l.out.text, stdout);
	/* No driver is no fault. */
	if (status != SINTER_OK)
		fprintf(stderr, "sinter: %s\n", e.text);
	return SN_OK;
}
