/*
 * Inside of the loop interpreter: memory with its shadow, and expressions as lists of instructions.
 */
#ifndef IR_LOOP_RUN_H
#define IR_LOOP_RUN_H

#include "ir/loop.h"

/* When, and by which work-item, something was done; time 0: never. */
struct sn_stamp {
	uint64_t time;
	uint32_t item;
};

/* What is known of one element. */
struct sn_shadow {
	struct sn_stamp store; /* the last one */
	struct sn_stamp load, other,
		first; /* since then: last, one before at another time, first */
	bool is_init;
};

/* A parameter, or one instance of a local buffer. */
struct sn_mem {
	const struct sn_buffer *buffer;
	void *bytes;
	int64_t count;	 /* elements, lanes counted */
	int64_t dims[6]; /* extents of the buffer */
	struct sn_shadow *shadow;
};

/*
 * An enclosing parallel, vector, grid or item loop.  Iterations run one after
 * the other and time counts them, so what another iteration of this very run
 * of the loop did has a time in [start, iteration).
 */
struct sn_par {
	uint64_t start, iteration;
};

struct sn_clock {
	uint64_t now;
	struct sn_par levels[64];
	int n;
	uint64_t met[2]; /* when the items last met at a barrier that orders global, or shared, memory;
			  * ~0: items don't interleave */
	uint32_t item;	  /* the item that runs, 0: none */
};

enum sn_fault { FAULT_NONE, FAULT_RACE, FAULT_UNINIT };

/* Notes an access of element I. */
enum sn_fault sn_shadow_load(const struct sn_mem *m, int64_t i, const struct sn_clock *c);
enum sn_fault sn_shadow_store(const struct sn_mem *m, int64_t i, const struct sn_clock *c);

/* Memory for one instance of BUF: uninitialised; its extents must be constants. */
struct sn_mem *sn_mem_new(struct sn_arena *a, const struct sn_buffer *buf);

/* One operation of an expression; operands and result are slots of the environment. */
struct sn_inst {
	const struct sn_expr *e;
	uint32_t out, in[3];
};

struct sn_code {
	struct sn_inst *v;
	size_t n;
	uint32_t result;
	int lanes;
};

/* Where expressions keep their values: one slot for each lane of each expression. */
struct sn_slots {
	struct sn_arena *arena;
	struct sn_map by_expr;	   /* id -> slot + 1 */
	SN_VEC(union sn_num) init; /* constants and symbols filled in */
	const int64_t *syms;
	bool is_all_f64;
};

void sn_slots_init(struct sn_slots *s, struct sn_arena *a, const struct sn_func_run *r);
uint32_t sn_slot_of(struct sn_slots *s, const struct sn_expr *e);
struct sn_code sn_code_of(struct sn_slots *s, const struct sn_expr *e);

/* Evaluates CODE over SLOTS; returns its lanes. */
const union sn_num *sn_code_run(const struct sn_code *c, union sn_num *slots, bool is_all_f64);

#endif
