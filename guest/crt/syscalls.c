/* SPDX-License-Identifier: MIT */
/*
 * What newlib asks of an operating system. There are no files, no processes and no signals: three
 * console descriptors, memory, time, and an end.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "guest/crt/clock.h"
#include "guest/crt/console.h"
#include "guest/crt/exit.h"
#include "guest/crt/memory.h"

#undef errno
extern int errno;

int kill(pid_t pid, int signal);

void *sbrk(ptrdiff_t bytes)
{
    void *old = memory_heap_grow(bytes);

    if (old)
        return old;
    errno = ENOMEM;
    return (void *)-1;
}

int write(int fd, const void *data, size_t n)
{
    if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }
    console_write(data, n);
    return (int)n;
}

/* The console has no input: always at the end of file. */
int read(int fd, void *data, size_t n)
{
    (void)data;
    (void)n;
    if (fd == STDIN_FILENO)
        return 0;
    errno = EBADF;
    return -1;
}

int close(int fd)
{
    (void)fd;
    return 0;
}

int fstat(int fd, struct stat *st)
{
    (void)fd;
    *st = (struct stat){.st_mode = S_IFCHR};
    return 0;
}

int isatty(int fd)
{
    return fd <= STDERR_FILENO;
}

off_t lseek(int fd, off_t offset, int whence)
{
    (void)fd;
    (void)offset;
    (void)whence;
    errno = ESPIPE;
    return -1;
}

void _exit(int status)
{
    exit_now(status);
}

pid_t getpid(void)
{
    return 1;
}

/* abort() comes here with SIGABRT; status as a shell would show it. */
int kill(pid_t pid, int signal)
{
    (void)pid;
    exit_now(128 + signal);
}

/* Time since the machine started: payloads know no calendar. */
int gettimeofday(struct timeval *tv, void *zone)
{
    uint64_t us = clock_microseconds();

    (void)zone;
    tv->tv_sec = (time_t)(us / 1000000);
    tv->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}

clock_t times(struct tms *t)
{
    clock_t now = (clock_t)(clock_microseconds() * CLOCKS_PER_SEC / 1000000);

    *t = (struct tms){.tms_utime = now};
    return now;
}
