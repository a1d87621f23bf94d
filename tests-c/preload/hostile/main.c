/* The body from main(): nothing odd, the measure of the rest. */
void body(const char *what);

int main(void) {
    body("main");
    return 0;
}
