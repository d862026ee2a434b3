/* Growing arrays: room for one more element, by doubling. */
#include <string.h>
#include "support/vec.h"

void
sn_vec_room(struct sn_arena *a, void **v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return;
	size_t wider = *cap ? *cap * 2 : 4;
	void *grown = sn_alloc_array(a, wider, size);
	/* v is really a T **: copied as bytes, since a T * may not be read as a void *. */
	void *old;
	memcpy(&old, v, sizeof(old));
	if (n)
		memcpy(grown, old, n * size);
	memcpy(v, &grown, sizeof(grown));
	*cap = wider;
}
