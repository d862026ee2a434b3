/*
 * For tests of the printer: every scalar operation on every type that has it, values at the edges of
 * the types, and the comparison with the definition (sn_scalar_eval).
 */
#ifndef TESTS_UNIT_SCALAR_JOBS_H
#define TESTS_UNIT_SCALAR_JOBS_H

#include "ir/expr.h"
#include "support/vec.h"

enum { JOB_VALUES = 24, JOB_N = JOB_VALUES * JOB_VALUES };

/* One function under test: OP on T, giving RESULT. */
struct job {
	enum sn_scalar_op op;
	enum sn_dtype t, result;
	int lanes;
	const char *name;
};
struct jobs {
	SN_VEC(struct job) list;
};

void jobs_list(struct jobs *j, struct sn_arena *a, int lanes);

/* Operand K of element I of all JOB_N. */
union sn_num job_operand(enum sn_dtype t, int k, int i);

/* Operands that the job reads. */
int job_arity(const struct job *j);
const struct sn_expr *
job_apply(struct sn_pool *p, const struct job *j, const struct sn_expr *const *x);

/* Fails the test if an element of GOT, from FIRST on, is another than the definition says. */
void job_check(const struct job *j, const void *got, size_t first);

#endif
