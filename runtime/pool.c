/*
 * Worker threads for parallel loops.
 *
 * A loop is published by opening the gate: a word that holds its number, whether it is open, and how
 * many workers are inside.  Who finds it open goes in, takes chunks of the iterations from a counter
 * until none are left, and goes out.  The caller takes part, closes the gate, and waits for those
 * inside only: a worker that wakes too late finds it closed, and nobody waits for it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "runtime/status.h"

#define GATE_OPEN ((uint64_t)1 << 16)
#define GATE_STOP ((uint64_t)1 << 17)
#define GATE_NEXT ((uint64_t)1 << 18) /* one loop further */
#define GATE_COUNT (GATE_OPEN - 1)    /* workers inside */

enum { SPIN_NS = 30000, SPIN_LOOKS = 64, CHUNKS = 4, THREADS_MOST = 1024 };

struct worker {
	struct sinter_pool *pool;
	int32_t number;
	pthread_t thread;
};

struct sinter_pool {
	/* Written by all threads; on lines of their own. */
	uint64_t gate;
	char pad1[120];
	int64_t next; /* first iteration that nobody has taken */
	char pad2[120];
	/* The loop; written while the gate is closed and nobody is inside. */
	void (*body)(void *arg, int64_t i, int32_t worker);
	void *arg;
	int64_t n, chunk;
	/* Sleeping. */
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	int32_t sleepers;	 /* workers asleep, or about to be */
	int32_t is_waiting;	 /* the caller is asleep, or about to be */
	pthread_mutex_t callers; /* one loop at a time */
	int32_t nthreads, nworkers;
	struct worker *workers;
};

static void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void
take_part(struct sinter_pool *p, int32_t worker)
{
	for (;;) {
		int64_t i = __atomic_fetch_add(&p->next, p->chunk, __ATOMIC_RELAXED);

		if (i >= p->n)
			return;
		int64_t end = p->n - i < p->chunk ? p->n : i + p->chunk;

		for (; i < end; i++)
			p->body(p->arg, i, worker);
	}
}

