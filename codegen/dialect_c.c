/*
 * Dialect c: C99 with the vector types of gcc and clang; what it has no row for is as in c99.
 */
#include "codegen/dialect.h"

static const struct sn_op_row rows[] = {
	SN_ROW(OP_ADD, "FU", CP_SUM, "%0 + >1", NULL),
	SN_ROW(OP_ADD, "I", CP_PRIMARY, "add_$v(@0, @1)", "add"),
	SN_ROW(OP_SUB, "FU", CP_SUM, "%0 - >1", NULL),
	SN_ROW(OP_SUB, "I", CP_PRIMARY, "sub_$v(@0, @1)", "sub"),
	SN_ROW(OP_MUL, "FU", CP_PRODUCT, "%0 * >1", NULL),
	SN_ROW(OP_MUL, "I", CP_PRIMARY, "mul_$v(@0, @1)", "mul"),
	SN_ROW(OP_DIV, "F", CP_PRODUCT, "%0 / >1", NULL),
	SN_ROW(OP_MAC, "F", CP_PRIMARY, "mac_$v(@0, @1, @2)", "mac"),
	SN_ROW(OP_MAC, "IU", CP_PRIMARY, "mac_$v(@0, @1, @2)", "mac"),
	SN_ROW(OP_NEG, "F", CP_UNARY, "->0", NULL),
	SN_ROW(OP_NEG, "IU", CP_PRIMARY, "neg_$v(@0)", "neg"),
	SN_ROW(OP_ABS, "F", CP_PRIMARY, "abs_$v(@0)", "abs"),
	SN_ROW(OP_ABS, "I", CP_PRIMARY, "abs_$v(@0)", "abs"),
	SN_ROW(OP_ABS, "U", CP_PRIMARY, "(@0)", NULL),
	SN_ROW(OP_SIGN, "FIU", CP_PRIMARY, "sign_$v(@0)", "sign"),
	SN_ROW_WHEN(WHEN_NUMBER, OP_MIN, "F", CP_PRIMARY, "at_most_$v(@0, @1)", "at_most"),
	SN_ROW(OP_MIN, "F", CP_PRIMARY, "min_$v(@0, @1)", "min"),
	SN_ROW_WHEN(WHEN_NUMBER, OP_MAX, "F", CP_PRIMARY, "at_least_$v(@0, @1)", "at_least"),
	SN_ROW(OP_MAX, "F", CP_PRIMARY, "max_$v(@0, @1)", "max"),
	SN_ROW(OP_MIN, "IU", CP_PRIMARY, "min_$v(@0, @1)", "min"),
	SN_ROW(OP_MAX, "IU", CP_PRIMARY, "max_$v(@0, @1)", "max"),
	SN_ROW(OP_AND, "BIU", CP_BITAND, "~0 & ~1", NULL),
	SN_ROW(OP_OR, "BIU", CP_BITOR, "~0 | ~1", NULL),
	SN_ROW(OP_XOR, "BIU", CP_XOR, "~0 ^ ~1", NULL),
	SN_ROW(OP_NOT, "BIU", CP_UNARY, "~%0", NULL),
	SN_ROW(OP_SHL, "IU", CP_PRIMARY, "shl_$v(@0, @1)", "shl"),
	SN_ROW(OP_SHR, "IU", CP_PRIMARY, "shr_$v(@0, @1)", "shr"),
	SN_ROW(OP_EQ, "FHIUB", CP_UNARY, "($M)(#0 == #1)", NULL),
	SN_ROW(OP_NE, "FHIUB", CP_UNARY, "($M)(#0 != #1)", NULL),
	SN_ROW(OP_LT, "FHIU", CP_UNARY, "($M)(#0 < #1)", NULL),
	SN_ROW(OP_LE, "FHIU", CP_UNARY, "($M)(#0 <= #1)", NULL),
	SN_ROW(OP_SELECT, "FHIUB", CP_PRIMARY, "select_$v(@0, @1, @2)", "select"),
	SN_ROW(OP_BITCAST, "FIU", CP_UNARY, "($V)%0", NULL),
	SN_ROW(OP_SPLAT, "FHIU", CP_PRIMARY, "splat_$v(@0)", "splat"),
	SN_ROW(OP_SPLAT, "B", CP_PRIMARY, "splat_$v(($T)-%0)", "splat"),
	SN_ROW(OP_IOTA, "FIU", CP_PRIMARY, "iota_$v(@0)", "iota"),
	SN_ROW(OP_ISNAN, "FH", CP_PRIMARY, "isnan_$v(@0)", "isnan"),
	SN_ROW(OP_ISINF, "FH", CP_PRIMARY, "isinf_$v(@0)", "isinf"),
	SN_ROW(OP_LANE_SUM, "FIU", CP_PRIMARY, "lane_sum_$v(@0)", "lane_sum"),
	SN_ROW(OP_LANE_MAX, "FIU", CP_PRIMARY, "lane_max_$v(@0)", "lane_max"),
	SN_ROW(OP_LANE_MIN, "FIU", CP_PRIMARY, "lane_min_$v(@0)", "lane_min"),
	{ .classes = NULL },
};

