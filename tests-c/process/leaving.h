/* The ways in which a callback leaves otherwise than by return. */
#ifndef UNWIND_H
#define UNWIND_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdexcept>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum Way { THROWN, JUMPED, CANCELLED, EXITED, WAYS };
static const char *const way_names[] = {"thrown", "jumped", "cancelled", "exited"};

static Way way;
static jmp_buf back;
static int mark;

/* Which callback leaves, once, at which of its calls (from 1); "" is every one that tells of an end, always. */
static const char *leaver;
static int leaves_at;

[[noreturn]] static void leave()
{
    switch (way) {
    case THROWN: throw std::runtime_error("thrown in a callback");
    case JUMPED: longjmp(back, 1);
    case CANCELLED:
        pthread_cancel(pthread_self());
        pthread_testcancel();
        abort();
    default: pthread_exit(&mark);
    }
}

/* Every callback begins with this. */
static void reached(const char *callback)
{
    if (leaver && !*leaver && (strcmp(callback, "remove") == 0 || strstr(callback, "_free")))
        leave();
    if (leaver && strcmp(callback, leaver) == 0 && --leaves_at == 0) {
        leaver = NULL;
        leave();
    }
}

static void *in_thread(void *go)
{
    ((void (*)())go)();
    return NULL;
}

/* Calls `go`, and tells how it ended. */
static const char *attempt(void (*go)())
{
    if (way == THROWN) {
        try {
            go();
        } catch (const std::runtime_error &) {
            return "thrown";
        }
    } else if (way == JUMPED) {
        if (setjmp(back) == 0)
            go();
        else
            return "jumped";
    } else {
        pthread_t thread;
        void *end;
        pthread_create(&thread, NULL, in_thread, (void *)go);
        pthread_join(thread, &end);
        if (end)
            return end == PTHREAD_CANCELED ? "cancelled" : end == &mark ? "exited" : "?";
    }
    return "returned";
}

#endif
