/*
 * Passes and their manager.
 *
 * One pass = one file = one row of passes/passes.def = one folder of tests.
 * A pass works on the module, takes temporary memory from SCRATCH, reports
 * problems into the module's diagnostics and decisions as remarks; it never
 * prints, times, verifies or calls another pass: the manager does.
 */
#ifndef PASSES_PASS_H
#define PASSES_PASS_H

#include "ir/module.h"

enum sn_level { LV_GRAPH, LV_TENSOR, LV_LOOP, LV_PLAN };

/* How a pass may change results, held to it by the tests. */
enum sn_exactness {
	PX_EXACT,	 /* same bits before and after */
	PX_REASSOCIATES, /* sums in another order */
	PX_ROUNDS,	 /* changes roundings (folding a scale into weights) */
};

struct sn_pass_ctx {
	struct sn_module *module;
	struct sn_arena *scratch; /* emptied after the pass */
	bool has_changed;	  /* set by the pass */
};

struct sn_pass {
	const char *name;    /* verb-noun: fuse-map */
	enum sn_level level; /* before it; lower-graph: LV_GRAPH, its result is LV_TENSOR */
	enum sn_level result;
	enum sn_exactness exactness;
	const char *summary;
	bool (*run)(struct sn_pass_ctx *c); /* false: an error was reported */
};

/* The functions behind the rows of passes/passes.def. */
#define PASS(id, name, level, result, exactness, summary) \
	bool sn_pass_##id(struct sn_pass_ctx *c);
#include "passes/passes.def"

const struct sn_pass *sn_pass_find(const char *name);
const struct sn_pass *sn_passes(int *out_n);

/* The default pipeline for a module, NULL-terminated names, each with its reason in passes/pipeline.c. */
const char *const *sn_pipeline_default(void);

struct sn_pipeline_opts {
	const char *const *passes; /* NULL: the default */
	const char *stop_after;	   /* NULL: run all */
	bool is_verified;	   /* verify after each pass */
	/* called after each pass: dumps, timing, progress; NULL for none */
	void (*after)(void *arg, const struct sn_module *m, const struct sn_pass *p, int64_t ns,
		      bool has_changed);
	void *arg;
};
/* False: an error was reported, by a pass, by the verifier, or about a name that is no pass's. A
 * module that has reached a later level already (read from text) resumes: passes before it are
 * skipped. */
bool sn_pipeline_run(struct sn_module *m, const struct sn_pipeline_opts *o);

/* The level that M has reached. */
enum sn_level sn_module_level(const struct sn_module *m);

/* Verifies M at that level; reports all errors. */
bool sn_module_verify(struct sn_module *m);

/* Reads text of the graph or the tensor level into M, which resumes from there. */
bool sn_module_parse(struct sn_module *m, const char *text, const char *file);

/* Text of the module at its present level (graph, program, functions and plan). */
void
sn_module_print(struct sn_buf *out, const struct sn_module *m, enum sn_level level, bool with_data);

#endif
