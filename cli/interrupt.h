/*
 * Ctrl-C: what is half done is removed before the command dies of the signal.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <pthread.h>

struct interrupt {
	pthread_mutex_t mutex;
	pthread_t thread;
	char *temp;	    /* folder of ours, NULL: none */
	const char *output; /* folder or file that is being written, NULL: none */
};

/* Starts a thread that waits for SIGINT, SIGTERM and SIGHUP, which all others block. */
void interrupt_start(struct interrupt *i);

/* A child was ended by SIG: if it is one of those above, the command dies of it too, in case it was
 * sent to both and the child was faster. */
void interrupt_follow(int sig);

/* From now on OUTPUT (folder or file) may hold half-written files of this process. */
void interrupt_output(struct interrupt *i, const char *output);

/* Makes a folder under $TMPDIR that goes away at interrupt_remove or by a signal; NULL if it can't. */
const char *interrupt_temp(struct interrupt *i);
void interrupt_remove(struct interrupt *i);

#endif
