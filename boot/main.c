/* SPDX-License-Identifier: MIT */
/*
 * First C code: takes the loader's information over and hands on to hv_main, or refuses it.
 */
#include "boot/entry.h"
#include "boot/multiboot.h"
#include "hv/host/console.h"
#include "hv/host/layout.h"
#include "hv/host/log.h"
#include "hv/host/panic.h"
#include "hv/main.h"
#include "hv/x86/insn.h"

static struct boot_info boot_info;

/* The BIOS keeps the EBDA in conventional memory; under UEFI the word holds anything. */
static hpa_t ebda_address(void)
{
    hpa_t addr = (hpa_t)boot_ebda_segment << 4;

    return addr >= 0x80000 && addr < 0xa0000 ? addr : 0;
}

void boot_main(u32 magic, u32 info)
{
    u64 entry_tsc = insn_rdtsc();
    const char *why = multiboot_parse(magic, info, &boot_info);

    console_init_early(&boot_info);
    if (why) {
        log_error("boot information refused: %s", why);
        host_exit(HOST_EXIT_UNFIT);
    }
    boot_info.entry_tsc = entry_tsc;
    boot_info.ebda = ebda_address();
    log_init(&boot_info);
    hv_main(&boot_info);
    host_exit(0);
}
