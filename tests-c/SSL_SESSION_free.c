/* SSL_SESSION_free(3): SSL_SESSION_new, SSL_SESSION_dup, SSL_SESSION_up_ref. */
#include "der.h"

static void what_a_fresh_session_holds(void)
{
    section("a fresh session");
    time_t before = time(NULL);
    SSL_SESSION *session = SSL_SESSION_new();
    long made = SSL_SESSION_get_time(session);
    unsigned int id_length = 77, context_length = 77;
    size_t ticket_length = 77, alpn_length = 77, appdata_length = 77;
    const unsigned char *ticket = (const unsigned char *)"", *alpn = ticket;
    void *appdata = (void *)"";

    REQUIRE(session != NULL);
    TRACE(made >= (long)before && made <= (long)time(NULL));
    TRACE(SSL_SESSION_get_timeout(session));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_get_id(session, &id_length) != NULL);
    TRACE(id_length);
    TRACE(SSL_SESSION_get0_id_context(session, &context_length) != NULL);
    TRACE(context_length);
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));
    TRACE(SSL_SESSION_get0_cipher(session) == NULL);
    TRACE(SSL_SESSION_is_resumable(session));
    TRACE(SSL_SESSION_has_ticket(session));
    TRACE(SSL_SESSION_get_ticket_lifetime_hint(session));
    CALL(SSL_SESSION_get0_ticket(session, &ticket, &ticket_length));
    TRACE(ticket == NULL);
    TRACE(ticket_length);
    TRACE(SSL_SESSION_get_max_early_data(session));
    TRACE(SSL_SESSION_get_max_fragment_length(session));
    CALL(SSL_SESSION_get0_alpn_selected(session, &alpn, &alpn_length));
    TRACE(alpn == NULL);
    TRACE(alpn_length);
    TRACE(SSL_SESSION_get0_hostname(session));
    TRACE(SSL_SESSION_get0_ticket_appdata(session, &appdata, &appdata_length));
    TRACE(appdata == NULL);
    TRACE(appdata_length);
    TRACE(SSL_SESSION_get_compress_id(session));
    TRACE(SSL_SESSION_get0_peer(session) == NULL);
    TRACE(i2d_SSL_SESSION(session, NULL));
    SSL_SESSION_free(session);
}

static void references(void)
{
    section("freed with the last reference only");
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_SESSION_up_ref(a));
    TRACE(SSL_SESSION_up_ref(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(NULL));

    section("the cache's reference is one of them");
    SSL_CTX *ctx = context_that_says_removed();
    a = session_new("a", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_up_ref(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void print_fields(const SSL_SESSION *session)
{
    unsigned int id_length, context_length;
    size_t ticket_length, alpn_length, appdata_length;
    const unsigned char *ticket, *alpn;
    void *appdata;
    const unsigned char *id = SSL_SESSION_get_id(session, &id_length);
    const unsigned char *context = SSL_SESSION_get0_id_context(session, &context_length);

    print_hex("id", id, id_length);
    print_hex("id context", context, context_length);
    SSL_SESSION_get0_ticket(session, &ticket, &ticket_length);
    print_hex("ticket", ticket, ticket_length);
    SSL_SESSION_get0_alpn_selected(session, &alpn, &alpn_length);
    print_hex("alpn", alpn, alpn_length);
    TRACE(SSL_SESSION_get0_ticket_appdata((SSL_SESSION *)session, &appdata, &appdata_length));
    print_hex("appdata", appdata, appdata_length);
    TRACE(SSL_SESSION_get0_hostname(session));
    TRACE(SSL_SESSION_get_time(session));
    TRACE(SSL_SESSION_get_timeout(session));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_get_ticket_lifetime_hint(session));
    TRACE(SSL_SESSION_get_max_early_data(session));
    TRACE(SSL_SESSION_is_resumable(session));
    print_der(session);
}

static void duplicates(void)
{
    section("a duplicate has every field, and its own copy of it");
    SSL_SESSION *a = session_of("a", "020101 02020304 04021301 04026964 04036b6579 " TIMES
                                     "a4050403637478 a503020107 a60d040b6578616d706c652e636f6d"
                                     "a90402021c20 aa0804067469636b6574 ae0402020102 af0402024000"
                                     "b00404026832 b103020103 b2050403415050 b30302011d");
    SSL_SESSION *copy = SSL_SESSION_dup(a);

    REQUIRE(copy != NULL);
    session_name(copy, "copy");
    print_der(a);
    print_fields(copy);
    const char *of_a = SSL_SESSION_get0_hostname(a);
    const char *of_copy = SSL_SESSION_get0_hostname(copy);
    TRACE(of_a == of_copy);

    section("neither follows the other");
    TRACE(SSL_SESSION_set1_hostname(copy, "other.example"));
    TRACE(SSL_SESSION_set_timeout(copy, 5));
    session_id(copy, "another");
    TRACE(SSL_SESSION_get0_hostname(a));
    TRACE(SSL_SESSION_get_timeout(a));
    CALL(SSL_SESSION_free(a));
    print_fields(copy);
    CALL(SSL_SESSION_free(copy));

    section("a duplicate of a cached session is not in the cache");
    SSL_CTX *ctx = context_that_says_removed();
    a = session_new("a", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    copy = SSL_SESSION_dup(a);
    session_name(copy, "copy");
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_set_timeout(copy, 1));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 50));
    TRACE(SSL_CTX_sess_number(ctx));

    section("though it replaces the original like any other session");
    TRACE(SSL_CTX_add_session(ctx, copy));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 50));
    TRACE(SSL_SESSION_is_resumable(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(copy));

    section("a duplicate of a removed session is not resumable either");
    a = session_new("a", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_remove_session(ctx, a));
    copy = SSL_SESSION_dup(a);
    session_name(copy, "copy");
    TRACE(SSL_SESSION_is_resumable(copy));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(copy));
    CALL(SSL_CTX_free(ctx));

    section("a duplicate of a fresh session");
    a = SSL_SESSION_new();
    SSL_SESSION_set_time(a, T0);
    copy = SSL_SESSION_dup(a);
    print_fields(copy);
    SSL_SESSION_free(a);
    SSL_SESSION_free(copy);
}

int main(void)
{
    what_a_fresh_session_holds();
    references();
    duplicates();
    return 0;
}
