/*
 * Attributes of a node: from the wire's form to a raw one.
 */
#include <string.h>
#include "frontend/onnx.pb-c.h"
#include "frontend/reader.h"

static const char *const kind_texts[RA_COUNT] = {
	[RA_NONE] = "none",
	[RA_FLOAT] = "float",
	[RA_INT] = "int",
	[RA_STRING] = "string",
	[RA_TENSOR] = "tensor",
	[RA_GRAPH] = "graph",
	[RA_FLOATS] = "floats",
	[RA_INTS] = "ints",
	[RA_STRINGS] = "strings",
	[RA_TENSORS] = "tensors",
	[RA_GRAPHS] = "graphs",
	[RA_SPARSE] = "sparse tensor",
	[RA_SPARSES] = "sparse tensors",
	[RA_TYPE] = "type",
	[RA_TYPES] = "types",
};

const char *
sn_raw_kind_text(enum sn_raw_kind kind)
{
	return kind_texts[kind];
}

/* Models of the first IR versions don't say the type: it is that of the field which is there. */
static enum sn_raw_kind
kind_of(const Pb__AttributeProto *p)
{
	if (p->has_type && p->type > 0 && (int)p->type < RA_COUNT)
		return (enum sn_raw_kind)p->type;
	return p->has_f	      ? RA_FLOAT
	       : p->has_i     ? RA_INT
	       : p->has_s     ? RA_STRING
	       : p->t	      ? RA_TENSOR
	       : p->g	      ? RA_GRAPH
	       : p->n_floats  ? RA_FLOATS
	       : p->n_ints    ? RA_INTS
	       : p->n_strings ? RA_STRINGS
			      : RA_NONE;
}

static const char *
copy_string(struct sn_reader *r, ProtobufCBinaryData s)
{
	return sn_strndup(r->arena, s.len ? (const char *)s.data : "", s.len);
}

static struct sn_strs
copy_strings(struct sn_reader *r, const Pb__AttributeProto *p)
{
	const char **list = SN_NEW_ARRAY(r->arena, p->n_strings, const char *);
	for (size_t i = 0; i < p->n_strings; i++)
		list[i] = copy_string(r, p->strings[i]);
	return (struct sn_strs){ (int)p->n_strings, list };
}

static bool
set_tensor(struct sn_raw_attr *a, bool is_read, const struct sn_tensor_data *t)
{
	a->tensor.data = t->data;
	a->tensor.rank = t->rank;
	memcpy(a->tensor.dims, t->dims, sizeof(a->tensor.dims));
	return is_read;
}

static bool
read_tensor(struct sn_reader *r, const Pb__AttributeProto *p, struct sn_where where,
	    struct sn_raw_attr *out)
{
	struct sn_tensor_data t = { 0 };
	if (out->kind == RA_TENSOR && p->t)
		return set_tensor(out, sn_read_tensor(&r->data, p->t, where, &t), &t);
	if (out->kind == RA_SPARSE && p->sparse_tensor)
		return set_tensor(out, sn_read_sparse(&r->data, p->sparse_tensor, where, &t), &t);
	return sn_report(r->diags, where, DG_ATTR_NONE, out->name);
}

bool
sn_read_attr(struct sn_scope *s, const Pb__AttributeProto *p, struct sn_where where,
	     struct sn_raw_attr *out)
{
	struct sn_reader *r = s->reader;
	*out = (struct sn_raw_attr){ .kind = kind_of(p), .scope = s };
	out->name = sn_strdup(r->arena, p->name ? p->name : "");
	switch (out->kind) {
	case RA_FLOAT: out->f = p->f; break;
	case RA_INT: out->i = p->i; break;
	case RA_STRING: out->s = copy_string(r, p->s); break;
	case RA_FLOATS:
		out->floats.n = (int)p->n_floats;
		out->floats.v = sn_memdup(r->arena, p->floats, p->n_floats * sizeof(float));
		break;
	case RA_INTS:
		out->ints.n = (int)p->n_ints;
		out->ints.v = sn_memdup(r->arena, p->ints, p->n_ints * sizeof(int64_t));
		break;
	case RA_STRINGS: out->strs = copy_strings(r, p); break;
	case RA_TENSOR:
	case RA_SPARSE: return read_tensor(r, p, where, out);
	case RA_GRAPH:
		out->graph = p->g;
		return p->g || sn_report(r->diags, where, DG_REGION_NONE, out->name);
	default: break;
	}
	return true;
}
