/*
 * Dialect opencl: OpenCL C 1.2; scalars are as in c99 but where the language has better.
 *
 * Vectors are the language's own, of 2, 4, 8 or 16 elements; a comparison of them gives a mask of 0
 * and -1 as wide as what was compared, as the printer has them anyway.  half is a form of memory
 * only.  mac rounds once: fma.  What takes an address is a macro, since an address belongs to one
 * of the language's four spaces.
 */
#include "codegen/dialect.h"

/* clang-format off */
static const struct sn_type_names types[DT_COUNT] = {
	[DT_F64] = { "double", "double", "", "" },
	[DT_F32] = { "float", "float", "", "" },
	[DT_F16] = { "float", "ushort", "", "" },
	[DT_BF16] = { "float", "ushort", "", "" },
	[DT_F8E4M3] = { "float", "uchar", "", "" },
	[DT_F8E4M3UZ] = { "float", "uchar", "", "" },
	[DT_F8E5M2] = { "float", "uchar", "", "" },
	[DT_F8E5M2UZ] = { "float", "uchar", "", "" },
	[DT_F8E8M0] = { "float", "uchar", "", "" },
	[DT_F4E2M1] = { "float", "uchar", "", "" },
	[DT_I64] = { "long", "long", "LONG_MIN", "LONG_MAX" },
	[DT_I32] = { "int", "int", "INT_MIN", "INT_MAX" },
	[DT_I16] = { "short", "short", "SHRT_MIN", "SHRT_MAX" },
	[DT_I8] = { "char", "char", "CHAR_MIN", "CHAR_MAX" },
	[DT_I4] = { "char", "uchar", "-8", "7" },
	[DT_I2] = { "char", "uchar", "-2", "1" },
	[DT_U64] = { "ulong", "ulong", "0", "ULONG_MAX" },
	[DT_U32] = { "uint", "uint", "0", "UINT_MAX" },
	[DT_U16] = { "ushort", "ushort", "0", "USHRT_MAX" },
	[DT_U8] = { "uchar", "uchar", "0", "UCHAR_MAX" },
	[DT_U4] = { "uchar", "uchar", "0", "15" },
	[DT_U2] = { "uchar", "uchar", "0", "3" },
	[DT_BOOL] = { "bool", "uchar", "0", "1" },
};
/* clang-format on */

/* Functions whose every bit is defined go by vectors; others, and what drivers get wrong there (tan
 * of floats, fmod of doubles), lane by lane through the scalars'. */
#define OVERLOADED(op, name) SN_ROW(op, "F", CP_PRIMARY, name "(@0)", NULL)

