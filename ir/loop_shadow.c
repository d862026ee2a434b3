/*
 * Shadow memory of the loop interpreter: which elements hold values, and
 * which iterations touched them.
 */
#include "ir/loop_run.h"

struct sn_mem *
sn_mem_new(struct sn_arena *a, const struct sn_buffer *buf)
{
	struct sn_mem *m = SN_NEW(a, struct sn_mem);

	m->buffer = buf;
	m->count = buf->lanes;
	for (int i = 0; i < buf->rank; i++) {
		if (!sn_get_int(buf->dims[i], &m->dims[i]) || m->dims[i] < 0)
			sn_bug(a->guard, "extent of buffer '%s' is not a number", buf->name);
		if (__builtin_mul_overflow(m->count, m->dims[i], &m->count))
			sn_bug(a->guard, "buffer '%s' is too large", buf->name);
	}
	m->bytes = sn_alloc(a, sn_dtype_bytes(buf->dtype, (size_t)m->count));
	m->shadow = SN_NEW_ARRAY(a, (size_t)m->count, struct sn_shadow);
	return m;
}

/* Did another iteration or item do what S says in M, with nothing in between that orders it? */
static bool
is_concurrent(const struct sn_mem *m, struct sn_stamp s, const struct sn_clock *c)
{
	uint64_t met = c->met[m->buffer->space == SP_SHARED];

	if (s.time == 0)
		return false;
	for (int i = 0; i < c->n; i++)
		if (s.time >= c->levels[i].start && s.time < c->levels[i].iteration)
			return true;
	return c->item && s.time >= met && s.item != c->item;
}

enum sn_fault
sn_shadow_load(const struct sn_mem *m, int64_t i, const struct sn_clock *c)
{
	struct sn_shadow *s = &m->shadow[i];
	struct sn_stamp now = { c->now, c->item };

	if (s->load.time != now.time || s->load.item != now.item) {
		s->other = s->load;
		s->load = now;
	}
	if (s->first.time == 0)
		s->first = now;
	if (!s->is_init)
		return FAULT_UNINIT;
	return is_concurrent(m, s->store, c) ? FAULT_RACE : FAULT_NONE;
}

enum sn_fault
sn_shadow_store(const struct sn_mem *m, int64_t i, const struct sn_clock *c)
{
	struct sn_shadow *s = &m->shadow[i];
	bool is_race = is_concurrent(m, s->store, c) || is_concurrent(m, s->load, c)
		       || is_concurrent(m, s->other, c) || is_concurrent(m, s->first, c);

	*s = (struct sn_shadow){ .store = { c->now, c->item }, .is_init = true };
	return is_race ? FAULT_RACE : FAULT_NONE;
}
