# SPDX-License-Identifier: MIT
#
# Everything is built below $(BUILD). `make help` lists the targets.

BUILD ?= build
HOST ?= qemu-epyc
PLATFORM ?= tollgate
PAYLOAD ?= exits
Q := @

CC := gcc
OBJCOPY := objcopy
NM := nm
PYTHON := /usr/bin/python3

all: image-elf payloads

# --- the hypervisor -------------------------------------------------------------------------------

HV_CFLAGS := -std=gnu11 -ffreestanding -m64 -O2 -g -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-strict-aliasing -ffunction-sections -fno-jump-tables -fno-omit-frame-pointer \
	-Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wno-override-init -Werror
HV_CPPFLAGS := -I . -I $(BUILD)/gen -MMD -MP
HV_LDFLAGS := -nostdlib -static -no-pie -Wl,-T,linker.ld -Wl,--build-id=none -Wl,--gc-sections \
	-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments

# On the fast path a frame pointer would be saved and restored at every exit for nothing.
$(BUILD)/obj/svm/fast.o $(BUILD)/obj/hv/vm/msr.o $(BUILD)/obj/hv/dev/pit.o \
	$(BUILD)/obj/hv/dev/pio.o $(BUILD)/obj/hv/vm/exits.o: HV_CFLAGS += -fomit-frame-pointer

HV_C := $(wildcard boot/*.c hv/*.c hv/lib/*.c hv/host/*.c hv/emu/*.c hv/dev/*.c hv/vm/*.c \
	hv/measure/*.c hv/load/*.c) $(filter-out svm/offsets.c,$(wildcard svm/*.c))
HV_S := $(wildcard boot/*.S hv/host/*.S svm/*.S)
HV_OBJ := $(HV_C:%.c=$(BUILD)/obj/%.o) $(HV_S:%.S=$(BUILD)/obj/%.o)

.PHONY: image-elf
image-elf: $(BUILD)/tollgate.elf

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC      $<'
	$(Q)$(CC) $(HV_CPPFLAGS) $(HV_CFLAGS) -c $< -o $@

$(BUILD)/obj/%.o: %.S Makefile
	@mkdir -p $(@D)
	@echo '  AS      $<'
	$(Q)$(CC) $(HV_CPPFLAGS) -m64 -g -c $< -o $@

$(BUILD)/gen/svm/offsets.h: svm/offsets.c Makefile
	@mkdir -p $(@D) $(BUILD)/obj/svm
	@echo '  GEN     $@'
	$(Q)$(CC) $(HV_CPPFLAGS) $(HV_CFLAGS) -MF $(BUILD)/obj/svm/offsets.d -MT $@ -S $< -o - | \
		sed -n 's/^->\([A-Z0-9_]*\) /#define \1 /p' > $@.tmp && mv $@.tmp $@

$(BUILD)/obj/svm/enter.o: $(BUILD)/gen/svm/offsets.h

# The symbol table lies behind everything else, so filling it in moves no address.
$(BUILD)/obj/symtab%.o: $(BUILD)/obj/symtab%.S
	$(Q)$(CC) -m64 -c $< -o $@

$(BUILD)/obj/symtab0.S: boot/symtab.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) boot/symtab.py < /dev/null > $@

$(BUILD)/tollgate.pass1: $(HV_OBJ) $(BUILD)/obj/symtab0.o linker.ld
	@echo '  LD      $@'
	$(Q)$(CC) $(HV_LDFLAGS) $(HV_OBJ) $(BUILD)/obj/symtab0.o -o $@

$(BUILD)/obj/symtab1.S: $(BUILD)/tollgate.pass1 boot/symtab.py
	$(Q)$(NM) -n $< | $(PYTHON) boot/symtab.py > $@

$(BUILD)/tollgate.elf64: $(HV_OBJ) $(BUILD)/obj/symtab1.o linker.ld
	@echo '  LD      $@'
	$(Q)$(CC) $(HV_LDFLAGS) $(HV_OBJ) $(BUILD)/obj/symtab1.o -o $@

$(BUILD)/tollgate.elf: $(BUILD)/tollgate.elf64
	$(Q)$(OBJCOPY) --strip-all -O elf32-i386 $< $@

-include $(HV_OBJ:.o=.d) $(BUILD)/obj/svm/offsets.d

# --- guests ---------------------------------------------------------------------------------------

include guest/guest.mk

.PHONY: payloads
payloads: guest-payloads
