// What libFuzzer calls with every input: the one target of this program.
#include "fuzz/fuzz_target.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dispatcher::fuzz::targets().front().check({reinterpret_cast<const char*>(data), size});
  return 0;
}
