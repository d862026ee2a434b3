/* A thread waits for signals, so that cleaning up may do what a signal handler must not. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/interrupt.h"

/* Removes the files of FOLDER whose name has PART ("": all). */
static void
remove_files(const char *folder, const char *part)
{
	DIR *d = opendir(folder);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		char path[8192];
		if (!strstr(e->d_name, part) || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		unlink(path);
	}
	closedir(d);
}

/* Files on their way are named NAME.PID-N.tmp (support/file.c). */
static void
remove_half(const char *output)
{
	char part[32], folder[4096];
	const char *slash = strrchr(output, '/');
	snprintf(part, sizeof(part), ".%ld-", (long)getpid());
	remove_files(output, part);
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - output) + 1 : 1,
		 slash ? output : ".");
	remove_files(folder, part);
}

static void
remove_temp(struct interrupt *i)
{
	if (!i->temp)
		return;
	remove_files(i->temp, "");
	rmdir(i->temp);
	free(i->temp);
	i->temp = NULL;
}

static void
signals_of(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGINT);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGHUP);
}

static void *
wait_for_signal(void *arg)
{
	struct interrupt *i = arg;
	sigset_t set;
	int sig = 0;
	signals_of(&set);
	while (sigwait(&set, &sig) != 0)
		;
	pthread_mutex_lock(&i->mutex);
	remove_temp(i);
	if (i->output)
		remove_half(i->output);
	signal(sig, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), sig);
	return NULL;
}

void
interrupt_start(struct interrupt *i)
{
	sigset_t set;
	*i = (struct interrupt){ 0 };
	pthread_mutex_init(&i->mutex, NULL);
	signals_of(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&i->thread, NULL, wait_for_signal, i) != 0)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	else
		pthread_detach(i->thread);
}

void
interrupt_follow(int sig)
{
	sigset_t set;
	signals_of(&set);
	if (sig <= 0 || sigismember(&set, sig) != 1)
		return;
	kill(getpid(), sig);
	sleep(2); /* the other thread ends us; not if SIG is ignored */
}

void
interrupt_output(struct interrupt *i, const char *output)
{
	pthread_mutex_lock(&i->mutex);
	i->output = output;
	pthread_mutex_unlock(&i->mutex);
}

const char *
interrupt_temp(struct interrupt *i)
{
	const char *parent = getenv("TMPDIR");
	char path[4096];
	snprintf(path, sizeof(path), "%s/sinter-XXXXXX", parent && *parent ? parent : "/tmp");
	pthread_mutex_lock(&i->mutex);
	if (!i->temp && mkdtemp(path))
		i->temp = strdup(path);
	pthread_mutex_unlock(&i->mutex);
	return i->temp;
}

void
interrupt_remove(struct interrupt *i)
{
	pthread_mutex_lock(&i->mutex);
	remove_temp(i);
	pthread_mutex_unlock(&i->mutex);
}
