/* Does nothing: what happens, happens before main() or not at all. */
#include <stdio.h>

int main(void) {
    puts("main");
    return 0;
}
