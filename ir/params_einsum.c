/*
 * The equation of Einsum, term by term.
 */
#include <string.h>
#include "ir/params.h"

/* Label of a letter, -1 for anything else. */
static int
letter(char ch)
{
	if (ch >= 'a' && ch <= 'z')
		return ch - 'a';
	return ch >= 'A' && ch <= 'Z' ? ch - 'A' + 26 : -1;
}

/* One term from S to END; RANK is that of its operand, and the ellipsis takes what the letters
 * leave (ELLIPSIS for the result's). Its dimensions are labelled from the last, 63, 62, ... */
static bool
parse_term(const char *s, const char *end, int rank, int ellipsis, int *labels, int *out_rank)
{
	int nletters = 0, n = 0;
	for (const char *q = s; q < end; q++)
		nletters += letter(*q) >= 0;
	int nellipsis = rank >= 0 ? rank - nletters : ellipsis;
	for (; s < end; s++) {
		if (*s == ' ')
			continue;
		if (n + 1 > SN_MAX_RANK)
			return false;
		if (letter(*s) >= 0) {
			labels[n++] = letter(*s);
			continue;
		}
		if (end - s < 3 || memcmp(s, "...", 3) != 0 || nellipsis < 0
		    || n + nellipsis > SN_MAX_RANK)
			return false;
		for (int i = 0; i < nellipsis; i++)
			labels[n++] = SN_MAX_LABELS - nellipsis + i;
		s += 2;
	}
	*out_rank = n;
	return rank < 0 || n == rank;
}

/* Extents of the labels of one operand; ellipsis dimensions broadcast, as letters may. */
static bool
note_extents(struct sn_pool *p, struct sn_einsum *e, int term, const struct sn_type *t)
{
	for (int i = 0; i < t->rank; i++) {
		const struct sn_expr **x = &e->extent[e->label[term][i]];
		if (!*x || sn_is_int_const(*x, 1))
			*x = t->dims[i];
		else if (!sn_is_int_const(t->dims[i], 1) && !sn_shape_may_equal(p, *x, t->dims[i]))
			return false;
	}
	return true;
}

/* Without an arrow: the ellipsis, then the letters that occur once, in order of the alphabet
 * (capitals first). */
static void
implicit_result(struct sn_einsum *e, int ellipsis)
{
	int n = 0, count[SN_MAX_LABELS] = { 0 };
	for (int t = 0; t < e->nterms; t++)
		for (int i = 0; i < e->rank[t]; i++)
			count[e->label[t][i]]++;
	for (int i = 0; i < ellipsis; i++)
		e->label[e->nterms][n++] = SN_MAX_LABELS - ellipsis + i;
	for (int i = 0; i < 52 && n < SN_MAX_RANK; i++) {
		int label = i < 26 ? i + 26 : i - 26;
		if (count[label] == 1)
			e->label[e->nterms][n++] = label;
	}
	e->rank[e->nterms] = n;
}

/* Terms of the left side, up to END. */
static bool
parse_operands(struct sn_pool *p, const struct sn_node *n, const char *s, const char *end,
	       struct sn_einsum *out)
{
	for (int i = 0; i < n->nin; i++) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		if (!comma != (i == n->nin - 1))
			return false;
		const struct sn_type *t = &n->in[i].value->type;
		if (!parse_term(s, comma ? comma : end, t->rank, 0, out->label[i], &out->rank[i])
		    || !note_extents(p, out, i, t))
			return false;
		s = comma ? comma + 1 : end;
	}
	return true;
}

bool
sn_node_einsum(struct sn_pool *p, const struct sn_node *n, struct sn_einsum *out)
{
	const char *s = sn_attrs(n, einsum)->equation, *end = s + strlen(s);
	const char *arrow = strstr(s, "->");
	int ellipsis = 0;
	memset(out, 0, sizeof(*out));
	out->nterms = n->nin;
	if (n->nin < 1 || n->nin > SN_MAX_TERMS
	    || !parse_operands(p, n, s, arrow ? arrow : end, out))
		return false;
	for (int i = 52; i < SN_MAX_LABELS; i++)
		ellipsis += out->extent[i] != NULL;
	if (!arrow)
		implicit_result(out, ellipsis);
	else if (!parse_term(arrow + 2, end, -1, ellipsis, out->label[n->nin], &out->rank[n->nin]))
		return false;
	for (int i = 0; i < out->rank[n->nin]; i++)
		if (!out->extent[out->label[n->nin][i]])
			return false;
	return true;
}
