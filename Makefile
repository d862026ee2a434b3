# sinter: one Makefile, non-recursive, everything built under build/.
#
#	make            library, command, runtime
#	make help       all targets

B	?= build
CC	= gcc
CFLAGS	?= -O2 -g
LAYERS	= support ir frontend passes codegen cli

WARN	= -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
SN_CFLAGS = -std=gnu11 $(WARN) -I. -I$(B) -MMD -MP -fno-common -ffp-contract=off

LIB_SRC	= $(foreach d,$(LAYERS),$(filter-out cli/main.c,$(wildcard $(d)/*.c)))
LIB_OBJ	= $(LIB_SRC:%.c=$(B)/%.o)
V	?= 0
Q	= $(if $(filter 1,$(V)),,@)

all: objs

objs: $(LIB_OBJ)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(SN_CFLAGS) $(CFLAGS) -c -o $@ $<

-include $(LIB_OBJ:.o=.d)
.PHONY: all objs
