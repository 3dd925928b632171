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
	$(BUILD)/obj/hv/dev/pio.o $(BUILD)/obj/hv/vm/exits.o $(BUILD)/obj/hv/vm/memory.o \
	$(BUILD)/obj/svm/npt.o $(BUILD)/obj/hv/host/page_pool.o: HV_CFLAGS += -fomit-frame-pointer

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

# --- running --------------------------------------------------------------------------------------

.PHONY: run hosts
# What each exit executes is read off the emulator's log where there is one, for the payload that has exits.
OPERATIONS = $(if $(and $(filter qemu-%,$(HOST)),$(filter exits,$(PAYLOAD)),$(filter-out native,$(PLATFORM))),--operations)

run: setup-run image-elf payloads
	$(Q)tools/toll run $(OPERATIONS) --host $(HOST) --platform $(PLATFORM) \
		--payload $(BUILD)/guest/$(PAYLOAD).elf --image $(BUILD)/tollgate.elf $(ARGS)

hosts:
	$(Q)tools/toll hosts

# One ISO for BIOS and UEFI: the hypervisor, the payloads, and a menu.
.PHONY: image
image: setup-image $(BUILD)/tollgate.iso

$(BUILD)/tollgate.iso: $(BUILD)/tollgate.elf $(GUEST_ELFS) boot/grub.cfg
	@echo '  ISO     $@'
	$(Q)rm -rf $(BUILD)/iso-tree && mkdir -p $(BUILD)/iso-tree/boot/grub
	$(Q)cp $(BUILD)/tollgate.elf $(GUEST_ELFS) $(BUILD)/iso-tree/boot/
	$(Q)cp boot/grub.cfg $(BUILD)/iso-tree/boot/grub/
	$(Q)grub-mkrescue -o $@.tmp $(BUILD)/iso-tree >$(BUILD)/iso.log 2>&1 || \
		{ cat $(BUILD)/iso.log; exit 1; }
	$(Q)mv $@.tmp $@

# --- tests ----------------------------------------------------------------------------------------

UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
UNIT_CFLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-strict-aliasing -Wall -Wno-unused-function -Wno-override-init -Werror

# A test names further libraries in its first line: /* LIBS: -lfoo */
$(BUILD)/unit/%: tests/unit/%.c Makefile
	@mkdir -p $(@D)
	@echo '  UNIT    $<'
	$(Q)$(CC) $(UNIT_CFLAGS) -I . -MMD -MP -MF $@.d $< -lcmocka \
		$$(sed -n '1,3s|.*LIBS: \(.*\) \*/.*|\1|p' $<) -o $@

-include $(UNIT:=.d)

.PHONY: unit test test-units test-tools test-integ
unit: $(UNIT)

test: setup-test
	+$(Q)$(MAKE) --no-print-directory image-elf payloads unit $(BUILD)/tollgate.iso
	$(Q)$(PYTHON) tests/run --build $(BUILD) $(TESTS)

# --- checks ---------------------------------------------------------------------------------------

CHECK_C := $(shell find boot hv svm guest tests -name '*.[ch]')

.PHONY: check check-format check-structure check-static check-scripts
check: setup-check
	+$(Q)$(MAKE) --no-print-directory check-format check-structure check-scripts check-static

check-format:
	@echo '  CHECK   format'
	$(Q)clang-format --dry-run -Werror $(CHECK_C)

check-structure:
	@echo '  CHECK   include ranks, headers, sizes, licence lines'
	$(Q)$(PYTHON) tools/check/include_ranks.py
	$(Q)$(PYTHON) tools/check/headers_alone.py
	$(Q)$(PYTHON) tools/check/sizes.py
	$(Q)$(PYTHON) tools/check/spdx.py

check-scripts:
	@echo '  CHECK   scripts'
	$(Q)shellcheck tools/setup guest/newlib.sh .ci/run

# gcc's analyser over the image's sources; cppcheck over image and guests. (Its comparePointers takes
# the linker's start and end symbols for different objects; gcc 12's use-of-uninitialized-value forgets
# which elements of an array a loop has set. -Wall has the plain form of that check.)
ANALYZE := $(HV_C:%.c=$(BUILD)/analyze/%.ok)

$(BUILD)/analyze/%.ok: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(HV_CPPFLAGS) -MF $@.d -MT $@ $(HV_CFLAGS) -fanalyzer \
		-Wno-analyzer-use-of-uninitialized-value -c $< -o /dev/null
	@touch $@

-include $(ANALYZE:=.d)

check-static: $(BUILD)/gen/svm/offsets.h
	@echo '  CHECK   gcc -fanalyzer, cppcheck'
	+$(Q)$(MAKE) --no-print-directory -s $(ANALYZE)
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability \
		--suppress=missingInclude --suppress=comparePointers --std=c11 --platform=unix64 -I . boot hv svm guest

# --- everything else ------------------------------------------------------------------------------

.PHONY: setup-run setup-image setup-test setup-check
setup-run:
	$(Q)tools/setup build run
setup-image:
	$(Q)tools/setup build image
setup-test:
	$(Q)tools/setup build run test image
setup-check:
	$(Q)tools/setup build check

# The build needs what setup installs; whoever asks for both gets them in that order.
$(HV_OBJ) $(GUEST_NEWLIB_STAMP) $(UNIT): | setup-done
.PHONY: setup-done
setup-done: $(filter setup-%,$(foreach g,$(MAKECMDGOALS),$(if $(filter $(g),run image test check),setup-$(g))))

.PHONY: clean help all
clean:
	rm -rf $(BUILD)

help:
	@echo 'make run      boot Tollgate, measure what exits cost, print the table, write results/'
	@echo '              HOST=NAME (make hosts lists them), PLATFORM=native|tollgate|both,'
	@echo '              PAYLOAD=NAME, ARGS="..." (tools/toll run --help)'
	@echo 'make test     all tests; TESTS="NAME..." runs some (tests/README.md)'
	@echo 'make check    format, include ranks, headers, sizes, static analysis'
	@echo 'make image    build/tollgate.iso for BIOS and UEFI'
	@echo 'make hosts    the emulated machines'
	@echo 'make          build the hypervisor and the payloads'
	@echo 'make clean    delete build/'
	@echo 'run, test, check and image first install what is missing (tools/setup).'
