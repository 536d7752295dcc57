/* A sketch without Arduino that times the parts of its own processor and says so: what the simulator must get right.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each line on the serial port is a name and a number of clock cycles; tests/test_ether_chip.py knows the data sheet's.
 */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdlib.h>

#define DIV_1 _BV(CS10)
#define DIV_64 (_BV(CS11) | _BV(CS10))
#define DIV_1024 (_BV(CS12) | _BV(CS10))

static volatile uint8_t edges, barks;

ISR(WDT_vect) { barks++; }
ISR(INT0_vect) { if (++edges == 3) EIMSK = 0; }

static void put(const char *text)
{
    for (; *text; text++) {
        loop_until_bit_is_set(UCSR0A, UDRE0);
        UDR0 = *text;
    }
}

static void say(const char *name, uint32_t cycles)
{
    char digits[12];
    put(name);
    put(" ");
    put(ultoa(cycles, digits, 10));
    put("\r\n");
}

static void start(uint8_t clock)
{
    TCCR1A = 0;
    TCCR1B = 0;
    TCNT1 = 0;
    TCCR1B = clock;
}

static void time_spi(void)
{
    DDRB = _BV(PB2) | _BV(PB3) | _BV(PB5);
    PORTB = _BV(PB2);
    SPCR = _BV(SPE) | _BV(MSTR) | _BV(SPR0);
    SPSR = _BV(SPI2X);
    start(DIV_1);
    for (uint8_t i = 0; i < 10; i++) {
        SPDR = i;
        loop_until_bit_is_set(SPSR, SPIF);
    }
    say("spi", TCNT1 / 10);
}

static void time_eeprom(void)
{
    start(DIV_64);
    eeprom_write_byte((uint8_t *)7, 0x5a);
    eeprom_busy_wait();
    say("eeprom", TCNT1 * 64ul);
}

static void time_uart(void)
{
    start(DIV_1);
    put("0123456789\r\n"); /* as many under way before as after */
    say("uart", TCNT1 / 12);
}

/* Cycles the timer counts through 125 ms of sleep. */
static void time_sleep(const char *name, uint8_t mode)
{
    set_sleep_mode(mode);
    cli();
    wdt_reset();
    WDTCSR = _BV(WDCE) | _BV(WDE);
    WDTCSR = _BV(WDIE) | WDTO_120MS;
    start(DIV_1024);
    sleep_enable();
    sei();
    sleep_cpu();
    uint16_t counted = TCNT1;
    wdt_disable();
    say(name, counted * 1024ul);
}

int main(void)
{
    UBRR0 = 34; /* 57143 baud: 280 cycles a bit */
    UCSR0A = _BV(U2X0);
    UCSR0B = _BV(TXEN0);
    time_spi();
    time_eeprom();
    time_uart();
    time_sleep("idle", SLEEP_MODE_IDLE);
    time_sleep("power-down", SLEEP_MODE_PWR_DOWN);

    barks = 0;
    wdt_reset();
    WDTCSR = _BV(WDCE) | _BV(WDE);
    WDTCSR = _BV(WDIE) | WDTO_15MS; /* interrupts for ever: WDIE needs setting again only beside WDE */
    sei();
    while (barks < 3) {}
    cli();
    wdt_disable();
    say("barks", barks);
    sei();

    EICRA = 0; /* INT0 is raised for as long as its pin is low */
    EIMSK = _BV(INT0);
    while (edges < 3) {}
    say("edges", edges);

    DDRD = _BV(PD5) | _BV(PD6);
    DDRB |= _BV(PB1);
    OCR0A = 127;
    OCR0B = 63;
    TCCR0A = _BV(COM0A1) | _BV(COM0B1) | _BV(COM0B0) | _BV(WGM01) | _BV(WGM00);
    TCCR0B = _BV(CS01);
    OCR1A = 255;
    TCCR1A = _BV(COM1A1) | _BV(WGM11) | _BV(WGM10);
    TCCR1B = _BV(WGM12) | DIV_1;
    say("pwm", 0);
    for (;;) {}
}
