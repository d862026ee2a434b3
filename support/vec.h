/*
 * Growing arrays in an arena: a struct with v, n and cap, and two macros.
 *
 *	struct { struct sn_node **v; size_t n, cap; } list = {0};
 *	SN_PUSH(arena, &list, node);
 */
#ifndef SUPPORT_VEC_H
#define SUPPORT_VEC_H

#include "support/arena.h"

#define SN_VEC(type) \
	struct { \
		type *v; \
		size_t n, cap; \
	}

/* Appends one element; earlier pointers into v may go stale. */
#define SN_PUSH(arena, vec, ...) \
	(sn_vec_room((arena), (void **)&(vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v)), \
	 (vec)->v[(vec)->n++] = (__VA_ARGS__))

/* Makes room for element number N of SIZE bytes; SN_PUSH's helper. */
void sn_vec_room(struct sn_arena *a, void **v, size_t n, size_t *cap, size_t size);

#endif
