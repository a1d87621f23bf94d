/*
 * Memory that runs out for some callers alone: an allocator that takes the place of the C library's in the program
 * that includes this, and fails when what asks for memory lies in the libraries that were named. Memory that the C
 * library asks for on their behalf counts as theirs.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

/* Which allocations of theirs fail: none, the nth, the nth and all that follow, each nth, one of n by chance. */
enum memory_mode { MEMORY_IS_THERE, ONLY_THE_NTH, FROM_THE_NTH, EVERY_NTH, ONE_OF_N };

static _Atomic enum memory_mode memory_mode;
static atomic_long memory_n, memory_asked, memory_failed, memory_live;

struct memory_range { uintptr_t from, to; };
#define MEMORY_RANGES 8
static struct memory_range memory_theirs[MEMORY_RANGES], memory_libc[MEMORY_RANGES];

/* The libraries, as words of their names between bars: "libssl|libcrypto". */
static const char *memory_names;

static int memory_is_named(const char *names, const char *path)
{
    char word[64];
    for (const char *end; names && *names; names = *end ? end + 1 : end) {
        end = names + strcspn(names, "|");
        snprintf(word, sizeof word, "%.*s", (int)(end - names), names);
        if (strstr(path, word))
            return 1;
    }
    return 0;
}

static void memory_note(struct memory_range *ranges, uintptr_t from, uintptr_t size)
{
    while (ranges->to)
        ranges++;
    *ranges = (struct memory_range){from, from + size};
}

static int memory_library(struct dl_phdr_info *library, size_t size, void *unused)
{
    (void)size, (void)unused;
    struct memory_range *ranges = memory_is_named(memory_names, library->dlpi_name) ? memory_theirs
        : memory_is_named("/libc.so|/ld-linux|/libpthread|/libdl", library->dlpi_name) ? memory_libc : NULL;
    for (int i = 0; ranges && i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_X)
            memory_note(ranges, library->dlpi_addr + part->p_vaddr, part->p_memsz);
    }
    return 0;
}

/* Says whose memory runs out: to be called first. They are in the process. */
static void memory_of(const char *names)
{
    memory_names = names;
    memset(memory_theirs, 0, sizeof memory_theirs);
    memset(memory_libc, 0, sizeof memory_libc);
    dl_iterate_phdr(memory_library, NULL);
    if (!memory_theirs[0].to || !memory_libc[0].to) {
        fprintf(stderr, "memory.h: no %s in the process\n", names);
        exit(2);
    }
}

static void memory_runs_out(enum memory_mode mode, long n)
{
    memory_n = n;
    memory_asked = memory_failed = 0;
    memory_mode = mode;
}

static int memory_within(const struct memory_range *ranges, uintptr_t address)
{
    for (; ranges->to; ranges++)
        if (address >= ranges->from && address < ranges->to)
            return 1;
    return 0;
}

/* Goes up the stack, past this allocator and the C library, to what called it. */
static _Unwind_Reason_Code memory_frame(struct _Unwind_Context *frame, void *past)
{
    uintptr_t address = _Unwind_GetIP(frame);
    if (memory_within(memory_libc, address)) {
        *(int *)past = 1;
        return _URC_NO_REASON;
    }
    if (!*(int *)past)
        return _URC_NO_REASON;
    *(int *)past = memory_within(memory_theirs, address) ? 2 : 3;
    return _URC_NORMAL_STOP;
}

static int memory_is_theirs(void *caller)
{
    static _Thread_local int looking;
    if (memory_within(memory_theirs, (uintptr_t)caller))
        return 1;
    if (!memory_within(memory_libc, (uintptr_t)caller) || looking)
        return 0;
    int past = 0;
    looking = 1;
    _Unwind_Backtrace(memory_frame, &past);
    looking = 0;
    return past == 2;
}

static int memory_is_out(void)
{
    static _Thread_local unsigned int seed;
    long asked = ++memory_asked, n = memory_n;
    switch (memory_mode) {
    case ONLY_THE_NTH: return asked == n;
    case FROM_THE_NTH: return asked >= n;
    case EVERY_NTH: return asked % n == 0;
    case ONE_OF_N:
        if (!seed)
            seed = (unsigned int)(uintptr_t)&seed ^ (unsigned int)asked;
        return rand_r(&seed) % n == 0;
    default: return 0;
    }
}

/* What was given to them is marked at its end, to be counted until it is freed. */
#define MEMORY_MARK 0x6d656d6f7279212eUL

static uintptr_t *memory_end(void *memory)
{
    return (uintptr_t *)((char *)memory + (malloc_usable_size(memory) & ~(sizeof(uintptr_t) - 1))) - 1;
}

static void *memory_given(void *memory, int theirs)
{
    if (memory && theirs) {
        *memory_end(memory) = MEMORY_MARK ^ (uintptr_t)memory;
        memory_live++;
    }
    return memory;
}

static void memory_taken_back(void *memory)
{
    if (memory && *memory_end(memory) == (MEMORY_MARK ^ (uintptr_t)memory)) {
        *memory_end(memory) = 0;
        memory_live--;
    }
}

/* One word more than was asked for, for the mark. */
#define MEMORY_GIVE(size, allocation) \
    do { \
        int theirs = memory_is_theirs(__builtin_return_address(0)); \
        if (theirs && memory_is_out()) { \
            memory_failed++; \
            errno = ENOMEM; \
            return NULL; \
        } \
        size_t with_mark = (size) + (theirs ? sizeof(uintptr_t) : 0); \
        return memory_given(allocation, theirs); \
    } while (0)

void *malloc(size_t size) { MEMORY_GIVE(size, __libc_malloc(with_mark)); }
void *memalign(size_t alignment, size_t size) { MEMORY_GIVE(size, __libc_memalign(alignment, with_mark)); }
void *aligned_alloc(size_t alignment, size_t size) { MEMORY_GIVE(size, __libc_memalign(alignment, with_mark)); }

void *calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        return NULL;
    MEMORY_GIVE(count * size, __libc_calloc(1, with_mark));
}

void *realloc(void *old, size_t size)
{
    int theirs = memory_is_theirs(__builtin_return_address(0));
    if (theirs && memory_is_out()) {
        memory_failed++;
        errno = ENOMEM;
        return NULL;
    }
    memory_taken_back(old);
    return memory_given(__libc_realloc(old, size + (theirs ? sizeof(uintptr_t) : 0)), theirs);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    int theirs = memory_is_theirs(__builtin_return_address(0));
    if (theirs && memory_is_out()) {
        memory_failed++;
        return ENOMEM;
    }
    *memory = memory_given(__libc_memalign(alignment, size + (theirs ? sizeof(uintptr_t) : 0)), theirs);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
    int before = errno;
    memory_taken_back(memory);
    __libc_free(memory);
    errno = before;
}

#endif
