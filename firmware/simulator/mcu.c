/* The processor: making, running, resetting, sleeping.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Knows what Debian's simavr 1.6 gets wrong about time and resets, and puts it right from outside: a sleeping core
 * jumps to its next timer however far that is, a reset forgets the world around the chip. Knows nothing of radios and
 * sensors.
 */
#include "mcu.h"

#include <stdlib.h>
#include <string.h>

#include <simavr/avr_extint.h>
#include <simavr/sim_core.h>
#include <simavr/sim_elf.h>

#include "say.h"
#include "sleep.h"

/* ATmega328P, addresses as data */
#define MCUSR 0x54
#define CLKPR 0x61
#define PORF 0x01
#define EXTRF 0x02
#define BORF 0x04

#define RJMP_SELF 0xCFFF
#define SUPPLY_MV 3300

avr_cycle_count_t mcu_horizon(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr, (void)when, (void)param;
    return 0;
}

ns mcu_now(const struct node *node)
{
    return node->base_ns + (((node->avr->cycle - node->base_cycle) << node->clock_shift) * 125) / 2;
}

avr_cycle_count_t mcu_cycles(const struct node *node, ns length)
{
    return ((length * 2 + 124) / 125) >> node->clock_shift;
}

avr_cycle_count_t mcu_cycle_at(const struct node *node, ns when)
{
    if (when <= node->base_ns)
        return node->base_cycle;
    avr_cycle_count_t full = ((when - node->base_ns) * 2 + 124) / 125;
    return node->base_cycle + ((full + (1u << node->clock_shift) - 1) >> node->clock_shift);
}

void *mcu_unit(const struct node *node, const char *kind)
{
    for (avr_io_t *unit = node->avr->io_port; unit; unit = unit->next)
        if (!strcmp(unit->kind, kind))
            return unit;
    return NULL;
}

void mcu_look_again(struct node *node)
{
    node->look_again = true;
    if (node->avr->run_cycle_count > 1)
        node->avr->run_cycle_count = 1;
}

static void note_reset(avr_t *avr)
{
    for (int i = 0; i < node_count; i++)
        if (nodes[i].avr == avr)
            nodes[i].was_reset = true;
}

static void set_clock_shift(struct node *node, unsigned shift)
{
    node->base_ns = mcu_now(node);
    node->base_cycle = node->avr->cycle;
    node->clock_shift = shift;
    node->avr->frequency = CPU_HZ >> shift;
}

static void write_clkpr(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    struct node *node = param;
    bool enabled = avr->data[addr] & 0x80;
    avr->data[addr] = value;
    if (enabled && !(value & 0x80) && (value & 15) != node->clock_shift) {
        set_clock_shift(node, value & 15);
        mcu_look_again(node);
    }
}

/* simavr's reset clears the input pins, all timers and its own settings. */
static void restore(struct node *node)
{
    node->was_reset = false;
    node->frozen = false;
    node->avr->run_cycle_limit = CPU_HZ / 1000;
    avr_extint_set_strict_lvl_trig(node->avr, 0, 0);
    avr_extint_set_strict_lvl_trig(node->avr, 1, 0);
    set_clock_shift(node, 0);
    eeprom_reset(node);
    spi_reset(node);
    uart_reset(node);
    hyt131_reset(node);
    ds18b20_reset(node);
    pins_restore(node);
    say_event(mcu_now(node), "reset", node, "cause=%u", node->avr->data[MCUSR]);
}

const char *mcu_make(struct node *node, const char *elf)
{
    static elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(elf, &firmware) || !firmware.flashsize)
        return "it is not an AVR ELF image that can be read";
    node->avr = avr_make_mcu_by_name("atmega328p");
    if (!node->avr)
        return "this simavr knows no atmega328p";
    avr_init(node->avr);
    node->avr->log = 0;
    avr_load_firmware(node->avr, &firmware);
    node->avr->frequency = CPU_HZ;
    node->avr->vcc = node->avr->avcc = node->avr->aref = SUPPLY_MV;
    node->avr->sleep = sleep_begins;
    node->avr->reset = note_reset;
    avr_register_io_write(node->avr, CLKPR, write_clkpr, node);
    pins_attach(node);
    sleep_attach(node);
    spi_attach(node);
    eeprom_attach(node);
    uart_attach(node);
    pwm_attach(node);
    hyt131_attach(node);
    ds18b20_attach(node);
    return NULL;
}

