/* SPDX-License-Identifier: MIT */
/*
 * Model-specific register numbers and bits, named as in the AMD64 APM volume 2, "MSR Cross-
 * Reference", and the Intel SDM volume 4.
 */
#ifndef HV_X86_MSR_H
#define HV_X86_MSR_H

#include "hv/lib/types.h"

#define MSR_TSC             0x00000010u
#define MSR_APIC_BASE       0x0000001bu
#define MSR_FEATURE_CONTROL 0x0000003au
#define MSR_TSC_ADJUST      0x0000003bu
#define MSR_BIOS_SIGN_ID    0x0000008bu
#define MSR_MTRRCAP         0x000000feu
#define MSR_SYSENTER_CS     0x00000174u
#define MSR_SYSENTER_ESP    0x00000175u
#define MSR_SYSENTER_EIP    0x00000176u
#define MSR_MCG_CAP         0x00000179u
#define MSR_MCG_STATUS      0x0000017au
#define MSR_MISC_ENABLE     0x000001a0u
#define MSR_DEBUGCTL        0x000001d9u
#define MSR_PAT             0x00000277u
#define MSR_MTRR_DEF_TYPE   0x000002ffu
#define MSR_TSC_DEADLINE    0x000006e0u
#define MSR_X2APIC_BASE     0x00000800u
#define MSR_EFER            0xc0000080u
#define MSR_STAR            0xc0000081u
#define MSR_LSTAR           0xc0000082u
#define MSR_CSTAR           0xc0000083u
#define MSR_SFMASK          0xc0000084u
#define MSR_FS_BASE         0xc0000100u
#define MSR_GS_BASE         0xc0000101u
#define MSR_KERNEL_GS_BASE  0xc0000102u
#define MSR_TSC_AUX         0xc0000103u
#define MSR_SYSCFG          0xc0010010u
#define MSR_HWCR            0xc0010015u
#define MSR_LS_CFG_DE_CFG   0xc0011029u
#define MSR_VM_CR           0xc0010114u
#define MSR_VM_HSAVE_PA     0xc0010117u

#define APIC_BASE_BSP    BIT(8)
#define APIC_BASE_EXTD   BIT(10) /* x2APIC mode */
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_ADDR   0x000ffffffffff000ull

#define MCG_STATUS_MCIP BIT(2)

#define VM_CR_LOCK   BIT(3)
#define VM_CR_SVMDIS BIT(4)

#endif
