/*
 * Texts with a few bytes changed at random: what still parses prints and parses back, what is legal
 * stays legal through the passes and computes the same bits.
 */
#include "tests/unit/unit.h"
#include <string.h>
#include "passes/loop_passes.h"
#include "tests/unit/loop_fixture.h"

enum { ROUNDS = 20000, TEXT_MOST = 1024, ELEMENTS = 64, COST_MOST = 20000 };

static const char *const seeds[] = {
	"func k[N in 1..9](const f32 x[16*N], const f16 w[64], f32 y[64] alias align 64)"
	" @ Conv 3 \"c\" { parallel i < N { alloc reg f32 acc[2, 16]\n"
	"unrolled p < 2 { vector l < 16 { acc[p, l] = 0.0 } } serial k < 4 { load a = x[i*16+k]\n"
	"vector l < 16 { load b = w[k*16+l] load c = acc[1, l] acc[1, l] = mac(a, f32(b), c) } }\n"
	"load v = acc[1, 0 : 16] let t = i//3*2+i%3\n"
	"if t < 4 { y[t] = lane_sum(v) } else { y[0 : 8 active 5] = 1.5 } } }",
	"func k(f32 y[64]) { grid g < 2 { alloc shared f32 s[8]\n"
	"item t < 8 { let own = f32(t) serial k < 2 { s[t] = own barrier load a = s[7-t]\n"
	"y[k*16+g*8+t] = select(a < 1.0, a, max(own, sqrt(a))) barrier } } } }",
	"func k(const f32 x[64], const u8 z[64], f32 y[64]) { serial h < 3 { serial w < 4 {\n"
	"vector l < 5 { load a = x[16*h+4*w+l] load b = z[2*l+w] let c = a*a + f32(b)\n"
	"y[20*h+5*w+l] = exp(c) + c*a + f32(l) } } } }",
};

struct random {
	uint32_t state;
};

static size_t
below(struct random *r, size_t n)
{
	r->state = r->state * 1664525u + 1013904223u;
	return (r->state >> 8) % n;
}

/* One byte copied from elsewhere, a stretch copied, or a stretch cut out. */
static void
mutate(struct random *r, char *text)
{
	size_t len = strlen(text), at = below(r, len), from = below(r, len), n = 1 + below(r, 8);

	if (at + n >= len || from + n >= len)
		return;
	switch (below(r, 3)) {
	case 0: text[at] = text[from]; break;
	case 1: memmove(text + at, text + from, n); break;
	default: memmove(text + at, text + at + n, len - at - n + 1); break;
	}
}

/* About how many statements B runs. */
static int64_t
cost(const struct sn_block *b)
{
	int64_t n = 1, extent;

	for (const struct sn_stmt *s = b->first; s && n < COST_MOST; s = s->next) {
		if (s->kind == ST_FOR && !sn_get_int(s->loop.axis->extent, &extent))
			extent = 40;
		if (s->kind == ST_FOR && extent > 0)
			n += extent < 1000 ? extent * cost(&s->loop.body) : COST_MOST;
		else if (s->kind == ST_IF)
			n += cost(&s->cond.then) + cost(&s->cond.otherwise);
		else
			n++;
	}
	return n;
}

/* All parameters hold values; those of the last are copied to OUT. */
static bool
run(struct sn_arena *a, const struct sn_func *f, unsigned char *out, struct sn_diags *d)
{
	void *args[16];
	size_t counts[16], n = f->params.n;
	bool init[16];
	int64_t syms[4] = { 3, 3, 3, 3 };

	for (size_t i = 0; i < n; i++) {
		enum sn_dtype t = f->params.v[i]->dtype;

		args[i] = sn_alloc(a, 16 * ELEMENTS);
		counts[i] = ELEMENTS;
		init[i] = true;
		for (int k = 0; k < ELEMENTS; k++)
			sn_dtype_store(t, args[i], (size_t)k,
				       sn_is_float(t) ? (union sn_num){ .f = k / 4.0 - 3 }
						      : (union sn_num){ .i = k });
	}
	bool is_good = sn_func_interp(f, &(struct sn_func_run){ args, counts, init, syms, false },
				      a, d);

	memcpy(out, args[n - 1], 8 * ELEMENTS);
	return is_good;
}

static void
check_passes(struct sn_arena *a, struct sn_func *f)
{
	struct sn_diags d;
	unsigned char before[8 * ELEMENTS], after[8 * ELEMENTS];

	sn_diags_init(&d, a);
	if (f->params.n == 0 || f->params.n > 16 || !sn_func_verify(f, &d))
		return;
	bool has_run = cost(&f->body) < COST_MOST && run(a, f, before, &d);

	sn_diags_init(&d, a);
	sn_vectorize_func(f, NULL, a);
	assert_true(sn_func_verify(f, &d));
	sn_hoist_invariants_func(f, a);
	assert_true(sn_func_verify(f, &d));
	if (has_run) {
		assert_true(run(a, f, after, &d));
		assert_memory_equal(before, after, sizeof(before));
	}
}

/* True if TEXT parses. */
static bool
check_text(struct sn_arena *a, const char *text)
{
	struct sn_pool p, q;
	struct sn_diags d;

	sn_pool_init(&p, a);
	sn_pool_init(&q, a);
	sn_diags_init(&d, a);
	struct sn_func *f = sn_func_parse(text, "x", a, &p, &d);

	if (!f)
		return false;
	const char *printed = print(a, f);
	struct sn_func *g = sn_func_parse(printed, "x", a, &q, &d);

	assert_non_null(g);
	assert_string_equal(print(a, g), printed);
	check_passes(a, f);
	return true;
}

static void
test_mutated(void **state)
{
	int nparsed = 0;

	(void)state;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct random r = { i * 7919u + 1 };
		struct sn_arena a;
		char text[TEXT_MOST];

		sn_arena_init(&a, NULL);
		memcpy(text, seeds[i % ARRAY_LEN(seeds)], strlen(seeds[i % ARRAY_LEN(seeds)]) + 1);
		for (size_t k = 1 + below(&r, 3); k > 0; k--)
			mutate(&r, text);
		nparsed += check_text(&a, text);
		sn_arena_release(&a);
	}
	assert_true(nparsed > ROUNDS / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_mutated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