static ns next_event(const struct node *node, ns until)
{
    ns next = radio_next(node), uart = uart_next(node);
    if (uart < next)
        next = uart;
    return next < until ? next : until;
}

static bool executes(const struct node *node)
{
    return node->avr->state == cpu_Running || node->avr->state == cpu_Sleeping;
}

/* A processor that is off or has halted: only the world around it goes on. */
static void stand_still(struct node *node, ns until)
{
    for (ns stop; (stop = next_event(node, until)) < until;) {
        node->base_ns = stop > node->base_ns ? stop : node->base_ns;
        radio_advance(node, node->base_ns);
        uart_advance(node, node->base_ns);
    }
    node->base_ns = until > node->base_ns ? until : node->base_ns;
    node->base_cycle = node->avr->cycle;
    radio_advance(node, node->base_ns);
    uart_advance(node, node->base_ns);
}

static void run_until(struct node *node, ns stop)
{
    avr_t *avr = node->avr;
    avr_cycle_count_t target = mcu_cycle_at(node, stop);
    avr_cycle_timer_register(avr, target - avr->cycle, mcu_horizon, node);
    while (avr->cycle < target && !node->look_again) {
        if (node->frozen && avr->state == cpu_Running)
            sleep_ends(node); /* woken from outside */
        avr_run(avr);
        if (node->frozen && avr->state == cpu_Running)
            sleep_ends(node);
        if (node->was_reset) {
            restore(node);
            return;
        }
        if (!executes(node)) {
            node->base_ns = mcu_now(node);
            node->base_cycle = avr->cycle;
            say_event(node->base_ns, "halted", node, "%s",
                      avr->state == cpu_Done ? "asleep with interrupts off" : "crashed");
            return;
        }
    }
}

void mcu_run(struct node *node, ns until)
{
    if (!node->powered || !executes(node)) {
        stand_still(node, until);
    } else {
        while (mcu_now(node) < until && executes(node)) {
            ns stop = next_event(node, until);
            node->look_again = false;
            if (mcu_now(node) < stop)
                run_until(node, stop);
            radio_advance(node, mcu_now(node));
            uart_advance(node, mcu_now(node));
        }
    }
    pwm_advance(node, until);
}

static void start(struct node *node, uint8_t cause)
{
    avr_reset(node->avr);
    node->avr->data[MCUSR] |= cause;
    restore(node);
}

void mcu_reset(struct node *node)
{
    if (node->powered)
        start(node, EXTRF);
}

void mcu_power(struct node *node, bool on)
{
    if (node->powered == on)
        return;
    if (on) {
        node->base_cycle = node->avr->cycle;
        for (int i = 0x100; i <= node->avr->ramend; i++)
            node->avr->data[i] = i * 73; /* RAM holds anything at all */
        node->powered = true;
        start(node, PORF);
        radio_power(node, true);
    } else {
        eeprom_cut(node);
        node->base_ns = mcu_now(node);
        node->base_cycle = node->avr->cycle;
        node->powered = false;
        radio_power(node, false);
        avr_reset(node->avr);
        node->was_reset = false;
    }
}

void mcu_brownout(struct node *node)
{
    if (!node->powered)
        return;
    eeprom_cut(node);
    start(node, BORF);
    radio_brownout(node, 0);
}

void mcu_hang(struct node *node, bool interrupts)
{
    avr_t *avr = node->avr;
    avr_flashaddr_t loop = avr->flashend - 1;
    avr->flash[loop] = RJMP_SELF & 0xff;
    avr->flash[loop + 1] = RJMP_SELF >> 8;
    avr->pc = loop;
    avr->sreg[S_I] = interrupts;
    avr->state = cpu_Running;
    if (node->frozen)
        sleep_ends(node);
}
