# SPDX-License-Identifier: MIT
#
# Builds newlib and the payloads; included by the Makefile in the root. Every folder in
# guest/payloads becomes $(BUILD)/guest/NAME.elf (ELF32, for loaders) beside NAME.elf64 (with
# symbols). Target guest-payloads builds all of them.

BUILD ?= build
GUEST_CC ?= gcc
GUEST_OBJCOPY ?= objcopy

GUEST_BUILD := $(BUILD)/guest
GUEST_NEWLIB := $(BUILD)/newlib
GUEST_NEWLIB_STAMP := $(GUEST_NEWLIB)/stamp

GUEST_PAYLOADS := $(sort $(notdir $(patsubst %/,%,$(wildcard guest/payloads/*/))))
GUEST_ELFS := $(GUEST_PAYLOADS:%=$(GUEST_BUILD)/%.elf)

# Asked when it is used: make may have to install the compiler first.
GUEST_COMPILER_INCLUDE = $(shell $(GUEST_CC) -print-file-name=include)
GUEST_CPPFLAGS = -I . -nostdinc -isystem $(GUEST_NEWLIB)/include \
	-isystem $(GUEST_COMPILER_INCLUDE) -U__linux__ -U__unix__
GUEST_CFLAGS := -std=gnu11 -m64 -O2 -g -mno-red-zone -fno-pic -fno-pie -fcf-protection=none \
	-fno-stack-protector -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \
	-Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Werror
GUEST_LDFLAGS := -m64 -nostdlib -static -no-pie -Wl,-T,guest/crt/payload.ld -Wl,--gc-sections \
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
GUEST_LIBS := -L $(GUEST_NEWLIB)/lib -Wl,--start-group -lc -lm -lgcc -Wl,--end-group

GUEST_COMMON := $(wildcard guest/crt/*.c guest/crt/*.S guest/lib/*.c guest/lib/*.S)
GUEST_SOURCES := $(GUEST_COMMON) $(wildcard guest/payloads/*/*.c guest/payloads/*/*.S)

guest-objects = $(patsubst %,$(BUILD)/%.o,$(1))

.PHONY: guest-payloads
guest-payloads: $(GUEST_ELFS)

$(GUEST_NEWLIB_STAMP): guest/newlib.sh
	@echo '  NEWLIB  $(GUEST_NEWLIB)'
	+@MAKE='$(MAKE)' guest/newlib.sh $(GUEST_NEWLIB)
	@touch $@

$(BUILD)/guest/%.c.o: guest/%.c $(GUEST_NEWLIB_STAMP) guest/guest.mk
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(GUEST_CC) $(GUEST_CPPFLAGS) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/guest/%.S.o: guest/%.S guest/guest.mk
	@mkdir -p $(@D)
	@echo '  AS      $<'
	@$(GUEST_CC) -I . -m64 -g -MMD -MP -c $< -o $@

# $(1): payload
define guest-payload
$(GUEST_BUILD)/$(1).elf64: $$(call guest-objects,$$(GUEST_COMMON) \
		$$(wildcard guest/payloads/$(1)/*.c guest/payloads/$(1)/*.S)) guest/crt/payload.ld
	@echo '  LD      $$@'
	@$$(GUEST_CC) $$(GUEST_LDFLAGS) $$(filter %.o,$$^) $$(GUEST_LIBS) -o $$@
endef
$(foreach payload,$(GUEST_PAYLOADS),$(eval $(call guest-payload,$(payload))))

$(GUEST_BUILD)/%.elf: $(GUEST_BUILD)/%.elf64
	@$(GUEST_OBJCOPY) --strip-all -O elf32-i386 $< $@

-include $(patsubst %.o,%.d,$(call guest-objects,$(GUEST_SOURCES)))
