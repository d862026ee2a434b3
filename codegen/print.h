/*
 * The printer's state, shared by its files: print.c (functions and statements), print_names.c,
 * print_parallel.c, print_kernel.c, print_expr.c (expressions), helpers.c (templates, helpers, types). codegen/ only.
 */
#ifndef CODEGEN_PRINT_H
#define CODEGEN_PRINT_H

#include "codegen/dialect.h"
#include "ir/loop.h"

/* Type of a value as templates see it. A vector of bool is given as the integers of its mask. */
struct sn_ty {
	enum sn_dtype t;
	int lanes;
};

/* An expression as text, and how strongly that binds; ROW: which row made it. */
struct sn_piece {
	const char *text;
	int strength;
	const void *row;
};

/* A name in scope, and its declaration as a member of a struct or a parameter. */
struct sn_named {
	const char *name, *decl;
	const void *object;
};

/* What one output file has needed so far. */
struct sn_printer {
	const struct sn_dialect *dialect;
	struct sn_arena *arena;
	struct sn_pool *pool;
	bool is_threaded;	      /* parallel loops go to the caller's hook */
	struct sn_buf types, helpers; /* text to stand before the functions */
	struct sn_map seen;	      /* names of what stands there */
	bool has_env;		      /* some function takes struct env */
	bool has_f64;
	bool has_check; /* some function checks indices: each worker has a flag */

	/* of the function being printed */
	struct sn_map names;	       /* C names, by address of symbol, axis, local or buffer */
	struct sn_map taken;	       /* names in scope */
	struct sn_map mask_bits;       /* width of masks, by local id */
	struct sn_map index_locals;    /* locals that are indices, by id */
	SN_VEC(struct sn_named) scope; /* innermost last */
	const char *func_name;
	int nbodies;
	struct sn_buf bodies;	 /* functions that must stand before it */
	bool is_in_body;	 /* inside a parallel body */
	struct sn_launch launch; /* of a kernel */
	const char *failed;	 /* where a kernel says that a check failed */
	int64_t scratch;	 /* bytes of scratch given out in the function */
	int64_t scratch_max;	 /* most over all functions */
};

void sn_printer_init(struct sn_printer *p, const struct sn_dialect *d, struct sn_arena *a,
		     struct sn_pool *pool);

/* One function; helpers and types it needs are added to P. NAME: of the C function. */
void sn_printer_func(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f,
		     const char *name);
/* True if the function takes struct env as its last parameter. */
bool sn_printer_needs_env(const struct sn_printer *p, const struct sn_func *f);
/* Includes, macros, types and helpers, to stand before the functions. */
void sn_printer_prologue(struct sn_printer *p, struct sn_buf *out);

/* Expressions. WANT: width of a mask in bits, 0 for its own. */
struct sn_piece sn_piece_of(struct sn_printer *p, const struct sn_expr *e, int want);
/* Text of E where at least STRENGTH is needed. */
const char *sn_expr_text(struct sn_printer *p, const struct sn_expr *e, int strength);
int sn_mask_bits(struct sn_printer *p, const struct sn_expr *e);
/* Does E depend on data (and so may wrap)? */
bool sn_has_data(struct sn_printer *p, const struct sn_expr *e);

/* Class of a type, see dialect.h. */
char sn_class_of(enum sn_dtype t, int lanes);
struct sn_ty sn_ty_of(enum sn_dtype t, int lanes, int mask_bits);

/* Names of C types; a vector type is declared on its first use. */
const char *sn_c_scalar(struct sn_printer *p, enum sn_dtype t);
const char *sn_c_memory(struct sn_printer *p, enum sn_dtype t);
const char *sn_c_type(struct sn_printer *p, struct sn_ty t);

/* Fills in a template; OPS by number; '%' and the like as dialect.h says. */
struct sn_fill {
	struct sn_ty ty, src;
	const struct sn_piece *ops;
	int strength;
	const void *row;
	const char *base, *index; /* @b @i */
	const char *space;	  /* @s */
	int touched;		  /* @n */
	int lane;		  /* $j */
};
const char *sn_fill(struct sn_printer *p, const char *text, const struct sn_fill *f);