static const struct sn_cast_row casts[] = {
	{ "FHIU", "F", CP_PRIMARY, "__builtin_convertvector(@0, $V)", NULL, false },
	{ "B", "FH", CP_UNARY, "($V)(~0 & ($M)splat_$v(1))", "splat", false },
	{ "F", "IU", CP_PRIMARY, "$v_of_$s(@0)", "narrow", true },
	{ "F", "IU", CP_PRIMARY, "$v_of_$s(@0)", "to_int", false },
	{ "IU", "IU", CP_PRIMARY, "__builtin_convertvector(@0, $V)", NULL, false },
	{ "B", "IU", CP_UNARY, "($V)->0", NULL, false },
	{ "FHIU", "B", CP_UNARY, "($V)(#0 != 0)", NULL, false },
	{ "FHIU", "H", CP_PRIMARY, "round_$t_$n(__builtin_convertvector(@0, $V))", "round", false },
	{ "B", "B", CP_PRIMARY, "__builtin_convertvector(@0, $V)", NULL, false },
	{ .from = NULL },
};

static const struct sn_mem_row mems[] = {
	{ "FIU", MEM_ALL, CP_PRIMARY, "load_$v(&@0)", "load", "store_$v(&@0, @1)", "store" },
	{ "FIU", MEM_PART, CP_PRIMARY, "load_part_$v(&@0, @n)", "load_part",
	  "store_part_$v(&@0, @1, @n)", "store_part" },
	{ "B", MEM_ALL, CP_PRIMARY, "load_bool_$v(&@0, $n)", "load_bool",
	  "store_bool_$v(&@0, @1, $n)", "store_bool" },
	{ "B", MEM_PART, CP_PRIMARY, "load_bool_$v(&@0, @n)", "load_bool",
	  "store_bool_$v(&@0, @1, @n)", "store_bool" },
	{ "H", MEM_ALL, CP_PRIMARY, "load_$t_$n(&@0, $n)", "load", "store_$t_$n(&@0, @1, $n)",
	  "store" },
	{ "H", MEM_PART, CP_PRIMARY, "load_$t_$n(&@0, @n)", "load", "store_$t_$n(&@0, @1, @n)",
	  "store" },
	{ .classes = NULL },
};

#define LARGE(name) \
	{ \
		"large_" name "_F", NULL, \
			"FN $V\nlarge_" name \
			"_$v($V x, $V y)\n{\n\tfor (int i = 0; i < $n; i++)\n" \
			"\t\tif (fabs$F(x[i]) > 10000)\n\t\t\ty[i] = " name \
			"$F(x[i]);\n\treturn y;\n}\n" \
	}

