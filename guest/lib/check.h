/* SPDX-License-Identifier: MIT */
/*
 * Test payloads: named checks, each reported on a line "PASS name", "FAIL name: why" or "SKIP name:
 * why".
 */
#ifndef GUEST_LIB_CHECK_H
#define GUEST_LIB_CHECK_H

/* A test returns NULL when it passes, else why not (text that stays; check_why makes one). */
struct check {
    const char *name;
    const char *(*test)(void);
};

/* Text that starts with this says why a check does not apply here: neither passed nor failed. */
#define CHECK_SKIP "skip: "

/* Formats into a static buffer. */
__attribute__((format(printf, 1, 2))) const char *check_why(const char *format, ...);

/*
 * Runs those checks of the table (ended by a NULL name) that the words argv[1], argv[2]… name in
 * their order, or, without words, all of them when all is true. Returns the exit status: 0, 1 when
 * one failed, 2 for an unknown name or none.
 */
int check_main(const struct check *table, char **argv, int all);

#endif
