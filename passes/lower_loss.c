/*
 * Lowering of losses.
 *
 *	l[n, ...] = -x[n, t[n, ...], ...] * w[t[n, ...]], 0 where t is ignore_index
 *	sum: sum(l); mean: sum(l) / sum(w)
 */
#include <string.h>
#include "ir/index.h"
#include "passes/lower_math.h"

/* One element of the targets: its loss and its weight. */
struct term {
	sn_ex loss, weight;
};

/* The term at place AT of the targets; X are the log-probabilities. */
static struct term
term_at(struct sn_lower *c, struct sn_tensor *x, const sn_ex *at)
{
	int64_t ignore = sn_attrs(c->node, loss)->ignore_index;
	struct sn_tensor *weights = sn_lower_in(c, 2);
	sn_ex idx[SN_MAX_RANK], target = CAST(DT_I64, sn_lower_read(c, sn_lower_in(c, 1), at));
	sn_ex class = ignore == INT64_MIN ? target : SEL(EQ(target, INT(ignore)), INT(0), target);
	idx[0] = at[0];
	idx[1] = sn_op2(c->pool, OP_WITHIN, class, x->type.dims[1]);
	for (int i = 2; i < x->type.rank; i++)
		idx[i] = at[i - 1];
	struct term t = { .loss = NEG(sn_lower_widen(c, sn_lower_read(c, x, idx))) };
	t.weight = weights ? sn_lower_widen(c, sn_lower_read(c, weights, &idx[1]))
			   : LIKE(t.loss, 1);
	if (ignore != INT64_MIN)
		t.weight = SEL(EQ(target, INT(ignore)), LIKE(t.weight, 0), t.weight);
	t.loss = weights || ignore != INT64_MIN ? MUL(t.loss, t.weight) : t.loss;
	if (ignore != INT64_MIN)
		t.loss = SEL(EQ(target, INT(ignore)), LIKE(t.loss, 0), t.loss);
	return t;
}

/* The sum of all losses, or of all weights, into T. */
static void
sum_stage(struct sn_lower *c, struct sn_tensor *x, bool of_weights, struct sn_tensor *t)
{
	const struct sn_type *targets = &sn_in(c->node, 1)->type;
	struct sn_comp *m = sn_lower_stage(c, NULL, 0);
	sn_ex at[SN_MAX_RANK];
	for (int i = 0; i < targets->rank; i++)
		at[i] = sn_lower_red(c, m, sn_printf(c->arena, "r%d", i), targets->dims[i]);
	struct term e = term_at(c, x, at);
	STORE(m, t, sn_lower_reduce(c, m, "sum", of_weights ? e.weight : e.loss));
}

static void
loss_of(struct sn_lower *c, struct sn_tensor *x, struct sn_tensor *y)
{
	const char *reduction = sn_attrs(c->node, loss)->reduction;
	if (strcmp(reduction, "none") == 0) {
		struct sn_comp *m = sn_lower_comp(c, &y->type);
		sn_ex at[SN_MAX_RANK];
		for (int i = 0; i < m->naxes; i++)
			at[i] = AXIS(m, i);
		STORE(m, y, term_at(c, x, at).loss);
		return;
	}
	if (strcmp(reduction, "sum") == 0) {
		sum_stage(c, x, false, y);
		return;
	}
	enum sn_dtype type = sn_lower_compute_type(x->type.dtype);
	struct sn_tensor *loss = sn_lower_temp(c, "loss", type, 0, NULL);
	struct sn_tensor *weight = sn_lower_temp(c, "weight", type, 0, NULL);
	sum_stage(c, x, false, loss);
	sum_stage(c, x, true, weight);
	struct sn_comp *m = sn_lower_stage(c, NULL, 0);
	STORE(m, y, DIV(sn_lower_read(c, loss, NULL), sn_lower_read(c, weight, NULL)));
}

bool
sn_lower_nll_loss(struct sn_lower *c)
{
	loss_of(c, sn_lower_in(c, 0), sn_lower_out(c, 0));
	return true;
}

/* The log-probabilities are a result of their own if the model wants them. */
bool
sn_lower_softmax_loss(struct sn_lower *c)
{
	struct sn_tensor *x = sn_lower_in(c, 0), *y = sn_lower_out(c, 0), *log = sn_lower_out(c, 1);
	if (!log)
		log = sn_lower_temp(c, "log", sn_lower_compute_type(x->type.dtype), x->type.rank,
				    x->type.dims);
	sn_lower_log_softmax_of(c, x, 1, log);
	c->kernel->nshared = 0; /* the loss goes another way through the axes */
	if (y)
		loss_of(c, log, y);
	return true;
}
