#include "filter.h"

#include "postern/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_LITERAL,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_BAD
};
enum op { OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE };
enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_COMPARE,
    NODE_TEXT,    /* contains, startswith, endswith */
    NODE_ANY,     /* of a collection of strings */
    NODE_EXTENDED /* of the extended properties */
};
enum text_test { TEXT_CONTAINS, TEXT_STARTS, TEXT_ENDS };
/* What a comparison's left side is. */
enum subject_kind { SUBJECT_PATH, SUBJECT_VARIABLE, SUBJECT_PROP_ID, SUBJECT_PROP_VALUE };

struct subject {
    enum subject_kind kind;
    const char *path;
    enum value_kind cast; /* of an extended property's value */
};

struct node {
    enum node_kind kind;
    struct node *left, *right;
    struct subject subject;
    enum op op;
    enum text_test test;
    struct value value;
    struct prop_id prop; /* of "ep/id eq '…'" */
};

struct filter {
    const struct filter_source *source;
    struct node *root;
    const char *paths[FILTER_PATHS_MAX];
    size_t path_count;
};

struct parser {
    struct arena *arena;
    const char *pos;
    const char *error;
    struct filter *filter;
    unsigned depth;
    const char *variable; /* of the lambda that we are in, NULL */
    bool extended;        /* and whether it runs over extended properties */
    enum token_kind token;
    const char *word; /* text of a word */
    struct value value;
};

/* What the lambda variable stands for while an any() is evaluated. */
struct scope {
    void *item;
    const char *element;
    const struct prop_id *prop;
    const char *prop_value;
};

static struct node *parse_or(struct parser *p);

static void fail(struct parser *p, const char *why)
{
    if (!p->error)
        p->error = why;
    p->token = TOKEN_BAD;
}

static void lex_string(struct parser *p)
{
    char *out = arena_alloc(p->arena, strlen(p->pos) + 1);
    size_t n = 0;
    const char *s = p->pos + 1;
    for (;; s++) {
        if (!*s) {
            fail(p, "There is an unterminated literal in the filter.");
            return;
        }
        if (*s == '\'' && *++s != '\'')
            break;
        out[n++] = *s;
    }
    p->pos = s;
    p->token = TOKEN_LITERAL;
    p->value = (struct value){.kind = VALUE_STRING, .string = out};
}

static bool literal_of_word(const char *word, struct value *v)
{
    char *end;
    errno = 0;
    long long n = strtoll(word, &end, 10);
    if (end != word && !*end && !errno)
        *v = (struct value){.kind = VALUE_NUMBER, .number = n};
    else if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        *v = (struct value){.kind = VALUE_BOOLEAN, .number = word[0] == 't'};
    else if (strcmp(word, "null") == 0)
        *v = (struct value){.kind = VALUE_NULL};
    else if (clock_parse_iso(word, strlen(word), &v->number) &&
             strpbrk(strchr(word, 'T') ? strchr(word, 'T') : "", "Z+-"))
        v->kind = VALUE_DATE;
    else
        return false;
    return true;
}

static void lex_word(struct parser *p)
{
    size_t len = 0;
    /* A colon belongs to a date, not to the head of a lambda ("c:c/id"). */
    bool digit = isdigit((unsigned char)*p->pos);
    while (p->pos[len] && (isalnum((unsigned char)p->pos[len]) || strchr("_/.-+$@", p->pos[len]) ||
                           (digit && p->pos[len] == ':')))
        len++;
    if (len == 0) {
        fail(p, "Syntax error in the filter: invalid character.");
        return;
    }
    p->word = arena_strndup(p->arena, p->pos, len);
    p->pos += len;
    p->token = literal_of_word(p->word, &p->value) ? TOKEN_LITERAL : TOKEN_WORD;
    if (p->token == TOKEN_WORD && digit)
        fail(p, "Syntax error in the filter: invalid literal.");
}

static void advance(struct parser *p)
{
    if (p->error)
        return;
    while (*p->pos == ' ' || *p->pos == '\t')
        p->pos++;
    static const struct {
        char c;
        enum token_kind kind;
    } marks[] = {{'(', TOKEN_OPEN}, {')', TOKEN_CLOSE}, {',', TOKEN_COMMA}, {':', TOKEN_COLON}};
    if (!*p->pos) {
        p->token = TOKEN_END;
        return;
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (*p->pos == marks[i].c) {
            p->pos++;
            p->token = marks[i].kind;
            return;
        }
    }
    if (*p->pos == '\'')
        lex_string(p);
    else
        lex_word(p);
}

