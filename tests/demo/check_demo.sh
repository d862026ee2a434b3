#!/bin/sh
# The examples: what they read from their pictures, and what they say of files that are none.
n=0
failed=0
say() { # status, name
	n=$((n + 1))
	[ "$1" = ok ] || failed=1
	echo "$1 $n - $2"
}
reads() { # name, expected words, command...
	name=$1 words=$2
	shift 2
	text=$("$@" 2>&1) && echo "$text" | grep -qF "$words" && say ok "$name" && return
	say 'not ok' "$name"
	echo "$text" | sed 's/^/# /' | head -20
}
refuses() { # name, command...
	name=$1
	shift
	"$@" >/dev/null 2>build/demo.err
	if [ $? -ne 0 ] && [ -s build/demo.err ]; then say ok "$name"; else say 'not ok' "$name"; fi
}

make --no-print-directory digits >build/demo.log 2>&1 || sed 's/^/# /' build/demo.log
digits=$(examples/digits/digits examples/digits/digits.png 2>&1 | awk '$1 ~ /^[01]\./ { printf "%s", $2 }')
if [ "$digits" = 31415926535897902 ]; then
	say ok 'digits'
else
	say 'not ok' "digits: $digits"
fi
make --no-print-directory digits DEVICE=opencl >build/demo.log 2>&1 || sed 's/^/# /' build/demo.log
digits=$(EXAMPLES=${B:-build}/examples-opencl examples/digits/digits examples/digits/digits.png opencl:0 2>&1 |
	awk '$1 ~ /^[01]\./ { printf "%s", $2 }')
if [ "$digits" = 31415926535897902 ]; then
	say ok 'digits on a device'
else
	say 'not ok' "digits on a device: $digits"
fi
refuses 'no device' examples/digits/digits examples/digits/digits.png opencl:99
refuses 'no such picture' examples/digits/digits build/none.png
echo garbage >build/garbage.png
refuses 'not a picture' examples/digits/digits build/garbage.png
head -c 1000 examples/digits/digits.png >build/cut.png
refuses 'a picture cut short' examples/digits/digits build/cut.png

if tests/fetch.sh ocr >build/demo.log 2>&1; then
	make --no-print-directory ocr >build/demo.log 2>&1 || sed 's/^/# /' build/demo.log
	reads 'words' 'Networks become C' examples/ocr/ocr examples/ocr/hello.png
	reads 'tilted words' 'and writes a program that runs anywhere.' examples/ocr/ocr examples/ocr/tilted.png
else
	n=$((n + 1))
	echo "ok $n - words # SKIP $(tail -n 1 build/demo.log)"
fi
echo "1..$n"
exit $failed
