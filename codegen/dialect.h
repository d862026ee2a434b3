/*
 * Dialects: what the printer needs to know of a language, as data.
 *
 * A dialect is one const struct.  Its rows give, for an operation and a class
 * of operands, a template and the strength with which the text binds; its
 * helpers are small functions that rows ask for and that are printed once for
 * each type they are used with.
 *
 * Templates of rows: %0 operand 0, in parentheses when it binds looser than
 * the row; >0 the same but also when equal (the right side of '-'); ~0 unless
 * it is the same row or a comparison or stronger; #0 unless it is a sum or stronger; @0 operand as an argument.
 * Of rows for memory: @0 the element, @1 the value, @n the number of lanes
 * touched, @b the array, @i the index, as strong as a product, @s what stands before types of the
 * array's space.
 *
 * In all templates, of the value's type:
 *	$t $v	name suffix of an element and of the value: f32, and with lanes: v16f32
 *	$T $V	C type of an element and of the value: float, v16f32
 *	$P	C type of an element in memory: uint8_t for bool
 *	$U $u	unsigned type of the same width and lanes, and its suffix; $I $i: signed
 *	$E	unsigned type of one element
 *	$W $w	type of half the lanes, and its suffix
 *	$Q	unaligned variant of $V; $M mask as wide as $V
 *	$h	width of an element in bits, $k the same less one, $z in bytes, $B of the value; $n lanes
 *	$e	elements in a byte
 *	$lo $hi	least and greatest integer
 *	$F	what functions of math.h have behind their names: "f" for f32, "" for f64
 *	$S $s	of casts: the type and suffix of the operand, $r suffix of its element,
 *		$J signed integers of its width
 *	$(...$)	what stands there once for each lane, with commas; in it $j is the number of the lane
 */
#ifndef CODEGEN_DIALECT_H
#define CODEGEN_DIALECT_H

#include "codegen/codegen.h"
#include "ir/loop.h"

/*
 * Classes of values, lower case for scalars and upper case for vectors:
 *	f F	f32, f64
 *	h H	floats of fewer bits; values are kept as f32 and rounded after each operation
 *	i I	signed integers, wrapping
 *	u U	unsigned integers
 *	x	i64 made of axes and sizes: proved in range, plain arithmetic
 *	b B	bool; a vector of bool is a mask of 0 and -1 as wide as what was compared
 *	s S	in memory only: integers of fewer than 8 bits, packed
 */
enum sn_row_when {
	WHEN_ALWAYS,
	WHEN_NUMBER,  /* operand 1 is a constant, not NaN (operand 0 may be swapped with it) */
	WHEN_NATURAL, /* operand 0 is proved not negative, operand 1 positive */
};

struct sn_op_row {
	uint8_t op;	     /* enum sn_scalar_op */
	const char *classes; /* of operand 0 (select: operand 1; splat and iota: the result) */
	int strength;	     /* how the text binds, CP_... */
	const char *text;
	const char *helper; /* names of helpers it calls, or NULL */
	enum sn_row_when when;
};

#define SN_ROW(op, classes, strength, text, helper) \
	{ \
		op, classes, strength, text, helper, WHEN_ALWAYS \
	}
#define SN_ROW_WHEN(when, op, classes, strength, text, helper) \
	{ \
		op, classes, strength, text, helper, when \
	}

struct sn_cast_row {
	const char *from, *to;
	int strength;
	const char *text, *helper;
	bool is_narrowing; /* only where the result has fewer bits */
};

/* Which accesses a row is for. */
enum sn_mem_how {
	MEM_ALL,
	MEM_PART,    /* of fewer elements than lanes */
	MEM_ALIGNED, /* of aligned lanes; a dialect without such rows takes those of MEM_ALL */
};

struct sn_mem_row {
	const char *classes;
	enum sn_mem_how how;
	int strength;	 /* of the load */
	const char *load, *load_helper;
	const char *store, *store_helper;
};

/* NAME_I is preferred to NAME for types of class I (and U, when there is no NAME_U).
 * NEEDS: names of other helpers of the same type; NAME/ of half the lanes, NAME@1 of one element,
 * NAME^ of the operand's type, NAME@f32.u32 of the types named (the second is the operand's).  In a name, $t is the type. */
struct sn_helper {
	const char *name, *needs, *text;
};

/* How strongly C's operators bind. */
enum {
	CP_COMMA = 1,
	CP_ASSIGN,
	CP_COND,
	CP_OROR,
	CP_ANDAND,
	CP_BITOR,
	CP_XOR,
	CP_BITAND,
	CP_EQUAL,
	CP_LESS,
	CP_SHIFT,
	CP_SUM,
	CP_PRODUCT,
	CP_UNARY,
	CP_PRIMARY,
};

struct sn_dialect_table {
	const struct sn_op_row *rows;
	const struct sn_cast_row *casts;
	const struct sn_mem_row *mems;
	const struct sn_helper *helpers; /* each array ends with an empty row */
};

/* An element type: a value's, in memory, and the least and greatest integer. */
struct sn_type_names {
	const char *value, *memory, *lo, *hi;
};

/* Languages for devices: a function is a kernel, its grid and item loops are how it is launched. */
struct sn_kernel_words {
	const char *language;  /* its name and version */
	const char *ending;    /* of its files */
	const char *start;     /* printf format (%lld): before a kernel's name; items of its groups */
	const char *memory;    /* type of an argument that is a piece of device memory */
	const char *spaces[5]; /* by enum sn_space: before a type, NULL: there is none */
	const char *group, *item; /* printf formats (%d): number in a dimension */
	const char *barrier[4]; /* by what it orders, SN_ORDERS_... */
	const char *f64; /* to stand first where there are f64, or NULL */
};

struct sn_dialect {
	const char *name, *summary;
	const char *flags; /* of the language's compiler; C: but for -march */
	bool has_vectors;
	bool has_vector_math;			/* functions of math.h take vectors, too */
	const struct sn_type_names *types;	/* by enum sn_dtype */
	const struct sn_kernel_words *kernel; /* NULL: functions of a program */
	const char *reserved;	 /* names that are not ours beside those of C, or NULL */
	const char *includes;	 /* of a file that stands alone */
	const char *prologue;	 /* macros and pragmas, after the includes */
	const char *vector_name; /* template of the language's own vector types, or NULL: ... */
	const char *vector_type; /* ... templates of typedefs */
	const char *unaligned_type;
	const char *to_array, *of_array; /* templates: vector @1 into array @0, and back */
	const char *f32_suffix;		 /* $F */
	const char *unroll; /* printf format (%lld) before a loop of so many turns, or NULL */
	const char *align;  /* printf format after the declaration of a local array, or NULL */
	const char *prefetch; /* printf format of the hint that an element will be read, or NULL */
	const struct sn_dialect_table *tables[4]; /* the first that has a row wins; NULL ends */
};

#define SN_C_INCLUDES \
	"#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n" \
	"#include <string.h>\n\n"

extern const struct sn_dialect sn_dialect_c, sn_dialect_c99, sn_dialect_opencl;
extern const struct sn_dialect_table sn_table_c99;
extern const struct sn_type_names sn_types_c99[DT_COUNT];

#endif
