/* Deep sleep: which clocks stop, and the watchdog that ends it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In simavr 1.6 all sleep modes are alike and every timer goes on, so that a sketch that counts on power-down wakes
 * early. Data sheet ATmega328P, table 10-1: in power-down and standby only the watchdog (and the world) goes on. And
 * it lets a watchdog that only interrupts do so once; by table 11-1 and the text on WDIE, only one that would reset next
 * must be told again.
 */
#include "sleep.h"

#include <string.h>

#include <simavr/avr_timer.h>
#include <simavr/avr_watchdog.h>

#include "mcu.h"

#define SMCR 0x53
#define WDTCSR 0x60
#define WDE 0x08
#define WDIF 0x80
#define SLEEP_MODE(smcr) (((smcr) >> 1) & 7)
#define POWER_DOWN 2
#define STANDBY 6

/* The watchdog's, the EEPROM's and the world's; a timer's parameter says whose it is. */
static bool runs_in_deep_sleep(const struct node *node, const avr_cycle_timer_slot_t *slot)
{
    return slot->timer == mcu_horizon || slot->param == mcu_unit(node, "watchdog")
        || (slot->param >= (void *)node && slot->param < (void *)(node + 1));
}

static void freeze(struct node *node)
{
    avr_cycle_timer_pool_t *pool = &node->avr->cycle_timers;
    avr_cycle_timer_slot_p *at = &pool->timer;
    node->frozen_count = 0;
    while (*at) {
        avr_cycle_timer_slot_p slot = *at;
        if (runs_in_deep_sleep(node, slot)) {
            at = &slot->next;
            continue;
        }
        avr_cycle_count_t left = slot->when > node->avr->cycle ? slot->when - node->avr->cycle : 0;
        node->frozen_timer[node->frozen_count++] = (struct frozen_timer){slot->timer, slot->param, left};
        *at = slot->next;
        slot->next = pool->timer_free;
        pool->timer_free = slot;
    }
    node->frozen = true;
    node->frozen_at = node->avr->cycle;
}

void sleep_ends(struct node *node)
{
    avr_cycle_count_t slept = node->avr->cycle - node->frozen_at;
    node->frozen = false;
    for (avr_io_t *unit = node->avr->io_port; unit; unit = unit->next)
        if (!strcmp(unit->kind, "timer") && ((avr_timer_t *)unit)->tov_cycles)
            ((avr_timer_t *)unit)->tov_base += slept;
    for (int i = 0; i < node->frozen_count; i++) {
        struct frozen_timer *timer = &node->frozen_timer[i];
        avr_cycle_timer_register(node->avr, timer->left, timer->timer, timer->param);
    }
}

/* simavr calls this when the core falls asleep, before it jumps ahead; by itself it would wait for the wall clock. */
void sleep_begins(avr_t *avr, avr_cycle_count_t how_long)
{
    (void)how_long;
    for (int i = 0; i < node_count; i++) {
        uint8_t mode = SLEEP_MODE(avr->data[SMCR]);
        if (nodes[i].avr == avr && !nodes[i].frozen && (mode == POWER_DOWN || mode == STANDBY))
            freeze(&nodes[i]);
    }
}

/* Called before simavr's own handler, which takes WDIE away if it finds WDIF set. */
static void interrupt_taken(avr_irq_t *irq, uint32_t pending, void *param)
{
    struct node *node = param;
    (void)irq;
    if (!pending && !(node->avr->data[WDTCSR] & WDE))
        node->avr->data[WDTCSR] &= ~WDIF;
}

void sleep_attach(struct node *node)
{
    avr_watchdog_t *watchdog = mcu_unit(node, "watchdog");
    avr_irq_register_notify(watchdog->watchdog.irq + AVR_INT_IRQ_PENDING, interrupt_taken, node);
}
