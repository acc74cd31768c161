/* A slow disk for tests: every flush of a file takes SLOW_DISK_MS milliseconds longer.
 * Preloaded into Postgres by wrapper scripts; it belongs to no build and no binary of Consign. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void delay(void) {
  const char *text = getenv("SLOW_DISK_MS");
  long milliseconds = text ? atol(text) : 0;
  struct timespec rest = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  while (milliseconds > 0 && nanosleep(&rest, &rest) != 0) {
  }
}

int fsync(int file) {
  static int (*next)(int);
  if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  int result = next(file);
  delay();
  return result;
}

int fdatasync(int file) {
  static int (*next)(int);
  if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int result = next(file);
  delay();
  return result;
}
