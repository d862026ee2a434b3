/* Target descriptions: XML to struct sn_target by one table of fields; all use of libxml2. */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include "ir/target.h"
#include "ir/target_native.h"
#include "support/file.h"
#include "support/format.h"

static const struct {
	const char *name, *xml;
} builtins[] = {
#define TARGET(name, xml) { name, xml },
#include "ir/targets.def"
};

enum kind { INT, SIZE, REAL, FLAG, TEXT };

/* One attribute of one element; LEAST and MOST bound numbers. */
struct field {
	const char *element, *attribute;
	enum kind kind;
	size_t offset;
	double least, most;
};

#define AT(member) offsetof(struct sn_target, member)

static const struct field fields[] = {
	{ "target", "name", TEXT, AT(name), 0, 0 },
	{ "compiler", "flags", TEXT, AT(march), 0, 0 },
	{ "vector", "bytes", INT, AT(vector_bytes), 0, 256 },
	{ "vector", "registers", INT, AT(nregs), 1, 1024 },
	{ "vector", "fma-ports", INT, AT(fma_ports), 1, 16 },
	{ "vector", "fma-latency", INT, AT(fma_latency), 1, 64 },
	{ "vector", "load-ports", INT, AT(load_ports), 1, 16 },
	{ "features", "fma", FLAG, AT(has_fma), 0, 0 },
	{ "features", "vnni", FLAG, AT(has_vnni), 0, 0 },
	{ "features", "bf16", FLAG, AT(has_bf16), 0, 0 },
	{ "features", "gather", FLAG, AT(has_gather), 0, 0 },
	{ "l1", "bytes", SIZE, AT(l1_bytes), 0, 1e12 },
	{ "l1", "ways", INT, AT(l1_ways), 1, 1024 },
	{ "l1", "line", INT, AT(line_bytes), 8, 1024 },
	{ "l2", "bytes", SIZE, AT(l2_bytes), 0, 1e12 },
	{ "l3", "bytes", SIZE, AT(l3_bytes), 0, 1e12 },
	{ "device", "group-items", INT, AT(group_items), 0, 65536 },
	{ "device", "local", SIZE, AT(local_bytes), 0, 1e9 },
	{ "device", "units", INT, AT(units), 1, 65536 },
	{ "device", "subgroup", INT, AT(subgroup), 1, 1024 },
	{ "device", "load-floats", INT, AT(load_floats), 1, 16 },
	{ "device", "f64", FLAG, AT(has_f64), 0, 0 },
	{ "device", "cpu", FLAG, AT(is_cpu), 0, 0 },
	{ "device", "largest", SIZE, AT(largest_bytes), 0, 1e15 },
	{ "machine", "cores", INT, AT(cores), 1, 65536 },
	{ "machine", "ghz", REAL, AT(ghz), 0, 100 },
	{ "machine", "dram-gbs", REAL, AT(dram_gbs), 0, 1e6 },
};

/* What a reading needs to know. */
struct reader {
	struct sn_target *target;
	struct sn_arena *arena;
	struct sn_diags *diags;
	const char *file;
	bool ok;
};

static struct sn_where
where_of(const struct reader *r, int line)
{
	return (struct sn_where){ .file = r->file, .line = line, .index = -1 };
}

static const struct field *
find_field(const char *element, const char *attribute)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i].element, element) == 0
		    && (!attribute || strcmp(fields[i].attribute, attribute) == 0))
			return &fields[i];
	return NULL;
}

/* A decimal number, with K, M or G behind it if HAS_UNIT; false if TEXT is anything else. */
static bool
parse_number(const char *text, bool has_unit, double *out)
{
	static const char units[] = "KMG";
	char *end;
	if (strspn(text, "0123456789.") == 0)
		return false;
	*out = sn_strtod(text, &end);
	const char *unit = has_unit && *end ? strchr(units, *end) : NULL;
	if (unit) {
		for (const char *u = units; u <= unit; u++)
			*out *= 1024;
		end++;
	}
	return *end == '\0';
}

