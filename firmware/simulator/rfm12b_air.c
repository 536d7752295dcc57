/* The RFM12B on the air: its transmit latch, its search for the sync bytes, its FIFO.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "rfm12b_air.h"

#include "ether.h"

#define SYNC_HIGH 0x2d
#define FIFO_BITS 16

static void take_bit(struct rfm12b *r, bool bit)
{
    if (r->synced) {
        if (r->fifo_bits == FIFO_BITS) {
            r->error = true;
            return;
        }
        r->fifo = r->fifo << 1 | bit;
        r->fifo_bits++;
        return;
    }
    r->pattern = r->pattern << 1 | bit;
    uint8_t sync = r->sync;
    bool match = r->fifo_mode & ONE_BYTE_SYNC ? (uint8_t)r->pattern == sync : r->pattern == (SYNC_HIGH << 8 | sync);
    if ((r->fifo_mode & FILL) && match)
        r->synced = true;
}

void rfm12b_hear(struct node *node, const struct heard *heard)
{
    struct rfm12b *r = &node->radio.rfm12b;
    if ((r->fifo_mode & (FILL | FILL_ALWAYS)) == (FILL | FILL_ALWAYS))
        r->synced = true;
    for (int i = 0; i < heard->bits; i++)
        if (heard->start_ns + i * heard->bit_ns >= r->receive_at)
            take_bit(r, heard->value >> (7 - i) & 1);
    r->last_bit = heard->end_ns;
}

/* A receiver in the middle of a packet goes on when the sender stops: it hears noise. */
static uint64_t noise_at(const struct node *node)
{
    const struct rfm12b *r = &node->radio.rfm12b;
    return rfm12b_hears(r) && r->synced ? r->last_bit + 8 * rfm12b_bit_ns(node) + QUANTUM_NS : NEVER;
}

uint64_t rfm12b_next(const struct node *node)
{
    const struct rfm12b *r = &node->radio.rfm12b;
    uint64_t first = r->boundary < r->wake_at ? r->boundary : r->wake_at, noise = noise_at(node);
    return first < noise ? first : noise;
}

/* The byte on the air has ended: the held one follows, and a new one is asked for. */
static void next_byte(struct node *node)
{
    struct rfm12b *r = &node->radio.rfm12b;
    uint8_t value = r->hold;
    uint64_t start = r->boundary;
    if (!r->sending) {
        ether_begin(node, r->switched_on, start);
        r->sending = true;
        value = PRELOAD; /* the shift register was loaded too, so the held byte stays */
    } else if (r->held) {
        r->held = false;
    } else {
        r->error = true;
        value = PRELOAD;
    }
    r->boundary = start + 8 * rfm12b_bit_ns(node);
    ether_byte(node, value, start, r->boundary);
}

void rfm12b_advance(struct node *node, uint64_t now)
{
    struct rfm12b *r = &node->radio.rfm12b;
    while (r->boundary <= now)
        next_byte(node);
    if (r->wake_at <= now) {
        r->wakeup = true;
        r->wake_at = NEVER;
    }
    while (noise_at(node) <= now) {
        uint64_t bit = rfm12b_bit_ns(node);
        struct heard noise = {r->last_bit, r->last_bit + 8 * bit, bit, ether_random(), 8};
        rfm12b_hear(node, &noise);
    }
}
