/* State of an RFM69; rfm69.c knows what it means.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RFM69_H
#define RFM69_H

#include <stdbool.h>
#include <stdint.h>

#define RFM69_FIFO 66

struct rfm69 {
    uint8_t reg[0x80];
    int spi_bytes;
    uint8_t address;
    bool write;

    uint8_t fifo[RFM69_FIFO];
    int fifo_count;
    bool overrun;

    uint64_t ready_at; /* when the present mode is reached */
    uint64_t switched_on;
    uint64_t boundary;
    bool sending;
    int preamble_left, sync_left;
    bool packet_sent;

    uint64_t pattern;
    bool synced;
    uint8_t shift;
    int shift_bits;
    uint64_t last_bit;
};

#endif