static const struct sn_op_row rows[] = {
	SN_ROW(OP_ADD, "FU", CP_SUM, "%0 + >1", NULL),
	SN_ROW(OP_ADD, "I", CP_PRIMARY, "add_$v(@0, @1)", "add"),
	SN_ROW(OP_SUB, "FU", CP_SUM, "%0 - >1", NULL),
	SN_ROW(OP_SUB, "I", CP_PRIMARY, "sub_$v(@0, @1)", "sub"),
	SN_ROW(OP_MUL, "FU", CP_PRODUCT, "%0 * >1", NULL),
	SN_ROW(OP_MUL, "I", CP_PRIMARY, "mul_$v(@0, @1)", "mul"),
	SN_ROW(OP_DIV, "F", CP_PRODUCT, "%0 / >1", NULL),
	SN_ROW(OP_FLOORDIV, "F", CP_PRIMARY, "floor(%0 / >1)", NULL),
	SN_ROW(OP_MAC, "fF", CP_PRIMARY, "fma(@0, @1, @2)", NULL),
	SN_ROW(OP_MAC, "IU", CP_PRIMARY, "mac_$v(@0, @1, @2)", "mac"),
	SN_ROW(OP_NEG, "F", CP_UNARY, "->0", NULL),
	SN_ROW(OP_NEG, "IU", CP_PRIMARY, "neg_$v(@0)", "neg"),
	OVERLOADED(OP_ABS, "fabs"),
	SN_ROW(OP_ABS, "I", CP_PRIMARY, "as_$V(abs(@0))", NULL),
	SN_ROW(OP_ABS, "U", CP_PRIMARY, "(@0)", NULL),
	SN_ROW(OP_SIGN, "FIU", CP_PRIMARY, "sign_$v(@0)", "sign"),
	SN_ROW_WHEN(WHEN_NUMBER, OP_MIN, "F", CP_PRIMARY, "at_most_$v(@0, @1)", "at_most"),
	SN_ROW(OP_MIN, "F", CP_PRIMARY, "min_$v(@0, @1)", "min"),
	SN_ROW_WHEN(WHEN_NUMBER, OP_MAX, "F", CP_PRIMARY, "at_least_$v(@0, @1)", "at_least"),
	SN_ROW(OP_MAX, "F", CP_PRIMARY, "max_$v(@0, @1)", "max"),
	SN_ROW(OP_MIN, "IU", CP_PRIMARY, "min(@0, @1)", NULL),
	SN_ROW(OP_MAX, "IU", CP_PRIMARY, "max(@0, @1)", NULL),
	SN_ROW(OP_AND, "BIU", CP_BITAND, "~0 & ~1", NULL),
	SN_ROW(OP_OR, "BIU", CP_BITOR, "~0 | ~1", NULL),
	SN_ROW(OP_XOR, "BIU", CP_XOR, "~0 ^ ~1", NULL),
	SN_ROW(OP_NOT, "BIU", CP_UNARY, "~%0", NULL),
	SN_ROW(OP_SHL, "IU", CP_PRIMARY, "shl_$v(@0, @1)", "shl"),
	SN_ROW(OP_SHR, "IU", CP_PRIMARY, "shr_$v(@0, @1)", "shr"),
	SN_ROW(OP_EQ, "FHIUB", CP_PRIMARY, "(#0 == #1)", NULL),
	SN_ROW(OP_NE, "FHIUB", CP_PRIMARY, "(#0 != #1)", NULL),
	SN_ROW(OP_LT, "FHIU", CP_PRIMARY, "(#0 < #1)", NULL),
	SN_ROW(OP_LE, "FHIU", CP_PRIMARY, "(#0 <= #1)", NULL),
	SN_ROW(OP_SELECT, "FHIUB", CP_PRIMARY, "select(@2, @1, @0)", NULL),
	SN_ROW(OP_BITCAST, "FIU", CP_PRIMARY, "as_$V(@0)", NULL),
	SN_ROW(OP_SPLAT, "FHIU", CP_UNARY, "($V)(@0)", NULL),
	SN_ROW(OP_SPLAT, "B", CP_UNARY, "($V)(($T)-%0)", NULL),
	SN_ROW(OP_IOTA, "FIU", CP_PRIMARY, "(($V)(@0) + ($V)($($j$)))", NULL),
	SN_ROW(OP_ISNAN, "FH", CP_PRIMARY, "isnan(@0)", NULL),
	SN_ROW(OP_ISINF, "FH", CP_PRIMARY, "isinf(@0)", NULL),
	SN_ROW(OP_LANE_SUM, "FIU", CP_PRIMARY, "lane_sum_$v(@0)", "lane_sum"),
	SN_ROW(OP_LANE_MAX, "FIU", CP_PRIMARY, "lane_max_$v(@0)", "lane_max"),
	SN_ROW(OP_LANE_MIN, "FIU", CP_PRIMARY, "lane_min_$v(@0)", "lane_min"),
	OVERLOADED(OP_SQRT, "sqrt"),
	OVERLOADED(OP_FLOOR, "floor"),
	OVERLOADED(OP_CEIL, "ceil"),
	OVERLOADED(OP_TRUNC, "trunc"),
	OVERLOADED(OP_RINT, "rint"),
	{ .classes = NULL },
};

