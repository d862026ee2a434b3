#!/bin/sh
# docs/ops.md is what `sinter ops` prints.
B=${B:-build}
echo 1..1
if "$B/sinter" ops | cmp -s - docs/ops.md; then
	echo 'ok 1 - docs/ops.md'
else
	echo 'not ok 1 - docs/ops.md'
	echo "# differs from the table: $B/sinter ops >docs/ops.md"
	exit 1
fi
