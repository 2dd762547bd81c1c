/*
 * Map and reduce functions of Disco in C: the external interface, wrapped. C99 and POSIX, no dependencies; MIT licence.
 *
 *     #include "disco.h"
 *
 *     int main(int argc, char **argv) {
 *         struct disco_item key, value;
 *         disco_start(disco_kind(argc, argv));
 *         while (disco_next(&key, &value)) disco_emit(value.data, value.size, "1", 1);
 *         return disco_finish();
 *     }
 *
 * Compile it together with disco.c: cc -O2 -I ext -o my-map my-map.c ext/disco.c
 *
 * Pairs that are emitted belong to the entry that disco_next gave last: a map answers each entry with one list of pairs, which this
 * library writes when the next entry is asked for, be it empty. A reduce may emit whenever it likes.
 *
 * Nothing here returns an error: what goes wrong with the input, the output or memory ends the program with a message that the job
 * shows. One thread only; do not read stdin or write stdout yourself.
 */
#ifndef DISCO_H
#define DISCO_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define DISCO_PRINTF __attribute__((format(printf, 1, 2)))
#define DISCO_NORETURN __attribute__((noreturn, format(printf, 1, 2)))
#else
#define DISCO_PRINTF
#define DISCO_NORETURN
#endif

/* A key or a value: any bytes. Behind the last one there is a zero, so that text can be used as a string. */
struct disco_item {
    const char *data;
    size_t size;
};

enum disco_kind { DISCO_MAP, DISCO_REDUCE };

/* What the program was started as: its first argument is "map" or "reduce". A program that is only one of them need not ask. */
enum disco_kind disco_kind(int argc, char **argv);

/* Call it first: reads the parameters (extParams as a dictionary, or none). */
void disco_start(enum disco_kind kind);

/* The same for extParams that are a string of a format of your own: these many bytes come before the first record. They live until
 * the program ends. */
const char *disco_start_raw(enum disco_kind kind, size_t size);

/* The value of a parameter; NULL if there is none of that name. */
const struct disco_item *disco_param(const char *name);

/* The next record: 1, or 0 at the end of the input. Of an entry without a key (a line, say) the key has no bytes. Key and value are valid
 * until the next call. */
int disco_next(struct disco_item *key, struct disco_item *value);

/* Adds a pair to the results. At most 1,000,000 for one entry of a map. */
void disco_emit(const void *key, size_t key_size, const void *value, size_t value_size);

/* Call it last, when disco_next has returned 0: writes what is left. Returns 0, for main. */
int disco_finish(void);

/* A message of the job, as printf. Line feeds become spaces. */
void disco_message(const char *format, ...) DISCO_PRINTF;

/* Ends the program and the job: whatever is wrong will be wrong everywhere. */
void disco_fatal(const char *format, ...) DISCO_NORETURN;

/* Ends the program: the data are bad, or out of reach here. The task is tried again on another node. */
void disco_data_error(const char *format, ...) DISCO_NORETURN;

#ifdef __cplusplus
}
#endif

#endif
