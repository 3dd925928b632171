/* SPDX-License-Identifier: MIT */
/*
 * Why: shows that a payload has a C library: formatted output, heap, mathematics, time, arguments.
 * Ends with 0 when each gave what it should, else with 1.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "guest/crt/clock.h"
#include "guest/crt/platform.h"

static int heap_works(void)
{
    size_t size = 1 << 20;
    char *a = malloc(size);
    char *b = calloc(1, size);
    int ok;

    if (!a || !b)
        return 0;
    memset(a, 0x5a, size);
    ok = a[size - 1] == 0x5a && b[0] == 0 && b[size - 1] == 0;
    free(a);
    free(b);
    return ok;
}

static int math_works(void)
{
    volatile double two = 2.0, pi = 3.141592653589793;

    printf("sqrt(2) = %.15f, sin(pi/6) = %.6f\n", sqrt(two), sin(pi / 6));
    return fabs(sqrt(two) * sqrt(two) - 2.0) < 1e-12 && fabs(sin(pi / 6) - 0.5) < 1e-12;
}

static int time_works(void)
{
    struct timeval a, b;

    gettimeofday(&a, NULL);
    gettimeofday(&b, NULL);
    printf("TSC at %lu Hz\n", clock_tsc_hz());
    return clock_tsc_hz() && (b.tv_sec - a.tv_sec) * 1000000L + b.tv_usec - a.tv_usec >= 0;
}

int main(int argc, char **argv)
{
    int heap = heap_works();
    int math = math_works();
    int time = time_works();

    printf("Hello from a payload on %s\n", platform_name());
    for (int i = 0; i < argc; i++)
        printf("argv[%d] = %s\n", i, argv[i]);
    printf("heap %s, math %s, time %s\n", heap ? "works" : "FAILS", math ? "works" : "FAILS",
           time ? "works" : "FAILS");
    return !(heap && math && time);
}
