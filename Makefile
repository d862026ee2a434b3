# sinter: one Makefile, non-recursive, everything built under $(B).
#
#	make		library, command, runtime
#	make help	all targets
#
# Variants: make B=build/clang CC=clang-14
# Long command lines: make V=1

VERSION	= 0.1.0
B	?= build
ifeq ($(origin CC),default)
CC	= gcc
endif
ifeq ($(origin AR),default)
AR	= gcc-ar
endif
CFLAGS	?= -O2 -g
PKG_CONFIG ?= pkg-config
PROTOC_C ?= protoc-c

prefix	?= /usr/local
bindir	?= $(prefix)/bin
libdir	?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir	?= $(prefix)/share/man

# Python of the tests and benchmarks; tests/fetch.sh makes it.
VENV	= build/venv

LAYERS	= support ir frontend passes codegen cli
WARN	= -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SN_CFLAGS = -std=gnu11 $(WARN) -I. -I$(B) -MMD -MP -fno-common -fPIC -ffp-contract=off
RT_CFLAGS = -std=c99 $(WARN) -I. -MMD -MP -fno-common -fPIC -ffp-contract=off \
	    -D_POSIX_C_SOURCE=200809L

V	?= 0
Q	= $(if $(filter 1,$(V)),,@)
say	= @printf '  %-7s %s\n' $(1) $(2)

# Sub-makes of the targets that do everything use all cores, unless -j was given.
JOBS	= $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
SUBMAKE	= $(MAKE) --no-print-directory $(JOBS)

all: lib command

# ---- libraries, one per layer -------------------------------------------------------------------

