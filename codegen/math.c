/*
 * Mathematical functions as expressions, printed for the types they are used with.
 */
#include "codegen/print.h"

bool
sn_math_helper(struct sn_printer *p, enum sn_scalar_op op, struct sn_ty ty, const char **out_name)
{
	(void)p;
	(void)op;
	(void)ty;
	(void)out_name;
	return false;
}
