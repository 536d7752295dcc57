/* The SPI unit of the ATmega, with the byte time its registers ask for.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * simavr 1.6 takes 100 us for every byte; at 162 us a byte on the air and four SPI bytes an interrupt, no packet would
 * survive. Data sheet ATmega328P, chapter 19. Knows that the radio's select line is PB2.
 */
#include "spi.h"

#include <simavr/avr_spi.h>

#include "mcu.h"

#define SPCR 0x4c
#define SPSR 0x4d
#define SPDR 0x4e
#define SPE 0x40
#define MSTR 0x10
#define SPIF 0x80
#define SELECT_BIT 2

static avr_cycle_count_t byte_cycles(const avr_t *avr)
{
    static const uint16_t divider[] = {4, 16, 64, 128};
    unsigned cycles = 8 * divider[avr->data[SPCR] & 3];
    return avr->data[SPSR] & 1 ? cycles / 2 : cycles;
}

static avr_cycle_count_t byte_done(avr_t *avr, avr_cycle_count_t when, void *param)
{
    struct node *node = param;
    (void)when;
    node->spi.received = node->spi.incoming;
    node->spi.read_status = false;
    avr_raise_interrupt(avr, &node->spi.unit->spi);
    return 0;
}

static void clear_flag(struct node *node)
{
    node->spi.read_status = false;
    node->avr->data[SPSR] &= ~SPIF;
}

static void write_data(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    struct node *node = param;
    avr->data[addr] = value;
    clear_flag(node);
    if ((avr->data[SPCR] & (SPE | MSTR)) != (SPE | MSTR))
        return;
    bool answers = node->spi.selected && node->radio.kind && node->radio.powered;
    node->spi.incoming = answers ? node->radio.kind->transfer(node, value) : 0;
    radio_drive_line(node);
    avr_cycle_timer_register(avr, byte_cycles(avr), byte_done, node);
}

static uint8_t read_data(avr_t *avr, avr_io_addr_t addr, void *param)
{
    struct node *node = param;
    (void)avr, (void)addr;
    if (node->spi.read_status)
        clear_flag(node);
    return node->spi.received;
}

static uint8_t read_status(avr_t *avr, avr_io_addr_t addr, void *param)
{
    struct node *node = param;
    node->spi.read_status = avr->data[addr] & SPIF;
    return avr->data[addr];
}

static void write_status(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    (void)param;
    avr->data[addr] = (avr->data[addr] & ~1) | (value & 1);
}

static void select(struct node *node, bool selected)
{
    if (node->spi.selected == selected)
        return;
    node->spi.selected = selected;
    if (node->radio.kind && node->radio.powered)
        node->radio.kind->select(node, selected);
    radio_drive_line(node);
    mcu_look_again(node);
}

static void port_written(struct node *node)
{
    select(node, pins_output(node, 'B', SELECT_BIT) == 0);
}

void spi_attach(struct node *node)
{
    node->spi.unit = mcu_unit(node, "spi");
    node->avr->io[AVR_DATA_TO_IO(SPDR)].w.c = write_data;
    node->avr->io[AVR_DATA_TO_IO(SPDR)].w.param = node;
    node->avr->io[AVR_DATA_TO_IO(SPDR)].r.c = read_data;
    node->avr->io[AVR_DATA_TO_IO(SPDR)].r.param = node;
    avr_register_io_read(node->avr, SPSR, read_status, node);
    avr_register_io_write(node->avr, SPSR, write_status, node);
    pins_listen(node, port_written);
}

void spi_reset(struct node *node)
{
    select(node, false);
}
