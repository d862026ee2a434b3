/*
 * Layouts: every element has its own place inside the size, the text form reads
 * back, and random types and blocks keep both.
 */
#include "unit.h"
#include "ir/index.h"
#include "ir/layout.h"
#include "ir/lex.h"
#include "ir/tensor.h"

static struct sn_type
type_of(struct sn_pool *p, int rank, const int64_t *dims)
{
	struct sn_type t = { .kind = TY_TENSOR, .dtype = DT_F32, .rank = rank };

	for (int i = 0; i < rank; i++)
		t.dims[i] = sn_int(p, dims[i]);
	return t;
}

static const char *
text(struct sn_arena *a, const struct sn_layout *l)
{
	struct sn_buf out;

	sn_buf_init(&out, a);
	sn_layout_print(&out, l);
	return out.text;
}

static int64_t
number(const struct sn_expr *e)
{
	int64_t x = -1;

	assert_true(sn_get_int(e, &x));
	return x;
}

static const struct sn_layout *
parse(struct sn_arena *a, struct sn_pool *p, const struct sn_type *t, const char *s)
{
	struct sn_diags diags;
	struct sn_lex x;

	sn_diags_init(&diags, a);
	sn_lex_init(&x, s, NULL, a, &diags);
	const struct sn_layout *l = sn_layout_parse(&x, p, t);

	assert_int_equal(l == NULL, diags.errors > 0);
	return l;
}

/* Every index from -halo to dim+halo has its own offset below the size. */
static void
check_injective(struct sn_arena *a, struct sn_pool *p, const struct sn_type *t,
		const struct sn_layout *l)
{
	int64_t size = number(l->size), i[SN_MAX_RANK];
	bool *taken = SN_NEW_ARRAY(a, (size_t)size, bool);

	for (int k = 0; k < t->rank; k++)
		i[k] = -l->halo_lo[k];
	for (int k = 0; k >= 0;) {
		const struct sn_expr *idx[SN_MAX_RANK];

		for (k = 0; k < t->rank; k++)
			idx[k] = sn_int(p, i[k]);
		int64_t at = number(sn_layout_offset(p, l, idx));

		assert_in_range(at, 0, size - 1);
		assert_false(taken[at]);
		taken[at] = true;
		for (k = t->rank - 1; k >= 0; k--) {
			if (++i[k] < number(t->dims[k]) + l->halo_hi[k])
				break;
			i[k] = -l->halo_lo[k];
		}
	}
}

static void
dense_is_row_major(void **state)
{
	struct sn_pool p;

	sn_pool_init(&p, *state);
	struct sn_type t = type_of(&p, 3, (int64_t[]){ 2, 3, 4 });
	const struct sn_layout *l = sn_layout_dense(&p, &t);
	const struct sn_expr *idx[] = { sn_int(&p, 1), sn_int(&p, 2), sn_int(&p, 3) };

	assert_int_equal(number(sn_layout_offset(&p, l, idx)), 23);
	assert_int_equal(number(l->size), 24);
	assert_true(sn_layout_is_dense(&p, l, &t));
	assert_string_equal(text(*state, l), "");
	struct sn_type scalar = type_of(&p, 0, NULL);

	assert_int_equal(number(sn_layout_dense(&p, &scalar)->size), 1);
}

static void
channels_in_blocks(void **state)
{
	struct sn_pool p;
	int64_t halo[] = { 0, 0, 1, 1 };
	union sn_num zero = { .f = 0 };

	sn_pool_init(&p, *state);
	struct sn_type t = type_of(&p, 4, (int64_t[]){ 1, 20, 3, 4 });
	const struct sn_layout_blocking b = { 1, 16, halo, halo, &zero };
	const struct sn_layout *l = sn_layout_blocked(&p, &t, &b);

	assert_string_equal(text(*state, l), "{0 1/16 2+1+1 3+1+1 1%16 fill 0}");
	assert_int_equal(number(l->size), 2 * 5 * 6 * 16);
	assert_int_equal(number(l->extent[1]), 32);
	assert_false(sn_layout_is_dense(&p, l, &t));
	check_injective(*state, &p, &t, l);
	assert_true(sn_layout_equal(l, parse(*state, &p, &t, text(*state, l))));
}

static void
symbolic_strides(void **state)
{
	struct sn_pool p;
	struct sn_buf out;

	sn_pool_init(&p, *state);
	const struct sn_expr *w = sn_sym_expr(&p, sn_sym_new(&p, "W", 1, INT64_MAX));
	struct sn_type t = type_of(&p, 2, (int64_t[]){ 5, 1 });

	t.dims[1] = w;
	const struct sn_axis *i = sn_axis_new(&p, "i", t.dims[0]), *j = sn_axis_new(&p, "j", w);
	const struct sn_expr *idx[] = { sn_axis_expr(&p, i), sn_axis_expr(&p, j) };
	const struct sn_expr *at = sn_layout_offset(&p, sn_layout_dense(&p, &t), idx);

	sn_buf_init(&out, *state);
	sn_expr_print(&out, at);
	assert_string_equal(out.text, "j+W*i");
	assert_true(sn_prove_lt(&p, at, sn_mulk(&p, w, 5)));
}

static void
refuses_what_is_no_layout(void **state)
{
	static const char *const bad[] = { "{0}",     "{0 1 1}",    "{0 1/4 1%2}",
					   "{0 2}",   "{0 1/0}",    "{0 1+-1+0}",
					   "{1%4 0}", "{0 1 fill}", "{0 1" };
	struct sn_pool p;

	sn_pool_init(&p, *state);
	struct sn_type t = type_of(&p, 2, (int64_t[]){ 3, 8 });

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(parse(*state, &p, &t, bad[i]));
}

static void
random_layouts(void **state)
{
	uint64_t seed = 3;

	for (int n = 0; n < 200; n++) {
		struct sn_arena a;
		struct sn_pool p;
		int64_t r[16], lo[4], hi[4], dims[4];
		union sn_num fill = { .f = -1.5 };

		sn_arena_init(&a, NULL);
		sn_pool_init(&p, &a);
		for (int i = 0; i < 16; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			r[i] = (int64_t)(seed >> 40);
		}
		int rank = 1 + (int)(r[0] % 4);

		for (int i = 0; i < 4; i++) {
			dims[i] = 1 + r[1 + i] % 6;
			lo[i] = r[5 + i] % 3;
			hi[i] = r[9 + i] % 3;
		}
		struct sn_type t = type_of(&p, rank, dims);
		const struct sn_layout_blocking b = { (int)(r[13] % rank), 1 + r[14] % 5, lo, hi,
						      r[15] % 2 ? &fill : NULL };
		const struct sn_layout *l = sn_layout_blocked(&p, &t, &b);

		check_injective(&a, &p, &t, l);
		if (*text(&a, l))
			assert_true(sn_layout_equal(l, parse(&a, &p, &t, text(&a, l))));
		sn_arena_release(&a);
	}
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(dense_is_row_major), UNIT_TEST(channels_in_blocks),
		UNIT_TEST(symbolic_strides),   UNIT_TEST(refuses_what_is_no_layout),
		UNIT_TEST(random_layouts),
	};
	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
