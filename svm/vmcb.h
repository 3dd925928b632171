/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine control block. Source: AMD64 APM volume 2, appendix "Layout of VMCB".
 */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "hv/lib/types.h"

/* intercept_misc1 */
#define INTERCEPT_INTR        BIT(0)
#define INTERCEPT_NMI         BIT(1)
#define INTERCEPT_SMI         BIT(2)
#define INTERCEPT_INIT        BIT(3)
#define INTERCEPT_VINTR       BIT(4)
#define INTERCEPT_SEL_CR0     BIT(5)
#define INTERCEPT_RDTSC       BIT(14)
#define INTERCEPT_RDPMC       BIT(15)
#define INTERCEPT_CPUID       BIT(18)
#define INTERCEPT_RSM         BIT(19)
#define INTERCEPT_IRET        BIT(20)
#define INTERCEPT_INVD        BIT(22)
#define INTERCEPT_PAUSE       BIT(23)
#define INTERCEPT_HLT         BIT(24)
#define INTERCEPT_INVLPG      BIT(25)
#define INTERCEPT_INVLPGA     BIT(26)
#define INTERCEPT_IOIO        BIT(27)
#define INTERCEPT_MSR         BIT(28)
#define INTERCEPT_FERR_FREEZE BIT(30)
#define INTERCEPT_SHUTDOWN    BIT(31)
/* intercept_misc2 */
#define INTERCEPT_VMRUN       BIT(0)
#define INTERCEPT_VMMCALL     BIT(1)
#define INTERCEPT_VMLOAD      BIT(2)
#define INTERCEPT_VMSAVE      BIT(3)
#define INTERCEPT_STGI        BIT(4)
#define INTERCEPT_CLGI        BIT(5)
#define INTERCEPT_SKINIT      BIT(6)
#define INTERCEPT_ICEBP       BIT(8)
#define INTERCEPT_WBINVD      BIT(9)
#define INTERCEPT_MONITOR     BIT(10)
#define INTERCEPT_MWAIT       BIT(11)
#define INTERCEPT_MWAIT_ARMED BIT(12)
#define INTERCEPT_XSETBV      BIT(13)
#define INTERCEPT_RDPRU       BIT(14)

/* intercept_cr: reads in bits 15:0, writes in bits 31:16 */
#define INTERCEPT_CR_READ(n)  BIT(n)
#define INTERCEPT_CR_WRITE(n) BIT(16 + (n))

#define TLB_CONTROL_NONE       0
#define TLB_CONTROL_FLUSH_ALL  1
#define TLB_CONTROL_FLUSH_ASID 3

/* vint_ctl */
#define VINT_TPR          0xffu
#define VINT_IRQ          BIT(8)
#define VINT_PRIO_MAX     (0xfu << 16)
#define VINT_IGN_TPR      BIT(20)
#define VINT_INTR_MASKING BIT(24)

#define INT_SHADOW BIT(0)

/* eventinj and exitintinfo */
#define EVENT_VECTOR      0xffull
#define EVENT_TYPE_INTR   (0ull << 8)
#define EVENT_TYPE_NMI    (2ull << 8)
#define EVENT_TYPE_EXCEPT (3ull << 8)
#define EVENT_TYPE_SOFT   (4ull << 8)
#define EVENT_TYPE_MASK   (7ull << 8)
#define EVENT_EV          BIT64(11) /* an error code is delivered */
#define EVENT_V           BIT64(31)

#define NP_ENABLE BIT64(0)

/* clean: fields the processor may keep from its last run of this VMCB */
#define CLEAN_I    BIT(0) /* intercepts, TSC offset, pause filter */
#define CLEAN_IOPM BIT(1)
#define CLEAN_ASID BIT(2)
#define CLEAN_TPR  BIT(3) /* vint_ctl, vint_vector */
#define CLEAN_NP   BIT(4)
#define CLEAN_CR   BIT(5) /* CR0, CR3, CR4, EFER */
#define CLEAN_DR   BIT(6)
#define CLEAN_DT   BIT(7) /* GDT, IDT */
#define CLEAN_SEG  BIT(8) /* CS, DS, SS, ES, CPL */
#define CLEAN_CR2  BIT(9)
#define CLEAN_LBR  BIT(10)
#define CLEAN_ALL  0x7ffu

/* exitinfo1 of IOIO */
#define IOIO_IN   BIT(0)
#define IOIO_STR  BIT(2)
#define IOIO_REP  BIT(3)
#define IOIO_BYTE BIT(4)
#define IOIO_SIZE 0x70u /* bit 4: byte, 5: word, 6: doubleword */

/* exitinfo1 of a nested page fault */
#define NPF_PRESENT BIT(0)
#define NPF_WRITE   BIT(1)
#define NPF_FETCH   BIT(4)
#define NPF_TABLE   BIT64(33) /* while walking the guest's page tables */

struct vmcb_segment {
    u16 selector;
    u16 attr; /* SEG_ATTR_*, packed to 12 bits */
    u32 limit;
    u64 base;
};

