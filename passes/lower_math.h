/*
 * Short forms for lowering functions, in which C is always the struct sn_lower:
 * a lowering should read like the formula in the operator's documentation.
 */
#ifndef PASSES_LOWER_MATH_H
#define PASSES_LOWER_MATH_H

#include "passes/lower.h"

typedef const struct sn_expr *sn_ex;

#define ADD(x, y) sn_op2(c->pool, OP_ADD, x, y)
#define SUB(x, y) sn_op2(c->pool, OP_SUB, x, y)
#define MUL(x, y) sn_op2(c->pool, OP_MUL, x, y)
#define DIV(x, y) sn_op2(c->pool, OP_DIV, x, y)
#define FLOORDIV(x, y) sn_op2(c->pool, OP_FLOORDIV, x, y)
#define MOD(x, y) sn_op2(c->pool, OP_MOD, x, y)
#define MIN(x, y) sn_op2(c->pool, OP_MIN, x, y)
#define MAX(x, y) sn_op2(c->pool, OP_MAX, x, y)
#define POW(x, y) sn_op2(c->pool, OP_POW, x, y)
#define AND(x, y) sn_op2(c->pool, OP_AND, x, y)
#define OR(x, y) sn_op2(c->pool, OP_OR, x, y)
#define EQ(x, y) sn_op2(c->pool, OP_EQ, x, y)
#define LT(x, y) sn_op2(c->pool, OP_LT, x, y)
#define LE(x, y) sn_op2(c->pool, OP_LE, x, y)
#define SEL(x, y, z) sn_op3(c->pool, OP_SELECT, x, y, z)
#define ABS(x) sn_op1(c->pool, OP_ABS, x)
#define NEG(x) sn_op1(c->pool, OP_NEG, x)
#define SQRT(x) sn_op1(c->pool, OP_SQRT, x)
#define EXP(x) sn_op1(c->pool, OP_EXP, x)
#define LOG(x) sn_op1(c->pool, OP_LOG, x)
#define RINT(x) sn_op1(c->pool, OP_RINT, x)
#define FLOOR(x) sn_op1(c->pool, OP_FLOOR, x)
#define CEIL(x) sn_op1(c->pool, OP_CEIL, x)
#define ISINF(x) sn_op1(c->pool, OP_ISINF, x)
#define CAST(t, x) sn_cast(c->pool, t, x)
#define INT(k) sn_int(c->pool, k)
/* The number K in the type of X. */
#define LIKE(x, k) sn_float(c->pool, (enum sn_dtype)(x)->dtype, k)
#define AXIS(m, i) sn_lower_axis(m, c->pool, i)
#define STORE(m, t, x) sn_lower_store(m, c->pool, t, x)

#endif
