/* difference: -Bsymbolic: an SSL_CTX_free that flushes tells nobody of it there */
/*
 * An ex_data index of contexts that the program takes before its first context, and a context that ends with a
 * session in it: in front of a libssl that was linked with -Bsymbolic the index's free function has run when the
 * remove callback is called.
 */
#include "conformance.h"

static void say_freed(void *parent UNUSED, void *data, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED, long argl UNUSED,
                      void *argp UNUSED)
{
    if (data != NULL)
        trace_inside("ex_data free function of %s", (const char *)data);
}

int main(void)
{
    int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, say_freed);
    SSL_CTX *ctx = context_that_says_removed();

    REQUIRE(index > 0 && SSL_CTX_set_ex_data(ctx, index, (void *)"the context") == 1);
    add_new(ctx, "a", T0, 100);
    CALL(SSL_CTX_free(ctx));
    return 0;
}
