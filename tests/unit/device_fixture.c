/* The hand-written model for a device: text, launches. */
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

static int
run(void *context, const struct sinter_tensor *in, struct sinter_tensor *out, void *arena,
    size_t arena_bytes, const struct sinter_hooks *hooks)
{
	const struct sinter_queue *q = hooks->queue;
	int64_t n = in[0].dims[0] * COLUMNS, groups = (n + ITEMS - 1) / ITEMS;
	int fault = device_fault;
	(void)context;
	(void)arena;
	(void)arena_bytes;

	if (!in[0].data || in[0].capacity < (size_t)n * sizeof(float))
		return SINTER_BAD_CALL;
	out[0].bytes = (size_t)n * sizeof(float);
	const int32_t mems0[] = { SINTER_MEM_IO, fault == FAULT_MEMORY ? 99 : SINTER_MEM_WEIGHTS,
				  SINTER_MEM_ARENA },
		      mems1[] = { SINTER_MEM_ARENA, SINTER_MEM_IO + 1 };
	const int64_t nums0[] = { 0, W, W, n }, nums1[] = { W, 0, n };
	const struct sinter_launch steps[] = {
		{ 0, 0, 1, { ITEMS }, { groups }, 3, 4, mems0, nums0 },
		{ fault == FAULT_KERNEL ? 7 : 1,
		  1,
		  1,
		  { fault == FAULT_GROUP ? 1 << 20 : ITEMS },
		  { groups },
		  2,
		  3,
		  mems1,
		  nums1 },
	};
	int status = fault == FAULT_COPY ? copy_around(q) : SINTER_OK;

	for (int i = 0; i < 2 && status == SINTER_OK; i++)
		status = q->launch(q->ctx, &steps[i]);
	return status;
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

int
device_is_right(const float *x0, const float *y0, int64_t n)
{
	for (int64_t i = 0; i < n * COLUMNS; i++) {
		int64_t k = n * COLUMNS - 1 - i;

		if (y0[i] != x0[k] * weights.w[k % COLUMNS] + 1.0f)
			return 0;
	}
	return 1;
}
