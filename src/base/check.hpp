// Invariants that are checked in release builds too: a broken one stops the process before it can
// acknowledge anything on the strength of it.
#pragma once

#include <cstdio>
#include <cstdlib>

#define DISPATCHER_CHECK(condition)                                                          \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: invariant broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
