/* A HYT131 humidity and temperature sensor on bit-banged I2C (SDA = PD4, SCL = PC0).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HYT131_H
#define HYT131_H

#include <stdbool.h>
#include <stdint.h>

struct node;

struct hyt131 {
    bool present;
    double humidity, celsius;
    bool scl, sda; /* as last seen */
    bool pulls; /* it holds SDA low */
    int state;
    int bits;
    uint8_t shift;
    uint8_t reply[4];
    int reply_at;
    uint64_t ready_at; /* end of the measurement */
    bool fresh; /* measured since it was last read */
};

void hyt131_attach(struct node *node);
void hyt131_set(struct node *node, bool present, double humidity, double celsius);
void hyt131_reset(struct node *node);

#endif
