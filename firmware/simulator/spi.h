/* The SPI unit of the ATmega, with the byte time its registers ask for.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SPI_H
#define SPI_H

#include <stdbool.h>
#include <stdint.h>

struct avr_spi_t;
struct node;

struct spi {
    struct avr_spi_t *unit;
    bool selected; /* PB2 is an output and low */
    bool read_status; /* SPSR was read with SPIF set: the next access to SPDR clears it */
    uint8_t incoming, received;
};

/* Put this model in the place of simavr's. */
void spi_attach(struct node *node);
/* After a reset of the core: nobody is selected. */
void spi_reset(struct node *node);

#endif
