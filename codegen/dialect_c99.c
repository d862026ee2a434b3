/*
 * Dialect c99: portable C99 without extensions. Its table also serves the scalars of dialect c.
 */
#include "codegen/dialect.h"

/* clang-format off */
const struct sn_type_names sn_types_c99[DT_COUNT] = {
	[DT_F64] = { "double", "double", "", "" },
	[DT_F32] = { "float", "float", "", "" },
	[DT_F16] = { "float", "uint16_t", "", "" },
	[DT_BF16] = { "float", "uint16_t", "", "" },
	[DT_F8E4M3] = { "float", "uint8_t", "", "" },
	[DT_F8E4M3UZ] = { "float", "uint8_t", "", "" },
	[DT_F8E5M2] = { "float", "uint8_t", "", "" },
	[DT_F8E5M2UZ] = { "float", "uint8_t", "", "" },
	[DT_F8E8M0] = { "float", "uint8_t", "", "" },
	[DT_F4E2M1] = { "float", "uint8_t", "", "" },
	[DT_I64] = { "int64_t", "int64_t", "INT64_MIN", "INT64_MAX" },
	[DT_I32] = { "int32_t", "int32_t", "INT32_MIN", "INT32_MAX" },
	[DT_I16] = { "int16_t", "int16_t", "INT16_MIN", "INT16_MAX" },
	[DT_I8] = { "int8_t", "int8_t", "INT8_MIN", "INT8_MAX" },
	[DT_I4] = { "int8_t", "uint8_t", "-8", "7" },
	[DT_I2] = { "int8_t", "uint8_t", "-2", "1" },
	[DT_U64] = { "uint64_t", "uint64_t", "0", "UINT64_MAX" },
	[DT_U32] = { "uint32_t", "uint32_t", "0", "UINT32_MAX" },
	[DT_U16] = { "uint16_t", "uint16_t", "0", "UINT16_MAX" },
	[DT_U8] = { "uint8_t", "uint8_t", "0", "UINT8_MAX" },
	[DT_U4] = { "uint8_t", "uint8_t", "0", "15" },
	[DT_U2] = { "uint8_t", "uint8_t", "0", "3" },
	[DT_BOOL] = { "bool", "uint8_t", "0", "1" },
};
/* clang-format on */