static const struct sn_helper helpers[] = {
	{ "mul_I", NULL, "FN $V\nmul_$v($V a, $V b)\n{\n\treturn ($V)(($U)a * ($U)b);\n}\n" },
	{ "mac_I", NULL,
	  "FN $V\nmac_$v($V a, $V b, $V c)\n{\n\treturn ($V)(($U)a * ($U)b + ($U)c);\n}\n" },
	{ "neg_I", NULL, "FN $V\nneg_$v($V a)\n{\n\treturn ($V)(-($U)a);\n}\n" },
	{ "abs_F", "splat",
	  "FN $V\nabs_$v($V a)\n{\n\treturn ($V)(($M)a & ~($M)splat_$v(-($T)0));\n}\n" },
	{ "abs_I", "neg select",
	  "FN $V\nabs_$v($V a)\n{\n\treturn select_$v(($M)(a < 0), neg_$v(a), a);\n}\n" },
	{ "sign_F", "select splat",
	  "FN $V\nsign_$v($V a)\n{\n"
	  "\tconst $V neg = select_$v(($M)(a < 0), splat_$v(($T)-1), a);\n\n"
	  "\treturn select_$v(($M)(a > 0), splat_$v(1), neg);\n}\n" },
	{ "sign_I", "select splat",
	  "FN $V\nsign_$v($V a)\n{\n"
	  "\tconst $V neg = select_$v(($M)(a < 0), splat_$v(($T)-1), a);\n\n"
	  "\treturn select_$v(($M)(a > 0), splat_$v(1), neg);\n}\n" },
	{ "select", NULL,
	  "FN $V\nselect_$v($M m, $V a, $V b)\n{\n\treturn ($V)((m & ($M)a) | (~m & ($M)b));\n}\n" },
	{ "min_F", "select",
	  "/* a NaN on either side stays */\n"
	  "FN $V\nmin_$v($V a, $V b)\n{\n\treturn select_$v(($M)(a < b) | ($M)(a != a), a, b);\n}\n" },
	{ "max_F", "select",
	  "/* a NaN on either side stays */\n"
	  "FN $V\nmax_$v($V a, $V b)\n{\n\treturn select_$v(($M)(a > b) | ($M)(a != a), a, b);\n}\n" },
	{ "at_most_F", "select",
	  "/* min where k is not NaN */\n"
	  "FN $V\nat_most_$v($V x, $V k)\n{\n\treturn select_$v(($M)(k < x), k, x);\n}\n" },
	{ "at_least_F", "select",
	  "/* max where k is not NaN */\n"
	  "FN $V\nat_least_$v($V x, $V k)\n{\n\treturn select_$v(($M)(k > x), k, x);\n}\n" },
	{ "min_I", "select",
	  "FN $V\nmin_$v($V a, $V b)\n{\n\treturn select_$v(($M)(a < b), a, b);\n}\n" },
	{ "max_I", "select",
	  "FN $V\nmax_$v($V a, $V b)\n{\n\treturn select_$v(($M)(a > b), a, b);\n}\n" },
	{ "shl_I", NULL,
	  "FN $V\nshl_$v($V a, $V b)\n{\n\treturn ($V)(($U)a << (($U)b & $k));\n}\n" },
	{ "shr_I", NULL, "FN $V\nshr_$v($V a, $V b)\n{\n\treturn a >> (b & $k);\n}\n" },
	{ "splat", NULL, "FN $V\nsplat_$v($T x)\n{\n\treturn ($V){ $(x$) };\n}\n" },
	{ "iota", NULL, "FN $V\niota_$v($T x)\n{\n\treturn x + ($V){ $($j$) };\n}\n" },
	{ "isnan_F", NULL, "FN $M\nisnan_$v($V a)\n{\n\treturn ($M)(a != a);\n}\n" },
	{ "isinf_F", NULL,
	  "FN $M\nisinf_$v($V a)\n{\n\treturn ($M)(a == a) & ($M)(a - a != a - a);\n}\n" },
	LARGE("sin"),
	LARGE("cos"),
	{ "to_int_I", "to_int@1",
	  "FN $V\n$v_of_$s($S x)\n{\n\t$V y = { 0 };\n\n"
	  "\tfor (int i = 0; i < $n; i++)\n\t\ty[i] = $t_of_$r(x[i]);\n\treturn y;\n}\n" },
	{ "narrow", "select^ splat^",
	  "/* toward zero; what is out of range gives the nearest end, NaN gives 0 */\n"
	  "FN $V\n$v_of_$s($S x)\n{\n"
	  "\tconst $S a = select_$s(x < splat_$s($lo), splat_$s($lo), x);\n"
	  "\tconst $S b = select_$s(a > splat_$s($hi), splat_$s($hi), a);\n"
	  "\tconst $S c = select_$s(b == b, b, splat_$s(0));\n\n"
	  "\treturn __builtin_convertvector(__builtin_convertvector(c, $J), $V);\n}\n" },
	/* memory; elements are not aligned to the vector */
	{ "load", NULL, "FN $V\nload_$v(const $T *p)\n{\n\treturn *(const $Q *)p;\n}\n" },
	{ "store", NULL, "FN void\nstore_$v($T *p, $V x)\n{\n\t*($Q *)p = x;\n}\n" },
	{ "load_part", NULL,
	  "/* n elements, the other lanes are 0 */\n"
	  "FN $V\nload_part_$v(const $T *p, int n)\n{\n\t$V x = { 0 };\n\n"
	  "\tmemcpy(&x, p, (size_t)n * $z);\n\treturn x;\n}\n" },
	{ "store_part", NULL,
	  "FN void\nstore_part_$v($T *p, $V x, int n)\n{\n\tmemcpy(p, &x, (size_t)n * $z);\n}\n" },
	{ "load_bool", NULL,
	  "FN $V\nload_bool_$v(const uint8_t *p, int n)\n{\n\t$V x = { 0 };\n\n"
	  "\tfor (int i = 0; i < n; i++)\n\t\tx[i] = p[i] ? -1 : 0;\n\treturn x;\n}\n" },
	{ "store_bool", NULL,
	  "FN void\nstore_bool_$v(uint8_t *p, $V x, int n)\n{\n"
	  "\tfor (int i = 0; i < n; i++)\n\t\tp[i] = (uint8_t)(x[i] & 1);\n}\n" },
	{ "load_H", "load_$t@1",
	  "FN $V\nload_$t_$n(const $P *p, int n)\n{\n\t$V x = { 0 };\n\n"
	  "\tfor (int i = 0; i < n; i++)\n\t\tx[i] = load_$t(p[i]);\n\treturn x;\n}\n" },
	{ "store_H", "store_$t@1",
	  "FN void\nstore_$t_$n($P *p, $V x, int n)\n{\n"
	  "\tfor (int i = 0; i < n; i++)\n\t\tp[i] = store_$t(x[i]);\n}\n" },
	{ "round_H", "round_$t@1",
	  "FN $V\nround_$t_$n($V x)\n{\n"
	  "\tfor (int i = 0; i < $n; i++)\n\t\tx[i] = round_$t(x[i]);\n\treturn x;\n}\n" },
	/* lanes are combined in halves */
	{ "halves", NULL,
	  "FN $W\nlow_$v($V x)\n{\n\t$W y;\n\n\tmemcpy(&y, &x, sizeof(y));\n\treturn y;\n}\n\n"
	  "FN $W\nhigh_$v($V x)\n{\n\t$W y;\n\n"
	  "\tmemcpy(&y, (const char *)&x + sizeof(y), sizeof(y));\n\treturn y;\n}\n" },
	{ "add_F", NULL, "FN $V\nadd_$v($V a, $V b)\n{\n\treturn a + b;\n}\n" },
	{ "lane_sum_F", "halves add/ lane_sum/",
	  "FN $T\nlane_sum_$v($V x)\n{\n\treturn lane_sum_$w(add_$w(low_$v(x), high_$v(x)));\n}\n" },
	{ "lane_sum_I", "halves add/ lane_sum/",
	  "FN $T\nlane_sum_$v($V x)\n{\n\treturn lane_sum_$w(add_$w(low_$v(x), high_$v(x)));\n}\n" },
	{ "lane_sum", NULL, "FN $T\nlane_sum_$v($V x)\n{\n\treturn x;\n}\n" },
	{ "lane_max_F", "halves max/ lane_max/",
	  "FN $T\nlane_max_$v($V x)\n{\n\treturn lane_max_$w(max_$w(low_$v(x), high_$v(x)));\n}\n" },
	{ "lane_max_I", "halves max/ lane_max/",
	  "FN $T\nlane_max_$v($V x)\n{\n\treturn lane_max_$w(max_$w(low_$v(x), high_$v(x)));\n}\n" },
	{ "lane_max", NULL, "FN $T\nlane_max_$v($V x)\n{\n\treturn x;\n}\n" },
	{ "lane_min_F", "halves min/ lane_min/",
	  "FN $T\nlane_min_$v($V x)\n{\n\treturn lane_min_$w(min_$w(low_$v(x), high_$v(x)));\n}\n" },
	{ "lane_min_I", "halves min/ lane_min/",
	  "FN $T\nlane_min_$v($V x)\n{\n\treturn lane_min_$w(min_$w(low_$v(x), high_$v(x)));\n}\n" },
	{ "lane_min", NULL, "FN $T\nlane_min_$v($V x)\n{\n\treturn x;\n}\n" },
	{ .name = NULL },
};

