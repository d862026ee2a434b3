/*
 * A vendor's library under the OpenCL loader that hands everything to PoCL,
 * but fails when it is told to.  The test opens it by the path that the loader
 * has (OCL_ICD_VENDORS) and looks these functions up.  It also stands in for the
 * loader (SINTER_OPENCL), which asks for platforms once and keeps the answer:
 * only so can that call fail when it is told to.
 */
#ifndef TESTS_DEVICE_SHIM_H
#define TESTS_DEVICE_SHIM_H

struct shim {
	int ncalls;    /* since they were last set to 0 */
	int nlive;     /* objects made and not given back */
	int fail_from; /* this call fails, counted from 1; 0: none does */
	int fail_to;   /* the last one that fails */
	int code;      /* that they fail with */
	const char *failed; /* name of the last one that did */
	const char *only; /* NULL: all calls count, else those of this name */
	int is_twice;	  /* in place of the loader: the platform is there twice */
};

/* The one state; of one thread. */
typedef struct shim *shim_state_fn(void);
#define SHIM_STATE "shim_state"

#endif
