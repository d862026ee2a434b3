/* The cache of program binaries: whole or nothing, bounded, shared by processes that may die. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "runtime/cache.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/sinter-cache-XXXXXX";

static struct sinter_cache_key
key_of(const char *text)
{
	struct sinter_cache_key k;

	sinter_cache_key_init(&k);
	sinter_cache_key_text(&k, text);
	return k;
}

static void
put(const char *key, const char *text)
{
	struct sinter_cache_key k = key_of(key);

	sinter_cache_put(&k, "model on device", text, strlen(text));
}

/* Is TEXT (NULL: nothing) under KEY? */
static int
has(const char *key, const char *text)
{
	struct sinter_cache_key k = key_of(key);
	size_t n = 0;
	char *data = sinter_cache_get(&k, &n);
	int is_right = text ? data && n == strlen(text) && memcmp(data, text, n) == 0 : !data;

	free(data);
	return is_right;
}

static const char *
path_of(const char *key)
{
	static char path[256];
	struct sinter_cache_key k = key_of(key);

	snprintf(path, sizeof(path), "%s/%016llx%016llx.bin", folder,
		 (unsigned long long)k.words[0], (unsigned long long)k.words[1]);
	return path;
}

static int
count_files(const char *prefix)
{
	int n = 0;
	DIR *d = opendir(folder);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.' && strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static int
clear(void **state)
{
	char command[128];
	(void)state;

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	setenv("SINTER_CACHE_DIR", folder, 1);
	unsetenv("SINTER_CACHE");
	unsetenv("SINTER_CACHE_BYTES");
	return system(command) == 0 ? 0 : -1;
}

static void
tells_keys_apart(void **state)
{
	static const char bytes[32];
	struct sinter_cache_key k[40], joined, split;
	(void)state;

	/* Zeros of all lengths. */
	for (size_t i = 0; i < 32; i++) {
		sinter_cache_key_init(&k[i]);
		sinter_cache_key_add(&k[i], bytes, i);
		for (size_t j = 0; j < i; j++)
			assert_true(k[i].words[0] != k[j].words[0]
				    && k[i].words[1] != k[j].words[1]);
	}
	/* Texts that are the same put together. */
	joined = key_of("ab");
	sinter_cache_key_text(&joined, "c");
	split = key_of("a");
	sinter_cache_key_text(&split, "bc");
	assert_true(joined.words[0] != split.words[0]);
}

static void
keeps_what_is_put(void **state)
{
	(void)state;
	assert_true(has("a", NULL));
	put("a", "first");
	put("b", "");
	assert_true(has("a", "first"));
	assert_true(has("b", ""));
	assert_true(has("c", NULL));
	put("a", "second, which is longer");
	assert_true(has("a", "second, which is longer"));
	struct sinter_cache_key k = key_of("a");

	sinter_cache_drop(&k);
	assert_true(has("a", NULL));
	assert_int_equal(count_files("tmp-"), 0);
}

static void
can_be_off(void **state)
{
	char path[64];
	(void)state;

	put("a", "kept");
	setenv("SINTER_CACHE", "off", 1);
	assert_true(has("a", NULL));
	put("b", "not kept");
	sinter_cache_folder(path, sizeof(path));
	assert_string_equal(path, "");
	unsetenv("SINTER_CACHE");
	assert_true(has("a", "kept"));
	assert_true(has("b", NULL));
}

static void
has_its_place(void **state)
{
	char path[200], deep[100];
	(void)state;

	setenv("XDG_CACHE_HOME", "/x", 1);
	sinter_cache_folder(path, sizeof(path));
	assert_string_equal(path, folder);
	unsetenv("SINTER_CACHE_DIR");
	sinter_cache_folder(path, sizeof(path));
	assert_string_equal(path, "/x/sinter");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", "/home/me", 1);
	sinter_cache_folder(path, sizeof(path));
	assert_string_equal(path, "/home/me/.cache/sinter");
	/* It is made with all that is above it; what can't be made is no error. */
	snprintf(deep, sizeof(deep), "%s/one/two", folder);
	setenv("SINTER_CACHE_DIR", deep, 1);
	put("a", "deep");
	assert_true(has("a", "deep"));
	setenv("SINTER_CACHE_DIR", "/proc/nowhere", 1);
	put("a", "lost");
	assert_true(has("a", NULL));
}

static void
refuses_damaged_files(void **state)
{
	static const char text[] = "a binary of some length, long enough to be cut and bitten";
	struct stat st;
	(void)state;

	put("a", text);
	assert_int_equal(stat(path_of("a"), &st), 0);
	/* A bit of any byte. */
	for (off_t i = 0; i < st.st_size; i++) {
		char c;
		int fd = open(path_of("a"), O_RDWR);

		assert_int_equal(pread(fd, &c, 1, i), 1);
		c ^= (char)(1 << (i % 8));
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
		close(fd);
		assert_true(has("a", NULL));
		assert_int_equal(count_files(""), 0);
		put("a", text);
		assert_true(has("a", text));
	}
	/* Any length. */
	for (off_t i = 0; i < st.st_size; i++) {
		assert_int_equal(truncate(path_of("a"), i), 0);
		assert_true(has("a", NULL));
		put("a", text);
	}
	/* A file under another's name. */
	char from[256];

	put("b", "another");
	snprintf(from, sizeof(from), "%s", path_of("b"));
	assert_int_equal(rename(from, path_of("a")), 0);
	assert_true(has("a", NULL));
}

/* Makes the entry of KEY look as if it was used S seconds ago. */
static void
set_age(const char *path, int s)
{
	struct timespec t[2];

	clock_gettime(CLOCK_REALTIME, &t[0]);
	t[0].tv_sec -= s;
	t[1] = t[0];
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void
forgets_the_longest_unused(void **state)
{
	static char text[3001];
	(void)state;

	memset(text, 'x', 3000);
	setenv("SINTER_CACHE_BYTES", "10000", 1);
	put("a", text);
	put("b", text);
	set_age(path_of("a"), 100);
	set_age(path_of("b"), 50);
	assert_true(has("a", text)); /* used now */
	put("c", text);
	assert_int_equal(count_files(""), 3);
	put("d", text);
	assert_true(has("a", text));
	assert_true(has("b", NULL));
	assert_true(has("d", text));
	/* More than fits at all. */
	setenv("SINTER_CACHE_BYTES", "1000", 1);
	put("e", text);
	assert_true(has("e", NULL));
	assert_true(has("d", text));
}

static int
note(char *list, const struct sinter_cache_entry *e)
{
	strcat(list, e->is_whole ? e->label : "damaged");
	strcat(list, ";");
	return (int)e->bytes;
}

static void
note_entry(void *arg, const struct sinter_cache_entry *e)
{
	note(arg, e);
}

static void
lists_and_clears(void **state)
{
	char list[1000] = "";
	uint64_t bytes = 1;
	(void)state;

	assert_int_equal(sinter_cache_each(note_entry, list, NULL), SINTER_OK);
	assert_string_equal(list, "");
	assert_int_equal(sinter_cache_clear(&bytes, NULL), SINTER_OK);
	assert_int_equal(bytes, 0);
	put("a", "one");
	assert_int_equal(sinter_cache_each(note_entry, list, NULL), SINTER_OK);
	assert_string_equal(list, "model on device;");
	assert_int_equal(truncate(path_of("a"), 20), 0);
	list[0] = '\0';
	assert_int_equal(sinter_cache_each(note_entry, list, NULL), SINTER_OK);
	assert_string_equal(list, "damaged;");
	put("b", "two");
	/* Somebody else's file stays. */
	char other[64];

	snprintf(other, sizeof(other), "%s/notes.txt", folder);
	fclose(fopen(other, "w"));
	assert_int_equal(sinter_cache_clear(&bytes, NULL), SINTER_OK);
	assert_true(bytes > 20);
	assert_int_equal(count_files(""), 1);
	setenv("SINTER_CACHE_DIR", other, 1);
	struct sinter_error e;

	assert_int_equal(sinter_cache_each(note_entry, list, &e), SINTER_NO_FILE);
	assert_non_null(strstr(e.text, "notes.txt"));
}

static void
outlives_a_writer_that_is_killed(void **state)
{
	int status;
	(void)state;

	put("b", "whole");
	pid_t child = fork();

	if (child == 0) {
		/* The system ends the process at byte 100 of the file. */
		const struct rlimit limit = { 100, 100 }, none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_FSIZE, &limit);
		put("a", "never");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
	assert_int_equal(count_files("tmp-"), 1);
	assert_true(has("a", NULL));
	assert_true(has("b", "whole"));
	put("a", "mine");
	assert_true(has("a", "mine"));
	assert_int_equal(count_files("tmp-"), 1);
	/* What it left goes when nobody can be writing it any more. */
	DIR *d = opendir(folder);

	for (struct dirent *e; (e = readdir(d));) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (strncmp(e->d_name, "tmp-", 4) == 0)
			set_age(path, 3600);
	}
	closedir(d);
	put("c", "next");
	assert_int_equal(count_files("tmp-"), 0);
}

enum { LARGE = 1 << 20, KILLS = 15 };

/* Writes entries of one letter each under the same key, for ever. */
static void
write_for_ever(void)
{
	static char data[LARGE];
	struct sinter_cache_key k = key_of("contended");

	for (unsigned i = 0;; i++) {
		memset(data, 'a' + (int)(i % 26), sizeof(data));
		sinter_cache_put(&k, "a label", data, sizeof(data));
	}
}

/* What is there must be one letter from end to end; returns whether something was. */
static int
check_contended(void)
{
	struct sinter_cache_key k = key_of("contended");
	size_t n;
	char *data = sinter_cache_get(&k, &n);

	if (!data)
		return 0;
	assert_int_equal(n, LARGE);
	for (size_t i = 1; i < n; i++)
		if (data[i] != data[0])
			fail_msg("byte %zu is of another writer", i);
	free(data);
	return 1;
}

static void
gives_whole_entries_whoever_writes_or_dies(void **state)
{
	int nfound = 0;
	(void)state;

	for (int i = 0; i < KILLS; i++) {
		pid_t children[2];

		for (int c = 0; c < 2; c++) {
			children[c] = fork();
			if (children[c] == 0)
				write_for_ever();
		}
		for (int r = 0; r < 20; r++) {
			nfound += check_contended();
			nanosleep(&(struct timespec){ 0, 500000 }, NULL);
		}
		for (int c = 0; c < 2; c++) {
			kill(children[c], SIGKILL);
			waitpid(children[c], NULL, 0);
		}
		nfound += check_contended();
	}
	assert_true(nfound > KILLS);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup(f, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_keys_apart),
		TEST(keeps_what_is_put),
		TEST(can_be_off),
		TEST(has_its_place),
		TEST(refuses_damaged_files),
		TEST(forgets_the_longest_unused),
		TEST(lists_and_clears),
		TEST(outlives_a_writer_that_is_killed),
		TEST(gives_whole_entries_whoever_writes_or_dies),
	};
	return cmocka_run_group_tests_name("cache", tests, make_folder, clear);
}
