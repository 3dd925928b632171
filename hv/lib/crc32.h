/* SPDX-License-Identifier: MIT */
/*
 * CRC-32 as in IEEE 802.3 and zlib (reflected polynomial 0xEDB88320), which guards result records.
 */
#ifndef HV_LIB_CRC32_H
#define HV_LIB_CRC32_H

#include "hv/lib/types.h"

/*
 * Continues crc (0 to begin) over data[len]; crc32_update(0, "123456789", 9) is 0xCBF43926.
 */
u32 crc32_update(u32 crc, const void *data, size_t len);

#endif
