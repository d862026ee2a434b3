/*
 * File tests: a text file says what is done with its IR and what must come out.
 *
 *	; test roundtrip tensor		commands, first lines of the file
 *	; set N=3			settings
 *	... IR ...			"; error: part of a message" ends the line meant
 *	; check: part of the output	each found behind the one before
 *	; check-not: not in the output
 *	; expect			the exact output follows, to the end of the file
 *
 * A command parses the IR and fills the output; the frame compares.
 */
#ifndef TESTS_FILETEST_H
#define TESTS_FILETEST_H

#include <stdbool.h>
#include "ir/module.h"
#include "support/map.h"

enum ft_remark_kind { FT_CHECK, FT_CHECK_NOT, FT_ERROR };

struct ft_remark {
	enum ft_remark_kind kind;
	int line;	    /* from 1 */
	const char *text;   /* what must be found */
	const char *source; /* the IR on that line */
	bool is_met;
};

struct ft_file {
	const char *path;
	const char *whole;	/* as it is on disk */
	const char *ir;		/* up to "; expect"; the comments are in it, so lines count right */
	const char *expect;	/* NULL: no such block */
	size_t expect_offset;	/* of "; expect" in WHOLE */
	struct sn_map settings; /* to strings */
	SN_VEC(const char *) commands;
	SN_VEC(struct ft_remark) remarks;
};

/* One run of one command. */
struct ft_run {
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_diags *diags;
	const struct ft_file *file;
	struct sn_buf *out; /* what expect and check look at */
	struct sn_buf *why; /* reasons of failure, lines */
};

/* False: the test failed, and WHY or DIAGS say so. ARGS is what follows the command's name. */
typedef bool ft_command_fn(struct ft_run *r, const char *args);

ft_command_fn ft_roundtrip, ft_interp, ft_verify, ft_infer, ft_pass, ft_emit;

/* A reason of failure; returns false. */
bool ft_fail(struct ft_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The value of a setting, or DEF. */
const char *ft_setting(const struct ft_run *r, const char *key, const char *def);

/* Shows the first line in which two texts differ. */
void ft_show_difference(struct sn_buf *why, const char *expected, const char *got);

#endif
