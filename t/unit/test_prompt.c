/* ENG-12: prompts are files with a fixed list of placeholders, in English and Hebrew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chat/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"system.en.txt", "turn.en.txt", "system.he.txt", "turn.he.txt"};
static char directory[] = "/tmp/test_prompt.XXXXXX";
static struct arena arena;

static const char *path_of(const char *name)
{
    return arena_printf(&arena, "%s/%s", directory, name);
}

static void write_bytes(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int fresh_files(void **state)
{
    (void)state;
    write_file("system.en.txt",
               "You are {{org_name}}.\nTone: {{tone}}\nAnswer in {{language}}.\n{{own_text}}\n");
    write_file("turn.en.txt", "Context:\n{{context}}\n\nQuestion:\n{{question}}\n");
    write_file("system.he.txt", "את {{org_name}}, {{language}}");
    write_file("turn.he.txt", "הקשר: {{context}} שאלה: {{question}}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        unlink(path_of(names[i]));
    }
    rmdir(directory);
    arena_free(&arena);
    return 0;
}

static struct prompt_set *load(void)
{
    char error[256] = "";
    struct prompt_set *set = prompt_load(directory, error);

    assert_string_equal(error, "");
    assert_non_null(set);
    return set;
}

static void expect_error(const char *first, const char *second)
{
    char error[256] = "";

    assert_null(prompt_load(directory, error));
    assert_non_null(strstr(error, first));
    assert_non_null(strstr(error, second));
}

static void values_are_inserted(void **state)
{
    (void)state;
    struct prompt_set *set = load();
    struct prompt_values values = {"Acme", "fr", "warm", "Own words.", "[a:1] A\nb", "Hm?"};
    assert_string_equal(prompt_system(set, &arena, &values),
                        "You are Acme.\nTone: warm\nAnswer in French.\nOwn words.\n");
    assert_string_equal(prompt_turn(set, &arena, &values),
                        "Context:\n[a:1] A\nb\n\nQuestion:\nHm?\n");
    prompt_free(set);
}

static void the_variant_follows_the_language(void **state)
{
    (void)state;
    struct prompt_set *set = load();
    struct prompt_values values = {"אקמה", "he", NULL, NULL, "c", "q"};
    assert_string_equal(prompt_system(set, &arena, &values), "את אקמה, Hebrew");
    assert_string_equal(prompt_turn(set, &arena, &values), "הקשר: c שאלה: q");
    values.language = "he-IL";
    assert_string_equal(prompt_system(set, &arena, &values), "את אקמה, Hebrew");
    values.language = "hei";
    assert_non_null(strstr(prompt_system(set, &arena, &values), "Answer in hei."));
    values.language = NULL;
    assert_non_null(strstr(prompt_system(set, &arena, &values), "Answer in English."));
    prompt_free(set);
}

static void a_line_without_its_value_is_left_out(void **state)
{
    (void)state;
    struct prompt_set *set = load();
    struct prompt_values values = {"Acme", "en", NULL, "", "", "Hm?"};
    assert_string_equal(prompt_system(set, &arena, &values), "You are Acme.\nAnswer in English.\n");
    assert_string_equal(prompt_turn(set, &arena, &values), "Context:\n\nQuestion:\nHm?\n");
    prompt_free(set);
}

static void values_are_never_expanded_again(void **state)
{
    (void)state;
    struct prompt_set *set = load();
    struct prompt_values values = {"{{own_text}}", "en",
                                   "{{tone}}",     "secret",
                                   "{{question}}", "{{context}} %s %n {{org_name}}"};
    assert_string_equal(prompt_system(set, &arena, &values),
                        "You are {{own_text}}.\nTone: {{tone}}\nAnswer in English.\nsecret\n");
    assert_string_equal(prompt_turn(set, &arena, &values),
                        "Context:\n{{question}}\n\nQuestion:\n{{context}} %s %n {{org_name}}\n");
    prompt_free(set);
}

static void faults_name_the_file_and_the_placeholder(void **state)
{
    (void)state;
    write_file("turn.he.txt", "x {{context}} {{password}}");
    expect_error("turn.he.txt", "{{password}}");
    write_file("turn.he.txt", "x {{ context }}");
    expect_error("turn.he.txt", "{{ context }}");
    write_file("turn.he.txt", "x {{}}");
    expect_error("turn.he.txt", "{{}}");
    write_file("turn.he.txt", "x {{context\n}}");
    expect_error("turn.he.txt", "without its }}");
    write_file("turn.he.txt", "");
    expect_error("turn.he.txt", "empty");
    write_file("turn.he.txt", "\xFF\xFE");
    expect_error("turn.he.txt", "UTF-8");
    write_bytes("turn.he.txt", "a\0b", 3);
    expect_error("turn.he.txt", "UTF-8");

    char *large = arena_alloc(&arena, 70000);
    memset(large, 'x', 70000);
    write_bytes("turn.he.txt", large, 70000);
    expect_error("turn.he.txt", "64 kB");

    memcpy(large, "{{", 2);
    memcpy(large + 60000, "}}", 2);
    write_bytes("turn.he.txt", large, 60002);
    expect_error("turn.he.txt", "unknown placeholder");

    unlink(path_of("turn.he.txt"));
    expect_error("turn.he.txt", "No such file");
}

static void braces_that_are_no_placeholder(void **state)
{
    (void)state;
    write_file("turn.en.txt", "{a} } }} {{{question}}}\r\nlast {{question}}");
    char error[256];
    assert_null(prompt_load(directory, error));
    assert_non_null(strstr(error, "{{{question}}"));

    write_file("turn.en.txt", "{a} } }} { {{question}}}\r\nlast {{question}}");
    struct prompt_set *set = load();
    struct prompt_values values = {"A", "en", NULL, NULL, NULL, "q"};
    assert_string_equal(prompt_turn(set, &arena, &values), "{a} } }} { q}\r\nlast q");
    prompt_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_are_inserted, fresh_files),
        cmocka_unit_test_setup(the_variant_follows_the_language, fresh_files),
        cmocka_unit_test_setup(a_line_without_its_value_is_left_out, fresh_files),
        cmocka_unit_test_setup(values_are_never_expanded_again, fresh_files),
        cmocka_unit_test_setup(faults_name_the_file_and_the_placeholder, fresh_files),
        cmocka_unit_test_setup(braces_that_are_no_placeholder, fresh_files),
    };

    return cmocka_run_group_tests_name("prompt", tests, setup, teardown);
}
