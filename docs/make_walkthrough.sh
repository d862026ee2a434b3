#!/bin/sh
# The dumps in ARCHITECTURE.md, made again from tests/docs/walkthrough.sn. A line
#
#	<!-- dump PASS [PART] -->
#
# stands above each: the module after PASS, or C for the emitted file, and of it the kernel, function
# or block PART alone.
#
#	docs/make_walkthrough.sh		prints the page as it should be
#	docs/make_walkthrough.sh --update	and puts it in place
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
page=ARCHITECTURE.md
model=tests/docs/walkthrough.sn
out=$B/walkthrough
mkdir -p "$out"

# The machine is named, so that the page is the same everywhere.
compile() {
	"$B/sinter" compile $model -o "$out/small" --name small --cpu x86-64-v3 --no-cc --quiet "$@"
}

# The last of several dumps of one pass; without the name of the file behind every node.
dump() {
	if [ "$1" = C ]; then
		compile && cat "$out/small/small.c"
	else
		compile --dump-after "$1"
	fi | sed "s, in \"$model\",,g" | awk '
		/^(graph|program) / { text = "" }
		{ text = text $0 "\n" }
		END { printf "%s", text }'
}

# From the line that opens PART to the one that closes it, with the comment above it.
part() {
	awk -v name="$1" '
		function opens(line) {
			if (name == "plan")
				return line ~ /^plan /
			return line ~ "^\t?(kernel|func) " name "[[( ]" || line ~ "^" name "[(]"
		}
		!inside && opens($0) {
			inside = 1
			indent = $0 ~ /^\t/ ? "\t" : ""
			if ($0 ~ "^" name "[(]")
				print above
		}
		inside { print substr($0, length(indent) + 1) }
		inside && $0 == indent "}" { exit }
		{ above = $0 ~ /^static/ ? comment $0 : ""; comment = $0 ~ /^\/\*/ ? $0 "\n" : "" }'
}

awk '/^<!-- dump / { print $3, $4 }' $page | sort -u | while read -r pass name; do
	dump "$pass" >"$out/$pass.txt"
	[ "$name" = "-->" ] || part "$name" <"$out/$pass.txt" >"$out/$pass-$name.txt"
done

awk -v out="$out" '
	/^<!-- dump / { file = out "/" $3 ($4 == "-->" ? "" : "-" $4) ".txt"; wanted = 1 }
	{ if (!skipping || /^```$/) print }
	/^```/ && skipping { skipping = 0; next }
	/^```/ && wanted {
		while ((getline line < file) > 0)
			if (line != "" || n++)
				print line
		close(file)
		skipping = 1
		wanted = 0
	}' $page >"$out/$page"
if [ "${1:-}" = --update ]; then
	cp "$out/$page" $page
else
	cat "$out/$page"
fi