static const struct sn_op_row rows[] = {
	SN_ROW(OP_ADD, "fx", CP_SUM, "%0 + >1", NULL),
	SN_ROW(OP_ADD, "iu", CP_PRIMARY, "add_$v(@0, @1)", "add"),
	SN_ROW(OP_SUB, "fx", CP_SUM, "%0 - >1", NULL),
	SN_ROW(OP_SUB, "iu", CP_PRIMARY, "sub_$v(@0, @1)", "sub"),
	SN_ROW(OP_MUL, "fx", CP_PRODUCT, "%0 * >1", NULL),
	SN_ROW(OP_MUL, "iu", CP_PRIMARY, "mul_$v(@0, @1)", "mul"),
	SN_ROW(OP_DIV, "f", CP_PRODUCT, "%0 / >1", NULL),
	SN_ROW_WHEN(WHEN_NATURAL, OP_DIV, "x", CP_PRODUCT, "%0 / >1", NULL),
	SN_ROW(OP_DIV, "ix", CP_PRIMARY, "div_$v(@0, @1)", "div"),
	SN_ROW(OP_DIV, "u", CP_PRIMARY, "div_$v(@0, @1)", "div"),
	SN_ROW(OP_FLOORDIV, "f", CP_PRIMARY, "floor$F(%0 / >1)", NULL),
	SN_ROW_WHEN(WHEN_NATURAL, OP_FLOORDIV, "x", CP_PRODUCT, "%0 / >1", NULL),
	SN_ROW(OP_FLOORDIV, "ix", CP_PRIMARY, "floordiv_$v(@0, @1)", "floordiv"),
	SN_ROW(OP_FLOORDIV, "u", CP_PRIMARY, "div_$v(@0, @1)", "div"),
	SN_ROW(OP_MOD, "f", CP_PRIMARY, "mod_$v(@0, @1)", "mod"),
	SN_ROW_WHEN(WHEN_NATURAL, OP_MOD, "x", CP_PRODUCT, "%0 % >1", NULL),
	SN_ROW(OP_MOD, "ix", CP_PRIMARY, "mod_$v(@0, @1)", "mod"),
	SN_ROW(OP_MOD, "u", CP_PRIMARY, "mod_$v(@0, @1)", "mod"),
	SN_ROW(OP_FMOD, "f", CP_PRIMARY, "fmod$F(@0, @1)", NULL),
	SN_ROW(OP_FMOD, "ix", CP_PRIMARY, "rem_$v(@0, @1)", "rem"),
	SN_ROW(OP_FMOD, "u", CP_PRIMARY, "mod_$v(@0, @1)", "mod"),
	SN_ROW_WHEN(WHEN_NUMBER, OP_MIN, "f", CP_PRIMARY, "at_most_$v(@0, @1)", "at_most"),
	SN_ROW(OP_MIN, "f", CP_PRIMARY, "min_$v(@0, @1)", "min"),
	SN_ROW(OP_MIN, "iux", CP_PRIMARY, "min_$v(@0, @1)", "min"),
	SN_ROW_WHEN(WHEN_NUMBER, OP_MAX, "f", CP_PRIMARY, "at_least_$v(@0, @1)", "at_least"),
	SN_ROW(OP_MAX, "f", CP_PRIMARY, "max_$v(@0, @1)", "max"),
	SN_ROW(OP_MAX, "iux", CP_PRIMARY, "max_$v(@0, @1)", "max"),
	SN_ROW(OP_POW, "f", CP_PRIMARY, "pow$F(@0, @1)", NULL),
	SN_ROW(OP_POW, "iux", CP_PRIMARY, "pow_$v(@0, @1)", "pow"),
	SN_ROW(OP_MAC, "f", CP_PRIMARY, "mac_$v(@0, @1, @2)", "mac"),
	SN_ROW(OP_MAC, "iux", CP_PRIMARY, "mac_$v(@0, @1, @2)", "mac"),
	SN_ROW(OP_NEG, "fx", CP_UNARY, "->0", NULL),
	SN_ROW(OP_NEG, "iu", CP_PRIMARY, "neg_$v(@0)", "neg"),
	SN_ROW(OP_ABS, "f", CP_PRIMARY, "fabs$F(@0)", NULL),
	SN_ROW(OP_ABS, "ix", CP_PRIMARY, "abs_$v(@0)", "abs"),
	SN_ROW(OP_ABS, "u", CP_PRIMARY, "@0", NULL),
	SN_ROW(OP_SIGN, "fix", CP_PRIMARY, "sign_$v(@0)", "sign"),
	SN_ROW(OP_SIGN, "u", CP_PRIMARY, "sign_$v(@0)", "sign"),
	SN_ROW(OP_AND, "b", CP_ANDAND, "~0 && ~1", NULL),
	SN_ROW(OP_AND, "iux", CP_PRIMARY, "and_$v(@0, @1)", "and"),
	SN_ROW(OP_OR, "b", CP_OROR, "~0 || ~1", NULL),
	SN_ROW(OP_OR, "iux", CP_PRIMARY, "or_$v(@0, @1)", "or"),
	SN_ROW(OP_XOR, "b", CP_EQUAL, "#0 != #1", NULL),
	SN_ROW(OP_XOR, "iux", CP_PRIMARY, "xor_$v(@0, @1)", "xor"),
	SN_ROW(OP_NOT, "b", CP_UNARY, "!%0", NULL),
	SN_ROW(OP_NOT, "iux", CP_PRIMARY, "not_$v(@0)", "not"),
	SN_ROW(OP_SHL, "iux", CP_PRIMARY, "shl_$v(@0, @1)", "shl"),
	SN_ROW(OP_SHR, "ix", CP_PRIMARY, "shr_$v(@0, @1)", "shr"),
	SN_ROW(OP_SHR, "u", CP_PRIMARY, "shr_$v(@0, @1)", "shr"),
	SN_ROW(OP_EQ, "fhiuxb", CP_EQUAL, "#0 == #1", NULL),
	SN_ROW(OP_NE, "fhiuxb", CP_EQUAL, "#0 != #1", NULL),
	SN_ROW(OP_LT, "fhiuxb", CP_LESS, "#0 < #1", NULL),
	SN_ROW(OP_LE, "fhiuxb", CP_LESS, "#0 <= #1", NULL),
	SN_ROW(OP_SELECT, "fhiuxb", CP_COND, ">0 ? >1 : >2", NULL),
	SN_ROW(OP_BITCAST, "fiux", CP_PRIMARY, "bits_$v_$s(@0)", "bits"),
	SN_ROW(OP_SQRT, "f", CP_PRIMARY, "sqrt$F(@0)", NULL),
	SN_ROW(OP_EXP, "f", CP_PRIMARY, "exp$F(@0)", NULL),
	SN_ROW(OP_EXPM1, "f", CP_PRIMARY, "expm1$F(@0)", NULL),
	SN_ROW(OP_LOG, "f", CP_PRIMARY, "log$F(@0)", NULL),
	SN_ROW(OP_LOG1P, "f", CP_PRIMARY, "log1p$F(@0)", NULL),
	SN_ROW(OP_SIN, "f", CP_PRIMARY, "sin$F(@0)", NULL),
	SN_ROW(OP_COS, "f", CP_PRIMARY, "cos$F(@0)", NULL),
	SN_ROW(OP_TAN, "f", CP_PRIMARY, "tan$F(@0)", NULL),
	SN_ROW(OP_ASIN, "f", CP_PRIMARY, "asin$F(@0)", NULL),
	SN_ROW(OP_ACOS, "f", CP_PRIMARY, "acos$F(@0)", NULL),
	SN_ROW(OP_ATAN, "f", CP_PRIMARY, "atan$F(@0)", NULL),
	SN_ROW(OP_SINH, "f", CP_PRIMARY, "sinh$F(@0)", NULL),
	SN_ROW(OP_COSH, "f", CP_PRIMARY, "cosh$F(@0)", NULL),
	SN_ROW(OP_TANH, "f", CP_PRIMARY, "tanh$F(@0)", NULL),
	SN_ROW(OP_ASINH, "f", CP_PRIMARY, "asinh$F(@0)", NULL),
	SN_ROW(OP_ACOSH, "f", CP_PRIMARY, "acosh$F(@0)", NULL),
	SN_ROW(OP_ATANH, "f", CP_PRIMARY, "atanh$F(@0)", NULL),
	SN_ROW(OP_ERF, "f", CP_PRIMARY, "erf$F(@0)", NULL),
	SN_ROW(OP_SIGMOID, "f", CP_PRIMARY, "sigmoid_$v(@0)", "sigmoid"),
	SN_ROW(OP_FLOOR, "f", CP_PRIMARY, "floor$F(@0)", NULL),
	SN_ROW(OP_CEIL, "f", CP_PRIMARY, "ceil$F(@0)", NULL),
	SN_ROW(OP_TRUNC, "f", CP_PRIMARY, "trunc$F(@0)", NULL),
	SN_ROW(OP_RINT, "f", CP_PRIMARY, "rint$F(@0)", NULL),
	SN_ROW(OP_ISNAN, "fh", CP_PRIMARY, "isnan_$v(@0)", "isnan"),
	SN_ROW(OP_ISINF, "fh", CP_PRIMARY, "isinf_$v(@0)", "isinf"),
	{ .classes = NULL },
};

