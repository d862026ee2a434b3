/*
 * The shim: PoCL's own table of functions, through which the loader calls it, is
 * filled with functions that count, fail, or go on to PoCL.  The same functions
 * have OpenCL's names, too, for who opens the shim instead of the loader.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <CL/cl_icd.h>
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/device/shim.h"

static struct shim state;
static cl_icd_dispatch pocl; /* its table as it was */

struct shim *shim_state(void);

struct shim *
shim_state(void)
{
	return &state;
}

/* Counts a call of NAME; is it one that fails? */
static int
fails(const char *name)
{
	if (state.only && strcmp(state.only, name) != 0)
		return 0;
	state.ncalls++;
	if (state.ncalls < state.fail_from || state.ncalls > state.fail_to || !state.fail_from)
		return 0;
	state.failed = name;
	return 1;
}

#define STATUS(name, params, args) \
	static cl_int CL_API_CALL shim_##name params \
	{ \
		return fails(#name) ? state.code : pocl.name args; \
	}
#define EVENT(name, event, params, args) \
	static cl_int CL_API_CALL shim_##name params \
	{ \
		if (fails(#name)) \
			return state.code; \
		cl_int code = pocl.name args; \
		state.nlive += (event) && code == CL_SUCCESS; \
		return code; \
	}
#define AFTER(name, params, args) \
	static cl_int CL_API_CALL shim_##name params \
	{ \
		cl_int code = pocl.name args; \
		state.nlive -= strncmp(#name, "clRelease", 9) == 0 && code == CL_SUCCESS; \
		return fails(#name) ? state.code : code; \
	}
#define OBJECT(type, live, name, params, args) \
	static type CL_API_CALL shim_##name params \
	{ \
		if (fails(#name)) { \
			*err = state.code; \
			return NULL; \
		} \
		type object = pocl.name args; \
		state.nlive += *err == CL_SUCCESS ? live : 0; \
		return object; \
	}
#include "tests/device/shim.def"
#undef STATUS
#undef EVENT
#undef AFTER
#undef OBJECT

static void
take_over(cl_icd_dispatch *table)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)table & -page,
		  end = ((uintptr_t)(table + 1) + page - 1) & -page;

	mprotect((void *)begin, end - begin, PROT_READ | PROT_WRITE);
	pocl = *table;
#define STATUS(name, params, args) table->name = shim_##name;
#define EVENT(name, event, params, args) table->name = shim_##name;
#define AFTER(name, params, args) table->name = shim_##name;
#define OBJECT(type, live, name, params, args) table->name = shim_##name;
#include "tests/device/shim.def"
#undef STATUS
#undef EVENT
#undef AFTER
#undef OBJECT
}

/* PoCL's function NAME; NULL if PoCL isn't there. */
static void *
find_in_pocl(const char *name)
{
	void *library = dlopen("libpocl.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), *p = NULL;
	void *(CL_API_CALL * find)(const char *);

	if (library)
		p = dlsym(library, "clGetExtensionFunctionAddress");
	if (!p)
		return NULL;
	memcpy(&find, &p, sizeof(p));
	return find(name);
}

static cl_int CL_API_CALL
get_platforms(cl_uint n, cl_platform_id *platforms, cl_uint *out_n)
{
	clIcdGetPlatformIDsKHR_fn get;
	cl_platform_id first;
	void *p = find_in_pocl("clIcdGetPlatformIDsKHR");

	if (!p)
		return -1001;
	memcpy(&get, &p, sizeof(p));
	cl_int code = get(n, platforms, out_n);

	/* An object begins with the address of its table. */
	if (code == CL_SUCCESS && !pocl.clGetPlatformInfo && get(1, &first, NULL) == CL_SUCCESS)
		take_over(*(cl_icd_dispatch **)first);
	return code;
}

/* ---- under the loader ---- */

/* What the loader looks for. */
void *CL_API_CALL
clGetExtensionFunctionAddress(const char *name)
{
	clIcdGetPlatformIDsKHR_fn get = get_platforms;
	void *p;

	if (strcmp(name, "clIcdGetPlatformIDsKHR") != 0)
		return find_in_pocl(name);
	memcpy(&p, &get, sizeof(p));
	return p;
}

/* ---- or in its place ---- */

cl_int CL_API_CALL
clGetPlatformIDs(cl_uint num_entries, cl_platform_id *platforms, cl_uint *num_platforms)
{
	if (fails("clGetPlatformIDs"))
		return state.code;
	cl_int code = get_platforms(num_entries, platforms, num_platforms);

	if (code == CL_SUCCESS && state.is_twice && num_entries >= 2) {
		platforms[1] = platforms[0];
		*num_platforms = 2;
	}
	return code;
}

#define STATUS(name, params, args) \
	cl_int CL_API_CALL name params \
	{ \
		return shim_##name args; \
	}
#define EVENT(name, event, params, args) STATUS(name, params, args)
#define AFTER(name, params, args) STATUS(name, params, args)
#define OBJECT(type, live, name, params, args) \
	type CL_API_CALL name params \
	{ \
		return shim_##name args; \
	}
#include "tests/device/shim.def"
