/* The certificates of a script's programs. */
#define TEST "certificates"
#include "client.h"

int main(void)
{
    make_certificates();
    return 0;
}
