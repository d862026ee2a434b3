/*
 * Shared by the files that write a package: package.c (files), package_c.c (the model's C around
 * its kernels), package_dims.c, package_sizes.c (the arena), package_run.c, package_device.c
 * (kernels and run of models for a device), package_h.c (header), package_json.c. codegen/ only.
 */
#ifndef CODEGEN_PACKAGE_H
#define CODEGEN_PACKAGE_H

#include "codegen/print.h"

/* Of models for a device: a step's kernel and memories. */
struct sn_package_launch {
	int kernel;
	const char *name;
	int nmemories, *memories; /* numbers as of enum sinter_mem */
	int *slots;		  /* which of them a parameter lies in */
};

/* SINTER_ABI_VERSION of the header that is repeated; tests/unit/test_codegen_package.c compares. */
enum { SN_ABI_VERSION = 2 };

struct sn_package {
	struct sn_module *m;
	const struct sn_package_opts *opts;
	struct sn_arena *arena;
	struct sn_printer printer;	  /* of the kernels */
	struct sn_printer host;		  /* of the model's C, where that is another language */
	bool has_host_steps;		  /* of models for a device: some steps run on the host */
	const char *upper;		  /* the model's name in capitals, for macros */
	const char **size_names;	  /* C identifiers of symbols, by id */
	const char **tensor_names;	  /* C identifiers by tensor id, NULL: not used by a step */
	struct sn_map func_names;	  /* C name, by address of the function */
	SN_VEC(struct sn_tensor *) temps; /* roots in the arena, in order of id */
	int *temp_of;			  /* by tensor id: index into temps */
	int64_t scratch_bytes;		  /* for each worker */
	struct sn_package_launch *launches; /* by step */
	const char *program;		    /* their kernels */
	int64_t context_bytes;
	uint64_t plan_hash;
};

/* Names of tensors and functions, the list of temporaries. */
void sn_package_prepare(struct sn_package *k);

/* The kernels run on a device. */
static inline bool
sn_is_for_device(const struct sn_package *k)
{
	return k->opts->dialect->kernel;
}

/* Which of them prints the model's C. */
static inline struct sn_printer *
sn_package_c(struct sn_package *k)
{
	return sn_is_for_device(k) ? &k->host : &k->printer;
}

/* Does the run call functions, and so has an arena on the host? */
static inline bool
sn_has_calls(const struct sn_package *k)
{
	return !sn_is_for_device(k) || k->has_host_steps;
}

/* All that does not depend on the plan hash: kernels, dims(), run(). What PROLOGUE says must stand
 * before all of it. */
void sn_package_kernels(struct sn_package *k, struct sn_buf *out);
void sn_package_prologue(struct sn_package *k, struct sn_buf *out);
void sn_package_tables(struct sn_package *k, struct sn_buf *out);
void sn_package_sizes(struct sn_package *k, struct sn_buf *out);
void sn_package_memory(struct sn_package *k, struct sn_buf *out);
void sn_package_run(struct sn_package *k, struct sn_buf *out);
void sn_package_program(struct sn_package *k, struct sn_buf *out);
void sn_package_launch_macros(struct sn_package *k, struct sn_buf *out);
/* Steps on a device: what stands before all of them, one of them, what ends the run; package_run.c
 * puts them together. */
void sn_package_begin_launches(struct sn_package *k, struct sn_buf *out);
void sn_package_launch(struct sn_package *k, struct sn_buf *out, size_t number);
void sn_package_end_launches(struct sn_package *k, struct sn_buf *out);
/* A copy between host and device. HOST: the address there. */
void sn_package_transfer(struct sn_package *k, struct sn_buf *out, size_t number, const char *host,
			 bool is_to_host);

void sn_package_header(struct sn_package *k, struct sn_buf *out);
void sn_package_json(struct sn_package *k, struct sn_buf *out);

/* Expression over the model's symbols, with SIZES ("s->") before each. */
const char *sn_package_size_text(struct sn_package *k, const struct sn_expr *e, const char *sizes,
				 int strength);

/* Does the run place temporaries, because their sizes depend on dimensions? */
bool sn_is_placed_at_run(const struct sn_package *k);

/* Bytes behind a device's arena for the word that says that a check of an index failed. */
int64_t sn_package_status_bytes(const struct sn_package *k);

/* Bytes of T, row-major, and dense. */
const struct sn_expr *sn_package_bytes(struct sn_package *k, const struct sn_tensor *t);

/* A requirement with the nodes it came from. */
const char *sn_package_require_text(struct sn_package *k, const struct sn_require *r);

/* TEXT with $n and $N replaced by the model's name, small and in capitals. */
void sn_package_text(struct sn_package *k, struct sn_buf *out, const char *text);

/* S as a C string literal, for any bytes. */
void sn_c_string(struct sn_buf *out, const char *s);
/* S as part of a comment: one line, nothing that ends the comment. */
const char *sn_c_comment(struct sn_arena *a, const char *s);
/* A comment of the nodes that F does the work of. */
void sn_package_origin(struct sn_package *k, struct sn_buf *out, const struct sn_func *f);
/* Bytes from the start of T's root to T. */
const struct sn_expr *sn_package_offset(struct sn_package *k, const struct sn_tensor *t);
/* The nodes behind O, "" for none. */
const char *sn_origin_text(struct sn_arena *a, const struct sn_origin *o);
struct sn_tensor *sn_tensor_root(struct sn_tensor *t);

#endif
