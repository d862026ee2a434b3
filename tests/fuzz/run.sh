#!/bin/sh
# Builds a fuzz target with clang's libFuzzer, AddressSanitizer and UBSan, and runs it:
#
#	tests/fuzz/run.sh onnx 600
#
# for 600 seconds, from the corpus in tests/fuzz/corpus/onnx. What it finds, and
# the inputs it grows, go to build/fuzz/onnx.
set -eu

target=${1:?usage: tests/fuzz/run.sh TARGET [SECONDS]}
seconds=${2:-600}
out=build/fuzz
flags="-g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined"
libs="support ir frontend passes codegen"

cd "$(dirname "$0")/../.."
make B=$out CC=clang-14 CFLAGS="$flags -fsanitize=fuzzer-no-link,address,undefined" lib
mkdir -p $out/"$target"
# shellcheck disable=SC2046,SC2086
clang-14 -std=gnu11 $flags -fsanitize=fuzzer,address,undefined -I. -I$out \
	tests/fuzz/fuzz_"$target".c -o $out/fuzz_"$target" \
	-Wl,--start-group $(for l in $libs; do echo $out/lib"$l".a; done) -Wl,--end-group \
	$(pkg-config --libs libprotobuf-c libxml-2.0) -lm -lpthread -ldl
exec $out/fuzz_"$target" -max_total_time="$seconds" -rss_limit_mb=2000 -print_final_stats=1 \
	-artifact_prefix=$out/"$target"- $out/"$target" tests/fuzz/corpus/"$target"
