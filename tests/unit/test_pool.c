/* The worker pool: every iteration once, workers apart, sleepers woken; under TSan by make check-tsan. */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "runtime/sinter_runtime.h"
#include "tests/unit/unit.h"

enum { MOST = 5000, THREADS = 4 };

/* Plain memory on purpose: what races here is found by TSan. */
struct counts {
	int done[MOST];
	int64_t by_worker[THREADS][16];
	int is_wrong;
};

static void
count(void *arg, int64_t i, int32_t worker)
{
	struct counts *c = arg;

	if (i < 0 || i >= MOST || worker < 0 || worker >= THREADS) {
		c->is_wrong = 1;
		return;
	}
	c->done[i]++;
	c->by_worker[worker][0]++;
}

static void
check_counts(const struct counts *c, int64_t n, int times)
{
	int64_t sum = 0;

	assert_int_equal(c->is_wrong, 0);
	for (int64_t i = 0; i < MOST; i++)
		assert_int_equal(c->done[i], i < n ? times : 0);
	for (int w = 0; w < THREADS; w++)
		sum += c->by_worker[w][0];
	assert_int_equal(sum, n * times);
}

static void
nap(long ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

static struct sinter_pool *
pool_of(int32_t threads)
{
	struct sinter_pool *p = NULL;

	assert_int_equal(sinter_pool_new(threads, &p, NULL), SINTER_OK);
	assert_int_equal(sinter_pool_threads(p), threads);
	return p;
}

static void
runs_each_iteration_once(void **state)
{
	static const int64_t sizes[] = { 0, 1, 2, 3, 7, 64, 1000, MOST };
	(void)state;
	for (int32_t threads = 1; threads <= THREADS; threads++) {
		struct sinter_pool *p = pool_of(threads);

		for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
			struct counts c = { 0 };

			sinter_pool_run(p, count, &c, sizes[k]);
			check_counts(&c, sizes[k], 1);
		}
		sinter_pool_free(p);
	}
}

static void
runs_many_loops_in_a_row(void **state)
{
	(void)state;
	struct sinter_pool *p = pool_of(THREADS);
	struct counts c = { 0 };

	for (int k = 0; k < 2000; k++)
		sinter_pool_run(p, count, &c, 9);
	check_counts(&c, 9, 2000);
	sinter_pool_free(p);
}

static void
wakes_sleeping_workers(void **state)
{
	(void)state;
	struct sinter_pool *p = pool_of(THREADS);
	struct counts c = { 0 };

	/* Around the time at which workers fall asleep, and long after. */
	for (int k = 0; k < 60; k++) {
		nap(k % 3 == 0 ? 1000000 : 1000L * k);
		sinter_pool_run(p, count, &c, 50);
	}
	check_counts(&c, 50, 60);
	sinter_pool_free(p);
}

static void
slow(void *arg, int64_t i, int32_t worker)
{
	if (i == 0)
		nap(3000000);
	count(arg, i, worker);
}

static void
waits_for_the_slowest(void **state)
{
	(void)state;
	struct sinter_pool *p = pool_of(THREADS);

	for (int k = 0; k < 10; k++) {
		struct counts c = { 0 };

		sinter_pool_run(p, slow, &c, 40);
		check_counts(&c, 40, 1);
	}
	sinter_pool_free(p);
}

struct caller {
	struct sinter_pool *pool;
	struct counts counts;
};

static void *
call(void *arg)
{
	struct caller *c = arg;

	for (int k = 0; k < 200; k++)
		sinter_pool_run(c->pool, count, &c->counts, 30);
	return NULL;
}

static void
serves_several_callers(void **state)
{
	static struct caller callers[3];
	pthread_t threads[3];
	(void)state;
	struct sinter_pool *p = pool_of(THREADS);

	memset(callers, 0, sizeof(callers));
	for (int i = 0; i < 3; i++) {
		callers[i].pool = p;
		assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		check_counts(&callers[i].counts, 30, 200);
	}
	sinter_pool_free(p);
}

static void
ends_at_any_moment(void **state)
{
	(void)state;
	for (int k = 0; k < 50; k++) {
		struct sinter_pool *p = pool_of(THREADS);

		nap(k % 2 ? 0 : 2000L * k);
		sinter_pool_free(p);
	}
	sinter_pool_free(NULL);
}

static void
refuses_senseless_numbers(void **state)
{
	struct sinter_pool *p = NULL;
	struct sinter_error e;
	(void)state;

	assert_int_equal(sinter_pool_new(0, &p, &e), SINTER_BAD_CALL);
	assert_int_equal(e.status, SINTER_BAD_CALL);
	assert_string_equal(e.text, "0 threads; there may be 1 to 1024");
	assert_int_equal(sinter_pool_new(100000, &p, NULL), SINTER_BAD_CALL);
	assert_null(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_each_iteration_once),
		cmocka_unit_test(runs_many_loops_in_a_row),
		cmocka_unit_test(wakes_sleeping_workers),
		cmocka_unit_test(waits_for_the_slowest),
		cmocka_unit_test(serves_several_callers),
		cmocka_unit_test(ends_at_any_moment),
		cmocka_unit_test(refuses_senseless_numbers),
	};
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
