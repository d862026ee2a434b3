/* sinter dot: pictures of a model. */
#include "cli/command.h"
int
cmd_dot(struct options *o)
{
	(void)o;
	return SN_ERR_USAGE;
}
