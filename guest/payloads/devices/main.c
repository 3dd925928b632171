/* SPDX-License-Identifier: MIT */
/*
 * Why: virtual devices behave as the chips do, seen from a driver; the same checks hold on the
 * machine itself. The command line chooses some; without words all run.
 */
#include "guest/payloads/devices/devices.h"

#include "guest/crt/clock.h"

int main(int argc, char **argv)
{
    static const struct check table[] = {
        {"uart_registers", uart_registers},
        {"uart_loopback", uart_loopback},
        {"uart_fifo", uart_fifo},
        {"uart_interrupt", uart_interrupt},
        {"pit_latching", pit_latching},
        {"pit_mode_0", pit_mode_0},
        {"pit_mode_2", pit_mode_2},
        {"pit_mode_3", pit_mode_3},
        {"pit_interrupt_rate", pit_interrupt_rate},
        {"pic_masking", pic_masking},
        {"pic_requests", pic_requests},
        {"pic_priority", pic_priority},
        {"pic_in_service", pic_in_service},
        {"pic_special_mask", pic_special_mask},
        {"ports_absent", ports_absent},
        {"ports_string", ports_string},
        {0},
    };

    (void)argc;
    clock_tsc_hz(); /* calibrates now, by PIT channel 0: not in the middle of a check */
    return check_main(table, argv, 1);
}