static const struct sn_cast_row casts[] = {
	{ "f", "f", CP_UNARY, "($T)%0", NULL, false },
	{ "h", "f", CP_UNARY, "($T)%0", NULL, false },
	{ "iuxb", "f", CP_UNARY, "($T)%0", NULL, false },
	{ "fh", "h", CP_PRIMARY, "round_$t((float)@0)", "round_$t", false },
	{ "iuxb", "h", CP_PRIMARY, "round_$t((float)@0)", "round_$t", false },
	{ "fh", "iux", CP_PRIMARY, "$v_of_$s(@0)", "to_int", false },
	{ "iuxb", "iux", CP_UNARY, "($T)%0", NULL, false },
	{ "fhiux", "b", CP_EQUAL, "#0 != 0", NULL, false },
	{ .from = NULL },
};

static const struct sn_mem_row mems[] = {
	{ "fiux", MEM_ALL, CP_PRIMARY, "@0", NULL, "@0 = @1", NULL },
	{ "b", MEM_ALL, CP_EQUAL, "@0 != 0", NULL, "@0 = @1", NULL },
	{ "h", MEM_ALL, CP_PRIMARY, "load_$t(@0)", "load_$t", "@0 = store_$t(@1)", "store_$t" },
	{ "s", MEM_ALL, CP_PRIMARY, "load_$t(@b[@i / $e], (int)(@i % $e))", "load_sub",
	  "@b[@i / $e] = store_$t(@b[@i / $e], (int)(@i % $e), @1)", "store_sub" },
	{ .classes = NULL },
};

