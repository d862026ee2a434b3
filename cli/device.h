/*
 * Devices for the commands: opened by --device, and as a target to compile for.
 */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/command.h"
#include "ir/target.h"
#include "runtime/sinter_runtime.h"

/* Is NAME (NULL: no --device) one that runs programs, not the CPU? */
bool is_program_device(const char *name);

/* The description "opencl", or "pocl" where units are cores, with what INFO says of the device put
 * in; NULL after a diagnostic. */
const struct sn_target *
device_target(const struct sinter_device_info *info, struct sn_arena *a, struct sn_diags *d);

/* Makes C and OPTS compile for what --device says: a device of this machine, or a description; false
 * after a diagnostic of C's. */
bool compile_for_device(const struct options *o, struct sn_compiler *c,
			struct sn_compiler_opts *opts);

#endif