static bool
is_power_of_two(double x)
{
	int64_t n = (int64_t)x;
	return (n & (n - 1)) == 0;
}

static bool
store_number(struct sn_target *t, const struct field *f, double x)
{
	char *at = (char *)t + f->offset;
	if (x < f->least || x > f->most)
		return false;
	if (f->kind == REAL) {
		memcpy(at, &x, sizeof(x));
		return true;
	}
	if (x != (double)(int64_t)x)
		return false;
	int64_t wide = (int64_t)x;
	int narrow = f->kind == INT ? (int)x : 0;
	memcpy(at, f->kind == INT ? (void *)&narrow : (void *)&wide,
	       f->kind == INT ? sizeof(narrow) : sizeof(wide));
	bool is_width = f->offset == AT(vector_bytes) || f->offset == AT(line_bytes);
	return !is_width || is_power_of_two(x);
}

static bool
store_flag(struct sn_target *t, const struct field *f, const char *text)
{
	bool value = strcmp(text, "yes") == 0;
	if (!value && strcmp(text, "no") != 0)
		return false;
	memcpy((char *)t + f->offset, &value, sizeof(value));
	return true;
}

static void
store_text(struct sn_arena *a, struct sn_target *t, const struct field *f, const char *text)
{
	const char *copy = sn_strdup(a, text);
	memcpy((char *)t + f->offset, &copy, sizeof(copy));
}

static bool
store(struct reader *r, const struct field *f, const char *text, int line)
{
	double x;
	switch (f->kind) {
	case TEXT: store_text(r->arena, r->target, f, text); return true;
	case FLAG:
		return store_flag(r->target, f, text)
		       || sn_report(r->diags, where_of(r, line), DG_TARGET_FLAG, f->attribute,
				    f->element, text);
	case INT:
	case SIZE:
	case REAL: break;
	}
	if (parse_number(text, f->kind == SIZE, &x) && store_number(r->target, f, x))
		return true;
	bool is_width = f->offset == AT(vector_bytes) || f->offset == AT(line_bytes);
	return sn_report(r->diags, where_of(r, line), DG_TARGET_NUMBER, f->attribute, f->element,
			 is_width	   ? "a power of two"
			 : f->kind == REAL ? "a number"
					   : "a whole number",
			 f->least, f->most, text);
}

static void
read_attribute(struct reader *r, const xmlNode *node, const xmlAttr *attr)
{
	const char *element = (const char *)node->name;
	const char *name = (const char *)attr->name;
	int line = (int)xmlGetLineNo(node);
	const struct field *f = find_field(element, name);
	if (!f) {
		r->ok = sn_report(r->diags, where_of(r, line), DG_TARGET_UNKNOWN, "attribute",
				  sn_printf(r->arena, "%s of <%s>", name, element));
		return;
	}
	/* Without entities an attribute is one text node, or none if it is empty. */
	const xmlNode *text = attr->children;
	const char *value = text && text->content ? (const char *)text->content : "";
	if (!store(r, f, value, line))
		r->ok = false;
}

static void
read_element(struct reader *r, const xmlNode *node)
{
	const char *element = (const char *)node->name;
	if (!find_field(element, NULL)) {
		r->ok = sn_report(r->diags, where_of(r, (int)xmlGetLineNo(node)), DG_TARGET_UNKNOWN,
				  "element", element);
		return;
	}
	for (const xmlAttr *a = node->properties; a; a = a->next)
		read_attribute(r, node, a);
}

static bool
read_document(struct reader *r, const xmlNode *root)
{
	if (!root || strcmp((const char *)root->name, "target") != 0)
		return sn_report(r->diags, where_of(r, 0), DG_TARGET_XML, "no element <target>");
	read_element(r, root);
	for (const xmlNode *n = root->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE)
			read_element(r, n);
	return r->ok;
}