/* A float of 8 bits by the numbers that describe it, see load_small and store_small. Rounding makes
 * the largest number of an infinity, as of all that is too large. */
#define SMALL_FLOAT(name, numbers, max, inf) \
	{ "load_" name, "load_small", \
	  "FN float\nload_" name "($P h)\n{\n\treturn load_small(h, " numbers ", " inf \
	  ");\n}\n" }, \
		{ "store_" name, "store_small", \
		  "FN $P\nstore_" name "(float x)\n{\n" \
		  "\treturn store_small(x, " numbers ", " inf ");\n}\n" }, \
	{ \
		"round_" name, "load_small store_small", \
			"FN float\nround_" name "(float x)\n{\n" \
			"\treturn load_small(store_small(x, " numbers ", " max "), " numbers \
			", " inf ");\n}\n" \
	}

/* Ours, Y, is good to there only. */
#define LARGE(name) \
	{ \
		"large_" name, NULL, \
			"FN $V\nlarge_" name "_$v($V x, $V y)\n{\n" \
			"\treturn fabs$F(x) > 10000 ? " name "$F(x) : y;\n}\n" \
	}

static const struct sn_helper helpers[] = {
	/* integers: wrapping is by way of unsigned; 1u keeps small types out of int */
	{ "add", NULL, "FN $V\nadd_$v($V a, $V b)\n{\n\treturn ($V)(($U)a + ($U)b);\n}\n" },
	{ "sub", NULL, "FN $V\nsub_$v($V a, $V b)\n{\n\treturn ($V)(($U)a - ($U)b);\n}\n" },
	{ "mul", NULL, "FN $V\nmul_$v($V a, $V b)\n{\n\treturn ($V)(1u * ($U)a * ($U)b);\n}\n" },
	{ "mac_i", NULL,
	  "FN $V\nmac_$v($V a, $V b, $V c)\n{\n\treturn ($V)(1u * ($U)a * ($U)b + ($U)c);\n}\n" },
	{ "neg", NULL, "FN $V\nneg_$v($V a)\n{\n\treturn ($V)(0u - ($U)a);\n}\n" },
	{ "abs", "neg", "FN $V\nabs_$v($V a)\n{\n\treturn a < 0 ? neg_$v(a) : a;\n}\n" },
	{ "and", NULL, "FN $V\nand_$v($V a, $V b)\n{\n\treturn ($V)(a & b);\n}\n" },
	{ "or", NULL, "FN $V\nor_$v($V a, $V b)\n{\n\treturn ($V)(a | b);\n}\n" },
	{ "xor", NULL, "FN $V\nxor_$v($V a, $V b)\n{\n\treturn ($V)(a ^ b);\n}\n" },
	{ "not", NULL, "FN $V\nnot_$v($V a)\n{\n\treturn ($V)~a;\n}\n" },
	{ "div", "neg",
	  "/* x/0 is 0, and the least number over -1 itself */\n"
	  "FN $V\ndiv_$v($V a, $V b)\n{\n"
	  "\treturn ($V)(b == 0 ? 0 : b == -1 ? neg_$v(a) : a / b);\n}\n" },
	{ "div_u", NULL, "FN $V\ndiv_$v($V a, $V b)\n{\n\treturn ($V)(b == 0 ? 0 : a / b);\n}\n" },
	{ "rem", NULL,
	  "FN $V\nrem_$v($V a, $V b)\n{\n\treturn ($V)(b == 0 || b == -1 ? 0 : a % b);\n}\n" },
	{ "floordiv", "div",
	  "FN $V\nfloordiv_$v($V a, $V b)\n{\n\tconst $V q = div_$v(a, b);\n\n"
	  "\treturn ($V)(q - (b != 0 && b != -1 && a % b != 0 && (a < 0) != (b < 0)));\n}\n" },
	{ "mod", NULL,
	  "/* of the sign of the divisor */\n"
	  "FN $V\nmod_$v($V a, $V b)\n{\n\tconst $V r = ($V)(b == 0 || b == -1 ? 0 : a % b);\n\n"
	  "\treturn ($V)(r != 0 && (r < 0) != (b < 0) ? r + b : r);\n}\n" },
	{ "mod_u", NULL, "FN $V\nmod_$v($V a, $V b)\n{\n\treturn ($V)(b == 0 ? 0 : a % b);\n}\n" },
	{ "min_i", NULL, "FN $V\nmin_$v($V a, $V b)\n{\n\treturn a < b ? a : b;\n}\n" },
	{ "max_i", NULL, "FN $V\nmax_$v($V a, $V b)\n{\n\treturn a > b ? a : b;\n}\n" },
	{ "pow_u", "mul",
	  "FN $V\npow_$v($V a, $V b)\n{\n\t$V r = 1;\n\n"
	  "\tfor (; b != 0; b = ($V)(b / 2)) {\n\t\tif (b % 2)\n\t\t\tr = mul_$v(r, a);\n"
	  "\t\ta = mul_$v(a, a);\n\t}\n\treturn r;\n}\n" },
	{ "pow_i", "mul",
	  "FN $V\npow_$v($V a, $V b)\n{\n\t$V r = 1;\n\n"
	  "\tif (b < 0)\n\t\treturn a == 1 || a == -1 ? (b % 2 ? a : 1) : 0;\n"
	  "\tfor (; b != 0; b = ($V)(b / 2)) {\n\t\tif (b % 2)\n\t\t\tr = mul_$v(r, a);\n"
	  "\t\ta = mul_$v(a, a);\n\t}\n\treturn r;\n}\n" },
	{ "sign", NULL, "FN $V\nsign_$v($V a)\n{\n\treturn a > 0 ? 1 : a < 0 ? -1 : a;\n}\n" },
	{ "sign_u", NULL, "FN $V\nsign_$v($V a)\n{\n\treturn a > 0;\n}\n" },
	{ "shl", NULL,
	  "FN $V\nshl_$v($V a, $V b)\n{\n\treturn ($V)(1u * ($U)a << (($U)b & $ku));\n}\n" },
	{ "shr", NULL, "FN $V\nshr_$v($V a, $V b)\n{\n\treturn ($V)(a >> (($U)b & $ku));\n}\n" },
	{ "shr_u", NULL, "FN $V\nshr_$v($V a, $V b)\n{\n\treturn ($V)(a >> (b & $ku));\n}\n" },
	/* floats */
	{ "add_f", NULL, "FN $V\nadd_$v($V a, $V b)\n{\n\treturn a + b;\n}\n" },
	{ "mac", NULL, "FN $V\nmac_$v($V a, $V b, $V c)\n{\n\treturn a * b + c;\n}\n" },
	{ "min", NULL,
	  "/* a NaN on either side stays */\n"
	  "FN $V\nmin_$v($V a, $V b)\n{\n\treturn a < b || a != a ? a : b;\n}\n" },
	{ "max", NULL,
	  "/* a NaN on either side stays */\n"
	  "FN $V\nmax_$v($V a, $V b)\n{\n\treturn a > b || a != a ? a : b;\n}\n" },
	{ "at_most", NULL,
	  "/* min where k is not NaN */\n"
	  "FN $V\nat_most_$v($V x, $V k)\n{\n\treturn k < x ? k : x;\n}\n" },
	{ "at_least", NULL,
	  "/* max where k is not NaN */\n"
	  "FN $V\nat_least_$v($V x, $V k)\n{\n\treturn k > x ? k : x;\n}\n" },
	{ "mod_f", NULL,
	  "/* of the sign of the divisor */\n"
	  "FN $V\nmod_$v($V a, $V b)\n{\n\tconst $V r = fmod$F(a, b);\n\n"
	  "\treturn r != 0 && (r < 0) != (b < 0) ? r + b : r;\n}\n" },
	{ "sigmoid", NULL, "FN $V\nsigmoid_$v($V a)\n{\n\treturn 1 / (1 + exp$F(-a));\n}\n" },
	{ "isnan", NULL, "FN bool\nisnan_$v($V a)\n{\n\treturn a != a;\n}\n" },
	{ "isinf", NULL, "FN bool\nisinf_$v($V a)\n{\n\treturn a == a && a - a != a - a;\n}\n" },
	{ "to_int", NULL,
	  "/* toward zero; what is out of range gives the nearest end, NaN gives 0 */\n"
	  "FN $V\n$v_of_$s($S x)\n{\n"
	  "\tif (x != x)\n\t\treturn 0;\n"
	  "\tif (x <= ($S)$lo)\n\t\treturn $lo;\n"
	  "\treturn x >= ($S)$hi ? $hi : ($V)x;\n}\n" },
	{ "bits", NULL,
	  "FN $V\nbits_$v_$s($S x)\n{\n\t$V y;\n\n\tmemcpy(&y, &x, sizeof(y));\n\treturn y;\n}\n" },
	LARGE("sin"),
	LARGE("cos"),
	/* small floats: kept as f32, rounded to nearest even */
	{ "load_f16", "bits@f32.u32",
	  "FN float\nload_f16(uint16_t h)\n{\n"
	  "\tconst uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = (uint32_t)(h & 0x7fff) << 13;\n"
	  "\tconst float x = bits_f32_u32(rest) * 0x1p112f;\n\n"
	  "\tif (rest >= 0x0f800000)\n\t\treturn bits_f32_u32(sign | 0x70000000 | rest);\n"
	  "\treturn sign ? -x : x;\n}\n" },
	{ "store_f16", "bits@u32.f32",
	  "FN uint16_t\nstore_f16(float x)\n{\n"
	  "\tconst uint32_t b = bits_u32_f32(x), a = b & 0x7fffffff, sign = b >> 16 & 0x8000;\n"
	  "\tuint32_t r;\n\n"
	  "\tif (a > 0x7f800000)\n\t\tr = 0x7e00;\n"
	  "\telse if (a >= 0x477ff000)\n\t\tr = 0x7c00;\n"
	  "\telse if (a < 0x38800000)\n\t\tr = (uint32_t)rintf(fabsf(x) * 0x1p24f);\n"
	  "\telse\n\t\tr = (a - 0x38000000 + 0xfff + (a >> 13 & 1)) >> 13;\n"
	  "\treturn (uint16_t)(sign | r);\n}\n" },
	{ "round_f16", "load_f16 store_f16",
	  "FN float\nround_f16(float x)\n{\n\treturn load_f16(store_f16(x));\n}\n" },
	{ "load_bf16", "bits@f32.u32",
	  "FN float\nload_bf16($P h)\n{\n\treturn bits_f32_u32(($U)h << 16);\n}\n" },
	{ "store_bf16", "bits@u32.f32",
	  "FN $P\nstore_bf16(float x)\n{\n\tconst $U b = bits_u32_f32(x);\n\n"
	  "\tif (x != x)\n\t\treturn 0x7fc0;\n"
	  "\treturn ($P)((b + 0x7fff + (b >> 16 & 1)) >> 16);\n}\n" },
	{ "round_bf16", "load_bf16 store_bf16",
	  "FN float\nround_bf16(float x)\n{\n\treturn load_bf16(store_bf16(x));\n}\n" },
	{ "load_small", NULL,
	  "/* Of so many bits, so many of the mantissa; codes of the largest number, NaN, infinity. */\n"
	  "FN float\nload_small($P h, int bits, int mant, int bias, int max, int nan, int inf)\n{\n"
	  "\tconst int code = h & ((1 << (bits - 1)) - 1), field = code >> mant;\n"
	  "\tconst int whole = (code & ((1 << mant) - 1)) + (field ? 1 << mant : 0);\n"
	  "\tfloat x = ldexp$F((float)whole, (field ? field : 1) - bias - mant);\n\n"
	  "\tif (h == nan)\n\t\treturn NAN;\n"
	  "\tif (code > max)\n\t\tx = code == inf ? INFINITY : NAN;\n"
	  "\treturn h >> (bits - 1) ? -x : x;\n}\n" },
	{ "store_small", NULL,
	  "/* Too large a number gives the largest; a NaN of the sign bit alone means no negative 0. */\n"
	  "FN $P\nstore_small(float x, int bits, int mant, int bias, int max, int nan, int inf)\n{\n"
	  "\tconst int top = 1 << (bits - 1), sign = signbit(x) ? top : 0;\n"
	  "\tconst bool is_plain = nan == top && bits == 8;\n"
	  "\tint e;\n\tfloat code;\n\n"
	  "\tif (x != x)\n\t\treturn ($P)(is_plain ? nan : nan | sign);\n"
	  "\tif (isinf(x))\n\t\treturn ($P)(sign | inf);\n"
	  "\tif (x == 0)\n\t\treturn ($P)(is_plain ? 0 : sign);\n"
	  "\te = ilogb$F(x);\n"
	  "\te = e < 1 - bias ? 1 - bias : e;\n"
	  "\tcode = ldexp$F((float)(e - 1 + bias), mant) + rint$F(ldexp$F(fabs$F(x), mant - e));\n"
	  "\tif (code > (float)max)\n\t\treturn ($P)(sign | max);\n"
	  "\treturn ($P)(code == 0 && is_plain ? 0 : sign | (int)code);\n}\n" },
	SMALL_FLOAT("f8e4m3fn", "8, 3, 7, 0x7e, 0x7f", "0x7e", "0x7e"),
	SMALL_FLOAT("f8e4m3fnuz", "8, 3, 8, 0x7f, 0x80", "0x7f", "0x7f"),
	SMALL_FLOAT("f8e5m2", "8, 2, 15, 0x7b, 0x7f", "0x7b", "0x7c"),
	SMALL_FLOAT("f8e5m2fnuz", "8, 2, 16, 0x7f, 0x80", "0x7f", "0x7f"),
	{ "load_f8e8m0", NULL,
	  "FN float\nload_f8e8m0($P h)\n{\n"
	  "\treturn h == 0xff ? NAN : ldexp$F(1.0f, (int)h - 127);\n}\n" },
	{ "store_f8e8m0", NULL,
	  "/* a power of two, rounded up */\n"
	  "FN $P\nstore_f8e8m0(float x)\n{\n\tint e;\n\n"
	  "\tif (x != x)\n\t\treturn 0xff;\n"
	  "\tif (isinf(x))\n\t\treturn 0xfe;\n"
	  "\tif (x == 0)\n\t\treturn 0;\n"
	  "\te = ilogb$F(x);\n"
	  "\te += ldexp$F(1.0f, e) == fabs$F(x) ? 127 : 128;\n"
	  "\treturn ($P)(e < 0 ? 0 : e > 0xfe ? 0xfe : e);\n}\n" },
	{ "round_f8e8m0", "load_f8e8m0 store_f8e8m0",
	  "FN float\nround_f8e8m0(float x)\n{\n\treturn load_f8e8m0(store_f8e8m0(x));\n}\n" },
	/* four bits: two elements in a byte; there is no NaN, one becomes minus 0 */
	{ "load_sub_h", "load_small",
	  "FN float\nload_$t($P byte, int i)\n{\n"
	  "\treturn load_small(($P)(byte >> (i * 4) & 15), 4, 1, 1, 7, 0x10, 7);\n}\n" },
	{ "store_sub_h", "store_small",
	  "FN $P\nstore_$t($P byte, int i, float x)\n{\n"
	  "\tconst int code = store_small(x, 4, 1, 1, 7, 8, 7), shift = i * 4;\n\n"
	  "\treturn ($P)((byte & ~(15 << shift)) | code << shift);\n}\n" },
	{ "round_f4e2m1", "load_small store_small",
	  "FN float\nround_f4e2m1(float x)\n{\n"
	  "\treturn load_small(store_small(x, 4, 1, 1, 7, 8, 7), 4, 1, 1, 7, 0x10, 7);\n}\n" },
	/* integers of fewer than 8 bits, packed from the low end */
	{ "load_sub", NULL,
	  "FN $T\nload_$t($P byte, int i)\n{\n"
	  "\tconst int x = byte >> (i * $h) & ((1 << $h) - 1);\n\n"
	  "\treturn ($T)(x > $hi ? x - (1 << $h) : x);\n}\n" },
	{ "store_sub", NULL,
	  "FN $P\nstore_$t($P byte, int i, $T x)\n{\n"
	  "\tconst int shift = i * $h, mask = ((1 << $h) - 1) << shift;\n\n"
	  "\treturn ($P)((byte & ~mask) | ((int)((unsigned)x << shift) & mask));\n}\n" },
	{ .name = NULL },
};

const struct sn_dialect_table sn_table_c99 = { rows, casts, mems, helpers };

const struct sn_dialect sn_dialect_c99 = {
	.name = "c99",
	.summary = "portable C99 without extensions",
	.flags = "-std=c99 -O2 -fno-math-errno",
	.prologue = "/* Whether a * b + c rounds once is fixed here, whatever the flags say. */\n"
		    "#if defined(__clang__)\n"
		    "#pragma clang fp contract(fast)\n"
		    "#elif defined(__GNUC__)\n"
		    "#pragma GCC optimize(\"fp-contract=fast\")\n"
		    "#endif\n"
		    "\n"
		    "#define FN static inline\n",
	.types = sn_types_c99,
	.includes = SN_C_INCLUDES,
	.f32_suffix = "f",
	.tables = { &sn_table_c99 },
};