struct vmcb {
    u32 intercept_cr;
    u32 intercept_dr;
    u32 intercept_exceptions;
    u32 intercept_misc1;
    u32 intercept_misc2;
    u32 intercept_misc3;
    u8 reserved_018[0x3c - 0x18];
    u16 pause_filter_threshold;
    u16 pause_filter_count;
    u64 iopm_base;
    u64 msrpm_base;
    u64 tsc_offset;
    u32 asid;
    u8 tlb_control;
    u8 reserved_05d[3];
    u32 vint_ctl;
    u32 vint_vector;
    u64 int_shadow;
    u32 exitcode; /* the upper half only tells VMEXIT_INVALID, and not on every emulator */
    u32 exitcode_high;
    u64 exitinfo1;
    u64 exitinfo2;
    u64 exitintinfo;
    u64 np_control;
    u8 reserved_098[0xa8 - 0x98];
    u64 eventinj;
    u64 n_cr3;
    u64 lbr_control;
    u32 clean;
    u32 reserved_0c4;
    u64 nrip;
    u8 fetched_length;
    u8 fetched[15];
    u8 reserved_0e0[0x400 - 0xe0];

    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    u8 reserved_4a0[0x4cb - 0x4a0];
    u8 cpl;
    u32 reserved_4cc;
    u64 efer;
    u8 reserved_4d8[0x548 - 0x4d8];
    u64 cr4;
    u64 cr3;
    u64 cr0;
    u64 dr7;
    u64 dr6;
    u64 rflags;
    u64 rip;
    u8 reserved_580[0x5d8 - 0x580];
    u64 rsp;
    u8 reserved_5e0[0x5f8 - 0x5e0];
    u64 rax;
    u64 star;
    u64 lstar;
    u64 cstar;
    u64 sfmask;
    u64 kernel_gs_base;
    u64 sysenter_cs;
    u64 sysenter_esp;
    u64 sysenter_eip;
    u64 cr2;
    u8 reserved_648[0x668 - 0x648];
    u64 g_pat;
    u64 debugctl;
    u64 br_from;
    u64 br_to;
    u64 last_excp_from;
    u64 last_excp_to;
    u8 reserved_698[0x1000 - 0x698];
};

#define VMCB_AT(field, offset)                                                                     \
    _Static_assert(offsetof(struct vmcb, field) == (offset), "VMCB layout: " #field)

VMCB_AT(intercept_cr, 0x000);
VMCB_AT(intercept_dr, 0x004);
VMCB_AT(intercept_exceptions, 0x008);
VMCB_AT(intercept_misc1, 0x00c);
VMCB_AT(intercept_misc2, 0x010);
VMCB_AT(pause_filter_threshold, 0x03c);
VMCB_AT(pause_filter_count, 0x03e);
VMCB_AT(iopm_base, 0x040);
VMCB_AT(msrpm_base, 0x048);
VMCB_AT(tsc_offset, 0x050);
VMCB_AT(asid, 0x058);
VMCB_AT(tlb_control, 0x05c);
VMCB_AT(vint_ctl, 0x060);
VMCB_AT(vint_vector, 0x064);
VMCB_AT(int_shadow, 0x068);
VMCB_AT(exitcode, 0x070);
VMCB_AT(exitinfo1, 0x078);
VMCB_AT(exitinfo2, 0x080);
VMCB_AT(exitintinfo, 0x088);
VMCB_AT(np_control, 0x090);
VMCB_AT(eventinj, 0x0a8);
VMCB_AT(n_cr3, 0x0b0);
VMCB_AT(lbr_control, 0x0b8);
VMCB_AT(clean, 0x0c0);
VMCB_AT(nrip, 0x0c8);
VMCB_AT(fetched_length, 0x0d0);
VMCB_AT(fetched, 0x0d1);
VMCB_AT(es, 0x400);
VMCB_AT(cs, 0x410);
VMCB_AT(ss, 0x420);
VMCB_AT(ds, 0x430);
VMCB_AT(fs, 0x440);
VMCB_AT(gs, 0x450);
VMCB_AT(gdtr, 0x460);
VMCB_AT(ldtr, 0x470);
VMCB_AT(idtr, 0x480);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(cr3, 0x550);
VMCB_AT(cr0, 0x558);
VMCB_AT(dr7, 0x560);
VMCB_AT(dr6, 0x568);
VMCB_AT(rflags, 0x570);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(star, 0x600);
VMCB_AT(lstar, 0x608);
VMCB_AT(cstar, 0x610);
VMCB_AT(sfmask, 0x618);
VMCB_AT(kernel_gs_base, 0x620);
VMCB_AT(sysenter_cs, 0x628);
VMCB_AT(sysenter_esp, 0x630);
VMCB_AT(sysenter_eip, 0x638);
VMCB_AT(cr2, 0x640);
VMCB_AT(g_pat, 0x668);
VMCB_AT(debugctl, 0x670);
VMCB_AT(br_from, 0x678);
VMCB_AT(last_excp_to, 0x690);
_Static_assert(sizeof(struct vmcb) == 0x1000, "a VMCB is one page");

#endif
