/* The tensor level and the plan as a picture: a cluster per kernel, a node per stage. */
#include "ir/dot.h"

struct drawing {
	struct sn_picture pic;
	const struct sn_program *pr;
	const struct sn_plan *plan; /* or NULL */
	struct sn_map writers;	    /* by tensor id: struct writers */
	int nconsts;
};

struct writers {
	SN_VEC(int) list; /* nodes of the picture */
};

static struct writers *
writers_of(struct drawing *d, const struct sn_tensor *t)
{
	struct writers *w = sn_map_get_num(&d->writers, (uint64_t)t->id + 1);
	if (!w) {
		w = SN_NEW(d->pic.arena, struct writers);
		sn_map_put_num(&d->writers, (uint64_t)t->id + 1, w);
	}
	return w;
}

/* What a stage is, by its form alone. */
static enum sn_family
family_of(const struct sn_comp *c)
{
	if (!c->reducer)
		return c->nresults == 1 && c->results[0].value->kind == EX_READ ? FA_MOVE : FA_MAP;
	const struct sn_expr *arg = c->args[0];
	return arg && arg->kind == EX_OP && (arg->op == OP_MUL || arg->op == OP_CAST)
		       ? FA_CONTRACTION
		       : FA_REDUCTION;
}

/* "m<64, h<56, w<56 sum(c<64)" */
static const char *
stage_label(struct drawing *d, const struct sn_comp *c)
{
	struct sn_buf b;
	sn_buf_init(&b, d->pic.arena);
	for (int i = 0; i < c->naxes; i++) {
		sn_buf_addf(&b, "%s%s<", i ? ", " : "", c->axes[i]->name);
		sn_expr_print(&b, c->axes[i]->extent);
	}
	for (int i = 0; i < c->nred; i++) {
		sn_buf_addf(&b, i ? ", %s<" : "\nover %s<", c->red[i]->name);
		sn_expr_print(&b, c->red[i]->extent);
	}
	for (int i = 0; i < c->nresults; i++)
		sn_buf_addf(&b, "%s%s", i ? ", " : "\n= ", c->results[i].tensor->name);
	return b.text;
}

static const char *
tensor_label(struct drawing *d, const struct sn_tensor *t)
{
	static const char *const stores[] = { "", " view", " in place", " scratch" };
	struct sn_buf b;
	sn_buf_init(&b, d->pic.arena);
	sn_type_print(&b, &t->type);
	sn_buf_add(&b, stores[t->store]);
	if (d->plan && d->plan->is_static && t->role == TR_TEMP && d->plan->offsets[t->id] >= 0)
		sn_buf_addf(&b, " @%lld", (long long)d->plan->offsets[t->id]);
	return b.text;
}

static void
draw_read(struct drawing *d, const struct sn_tensor *t, int reader, int cluster)
{
	const char *label = tensor_label(d, t);
	if (t->role == TR_CONST) {
		const char *id = sn_printf(d->pic.arena, "c%d", d->nconsts++);
		const char *text = sn_printf(d->pic.arena, "%s\n%s", t->name, label);
		int c = sn_picture_node(&d->pic, id, text, FA_CONST, cluster);
		sn_picture_edge(&d->pic, c, reader, t->name, "");
		return;
	}
	const struct writers *w = writers_of(d, t);
	for (size_t i = 0; i < w->list.n; i++)
		if (w->list.v[i] != reader)
			sn_picture_edge(&d->pic, w->list.v[i], reader, t->name, label);
}

/* Tensors read by one stage, each once, in order. */
static void
stage_reads(struct drawing *d, const struct sn_comp *c, struct sn_tensor_list *out)
{
	struct sn_kernel one = { 0 };
	SN_PUSH(d->pic.arena, &one.stages, (struct sn_comp *)c);
	sn_kernel_reads(&one, d->pic.arena, out);
}

static void
draw_stage(struct drawing *d, const struct sn_kernel *k, size_t s, int cluster)
{
	const struct sn_comp *c = k->stages.v[s];
	const char *id = sn_printf(d->pic.arena, "k%ds%zu", k->id, s);
	int at = sn_picture_node(&d->pic, id, stage_label(d, c), family_of(c), cluster);
	struct sn_tensor_list reads = { 0 };
	stage_reads(d, c, &reads);
	for (size_t i = 0; i < reads.list.n; i++)
		draw_read(d, reads.list.v[i], at, cluster);
	for (int i = 0; i < c->nresults; i++)
		SN_PUSH(d->pic.arena, &writers_of(d, c->results[i].tensor)->list, at);
}

static void
draw_kernel(struct drawing *d, const struct sn_kernel *k, int step)
{
	static const char *const places[] = {
		[PLACE_TARGET] = "",
		[PLACE_HOST] = "\non host",
		[PLACE_TRANSFER] = "\ntransfer",
	};
	struct sn_buf b;
	int cluster = (int)d->pic.clusters.n;
	sn_buf_init(&b, d->pic.arena);
	if (step >= 0)
		sn_buf_addf(&b, "%d: ", step);
	sn_buf_addf(&b, "%s%s", k->name, places[k->place]);
	if (k->why)
		sn_buf_addf(&b, ": %s", k->why);
	if (k->schedule)
		sn_buf_addf(&b, "\n%s", k->schedule);
	for (size_t i = 0; i < k->knobs.n; i++)
		sn_buf_addf(&b, " %s=%lld", k->knobs.v[i].name, (long long)k->knobs.v[i].value);
	SN_PUSH(d->pic.arena, &d->pic.clusters, (struct sn_dot_cluster){ b.text, -1 });
	for (size_t s = 0; s < k->stages.n; s++)
		draw_stage(d, k, s, cluster);
}

static void
draw_kernels(struct drawing *d)
{
	if (!d->plan) {
		for (size_t i = 0; i < d->pr->kernels.n; i++)
			draw_kernel(d, d->pr->kernels.v[i], -1);
		return;
	}
	const struct sn_kernel *before = NULL;
	for (size_t i = 0; i < d->plan->steps.n; i++) {
		const struct sn_kernel *k = d->plan->steps.v[i].kernel;
		if (k && k != before)
			draw_kernel(d, k, (int)i);
		before = k;
	}
}

void
sn_program_dot(struct sn_buf *out, const struct sn_program *pr, const struct sn_plan *plan)
{
	struct drawing d = { .pic = { .arena = sn_arena_child(out->arena), .name = pr->name },
			     .pr = pr,
			     .plan = plan };
	sn_map_init(&d.writers, d.pic.arena);
	for (size_t i = 0; i < pr->inputs.n; i++) {
		const char *id = sn_printf(d.pic.arena, "in%zu", i);
		int at = sn_picture_node(&d.pic, id, pr->inputs.v[i]->name, FA_VALUE, -1);
		SN_PUSH(d.pic.arena, &writers_of(&d, pr->inputs.v[i])->list, at);
	}
	draw_kernels(&d);
	for (size_t i = 0; i < pr->outputs.n; i++) {
		const char *id = sn_printf(d.pic.arena, "out%zu", i);
		int at = sn_picture_node(&d.pic, id, pr->outputs.v[i]->name, FA_VALUE, -1);
		draw_read(&d, pr->outputs.v[i], at, -1);
	}
	sn_picture_print(out, &d.pic);
	sn_arena_release(d.pic.arena);
}
