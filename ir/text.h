/*
 * Pieces that the text forms of all levels share (docs/ir.md): symbols, types,
 * constant data, origins.  Each print has its parse; what the one writes, the
 * other reads back.
 */
#ifndef IR_TEXT_H
#define IR_TEXT_H

#include "ir/data.h"
#include "ir/expr_parse.h"
#include "ir/origin.h"
#include "ir/type.h"

/*
 * Symbols.  Text: "[N in 1..64, M in 0..*]", nothing if there are none.  A name
 * that a type uses without a declaration is one with bounds 1..*, so that a
 * test can just write f32[N,4].
 */
struct sn_sym_scope {
	struct sn_pool *pool;
	struct sn_map by_name;	    /* to struct sn_sym */
	struct sn_expr_scope exprs; /* for sn_expr_parse; leaves are the symbols */
};

void sn_sym_scope_init(struct sn_sym_scope *s, struct sn_pool *p, struct sn_arena *a);
bool sn_syms_parse(struct sn_lex *x, struct sn_sym_scope *s);

/* The symbol of that name in the pool or a new one. */
struct sn_sym *sn_sym_scope_get(struct sn_sym_scope *s, const char *name, int64_t lo, int64_t hi);

/* Symbols found in inputs' dimensions that stand there alone learn so (is_dim, input, axis). */
void sn_sym_note_input(const struct sn_type *t, int input);

/* The symbols of expressions, in order of first occurrence. */
struct sn_sym_list {
	struct sn_arena *arena;
	struct sn_map seen; /* expressions by id */
	SN_VEC(const struct sn_sym *) list;
};

void sn_sym_list_init(struct sn_sym_list *l, struct sn_arena *a);
void sn_sym_list_add(struct sn_sym_list *l, const struct sn_expr *e);
void sn_sym_list_add_type(struct sn_sym_list *l, const struct sn_type *t);
void sn_syms_print(struct sn_buf *out, const struct sn_sym_list *l);

/* "f32[1,N,2*H+1]", "i64", "seq(f32[*])", "optional(...)"; dimensions may be '?'. */
bool sn_type_parse(struct sn_lex *x, struct sn_sym_scope *s, struct sn_type *out);

/* Does the current token start a type? Names that would are printed between quotes. */
bool sn_lex_is_type(const struct sn_lex *x);

/*
 * Data: "{1.0, 2.0}" up to 16 elements; "splat 0.5"; else "hash 0x0123456789abcdef",
 * or with WITH_DATA all elements, floats in hexadecimal so that reading is quick
 * and exact.  What stands as a hash is read as made-up elements of the same hash.
 */
void sn_data_print(struct sn_buf *out, const struct sn_data *d, bool with_data);
bool sn_data_parse(struct sn_lex *x, struct sn_arena *a, enum sn_dtype t, size_t n,
		   const struct sn_data **out);

/* " @ Conv 3 "conv1", Relu 4 "relu1" in "other.onnx""; nothing if O is NULL. FILE is the model file
 * that need not be named; the parser gives it to those that name none. */
void sn_origin_print_text(struct sn_buf *out, const struct sn_origin *o, const char *file);
bool sn_origin_parse(struct sn_lex *x, struct sn_arena *a, const char *file,
		     const struct sn_origin **out);

#endif
