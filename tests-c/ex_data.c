/* BIO_get_ex_new_index(3): ex_data of sessions and contexts, with its new, dup and free functions. */
#include "conformance.h"

static int lively;

static void on_new(void *parent UNUSED, void *value, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    if (lively)
        trace_inside("new %s: value %sNULL, argl %ld", (const char *)argp, value == NULL ? "" : "not ", argl);
    if (lively && argl == 2)
        CRYPTO_set_ex_data(ad, index, "given by the new function");
}

static int on_dup(CRYPTO_EX_DATA *to UNUSED, const CRYPTO_EX_DATA *from UNUSED, void **value, int index UNUSED,
                  long argl, void *argp)
{
    if (lively)
        trace_inside("dup %s: %s, argl %ld", (const char *)argp, *value == NULL ? "NULL" : (const char *)*value, argl);
    if (lively && argl == 2)
        *value = "changed by the dup function";
    return 1;
}

static void on_free(void *parent UNUSED, void *value, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED, long argl,
                    void *argp)
{
    if (lively)
        trace_inside("free %s: %s, argl %ld", (const char *)argp, value == NULL ? "NULL" : (const char *)value, argl);
}

static void plain(void)
{
    section("values are kept as they are, each index its own");
    SSL_SESSION *session = SSL_SESSION_new();
    int first = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    int second = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    TRACE(first > 0);
    TRACE(second == first + 1);
    TRACE((const char *)SSL_SESSION_get_ex_data(session, first));
    TRACE(SSL_SESSION_set_ex_data(session, first, "one"));
    TRACE(SSL_SESSION_set_ex_data(session, second, "two"));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, first));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, second));
    TRACE(SSL_SESSION_set_ex_data(session, first, NULL));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, first));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, second));

    section("app_data is index 0");
    TRACE(SSL_SESSION_set_app_data(session, "application"));
    TRACE((const char *)SSL_SESSION_get_app_data(session));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, 0));

    section("an index that nobody registered, and impossible ones");
    TRACE(SSL_SESSION_set_ex_data(session, 999, "far"));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, 999));
    TRACE(SSL_SESSION_get_ex_data(session, 500) == NULL);
    TRACE(SSL_SESSION_get_ex_data(session, 100000) == NULL);
    TRACE(SSL_SESSION_get_ex_data(session, -1) == NULL);
    TRACE(SSL_SESSION_set_ex_data(session, -1, "negative"));
    ERR_clear_error();

    section("a duplicate has the same values");
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    TRACE((const char *)SSL_SESSION_get_ex_data(copy, second));
    TRACE((const char *)SSL_SESSION_get_app_data(copy));
    TRACE(SSL_SESSION_set_ex_data(copy, second, "of the copy"));
    TRACE((const char *)SSL_SESSION_get_ex_data(session, second));
    SSL_SESSION_free(session);
    SSL_SESSION_free(copy);

    section("contexts");
    SSL_CTX *ctx = context_new();
    int of_context = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    TRACE(of_context > 0);
    TRACE((const char *)SSL_CTX_get_ex_data(ctx, of_context));
    TRACE(SSL_CTX_set_ex_data(ctx, of_context, "of the context"));
    TRACE((const char *)SSL_CTX_get_ex_data(ctx, of_context));
    TRACE(SSL_CTX_set_app_data(ctx, "application"));
    TRACE((const char *)SSL_CTX_get_app_data(ctx));
    TRACE(SSL_CTX_get_ex_data(ctx, -1) == NULL);
    TRACE(SSL_CTX_get_ex_data(ctx, 5000) == NULL);
    SSL_CTX_free(ctx);
}

static void functions(void)
{
    section("the functions of a session's index");
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 1, "first", on_new, on_dup, on_free);
    int second = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 2, "second", on_new, on_dup, on_free);
    lively = 1;
    trace_begin("SSL_SESSION_new()");
    SSL_SESSION *session = SSL_SESSION_new();
    trace_end("done");
    TRACE((const char *)SSL_SESSION_get_ex_data(session, second));
    TRACE(SSL_SESSION_set_ex_data(session, second, "set"));
    trace_begin("SSL_SESSION_dup(session)");
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    trace_end("done");
    TRACE((const char *)SSL_SESSION_get_ex_data(copy, second));
    TRACE(SSL_SESSION_up_ref(session));
    CALL(SSL_SESSION_free(session));
    CALL(SSL_SESSION_free(session));
    CALL(SSL_SESSION_free(copy));
    lively = 0;
}

static void look_at_session(void *parent, void *value, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED,
                            long argl UNUSED, void *argp UNUSED)
{
    unsigned int length;

    if (value == NULL)
        return;
    const unsigned char *id = SSL_SESSION_get_id(parent, &length);
    const char *hostname = SSL_SESSION_get0_hostname(parent);
    long timeout = SSL_SESSION_get_timeout(parent);
    trace_inside("id %.*s, host name %s, timeout %ld", (int)length, (const char *)id, hostname, timeout);
}

static void whole_in_its_free_function(void)
{
    section("in its free function a session can still be read");
    int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, NULL, NULL, look_at_session);
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION_set1_hostname(a, "example.com");
    TRACE(SSL_SESSION_set_ex_data(a, index, "look"));
    CALL(SSL_SESSION_free(a));
}

int main(void)
{
    plain();
    functions();
    whole_in_its_free_function();
    return 0;
}
