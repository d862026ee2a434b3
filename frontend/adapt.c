/*
 * Adapters: the table's driver, and the small vocabulary that adapters share.
 */
#include <string.h>
#include "frontend/adapt.h"
#include "ir/infer.h"

struct adapter {
	const char *type;
	int before;
	bool (*fn)(struct sn_raw_node *n);
};

static const struct adapter adapters[] = {
#define ADAPT(type, before, name) { type, before, sn_adapt_##name },
#include "frontend/adapt.def"
#undef ADAPT
};

/* The oldest row that is still ahead of N. */
static const struct adapter *
next_adapter(const struct sn_raw_node *n)
{
	const struct adapter *best = NULL;
	for (size_t i = 0; i < ARRAY_LEN(adapters); i++) {
		const struct adapter *a = &adapters[i];
		if (a->before > n->version && strcmp(a->type, n->type) == 0
		    && (!best || a->before < best->before))
			best = a;
	}
	return best;
}

bool
sn_adapt(struct sn_raw_node *n)
{
	const struct adapter *a;
	if (*n->domain)
		return true;
	if (n->version < 6) /* a hint about memory that many operators once had */
		sn_raw_drop(n, "consumed_inputs");
	while ((a = next_adapter(n))) {
		if (!a->fn(n))
			return false;
		n->version = a->before;
	}
	return true;
}

bool
sn_raw_refuse(const struct sn_raw_node *n, const char *why)
{
	return sn_report(n->scope->reader->diags, sn_raw_where(n), DG_OLD_FORM, n->opset, why);
}

/* ---- attributes ---- */

struct sn_raw_attr *
sn_raw_attr(const struct sn_raw_node *n, const char *name)
{
	for (size_t i = 0; i < n->attrs.n; i++)
		if (strcmp(n->attrs.v[i].name, name) == 0)
			return &n->attrs.v[i];
	return NULL;
}

int64_t
sn_raw_int(const struct sn_raw_node *n, const char *name, int64_t def)
{
	const struct sn_raw_attr *a = sn_raw_attr(n, name);
	return a && a->kind == RA_INT ? a->i : def;
}

const char *
sn_raw_str(const struct sn_raw_node *n, const char *name)
{
	const struct sn_raw_attr *a = sn_raw_attr(n, name);
	return a && a->kind == RA_STRING ? a->s : NULL;
}

void
sn_raw_drop(struct sn_raw_node *n, const char *name)
{
	struct sn_raw_attr *a = sn_raw_attr(n, name);
	if (!a)
		return;
	struct sn_raw_attr *last = &n->attrs.v[--n->attrs.n];
	memmove(a, a + 1, (size_t)(last - a) * sizeof(*a));
}

void
sn_raw_drop_all(struct sn_raw_node *n)
{
	n->attrs.n = 0;
}

static struct sn_raw_attr *
set(struct sn_raw_node *n, const char *name, enum sn_raw_kind kind)
{
	struct sn_raw_attr *a = sn_raw_attr(n, name);
	if (!a) {
		struct sn_raw_attr fresh = { .name = name, .scope = n->scope };
		SN_PUSH(n->scope->reader->scratch, &n->attrs, fresh);
		a = &n->attrs.v[n->attrs.n - 1];
	}
	a->kind = kind;
	return a;
}

void
sn_raw_set_int(struct sn_raw_node *n, const char *name, int64_t x)
{
	set(n, name, RA_INT)->i = x;
}

void
sn_raw_set_float(struct sn_raw_node *n, const char *name, float x)
{
	set(n, name, RA_FLOAT)->f = x;
}

void
sn_raw_set_str(struct sn_raw_node *n, const char *name, const char *s)
{
	set(n, name, RA_STRING)->s = s;
}

/* ---- operands ---- */

struct sn_value *
sn_raw_in(const struct sn_raw_node *n, size_t i)
{
	return i < n->in.n ? n->in.v[i] : NULL;
}

void
sn_raw_set_in(struct sn_raw_node *n, size_t i, struct sn_value *v)
{
	while (n->in.n <= i)
		SN_PUSH(n->scope->reader->scratch, &n->in, (struct sn_value *)NULL);
	n->in.v[i] = v;
	while (n->in.n && !n->in.v[n->in.n - 1])
		n->in.n--;
}

bool
sn_raw_wants(const struct sn_raw_node *n, size_t result)
{
	return result < n->out.n && *n->out.v[result];
}

/* ---- constants and nodes ---- */

struct sn_value *
sn_raw_const(struct sn_raw_node *n, enum sn_dtype t, int rank, int64_t count, const union sn_num *x)
{
	struct sn_reader *r = n->scope->reader;
	void *bytes;
	struct sn_data *d = sn_data_new(r->arena, t, (size_t)count, &bytes);
	for (int64_t i = 0; i < count; i++)
		sn_dtype_store(t, bytes, (size_t)i, x[i]);
	struct sn_type type = sn_tensor_type(r->pool, t, rank, &count);
	return sn_graph_add_const(n->scope->graph, NULL, &type, d);
}

struct sn_value *
sn_raw_ints(struct sn_raw_node *n, const int64_t *x, int count)
{
	union sn_num *list = SN_NEW_ARRAY(n->scope->reader->scratch, (size_t)count, union sn_num);
	for (int i = 0; i < count; i++)
		list[i].i = x[i];
	return sn_raw_const(n, DT_I64, 1, count, list);
}

struct sn_value *
sn_raw_take(struct sn_raw_node *n, const char *name)
{
	const struct sn_raw_attr *a = sn_raw_attr(n, name);
	struct sn_value *v = NULL;
	if (!a || (a->kind != RA_FLOATS && a->kind != RA_INT && a->kind != RA_INTS))
		return NULL;
	if (a->kind == RA_FLOATS) {
		struct sn_arena *scratch = n->scope->reader->scratch;
		union sn_num *x = SN_NEW_ARRAY(scratch, (size_t)a->floats.n, union sn_num);
		for (int i = 0; i < a->floats.n; i++)
			x[i].f = (double)a->floats.v[i];
		v = sn_raw_const(n, DT_F32, 1, a->floats.n, x);
	} else if (a->kind == RA_INT) {
		v = sn_raw_ints(n, &a->i, 1);
	} else {
		v = sn_raw_ints(n, a->ints.v, a->ints.n);
	}
	sn_raw_drop(n, name);
	return v;
}

struct sn_node *
sn_raw_emit(struct sn_raw_node *n, enum sn_graph_op op, struct sn_value *const *in, int nin)
{
	return sn_node_new(n->scope->graph, op, in, nin, 1, n->origin);
}

/* Infers what stands before N and is not known yet; what is wrong there is reported later, when
 * the whole graph is inferred. */
static void
infer_so_far(struct sn_raw_node *n)
{
	struct sn_scope *s = n->scope;
	struct sn_diags unheard;
	sn_diags_init(&unheard, s->reader->scratch);
	struct sn_infer c = {
		.graph = s->graph,
		.pool = s->graph->pool,
		.arena = s->graph->arena,
		.diags = &unheard,
	};
	struct sn_node *node = s->inferred ? s->inferred->next : s->graph->first;
	for (; node; node = node->next) {
		if (node->nout && node->out[0] && node->out[0]->type.dtype == DT_NONE)
			sn_infer_node(&c, node);
		s->inferred = node;
	}
}

const struct sn_type *
sn_raw_type(struct sn_raw_node *n, struct sn_value *v)
{
	if (v->def && v->def->graph == n->scope->graph && v->type.rank < 0)
		infer_so_far(n);
	return &v->type;
}
