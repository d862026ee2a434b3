/*
 * Expressions of the loop interpreter: each becomes, once, a list of
 * instructions on numbered slots, operands first, so that shared parts are
 * evaluated once and deep ones need no recursion.
 */
#include <string.h>
#include "ir/loop_run.h"

void
sn_slots_init(struct sn_slots *s, struct sn_arena *a, const struct sn_func_run *r)
{
	*s = (struct sn_slots){ .arena = a, .syms = r->syms, .is_all_f64 = r->is_all_f64 };
	sn_map_init(&s->by_expr, a);
}

uint32_t
sn_slot_of(struct sn_slots *s, const struct sn_expr *e)
{
	uintptr_t slot = (uintptr_t)sn_map_get_num(&s->by_expr, e->id);

	if (slot)
		return (uint32_t)(slot - 1);
	union sn_num x = { .i = 0 };

	if (e->kind == EX_CONST)
		x = e->num;
	if (e->kind == EX_SYM && s->syms)
		x.i = s->syms[e->sym->id];
	slot = s->init.n;
	for (int i = 0; i < e->lanes; i++)
		SN_PUSH(s->arena, &s->init, x);
	sn_map_put_num(&s->by_expr, e->id, (void *)(slot + 1));
	return (uint32_t)slot;
}

struct emit {
	struct sn_slots *slots;
	SN_VEC(struct sn_inst) out;
};

static void
emit_inst(const struct sn_expr *e, void *arg)
{
	struct emit *m = arg;

	if (e->kind == EX_CONST || e->kind == EX_SYM || e->kind == EX_AXIS || e->kind == EX_LOCAL)
		return;
	if (e->kind != EX_OP || e->nargs > 3)
		sn_bug(m->slots->arena->guard, "an expression of another level in a loop");
	struct sn_inst x = { .e = e, .out = sn_slot_of(m->slots, e) };

	for (int i = 0; i < e->nargs; i++)
		x.in[i] = sn_slot_of(m->slots, e->args[i]);
	SN_PUSH(m->slots->arena, &m->out, x);
}

struct sn_code
sn_code_of(struct sn_slots *s, const struct sn_expr *e)
{
	struct emit m = { .slots = s };

	sn_expr_walk(e, s->arena, emit_inst, &m);
	return (struct sn_code){ m.out.v, m.out.n, sn_slot_of(s, e), e->lanes };
}

/* The type to compute in. */
static enum sn_dtype
carrier(enum sn_dtype t, bool is_all_f64)
{
	return is_all_f64 && sn_is_float(t) ? DT_F64 : t;
}

/* Halves are combined until one lane is left, as every dialect does. */
static union sn_num
reduce_lanes(enum sn_scalar_op op, enum sn_dtype t, const union sn_num *x, int lanes)
{
	union sn_num v[64];

	memcpy(v, x, sizeof(*x) * (size_t)lanes);
	for (int half = lanes / 2; half >= 1; half /= 2)
		for (int i = 0; i < half; i++) {
			union sn_num pair[2] = { v[i], v[i + half] };

			v[i] = sn_scalar_eval(op, t, t, pair);
		}
	return v[0];
}

/* Operations that are not lane by lane; false for all others. */
static bool
run_across_lanes(const struct sn_inst *x, union sn_num *slots, bool is_all_f64)
{
	static const struct {
		enum sn_scalar_op lane_op, op;
	} reductions[] = {
		{ OP_LANE_SUM, OP_ADD },
		{ OP_LANE_MAX, OP_MAX },
		{ OP_LANE_MIN, OP_MIN },
	};
	const struct sn_expr *e = x->e;
	enum sn_dtype t = carrier((enum sn_dtype)e->dtype, is_all_f64);

	for (size_t i = 0; i < ARRAY_LEN(reductions); i++)
		if (e->op == reductions[i].lane_op) {
			slots[x->out] = reduce_lanes(reductions[i].op, t, slots + x->in[0],
						     e->args[0]->lanes);
			return true;
		}
	if (e->op != OP_SPLAT && e->op != OP_IOTA)
		return false;
	for (int i = 0; i < e->lanes; i++) {
		union sn_num pair[2] = { slots[x->in[0]], { .i = e->op == OP_IOTA ? i : 0 } };

		if (e->op == OP_IOTA)
			pair[1] = sn_num_cast(pair[1], DT_I64, t);
		slots[x->out + (uint32_t)i] = e->op == OP_SPLAT
						      ? pair[0]
						      : sn_scalar_eval(OP_ADD, t, t, pair);
	}
	return true;
}

static void
run_inst(const struct sn_inst *x, union sn_num *slots, bool is_all_f64)
{
	const struct sn_expr *e = x->e;
	const struct sn_expr *typed = e->op == OP_SELECT ? e->args[1] : e->args[0];
	enum sn_dtype from = carrier((enum sn_dtype)typed->dtype, is_all_f64);
	enum sn_dtype to = carrier((enum sn_dtype)e->dtype, is_all_f64);

	if (e->op == OP_BITCAST) {
		from = (enum sn_dtype)typed->dtype;
		to = (enum sn_dtype)e->dtype;
	}
	if (run_across_lanes(x, slots, is_all_f64))
		return;
	for (uint32_t i = 0; i < e->lanes; i++) {
		union sn_num in[3] = { { .i = 0 } };

		for (int k = 0; k < e->nargs; k++)
			in[k] = slots[x->in[k] + (e->args[k]->lanes > 1 ? i : 0)];
		slots[x->out + i] = sn_scalar_eval((enum sn_scalar_op)e->op, from, to, in);
	}
}

const union sn_num *
sn_code_run(const struct sn_code *c, union sn_num *slots, bool is_all_f64)
{
	for (size_t i = 0; i < c->n; i++)
		run_inst(&c->v[i], slots, is_all_f64);
	return slots + c->result;
}
