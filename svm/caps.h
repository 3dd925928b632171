/* SPDX-License-Identifier: MIT */
/*
 * What this processor's AMD-V can do.
 */
#ifndef SVM_CAPS_H
#define SVM_CAPS_H

#include "hv/lib/types.h"

struct svm_caps {
    u32 revision;
    u32 asids; /* 1 is the host's: usable are 1 to asids - 1 */
    bool npt;
    bool nrip;
    bool clean_bits;
    bool flush_by_asid;
    bool decode_assists;
    bool pause_filter;
    bool pages_1g;
    bool la57;
    bool pku;
    bool repeats_interrupts; /* an emulator's defect: see svm/event.c */
};

extern struct svm_caps svm_caps;

/*
 * Fills svm_caps. NULL, or why no guest can run here: no AMD-V, switched off by firmware, no nested
 * paging. Source: AMD64 APM volume 2, "Enabling SVM".
 */
const char *svm_caps_probe(void);

/* The i-th feature's name for reports, NULL at the end. */
const char *svm_caps_feature(u32 i);

#endif
