/* Diagnostics: the list of messages, its text form and its JSON form. */
#include <string.h>
#include "support/diag.h"

#define LIMIT_DEFAULT 100

struct diag_info {
	const char *code;
	enum sn_severity severity;
	const char *text, *hint;
};

static const struct diag_info infos[DIAG_COUNT] = {
#define DIAG(id, code, severity, text, hint) [id] = { code, severity, text, hint },
#include "support/diag.def"
#undef DIAG
};

static const char *const severity_names[] = {
	[SN_NOTE] = "note",
	[SN_REMARK] = "remark",
	[SN_WARNING] = "warning",
	[SN_ERROR] = "error",
};

void
sn_diags_init(struct sn_diags *d, struct sn_arena *a)
{
	*d = (struct sn_diags){ .arena = a };
}

const char *
sn_diag_code(enum sn_diag_id id)
{
	return infos[id].code;
}

enum sn_severity
sn_diag_severity(enum sn_diag_id id)
{
	return infos[id].severity;
}

/* Counts a message; false if it is over the limit and not kept. */
static bool
count(struct sn_diags *d, enum sn_severity severity)
{
	if (severity == SN_NOTE)
		return !d->is_dropping;
	d->warnings += severity == SN_WARNING;
	d->errors += severity == SN_ERROR;
	d->is_dropping = severity == SN_ERROR && d->errors > (d->limit ? d->limit : LIMIT_DEFAULT);
	return !d->is_dropping;
}

static const char *
copy_or_null(struct sn_arena *a, const char *s)
{
	return s ? sn_strdup(a, s) : NULL;
}

static void
report(struct sn_diags *d, struct sn_where where, const char *excerpt, enum sn_diag_id id,
       va_list ap)
{
	if (!count(d, infos[id].severity))
		return;
	where.file = copy_or_null(d->arena, where.file);
	where.op = copy_or_null(d->arena, where.op);
	where.name = copy_or_null(d->arena, where.name);
	struct sn_diag diag = { .id = id, .where = where };
	diag.text = sn_vprintf(d->arena, infos[id].text, ap);
	diag.excerpt = copy_or_null(d->arena, excerpt);
	SN_PUSH(d->arena, &d->list, diag);
}

bool
sn_report(struct sn_diags *d, struct sn_where where, enum sn_diag_id id, ...)
{
	va_list ap;
	va_start(ap, id);
	report(d, where, NULL, id, ap);
	va_end(ap);
	return false;
}

bool
sn_report_excerpt(struct sn_diags *d, struct sn_where where, const char *excerpt,
		  enum sn_diag_id id, ...)
{
	va_list ap;
	va_start(ap, id);
	report(d, where, excerpt, id, ap);
	va_end(ap);
	return false;
}

/* The last message, NULL if it was dropped. */
static struct sn_diag *
last_kept(const struct sn_diags *d)
{
	return d->list.n && !d->is_dropping ? &d->list.v[d->list.n - 1] : NULL;
}

const char *
sn_diags_last_text(const struct sn_diags *d)
{
	const struct sn_diag *m = last_kept(d);
	return m ? m->text : NULL;
}

void
sn_diags_add_excerpt(struct sn_diags *d, const char *excerpt)
{
	struct sn_diag *m = last_kept(d);
	if (m)
		m->excerpt = copy_or_null(d->arena, excerpt);
}

/* "file:line:column: " as far as it is known. */
static void
print_place(const struct sn_where *w, struct sn_buf *out)
{
	if (!w->file)
		return;
	sn_buf_add(out, w->file);
	if (w->line > 0)
		sn_buf_addf(out, ":%d", w->line);
	if (w->line > 0 && w->column > 0)
		sn_buf_addf(out, ":%d", w->column);
	sn_buf_add(out, ": ");
}

/* "Conv 'conv1' (node 12): " as far as it is known. */
static void
print_subject(const struct sn_where *w, struct sn_buf *out)
{
	size_t start = out->len;
	bool has_name = w->name && *w->name;
	if (w->op)
		sn_buf_add(out, w->op);
	if (has_name)
		sn_buf_addf(out, "%s'%s'", w->op ? " " : "", w->name);
	if (w->index >= 0)
		sn_buf_addf(out, out->len > start ? " (node %d)" : "node %d", w->index);
	if (out->len > start)
		sn_buf_add(out, ": ");
}

static void
print_excerpt(const char *excerpt, struct sn_buf *out)
{
	if (!excerpt || !*excerpt)
		return;
	sn_buf_add(out, excerpt);
	if (excerpt[strlen(excerpt) - 1] != '\n')
		sn_buf_addc(out, '\n');
}

static void
print_message(const struct sn_diag *m, struct sn_buf *out)
{
	const struct diag_info *info = &infos[m->id];
	if (info->severity == SN_NOTE) {
		sn_buf_add(out, "  note: ");
	} else {
		print_place(&m->where, out);
		sn_buf_addf(out, "%s[%s]: ", severity_names[info->severity], info->code);
	}
	print_subject(&m->where, out);
	sn_buf_addf(out, "%s\n", m->text);
	print_excerpt(m->excerpt, out);
}

static bool
is_note(const struct sn_diags *d, size_t i)
{
	return i < d->list.n && infos[d->list.v[i].id].severity == SN_NOTE;
}

static int
count_kept_errors(const struct sn_diags *d)
{
	int n = 0;
	for (size_t i = 0; i < d->list.n; i++)
		n += infos[d->list.v[i].id].severity == SN_ERROR;
	return n;
}

void
sn_diags_print(const struct sn_diags *d, struct sn_buf *out)
{
	for (size_t i = 0; i < d->list.n;) {
		const char *hint = infos[d->list.v[i].id].hint;
		print_message(&d->list.v[i++], out);
		while (is_note(d, i))
			print_message(&d->list.v[i++], out);
		if (hint)
			sn_buf_addf(out, "  hint: %s\n", hint);
	}
	int more = d->errors - count_kept_errors(d);
	if (more > 0)
		sn_buf_addf(out, "%d more %s\n", more, more == 1 ? "error" : "errors");
}

static void
json_string(struct sn_buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	sn_buf_addf(out, ", \"%s\": ", key);
	sn_buf_add_json(out, value);
}

static void
json_number(struct sn_buf *out, const char *key, int value, int least)
{
	if (value >= least)
		sn_buf_addf(out, ", \"%s\": %d", key, value);
}

static void
json_message(const struct sn_diag *m, struct sn_buf *out)
{
	const struct diag_info *info = &infos[m->id];
	sn_buf_addf(out, "{\"code\": \"%s\", \"severity\": \"%s\"", info->code,
		    severity_names[info->severity]);
	json_string(out, "file", m->where.file);
	json_number(out, "line", m->where.line, 1);
	json_number(out, "column", m->where.column, 1);
	json_string(out, "op", m->where.op);
	json_string(out, "name", m->where.name);
	json_number(out, "node", m->where.index, 0);
	json_string(out, "text", m->text);
	json_string(out, "excerpt", m->excerpt);
	json_string(out, "hint", info->hint);
	sn_buf_addc(out, '}');
}

void
sn_diags_print_json(const struct sn_diags *d, struct sn_buf *out)
{
	sn_buf_addf(out, "{\"errors\": %d, \"warnings\": %d, \"messages\": [", d->errors,
		    d->warnings);
	for (size_t i = 0; i < d->list.n; i++) {
		sn_buf_add(out, i ? ",\n  " : "\n  ");
		json_message(&d->list.v[i], out);
	}
	sn_buf_add(out, d->list.n ? "\n]}\n" : "]}\n");
}
