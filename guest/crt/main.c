/* SPDX-License-Identifier: MIT */
/*
 * From the assembly entry to the payload's main, and on to exit.
 */
#include <stdint.h>
#include <stdlib.h>

#include "guest/crt/console.h"
#include "guest/crt/interrupt.h"
#include "guest/crt/memory.h"
#include "guest/crt/multiboot.h"
#include "guest/crt/pic.h"

void crt_main(uint32_t magic, const struct multiboot_info *info);
int main(int argc, char **argv);

/* Called by start.S with what the loader left in EAX and EBX. */
void crt_main(uint32_t magic, const struct multiboot_info *info)
{
    static char *argv[MULTIBOOT_MAX_ARGS + 2];

    console_init();
    interrupt_init();
    multiboot_init(magic, info);
    memory_init();
    pic_init();
    exit(main(multiboot_args(argv), argv));
}
