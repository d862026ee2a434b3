/* The hand-written models for a device: text, launches, steps on the host. */
#include <string.h>
#include "tests/unit/device_fixture.h"

enum { ITEMS = 64, COLUMNS = 4, W = 64 /* byte of the weights where w begins */ };

static const char *const lines[] = {
	"kernel void scale(global uchar *m0, global uchar *m1, global uchar *m2,\n",
	"\tlong o0, long o1, long o2, long n)\n",
	"{\n",
	"\tglobal const float *x = (global const float *)(m0 + o0);\n",
	"\tglobal const float *w = (global const float *)(m1 + o1);\n",
	"\tglobal float *a = (global float *)(m2 + o2);\n",
	"\tconst long i = get_group_id(0) * 64 + get_local_id(0);\n",
	"\tif (i < n)\n",
	"\t\ta[i] = x[i] * w[i % 4];\n",
	"}\n",
	"kernel void turn(global uchar *m0, global uchar *m1, long o0, long o1, long n)\n",
	"{\n",
	"\tlocal float t[64];\n",
	"\tglobal const float *a = (global const float *)(m0 + o0);\n",
	"\tglobal float *y = (global float *)(m1 + o1);\n",
	"\tconst long first = get_group_id(0) * 64, k = get_local_id(0);\n",
	"\tconst long m = n - first < 64 ? n - first : 64;\n",
	"\tif (k < m)\n",
	"\t\tt[k] = a[first + k];\n",
	"\tbarrier(CLK_LOCAL_MEM_FENCE);\n",
	"\tif (k < m)\n",
	"\t\ty[n - first - m + k] = t[m - 1 - k] + 1.0f;\n",
	"}\n",
};
static const char *const names[] = { "scale", "turn" };

const struct sinter_program device_program = {
	.language = "OpenCL C 1.2",
	.options = "-cl-std=CL1.2",
	.nlines = sizeof(lines) / sizeof(lines[0]),
	.nkernels = 2,
	.lines = lines,
	.kernels = names,
	.hash = 1,
	.group_items = ITEMS,
	.local_bytes = ITEMS * sizeof(float),
};

__thread enum device_fault device_fault;

static int
run_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,
	 struct sinter_need *need)
{
	(void)nthreads;
	out[0].dims[0] = in[0].dims[0];
	out[0].dims[1] = COLUMNS;
	out[0].bytes = (size_t)in[0].dims[0] * COLUMNS * sizeof(float);
	need->arena_bytes = 0;
	need->device_bytes = W + out[0].bytes;
	return SINTER_OK;
}

static int
init(void *context, const void *weights, size_t bytes)
{
	(void)context;
	(void)weights;
	(void)bytes;
	return SINTER_OK;
}

static int
copy_around(const struct sinter_queue *q)
{
	float a[COLUMNS];
	int status = q->read(q->ctx, SINTER_MEM_WEIGHTS, W, a, sizeof(a));

	if (status == SINTER_OK)
		status = q->write(q->ctx, SINTER_MEM_ARENA, 0, a, sizeof(a));
	return status == SINTER_OK ? q->read(q->ctx, SINTER_MEM_ARENA, 1, a, (size_t)-2) : status;
}

/* Kernel SCALE as step 0: a = x * w. */
static int
launch_scale(const struct sinter_queue *q, int64_t n)
{
	const int32_t mems[] = { SINTER_MEM_IO,
				 device_fault == FAULT_MEMORY ? 99 : SINTER_MEM_WEIGHTS,
				 SINTER_MEM_ARENA };
	const int64_t nums[] = { 0, W, W, n };
	const struct sinter_launch l = { 0, 0, 1,    { ITEMS }, { (n + ITEMS - 1) / ITEMS },
					 3, 4, mems, nums };

	return q->launch(q->ctx, &l);
}

/* Kernel TURN as step STEP, of what lies at A. */
static int
launch_turn(const struct sinter_queue *q, int32_t step, int64_t n, size_t a)
{
	const int32_t mems[] = { SINTER_MEM_ARENA, SINTER_MEM_IO + 1 };
	const int64_t nums[] = { (int64_t)a, 0, n };
	const struct sinter_launch l = { device_fault == FAULT_KERNEL ? 7 : 1,
					 step,
					 1,
					 { device_fault == FAULT_GROUP ? 1 << 20 : ITEMS },
					 { (n + ITEMS - 1) / ITEMS },
					 2,
					 3,
					 mems,
					 nums };

	return q->launch(q->ctx, &l);
}

static int
check_call(const struct sinter_tensor *in, struct sinter_tensor *out, int64_t *out_n)
{
	*out_n = in[0].dims[0] * COLUMNS;
	out[0].bytes = (size_t)*out_n * sizeof(float);
	return in[0].data && in[0].capacity >= out[0].bytes ? SINTER_OK : SINTER_BAD_CALL;
}

static int
run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *arena,
    size_t arena_bytes, const struct sinter_hooks *hooks)
{
	const struct sinter_queue *q = hooks->queue;
	int64_t n;
	int status = check_call(in, out, &n);
	(void)context;
	(void)arena;
	(void)arena_bytes;

	if (status == SINTER_OK && device_fault == FAULT_COPY)
		status = copy_around(q);
	if (status == SINTER_OK)
		status = launch_scale(q, n);
	return status == SINTER_OK ? launch_turn(q, 1, n, W) : status;
}

