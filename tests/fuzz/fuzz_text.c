/* Fuzz target: the text forms of the three levels; the first byte picks the level. */
#include <string.h>
#include "ir/graph.h"
#include "ir/loop.h"
#include "ir/tensor.h"
#include "support/map.h"
#include "tests/fuzz/fuzz.h"

struct input {
	struct sn_arena *arena;
	struct sn_pool *pool;
	struct sn_diags *diags;
};

/* Elements of constants are read back, too, where that takes no seconds. */
enum { MOST_TEXT = 256 << 10 };

/* Parses TEXT as level KIND and prints it again; NULL if it is no text of the level. */
static const char *
reprint(struct input *in, int kind, const char *text, bool with_data)
{
	struct sn_buf b;
	sn_buf_init(&b, in->arena);
	if (kind == 0) {
		struct sn_graph *g = sn_graph_parse(text, NULL, in->arena, in->pool, in->diags);
		if (!g)
			return NULL;
		sn_graph_print(&b, g, with_data);
		sn_graph_verify(g, in->diags);
	} else if (kind == 1) {
		struct sn_program *p = sn_program_parse(text, NULL, in->arena, in->pool, in->diags);
		if (!p)
			return NULL;
		sn_program_print(&b, p, with_data);
		sn_program_verify(p, in->diags);
	} else {
		struct sn_func *f = sn_func_parse(text, NULL, in->arena, in->pool, in->diags);
		if (!f)
			return NULL;
		sn_func_print(&b, f);
		sn_func_verify(f, in->diags);
	}
	return b.text;
}

static void
run(struct sn_arena *arena, const uint8_t *data, size_t size)
{
	struct sn_diags diags;
	struct sn_pool pool;
	sn_diags_init(&diags, arena);
	sn_pool_init(&pool, arena);
	struct input in = { arena, &pool, &diags };
	int kind = size ? data[0] % 3 : 0;
	const char *text = sn_strndup(arena, (const char *)data + 1, size ? size - 1 : 0);
	bool with_data = true;
	const char *first = reprint(&in, kind, text, with_data);
	if (!first && diags.errors == 0)
		fuzz_die("refused without a word");
	if (first && strlen(first) > MOST_TEXT)
		first = reprint(&in, kind, text, with_data = false);
	const char *second = first ? reprint(&in, kind, first, with_data) : NULL;
	if (first && (!second || strcmp(first, second) != 0))
		fuzz_die("what was printed reads back as something else");
}

/* The bytes that the arena had handed out at the end. */
static size_t
run_guarded(const uint8_t *data, size_t size, size_t budget)
{
	struct sn_guard guard;
	struct sn_arena arena;
	sn_arena_init(&arena, &guard);
	arena.budget = budget;
	enum sn_status status = SN_GUARD_ENTER(&guard);
	if (status == SN_OK)
		run(&arena, data, size);
	size_t used = arena.used;
	sn_arena_release(&arena);
	if (status == SN_ERR_INTERNAL)
		fuzz_die(guard.text);
	return used;
}

/* Twice, the second time with so little memory that an allocation on the way fails: which one
 * depends on the input's hash. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used = run_guarded(data, size, (size_t)256 << 20);
	run_guarded(data, size, 1 + sn_hash(0, data, size) % (used + 1));
	return 0;
}
