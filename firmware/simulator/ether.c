/* The air between the nodes: who hears which byte, when, and how badly.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A byte reaches a receiver at the end of its last bit. Two senders at once spoil each other for every receiver that
 * hears both, unless one is CAPTURE_DB stronger. Loss and corruption are drawn for each receiver of each packet, from
 * one generator with a seed: the same commands give the same air. Every transmission is told with a verdict on its
 * bytes that owes nothing to the firmware. Knows no register of any radio.
 */
#include "ether.h"

#include <stdio.h>
#include <string.h>

#include "say.h"

#define RING 64 /* bytes of one sender that a receiver may yet have to take */
#define LONGEST 128 /* bytes of a packet that are told */
#define USUAL_DBM (-60)
#define CAPTURE_DB 10
#define TUNED_KHZ 100 /* half the receiver's bandwidth and a little */
#define HEADER 4 /* of a frame: sync, group, header, length */

struct air_byte {
    ns start, end;
    uint8_t value, bits;
    uint16_t deaf; /* receivers that miss it */
    uint16_t spoilt; /* receivers that get it wrong */
};

struct sender {
    bool on;
    ns switched, since, until;
    uint32_t khz;
    ns bit;
    uint16_t deaf, corrupt, collided;
    int spoil_at; /* which byte a corrupting receiver gets wrong */
    int count;
    uint8_t air[LONGEST];
    uint64_t written;
    struct air_byte ring[RING];
};

struct ether_settings ether;
static struct sender senders[NODES];
static uint64_t taken[NODES][NODES]; /* by receiver and sender */
static int links[NODES][NODES]; /* 0: USUAL_DBM, else the level itself */
static int on_air;
static uint64_t generator = 88172645463325252ull;

void ether_seed(uint64_t seed)
{
    generator = (seed + 1) * 0x9e3779b97f4a7c15ull;
}

/* xorshift64* (Vigna) */
uint32_t ether_random(void)
{
    generator ^= generator >> 12;
    generator ^= generator << 25;
    generator ^= generator >> 27;
    return generator * 0x2545f4914f6cdd1dull >> 32;
}

void ether_link(int a, int b, int dbm)
{
    links[a][b] = links[b][a] = dbm;
}

static int level_between(int a, int b)
{
    return links[a][b] ? links[a][b] : USUAL_DBM;
}

static bool tuned(const struct node *at, const struct sender *from)
{
    const struct radio_kind *kind = at->radio.kind;
    uint32_t here = kind->khz(at), there = from->khz;
    ns bit = kind->bit_ns(at);
    ns apart = bit > from->bit ? bit - from->bit : from->bit - bit;
    return (here > there ? here - there : there - here) <= TUNED_KHZ && apart * 50 <= bit;
}

static bool audible(const struct node *at, int from)
{
    return from != at->number && at->radio.kind && level_between(at->number, from) > SILENCE
        && tuned(at, &senders[from]);
}

void ether_begin(struct node *from, ns switched, ns start)
{
    struct sender *s = &senders[from->number];
    s->on = true;
    s->switched = switched;
    s->since = start;
    s->khz = from->radio.kind->khz(from);
    s->bit = from->radio.kind->bit_ns(from);
    s->count = 0;
    s->deaf = s->corrupt = s->collided = 0;
    s->spoil_at = 6 + ether_random() % 7;
    on_air++;
    for (int i = 0; i < node_count; i++) {
        if (ether.drop || ether_random() % 100 < ether.loss)
            s->deaf |= 1u << i;
        if (ether_random() % 100 < ether.corrupt)
            s->corrupt |= 1u << i;
    }
    if (ether.drop)
        ether.drop--;
}

void ether_byte(struct node *from, uint8_t value, ns start, ns end)
{
    struct sender *s = &senders[from->number];
    uint16_t spoilt = s->count == s->spoil_at ? s->corrupt : 0;
    s->ring[s->written++ % RING] = (struct air_byte){start, end, value, 8, s->deaf, spoilt};
    if (s->count < LONGEST)
        s->air[s->count++] = value;
}

/* CRC-16 of RF12, over group, header, length, payload and itself: 0 if whole. */
static uint16_t check(const uint8_t *bytes, int count)
{
    uint16_t crc = 0xffff;
    for (int i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    }
    return crc;
}

