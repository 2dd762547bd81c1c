/*
 * A map that uses all of ext/disco.h, and answers with what it saw. Parameters say what else it does: "fatal", "data", "message".
 */
#include "disco.h"

#include <stdio.h>
#include <string.h>

static void emit_text(const char *key, const char *value)
{
    disco_emit(key, strlen(key), value, strlen(value));
}

int main(int argc, char **argv)
{
    struct disco_item key, value;
    const struct disco_item *param;
    int records = 0;
    char text[32];
    disco_start(disco_kind(argc, argv));
    if ((param = disco_param("message")) != NULL)
        disco_message("%s\n%d", param->data, 42);
    while (disco_next(&key, &value)) {
        records++;
        /* Zeros end both, whatever comes next in the buffer. */
        if (strlen(key.data) != key.size || strlen(value.data) != value.size)
            disco_fatal("record %d has no zero behind it", records);
        if (disco_param("fatal") != NULL && strcmp(value.data, disco_param("fatal")->data) == 0)
            disco_fatal("fatal: %s", value.data);
        if (disco_param("data") != NULL && strcmp(value.data, disco_param("data")->data) == 0)
            disco_data_error("data: %s", value.data);
        if (value.size > 0)
            disco_emit(value.data, value.size, key.data, key.size);
    }
    if (disco_param("message") != NULL)
        disco_message("%d records", records);
    /* A reduce may emit after the end of its input. */
    if (strcmp(argv[1], "reduce") == 0) {
        snprintf(text, sizeof text, "%d", records);
        emit_text("records", text);
        param = disco_param("one two three");
        emit_text("one two three", param == NULL ? "none" : param->data);
        param = disco_param("");
        emit_text("unnamed", param == NULL ? "none" : param->data);
    }
    return disco_finish();
}
