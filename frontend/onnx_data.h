/*
 * From a TensorProto to a view of its elements.
 */
#ifndef FRONTEND_ONNX_DATA_H
#define FRONTEND_ONNX_DATA_H

#include "frontend/onnx_tensor.h"
#include "frontend/onnx_wire.h"
#include "support/file.h"
#include "support/map.h"

struct Pb__SparseTensorProto;

/* Where tensors of one file come from, and where their elements go. */
struct sn_data_source {
	struct sn_wire_bytes bytes;	/* what payload records point into; outlives the arena */
	const char *folder;		/* of the model, for external data; NULL: there is none */
	struct sn_arena *arena;
	struct sn_diags *diags;
	struct sn_map maps;		/* external files by path, each mapped once */
};

void sn_data_source_init(struct sn_data_source *s, const struct sn_wire_bytes *b,
			 const char *folder, struct sn_arena *a, struct sn_diags *d);

/* Reads T; WHERE is the node it belongs to, if any. */
bool sn_read_tensor(struct sn_data_source *s, const struct Pb__TensorProto *t,
		    struct sn_where where, struct sn_tensor_data *out);

/* The same, scattered into zeros. */
bool sn_read_sparse(struct sn_data_source *s, const struct Pb__SparseTensorProto *t,
		    struct sn_where where, struct sn_tensor_data *out);

/* Checks dimensions and counts elements: their number in *out_n, at most 2^46 bytes together. */
struct sn_declared { const char *name; enum sn_dtype dtype; size_t rank; const int64_t *dims; };
bool sn_check_dims(struct sn_data_source *s, struct sn_where where, const struct sn_declared *x,
		   size_t *out_n);

/* Bytes of T in an external file, mapped; NEED is how many its shape asks for. */
bool sn_read_external(struct sn_data_source *s, const struct Pb__TensorProto *t,
		      struct sn_where where, size_t need, const void **out);

/* Maps PATH for as long as arena A lives. */
bool sn_map_for(struct sn_arena *a, const char *path, struct sn_diags *d, struct sn_file *out);

#endif
