#!/bin/sh
# The fuzz targets once on each input of the corpus and on what they start from; finding new ones is
# make fuzz's.
b=${B:-build}
seeds=$b/tests/fuzz/seeds
rm -rf "$seeds"
tests/fuzz/seed.sh "$seeds"

echo 1..2
n=0
status=0
for target in fuzz_onnx fuzz_text; do
	n=$((n + 1))
	mkdir -p "$seeds/$target"
	if "$b/tests/fuzz/replay_$target" tests/fuzz/corpus/$target/* "$seeds/$target" >"$seeds/log" 2>&1; then
		echo "ok $n - $target, $(grep -c '^# ' "$seeds/log") inputs"
	else
		echo "not ok $n - $target"
		tail -n 30 "$seeds/log" | sed 's/^/# /'
		status=1
	fi
done
exit $status