static const struct sn_cast_row casts[] = {
	{ "FHIU", "F", CP_PRIMARY, "convert_$V(@0)", NULL, false },
	{ "B", "FH", CP_PRIMARY, "convert_$V(->0)", NULL, false },
	{ "F", "IU", CP_PRIMARY, "$v_of_$s(@0)", "to_int", false },
	{ "IU", "IU", CP_PRIMARY, "convert_$V(@0)", NULL, false },
	{ "B", "IU", CP_PRIMARY, "as_$V(->0)", NULL, false },
	{ "FHIU", "B", CP_PRIMARY, "(#0 != ($S)(0))", NULL, false },
	{ "FHIU", "H", CP_PRIMARY, "round_$t_$n(convert_$V(@0))", "round", false },
	{ "B", "B", CP_PRIMARY, "convert_$V(@0)", NULL, false },
	{ .from = NULL },
};

static const struct sn_mem_row mems[] = {
	{ "FIU", MEM_ALL, CP_PRIMARY, "vload$n(0, &@0)", NULL, "vstore$n(@1, 0, &@0)", NULL },
	{ "FIU", MEM_PART, CP_PRIMARY, "load_part_$P$n(&@0, @n)", "load_part",
	  "store_part_$P$n(&@0, @1, @n)", "store_part" },
	{ "B", MEM_ALL, CP_PRIMARY, "(vload$n(0, &@0) != ($U)(0))", NULL,
	  "vstore$n(as_$U(-(@1)), 0, &@0)", NULL },
	{ "B", MEM_PART, CP_PRIMARY, "(load_part_$P$n(&@0, @n) != ($V)(0))", "load_part",
	  "store_part_$P$n(&@0, -(@1), @n)", "store_part" },
	{ "H", MEM_ALL, CP_PRIMARY, "load_$t_$n(vload$n(0, &@0))", "load",
	  "vstore$n(store_$t_$n(@1), 0, &@0)", "store" },
	{ "H", MEM_PART, CP_PRIMARY, "load_$t_$n(load_part_$P$n(&@0, @n))", "load load_part",
	  "store_part_$P$n(&@0, store_$t_$n(@1), @n)", "store store_part" },
	{ "FIU", MEM_ALIGNED, CP_UNARY, "*(const @s$P$n *)&@0", NULL, "*(@s$P$n *)&@0 = @1", NULL },
	{ "B", MEM_ALIGNED, CP_PRIMARY, "(*(const @s$U *)&@0 != ($U)(0))", NULL,
	  "*(@s$U *)&@0 = as_$U(-(@1))", NULL },
	{ "H", MEM_ALIGNED, CP_PRIMARY, "load_$t_$n(*(const @s$P$n *)&@0)", "load",
	  "*(@s$P$n *)&@0 = store_$t_$n(@1)", "store" },
	{ .classes = NULL },
};

/* The language's own, for elements too large for ours. */
#define LARGE(name) \
	{ \
		"large_" name "_F", NULL, \
			"FN $V\nlarge_" name \
			"_$v($V x, $V y)\n{\n\t$T a[$n], r[$n];\n\n\tvstore$n(x, 0, a);\n" \
			"\tvstore$n(y, 0, r);\n\tfor (int i = 0; i < $n; i++)\n" \
			"\t\tif (fabs(a[i]) > 10000)\n" \
			"\t\t\tr[i] = " name "(a[i]);\n\treturn vload$n(0, r);\n}\n" \
	}

#define LANES(name, half) \
	{ "lane_" name "_F", half "/ lane_" name "/", \
	  "FN $T\nlane_" name "_$v($V x)\n{\n\treturn lane_" name "_$w(" half \
	  "_$w(x.lo, x.hi));\n}\n" }, \
		{ "lane_" name "_I", half "/ lane_" name "/", \
		  "FN $T\nlane_" name "_$v($V x)\n{\n\treturn lane_" name "_$w(" half \
		  "_$w(x.lo, x.hi));\n}\n" }, \
	{ \
		"lane_" name, NULL, "FN $T\nlane_" name "_$v($V x)\n{\n\treturn x;\n}\n" \
	}

