/* SPDX-License-Identifier: MIT */
/*
 * Builds and sends result records, framed as hv/abi/record.h tells. One record at a time.
 */
#ifndef GUEST_LIB_RECORD_H
#define GUEST_LIB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts {"t":type. */
void record_begin(const char *type);

void record_text(const char *key, const char *value);
void record_number(const char *key, uint64_t value);
void record_bool(const char *key, bool value);

/* "key":[[value,count],…], the n values that value(i, context) gives, run-length encoded. */
void record_runs(const char *key, size_t n, uint64_t (*value)(size_t i, void *context),
                 void *context);

/* Ends the record and writes it out. False, and nothing written, when it exceeds RECORD_MAX. */
bool record_end(void);

/* Has buffered console output leave the machine now, where a hypervisor buffers it. */
void record_drain(void);

/* CRC-32 of IEEE 802.3, crc = 0 to begin. */
uint32_t record_crc32(uint32_t crc, const void *data, size_t n);

#endif
