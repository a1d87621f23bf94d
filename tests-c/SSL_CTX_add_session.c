/* SSL_CTX_add_session(3): SSL_CTX_add_session, SSL_CTX_remove_session. */
#include "conformance.h"

static void adds_and_holds_a_reference(void)
{
    section("an added session lives on without its owner");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void the_same_object_twice(void)
{
    section("the same object again is refused and costs no reference");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void replaced_silently(void)
{
    section("another object with the same id replaces the first without a word");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));

    section("replacing the cache's only reference frees the session at once");
    ctx = context_that_says_removed();
    a = session_new("a", TLS1_2_VERSION, T0, 100);
    twin = session_twin("twin of a", a);
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    TRACE(SSL_CTX_add_session(ctx, twin));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

static void a_replaced_object_comes_back(void)
{
    section("a replaced object may come back and replaces in turn");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(twin));
    TRACE(SSL_CTX_remove_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void one_id_two_versions(void)
{
    section("one id in two protocol versions makes two entries");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *tls12 = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *tls13 = session_new("a", TLS1_3_VERSION, T0, 200);

    session_name(tls12, "a of TLS 1.2");
    session_name(tls13, "a of TLS 1.3");
    TRACE(SSL_CTX_add_session(ctx, tls12));
    TRACE(SSL_CTX_add_session(ctx, tls13));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, tls13));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(tls12));
    TRACE(SSL_CTX_remove_session(ctx, tls12));
    CALL(SSL_SESSION_free(tls12));
    CALL(SSL_SESSION_free(tls13));
    CALL(SSL_CTX_free(ctx));
}

static void the_id_context_is_not_part_of_the_key(void)
{
    section("the session id context does not make another entry");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);

    REQUIRE(SSL_SESSION_set1_id_context(twin, (const unsigned char *)"other", 5) == 1);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

static void ids_that_nearly_agree(void)
{
    section("ids of 1 to 32 bytes that are prefixes of each other are all different");
    SSL_CTX *ctx = context_new();
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH] = {0};
    int added = 0;
    int removed = 0;
    SSL_SESSION *sessions[SSL_MAX_SSL_SESSION_ID_LENGTH];

    for (unsigned int i = 0; i < sizeof(id); i++) {
        sessions[i] = SSL_SESSION_new();
        REQUIRE(SSL_SESSION_set1_id(sessions[i], id, i + 1) == 1);
        REQUIRE(SSL_SESSION_set_protocol_version(sessions[i], TLS1_2_VERSION) == 1);
        added += SSL_CTX_add_session(ctx, sessions[i]);
    }
    TRACE(added);
    TRACE(SSL_CTX_sess_number(ctx));
    for (unsigned int i = 0; i < sizeof(id); i++) {
        removed += SSL_CTX_remove_session(ctx, sessions[i]);
        SSL_SESSION_free(sessions[i]);
    }
    TRACE(removed);
    TRACE(SSL_CTX_sess_number(ctx));
    SSL_CTX_free(ctx);

    section("bytes beyond a shortened id do not count");
    ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("abcdef", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("abc", TLS1_2_VERSION, T0, 100);
    session_id(a, "abc");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_CTX_free(ctx));
}

static void removed_once_reported_each_time(void)
{
    section("remove_cb runs at every remove, found or not, with the caller's object");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *never = session_new("never added", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, never));
    TRACE(SSL_SESSION_is_resumable(never));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(never));
    CALL(SSL_CTX_free(ctx));
}

static void removed_through_an_equal_object(void)
{
    section("removing through an equal object reports and marks only that object");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, twin));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_SESSION_is_resumable(twin));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(twin));

    section("and frees the cached one after the callback");
    a = session_new("a", TLS1_2_VERSION, T0, 100);
    twin = session_twin("twin of a", a);
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    TRACE(SSL_CTX_remove_session(ctx, twin));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

