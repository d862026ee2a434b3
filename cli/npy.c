/* NumPy's .npy files, versions 1 to 3. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "cli/value.h"
#include "support/file.h"

/*
 * Types in files.  What NumPy lacks is stored as ml_dtypes does it: bfloat16 and small floats as
 * opaque bytes.  Integers of fewer than 8 bits are stored one per byte.
 */
static const struct npy_type {
	enum sn_dtype dtype;
	const char *descr, *name;
} types[] = {
	{ DT_F64, "<f8", "float64" },
	{ DT_F32, "<f4", "float32" },
	{ DT_F16, "<f2", "float16" },
	{ DT_I64, "<i8", "int64" },
	{ DT_I32, "<i4", "int32" },
	{ DT_I16, "<i2", "int16" },
	{ DT_I8, "|i1", "int8" },
	{ DT_U64, "<u8", "uint64" },
	{ DT_U32, "<u4", "uint32" },
	{ DT_U16, "<u2", "uint16" },
	{ DT_U8, "|u1", "uint8" },
	{ DT_BOOL, "|b1", "bool" },
	{ DT_C64, "<c8", "complex64" },
	{ DT_C128, "<c16", "complex128" },
	{ DT_BF16, "<V2", "bfloat16" },
	{ DT_F8E4M3, "|V1", "float8_e4m3fn" },
	{ DT_F8E5M2, "|V1", "float8_e5m2" },
	{ DT_F8E4M3UZ, "|V1", "float8_e4m3fnuz" },
	{ DT_F8E5M2UZ, "|V1", "float8_e5m2fnuz" },
	{ DT_F8E8M0, "|V1", "float8_e8m0fnu" },
	{ DT_I4, "|i1", "int8" },
	{ DT_I2, "|i1", "int8" },
	{ DT_U4, "|u1", "uint8" },
	{ DT_U2, "|u1", "uint8" },
};

static const struct npy_type *
type_of(enum sn_dtype t)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].dtype == t)
			return &types[i];
	return NULL;
}

const char *
npy_type_name(enum sn_dtype t)
{
	const struct npy_type *x = type_of(t);
	return x ? x->name : sn_dtype_info(t)->text;
}

/* The type of a file with that DESCR: WANT if it is stored so, else the first one. */
static enum sn_dtype
type_by_descr(const char *descr, enum sn_dtype want)
{
	const struct npy_type *w = type_of(want);
	if (w && !strcmp(w->descr + 1, descr + 1))
		return want;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].descr + 1, descr + 1))
			return types[i].dtype;
	return DT_NONE;
}

static bool
is_unpacked(enum sn_dtype t)
{
	return sn_dtype_info(t)->bits < 8;
}

/* ---- reading ---- */

struct npy {
	const char *path;
	struct sn_arena *arena;
	struct sn_diags *diags;
	struct sn_file file;
	const char *header; /* the dictionary's text */
	size_t data;	    /* where the elements begin */
	char descr[16];
	bool is_fortran;
};

static bool
broken(struct npy *n, const char *why)
{
	return sn_report(n->diags, SN_NOWHERE, DG_NPY, n->path, why);
}

static bool
read_header(struct npy *n)
{
	const uint8_t *p = n->file.data;
	if (n->file.size < 12 || memcmp(p, "\x93NUMPY", 6) != 0)
		return broken(n, "not a NumPy file");
	size_t start = p[6] == 1 ? 10 : 12, len = p[8] | (size_t)p[9] << 8;
	if (p[6] > 1)
		len |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (len > n->file.size - start)
		return broken(n, "the header is cut off");
	n->header = sn_strndup(n->arena, (const char *)p + start, len);
	n->data = start + len;
	return true;
}

/* The text behind 'KEY': in the dictionary. */
static const char *
entry(struct npy *n, const char *key)
{
	const char *p = strstr(n->header, key);
	if (!p)
		return NULL;
	p += strlen(key);
	while (*p == ' ' || *p == ':')
		p++;
	return p;
}

static bool
read_shape(struct npy *n, struct value *v)
{
	const char *p = entry(n, "'shape'");
	if (!p || *p++ != '(')
		return broken(n, "the header has no shape");
	for (v->rank = 0;; v->rank++) {
		while (*p == ' ' || *p == ',')
			p++;
		if (*p == ')')
			return true;
		char *end;
		long long x = isdigit((unsigned char)*p) ? strtoll(p, &end, 10) : -1;
		if (x < 0)
			return broken(n, "the header's shape is malformed");
		if (v->rank == SN_MAX_RANK)
			return broken(n, "more than 8 dimensions");
		v->dims[v->rank] = x;
		p = end;
	}
}

