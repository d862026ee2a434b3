/* sinter info: what a model, or a compiled one, consists of. */
#include <stdio.h>
#include <string.h>
#include "cli/device.h"
#include "cli/job.h"

enum { METADATA_WIDTH = 60 };

/* Text and JSON are built side by side; the caller prints one of them. */
struct info {
	struct sn_arena *arena;
	bool is_json;
	struct sn_buf out;
	bool is_first; /* in the JSON list that is open */
};

static void
field_text(struct info *f, const char *key, const char *text)
{
	if (!f->is_json) {
		if (*text)
			sn_buf_addf(&f->out, "%-14s%s\n", key, text);
		return;
	}
	sn_buf_addf(&f->out, "%s\n  \"%s\": ", f->out.len > 1 ? "," : "", key);
	sn_buf_add_json(&f->out, text);
}

static void
field_number(struct info *f, const char *key, int64_t x)
{
	if (f->is_json)
		sn_buf_addf(&f->out, "%s\n  \"%s\": %lld", f->out.len > 1 ? "," : "", key,
			    (long long)x);
	else
		sn_buf_addf(&f->out, "%-14s%lld\n", key, (long long)x);
}

static void
list_begin(struct info *f, const char *key)
{
	f->is_first = true;
	if (f->is_json)
		sn_buf_addf(&f->out, "%s\n  \"%s\": [", f->out.len > 1 ? "," : "", key);
	else
		sn_buf_addf(&f->out, "%s\n", key);
}

static void
list_item(struct info *f, const char *name, const char *text)
{
	if (!f->is_json) {
		sn_buf_addf(&f->out, "  %-22s %s\n", name, text);
		return;
	}
	sn_buf_add(&f->out, f->is_first ? "\n    [" : ",\n    [");
	sn_buf_add_json(&f->out, name);
	sn_buf_add(&f->out, ", ");
	sn_buf_add_json(&f->out, text);
	sn_buf_add(&f->out, "]");
	f->is_first = false;
}

static void
list_end(struct info *f)
{
	if (f->is_json)
		sn_buf_add(&f->out, f->is_first ? "]" : "\n  ]");
}

static const char *
type_text(struct info *f, const struct sn_type *t)
{
	struct sn_buf b;
	sn_buf_init(&b, f->arena);
	sn_type_print(&b, t);
	return b.text;
}

/* ---- an ONNX model ---- */

static void
info_opsets(struct info *f, const struct sn_model_info *m)
{
	struct sn_buf b;
	sn_buf_init(&b, f->arena);
	for (size_t i = 0; i < m->opsets.n; i++)
		sn_buf_addf(&b, "%s%s %lld", i ? ", " : "",
			    *m->opsets.v[i].domain ? m->opsets.v[i].domain : "ai.onnx",
			    (long long)m->opsets.v[i].version);
	field_text(f, "opsets", b.text);
}

static void
info_operators(struct info *f, const struct sn_graph *g)
{
	int counts[GR_COUNT] = { 0 };
	SN_FOR_NODES(g, n)
	counts[n->op]++;
	list_begin(f, "operators");
	for (int i = 0; i < GR_COUNT; i++)
		if (counts[i])
			list_item(f, sn_graph_op_info((enum sn_graph_op)i)->name,
				  sn_printf(f->arena, "%d", counts[i]));
	list_end(f);
}

/* Bytes of the constants that nodes of G read. */
static int64_t
constant_bytes(const struct sn_graph *g, struct sn_arena *a)
{
	bool *is_seen = SN_NEW_ARRAY(a, (size_t)g->nvalues + 1, bool);
	int64_t sum = 0;
	SN_FOR_NODES(g, n)
	for (int i = 0; i < n->nin; i++) {
		const struct sn_value *v = n->in[i].value;
		if (!sn_value_is_const(v) || is_seen[v->id])
			continue;
		is_seen[v->id] = true;
		sum += (int64_t)sn_dtype_bytes(v->data->dtype, v->data->n);
	}
	return sum;
}

/* What programs need of the model besides its graph, as labels; long texts in JSON alone. */
static void
info_metadata(struct info *f, const struct sn_model_info *m)
{
	if (!m->metadata.n)
		return;
	list_begin(f, "metadata");
	for (size_t i = 0; i < m->metadata.n; i++) {
		const char *text = m->metadata.v[i].value;
		bool is_long = strlen(text) > METADATA_WIDTH || strchr(text, '\n');
		if (!f->is_json && is_long)
			text = sn_printf(f->arena, "(%zu bytes, see --json)", strlen(text));
		list_item(f, m->metadata.v[i].key, text);
	}
	list_end(f);
}

/* What a model file says of itself; text has none of it. */
static void
info_file(struct info *f, const struct sn_model_info *m)
{
	field_text(f, "graph", m->graph_name);
	field_text(f, "producer",
		   sn_printf(f->arena, "%s%s%s", m->producer, *m->producer_version ? " " : "",
			     m->producer_version));
	field_number(f, "ir_version", m->ir_version);
	info_opsets(f, m);
	info_metadata(f, m);
	field_number(f, "nodes", m->nodes);
}

static void
info_graph(struct info *f, const struct sn_model_info *m, const struct sn_graph *g)
{
	if (m->graph_name)
		info_file(f, m);
	else
		field_text(f, "graph", g->name);
	field_number(f, "weights_bytes", constant_bytes(g, f->arena));
	list_begin(f, "inputs");
	for (size_t i = 0; i < g->inputs.n; i++)
		list_item(f, g->inputs.v[i]->name, type_text(f, &g->inputs.v[i]->type));
	list_end(f);
	list_begin(f, "outputs");
	for (size_t i = 0; i < g->outputs.n; i++)
		list_item(f, g->output_names.v[i], type_text(f, &g->outputs.v[i]->value->type));
	list_end(f);
	info_operators(f, g);
}