static const struct sn_dialect_table table_c = { rows, casts, mems, helpers };

const struct sn_dialect sn_dialect_c = {
	.name = "c",
	.summary = "C99 with the vector types of gcc and clang",
	.flags = "-std=gnu99 -O2 -fno-math-errno -Wno-psabi",
	.has_vectors = true,
	.types = sn_types_c99,
	.includes = SN_C_INCLUDES,
	.prologue = "/* Whether a * b + c rounds once is fixed here, whatever the flags say. */\n"
		    "#if defined(__clang__)\n"
		    "#pragma clang fp contract(fast)\n"
		    "#define UNROLL(n) _Pragma(\"clang loop unroll(full)\")\n"
		    "#else\n"
		    "#pragma GCC optimize(\"fp-contract=fast\")\n"
		    "#pragma GCC diagnostic ignored \"-Wpsabi\"\n"
		    "#define PRAGMA(text) _Pragma(#text)\n"
		    "#define UNROLL(n) PRAGMA(GCC unroll n)\n"
		    "#endif\n"
		    "\n"
		    "#define FN static inline __attribute__((always_inline))\n",
	.vector_type = "typedef $T $V __attribute__((vector_size($B)));\n",
	.unaligned_type =
		"typedef $T $Q __attribute__((vector_size($B), aligned($z), may_alias));\n",
	.to_array = "memcpy(@0, &@1, sizeof(@1));",
	.of_array = "memcpy(&@1, @0, sizeof(@1));",
	.f32_suffix = "f",
	.unroll = "UNROLL(%lld)\n",
	.align = " __attribute__((aligned(%d)))",
	.prefetch = "__builtin_prefetch(&%s, 0, 2);",
	.tables = { &table_c, &sn_table_c99 },
};
