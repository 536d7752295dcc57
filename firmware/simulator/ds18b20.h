/* DS18B20 thermometers on a one-wire bus (data = PD4, supply = PC0).
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DS18B20_H
#define DS18B20_H

#include <stdbool.h>
#include <stdint.h>

#define DS18B20S 4

struct node;

struct ds18b20 {
    bool present;
    double celsius;
    uint8_t rom[8];
    uint8_t scratchpad[9];
    int state;
    uint8_t command;
    int bit; /* of the command, the ROM or the scratchpad */
    int search; /* step of the triplet: 0 true, 1 complement, 2 direction */
    uint64_t converted_at;
    uint64_t pull_from, pull_until;
};

struct ds18b20_bus {
    struct ds18b20 sensor[DS18B20S];
    bool any;
    bool supplied;
    bool low; /* the sketch holds the line low */
    uint64_t fell;
};

void ds18b20_attach(struct node *node);
void ds18b20_set(struct node *node, int index, bool present, double celsius);
void ds18b20_reset(struct node *node);

#endif
