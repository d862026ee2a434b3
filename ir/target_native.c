/* Native target: CPUID, sysfs, and which cores do how many multiply-adds a cycle. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ir/target_native.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define BIT(x, n) (((x) >> (n)) & 1u)

/* Register state that the operating system saves: bits 1, 2 for AVX and 5 to 7 for AVX-512. */
static unsigned
saved_state(unsigned leaf1_ecx)
{
	unsigned lo, hi;
	if (!BIT(leaf1_ecx, 27))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo;
}

static void
read_family(struct sn_cpu_facts *f, unsigned leaf1_eax)
{
	unsigned family = (leaf1_eax >> 8) & 0xf;
	unsigned model = (leaf1_eax >> 4) & 0xf;
	if (family == 0xf)
		family += (leaf1_eax >> 20) & 0xff;
	if (family >= 0xf || family == 6)
		model += ((leaf1_eax >> 16) & 0xf) << 4;
	f->family = (int)family;
	f->model = (int)model;
}

struct sn_cpu_facts
sn_cpu_facts_read(void)
{
	struct sn_cpu_facts f = { .is_x86 = true };
	unsigned a, b, c, d;
	if (!__get_cpuid(0, &a, &b, &c, &d))
		return f;
	f.is_amd = b == signature_AMD_ebx;
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return f;
	read_family(&f, a);
	unsigned state = saved_state(c);
	bool has_fma = BIT(c, 12);
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return f;
	f.has_avx2_fma = has_fma && BIT(b, 5) && (state & 0x06) == 0x06;
	f.has_avx512 = f.has_avx2_fma && (state & 0xe6) == 0xe6 && BIT(b, 16) && BIT(b, 17)
		       && BIT(b, 28) && BIT(b, 30) && BIT(b, 31);
	f.has_vnni = f.has_avx512 && BIT(c, 11);
	if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
		f.has_bf16 = f.has_avx512 && BIT(a, 5);
	return f;
}

#else

struct sn_cpu_facts
sn_cpu_facts_read(void)
{
	return (struct sn_cpu_facts){ 0 };
}

#endif

const char *
sn_native_base(const struct sn_cpu_facts *facts)
{
	if (facts->is_x86)
		return facts->has_avx512     ? "x86-64-v4"
		       : facts->has_avx2_fma ? "x86-64-v3"
					     : "x86-64";
#if defined(__aarch64__)
	return "aarch64";
#else
	return "generic";
#endif
}

/*
 * AVX-512 units are not all full: Zen 4 (family 19h) and the mobile Zen 5
 * (family 1Ah, models 20h-2Fh and 60h-7Fh) pass 512 bits in two halves; Intel's
 * client cores have one 512-bit unit, by model number: Ice, Rocket, Tiger Lake.
 */
static bool
has_half_avx512(const struct sn_cpu_facts *f)
{
	static const int intel_client[] = { 0x7d, 0x7e, 0x8c, 0x8d, 0xa7 };
	if (f->is_amd)
		return f->family == 0x19
		       || (f->family == 0x1a
			   && ((f->model >= 0x20 && f->model <= 0x2f)
			       || (f->model >= 0x60 && f->model <= 0x7f)));
	for (size_t i = 0; i < ARRAY_LEN(intel_client); i++)
		if (f->family == 6 && f->model == intel_client[i])
			return true;
	return false;
}

void
sn_native_apply(struct sn_target *t, const struct sn_cpu_facts *facts)
{
	if (!facts->is_x86)
		return;
	t->has_vnni = facts->has_vnni;
	t->has_bf16 = facts->has_bf16;
	if (facts->has_avx512 && has_half_avx512(facts)) {
		t->fma_ports = 1;
		t->load_ports = facts->is_amd ? 1 : 2;
	}
}

/* First word of a small file into TEXT; false if there is none. */
static bool
read_word(const char *path, char *text, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, cap - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, " \n")] = '\0';
	return true;
}

static int64_t
read_size(const char *folder, const char *name)
{
	char path[512], text[64], *end;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!read_word(path, text, sizeof(text)))
		return 0;
	int64_t size = strtoll(text, &end, 10);
	return *end == 'K' ? size << 10 : *end == 'M' ? size << 20 : size;
}

static void
apply_cache(struct sn_target *t, const char *folder)
{
	char path[512], type[64];
	snprintf(path, sizeof(path), "%s/type", folder);
	int64_t bytes = read_size(folder, "size");
	if (bytes <= 0 || !read_word(path, type, sizeof(type)) || strcmp(type, "Instruction") == 0)
		return;
	int64_t level = read_size(folder, "level");
	int64_t ways = read_size(folder, "ways_of_associativity");
	int64_t line = read_size(folder, "coherency_line_size");
	if (level == 1) {
		t->l1_bytes = bytes;
		t->l1_ways = ways > 0 ? (int)ways : t->l1_ways;
		t->line_bytes = line > 0 ? (int)line : t->line_bytes;
	} else if (level == 2) {
		t->l2_bytes = bytes;
	} else if (level == 3) {
		t->l3_bytes = bytes;
	}
}

void
sn_native_read_caches(struct sn_target *t, const char *sysfs)
{
	for (int i = 0; i < 8; i++) {
		char folder[400];
		snprintf(folder, sizeof(folder), "%s/cpu0/cache/index%d", sysfs, i);
		apply_cache(t, folder);
	}
}

int
sn_native_cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (int)n : 1;
}
