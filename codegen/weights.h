/*
 * The weights file: a header of 64 bytes and the constants, each at a multiple of 64 bytes.
 *
 *	0	"SINTERW1"
 *	8	bytes of the file
 *	16	plan hash: of the generated code that goes with it
 *	24	content hash: of everything behind the header
 *	32	zero
 *
 * All numbers are little endian.
 */
#ifndef CODEGEN_WEIGHTS_H
#define CODEGEN_WEIGHTS_H

#include "codegen/codegen.h"

enum { SN_WEIGHTS_HEADER = 64 };

/* Hash of whole lines of 64 bytes: eight lanes of multiply and exclusive or, at the speed of memory. */
struct sn_weights_hash {
	uint64_t lane[8];
	unsigned char pending[64];
	size_t npending;
	uint64_t bytes;
};
void sn_weights_hash_init(struct sn_weights_hash *h);
void sn_weights_hash_add(struct sn_weights_hash *h, const void *bytes, size_t n);
uint64_t sn_weights_hash_end(const struct sn_weights_hash *h);

#endif
