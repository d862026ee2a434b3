/* The only file that knows graphviz; its headers and plug-ins are heavy, and layout may take forever. */
#include <errno.h>
#include <graphviz/gvc.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/graphviz.h"

enum { GV_OK, GV_PARSE, GV_LAYOUT, GV_RENDER, GV_PROBLEMS };

static int
draw(const char *dot, const char *format, const char *path)
{
	agseterr(AGERR);
	GVC_t *gvc = gvContext();
	Agraph_t *g = agmemread(dot);
	if (!gvc || !g)
		return GV_PARSE;
	if (gvLayout(gvc, g, "dot") != 0)
		return GV_LAYOUT;
	return gvRenderFilename(gvc, g, format, path) == 0 ? GV_OK : GV_RENDER;
}

const char *
graphviz_draw(const char *dot, const char *format, const char *path, int seconds)
{
	static const char *const texts[GV_PROBLEMS] = { NULL, "graphviz can't read the text",
							"graphviz can't lay it out",
							"graphviz can't write that format" };
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		alarm((unsigned)seconds);
		_exit(draw(dot, format, path));
	}
	if (pid < 0)
		return "no process for it";
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGALRM ? "the layout took too long"
						   : "graphviz crashed";
	return WEXITSTATUS(status) < GV_PROBLEMS ? texts[WEXITSTATUS(status)] : "graphviz failed";
}