static void a_removed_session_may_return(void)
{
    section("a removed session can be added again but stays not resumable");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void no_mode_and_no_age_keeps_a_session_out(void)
{
    section("neither the mode nor the age of a session keeps it out");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *old = session_new("old", TLS1_2_VERSION, 1, 1);
    SSL_SESSION *zero = session_new("zero", TLS1_2_VERSION, 0, 0);
    SSL_SESSION *no_version = session_new("no version", 0, T0, 100);

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    TRACE(SSL_CTX_add_session(ctx, old));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL);
    TRACE(SSL_CTX_add_session(ctx, zero));
    TRACE(SSL_CTX_add_session(ctx, no_version));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, old));
    TRACE(SSL_CTX_remove_session(ctx, zero));
    TRACE(SSL_CTX_remove_session(ctx, no_version));
    CALL(SSL_SESSION_free(old));
    CALL(SSL_SESSION_free(zero));
    CALL(SSL_SESSION_free(no_version));
    CALL(SSL_CTX_free(ctx));
}

static void a_session_without_an_id(void)
{
    section("a session without an id can be added, one for each version, but not removed");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *empty12 = session_new("", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *empty13 = session_new("", TLS1_3_VERSION, T0, 200);

    session_name(empty12, "empty of TLS 1.2");
    session_name(empty13, "empty of TLS 1.3");
    TRACE(SSL_CTX_add_session(ctx, empty12));
    TRACE(SSL_CTX_add_session(ctx, empty12));
    TRACE(SSL_CTX_add_session(ctx, empty13));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, empty12));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(empty12));
    CALL(SSL_SESSION_free(empty13));
    CALL(SSL_CTX_free(ctx));

    section("remove without a session or without an id does nothing, in any context");
    ctx = context_that_says_removed();
    SSL_SESSION *fresh = session_new("", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_remove_session(ctx, fresh));
    TRACE(SSL_CTX_remove_session(ctx, NULL));
    TRACE(SSL_CTX_remove_session(NULL, NULL));
    TRACE(SSL_CTX_remove_session(NULL, fresh));
    session_id(fresh, "now with an id");
    TRACE(SSL_SESSION_is_resumable(fresh));
    CALL(SSL_SESSION_free(fresh));
    CALL(SSL_CTX_free(ctx));
}

static void no_callback_is_needed(void)
{
    section("without remove_cb a removed session is marked all the same");
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_SESSION_is_resumable(a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static long number_seen_inside;

static void note_number(SSL_CTX *ctx, SSL_SESSION *session UNUSED)
{
    number_seen_inside = SSL_CTX_sess_number(ctx);
}

static void inside_the_callback_the_session_is_out(void)
{
    section("inside remove_cb the session no longer counts");
    SSL_CTX *ctx = context_new();

    SSL_CTX_sess_set_remove_cb(ctx, note_number);
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(number_seen_inside);
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(number_seen_inside);
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_CTX_free(ctx));
}

static void an_entry_belongs_to_its_context(void)
{
    section("a session is unknown to the other context, which reports it all the same");
    SSL_CTX *first = context_that_says_removed();
    SSL_CTX *second = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(first, a));
    TRACE(SSL_CTX_remove_session(second, a));
    TRACE(SSL_CTX_sess_number(first));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_remove_session(first, a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(first));
    CALL(SSL_CTX_free(second));
}

int main(void)
{
    adds_and_holds_a_reference();
    the_same_object_twice();
    replaced_silently();
    a_replaced_object_comes_back();
    one_id_two_versions();
    the_id_context_is_not_part_of_the_key();
    ids_that_nearly_agree();
    removed_once_reported_each_time();
    removed_through_an_equal_object();
    a_removed_session_may_return();
    no_mode_and_no_age_keeps_a_session_out();
    a_session_without_an_id();
    no_callback_is_needed();
    inside_the_callback_the_session_is_out();
    an_entry_belongs_to_its_context();
    return 0;
}
