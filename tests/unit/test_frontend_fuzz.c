/*
 * A short run of the fuzz target on seeded mutations of a model that has a bit of
 * everything; the long runs are libFuzzer's (tests/fuzz).
 */
#include "tests/fuzz/fuzz_onnx.h"
#include "tests/unit/onnx_bytes.h"
#include "tests/unit/unit.h"

enum { MUTATIONS = 12000 };

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

static void
add_function(struct sn_arena *a, bytes *m)
{
	bytes f = pb_new(a), n = onnx_node(a, "LeakyRelu", "a", "c"),
	      ref = onnx_attr(a, "alpha", 1);
	pb_text(&ref, 21, "slope");
	pb_message(&n, 5, ref);
	pb_text(&f, 1, "leaky");
	pb_list(&f, 4, "a,b");
	pb_list(&f, 5, "c");
	pb_text(&f, 6, "slope");
	pb_text(&f, 10, "my");
	pb_message(&f, 7, n);
	onnx_opset(&f, 9, "", 13);
	onnx_opset(m, 8, "my", 1);
	pb_message(m, 25, f);
}

static void
add_constants(struct sn_arena *a, bytes *g)
{
	char raw[256];
	memset(raw, 1, sizeof(raw));
	bytes typed = onnx_tensor(a, "t", ONNX_I64, "3", NULL, 0), list = pb_new(a);
	for (int i = 0; i < 3; i++)
		pb_varint(&list, (uint64_t)(i - 1));
	pb_message(&typed, 7, list);
	pb_message(g, 5, onnx_tensor(a, "w", ONNX_F32, "8,8", raw, 256));
	pb_message(g, 5, typed);
	bytes s = pb_new(a);
	const int64_t at[] = { 0, 3 };
	pb_message(&s, 1, onnx_tensor(a, "sp", ONNX_F32, "2", raw, 8));
	pb_message(&s, 2, onnx_tensor(a, "", ONNX_I64, "2", at, 16));
	pb_ints(&s, 3, "4");
	pb_message(g, 15, s);
}

static bytes
seed(struct sn_arena *a, int opset)
{
	bytes g = pb_new(a), n, body = pb_new(a), attr;
	pb_message(&g, 11, onnx_value(a, "x", ONNX_F32, "N,8"));
	add_constants(a, &g);
	pb_message(&g, 1, onnx_node(a, "MatMul", "x,w", "h"));
	n = onnx_node(a, "Softmax", "h", "k");
	onnx_attr_int(&n, "axis", 0);
	pb_message(&g, 1, n);
	n = onnx_node(a, "Clip", "k", "l");
	onnx_attr_float(&n, "min", 0);
	pb_message(&g, 1, n);
	n = onnx_node(a, "ReduceSum", "l", "q");
	onnx_attr_ints(&n, "axes", "1,0");
	pb_message(&g, 1, n);
	n = onnx_node(a, "leaky", "l,", "r");
	pb_text(&n, 7, "my");
	onnx_attr_float(&n, "slope", 0.25f);
	pb_message(&g, 1, n);
	n = onnx_node(a, "If", "q", "y");
	pb_message(&body, 1, onnx_node(a, "Relu", "r", "s"));
	pb_message(&body, 12, onnx_value(a, "s", ONNX_F32, "N"));
	attr = onnx_attr(a, "then_branch", 5);
	pb_message(&attr, 6, body);
	pb_message(&n, 5, attr);
	pb_message(&g, 1, n);
	pb_message(&g, 12, onnx_value(a, "r", ONNX_F32, "N,8"));
	bytes m = onnx_model(a, g, opset);
	add_function(a, &m);
	return m;
}

/* One to four changes; TO has room for twice the bytes. */
static size_t
mutate(uint8_t *to, size_t n, uint64_t *random)
{
	for (uint64_t k = 1 + next_random(random) % 4; k > 0 && n > 1; k--) {
		size_t at = next_random(random) % n, len = 1 + next_random(random) % 8;
		size_t from = next_random(random) % n;
		if (len > n - at)
			len = n - at;
		switch (next_random(random) % 6) {
		case 0: to[at] ^= (uint8_t)(1 << next_random(random) % 8); break;
		case 1: to[at] = (uint8_t)next_random(random); break;
		case 2: /* numbers at the edge */
			memset(to + at, next_random(random) % 2 ? 0xff : 0x80, len);
			break;
		case 3: n = next_random(random) % 8 ? n : at + 1; break;
		case 4:
			memmove(to + at, to + at + len, n - at - len);
			n -= len;
			break;
		default:
			if (len > n - from)
				len = n - from;
			memmove(to + at + len, to + at, n - at);
			memmove(to + at, to + from, len);
			n += len;
		}
	}
	return n;
}

static void
survives_mutations(void **state)
{
	uint64_t random = 0x9e3779b97f4a7c15u;
	const bytes seeds[] = { seed(*state, 11), seed(*state, 13), seed(*state, 6) };
	for (int i = 0; i < MUTATIONS; i++) {
		const bytes *s = &seeds[i % (int)ARRAY_LEN(seeds)];
		uint8_t *copy = malloc(s->len + 64);
		assert_non_null(copy);
		memcpy(copy, s->text, s->len);
		size_t n = mutate(copy, s->len, &random);
		uint8_t *exact = malloc(n + !n); /* the address sanitizer sees its end */
		assert_non_null(exact);
		memcpy(exact, copy, n);
		fuzz_onnx(exact, n);
		free(exact);
		free(copy);
	}
}

/* Memory may run out at every single allocation. */
static void
survives_failing_allocations(void **state)
{
	bytes m = seed(*state, 11);
	size_t used = fuzz_import(m.text, m.len, FUZZ_BUDGET);
	assert_true(used > 10000);
	for (size_t budget = 1; budget < used; budget += 97)
		fuzz_import(m.text, m.len, budget);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(survives_mutations),
		UNIT_TEST(survives_failing_allocations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
