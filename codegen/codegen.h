/*
 * Code generation: from a module whose plan is made to the files of a package.
 *
 * One printer (print.c) turns loop-level functions into text; a dialect is a
 * table of differences.  package.c writes the calls, the ABI and the header
 * around them; weights.c writes constants in their layouts.
 */
#ifndef CODEGEN_CODEGEN_H
#define CODEGEN_CODEGEN_H

#include "ir/module.h"

struct sn_dialect;
const struct sn_dialect *sn_dialect_find(const char *name); /* "c", "c99", "opencl" */
bool sn_dialect_has_vectors(const struct sn_dialect *d);

/* Are its functions kernels of a device? */
bool sn_dialect_is_device(const struct sn_dialect *d);

/* Flags that the C compiler needs for a package, but for optimisation and the machine. */
const char *sn_dialect_flags(const struct sn_dialect *d);

/* One function as text of the dialect (for tests and emit=c), with the helpers it needs above. */
void sn_print_func(struct sn_buf *out, const struct sn_dialect *d, const struct sn_func *f);
/* The same of a kernel whose parameters lie in the memories SLOTS. */
void sn_print_kernel(struct sn_buf *out, const struct sn_dialect *d, const struct sn_func *f,
		     const int *slots);

enum sn_weights_form { WF_FILE, WF_OBJECT, WF_ARRAY };

struct sn_package_opts {
	const char *folder;
	const struct sn_dialect *dialect;
	enum sn_weights_form weights;
	int kernels_per_file; /* 0: one translation unit */
};

/* Writes NAME.c, NAME.h, NAME.weights, model.json; each atomically. The C compiler is the caller's. */
bool sn_package_write(struct sn_module *m, const struct sn_package_opts *o);

/* The bytes of a constant tensor in its layout, in order, piece by piece: PUT may be called many times. */
bool sn_weights_pack(const struct sn_tensor *t, struct sn_pool *p,
		     bool (*put)(void *arg, const void *bytes, size_t n), void *arg);

#endif