/* What a description need not say. */
static const struct sn_target defaults = {
	.name = "",
	.march = "",
	.nregs = 16,
	.fma_ports = 1,
	.fma_latency = 4,
	.load_ports = 1,
	.l1_bytes = 32 << 10,
	.l1_ways = 8,
	.l2_bytes = 256 << 10,
	.line_bytes = 64,
	.cores = 1,
	.units = 1,
	.subgroup = 1,
	.load_floats = 1,
};

static const char *
trim(struct sn_arena *a, const char *message)
{
	return sn_strndup(a, message, strcspn(message, "\n"));
}

static void
free_document(void *doc)
{
	xmlFreeDoc(doc);
}

static void
unmap(void *file)
{
	sn_file_unmap(file);
}

static struct sn_target *
parse(const void *xml, size_t size, const char *file, struct sn_arena *a, struct sn_diags *d)
{
	struct sn_target *t = SN_NEW(a, struct sn_target);
	*t = defaults;
	struct reader r = { .target = t, .arena = a, .diags = d, .file = file, .ok = true };
	if (size > INT_MAX) {
		sn_report(d, where_of(&r, 0), DG_TARGET_XML, "the file is too large");
		return NULL;
	}
	int flags = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	xmlDoc *doc = xmlReadMemory(xml, (int)size, file, NULL, flags);
	if (!doc) {
		const xmlError *e = xmlGetLastError();
		const char *message = e && e->message ? e->message : "not XML";
		sn_report(d, where_of(&r, e ? e->line : 0), DG_TARGET_XML, trim(a, message));
		return NULL;
	}
	sn_arena_defer(a, free_document, doc);
	return read_document(&r, xmlDocGetRootElement(doc)) ? t : NULL;
}

static struct sn_target *
parse_builtin(const char *name, struct sn_arena *a, struct sn_diags *d)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (strcmp(builtins[i].name, name) == 0)
			return parse(builtins[i].xml, strlen(builtins[i].xml), name, a, d);
	return NULL;
}

static const struct sn_target *
find_native(struct sn_arena *a, struct sn_diags *d)
{
	struct sn_cpu_facts facts = sn_cpu_facts_read();
	struct sn_target *t = parse_builtin(sn_native_base(&facts), a, d);
	if (!t)
		return NULL;
	t->name = "native";
	t->march = "-march=native";
	sn_native_apply(t, &facts);
	sn_native_read_caches(t, "/sys/devices/system/cpu");
	t->cores = sn_native_cores();
	return t;
}

static const struct sn_target *
find_file(const char *path, struct sn_arena *a, struct sn_diags *d)
{
	struct sn_file *f = SN_NEW(a, struct sn_file);
	if (!sn_file_map(f, path, d))
		return NULL;
	sn_arena_defer(a, unmap, f);
	struct sn_target *t = parse(f->data, f->size, path, a, d);
	if (t && !*t->name)
		t->name = sn_strdup(a, path);
	return t;
}

static bool
is_path(const char *name)
{
	size_t n = strlen(name);
	return strchr(name, '/') || (n > 4 && strcmp(name + n - 4, ".xml") == 0);
}

static const char *
list_names(struct sn_arena *a)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	sn_buf_add(&b, "native");
	for (const char *const *name = sn_target_names(); *name; name++)
		sn_buf_addf(&b, ", %s", *name);
	return b.text;
}

const struct sn_target *
sn_target_find(const char *name, struct sn_arena *a, struct sn_diags *d)
{
	if (strcmp(name, "native") == 0)
		return find_native(a, d);
	if (is_path(name))
		return find_file(name, a, d);
	const struct sn_target *t = parse_builtin(name, a, d);
	if (!t)
		sn_report(d, SN_NOWHERE, DG_TARGET_NAME, name, list_names(a));
	return t;
}

const char *const *
sn_target_names(void)
{
	static const char *const names[] = {
#define TARGET(name, xml) name,
#include "ir/targets.def"
		NULL,
	};
	return names;
}
