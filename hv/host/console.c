/* SPDX-License-Identifier: MIT */
/*
 * Channels, their ring buffers, and the interleaving of their lines on the devices. Every write is
 * one unit: a line or record of the hypervisor is never broken; a guest's unfinished line is, with
 * a soft break, when somebody else speaks.
 */
#include "hv/host/console.h"
#include "hv/abi/record.h"
#include "hv/host/console_sink.h"
#include "hv/host/irq.h"
#include "hv/host/mem.h"
#include "hv/lib/crc32.h"
#include "hv/lib/err.h"
#include "hv/lib/format.h"
#include "hv/lib/lock.h"
#include "hv/lib/string.h"

#define RING_SIZE (64 * KIB)
#define CHUNK     256u /* bytes that leave with interrupts off, except lines of the hypervisor */
#define NOBODY    CONSOLE_CHANNELS
#define NAME_SIZE 32

enum sink { SINK_E9 = 1, SINK_SERIAL = 2, SINK_VGA = 4, SINK_FB = 8 };

struct channel {
    struct lock lock; /* among writers; guards head and the ring's free part */
    char name[NAME_SIZE];
    char *ring; /* NULL: no buffer, writes go through */
    u64 head;   /* bytes ever written; published after the bytes */
    u64 tail;   /* bytes ever drained; guarded by output.lock */
};

struct piece {
    const char *text;
    size_t n;
};

static struct channel channels[CONSOLE_CHANNELS];

static struct {
    struct lock lock; /* taken after a channel's; guards what follows and the devices */
    u32 sinks;        /* enum sink bits */
    u32 speaker;      /* channel whose line is unfinished, or NOBODY */
    bool record;      /* that line is a record: not for the screen */
    bool want_screen;
    volatile bool panic;
} output = {.speaker = NOBODY};

/* Interrupts off and the lock taken; in a panic its owner may be dead, so then nothing. */
static u64 enter(struct lock *l)
{
    u64 flags = irq_save();

    if (!output.panic)
        lock_take(l);
    return flags;
}

static void leave(struct lock *l, u64 flags)
{
    if (!output.panic)
        lock_release(l);
    irq_restore(flags);
}

static void sink_write(const char *text, size_t n)
{
    if (output.sinks & SINK_E9)
        debugcon_write(text, n);
    if (output.sinks & SINK_SERIAL)
        serial_write(text, n);
    if (output.record)
        return;
    if (output.sinks & SINK_VGA)
        vga_write(text, n);
    if (output.sinks & SINK_FB)
        fb_write(text, n);
}

/* Makes channel id the one whose line is being written. Output lock held. */
static void speak(u32 id, char first)
{
    static const char soft_break[] = {RECORD_SOFT_BREAK, '\n'};
    char prefix[NAME_SIZE + 4];

    if (output.speaker == id)
        return;
    if (output.speaker != NOBODY)
        sink_write(soft_break, sizeof(soft_break));
    output.speaker = id;
    output.record = id == CONSOLE_HV && first == RECORD_RS;
    if (id != CONSOLE_HV)
        sink_write(prefix, (size_t)fmt_print(prefix, sizeof(prefix), "[%s] ", channels[id].name));
}

static size_t line_length(const char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (text[i] == '\n')
            return i + 1;
    return n;
}

/* Output lock held. */
static void emit(u32 id, const char *text, size_t n)
{
    size_t len;

    for (; n; text += len, n -= len) {
        len = line_length(text, n);
        speak(id, text[0]);
        sink_write(text, len);
        if (text[len - 1] == '\n') {
            output.speaker = NOBODY;
            output.record = false;
        }
    }
}

/* Writes out at most max buffered bytes; returns how many. Output lock held. */
static size_t emit_buffered(u32 id, size_t max)
{
    struct channel *c = &channels[id];
    u64 n = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE) - c->tail;
    u64 at = c->tail % RING_SIZE;

    n = MIN(MIN(n, RING_SIZE - at), max);
    if (!n)
        return 0;
    emit(id, c->ring + at, n);
    __atomic_store_n(&c->tail, c->tail + n, __ATOMIC_RELEASE);
    return n;
}

static bool drain_chunk(u32 id)
{
    u64 flags = enter(&output.lock);
    size_t n;

    do
        n = emit_buffered(id, CHUNK);
    while (n && id == CONSOLE_HV && output.speaker == CONSOLE_HV);
    leave(&output.lock, flags);
    return n;
}

