/* What the two halves of the RFM12B model share.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RFM12B_AIR_H
#define RFM12B_AIR_H

#include "node.h"

/* FIFO and reset mode word CAxx */
#define ONE_BYTE_SYNC 0x08
#define FILL_ALWAYS 0x04
#define FILL 0x02
/* Both bytes of the transmit latch when the transmitter is switched on */
#define PRELOAD 0xaa

uint64_t rfm12b_bit_ns(const struct node *node);
/* Whether the receiver is on. */
bool rfm12b_hears(const struct rfm12b *r);

void rfm12b_hear(struct node *node, const struct heard *heard);
uint64_t rfm12b_next(const struct node *node);
void rfm12b_advance(struct node *node, uint64_t now);

#endif