static void expect(struct parser *p, enum token_kind kind)
{
    if (p->token != kind)
        fail(p, "Syntax error in the filter.");
    else
        advance(p);
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token == TOKEN_WORD && strcmp(p->word, word) == 0;
}

static struct node *new_node(struct parser *p, enum node_kind kind)
{
    struct node *n = arena_alloc(p->arena, sizeof *n);
    n->kind = kind;
    return n;
}

static void note_path(struct parser *p, const char *path)
{
    if (p->filter->path_count == FILTER_PATHS_MAX)
        fail(p, "The filter has too many conditions.");
    else
        p->filter->paths[p->filter->path_count++] = path;
}

static struct subject subject_of_word(struct parser *p, const char *word)
{
    struct subject s = {.kind = SUBJECT_PATH, .path = word, .cast = VALUE_STRING};
    size_t len = p->variable ? strlen(p->variable) : 0;
    if (p->variable && strncmp(word, p->variable, len) == 0 && (!word[len] || word[len] == '/')) {
        const char *rest = word + len;
        if (p->extended && strcmp(rest, "/id") == 0)
            s.kind = SUBJECT_PROP_ID;
        else if (p->extended && strcmp(rest, "/value") == 0)
            s.kind = SUBJECT_PROP_VALUE;
        else if (!p->extended && !*rest)
            s.kind = SUBJECT_VARIABLE;
        else
            fail(p, "Could not find a property of that name on the lambda's variable.");
        return s;
    }
    if (!p->filter->source->knows(word))
        fail(p, arena_printf(p->arena,
                             "Could not find a property named '%s' on type "
                             "'Microsoft.OutlookServices.Message'.",
                             word));
    note_path(p, word);
    return s;
}

/* cast(ep/value, Edm.Int32) */
static struct subject parse_cast(struct parser *p)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } types[] = {{"Edm.Int32", VALUE_NUMBER},        {"Edm.Int64", VALUE_NUMBER},
                 {"Edm.Boolean", VALUE_BOOLEAN},     {"Edm.String", VALUE_STRING},
                 {"Edm.DateTimeOffset", VALUE_DATE}, {NULL, VALUE_NULL}};
    struct subject s = {.kind = SUBJECT_PROP_VALUE};
    advance(p);
    expect(p, TOKEN_OPEN);
    if (p->token == TOKEN_WORD)
        s = subject_of_word(p, p->word);
    if (s.kind != SUBJECT_PROP_VALUE)
        fail(p, "cast() is supported on the value of an extended property only.");
    advance(p);
    expect(p, TOKEN_COMMA);
    size_t i = 0;
    while (types[i].name && !at_word(p, types[i].name))
        i++;
    if (!types[i].name)
        fail(p, "The type in cast() is not supported.");
    s.cast = types[i].kind;
    advance(p);
    expect(p, TOKEN_CLOSE);
    return s;
}

static bool is_ordered(enum op op)
{
    return op != OP_EQ && op != OP_NE;
}

static struct node *parse_comparison(struct parser *p)
{
    static const char *const names[] = {"eq", "ne", "gt", "ge", "lt", "le"};
    struct node *n = new_node(p, NODE_COMPARE);
    if (at_word(p, "cast")) {
        n->subject = parse_cast(p);
    } else if (p->token == TOKEN_WORD) {
        n->subject = subject_of_word(p, p->word);
        advance(p);
    } else {
        fail(p, "Syntax error in the filter: a property was expected.");
    }
    size_t op = 0;
    while (op < sizeof names / sizeof names[0] && !at_word(p, names[op]))
        op++;
    if (op == sizeof names / sizeof names[0]) {
        /* A boolean property may stand alone: "isRead". */
        if (n->subject.kind != SUBJECT_PATH || p->error)
            fail(p, "Syntax error in the filter: a comparison was expected.");
        n->value = (struct value){.kind = VALUE_BOOLEAN, .number = 1};
        return n;
    }
    n->op = (enum op)op;
    advance(p);
    n->value = p->value;
    if (p->token == TOKEN_LITERAL && n->subject.kind == SUBJECT_PROP_ID &&
        (n->value.kind != VALUE_STRING || n->op != OP_EQ ||
         !prop_id_parse(n->value.string, &n->prop)))
        fail(p, "Extended property ID is not valid.");
    if (n->value.kind == VALUE_NULL && is_ordered(n->op))
        fail(p, "A comparison with null must be eq or ne.");
    expect(p, TOKEN_LITERAL);
    return n;
}

