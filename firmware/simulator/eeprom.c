/* The EEPROM with the time a write takes, what a power cut in it costs, and its wear.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In simavr 1.6 a write takes no time at all. Data sheet ATmega328P, chapter 8.4: 3.4 ms for erase and write, 1.8 ms
 * for either alone, and EEPE reads 1 as long.
 */
#include "eeprom.h"

#include <simavr/avr_eeprom.h>

#include "mcu.h"
#include "say.h"

#define EECR 0x3f
#define EEDR 0x40
#define EEARL 0x41
#define EEARH 0x42
#define EERE 0x01
#define EEPE 0x02
#define EEMPE 0x04
#define EERIE 0x08
#define EEPM(v) (((v) >> 4) & 3)
#define BOTH_NS 3400000
#define HALF_NS 1800000
#define ARMED_CYCLES 5 /* four, and the one of the instruction that writes */

uint8_t *eeprom_cells(struct node *node)
{
    return node->eeprom.unit->eeprom;
}

static avr_cycle_count_t finish(avr_t *avr, avr_cycle_count_t when, void *param)
{
    struct node *node = param;
    (void)when;
    eeprom_cells(node)[node->eeprom.address] = node->eeprom.value;
    node->eeprom.busy = false;
    avr->data[EECR] &= ~EEPE;
    if (avr->data[EECR] & EERIE)
        avr_raise_interrupt(avr, &node->eeprom.unit->ready);
    return 0;
}

/* The cell is erased at once and gets its value at the end. */
static void begin(struct node *node, uint8_t mode)
{
    avr_t *avr = node->avr;
    struct eeprom *eeprom = &node->eeprom;
    uint8_t *cell;
    eeprom->address = (avr->data[EEARL] | avr->data[EEARH] << 8) % EEPROM_BYTES;
    cell = eeprom_cells(node) + eeprom->address;
    eeprom->value = mode == 1 ? 0xff : mode == 2 ? *cell & avr->data[EEDR] : avr->data[EEDR];
    if (mode != 2)
        *cell = 0xff;
    eeprom->wear[eeprom->address]++;
    eeprom->busy = true;
    avr->data[EECR] |= EEPE;
    avr_cycle_timer_register(avr, mcu_cycles(node, mode ? HALF_NS : BOTH_NS), finish, node);
}

static void write_control(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    struct node *node = param;
    struct eeprom *eeprom = &node->eeprom;
    bool armed = avr->cycle < eeprom->armed_until;
    avr->data[addr] = (value & ~(EERE | EEPE | EEMPE)) | (eeprom->busy ? EEPE : 0);
    if ((value & EEPE) && armed && !eeprom->busy) {
        eeprom->armed_until = 0;
        begin(node, EEPM(value));
    } else if (value & EEMPE) {
        eeprom->armed_until = avr->cycle + ARMED_CYCLES;
    }
    if ((value & EERE) && !eeprom->busy)
        avr->data[EEDR] = eeprom_cells(node)[(avr->data[EEARL] | avr->data[EEARH] << 8) % EEPROM_BYTES];
    if ((value & EERIE) && !eeprom->busy)
        avr_raise_interrupt(avr, &eeprom->unit->ready);
}

void eeprom_attach(struct node *node)
{
    node->eeprom.unit = mcu_unit(node, "eeprom");
    node->avr->io[AVR_DATA_TO_IO(EECR)].w.c = write_control;
    node->avr->io[AVR_DATA_TO_IO(EECR)].w.param = node;
}

void eeprom_reset(struct node *node)
{
    if (node->eeprom.busy)
        eeprom_cells(node)[node->eeprom.address] = node->eeprom.value;
    node->eeprom.busy = false;
    node->eeprom.armed_until = 0;
}

void eeprom_cut(struct node *node)
{
    node->eeprom.busy = false;
}
