/* SPDX-License-Identifier: MIT */
/*
 * Levelled log, kept in a ring buffer and written to the console. Safe from any context; a message
 * is one line without a trailing newline.
 */
#ifndef HV_HOST_LOG_H
#define HV_HOST_LOG_H

#include "hv/host/boot_info.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Takes "loglevel=" error, warn, info or debug from the command line. */
void log_init(const struct boot_info *bi);

/* Messages above this level stay out of the console, not out of the ring. Default LOG_INFO. */
extern enum log_level log_console_level;

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Writes the newest lines of the ring (all levels) straight to the console; for panic. */
void log_dump_tail(u32 lines);

#endif