static struct node *parse_text_test(struct parser *p, enum text_test test)
{
    struct node *n = new_node(p, NODE_TEXT);
    n->test = test;
    advance(p);
    expect(p, TOKEN_OPEN);
    if (p->token == TOKEN_WORD)
        n->subject = subject_of_word(p, p->word);
    expect(p, TOKEN_WORD);
    expect(p, TOKEN_COMMA);
    n->value = p->value;
    if (p->token != TOKEN_LITERAL || n->value.kind != VALUE_STRING)
        fail(p, "A text was expected as second argument.");
    advance(p);
    expect(p, TOKEN_CLOSE);
    return n;
}

/* "path/any(v:condition)" */
static struct node *parse_any(struct parser *p)
{
    size_t len = strlen(p->word) - strlen("/any");
    char *path = arena_strndup(p->arena, p->word, len);
    bool extended = strcmp(path, "singleValueExtendedProperties") == 0;
    struct node *n = new_node(p, extended ? NODE_EXTENDED : NODE_ANY);
    n->subject.path = path;
    if (p->variable || (!extended && !p->filter->source->is_collection(path)))
        fail(p, "any() is not supported here.");
    note_path(p, path);
    advance(p);
    expect(p, TOKEN_OPEN);
    const char *variable = p->word;
    expect(p, TOKEN_WORD);
    if (p->token != TOKEN_COLON)
        fail(p, "Syntax error in the filter: a lambda was expected.");
    p->variable = variable;
    p->extended = extended;
    advance(p);
    n->left = parse_or(p);
    p->variable = NULL;
    expect(p, TOKEN_CLOSE);
    return n;
}

static struct node *parse_primary(struct parser *p)
{
    static const char *const tests[] = {"contains", "startswith", "endswith"};
    if (p->token == TOKEN_OPEN) {
        advance(p);
        struct node *n = parse_or(p);
        expect(p, TOKEN_CLOSE);
        return n;
    }
    if (p->token == TOKEN_WORD) {
        size_t len = strlen(p->word);
        if (len > 4 && strcmp(p->word + len - 4, "/any") == 0)
            return parse_any(p);
        for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
            if (strcmp(p->word, tests[i]) == 0)
                return parse_text_test(p, (enum text_test)i);
        }
    }
    return parse_comparison(p);
}

static struct node *parse_not(struct parser *p)
{
    if (!at_word(p, "not"))
        return parse_primary(p);
    if (++p->depth > FILTER_DEPTH_MAX)
        fail(p, "The filter is nested too deeply.");
    advance(p);
    struct node *n = new_node(p, NODE_NOT);
    if (!p->error)
        n->left = parse_not(p);
    p->depth--;
    return n;
}

static struct node *parse_and(struct parser *p)
{
    struct node *left = parse_not(p);
    while (!p->error && at_word(p, "and")) {
        struct node *n = new_node(p, NODE_AND);
        advance(p);
        n->left = left;
        n->right = parse_not(p);
        left = n;
    }
    return left;
}

static struct node *parse_or(struct parser *p)
{
    if (++p->depth > FILTER_DEPTH_MAX) {
        fail(p, "The filter is nested too deeply.");
        return NULL;
    }
    struct node *left = parse_and(p);
    while (!p->error && at_word(p, "or")) {
        struct node *n = new_node(p, NODE_OR);
        advance(p);
        n->left = left;
        n->right = parse_and(p);
        left = n;
    }
    p->depth--;
    return left;
}

struct filter *filter_parse(struct arena *arena, const char *text,
                            const struct filter_source *source, const char **why)
{
    struct filter *f = arena_alloc(arena, sizeof *f);
    f->source = source;
    struct parser p = {.arena = arena, .pos = text, .filter = f};
    if (strlen(text) > FILTER_TEXT_MAX)
        fail(&p, "The filter is too long.");
    advance(&p);
    f->root = p.error ? NULL : parse_or(&p);
    if (p.token != TOKEN_END)
        fail(&p, "Syntax error in the filter.");
    *why = p.error;
    return p.error ? NULL : f;
}