/* Goes in if the gate is open. */
static int
enter(struct sinter_pool *p, uint64_t gate)
{
	while (gate & GATE_OPEN)
		if (__atomic_compare_exchange_n(&p->gate, &gate, gate + 1, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return 1;
	return 0;
}

static void
leave(struct sinter_pool *p)
{
	uint64_t gate = __atomic_sub_fetch(&p->gate, 1, __ATOMIC_SEQ_CST);

	if ((gate & (GATE_OPEN | GATE_COUNT)) || !__atomic_load_n(&p->is_waiting, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&p->mutex);
	pthread_cond_signal(&p->done);
	pthread_mutex_unlock(&p->mutex);
}

/* Has a loop begun after the one numbered SEEN? */
static int
is_news(uint64_t gate, uint64_t seen)
{
	return gate / GATE_NEXT != seen || (gate & GATE_STOP);
}

static uint64_t
sleep_for_news(struct sinter_pool *p, uint64_t seen)
{
	uint64_t gate;

	pthread_mutex_lock(&p->mutex);
	__atomic_add_fetch(&p->sleepers, 1, __ATOMIC_SEQ_CST);
	while (!is_news(gate = __atomic_load_n(&p->gate, __ATOMIC_SEQ_CST), seen))
		pthread_cond_wait(&p->work, &p->mutex);
	__atomic_sub_fetch(&p->sleepers, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&p->mutex);
	return gate;
}

static uint64_t
wait_for_news(struct sinter_pool *p, uint64_t seen)
{
	int64_t start = sinter_now_ns();

	do {
		for (int i = 0; i < SPIN_LOOKS; i++) {
			uint64_t gate = __atomic_load_n(&p->gate, __ATOMIC_RELAXED);

			if (is_news(gate, seen))
				return gate;
			relax();
		}
	} while (sinter_now_ns() - start < SPIN_NS);
	return sleep_for_news(p, seen);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	uint64_t seen = 0;

	for (;;) {
		uint64_t gate = wait_for_news(w->pool, seen);

		if (gate & GATE_STOP)
			return NULL;
		seen = gate / GATE_NEXT;
		if (enter(w->pool, gate)) {
			take_part(w->pool, w->number);
			leave(w->pool);
		}
	}
}

static int
is_empty(struct sinter_pool *p)
{
	return (__atomic_load_n(&p->gate, __ATOMIC_SEQ_CST) & GATE_COUNT) == 0;
}

/* Until nobody is inside. */
static void
join(struct sinter_pool *p)
{
	int64_t start = sinter_now_ns();

	__atomic_and_fetch(&p->gate, ~GATE_OPEN, __ATOMIC_SEQ_CST);
	do {
		for (int i = 0; i < SPIN_LOOKS; i++) {
			if (is_empty(p))
				return;
			relax();
		}
	} while (sinter_now_ns() - start < SPIN_NS);
	pthread_mutex_lock(&p->mutex);
	__atomic_store_n(&p->is_waiting, 1, __ATOMIC_SEQ_CST);
	while (!is_empty(p))
		pthread_cond_wait(&p->done, &p->mutex);
	__atomic_store_n(&p->is_waiting, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&p->mutex);
}

static void
wake(struct sinter_pool *p)
{
	if (!__atomic_load_n(&p->sleepers, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&p->mutex);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
}

void
sinter_pool_run(struct sinter_pool *pool, void (*body)(void *arg, int64_t i, int32_t worker),
		void *arg, int64_t n)
{
	if (pool->nworkers == 0 || n < 2) {
		for (int64_t i = 0; i < n; i++)
			body(arg, i, 0);
		return;
	}
	pthread_mutex_lock(&pool->callers);
	pool->body = body;
	pool->arg = arg;
	pool->n = n;
	pool->chunk = n / ((int64_t)pool->nthreads * CHUNKS);
	if (pool->chunk < 1)
		pool->chunk = 1;
	__atomic_store_n(&pool->next, 0, __ATOMIC_RELAXED);
	uint64_t gate = __atomic_load_n(&pool->gate, __ATOMIC_RELAXED);

	__atomic_store_n(&pool->gate, gate + GATE_NEXT + GATE_OPEN, __ATOMIC_SEQ_CST);
	wake(pool);
	take_part(pool, 0);
	join(pool);
	pthread_mutex_unlock(&pool->callers);
}

/* Signals are the program's own threads' affair. */
static int
start_worker(struct worker *w)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int e = pthread_create(&w->thread, NULL, work, w);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return e;
}

static struct sinter_pool *
pool_alloc(int32_t nthreads)
{
	struct sinter_pool *p = sinter_aligned(sizeof(*p));

	if (!p)
		return NULL;
	p->workers = calloc((size_t)nthreads, sizeof(*p->workers));
	if (!p->workers) {
		free(p);
		return NULL;
	}
	p->nthreads = nthreads;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_mutex_init(&p->callers, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	return p;
}

int
sinter_pool_new(int32_t nthreads, struct sinter_pool **out, struct sinter_error *error)
{
	if (!out || nthreads < 1 || nthreads > THREADS_MOST)
		return sinter_fail(error, SINTER_BAD_CALL, "%d threads; there may be 1 to %d",
				   (int)nthreads, THREADS_MOST);
	struct sinter_pool *p = pool_alloc(nthreads);

	if (!p)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	for (int32_t i = 1; i < nthreads; i++) {
		p->workers[i] = (struct worker){ p, i, 0 };
		if (start_worker(&p->workers[i]) != 0) {
			sinter_pool_free(p);
			return sinter_fail(error, SINTER_NO_THREADS,
					   "the system gave %d threads instead of %d", (int)i,
					   (int)nthreads);
		}
		p->nworkers++;
	}
	*out = p;
	return SINTER_OK;
}

void
sinter_pool_free(struct sinter_pool *pool)
{
	if (!pool)
		return;
	__atomic_or_fetch(&pool->gate, GATE_STOP, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&pool->mutex);
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->mutex);
	for (int32_t i = 1; i <= pool->nworkers; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->callers);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->workers);
	free(pool);
}

int32_t
sinter_pool_threads(const struct sinter_pool *pool)
{
	return pool->nthreads;
}
