/* What the two halves of the RFM69 model share.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RFM69_AIR_H
#define RFM69_AIR_H

#include "node.h"

enum { FIFO = 0x00, OP_MODE, DATA_MODUL, RATE_HIGH, RATE_LOW, FRF_HIGH = 0x07, FRF_MIDDLE, FRF_LOW, VERSION = 0x10,
       RSSI_CONFIG = 0x23, RSSI_VALUE, DIO_MAPPING, IRQ_1 = 0x27, IRQ_2, RSSI_THRESHOLD, PREAMBLE_HIGH = 0x2c,
       PREAMBLE_LOW, SYNC_CONFIG, SYNC_VALUE, PACKET_CONFIG_1 = 0x37, PAYLOAD_LENGTH, FIFO_THRESHOLD = 0x3c,
       PACKET_CONFIG_2 };
/* Modes */
enum { SLEEP, STANDBY, SYNTHESISE, TRANSMIT, RECEIVE };

uint64_t rfm69_bit_ns(const struct node *node);
bool rfm69_listens(const struct node *node);
/* Bytes of sync; 0 if it is off. */
int rfm69_sync_size(const struct rfm69 *r);
bool rfm69_payload_ready(const struct rfm69 *r);

void rfm69_hear(struct node *node, const struct heard *heard);
uint64_t rfm69_next(const struct node *node);
void rfm69_advance(struct node *node, uint64_t now);

#endif