/* A property's text as a value of the type that was asked for. */
static struct value text_value(const char *text, enum value_kind kind)
{
    struct value v = {.kind = VALUE_NULL};
    if (!text)
        return v;
    if (kind == VALUE_NUMBER)
        v = (struct value){.kind = kind, .number = strtoll(text, NULL, 10)};
    else if (kind == VALUE_BOOLEAN)
        v = (struct value){.kind = kind, .number = strcasecmp(text, "true") == 0};
    else if (kind == VALUE_DATE && clock_parse_iso(text, strlen(text), &v.number))
        v.kind = VALUE_DATE;
    else if (kind == VALUE_STRING)
        v = (struct value){.kind = kind, .string = text};
    return v;
}

static struct value subject_value(const struct filter *f, const struct node *n,
                                  const struct scope *scope)
{
    switch (n->subject.kind) {
    case SUBJECT_PATH:
        return f->source->get(scope->item, n->subject.path);
    case SUBJECT_VARIABLE:
        return text_value(scope->element, VALUE_STRING);
    case SUBJECT_PROP_VALUE:
        return text_value(scope->prop_value, n->subject.cast);
    case SUBJECT_PROP_ID:
        break;
    }
    return (struct value){.kind = VALUE_NULL};
}

static bool compare(struct value a, enum op op, struct value b)
{
    if (a.kind != b.kind)
        return op == OP_NE;
    int order = 0;
    if (a.kind == VALUE_STRING)
        order = strcasecmp(a.string, b.string);
    else if (a.kind != VALUE_NULL)
        order = a.number < b.number ? -1 : a.number > b.number;
    switch (op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_GT:
        return order > 0;
    case OP_GE:
        return order >= 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    }
    return false;
}

static bool text_test(enum text_test test, struct value have, const char *want)
{
    if (have.kind != VALUE_STRING)
        return false;
    size_t len = strlen(have.string), tail = strlen(want);
    if (test == TEXT_CONTAINS)
        return strcasestr(have.string, want) != NULL;
    if (len < tail)
        return false;
    return strncasecmp(have.string + (test == TEXT_STARTS ? 0 : len - tail), want, tail) == 0;
}

/* The first "id eq '…'" in a lambda over extended properties. */
static const struct prop_id *wanted_prop(const struct node *n)
{
    if (!n)
        return NULL;
    if (n->kind == NODE_COMPARE && n->subject.kind == SUBJECT_PROP_ID)
        return &n->prop;
    const struct prop_id *id = wanted_prop(n->left);
    return id ? id : wanted_prop(n->right);
}

static bool evaluate(const struct filter *f, const struct node *n, const struct scope *scope)
{
    struct scope inner = *scope;
    switch (n->kind) {
    case NODE_AND:
        return evaluate(f, n->left, scope) && evaluate(f, n->right, scope);
    case NODE_OR:
        return evaluate(f, n->left, scope) || evaluate(f, n->right, scope);
    case NODE_NOT:
        return !evaluate(f, n->left, scope);
    case NODE_COMPARE:
        if (n->subject.kind == SUBJECT_PROP_ID)
            return prop_id_same(scope->prop, &n->prop);
        /* What an item lacks equals null, and compares with nothing else. */
        if (n->subject.kind == SUBJECT_PROP_VALUE && !scope->prop_value)
            return n->value.kind == VALUE_NULL && n->op == OP_EQ;
        return compare(subject_value(f, n, scope), n->op, n->value);
    case NODE_TEXT:
        return text_test(n->test, subject_value(f, n, scope), n->value.string);
    case NODE_ANY: {
        const char *const *list = f->source->collection(scope->item, n->subject.path);
        for (; list && *list; list++) {
            inner.element = *list;
            if (evaluate(f, n->left, &inner))
                return true;
        }
        return false;
    }
    case NODE_EXTENDED:
        inner.prop = wanted_prop(n->left);
        if (!inner.prop)
            return false;
        inner.prop_value = f->source->extended(scope->item, inner.prop);
        return evaluate(f, n->left, &inner);
    }
    return false;
}

bool filter_matches(const struct filter *f, void *item)
{
    struct scope scope = {.item = item};
    return evaluate(f, f->root, &scope);
}

size_t filter_paths(const struct filter *f, const char *const **paths)
{
    *paths = (const char *const *)f->paths;
    return f->path_count;
}
