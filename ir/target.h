/*
 * Target description: what schedules ask of a machine.
 *
 * Read from XML (ir/target.c, the one file that knows libxml2; schema in
 * docs/target.md); the usual ones are compiled in; "native" is filled from
 * CPUID and sysfs.
 */
#ifndef IR_TARGET_H
#define IR_TARGET_H

#include "support/arena.h"
#include "support/diag.h"

struct sn_target {
	const char *name;  /* "x86-64-v4", "native", ... */
	const char *march; /* flag for the C compiler, e.g. "-march=x86-64-v4" */
	int vector_bytes;  /* native vector width, 0: none */
	int nregs;	   /* vector registers */
	int fma_ports;	   /* vector multiply-adds a cycle */
	int fma_latency;   /* cycles */
	int load_ports;	   /* vector loads a cycle */
	bool has_fma, has_vnni, has_bf16, has_gather;
	int64_t l1_bytes, l2_bytes, l3_bytes;
	int l1_ways, line_bytes;
	/* devices with work-groups; group_items is 0 for a CPU */
	int group_items;     /* most work-items of a group */
	int64_t local_bytes; /* local memory of a group */
	int units;	     /* groups that run at once, at least */
	int subgroup;	     /* items that run in step */
	int load_floats;     /* f32 that one item best loads at once: 1, 2, 4 */
	bool has_f64;
	bool is_cpu;	       /* its units are cores of the host */
	int64_t largest_bytes; /* most of one memory, 0: unknown */
	int cores;
	double ghz;	 /* nominal, 0: unknown */
	double dram_gbs; /* one core, 0: unknown */
};

/* Does T run kernels in work-groups? */
static inline bool
sn_target_is_device(const struct sn_target *t)
{
	return t->group_items > 0;
}

/* NAME: "native", a compiled-in name, or a path of an XML file. NULL after a diagnostic. */
const struct sn_target *sn_target_find(const char *name, struct sn_arena *a, struct sn_diags *d);

/* Names of the compiled-in targets, NULL-terminated. */
const char *const *sn_target_names(void);

/* Lanes of an element type of BYTES (0: fewer than 8 bits, never in vectors); at least 1. */
static inline int
sn_target_lanes(const struct sn_target *t, int bytes)
{
	return bytes > 0 && t->vector_bytes > bytes ? t->vector_bytes / bytes : 1;
}

#endif
