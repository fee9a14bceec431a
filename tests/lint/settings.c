/*
 * Prints the table of settings for tests/lint/settings: "SECTION NAME DEFAULT", "-" for the top
 * level and where there is no default.
 */
#include "postern/base/config.h"

#include <stdio.h>

static void print(void *arg, const char *section, const char *name, const char *fallback)
{
    (void)arg;
    printf("%s %s %s\n", *section ? section : "-", name, fallback ? fallback : "-");
}

int main(void)
{
    config_each_setting(print, NULL);
    return 0;
}
