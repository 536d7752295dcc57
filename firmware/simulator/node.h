/* One simulated node: an ATmega328P, its radio and what hangs on its pins.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Time: every file speaks of simulated time as `ns`, nanoseconds since the simulator started. Each node counts its
 * own CPU cycles; mcu.c turns one into the other, also when a sketch divides its clock (CLKPR).
 */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <simavr/sim_avr.h>

#include "ds18b20.h"
#include "eeprom.h"
#include "hyt131.h"
#include "pins.h"
#include "pwm.h"
#include "radio.h"
#include "spi.h"
#include "uart.h"

#define NODES 16
#define NAME_LENGTH 16
#define CPU_HZ 16000000
#define QUANTUM_NS 50000 /* below a third of a byte on the air, so no node learns of a byte after it has ended */
#define NEVER UINT64_MAX

/* Simulated time in nanoseconds. */
typedef uint64_t ns;

struct frozen_timer {
    avr_cycle_timer_t timer;
    void *param;
    avr_cycle_count_t left;
};

struct node {
    char name[NAME_LENGTH];
    int number; /* index in nodes[], and bit in masks of nodes */
    avr_t *avr;
    bool powered;
    bool was_reset; /* simavr has reset the core: the outside of it must be put back */
    bool look_again; /* a radio command may have moved the next event: stop running and ask */

    ns base_ns; /* at this time ... */
    avr_cycle_count_t base_cycle; /* ... the core had counted so many cycles */
    unsigned clock_shift; /* the clock is CPU_HZ >> clock_shift */

    bool frozen; /* deep sleep: the timers of the core stand still */
    avr_cycle_count_t frozen_at;
    int frozen_count;
    struct frozen_timer frozen_timer[MAX_CYCLE_TIMERS];

    struct pins pins;
    struct spi spi;
    struct eeprom eeprom;
    struct uart uart;
    struct pwm pwm;
    struct radio radio;
    struct hyt131 hyt131;
    struct ds18b20_bus wire;
};

extern struct node nodes[NODES];
extern int node_count;

/* The node of that name, or NULL. */
struct node *node_named(const char *name);

#endif
