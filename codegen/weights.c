/*
 * Constants in their layouts, in order of memory: what the weights file holds.
 *
 * A layout is a nest of parts, outermost first; walking the nest meets the
 * elements in the order in which they are stored.  The innermost part is
 * copied as a run, so that no index expression is evaluated for an element.
 */
#include <string.h>
#include "codegen/weights.h"
#include "ir/layout.h"

enum { BLOCK = 1 << 16 };

/* One loop of the nest: the part's values V stand for coordinates V * div. */
struct part {
	int axis;
	int64_t n, div;
	int64_t src; /* elements of the source from one value to the next */
};

struct packer {
	const struct sn_tensor *tensor;
	int bits;
	bool (*put)(void *arg, const void *bytes, size_t n);
	void *arg;
	int nparts;
	struct part parts[SN_MAX_PARTS];
	int64_t dims[SN_MAX_RANK];  /* of the source */
	int64_t coord[SN_MAX_RANK]; /* present logical index, may be outside */
	unsigned char fill[16];
	unsigned char *block;
	size_t n; /* elements in block */
	size_t room;
	bool is_ok;
};

static void
flush(struct packer *p)
{
	if (p->n && p->is_ok)
		p->is_ok = p->put(p->arg, p->block, sn_dtype_bytes(p->tensor->type.dtype, p->n));
	p->n = 0;
}

/* N elements from SRC, STRIDE apart, all of a fixed size. */
#define DEFINE_COPY(size) \
	static void copy##size(unsigned char *dst, const unsigned char *src, int64_t n, \
			       int64_t stride) \
	{ \
		for (int64_t i = 0; i < n; i++) \
			memcpy(dst + i * size, src + i * stride * size, size); \
	}
DEFINE_COPY(1)
DEFINE_COPY(2)
DEFINE_COPY(4)
DEFINE_COPY(8)
DEFINE_COPY(16)

static void
copy_small(struct packer *p, const void *src, int64_t first, int64_t n, int64_t stride)
{
	enum sn_dtype t = p->tensor->type.dtype;

	for (int64_t i = 0; i < n; i++)
		sn_dtype_store(t, p->block, p->n + (size_t)i,
			       sn_dtype_load(t, src, (size_t)(first + i * stride)));
}

static void
copy(struct packer *p, int64_t first, int64_t n, int64_t stride)
{
	const unsigned char *src = p->tensor->data->bytes;
	size_t size = (size_t)p->bits / 8;
	unsigned char *dst = p->block + p->n * size;

	if (stride == 1 && size) {
		memcpy(dst, src + (size_t)first * size, (size_t)n * size);
		return;
	}
	switch (p->bits) {
	case 8: copy1(dst, src + first, n, stride); break;
	case 16: copy2(dst, src + first * 2, n, stride); break;
	case 32: copy4(dst, src + first * 4, n, stride); break;
	case 64: copy8(dst, src + first * 8, n, stride); break;
	case 128: copy16(dst, src + first * 16, n, stride); break;
	default: copy_small(p, src, first, n, stride);
	}
}

/* N elements from FIRST on (ignored when not IS_DATA: then the fill value), block by block. */
static void
run(struct packer *p, bool is_data, int64_t first, int64_t n, int64_t stride)
{
	while (n > 0) {
		int64_t room = (int64_t)(p->room - p->n), now = n < room ? n : room;

		if (is_data) {
			copy(p, first, now, stride);
		} else if (p->bits < 8) {
			for (int64_t i = 0; i < now; i++)
				sn_dtype_store(p->tensor->type.dtype, p->block, p->n + (size_t)i,
					       sn_dtype_load(p->tensor->type.dtype, p->fill, 0));
		} else {
			size_t size = (size_t)p->bits / 8;

			for (int64_t i = 0; i < now; i++)
				memcpy(p->block + (p->n + (size_t)i) * size, p->fill, size);
		}
		p->n += (size_t)now;
		first += now * stride;
		n -= now;
		if (p->n == p->room)
			flush(p);
	}
}

static bool
is_inside(const struct packer *p, int but)
{
	for (int d = 0; d < p->tensor->type.rank; d++)
		if (d != but && (p->coord[d] < 0 || p->coord[d] >= p->dims[d]))
			return false;
	return true;
}

/* The innermost part: fill, data, fill. */
static void
innermost(struct packer *p, const struct part *k, int64_t first)
{
	int64_t c = p->coord[k->axis], dim = p->dims[k->axis];
	int64_t lo = c >= 0 ? 0 : (-c + k->div - 1) / k->div;
	int64_t hi = c >= dim ? 0 : (dim - c + k->div - 1) / k->div;

	lo = lo > k->n ? k->n : lo;
	hi = hi > k->n ? k->n : hi < lo ? lo : hi;
	if (!is_inside(p, k->axis))
		lo = hi = k->n;
	run(p, false, 0, lo, 0);
	run(p, true, first + lo * k->src, hi - lo, k->src);
	run(p, false, 0, k->n - hi, 0);
}

