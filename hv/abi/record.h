/* SPDX-License-Identifier: MIT */
/*
 * The line a result travels on. A record is one line of a byte stream that also carries console
 * text:  RS crc32 SP json LF  with RS = 0x1E, crc32 = eight lower-case hex digits over the JSON
 * text (hv/lib/crc32.h), json = one JSON object without control characters.  (The framing of
 * RFC 7464, with a checksum.) Lines of guests reach the outside with a prefix "[name] ".  When the
 * hypervisor must break a guest's unfinished line to let someone else speak, it writes SB LF, and
 * the reader joins that VM's parts again.
 */
#ifndef HV_ABI_RECORD_H
#define HV_ABI_RECORD_H

#define RECORD_RS         '\x1e'
#define RECORD_SOFT_BREAK '\x1d'
#define RECORD_MAX        65536 /* bytes in one record's line */

#endif
