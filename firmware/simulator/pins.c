/* Levels that the world outside puts on pins, and INT0.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * simavr 1.6 either polls a low INT0 at every cycle or misses it when it falls while masked, forgets outside levels at
 * a reset, and reads an input with its pull-up on as high whatever drives it. Knows no device by name.
 */
#include "pins.h"

#include <simavr/avr_extint.h>
#include <simavr/avr_ioport.h>

#include "mcu.h"

#define EICRA 0x69
#define EIMSK 0x3d
#define INT0_PORT 'D'
#define INT0_BIT 2
#define POLL_CYCLES 16

/* Data addresses of PIN, DDR and PORT are neighbours. */
static uint16_t pin_register(char port) { return 0x23 + 3 * (port - 'B'); }

static bool int0_low(const struct node *node)
{
    const struct port_levels *levels = &node->pins.port[INT0_PORT - 'B'];
    return (levels->driven & ~levels->level) >> INT0_BIT & 1;
}

static bool int0_by_level(const struct node *node) { return (node->avr->data[EICRA] & 3) == 0; }

/* While the line is low the interrupt comes again and again, as the data sheet says. */
static avr_cycle_count_t poll_int0(avr_t *avr, avr_cycle_count_t when, void *param)
{
    struct node *node = param;
    avr_int_vector_t *vector = &node->pins.external->eint[0].vector;
    if (!int0_low(node)) {
        node->pins.polling = false;
        return 0;
    }
    if ((avr->data[EIMSK] & 1) && int0_by_level(node) && avr->sreg[S_I] && !vector->pending)
        avr_raise_interrupt(avr, vector);
    return when + POLL_CYCLES;
}

static void watch_int0(struct node *node)
{
    avr_int_vector_t *vector = &node->pins.external->eint[0].vector;
    if (!int0_low(node)) {
        if (int0_by_level(node) && vector->pending)
            avr_clear_interrupt(node->avr, vector);
    } else if (!node->pins.polling) {
        node->pins.polling = true;
        avr_cycle_timer_register(node->avr, 1, poll_int0, node);
    }
}

static void written(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    struct pin_hook *hook = param;
    hook->write(avr, addr, value, hook->param);
    for (int i = 0; i < hook->node->pins.listeners; i++)
        hook->node->pins.listener[i](hook->node);
}

void pins_attach(struct node *node)
{
    node->pins.external = mcu_unit(node, "extint");
    for (int i = 0; i < PIN_HOOKS; i++) {
        uint16_t direction_or_port = pin_register('B' + i / 2) + 1 + i % 2, io = AVR_DATA_TO_IO(direction_or_port);
        struct pin_hook *hook = &node->pins.hook[i];
        *hook = (struct pin_hook){node, node->avr->io[io].w.c, node->avr->io[io].w.param};
        node->avr->io[io].w.c = written;
        node->avr->io[io].w.param = hook;
    }
}

void pins_listen(struct node *node, void (*listener)(struct node *node))
{
    node->pins.listener[node->pins.listeners++] = listener;
}

void pins_restore(struct node *node)
{
    node->pins.polling = false;
    for (int i = 0; i < 3; i++) {
        struct port_levels *levels = &node->pins.port[i];
        node->avr->data[pin_register('B' + i)] = levels->level & levels->driven;
        avr_irq_t *irq = avr_io_getirq(node->avr, AVR_IOCTL_IOPORT_GETIRQ('B' + i), 0);
        for (int bit = 0; bit < 8; bit++)
            if (levels->driven >> bit & 1)
                irq[bit].value = levels->level >> bit & 1;
            else
                irq[bit].flags |= IRQ_FLAG_INIT;
    }
    watch_int0(node);
}

void pins_drive(struct node *node, char port, int bit, bool level)
{
    struct port_levels *levels = &node->pins.port[port - 'B'];
    uint8_t mask = 1 << bit;
    levels->driven |= mask;
    levels->level = (levels->level & ~mask) | (level ? mask : 0);
    avr_ioport_external_t external = {.name = port, .mask = levels->driven, .value = levels->level & levels->driven};
    avr_ioctl(node->avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(port), &external);
    if (!node->powered)
        return;
    avr_raise_irq(avr_io_getirq(node->avr, AVR_IOCTL_IOPORT_GETIRQ(port), bit), level);
    if (port == INT0_PORT && bit == INT0_BIT)
        watch_int0(node);
}

int pins_output(const struct node *node, char port, int bit)
{
    uint16_t pin = pin_register(port);
    if (!node->powered || !(node->avr->data[pin + 1] >> bit & 1))
        return -1;
    return node->avr->data[pin + 2] >> bit & 1;
}
