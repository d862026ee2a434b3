#!/bin/sh
# The table of support in README.md, from the compiler's own tables.
#
#	docs/make_support.sh		prints the page as it should be
#	docs/make_support.sh --update	and puts it in place
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}

names() {
	sed -n "$1" "$2" | tr '\n' ' ' | sed 's/ $//; s/ /, /g'
}

table() {
	printf '| | |\n|---|---|\n'
	"$B/sinter" ops | sed -n 's#^\([0-9]*\) operators\.$#| operators | \1 of ONNX, opsets 1 to 27: [list](docs/ops.md) |#p'
	printf '| element types | %s |\n' "$(names '/^DTYPE.*[FIUB].)/s/^[^"]*"\([^"]*\)".*/\1/p' ir/dtype.def)"
	for f in codegen/dialect_*.c; do
		name=$(sed -n 's/^\t\.name = "\(.*\)",$/\1/p' "$f")
		echo "| \`--target $name\` | $(sed -n 's/^\t\.summary = "\(.*\)",$/\1/p' "$f") |"
	done
	printf '| `--cpu` | native, %s, or [your own](docs/target.md) |\n' \
		"$(names 's/^TARGET("\([^"]*\)".*/\1/p' ir/targets.def)"
}

mkdir -p "$B/walkthrough"
table >"$B/walkthrough/support.txt"
awk -v file="$B/walkthrough/support.txt" '
	/^<!-- end of support -->/ { skipping = 0 }
	!skipping
	/^<!-- support -->/ {
		while ((getline line < file) > 0)
			print line
		skipping = 1
	}' README.md >"$B/walkthrough/README.md"
if [ "${1:-}" = --update ]; then
	cp "$B/walkthrough/README.md" README.md
else
	cat "$B/walkthrough/README.md"
fi
