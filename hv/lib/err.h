/* SPDX-License-Identifier: MIT */
/*
 * Error numbers. A function that can fail returns 0 or one of these negated; the place where the
 * error is born logs it. The values are those of Linux, so host-run tests print familiar names.
 */
#ifndef HV_LIB_ERR_H
#define HV_LIB_ERR_H

enum hv_error {
    HV_ENOENT = 2,
    HV_EIO = 5,
    HV_E2BIG = 7,
    HV_ENOMEM = 12,
    HV_EFAULT = 14,
    HV_EBUSY = 16,
    HV_EEXIST = 17,
    HV_ENODEV = 19,
    HV_EINVAL = 22,
    HV_ENOSPC = 28,
    HV_ERANGE = 34,
    HV_ENOSYS = 38,
    HV_ENOTSUP = 95,
    HV_ETIMEDOUT = 110,
};

#endif
