/* Levels that the world outside puts on pins, and INT0.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PINS_H
#define PINS_H

#include <stdbool.h>
#include <stdint.h>

#include <simavr/sim_avr.h>

#define PIN_LISTENERS 3
#define PIN_HOOKS 6

struct avr_extint_t;
struct node;

struct port_levels {
    uint8_t driven; /* pins the outside holds */
    uint8_t level;
};

/* The register write handler of simavr that ours calls first. */
struct pin_hook {
    struct node *node;
    avr_io_write_t write;
    void *param;
};

struct pins {
    struct pin_hook hook[PIN_HOOKS];
    void (*listener[PIN_LISTENERS])(struct node *node);
    int listeners;
    struct port_levels port[3]; /* B, C, D */
    struct avr_extint_t *external;
    bool polling;
};

void pins_attach(struct node *node);
/* After a reset of the core: the outside is as before. */
void pins_restore(struct node *node);
/* Hold a pin at a level. */
void pins_drive(struct node *node, char port, int bit, bool level);
/* The level the sketch drives: 0 or 1, and -1 while the pin is an input. */
int pins_output(const struct node *node, char port, int bit);
/* Call this whenever the sketch has written to a port or direction register. */
void pins_listen(struct node *node, void (*listener)(struct node *node));

#endif