/* Text of the tensor level. */
static void
info_program(struct info *f, const struct sn_program *pr)
{
	field_text(f, "program", pr->name);
	list_begin(f, "inputs");
	for (size_t i = 0; i < pr->inputs.n; i++)
		list_item(f, pr->inputs.v[i]->name, type_text(f, &pr->inputs.v[i]->type));
	list_end(f);
	list_begin(f, "outputs");
	for (size_t i = 0; i < pr->outputs.n; i++)
		list_item(f, pr->outputs.v[i]->name, type_text(f, &pr->outputs.v[i]->type));
	list_end(f);
}

static int
info_model(struct options *o, struct info *f)
{
	static const char *const passes[] = { "infer-shapes", NULL };
	struct sn_compiler_opts co;
	struct sn_compiler c;
	struct sn_model_info m = { 0 };
	options_compiler(o, &co);
	co.import.info = &m;
	co.pipeline.passes = passes;
	sn_compiler_init(&c);
	enum sn_status s = sn_compiler_run(&c, &co);
	if (s == SN_OK && c.module->graph)
		info_graph(f, &m, c.module->graph);
	else if (s == SN_OK)
		info_program(f, c.module->program);
	return finish(&c, s, o);
}

/* ---- what a device does of it ---- */

/* "device, group_tile: MatMul 0 "mm"" */
static const char *
kernel_text(struct info *f, const struct sn_kernel *k)
{
	struct sn_buf b;
	sn_buf_init(&b, f->arena);
	if (k->place == PLACE_TRANSFER)
		sn_buf_addf(&b, "transfer of %s",
			    type_text(f, &k->stages.v[0]->results[0].tensor->type));
	else
		sn_buf_addf(&b, k->why ? "host, %s" : "device, %s", k->why ? k->why : k->schedule);
	if (k->origin && k->place != PLACE_TRANSFER) {
		sn_buf_add(&b, ": ");
		sn_origin_print(&b, k->origin);
	}
	return b.text;
}

static void
info_kernels(struct info *f, const struct sn_module *m)
{
	static const char *const keys[] = { "on_device", "on_host", "transfers" };
	int counts[ARRAY_LEN(keys)] = { 0 };
	field_text(f, "device", m->target->name);
	for (size_t i = 0; i < m->program->kernels.n; i++)
		counts[m->program->kernels.v[i]->place]++;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		field_number(f, keys[i], counts[i]);
	list_begin(f, "kernels");
	for (size_t i = 0; i < m->program->kernels.n; i++)
		list_item(f, m->program->kernels.v[i]->name,
			  kernel_text(f, m->program->kernels.v[i]));
	list_end(f);
}

static int
info_device(struct options *o, struct info *f)
{
	struct sn_compiler_opts co;
	struct sn_compiler c;
	options_compiler(o, &co);
	co.pipeline.stop_after = "choose-schedule";
	sn_compiler_init(&c);
	enum sn_status s = compile_for_device(o, &c, &co) ? sn_compiler_run(&c, &co) : SN_ERR_INPUT;
	if (s == SN_OK)
		info_kernels(f, c.module);
	return finish(&c, s, o);
}

/* ---- a compiled one ---- */

static void
info_values(struct info *f, const char *key, const struct sinter_value *v, uint32_t n)
{
	list_begin(f, key);
	for (uint32_t i = 0; i < n; i++) {
		struct sn_buf b;
		sn_buf_init(&b, f->arena);
		sn_buf_addf(&b, "%s[", sn_dtype_info(sn_dtype_by_onnx(v[i].dtype))->text);
		for (int d = 0; d < v[i].rank; d++)
			sn_buf_addf(&b, "%s%s", d ? "," : "", v[i].dim_names[d]);
		sn_buf_add(&b, "]");
		list_item(f, v[i].name, b.text);
	}
	list_end(f);
}

static int
info_package(struct options *o, struct info *f)
{
	struct sinter_loaded *l;
	struct sinter_error e;
	if (sinter_model_load(o->model, &l, &e) != SINTER_OK) {
		fprintf(stderr, "sinter: %s\n", e.text);
		return SN_ERR_INPUT;
	}
	const struct sinter_model *m = sinter_model_of(l);
	field_text(f, "name", m->name);
	field_number(f, "abi", m->abi);
	field_text(f, "plan_hash",
		   sn_printf(f->arena, "%016llx", (unsigned long long)m->plan_hash));
	field_number(f, "weights_bytes", (int64_t)m->weights_bytes);
	field_number(f, "context_bytes", (int64_t)m->context_bytes);
	info_values(f, "inputs", m->inputs, m->ninputs);
	info_values(f, "outputs", m->outputs, m->noutputs);
	list_begin(f, "kernels");
	for (uint32_t i = 0; i < m->nkernels; i++)
		list_item(f, m->kernels[i].name, m->kernels[i].nodes);
	list_end(f);
	sinter_model_unload(l);
	return SN_OK;
}

int
cmd_info(struct options *o)
{
	struct info f = { .arena = o->arena, .is_json = o->is_json };
	if (!o->model) {
		fprintf(stderr, "sinter info: needs a model\n");
		return SN_ERR_USAGE;
	}
	sn_buf_init(&f.out, o->arena);
	if (o->is_json)
		sn_buf_add(&f.out, "{");
	int code = is_package(o->model) ? info_package(o, &f) : info_model(o, &f);
	if (code == SN_OK && is_program_device(o->device) && !is_package(o->model))
		code = info_device(o, &f);
	if (o->is_json)
		sn_buf_add(&f.out, "\n}\n");
	if (code == SN_OK)
		fputs(f.out.text, stdout);
	return code;
}