/* Walks part I and those inside it; FIRST: source element at the present coordinates. */
static void
walk(struct packer *p, int i, int64_t first)
{
	const struct part *k = &p->parts[i];

	if (i == p->nparts - 1) {
		innermost(p, k, first);
		return;
	}
	int64_t start = p->coord[k->axis];

	for (int64_t v = 0; v < k->n && p->is_ok; v++) {
		walk(p, i + 1, first + v * k->src);
		p->coord[k->axis] += k->div;
	}
	p->coord[k->axis] = start;
}

static int64_t
number(const struct sn_tensor *t, const struct sn_expr *e, struct sn_pool *pool)
{
	int64_t x = 0;

	if (!sn_get_int(e, &x))
		sn_bug(pool->arena->guard, "constant '%s' with a size that is not a number",
		       t->name);
	return x;
}

/* The nest of layout L; its parts must lie densely inside one another. Returns the first element. */
static int64_t
set_parts(struct packer *p, struct sn_pool *pool, const struct sn_layout *l)
{
	const struct sn_tensor *t = p->tensor;
	int64_t strides[SN_MAX_RANK], stride = 1, first = 0;

	for (int d = t->type.rank - 1; d >= 0; d--) {
		p->dims[d] = number(t, t->type.dims[d], pool);
		strides[d] = t->data->is_splat ? 0 : stride;
		stride *= p->dims[d];
		p->coord[d] = -l->halo_lo[d];
		first -= l->halo_lo[d] * strides[d];
	}
	stride = 1;
	p->nparts = l->nparts;
	for (int i = l->nparts - 1; i >= 0; i--) {
		const struct sn_layout_part *q = &l->parts[i];
		int64_t extent = number(t, l->extent[q->axis], pool),
			n = (extent + q->div - 1) / q->div;

		p->parts[i] = (struct part){ q->axis, q->mod && q->mod < n ? q->mod : n, q->div,
					     q->div * strides[q->axis] };
		if (number(t, q->stride, pool) != stride && p->parts[i].n > 1)
			sn_bug(pool->arena->guard, "constant '%s' has a layout with gaps", t->name);
		stride *= q->mod ? q->mod : n;
		p->parts[i].n = q->mod ? q->mod : n;
	}
	return first;
}

/* ---- the file ---- */

static const uint64_t prime = 0x9e3779b97f4a7c15u;

void
sn_weights_hash_init(struct sn_weights_hash *h)
{
	*h = (struct sn_weights_hash){ 0 };
	for (unsigned i = 0; i < 8; i++)
		h->lane[i] = i + 1;
}

static void
hash_line(struct sn_weights_hash *h, const unsigned char *line)
{
	for (int i = 0; i < 8; i++) {
		uint64_t w;

		memcpy(&w, line + 8 * i, 8);
		h->lane[i] = (h->lane[i] ^ w) * prime;
		h->lane[i] ^= h->lane[i] >> 32;
	}
}

void
sn_weights_hash_add(struct sn_weights_hash *h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	h->bytes += n;
	if (h->npending) {
		size_t now = 64 - h->npending < n ? 64 - h->npending : n;

		memcpy(h->pending + h->npending, p, now);
		h->npending += now;
		p += now;
		n -= now;
		if (h->npending < 64)
			return;
		hash_line(h, h->pending);
		h->npending = 0;
	}
	for (; n >= 64; n -= 64, p += 64)
		hash_line(h, p);
	memcpy(h->pending, p, n);
	h->npending = n;
}

uint64_t
sn_weights_hash_end(const struct sn_weights_hash *h)
{
	uint64_t r = h->bytes;

	for (int i = 0; i < 8; i++) {
		r = (r ^ h->lane[i]) * prime;
		r ^= r >> 32;
	}
	return r;
}

bool
sn_weights_pack(const struct sn_tensor *t, struct sn_pool *pool,
		bool (*put)(void *arg, const void *bytes, size_t n), void *arg)
{
	const struct sn_layout *l = sn_layout_of(pool, t);
	int64_t size = number(t, l->size, pool);
	unsigned char block[BLOCK + 16];
	struct packer p = {
		.tensor = t,
		.bits = sn_dtype_info(t->type.dtype)->bits,
		.put = put,
		.arg = arg,
		.block = block,
		.is_ok = true,
	};

	if (size == 0)
		return true;
	p.room = (size_t)BLOCK * 8 / (size_t)p.bits;
	if (l->has_fill)
		sn_dtype_store(t->type.dtype, p.fill, 0, l->fill);
	int64_t first = set_parts(&p, pool, l);

	if (p.nparts == 0)
		run(&p, true, 0, 1, 0);
	else
		walk(&p, 0, first);
	flush(&p);
	return p.is_ok;
}
