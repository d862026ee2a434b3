# sinter: one Makefile, non-recursive, everything built under $(B).
#
#	make		library, command, runtime
#	make help	all targets
#
# Variants: make B=build/asan CFLAGS='-O1 -g -fsanitize=address,undefined'
# Long command lines: make V=1

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

LAYERS	= support ir frontend passes codegen cli
WARN	= -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SN_CFLAGS = -std=gnu11 $(WARN) -I. -I$(B) -MMD -MP -fno-common -fPIC -ffp-contract=off
RT_CFLAGS = -std=c99 $(WARN) -I. -MMD -MP -fno-common -fPIC -D_POSIX_C_SOURCE=200809L -ffp-contract=off

V	?= 0
Q	= $(if $(filter 1,$(V)),,@)
say	= @printf '  %-7s %s\n' $(1) $(2)

all: lib

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

lib: $(LAYER_LIBS) $(RT_LIB)

# ---- objects ------------------------------------------------------------------------------------

# The single files that know a third-party library (tests/check_layers.py holds them to that).
uses = $(patsubst %.c,$(B)/%.o,$(shell grep -ls '$(1)' $(foreach l,$(LAYERS),$(wildcard $(l)/*.c))))
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
$(call layer_obj,frontend): | $(PB_H)
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

# ---- tests --------------------------------------------------------------------------------------

UNIT	= $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))

$(B)/tests/%: $(B)/tests/%.o $(LAYER_LIBS) $(RT_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LINK_LIBS) -lcmocka

unit: $(UNIT)

# One unit test: make unit-buf
unit-%: $(B)/tests/unit/test_%
	$<

format:
	$(Q)clang-format-14 -i $(foreach d,$(LAYERS) runtime tests/unit tests,$(wildcard $(d)/*.c))

-include $(LIB_OBJ:.o=.d) $(RT_OBJ:.o=.d) $(UNIT:=.d)
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all lib unit format