/* Makes sure that the helpers named in the list NAMES stand in the prologue. */
void sn_need_helpers(struct sn_printer *p, const char *names, struct sn_ty ty, struct sn_ty src);

/* ---- print_names.c ---- */

/* Names OBJECT, of C type TYPE, until the scope that began at MARK scopes ends. */
const char *
sn_declare(struct sn_printer *p, const void *object, const char *base, const char *type);
const char *sn_declare_buffer(struct sn_printer *p, const struct sn_buffer *b);
void sn_leave_scope(struct sn_printer *p, size_t mark);
void sn_reset_names(struct sn_printer *p);
/* Puts into TAKEN what names of ours must not be. */
void sn_reserve_names(const struct sn_dialect *d, struct sn_map *taken);
const char *sn_name_of(struct sn_printer *p, const void *object);
void sn_indent(struct sn_buf *out, int depth);
/* TEXT as lines of at most a hundred columns (a tab is eight), or 72 characters where code is deep. */
void sn_add_wrapped(struct sn_buf *out, int depth, const char *text);
/* "local ": what stands before the types of B's space. */
const char *sn_space_text(struct sn_printer *p, const struct sn_buffer *b);
/* "float (*acc)[16]": a pointer that is indexed as the buffer is. */
const char *sn_pointer_text(struct sn_printer *p, const struct sn_buffer *b, const char *name);
/* The statement that makes a local buffer. */
void sn_print_alloc(struct sn_printer *p, struct sn_buf *out, const struct sn_buffer *b, int depth);

/* ---- print.c ---- */

/* With or without a scope of its own. */
void sn_print_block(struct sn_printer *p, struct sn_buf *out, const struct sn_block *b, int depth);
void sn_print_stmts(struct sn_printer *p, struct sn_buf *out, const struct sn_block *b, int depth);
void sn_begin_function(struct sn_printer *p, const struct sn_func *f, const char *name);
/* Adds TEXT to a list that wraps at the hundredth column; LINE: where its last line began. */
void sn_add_to_list(struct sn_buf *out, size_t *line, const char *text, bool is_first);

/* ---- print_kernel.c ---- */

/* F as a kernel; SLOTS: which of its memories a parameter lies in, counted in order of first use
 * (NULL: each its own). Arguments: memories, an offset in bytes for each parameter, symbols; if F
 * checks indices, behind the memories that of a word that becomes 1, and behind all its offset. */
void sn_printer_kernel(struct sn_printer *p, struct sn_buf *out, const struct sn_func *f,
		       const char *name, const int *slots);
void
sn_print_launch_loop(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth);
void
sn_print_kernel_check(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth);
void sn_print_barrier(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth);

/* ---- print_parallel.c ---- */

struct sn_uses {
	struct sn_printer *p;
	struct sn_map set; /* symbols, axes, locals, buffers, by address */
	bool has_worker;   /* what each worker has of its own: scratch, or the flag of checks */
	bool has_parallel;
};
void sn_find_uses(struct sn_printer *p, const struct sn_block *b, struct sn_uses *u);
bool sn_is_used(const struct sn_uses *u, const void *object);
/* The call that runs loop S in parallel; its body goes into P's bodies. */
void
sn_print_parallel(struct sn_printer *p, struct sn_buf *out, const struct sn_stmt *s, int depth);

/* Adds to the helpers the function of local X whose body is F's, and whose result Y is, or, by the
 * name of the dialect's helper BEYOND, what that makes of x and Y. */
void sn_print_helper(struct sn_printer *p, const struct sn_func *f, const struct sn_local *x,
		     const struct sn_expr *y, const char *beyond);

/* Helper function for OP as defined in codegen/math.c; false if there is none for the type. */
bool
sn_math_helper(struct sn_printer *p, enum sn_scalar_op op, struct sn_ty ty, const char **out_name);

#endif
