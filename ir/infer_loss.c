/*
 * Inference of losses: scores [N, C, ...] against targets [N, ...].
 */
#include <string.h>
#include "ir/infer_help.h"

bool
sn_infer_nll_loss(struct sn_infer *c, struct sn_node *n)
{
	const struct sn_type *x = sn_in_type(n, 0);
	struct sn_type t = *x;
	const char *reduction = sn_attrs(n, loss)->reduction;
	bool is_none = strcmp(reduction, "none") == 0;
	if (!is_none && strcmp(reduction, "sum") != 0 && strcmp(reduction, "mean") != 0)
		return SN_INFER_ERROR(c, n, DG_ATTR, "reduction", "must be none, sum or mean");
	if (!sn_infer_check_rank(c, n, 0, 2, SN_MAX_RANK)
	    || !sn_infer_check_rank(c, n, 1, x->rank - 1, x->rank - 1)
	    || !sn_infer_check_dims(c, n, 0, 0, 1, 0) || !sn_infer_check_rank(c, n, 2, 1, 1))
		return false;
	for (int i = 2; i < x->rank; i++)
		if (!sn_infer_check_dims(c, n, 0, i, 1, i - 1))
			return false;
	if (sn_in(n, 2) && !sn_infer_check_dims(c, n, 2, 0, 0, 1))
		return false;
	t.rank = is_none ? x->rank - 1 : 0;
	for (int i = 1; i < t.rank; i++)
		t.dims[i] = x->dims[i + 1];
	return sn_infer_set(c, n, 0, &t);
}

bool
sn_infer_softmax_loss(struct sn_infer *c, struct sn_node *n)
{
	return sn_infer_nll_loss(c, n) && sn_infer_set(c, n, 1, sn_in_type(n, 0));
}
