/* The EEPROM with the time a write takes, what a power cut in it costs, and its wear.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef EEPROM_H
#define EEPROM_H

#include <stdbool.h>
#include <stdint.h>

#define EEPROM_BYTES 1024

struct avr_eeprom_t;
struct node;

struct eeprom {
    struct avr_eeprom_t *unit;
    bool busy;
    uint16_t address;
    uint8_t value;
    uint64_t armed_until; /* cycle up to which EEMPE holds */
    uint32_t wear[EEPROM_BYTES]; /* writes of each cell */
};

void eeprom_attach(struct node *node);
/* After a reset of the core: a write under way ends well. */
void eeprom_reset(struct node *node);
/* The power is cut: a cell being written stays erased. */
void eeprom_cut(struct node *node);
/* The cells themselves. */
uint8_t *eeprom_cells(struct node *node);

#endif
