/*
 * sinter verify: data folders, and the comparison of each kernel with the interpreter.
 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "cli/compare.h"
#include "cli/job.h"

/* The folders of test data under FOLDER: test_data_set_0, ... in it, or itself. */
struct data_sets {
	SN_VEC(const char *) list;
};
void find_data_sets(struct sn_arena *a, const char *folder, struct data_sets *out);

/* The file of value number I of KIND ("input", "output"), called NAME, in FOLDER; NULL if none. */
const char *
data_file(struct sn_arena *a, const char *folder, const char *kind, uint32_t i, const char *name);

/* Runs the model on j->inputs, comparing what each kernel stores with the tensor interpreter. *OUT_OK
 * says whether all agree; false if that can't be found out. */
struct kernel_check;
struct kernel_check *kernel_check_new(struct job *j, const struct tolerance *t);
bool kernel_check_run(struct kernel_check *c, bool *out_ok);

#endif
