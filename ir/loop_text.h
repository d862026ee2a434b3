/*
 * What printer, parser, verifier and interpreter of the loop level share.
 */
#ifndef IR_LOOP_TEXT_H
#define IR_LOOP_TEXT_H

#include "ir/loop.h"

/* Words of the text form; NULL-terminated, in order of the enumerations. */
extern const char *const sn_loop_keywords[];
extern const char *const sn_space_texts[];
extern const char *const sn_loop_kind_texts[];

/*
 * Names as they are printed: unique where they are visible.  A name that is
 * taken or that means something else gets a number.
 */
struct sn_names {
	struct sn_arena *arena;
	struct sn_map taken;		     /* visible printed names */
	SN_VEC(const char *) scope;	     /* in order of declaration */
	struct sn_map axes, locals, buffers; /* id -> printed name */
};

/* RESERVED: NULL-terminated words that are never given, or NULL. */
void sn_names_init(struct sn_names *n, struct sn_arena *a, const char *const *reserved);

/* The printed name of what is called NAME, remembered under ID in MAP (one of the three). */
const char *sn_names_declare(struct sn_names *n, struct sn_map *map, int id, const char *name);

/* NAME is used as it stands: of a symbol. */
void sn_names_take(struct sn_names *n, const char *name);

/* Leaves the scope that was entered when scope.n was MARK. */
void sn_names_leave(struct sn_names *n, size_t mark);

/* The line number of S in the text of F, and that line without its indentation, for messages. */
int sn_func_locate(const struct sn_func *f, const struct sn_stmt *s, struct sn_arena *a,
		   const char **out_line);

#endif
