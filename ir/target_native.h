/*
 * Native target: what CPUID and sysfs say about this machine.
 *
 * Apart from the reading itself, all of it is arithmetic on facts, so that
 * machines we don't have can be tested.
 */
#ifndef IR_TARGET_NATIVE_H
#define IR_TARGET_NATIVE_H

#include "ir/target.h"

/* Of an x86-64 processor; all zero on others. */
struct sn_cpu_facts {
	bool is_x86, is_amd;
	int family, model;
	bool has_avx2_fma;	/* usable: the operating system saves the registers */
	bool has_avx512;	/* F BW CD DQ VL */
	bool has_vnni, has_bf16;
};

struct sn_cpu_facts sn_cpu_facts_read(void);

/* Name of the compiled-in target to start from. */
const char *sn_native_base(const struct sn_cpu_facts *facts);

/* Overrides vector and feature fields of T by what FACTS say. */
void sn_native_apply(struct sn_target *t, const struct sn_cpu_facts *facts);

/* Overrides cache sizes by those under SYSFS ("/sys/devices/system/cpu"), where it has them. */
void sn_native_read_caches(struct sn_target *t, const char *sysfs);

/* Cores this process may run on. */
int sn_native_cores(void);

#endif
