/* The RFM69 on the air: preamble, sync and FIFO out, sync and FIFO in.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "rfm69_air.h"

#include <string.h>

#include "ether.h"

static void take_bit(struct rfm69 *r, bool bit)
{
    int size = rfm69_sync_size(r);
    if (!r->synced) {
        uint64_t wanted = 0, mask = size == 8 ? NEVER : (1ull << 8 * size) - 1;
        for (int i = 0; i < size; i++)
            wanted = wanted << 8 | r->reg[SYNC_VALUE + i];
        r->pattern = r->pattern << 1 | bit;
        r->synced = !size || (r->pattern & mask) == wanted;
        return;
    }
    r->shift = r->shift << 1 | bit;
    if (++r->shift_bits < 8)
        return;
    r->shift_bits = 0;
    if (r->fifo_count == RFM69_FIFO)
        r->overrun = true;
    else if (!rfm69_payload_ready(r))
        r->fifo[r->fifo_count++] = r->shift;
}

void rfm69_hear(struct node *node, const struct heard *heard)
{
    struct rfm69 *r = &node->radio.rfm69;
    for (int i = 0; i < heard->bits; i++)
        if (heard->start_ns + i * heard->bit_ns >= r->ready_at)
            take_bit(r, heard->value >> (7 - i) & 1);
    r->last_bit = heard->end_ns;
}

/* A receiver in the middle of a packet goes on when the sender stops: it hears noise. */
static ns noise_at(const struct node *node)
{
    const struct rfm69 *r = &node->radio.rfm69;
    return rfm69_listens(node) && r->synced && !r->overrun ? r->last_bit + 8 * rfm69_bit_ns(node) + QUANTUM_NS : NEVER;
}

ns rfm69_next(const struct node *node)
{
    const struct rfm69 *r = &node->radio.rfm69;
    ns noise = noise_at(node);
    return r->boundary < noise ? r->boundary : noise;
}

static void next_byte(struct node *node)
{
    struct rfm69 *r = &node->radio.rfm69;
    uint8_t value;
    if (r->preamble_left) {
        r->preamble_left--;
        value = 0xaa;
    } else if (r->sync_left) {
        value = r->reg[SYNC_VALUE + rfm69_sync_size(r) - r->sync_left--];
    } else if (r->fifo_count) {
        value = r->fifo[0];
        memmove(r->fifo, r->fifo + 1, --r->fifo_count);
    } else {
        r->packet_sent = true;
        r->sending = false;
        ether_end(node, r->boundary);
        r->boundary = NEVER;
        return;
    }
    if (!r->sending)
        ether_begin(node, r->switched_on, r->boundary);
    r->sending = true;
    ns start = r->boundary;
    r->boundary += 8 * rfm69_bit_ns(node);
    ether_byte(node, value, start, r->boundary);
}

void rfm69_advance(struct node *node, ns now)
{
    struct rfm69 *r = &node->radio.rfm69;
    while (r->boundary <= now)
        next_byte(node);
    while (noise_at(node) <= now) {
        ns length = 8 * rfm69_bit_ns(node);
        struct heard noise = {r->last_bit, r->last_bit + length, length / 8, ether_random(), 8};
        rfm69_hear(node, &noise);
    }
}
