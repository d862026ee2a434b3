# The examples: programs of C99 that link networks which sinter compiled. Part of the Makefile.

OCR_WHEEL = build/downloads/rapidocr-3.10.0
OCR_MODELS = $(OCR_WHEEL)/rapidocr/models
# DEVICE=opencl compiles the networks for it, in a folder of their own.
DEVICE	?=
EX	= $(B)/examples$(if $(DEVICE),-$(firstword $(subst :, ,$(DEVICE))))
EX_TARGET = $(if $(DEVICE),--target $(firstword $(subst :, ,$(DEVICE))),--threads)
EX_DEVICE = $(if $(DEVICE),--device $(DEVICE))
EX_ENV	= EXAMPLES=$(EX)
EX_CFLAGS = -std=c99 $(WARN) -D_POSIX_C_SOURCE=200809L -I. -MMD -MP
# Of the generated C: what sinter compile itself calls the compiler with.
NET_CFLAGS = -std=gnu99 -O2 -fno-math-errno -march=native -Wno-psabi -fno-common

ex_obj	= $(patsubst examples/%.c,$(EX)/%.o,$(wildcard examples/$(1)/*.c examples/common/*.c))

# Runs a command, says how long it took: $(call timed,WHAT,FILE,COMMAND)
define timed
$(Q)start=$$(date +%s%N); $(3) || exit $$?; ms=$$((($$(date +%s%N) - start) / 1000000)); \
	printf '  %-7s %-34s %3d.%d s\n' $(1) $(2) $$((ms / 1000)) $$((ms / 100 % 10))
endef

# One network: from MODEL to NAME.c and NAME.weights in FOLDER, to an object.
# $(call network,FOLDER,NAME,MODEL)
define network
$(EX)/$(1)/$(2).c $(EX)/$(1)/$(2).weights &: $(3) $(B)/sinter
	@mkdir -p $(EX)/$(1)
	$$(call timed,SINTER,$(2).c,$(B)/sinter compile $(3) -o $(EX)/$(1) --name $(2) $(EX_TARGET) \
		--no-cc --quiet)

$(EX)/$(1)/$(2).o: $(EX)/$(1)/$(2).c
	$$(call timed,CC,$(2).c,$$(CC) $$(NET_CFLAGS) -c -o $$@ $$<)
endef
$(eval $(call network,ocr,ocr_det,$(OCR_MODELS)/PP-OCRv6_det_small.onnx))
$(eval $(call network,ocr,ocr_rec,$(OCR_MODELS)/PP-OCRv6_rec_small.onnx))
$(eval $(call network,digits,digits_net,examples/digits/digits.onnx))

$(OCR_MODELS)/%.onnx: | $(OCR_WHEEL)/complete ;
$(OCR_WHEEL)/complete:
	$(Q)tests/fetch.sh ocr

# The recognition network carries its alphabet as a label.
$(EX)/ocr/ocr_rec.alphabet: $(OCR_MODELS)/PP-OCRv6_rec_small.onnx $(B)/sinter
	@mkdir -p $(@D)
	$(Q)$(B)/sinter info --json $< 2>/dev/null | python3 -c 'import json, sys; \
		text = dict(json.load(sys.stdin)["metadata"])["character"]; \
		sys.stdout.buffer.write(text.encode())' >$@

$(EX)/%.o: examples/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(EX_CFLAGS) $(shell $(PKG_CONFIG) --cflags libpng) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

EX_LIBS	= $(RT_LIB) $(shell $(PKG_CONFIG) --libs libpng) -lm -ldl -lpthread

$(EX)/ocr/ocr: $(call ex_obj,ocr) $(EX)/ocr/ocr_det.o $(EX)/ocr/ocr_rec.o $(RT_LIB) \
		| $(EX)/ocr/ocr_det.weights $(EX)/ocr/ocr_rec.weights $(EX)/ocr/ocr_rec.alphabet
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(EX_LIBS)

$(EX)/digits/digits: $(call ex_obj,digits) $(EX)/digits/digits_net.o $(RT_LIB) \
		| $(EX)/digits/digits_net.weights
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(EX_LIBS)

ocr: $(EX)/ocr/ocr
digits: $(EX)/digits/digits

# Text from a picture, by two networks, with DEVICE=opencl on a device; without network access digits, by one of our own.
demo: deps
	$(Q)$(SUBMAKE) all
	$(Q)tests/fetch.sh ocr && next=demo-ocr || { \
		[ $$? -eq 3 ] && next=demo-digits || exit 1; }; \
		$(SUBMAKE) $$next

demo-ocr: ocr
	@echo; echo '  examples/ocr/ocr $(EX_DEVICE) examples/ocr/hello.png'; echo
	$(Q)$(EX_ENV) examples/ocr/ocr $(EX_DEVICE) --repeat 3 examples/ocr/hello.png
	@echo; echo 'Now a picture of yours:  examples/ocr/ocr FILE.png  (--help lists the options)'

demo-digits: digits
	@echo; echo 'The text reader needs two networks from the Python package index, which could'
	@echo 'not be had. The same walk with a digit reader of our own (examples/digits/train.py):'
	@echo; echo '  examples/digits/digits examples/digits/digits.png'; echo
	$(Q)$(EX_ENV) examples/digits/digits examples/digits/digits.png $(DEVICE)
	@echo; echo 'Now a picture of yours:  examples/digits/digits FILE.png'

-include $(patsubst %.o,%.d,$(call ex_obj,ocr) $(call ex_obj,digits))
.PHONY: ocr digits demo demo-ocr demo-digits
