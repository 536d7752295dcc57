/* The processor: making, running, resetting, sleeping.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef MCU_H
#define MCU_H

#include "node.h"

/* Make a node from an ELF image, powered off; NULL, or what was wrong. */
const char *mcu_make(struct node *node, const char *elf);
/* Run it up to `until`. */
void mcu_run(struct node *node, ns until);
void mcu_power(struct node *node, bool on);
/* Pull the reset line, as DTR does. */
void mcu_reset(struct node *node);
/* The supply dips below the brown-out level. */
void mcu_brownout(struct node *node);
/* Catch the processor in an endless loop. */
void mcu_hang(struct node *node, bool interrupts);
/* Its clock, exact to the cycle while it runs. */
ns mcu_now(const struct node *node);
/* The cycle count at which it is `when`. */
avr_cycle_count_t mcu_cycle_at(const struct node *node, ns when);
/* Cycles of its clock in so many ns. */
avr_cycle_count_t mcu_cycles(const struct node *node, ns length);
/* One of simavr's units of this processor, by kind. */
void *mcu_unit(const struct node *node, const char *kind);
/* The timer that ends a quantum, for whoever sorts timers. */
avr_cycle_count_t mcu_horizon(avr_t *avr, avr_cycle_count_t when, void *param);
/* Leave the run loop before the next instruction. */
void mcu_look_again(struct node *node);

#endif
