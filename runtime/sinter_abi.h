/*
 * The ABI of compiled models, version 2 (docs/abi.md).
 *
 * Every generated header repeats these declarations, so that a program needs
 * the generated files and nothing else.  Generated code allocates nothing,
 * opens no file, creates no thread and prints nothing: all memory is the
 * caller's.  A model is re-entrant: each thread that runs it has a context and
 * an arena of its own; weights are shared.
 */
#ifndef SINTER_ABI_H
#define SINTER_ABI_H

#include <stddef.h>
#include <stdint.h>

#define SINTER_ABI_VERSION 2

enum sinter_status {
	SINTER_OK = 0,
	SINTER_BAD_CALL = 1,	/* NULL, wrong rank, misaligned, not initialised */
	SINTER_BAD_DIMS = 2,	/* dimensions contradict the model's or each other */
	SINTER_TOO_SMALL = 3,	/* a buffer or the arena; dims() says what is needed */
	SINTER_BAD_WEIGHTS = 4, /* another model's, or damaged */
	SINTER_BAD_INDEX = 5,	/* an index in the data was out of range (it was clamped) */
	SINTER_BAD_VALUE = 6,	/* other data the model can't work on */
};

/* A tensor in the caller's memory, elements in row-major order, aligned to 64 bytes for speed and to
 * the element at least.  Element types of fewer than 8 bits are packed, low bits first. */
struct sinter_tensor {
	void *data;
	int64_t *dims; /* rank entries; of outputs: written by dims() and run() */
	int32_t rank;
	size_t capacity; /* bytes behind data */
	size_t bytes;	 /* of outputs: bytes used, written by dims() and run() */
};

struct sinter_value {
	const char *name;
	int32_t dtype; /* onnx TensorProto.DataType: 1 is f32, 7 is i64, ... */
	int32_t rank;
	const int64_t *dims; /* -1: see dim_names */
	const char *const
		*dim_names; /* expression over symbols, "N" or "2*N+1"; a number's text if fixed */
};

struct sinter_kernel {
	const char *name;
	const char *nodes; /* the model's nodes it came from */
};

struct sinter_need {
	size_t arena_bytes;  /* aligned to 64 */
	size_t device_bytes; /* the arena on the device, of models for a device */
};

/*
 * Models for a device.  Their kernels are text that the device's driver
 * compiles; run() launches them through a queue that the runtime gives.  A run
 * works on numbered memories of the device: its arena, the weights, inputs,
 * outputs.  Input i is SINTER_MEM_IO + i, output i SINTER_MEM_IO + ninputs + i;
 * the runtime has put the inputs there before run() and fetches the outputs
 * after it.
 */
enum sinter_mem { SINTER_MEM_ARENA = 0, SINTER_MEM_WEIGHTS = 1, SINTER_MEM_IO = 2 };

struct sinter_launch {
	int32_t kernel;	   /* of the program */
	int32_t step;	   /* of the run, for profiles: 0 <= step < nkernels of the model */
	int32_t ndims;	   /* 1 to 3 */
	int32_t items[3];  /* of a group */
	int64_t groups[3]; /* a launch with 0 groups does nothing */
	int32_t nmems, nnums;
	const int32_t *mems; /* arguments: first memories, ... */
	const int64_t *nums; /* ... then numbers, each an i64 */
};

/* Work is done in the order of the calls.  Each returns a status; after one that is not SINTER_OK,
 * run() returns it. */
struct sinter_queue {
	void *ctx;
	int (*launch)(void *ctx, const struct sinter_launch *l);
	/* Between host memory and a memory of the device; HOST may be used again at the return. */
	int (*read)(void *ctx, int32_t mem, size_t offset, void *host, size_t bytes);
	int (*write)(void *ctx, int32_t mem, size_t offset, const void *host, size_t bytes);
};

/* What a device must be able to do, bits. */
enum sinter_feature { SINTER_NEEDS_F64 = 1 };

struct sinter_program {
	const char *language; /* "OpenCL C 1.2" */
	const char *options;  /* for the driver's compiler */
	uint32_t nlines, nkernels;
	const char *const *lines; /* the text, to be put together */
	const char *const *kernels;
	uint64_t hash;	     /* of text and options */
	int32_t group_items; /* most items of a group in any launch */
	uint32_t features;   /* enum sinter_feature */
	size_t local_bytes;  /* most local memory of a group */
};

/* What a caller may provide; either function may be NULL. */
struct sinter_hooks {
	void *ctx;
	/* Calls body(arg, i, worker) for all 0 <= i < n, on any threads, and returns when all are done.
	 * Two calls that run at the same time have different workers, 0 <= worker < nthreads. */
	void (*parallel)(void *ctx, void (*body)(void *arg, int64_t i, int32_t worker), void *arg,
			 int64_t n);
	int32_t nthreads; /* of parallel; as was told to dims() or less */
	/* Called before (phase 0) and after (phase 1) step K of the run, 0 <= k < nkernels. */
	void (*kernel)(void *ctx, int32_t k, int32_t phase);
	const struct sinter_queue *queue; /* of models for a device; others don't look at it */
};

struct sinter_model {
	uint32_t abi; /* SINTER_ABI_VERSION */
	uint32_t ninputs, noutputs, nkernels;
	const char *name;
	uint64_t plan_hash; /* of the generated code and its weights together */
	const struct sinter_value *inputs, *outputs;
	const struct sinter_kernel *kernels;
	size_t weights_bytes; /* of the weights file, its 64-byte header included */
	const void *weights;  /* embedded, or NULL: pass them to init */
	size_t context_bytes; /* aligned to 64 */

	/* Checks dims of IN; writes dims and bytes of OUT (data may be NULL) and what run needs with
	 * NTHREADS threads (at least 1). */
	int (*dims)(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,
		    struct sinter_need *need);
	/* Prepares CONTEXT (context_bytes, 64-aligned). WEIGHTS: the content of the weights file,
	 * 64-aligned, alive and unchanged as long as the context; NULL when embedded. */
	int (*init)(void *context, const void *weights, size_t weights_bytes);
	/* Runs once. ARENA: 64-aligned; its content is nothing before and nothing after. */
	int (*run)(void *context, const struct sinter_tensor *in, struct sinter_tensor *out,
		   void *arena, size_t arena_bytes, const struct sinter_hooks *hooks);
	void (*free)(void *context);
	/* A sentence for a status code. */
	const char *(*text)(int status);
	const struct sinter_program *program; /* NULL: runs on the CPU */
	/* Which requirement the dimensions of IN don't meet: a sentence; NULL if dims() accepts them. */
	const char *(*why)(const struct sinter_tensor *in);
};

#endif
