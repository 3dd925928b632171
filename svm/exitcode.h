/* SPDX-License-Identifier: MIT */
/*
 * #VMEXIT codes. Source: AMD64 APM volume 2, appendix "SVM Intercept Exit Codes".
 */
#ifndef SVM_EXITCODE_H
#define SVM_EXITCODE_H

enum vmexit {
    VMEXIT_CR0_READ = 0x00,
    VMEXIT_CR15_READ = 0x0f,
    VMEXIT_CR0_WRITE = 0x10,
    VMEXIT_CR15_WRITE = 0x1f,
    VMEXIT_DR0_READ = 0x20,
    VMEXIT_DR15_WRITE = 0x3f,
    VMEXIT_EXCP0 = 0x40,
    VMEXIT_EXCP31 = 0x5f,
    VMEXIT_INTR = 0x60,
    VMEXIT_NMI = 0x61,
    VMEXIT_SMI = 0x62,
    VMEXIT_INIT = 0x63,
    VMEXIT_VINTR = 0x64,
    VMEXIT_CR0_SEL_WRITE = 0x65,
    VMEXIT_RDTSC = 0x6e,
    VMEXIT_RDPMC = 0x6f,
    VMEXIT_CPUID = 0x72,
    VMEXIT_RSM = 0x73,
    VMEXIT_IRET = 0x74,
    VMEXIT_INVD = 0x76,
    VMEXIT_PAUSE = 0x77,
    VMEXIT_HLT = 0x78,
    VMEXIT_INVLPG = 0x79,
    VMEXIT_INVLPGA = 0x7a,
    VMEXIT_IOIO = 0x7b,
    VMEXIT_MSR = 0x7c,
    VMEXIT_TASK_SWITCH = 0x7d,
    VMEXIT_FERR_FREEZE = 0x7e,
    VMEXIT_SHUTDOWN = 0x7f,
    VMEXIT_VMRUN = 0x80,
    VMEXIT_VMMCALL = 0x81,
    VMEXIT_VMLOAD = 0x82,
    VMEXIT_VMSAVE = 0x83,
    VMEXIT_STGI = 0x84,
    VMEXIT_CLGI = 0x85,
    VMEXIT_SKINIT = 0x86,
    VMEXIT_RDTSCP = 0x87,
    VMEXIT_ICEBP = 0x88,
    VMEXIT_WBINVD = 0x89,
    VMEXIT_MONITOR = 0x8a,
    VMEXIT_MWAIT = 0x8b,
    VMEXIT_MWAIT_ARMED = 0x8c,
    VMEXIT_XSETBV = 0x8d,
    VMEXIT_RDPRU = 0x8e,
    VMEXIT_CODES = 0x90, /* codes below index the kind table */
    VMEXIT_NPF = 0x400,
};

/* The processor refused the entry. Some emulators store only the low half of -1. */
#define VMEXIT_INVALID 0xffffffffu

#endif
