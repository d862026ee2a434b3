/* Draws a seven and asks the network what it is: all memory is ours, no library is needed. */
#include <stdio.h>
#include "digits.h"

static unsigned char context[DIGITS_CONTEXT_BYTES] __attribute__((aligned(64)));
static unsigned char arena[DIGITS_ARENA_BYTES] __attribute__((aligned(64)));
static float picture[28][28], likely[10];

int
main(void)
{
	int64_t in_dims[] = { 1, 1, 28, 28 }, out_dims[2];
	struct sinter_tensor in = { picture, in_dims, 4, sizeof(picture), 0 };
	struct sinter_tensor out = { likely, out_dims, 2, sizeof(likely), 0 };
	int status = digits_init(context, NULL, 0); /* NULL: the weights are linked in */

	for (int i = 0; i < 14; i++)
		picture[5][7 + i] = picture[6][7 + i] = 1; /* the bar */
	for (int i = 7; i < 24; i++)
		for (int j = 0; j < 3; j++)
			picture[i][21 - (i - 4) / 2 + j - 2] = 1; /* the stroke */
	if (status == SINTER_OK)
		status = digits_run(context, &in, &out, arena, sizeof(arena), NULL);
	for (int i = 0; status == SINTER_OK && i < 10; i++)
		if (likely[i] > 0.01f)
			printf("%d: %.0f %%\n", i, 100 * likely[i]);
	if (status != SINTER_OK)
		fprintf(stderr, "hello: %s\n", digits_text(status));
	return status;
}