layer_src = $(filter-out cli/main.c,$(wildcard $(1)/*.c))
layer_obj = $(patsubst %.c,$(B)/%.o,$(call layer_src,$(1)))

PROTO	= $(wildcard frontend/onnx.proto)
PB_H	= $(if $(PROTO),$(B)/frontend/onnx.pb-c.h)
PB_OBJ	= $(PB_H:.h=.o)

LIB_OBJ	= $(foreach l,$(LAYERS),$(call layer_obj,$(l))) $(PB_OBJ)
RT_OBJ	= $(patsubst %.c,$(B)/%.o,$(wildcard runtime/*.c))
LAYER_LIBS = $(LAYERS:%=$(B)/lib%.a)
RT_LIB	= $(B)/libsinter_runtime.a

define layer_rule
$(B)/lib$(1).a: $(call layer_obj,$(1)) $(if $(filter frontend,$(1)),$(PB_OBJ))
	$$(archive)
endef
define archive
@mkdir -p $(@D)
$(call say,AR,$@)
$(Q)rm -f $@ && $(AR) rcs $@ $^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

$(RT_LIB): $(RT_OBJ)
	$(archive)

# What programs link: of cli/ the library's entry only, not the command.
SN_OBJ	= $(filter-out $(B)/cli/%,$(LIB_OBJ)) $(B)/cli/compiler.o

$(B)/libsinter.a: $(SN_OBJ)
	$(archive)

$(B)/libsinter.so: $(SN_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libsinter.so.0 -Wl,--as-needed $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libsinter_runtime.so: $(RT_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libsinter_runtime.so.0 $(CFLAGS) $(LDFLAGS) -o $@ $^ \
		-ldl -lpthread -lm

# What tests link; the shared forms are for users.
lib: $(LAYER_LIBS) $(RT_LIB)
shared: $(B)/libsinter.a $(B)/libsinter.so $(B)/libsinter_runtime.so

# ---- the command --------------------------------------------------------------------------------

COMMAND	= $(if $(wildcard cli/main.c),$(B)/sinter)

command: $(COMMAND)

$(B)/sinter: $(B)/cli/main.o $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LINK_LIBS)

# ---- objects ------------------------------------------------------------------------------------

# The single files that know a third-party library (tests/check_layers.py holds them to that).
uses = $(patsubst %.c,$(B)/%.o,$(shell grep -ls '$(1)' $(foreach l,$(LAYERS) tests/unit,$(wildcard $(l)/*.c))))
XML_OBJ := $(call uses,<libxml/)
GV_OBJ	:= $(call uses,<graphviz/\|<gvc.h>)
$(XML_OBJ): EXTRA = $(shell $(PKG_CONFIG) --cflags libxml-2.0)
$(GV_OBJ): EXTRA = $(shell $(PKG_CONFIG) --cflags libgvc libcgraph)

LIBS	= $(shell $(PKG_CONFIG) --libs libprotobuf-c) \
	  $(if $(XML_OBJ),$(shell $(PKG_CONFIG) --libs libxml-2.0)) \
	  $(if $(GV_OBJ),$(shell $(PKG_CONFIG) --libs libgvc libcgraph)) -lm -ldl -lpthread
LINK_LIBS = -Wl,--as-needed -Wl,--start-group $(LAYER_LIBS) $(RT_LIB) -Wl,--end-group $(LIBS)

$(B)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(RT_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(SN_CFLAGS) $(EXTRA) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

ifneq ($(PROTO),)
$(call layer_obj,frontend) $(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/test_frontend*.c)): | $(PB_H)
$(filter $(B)/frontend/onnx_%,$(call layer_obj,frontend)): EXTRA = $(shell $(PKG_CONFIG) --cflags libprotobuf-c)

$(PB_H) $(PB_H:.h=.c) &: $(PROTO)
	@mkdir -p $(@D)
	$(call say,PROTOC,$<)
	$(Q)$(PROTOC_C) --proto_path=frontend --c_out=$(B)/frontend $<

# Generated, so not ours to keep free of warnings.
$(PB_OBJ): $(PB_H:.h=.c)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 -I$(B)/frontend -fPIC $(shell $(PKG_CONFIG) --cflags libprotobuf-c) \
		$(CPPFLAGS) $(CFLAGS) -c -o $@ $<
endif

# The ABI's declarations, which every generated header repeats.
$(B)/codegen/sinter_abi.inc: runtime/sinter_abi.h
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/\t/\\t/g; s/.*/"&\\n",/' $< > $@
$(B)/codegen/package_h.o: $(B)/codegen/sinter_abi.inc

# ---- tests --------------------------------------------------------------------------------------

UNIT	= $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
FILETEST = $(patsubst %.c,$(B)/%,$(wildcard tests/filetest.c))
FT_OBJ	= $(patsubst %.c,$(B)/%.o,$(filter-out tests/filetest.c,$(wildcard tests/filetest*.c)) \
	  tests/unit/run_opencl.c)
SCRIPTS	= tests/check_layers.py tests/check_headers.sh tests/check_style.py tests/check_lint.py
# Programs of other parts that print TAP and need the command or the Python packages.
SUITES	= $(filter-out $(SCRIPTS),\
	  $(wildcard $(foreach e,sh py,tests/check_*.$(e) tests/*/check_*.$(e))))
# Programs that they call.
HELPERS	= $(patsubst %.c,$(B)/%,$(wildcard tests/models/*.c) tests/suite_interp.c)
RUN	= B=$(B) CC='$(CC)' VENV=$(VENV) tests/run $(if $(T),-k '$(T)')

# Fuzz targets, for files instead of a fuzzer.
REPLAY	= $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/replay_%,$(wildcard tests/fuzz/fuzz_*.c))

SAN	= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

$(B)/tests/filetest: $(B)/tests/filetest.o $(FT_OBJ) $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(FT_OBJ) $(LINK_LIBS)

# What several tests share: the other files of the folder.
UNIT_HELP = $(patsubst %.c,$(B)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(UNIT_HELP) $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(UNIT_HELP) $(LINK_LIBS) -lcmocka

# Named, so that make takes the rule above and not a shorter one while they aren't there.
$(UNIT): $(UNIT_HELP)

# The vendor's library that fails on demand, under the loader.
$(B)/tests/unit/test_device_faults: | $(B)/tests/device/shim.so

$(B)/tests/device/shim.so: $(B)/tests/device/shim.o
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) -o $@ $< -ldl

# The driver of the ONNX suite.
ONNX_SUITE = $(if $(wildcard tests/onnx/suite.c),$(B)/tests/onnx/suite)
ONNX_OBJ = $(patsubst %.c,$(B)/%.o,$(wildcard tests/onnx/suite*.c))

$(B)/tests/onnx/suite: $(ONNX_OBJ) $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(ONNX_OBJ) $(LINK_LIBS)

# A fuzz target on given files, once.
$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LINK_LIBS)

# Other programs of the tests, of one file each. Named, since a pattern would also fit unit tests, and
# be preferred where a file that they share is not built yet.
SINGLE	= $(HELPERS) $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

$(SINGLE): $(B)/tests/%: $(B)/tests/%.o $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LINK_LIBS)

# Unit and file tests under sanitizers, which are builds of their own.
SAN_UNIT = $(UNIT:$(B)/%=build/asan/%)
SAN_FILES = $(FILETEST:$(B)/%=build/asan/%)

# Debian's packages first: what is built below needs them. The Python packages may be missing.
check: deps
	$(Q)tests/fetch.sh venv || test $$? -eq 3
	$(Q)$(SUBMAKE) all unit $(FILETEST) $(HELPERS) $(ONNX_SUITE) $(REPLAY)
	$(Q)$(SUBMAKE) asan tsan
	$(Q)$(RUN) $(SUITES) $(if $(FILETEST),--files $(FILETEST)) $(UNIT) $(SCRIPTS) \
		--files $(SAN_FILES) $(SAN_UNIT) $(TSAN)

unit: $(UNIT)

check-programs: $(UNIT) $(FILETEST)
	$(Q)$(RUN) --files $(FILETEST) $(UNIT)

check-unit: $(UNIT)
	$(Q)$(RUN) $(UNIT)

check-files: $(FILETEST)
	$(Q)$(RUN) --files $(FILETEST)

check-lint: lib
	$(Q)$(RUN) tests/check_lint.py

check-layers:
	$(Q)$(RUN) tests/check_layers.py

check-style:
	$(Q)$(RUN) tests/check_style.py

check-headers: $(PB_H)
	$(Q)$(RUN) tests/check_headers.sh

# All cases, DIALECT=c99 for the other dialect, DEVICE=opencl on a device (PoCL: half an hour of CPU);
# BLESS=1 rewrites the list of those not supported.
# On a device what was done is kept in $(B)/onnx/done, by the driver's bytes, and not done again.
check-onnx: venv
	$(Q)$(SUBMAKE) $(ONNX_SUITE)
	$(Q)B=$(B) DIALECT=$(DIALECT) DEVICE=$(DEVICE) BLESS=$(BLESS) $(VENV)/bin/python tests/check_onnx.py

# Random networks on all targets: COUNT of them from seed FIRST on.
FIRST	?= 0
COUNT	?= 500

check-random: all $(HELPERS) venv
	$(Q)B=$(B) $(VENV)/bin/python tests/random/check_random.py --first $(FIRST) --count $(COUNT)

# All networks on the device opencl:0, times beside the C target's; how long those of First light took.
check-device-models: all $(HELPERS) venv
	$(Q)B=$(B) $(VENV)/bin/python tests/models/check_device_models.py --all

# The suite's small cases on oclgrind's simulated device: data races, wrong calls, uninitialised memory.
check-oclgrind: venv
	$(Q)$(SUBMAKE) $(ONNX_SUITE)
	$(Q)B=$(B) $(VENV)/bin/python tests/check_onnx.py --oclgrind --out $(B)/onnxgrind \
		--kinds node,simple,pytorch-converted,pytorch-operator

# The whole test set once more, under AddressSanitizer and UBSan: unit and file tests, the ONNX suite
# with its generated code, the command, all networks as far as emitted C, the fuzzers' inputs.
ASAN	= tests/cli/check_cli.py tests/check_onnx.py tests/onnx/check_c99.py \
	  tests/models/check_clean.py tests/fuzz/check_replay.sh

asan:
	$(Q)$(SUBMAKE) B=build/asan CFLAGS='$(SAN)' asan-programs

asan-programs: unit $(FILETEST) $(ONNX_SUITE) $(REPLAY)

check-asan: venv
	$(Q)$(SUBMAKE) B=build/asan CFLAGS='$(SAN)' check-asan-programs

# gcc 12 puts vectors of 64 bytes on a stack made up for use after return, at multiples of 32 (gcc's bug
# 110027): generated code can't be asked that.
check-asan-programs: all asan-programs
	$(Q)ASAN_OPTIONS=allocator_may_return_null=1 CODE_CFLAGS='-fsanitize=address,undefined' $(RUN) -t 7200 $(ASAN) --files $(FILETEST) $(UNIT)

# libFuzzer over tests/fuzz/fuzz_*.c, FUZZ_SECONDS each; new inputs are kept under build/fuzz.
FUZZ_SECONDS ?= 60
FUZZ_FLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
FUZZERS	= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

fuzz:
	$(Q)$(SUBMAKE) B=build/fuzz CC=clang-14 CFLAGS='$(FUZZ_FLAGS),fuzzer-no-link' \
		LDFLAGS='-fsanitize=fuzzer' $(FUZZERS:%=build/fuzz/tests/fuzz/%)
	$(Q)tests/fuzz/seed.sh build/fuzz/corpus
	$(Q)for f in $(FUZZERS); do mkdir -p build/fuzz/corpus/$$f; \
		echo "  FUZZ    $$f, $(FUZZ_SECONDS) s"; \
		build/fuzz/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-rss_limit_mb=2048 -entropic=0 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/ build/fuzz/corpus/$$f \
			$$(ls -d tests/fuzz/corpus/$$f 2>/dev/null) || exit 1; done

# The worker pool and the sessions on it, under ThreadSanitizer.
TSAN	= $(patsubst tests/unit/%.c,build/tsan/tests/unit/%,\
	  $(wildcard tests/unit/test_pool.c tests/unit/test_runtime.c))
tsan:
	$(Q)$(SUBMAKE) B=build/tsan LAYERS=support UNIT_HELP= CFLAGS='-O1 -g -fsanitize=thread' $(TSAN)

check-tsan: tsan
	$(Q)B=build/tsan CC='$(CC)' tests/run $(TSAN)

# Emitted C: warnings of gcc and clang over all networks and the whole suite, twice the same.
check-clean: all venv
	$(Q)$(SUBMAKE) $(ONNX_SUITE)
	$(Q)B=$(B) $(VENV)/bin/python tests/models/check_clean.py --all
	$(Q)B=$(B) CLANG=1 $(VENV)/bin/python tests/check_onnx.py
	$(Q)B=$(B) CLANG=1 DIALECT=c99 $(VENV)/bin/python tests/check_onnx.py

# The command, the runtime and most unit tests under memcheck, small networks.
check-valgrind: all unit venv
	$(Q)B=$(B) $(VENV)/bin/python tests/models/check_valgrind.py --all

# One unit test alone, with its own output: make unit-buf
unit-%: $(B)/tests/unit/test_%
	$(Q)$<

# Rewrites the expectations of file tests: make bless T=tests/passes/cse
bless: $(FILETEST)
	$(Q)test -n '$(T)' || { echo 'usage: make bless T=file-or-folder' >&2; exit 2; }
	$(Q)$(FILETEST) --bless $$(find $(T) -name '*.sn' | sort)

# ---- everything else ----------------------------------------------------------------------------

venv:
	$(Q)tests/fetch.sh venv

deps:
	$(Q)tests/fetch_deb.sh

bench: all venv
	$(Q)B=$(B) $(VENV)/bin/python bench/bench.py $(BENCH)

# Seconds and memory of compiling.
bench-compile: all venv
	$(Q)$(VENV)/bin/python bench/compile.py --sinter $(B)/sinter

# make demo, ocr, digits
include examples/examples.mk

format:
	$(Q)clang-format-14 -i $(foreach d,$(LAYERS) runtime tests tests/unit tests/models tests/device tests/fuzz,\
		$(wildcard $(d)/*.c))

define pc_file
prefix=$(prefix)
libdir=$(libdir)
includedir=$(includedir)

Name: $(1)
Description: $(2)
Version: $(VERSION)
Libs: -L$${libdir} -l$(subst -,_,$(1))
Libs.private: $(3)
Cflags: -I$${includedir}/sinter
endef
export SINTER_PC = $(call pc_file,sinter,ahead-of-time compiler from ONNX to C,$(LIBS))
export RUNTIME_PC = $(call pc_file,sinter-runtime,runs models compiled by sinter,-ldl -lpthread -lm)

INSTALL	= install -D
PUBLIC_H = $(wildcard runtime/sinter*.h)
MAN	= $(wildcard docs/*.1)

install: all shared
	$(Q)$(INSTALL) -d $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir)/sinter
	$(Q)$(if $(COMMAND),$(INSTALL) -m755 $(COMMAND) -t $(DESTDIR)$(bindir))
	$(Q)$(INSTALL) -m644 $(B)/libsinter.a $(RT_LIB) -t $(DESTDIR)$(libdir)
	$(Q)for so in libsinter.so libsinter_runtime.so; do \
		$(INSTALL) -m755 $(B)/$$so $(DESTDIR)$(libdir)/$$so.$(VERSION) && \
		ln -sf $$so.$(VERSION) $(DESTDIR)$(libdir)/$$so.0 && \
		ln -sf $$so.0 $(DESTDIR)$(libdir)/$$so || exit 1; done
	$(Q)$(if $(PUBLIC_H),$(INSTALL) -m644 $(PUBLIC_H) -t $(DESTDIR)$(includedir)/sinter)
	$(Q)sed -i 's,"runtime/,",' $(DESTDIR)$(includedir)/sinter/sinter_runtime.h
	$(Q)$(if $(MAN),$(INSTALL) -m644 $(MAN) -t $(DESTDIR)$(mandir)/man1)
	$(Q)echo "$$SINTER_PC" >$(DESTDIR)$(libdir)/pkgconfig/sinter.pc
	$(Q)echo "$$RUNTIME_PC" >$(DESTDIR)$(libdir)/pkgconfig/sinter-runtime.pc

clean:
	$(Q)for d in $(LAYERS) runtime tests lint examples; do rm -rf $(B)/$$d; done
	$(Q)rm -rf $(B)/*.a $(B)/*.so $(B)/sinter build/asan build/tsan

help:
	@echo 'make              the libraries and the command, under $(B)'
	@echo 'make demo         reads text from a picture with two compiled networks'
	@echo 'make ocr          the text reader of make demo; make digits the other one'
	@echo 'make check        installs what is missing, builds, runs all tests'
	@echo 'make check-unit   the unit tests; make unit-NAME runs one alone'
	@echo 'make check-files  the file tests tests/**/*.sn; T=cse only those with cse in their path'
	@echo 'make check-onnx   the ONNX backend suite; DEVICE=opencl on a device'
	@echo 'make check-clean  emitted C: warnings of gcc and clang, twice the same; everything'
	@echo 'make check-asan   the test set under AddressSanitizer and UBSan'
	@echo 'make check-tsan   the worker pool under ThreadSanitizer'
	@echo 'make check-valgrind  the command, the runtime, unit tests under memcheck'
	@echo 'make check-device-models  all networks on opencl:0, with times'
	@echo 'make check-random    random networks, COUNT=500 from seed FIRST=0 on'
	@echo 'make check-oclgrind  the ONNX suite on oclgrind: races, wrong calls,'
	@echo '                  uninitialised memory'
	@echo 'make fuzz         libFuzzer on models and texts, FUZZ_SECONDS each'
	@echo 'make check-lint   clang-format and clang-tidy; also check-style, check-layers,'
	@echo '                  check-headers'
	@echo 'make bless T=PATH rewrites the expectations of file tests'
	@echo 'make format       formats the sources'
	@echo 'make bench        speed against ONNX Runtime'
	@echo 'make bench-compile  seconds and memory of compiling'
	@echo 'make install      DESTDIR, prefix (now $(prefix)); with make shared inside'
	@echo 'make deps         what is needed from Debian'
	@echo 'make clean        removes what was built, keeps what was fetched'
	@echo 'settings          B=folder CC= CFLAGS= V=1'

-include $(LIB_OBJ:.o=.d) $(RT_OBJ:.o=.d) $(UNIT:=.d) $(FT_OBJ:.o=.d) $(FILETEST:=.d)
-include $(B)/cli/main.d $(ONNX_OBJ:.o=.d) $(B)/tests/device/shim.d $(HELPERS:=.d) $(UNIT_HELP:.o=.d)
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all lib shared command check unit check-programs check-unit check-files check-lint
.PHONY: check-layers check-style check-headers check-onnx check-clean check-asan check-asan-programs asan-programs
.PHONY: check-random check-device-models check-oclgrind check-tsan check-valgrind asan tsan bless venv deps bench bench-compile
.PHONY: fuzz format install clean help
