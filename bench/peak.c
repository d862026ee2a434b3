/* The machine's limit: multiply-adds of f32 per nanosecond of one thread, with registers only. */
#include <time.h>

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#define FMA(r, i) "vfmadd231ps %%" r "14, %%" r "15, %%" r #i "\n\t"
#define TWELVE(r) \
	FMA(r, 0) FMA(r, 1) FMA(r, 2) FMA(r, 3) FMA(r, 4) FMA(r, 5) FMA(r, 6) FMA(r, 7) FMA(r, 8) \
	FMA(r, 9) FMA(r, 10) FMA(r, 11)
#define CLOBBER \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11"

enum { STEPS = 100000 };

static double
peak256(void)
{
	double t = now_ns();
	for (int i = 0; i < STEPS; i++)
		__asm__ volatile(TWELVE("ymm")::: CLOBBER);
	return STEPS * 12.0 * 8 / (now_ns() - t);
}

static double
peak512(void)
{
	double t = now_ns();
	for (int i = 0; i < STEPS; i++)
		__asm__ volatile(TWELVE("zmm")::: CLOBBER);
	return STEPS * 12.0 * 16 / (now_ns() - t);
}

/* Multiply-adds per nanosecond; 0 on a machine without the instruction. */
double
peak(void)
{
	double a = __builtin_cpu_supports("fma") ? peak256() : 0;
	double b = __builtin_cpu_supports("avx512f") ? peak512() : 0;
	return a > b ? a : b;
}
