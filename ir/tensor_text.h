/*
 * Inside of the tensor level's text form and verifier: one comprehension's
 * text, as it stands under a message.
 */
#ifndef IR_TENSOR_TEXT_H
#define IR_TENSOR_TEXT_H

#include "ir/layout.h"
#include "ir/tensor.h"
#include "ir/text.h"

/* Where in the text of a comprehension some of its lines begin. */
struct sn_comp_lines {
	size_t axes, args, results[SN_MAX_RESULTS];
};

/* The lines of C, each begun by DEPTH tabs; FILE is the model file that origins need not name.
 * ORIGIN is the kernel's, not repeated. LINES may be NULL. */
void sn_comp_print(struct sn_buf *out, const struct sn_comp *c, const struct sn_origin *origin,
		   const char *file, int depth, struct sn_comp_lines *lines);

/* Is R the built-in reducer of its name? */
bool sn_reducer_is_builtin(struct sn_pool *p, const struct sn_reducer *r);
bool sn_reducer_equal(const struct sn_reducer *a, const struct sn_reducer *b);

#endif
