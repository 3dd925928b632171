/* SPDX-License-Identifier: MIT */
/*
 * The AMD-V backend.
 */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include "hv/vm/backend.h"

extern const struct backend svm_backend;

#endif