static const char *verdict(const struct sender *s, int *end)
{
    *end = s->count;
    for (int at = 0; at + HEADER + 2 <= s->count; at++) {
        if (s->air[at] != 0x2d)
            continue;
        int length = 3 + s->air[at + 3] + 2;
        if (at + 1 + length > s->count)
            return "cut";
        *end = at + 1 + length;
        return check(s->air + at + 1, length) ? "bad" : "good";
    }
    return "none";
}

static void name_those(char *text, size_t size, uint16_t mask, int but)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < node_count; i++)
        if (i != but && (mask >> i & 1) && used < size)
            used += snprintf(text + used, size - used, "%s%s", used ? "," : "", nodes[i].name);
}

void ether_end(struct node *from, ns now)
{
    struct sender *s = &senders[from->number];
    struct air_byte *last = &s->ring[(s->written - 1) % RING];
    char hex[2 * LONGEST + 1], lost[NODES * NAME_LENGTH], corrupt[NODES * NAME_LENGTH];
    int end;
    if (!s->on)
        return;
    s->on = false;
    s->until = now;
    on_air--;
    if (last->end > now) {
        last->bits = now > last->start ? (now - last->start) / s->bit : 0;
        last->end = now;
        if (last->bits < 8)
            s->count--;
    }
    const char *crc = verdict(s, &end);
    for (int i = 0; i < end; i++)
        sprintf(hex + 2 * i, "%02x", s->air[i]);
    hex[2 * end] = 0;
    name_those(lost, sizeof lost, s->deaf, from->number);
    name_those(corrupt, sizeof corrupt, s->corrupt, from->number);
    say_event(now, "packet", from, "air=%.3f bytes=%s crc=%s collided=%d lost=%s corrupt=%s", (now - s->switched) / 1e6,
              hex, crc, s->collided != 0, lost, corrupt);
}

int ether_level(const struct node *at, ns when)
{
    int level = SILENCE;
    for (int i = 0; on_air && i < node_count; i++)
        if (senders[i].on && senders[i].since <= when && audible(at, i) && level_between(at->number, i) > level)
            level = level_between(at->number, i);
    return level;
}

ns ether_next(const struct node *at)
{
    ns next = NEVER;
    for (int i = 0; i < node_count; i++) {
        uint64_t cursor = taken[at->number][i];
        if (i != at->number && cursor < senders[i].written && senders[i].ring[cursor % RING].end < next)
            next = senders[i].ring[cursor % RING].end;
    }
    return next;
}

enum fate { CLEAR, SPOILT, DROWNED };

/* What the other senders do to a byte on its way to a receiver. */
static enum fate fate_of(const struct node *at, int from, const struct air_byte *byte)
{
    enum fate fate = CLEAR;
    for (int i = 0; i < node_count; i++) {
        struct sender *other = &senders[i];
        if (i == from || !audible(at, i) || other->since >= byte->end || !other->written)
            continue;
        if (!other->on && other->until <= byte->start)
            continue;
        int stronger = level_between(at->number, i) - level_between(at->number, from);
        if (stronger <= -CAPTURE_DB)
            continue;
        senders[from].collided |= 1u << at->number;
        other->collided |= 1u << at->number;
        if (stronger >= CAPTURE_DB || other->since < senders[from].since)
            return DROWNED;
        fate = SPOILT;
    }
    return fate;
}

static void deliver(struct node *at, int from, const struct air_byte *byte)
{
    if (!audible(at, from))
        return;
    enum fate fate = fate_of(at, from, byte);
    if (fate == DROWNED || (byte->deaf >> at->number & 1) || !byte->bits || !at->radio.kind->listens(at))
        return;
    struct heard heard = {byte->start, byte->end, senders[from].bit, byte->value, byte->bits};
    if (fate == SPOILT || (byte->spoilt >> at->number & 1))
        heard.value ^= 1 + ether_random() % 255;
    at->radio.kind->hear(at, &heard);
}

void ether_take(struct node *at, ns now)
{
    for (int i = 0; i < node_count; i++) {
        uint64_t *cursor = &taken[at->number][i];
        for (; *cursor < senders[i].written && senders[i].ring[*cursor % RING].end <= now; ++*cursor)
            if (i != at->number && at->radio.powered)
                deliver(at, i, &senders[i].ring[*cursor % RING]);
    }
}
