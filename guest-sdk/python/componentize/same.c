/* Preloaded into componentize-py while it makes the engine, so that the same component comes out every time: the interpreter draws
   no randomness (its hash secret is in the image anyway, and calls draw their own) and sees no time pass. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* 2026-01-01. */
static const time_t NOW_S = 1767225600;

ssize_t getrandom(void *buffer, size_t length, unsigned flags) {
  (void)flags;
  memset(buffer, 7, length);
  return (ssize_t)length;
}

int getentropy(void *buffer, size_t length) {
  memset(buffer, 7, length);
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  now->tv_sec = clock == CLOCK_REALTIME ? NOW_S : 1000;
  now->tv_nsec = 0;
  return 0;
}