static const struct sn_helper helpers[] = {
	/* integers: wrapping is by way of unsigned */
	{ "add_I", NULL,
	  "FN $V\nadd_$v($V a, $V b)\n{\n\treturn as_$V(as_$U(a) + as_$U(b));\n}\n" },
	{ "sub_I", NULL,
	  "FN $V\nsub_$v($V a, $V b)\n{\n\treturn as_$V(as_$U(a) - as_$U(b));\n}\n" },
	{ "mul_I", NULL,
	  "FN $V\nmul_$v($V a, $V b)\n{\n\treturn as_$V(as_$U(a) * as_$U(b));\n}\n" },
	{ "mac_I", NULL,
	  "FN $V\nmac_$v($V a, $V b, $V c)\n{\n"
	  "\treturn as_$V(as_$U(a) * as_$U(b) + as_$U(c));\n}\n" },
	{ "neg_I", NULL, "FN $V\nneg_$v($V a)\n{\n\treturn as_$V(-as_$U(a));\n}\n" },
	{ "shl_I", NULL,
	  "FN $V\nshl_$v($V a, $V b)\n{\n\treturn as_$V(as_$U(a) << (as_$U(b) & ($U)($k)));\n}\n" },
	{ "shr_I", NULL, "FN $V\nshr_$v($V a, $V b)\n{\n\treturn a >> (b & ($V)($k));\n}\n" },
	{ "sign_I", NULL, "FN $V\nsign_$v($V a)\n{\n\treturn (a < ($V)(0)) - (a > ($V)(0));\n}\n" },
	{ "sign_U", NULL, "FN $V\nsign_$v($V a)\n{\n\treturn as_$V(-(a != ($V)(0)));\n}\n" },
	{ "min_I", NULL, "FN $V\nmin_$v($V a, $V b)\n{\n\treturn min(a, b);\n}\n" },
	{ "max_I", NULL, "FN $V\nmax_$v($V a, $V b)\n{\n\treturn max(a, b);\n}\n" },
	/* floats */
	{ "add_F", NULL, "FN $V\nadd_$v($V a, $V b)\n{\n\treturn a + b;\n}\n" },
	{ "sign_F", NULL,
	  "FN $V\nsign_$v($V a)\n{\n"
	  "\tconst $V neg = select(a, ($V)(-1), a < ($V)(0));\n\n"
	  "\treturn select(neg, ($V)(1), a > ($V)(0));\n}\n" },
	{ "min_F", NULL,
	  "/* a NaN on either side stays */\n"
	  "FN $V\nmin_$v($V a, $V b)\n{\n\treturn select(b, a, (a < b) | (a != a));\n}\n" },
	{ "max_F", NULL,
	  "/* a NaN on either side stays */\n"
	  "FN $V\nmax_$v($V a, $V b)\n{\n\treturn select(b, a, (a > b) | (a != a));\n}\n" },
	{ "at_most_F", NULL,
	  "/* min where k is not NaN */\n"
	  "FN $V\nat_most_$v($V x, $V k)\n{\n\treturn select(x, k, k < x);\n}\n" },
	{ "at_least_F", NULL,
	  "/* max where k is not NaN */\n"
	  "FN $V\nat_least_$v($V x, $V k)\n{\n\treturn select(x, k, k > x);\n}\n" },
	LARGE("sin"),
	LARGE("cos"),
	{ "bits", NULL, "FN $V\nbits_$v_$s($S x)\n{\n\treturn as_$V(x);\n}\n" },
	{ "to_int_I", NULL,
	  "/* toward zero; what is out of range gives the nearest end, NaN gives 0 */\n"
	  "FN $V\n$v_of_$s($S x)\n{\n\treturn convert_$V_sat(select(x, ($S)(0), x != x));\n}\n" },
	LANES("sum", "add"),
	LANES("max", "max"),
	LANES("min", "min"),
	/* memory */
	{ "load_part", NULL,
	  "/* n elements, the other lanes are 0 */\n"
	  "#define load_part_$P$n(p, n) (($P$n)( \\\n\t$(($P)((n) > $j ? (p)[$j] : 0)$)))\n" },
	{ "store_part", NULL,
	  "#define store_part_$P$n(p, x, n) do { \\\n\t$P lanes_[$n]; \\\n"
	  "\tvstore$n(x, 0, lanes_); \\\n"
	  "\tfor (int i_ = 0; i_ < (n); i_++) (p)[i_] = lanes_[i_]; \\\n} while (0)\n" },
	{ "load_H", "load_$t@1",
	  "FN $V\nload_$t_$n($P$n x)\n{\n\t$P a[$n];\n\tfloat r[$n];\n\n\tvstore$n(x, 0, a);\n"
	  "\tfor (int i = 0; i < $n; i++)\n\t\tr[i] = load_$t(a[i]);\n\treturn vload$n(0, r);\n}\n" },
	{ "store_H", "store_$t@1",
	  "FN $P$n\nstore_$t_$n($V x)\n{\n\tfloat a[$n];\n\t$P r[$n];\n\n\tvstore$n(x, 0, a);\n"
	  "\tfor (int i = 0; i < $n; i++)\n\t\tr[i] = store_$t(a[i]);\n\treturn vload$n(0, r);\n}\n" },
	{ "round_H", "round_$t@1",
	  "FN $V\nround_$t_$n($V x)\n{\n\tfloat a[$n];\n\n\tvstore$n(x, 0, a);\n"
	  "\tfor (int i = 0; i < $n; i++)\n\t\ta[i] = round_$t(a[i]);\n\treturn vload$n(0, a);\n}\n" },
	{ "load_f16", NULL,
	  "FN float\nload_f16(ushort h)\n{\n\treturn vload_half(0, (const half *)&h);\n}\n" },
	{ "store_f16", NULL,
	  "FN ushort\nstore_f16(float x)\n{\n\tushort h;\n\n"
	  "\tvstore_half_rte(x, 0, (half *)&h);\n\treturn h;\n}\n" },
	{ .name = NULL },
};