static bool
read_type(struct npy *n, enum sn_dtype want, struct value *v)
{
	const char *p = entry(n, "'descr'"), *order = entry(n, "'fortran_order'");
	size_t len = p && *p == '\'' ? strcspn(p + 1, "'") : 0;
	if (len < 2 || len >= sizeof(n->descr))
		return broken(n, "structured elements are not supported");
	memcpy(n->descr, p + 1, len);
	n->is_fortran = order && *order == 'T';
	if (n->descr[0] == '>')
		return broken(n, "the bytes of numbers are in big-endian order");
	v->dtype = type_by_descr(n->descr, want);
	return v->dtype != DT_NONE
	       || broken(n,
			 sn_printf(n->arena, "elements of type '%s' are not supported", n->descr));
}

/* Column-major elements of SIZE bytes to row-major ones. */
static void
reorder(const struct value *v, const uint8_t *src, size_t size)
{
	uint8_t *dst = v->data;
	for (size_t i = 0; i < v->n; i++) {
		size_t rest = i, at = 0, stride = v->n;
		/* The last index is the fastest in DST and the slowest in SRC. */
		for (int d = v->rank - 1; d >= 0; d--) {
			stride /= (size_t)v->dims[d];
			at += rest % (size_t)v->dims[d] * stride;
			rest /= (size_t)v->dims[d];
		}
		memcpy(dst + i * size, src + at * size, size);
	}
}

static bool
read_elements(struct npy *n, struct value *v)
{
	size_t size = is_unpacked(v->dtype) ? 1 : (size_t)sn_dtype_info(v->dtype)->bits / 8;
	const uint8_t *src = n->file.data + n->data;
	/* Before memory is made for what the header claims. */
	if (!value_count(v, &v->n) || (n->file.size - n->data) / size < v->n)
		return broken(n, "the file is cut off");
	value_allocate(v, n->arena);
	if (is_unpacked(v->dtype))
		for (size_t i = 0; i < v->n; i++)
			sn_dtype_store(v->dtype, v->data, i, sn_dtype_load(DT_I8, src, i));
	else if (n->is_fortran && v->rank > 1)
		reorder(v, src, size);
	else if (v->n)
		memcpy(v->data, src, v->n * size);
	return true;
}

bool
npy_read(const char *path, enum sn_dtype want, struct sn_arena *a, struct sn_diags *d,
	 struct value *out)
{
	struct npy n = { .path = path, .arena = a, .diags = d };
	*out = (struct value){ 0 };
	if (!sn_file_map(&n.file, path, d))
		return false;
	bool ok = read_header(&n) && read_type(&n, want, out) && read_shape(&n, out)
		  && read_elements(&n, out);
	sn_file_unmap(&n.file);
	return ok;
}

/* ---- writing ---- */

static void
write_header(struct sn_buf *b, const struct value *v)
{
	sn_buf_addf(b, "{'descr': '%s', 'fortran_order': False, 'shape': (",
		    type_of(v->dtype)->descr);
	for (int d = 0; d < v->rank; d++)
		sn_buf_addf(b, "%s%lld", d ? ", " : "", (long long)v->dims[d]);
	sn_buf_add(b, v->rank == 1 ? ",), }" : "), }");
	sn_buf_fill(b, ' ', 63 - (b->len + 10) % 64);
	sn_buf_addc(b, '\n');
}

static const void *
unpacked(struct sn_arena *a, const struct value *v)
{
	uint8_t *p = sn_alloc(a, v->n);
	for (size_t i = 0; i < v->n; i++)
		p[i] = (uint8_t)sn_dtype_load(v->dtype, v->data, i).i;
	return p;
}

bool
npy_write(const char *path, const struct value *v, struct sn_arena *a, struct sn_diags *d)
{
	struct sn_buf header;
	struct sn_file_out f;
	sn_buf_init(&header, a);
	if (!type_of(v->dtype))
		return sn_report(d, SN_NOWHERE, DG_NPY, path,
				 sn_printf(a, "NumPy has no type for %s",
					   sn_dtype_info(v->dtype)->text));
	write_header(&header, v);
	char magic[10] = "\x93NUMPY\x01";
	magic[8] = (char)(header.len & 0xff);
	magic[9] = (char)(header.len >> 8);
	bool is_small = is_unpacked(v->dtype);
	const void *data = is_small ? unpacked(a, v) : v->data;
	if (!sn_file_out_open(&f, path, a, d))
		return false;
	if (sn_file_out_append(&f, magic, sizeof(magic), d)
	    && sn_file_out_append(&f, header.text, header.len, d)
	    && sn_file_out_append(&f, data, is_small ? v->n : v->bytes, d)
	    && sn_file_out_commit(&f, d))
		return true;
	sn_file_out_abandon(&f);
	return false;
}
