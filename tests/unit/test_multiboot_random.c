/* SPDX-License-Identifier: MIT */
/*
 * Mutated and truncated multiboot kernels: they may be refused or loaded, but never read outside
 * the file nor written outside guest memory. TEST_SEED in the environment chooses other ones.
 */
#include "tests/unit/multiboot_fixture.h"

#define VARIANTS 150000

static u64 random_state;

static u64 random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* A number that tends to be where checks break. */
static u32 random_edge(void)
{
    static const u32 edges[] = {0,          1,           0x1000,          0x1300,
                                MIB,        0x90000,     GUEST_BYTES - 1, GUEST_BYTES,
                                0x7fffffff, 0x80000000u, 0xffffffffu};

    if (random_next() % 3 == 0)
        return (u32)random_next();
    return edges[random_next() % ARRAY_SIZE(edges)] + (u32)(random_next() % 5) - 2;
}

static void mutate(void)
{
    u64 headers = random_next() % 2 ? 0x80 : HEADER_AT + 32;

    for (u64 n = random_next() % 4; n > 0; n--) {
        u64 at = random_next() % headers;

        if (random_next() % 2)
            image[at] ^= (u8)(1 << random_next() % 8);
        else
            put32(at & ~3ull, random_edge());
    }
    if (random_next() % 4 == 0) /* what header was hit keeps a right checksum now and then */
        put_header(HEADER_AT, (u32)random_next() & (MULTIBOOT_AOUT_KLUDGE | 7));
    if (random_next() % 4 == 0)
        image_size = random_next() % (image_size + 1);
}

static void mutated_images_do_no_harm(void **state)
{
    static void (*const makers[])(void) = {make_elf32, make_elf64, make_fields};
    static u8 fresh[ARRAY_SIZE(makers)][IMAGE_MAX];
    const char *seed = getenv("TEST_SEED");
    u64 loaded = 0, refused = 0;
    struct load_result r;

    (void)state;
    random_state = seed ? strtoull(seed, NULL, 0) | 1 : 0x9e3779b97f4a7c15ull;
    for (u32 kind = 0; kind < ARRAY_SIZE(makers); kind++) {
        makers[kind]();
        memcpy(fresh[kind], image, sizeof(image));
    }
    for (u32 i = 0; i < VARIANTS; i++) {
        memcpy(image, fresh[i % ARRAY_SIZE(makers)], sizeof(image));
        image_size = CODE_AT + CODE_BYTES;
        mutate();
        if (load(&r) == 0) {
            assert_true(r.rip < GUEST_BYTES);
            loaded++;
        } else {
            assert_string_not_equal(said, "");
            assert_int_equal(calls, 0);
            refused++;
        }
    }
    print_message("%lu loaded, %lu refused\n", loaded, refused);
    assert_true(loaded > VARIANTS / 20 && refused > VARIANTS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_images_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