static const struct sn_dialect_table table_opencl = { rows, casts, mems, helpers };

/* clang-format off */
#define V(type) type "2 " type "3 " type "4 " type "8 " type "16 "

static const char reserved[] =
	V("char") V("uchar") V("short") V("ushort") V("int") V("uint") V("long") V("ulong")
	V("float") V("double") V("half")
	"uchar ushort uint ulong half quad size_t event_t image2d_t image3d_t sampler_t complex "
	"kernel global local constant private pipe generic read_only write_only read_write "
	"fma mad dot cross mix step smoothstep clamp degrees radians normalize length distance "
	"any all convert shuffle rotate popcount clz upsample barrier prefetch printf kernel_exec "
	"lanes_ i_";

static const struct sn_kernel_words kernel = {
	.language = "OpenCL C 1.2",
	.ending = ".cl",
	.start = "kernel __attribute__((reqd_work_group_size(%lld, %lld, %lld))) void\n",
	.memory = "global uchar *",
	.spaces = { [SP_GLOBAL] = "global ", [SP_STACK] = "", [SP_REG] = "", [SP_SHARED] = "local " },
	.group = "get_group_id(%d)",
	.item = "get_local_id(%d)",
	.barrier = { [SN_ORDERS_SHARED] = "barrier(CLK_LOCAL_MEM_FENCE);",
		     [SN_ORDERS_GLOBAL] = "barrier(CLK_GLOBAL_MEM_FENCE);",
		     [SN_ORDERS_ALL] = "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);" },
	.f64 = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n",
};
/* clang-format on */

const struct sn_dialect sn_dialect_opencl = {
	.name = "opencl",
	.summary = "OpenCL C 1.2, kernels for devices",
	.flags = "-cl-std=CL1.2",
	.has_vectors = true,
	.has_vector_math = true,
	.types = types,
	.kernel = &kernel,
	.reserved = reserved,
	.includes = "",
	.prologue = "/* Whether a * b + c rounds once is said by fma. */\n"
		    "#pragma OPENCL FP_CONTRACT OFF\n"
		    "\n"
		    "#define FN static inline\n",
	.vector_name = "$T$n",
	.to_array = "vstore$n(@1, 0, @0);",
	.of_array = "@1 = vload$n(0, @0);",
	.f32_suffix = "",
	.unroll = "#pragma unroll\n",
	.align = " __attribute__((aligned(%d)))",
	.tables = { &table_opencl, &sn_table_c99 },
};
