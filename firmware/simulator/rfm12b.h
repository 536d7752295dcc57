/* State of an RFM12B; rfm12b.c knows what it means.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RFM12B_H
#define RFM12B_H

#include <stdbool.h>
#include <stdint.h>

struct rfm12b {
    uint16_t config, power, frequency, rate, receiver, fifo_mode, sync, wake, low_battery;
    bool por, error, wakeup;
    uint64_t crystal_at; /* when the crystal runs; meaningful while something needs it */
    uint64_t wake_at;

    int spi_bytes; /* since select */
    uint16_t command, reply;

    uint64_t switched_on; /* transmitter */
    uint64_t boundary; /* when the byte on the air ends (or the first begins); NEVER while off */
    bool sending;
    bool held; /* the second byte of the transmit latch is full */
    uint8_t hold;

    uint64_t receive_at; /* when the receiver hears */
    uint64_t last_bit; /* end of the last bits taken */
    uint16_t pattern;
    bool synced;
    uint32_t fifo;
    int fifo_bits;
};

#endif
