/*
 * The import of a model: map, walk, read, report.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/reader.h"

static struct sn_where
where(const struct sn_reader *r)
{
	struct sn_where w = SN_NOWHERE;
	w.file = r->file;
	return w;
}

static const char *
copy(struct sn_arena *a, const char *s)
{
	return sn_strdup(a, s ? s : "");
}

size_t
sn_read_opsets(struct sn_reader *r, Pb__OperatorSetIdProto *const *list, size_t n,
	       struct sn_opset **out)
{
	*out = SN_NEW_ARRAY(r->arena, n, struct sn_opset);
	for (size_t i = 0; i < n; i++) {
		(*out)[i].domain = copy(r->arena, sn_domain_text(list[i]->domain));
		(*out)[i].version = list[i]->version;
	}
	return n;
}

static void
fill_info(struct sn_model_info *info, struct sn_arena *a, const Pb__ModelProto *m,
	  const struct sn_scope *s)
{
	*info = (struct sn_model_info){
		.ir_version = m->ir_version,
		.model_version = m->model_version,
		.producer = copy(a, m->producer_name),
		.producer_version = copy(a, m->producer_version),
		.domain = copy(a, m->domain),
		.doc = copy(a, m->doc_string),
		.graph_name = copy(a, m->graph ? m->graph->name : NULL),
		.nodes = m->graph ? (int)m->graph->n_node : 0,
		.functions = (int)m->n_functions,
	};
	for (size_t i = 0; i < s->nopsets; i++)
		SN_PUSH(a, &info->opsets, s->opsets[i]);
	for (size_t i = 0; i < m->n_metadata_props; i++) {
		const Pb__StringStringEntryProto *e = m->metadata_props[i];
		struct sn_meta meta = { copy(a, e->key), copy(a, e->value) };
		SN_PUSH(a, &info->metadata, meta);
	}
}

/* Versions of one import list; other domains have their own numbers. */
static bool
check_opsets(struct sn_reader *r, const struct sn_opset *opsets, size_t n)
{
	bool is_right = true;
	for (size_t i = 0; i < n; i++) {
		int64_t v = opsets[i].version;
		int newest = *opsets[i].domain ? INT32_MAX : SN_ONNX_OPSET_NEWEST;
		if (v < 1 || v > newest)
			is_right = sn_report(r->diags, where(r), DG_OPSET_NEW, (long long)v,
					     *opsets[i].domain ? opsets[i].domain : "ai.onnx",
					     newest);
	}
	return is_right;
}

static bool
check_function_opsets(struct sn_reader *r, const Pb__ModelProto *m)
{
	bool is_right = true;
	for (size_t i = 0; i < m->n_functions; i++) {
		struct sn_opset *own;
		size_t n = sn_read_opsets(r, m->functions[i]->opset_import,
					  m->functions[i]->n_opset_import, &own);
		is_right &= check_opsets(r, own, n);
	}
	return is_right;
}

/* Everything about the model as a whole; what makes reading its nodes pointless is false. */
static bool
check_model(struct sn_reader *r, const Pb__ModelProto *m, const struct sn_scope *s)
{
	if (!m->graph)
		return sn_report(r->diags, where(r), DG_NO_GRAPH);
	bool is_right = true;
	if (m->ir_version < 1 || m->ir_version > SN_ONNX_IR_NEWEST)
		is_right = sn_report(r->diags, where(r), DG_IR_VERSION, (long long)m->ir_version,
				     SN_ONNX_IR_NEWEST);
	is_right &= check_opsets(r, s->opsets, s->nopsets);
	return check_function_opsets(r, m) && is_right;
}

/* Before IR 3 there were no imports: opset 1. */
static void
set_opsets(struct sn_scope *s, const Pb__ModelProto *m)
{
	static const struct sn_opset first = { "", 1 };
	struct sn_opset *own;
	s->nopsets = sn_read_opsets(s->reader, m->opset_import, m->n_opset_import, &own);
	s->opsets = own;
	if (s->nopsets == 0 && m->ir_version < 3) {
		s->nopsets = 1;
		s->opsets = &first;
	}
}

static struct sn_graph *
read_model(struct sn_reader *r, const Pb__ModelProto *m, const struct sn_import_opts *o)
{
	struct sn_scope s = { .reader = r, .prefix = "" };
	sn_map_init(&s.values, r->scratch);
	sn_map_init(&s.writers, r->scratch);
	set_opsets(&s, m);
	if (o && o->info)
		fill_info(o->info, r->arena, m, &s);
	r->ir_version = m->ir_version;
	if (!check_model(r, m, &s))
		return NULL;
	bool is_right = sn_pins_parse(r, o);
	is_right &= sn_read_functions(r, m);
	s.graph = sn_graph_new(r->arena, r->pool, copy(r->arena, m->graph->name));
	is_right &= sn_read_graph(&s, m->graph);
	is_right &= sn_report_unknown_ops(r);
	is_right &= sn_pins_check_used(r);
	return is_right ? s.graph : NULL;
}

static struct sn_graph *
import(struct sn_reader *r, const struct sn_wire_bytes *bytes, const char *folder,
       const struct sn_import_opts *o)
{
	int errors = r->diags->errors;
	sn_data_source_init(&r->data, bytes, folder, r->arena, r->diags);
	sn_map_init(&r->functions, r->scratch);
	sn_map_init(&r->syms, r->scratch);
	sn_map_init(&r->unknown, r->scratch);
	const Pb__ModelProto *m = sn_wire_model(bytes, r->scratch, r->diags);
	struct sn_graph *g = m ? read_model(r, m, o) : NULL;
	return r->diags->errors == errors ? g : NULL;
}

/* With a scratch arena that is released now, or with arena A if work ends through the guard. */
static struct sn_graph *
with_scratch(struct sn_reader *r, const struct sn_wire_bytes *bytes, const char *folder,
	     const struct sn_import_opts *o)
{
	struct sn_arena *scratch = sn_arena_child(r->arena);
	r->scratch = scratch;
	struct sn_graph *g = import(r, bytes, folder, o);
	sn_arena_release(scratch);
	return g;
}

static const char *
folder_of(struct sn_arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return ".";
	return slash == path ? "/" : sn_strndup(a, path, (size_t)(slash - path));
}

struct sn_graph *
sn_onnx_import(const char *path, const struct sn_import_opts *o, struct sn_arena *a,
	       struct sn_pool *p, struct sn_diags *d)
{
	struct sn_file file;
	if (!sn_map_for(a, path, d, &file))
		return NULL;
	struct sn_wire_bytes bytes = { sn_strdup(a, path), file.data, file.size };
	struct sn_reader r = { .file = bytes.file, .arena = a, .pool = p, .diags = d };
	return with_scratch(&r, &bytes, folder_of(a, path), o);
}

struct sn_graph *
sn_onnx_import_bytes(const struct sn_wire_bytes *b, const struct sn_import_opts *o,
		     struct sn_arena *a, struct sn_pool *p, struct sn_diags *d)
{
	struct sn_wire_bytes bytes = { sn_strdup(a, b->file), b->data, b->size };
	struct sn_reader r = { .file = bytes.file, .arena = a, .pool = p, .diags = d };
	return with_scratch(&r, &bytes, NULL, o);
}
