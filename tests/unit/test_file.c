/* Tests of support/file.h: mapping, atomic replacement, folders, errors. */
#include <stdio.h>
#include <string.h>
#include <dirent.h>
#include <unistd.h>
#include "support/file.h"
#include "tests/unit/unit.h"

struct fixture {
	struct sn_arena arena;
	struct sn_diags diags;
	char folder[64];
};

static int
set_up(void **state)
{
	struct fixture *t = calloc(1, sizeof(*t));
	if (!t)
		return -1;
	sn_arena_init(&t->arena, NULL);
	sn_diags_init(&t->diags, &t->arena);
	strcpy(t->folder, "/tmp/sinter-test-XXXXXX");
	*state = t;
	return mkdtemp(t->folder) ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct fixture *t = *state;
	int status = system(sn_printf(&t->arena, "rm -rf '%s'", t->folder));
	sn_arena_release(&t->arena);
	free(t);
	return status;
}

static const char *
path(struct fixture *t, const char *name)
{
	return sn_printf(&t->arena, "%s/%s", t->folder, name);
}

static const char *
message(struct fixture *t)
{
	struct sn_buf b;
	sn_buf_init(&b, &t->arena);
	sn_diags_print(&t->diags, &b);
	return b.text;
}

static int
count_files(const char *folder)
{
	int n = 0;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void
assert_content(struct fixture *t, const char *name, const char *text)
{
	struct sn_file f;
	assert_true(sn_file_map(&f, path(t, name), &t->diags));
	assert_int_equal(f.size, strlen(text));
	assert_memory_equal(f.data, text, f.size);
	sn_file_unmap(&f);
}

static void
writes_and_maps(void **state)
{
	struct fixture *t = *state;
	assert_true(sn_file_write(path(t, "a"), "hello", 5, &t->diags));
	assert_content(t, "a", "hello");
	assert_true(sn_file_write(path(t, "a"), "", 0, &t->diags));
	assert_content(t, "a", "");
	assert_int_equal(count_files(t->folder), 1);
}

static void
old_content_stays_until_commit(void **state)
{
	struct fixture *t = *state;
	struct sn_file_out o;
	assert_true(sn_file_write(path(t, "a"), "old", 3, &t->diags));
	assert_true(sn_file_out_open(&o, path(t, "a"), &t->arena, &t->diags));
	assert_true(sn_file_out_append(&o, "ne", 2, &t->diags));
	assert_content(t, "a", "old");
	assert_true(sn_file_out_append(&o, "w", 1, &t->diags));
	assert_true(sn_file_out_commit(&o, &t->diags));
	assert_content(t, "a", "new");
	assert_int_equal(count_files(t->folder), 1);
}

static void
abandoned_output_leaves_nothing(void **state)
{
	struct fixture *t = *state;
	struct sn_file_out o;
	assert_true(sn_file_out_open(&o, path(t, "a"), &t->arena, &t->diags));
	assert_true(sn_file_out_append(&o, "x", 1, &t->diags));
	sn_file_out_abandon(&o);
	assert_int_equal(count_files(t->folder), 0);
}

static void
says_why_it_cannot_open(void **state)
{
	struct fixture *t = *state;
	struct sn_file f;
	assert_false(sn_file_map(&f, "/nowhere/x.onnx", &t->diags));
	assert_int_equal(f.size, 0);
	assert_string_equal(message(t), "error[E0001]: can't open '/nowhere/x.onnx': "
					"No such file or directory\n");
	assert_false(sn_file_map(&f, t->folder, &t->diags));
	assert_non_null(strstr(message(t), "Is a directory"));
}

static void
says_why_it_cannot_write(void **state)
{
	struct fixture *t = *state;
	assert_false(sn_file_write("/nowhere/x", "a", 1, &t->diags));
	assert_non_null(strstr(message(t), "error[E0002]: can't write '/nowhere/x': "));
	assert_non_null(strstr(message(t), "\n  hint: "));
	assert_false(sn_file_write(t->folder, "a", 1, &t->diags));
	assert_int_equal(t->diags.errors, 2);
}

/* A full disk: found at the write, and the device itself is never replaced. */
static void
reports_a_full_disk(void **state)
{
	struct fixture *t = *state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	assert_false(sn_file_write("/dev/full", "a", 1, &t->diags));
	assert_non_null(strstr(message(t), "No space left on device"));
	assert_true(sn_file_write("/dev/null", "a", 1, &t->diags));
}

static void
makes_folders(void **state)
{
	struct fixture *t = *state;
	assert_true(sn_make_folder(path(t, "x/y//z/"), &t->arena, &t->diags));
	assert_true(sn_make_folder(path(t, "x/y"), &t->arena, &t->diags));
	assert_true(sn_file_write(path(t, "x/y/z/f"), "1", 1, &t->diags));
	assert_int_equal(t->diags.errors, 0);
	assert_false(sn_make_folder(path(t, "x/y/z/f"), &t->arena, &t->diags));
	assert_false(sn_make_folder(path(t, "x/y/z/f/g"), &t->arena, &t->diags));
	assert_false(sn_make_folder("", &t->arena, &t->diags));
	assert_int_equal(t->diags.errors, 3);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(writes_and_maps),
		FILE_TEST(old_content_stays_until_commit),
		FILE_TEST(abandoned_output_leaves_nothing),
		FILE_TEST(says_why_it_cannot_open),
		FILE_TEST(says_why_it_cannot_write),
		FILE_TEST(reports_a_full_disk),
		FILE_TEST(makes_folders),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