static bool fits(const struct channel *c, size_t n)
{
    return c->ring && !output.panic &&
           n <= RING_SIZE - (c->head - __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE));
}

static void buffer(struct channel *c, const struct piece *p, u32 nr)
{
    u64 head = c->head, at;
    size_t first;

    for (; nr; nr--, p++) {
        at = head % RING_SIZE;
        first = MIN(p->n, RING_SIZE - at);
        memcpy(c->ring + at, p->text, first);
        memcpy(c->ring, p->text + first, p->n - first);
        head += p->n;
    }
    __atomic_store_n(&c->head, head, __ATOMIC_RELEASE);
}

/* What is buffered goes first, then the pieces. */
static void write_through(u32 id, const struct piece *p, u32 nr)
{
    u64 flags = enter(&output.lock);

    while (emit_buffered(id, RING_SIZE))
        ;
    for (; nr; nr--, p++)
        emit(id, p->text, p->n);
    leave(&output.lock, flags);
}

static void write_pieces(u32 id, const struct piece *p, u32 nr)
{
    struct channel *c = &channels[id];
    u64 flags = enter(&c->lock);
    size_t n = 0;
    u32 i;

    for (i = 0; i < nr; i++)
        n += p[i].n;
    if (fits(c, n))
        buffer(c, p, nr);
    else
        write_through(id, p, nr);
    leave(&c->lock, flags);
}

void console_write(u32 channel, const char *text, size_t n)
{
    struct piece p = {text, n};

    if (channel < CONSOLE_CHANNELS)
        write_pieces(channel, &p, 1);
}

void console_record(const char *json)
{
    size_t n = strlen(json);
    char head[16];
    struct piece p[] = {{head, 0}, {json, n}, {"\n", 1}};

    p[0].n = (size_t)fmt_print(head, sizeof(head), "%c%08x ", RECORD_RS, crc32_update(0, json, n));
    write_pieces(CONSOLE_HV, p, ARRAY_SIZE(p));
}

bool console_pending(void)
{
    u32 id;

    for (id = 0; id < CONSOLE_CHANNELS; id++)
        if (__atomic_load_n(&channels[id].head, __ATOMIC_RELAXED) !=
            __atomic_load_n(&channels[id].tail, __ATOMIC_RELAXED))
            return true;
    return false;
}

void console_drain(void)
{
    u32 id;

    for (id = 0; id < CONSOLE_CHANNELS; id++)
        while (drain_chunk(id))
            ;
}

void console_panic(void)
{
    output.panic = true;
    console_drain();
}

/* Gives the channel its buffer, once. Without memory its writes go through. */
static int buffer_create(struct channel *c)
{
    if (!c->ring)
        c->ring = mem_zalloc(RING_SIZE, MEM_ANY_NODE);
    return c->ring ? 0 : -HV_ENOMEM;
}

void console_name(u32 channel, const char *name)
{
    if (channel >= CONSOLE_CHANNELS)
        return;
    str_copy(channels[channel].name, NAME_SIZE, name);
    buffer_create(&channels[channel]);
}

/* True when the comma-separated list holds word. */
static bool list_has(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (; list; list = strchr(list, ',')) {
        list += *list == ',';
        if (strncmp(list, word, n) == 0 && (list[n] == ',' || !list[n]))
            return true;
    }
    return false;
}

void console_init_early(const struct boot_info *bi)
{
    char list[64];
    bool chosen = boot_option(bi, "console", list, sizeof(list));
    bool e9 = (!chosen || list_has(list, "e9")) && debugcon_present();
    bool serial = chosen ? list_has(list, "serial") : !e9;

    output.want_screen = !chosen || list_has(list, "vga");
    if (e9)
        output.sinks |= SINK_E9;
    if (serial && serial_init())
        output.sinks |= SINK_SERIAL;
}

static void screen_init(const struct boot_info *bi)
{
    if (bi->fb.addr && !bi->fb.text) {
        if (fb_init(&bi->fb))
            output.sinks |= SINK_FB;
    } else if (!bi->uefi) {
        vga_init();
        output.sinks |= SINK_VGA;
    }
}

int console_init(const struct boot_info *bi)
{
    if (output.want_screen)
        screen_init(bi);
    return buffer_create(&channels[CONSOLE_HV]);
}