/* ---- the same with a step on the host ---- */

size_t
device_room(size_t bytes)
{
	return (bytes + 63) / 64 * 64;
}

static int
mixed_dims(const struct sinter_tensor *in, struct sinter_tensor *out, int32_t nthreads,
	   struct sinter_need *need)
{
	int status = run_dims(in, out, nthreads, need);

	need->arena_bytes = 2 * device_room(out[0].bytes);
	need->device_bytes = W + 2 * device_room(out[0].bytes);
	return status;
}

static void
mark(const struct sinter_hooks *hooks, int32_t k, int32_t phase)
{
	if (hooks->kernel)
		hooks->kernel(hooks->ctx, k, phase);
}

/* Steps 1 to 3: a to the host, b = a * a there, b to the device. */
static int
square_on_host(const struct sinter_hooks *hooks, float *a, float *b, size_t bytes)
{
	const struct sinter_queue *q = hooks->queue;

	mark(hooks, 1, 0);
	int status = q->read(q->ctx, SINTER_MEM_ARENA, W, a, bytes);

	if (status != SINTER_OK)
		return status;
	mark(hooks, 1, 1);
	mark(hooks, 2, 0);
	for (size_t i = 0; i < bytes / sizeof(float); i++)
		b[i] = a[i] * a[i];
	mark(hooks, 2, 1);
	mark(hooks, 3, 0);
	status = q->write(q->ctx, SINTER_MEM_ARENA, W + device_room(bytes), b, bytes);
	if (status == SINTER_OK)
		mark(hooks, 3, 1);
	return status;
}

static int
mixed_run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *arena,
	  size_t arena_bytes, const struct sinter_hooks *hooks)
{
	int64_t n;
	int status = check_call(in, out, &n);
	size_t bytes = out[0].bytes;
	(void)context;

	if (status == SINTER_OK && arena_bytes < 2 * device_room(bytes))
		status = SINTER_TOO_SMALL;
	if (status == SINTER_OK)
		status = launch_scale(hooks->queue, n);
	if (status == SINTER_OK)
		status = square_on_host(hooks, arena, (float *)((char *)arena + device_room(bytes)),
					bytes);
	return status == SINTER_OK ? launch_turn(hooks->queue, 4, n, W + device_room(bytes))
				   : status;
}

static const char *
text(int status)
{
	return status == SINTER_BAD_CALL ? "wrong call" : "another fault";
}

static void
end(void *context)
{
	(void)context;
}

static const int64_t dims_of[] = { -1, COLUMNS };
static const char *const dim_names[] = { "N", "4" };
static const struct sinter_value x = { "x", 1, 2, dims_of, dim_names };
static const struct sinter_value y = { "y", 1, 2, dims_of, dim_names };
static const struct sinter_kernel kernels[] = { { "k00_scale", "Mul 'a'" },
						{ "k01_turn", "Add 'b'" } };
static const struct sinter_kernel mixed_kernels[] = { { "k00_scale", "Mul 'a'" },
						      { "k01_a_to_host", "" },
						      { "k02_square", "Mul 'b'" },
						      { "k03_b_to_device", "" },
						      { "k04_turn", "Add 'c'" } };

static const struct {
	char header[W];
	float w[COLUMNS];
	char padding[48];
} weights __attribute__((aligned(64))) = { "W", { 1, -2, 0.5f, 4 }, "" };

const struct sinter_model device_model = {
	.abi = SINTER_ABI_VERSION,
	.ninputs = 1,
	.noutputs = 1,
	.nkernels = 2,
	.name = "turned",
	.inputs = &x,
	.outputs = &y,
	.kernels = kernels,
	.weights_bytes = sizeof(weights),
	.weights = &weights,
	.context_bytes = 64,
	.dims = run_dims,
	.init = init,
	.run = run,
	.free = end,
	.text = text,
	.program = &device_program,
};

const struct sinter_model device_mixed_model = {
	.abi = SINTER_ABI_VERSION,
	.ninputs = 1,
	.noutputs = 1,
	.nkernels = 5,
	.name = "squared",
	.inputs = &x,
	.outputs = &y,
	.kernels = mixed_kernels,
	.weights_bytes = sizeof(weights),
	.weights = &weights,
	.context_bytes = 64,
	.dims = mixed_dims,
	.init = init,
	.run = mixed_run,
	.free = end,
	.text = text,
	.program = &device_program,
};

float
device_scaled(const float *x0, int64_t i)
{
	return x0[i] * weights.w[i % COLUMNS];
}

int
device_is_right(const float *x0, const float *y0, int64_t n)
{
	for (int64_t i = 0; i < n * COLUMNS; i++)
		if (y0[i] != device_scaled(x0, n * COLUMNS - 1 - i) + 1.0f)
			return 0;
	return 1;
}

int
device_mixed_is_right(const float *x0, const float *y0, int64_t n)
{
	for (int64_t i = 0; i < n * COLUMNS; i++) {
		float a = device_scaled(x0, n * COLUMNS - 1 - i);

		if (y0[i] != a * a + 1.0f)
			return 0;
	}
	return 1;
}
