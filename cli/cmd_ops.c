/* sinter ops: the table of supported operators, docs/ops.md. */
#include <stdio.h>
#include <string.h>
#include "cli/command.h"
#include "ir/graph.h"

static const char *
count_text(struct sn_arena *a, int least, int most)
{
	if (most < 0)
		return sn_printf(a, "%d or more", least);
	return least == most ? sn_printf(a, "%d", least) : sn_printf(a, "%d to %d", least, most);
}

/* What the traits of ir/ops.def say of operand 0's type. */
static const char *
class_text(const char *traits)
{
	static const struct {
		char trait;
		const char *text;
	} rows[] = { { 'f', "floats" }, { 'n', "numbers" }, { 'i', "integers" }, { 'b', "bool" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strchr(traits, rows[i].trait))
			return rows[i].text;
	return "any";
}

/* On a device: all are lowered to kernels that its schedules take, but not every device has f64. */
static const char *
device_text(const char *traits)
{
	return strpbrk(traits, "ib") ? "yes" : "yes, f64 if it has that";
}

static const char *
opsets_text(struct sn_arena *a, const char *since)
{
	struct sn_buf b;
	sn_buf_init(&b, a);
	for (const char *p = since; *p; p++)
		if (*p == ',')
			sn_buf_add(&b, ", ");
		else
			sn_buf_addc(&b, *p);
	return b.text;
}

static void
row_json(struct sn_buf *b, const struct sn_graph_op_info *op)
{
	sn_buf_add(b, b->len > 1 ? ",\n  {\"domain\": " : "\n  {\"domain\": ");
	sn_buf_add_json(b, op->domain);
	sn_buf_add(b, ", \"name\": ");
	sn_buf_add_json(b, op->name);
	sn_buf_addf(b, ", \"opsets\": [%s]}", op->since);
}

static void
row_text(struct sn_arena *a, struct sn_buf *b, const struct sn_graph_op_info *op)
{
	sn_buf_addf(b, "| %s%s%s | %s | %s | %s | %s | %s |\n", op->domain, *op->domain ? "." : "",
		    op->name, opsets_text(a, op->since), count_text(a, op->min_in, op->max_in),
		    count_text(a, op->min_out, op->max_out), class_text(op->traits),
		    device_text(op->traits));
}

int
cmd_ops(struct options *o)
{
	struct sn_buf b;
	sn_buf_init(&b, o->arena);
	sn_buf_add(
		&b,
		o->is_json
			? "["
			: "# Operators\n\n"
			  "Made by `sinter ops` from ir/ops.def. Opsets are those at which an\n"
			  "operator changed its meaning; every form up to the newest is read. Element\n"
			  "types are what operand 0 may have. What a device can't do runs on the host:\n"
			  "`sinter info MODEL --device NAME` says what, and why.\n\n"
			  "| operator | opsets | operands | results | elements | on a device |\n"
			  "|---|---|---|---|---|---|\n");
	for (int i = 0; i < GR_COUNT; i++)
		if (o->is_json)
			row_json(&b, sn_graph_op_info((enum sn_graph_op)i));
		else
			row_text(o->arena, &b, sn_graph_op_info((enum sn_graph_op)i));
	if (o->is_json)
		sn_buf_add(&b, "\n]\n");
	else
		sn_buf_addf(&b, "\n%d operators.\n", (int)GR_COUNT);
	fputs(b.text, stdout);
	return SN_OK;
}
